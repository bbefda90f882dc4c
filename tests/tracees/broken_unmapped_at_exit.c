/* SPDX-License-Identifier: MIT */
/*
 * Of a region of code only the first page is unmapped, of another one all.
 *
 * prints:  42 42
 * ends:    status 0
 * options: --strict
 * reports: unmap *
 * reports: verdict unmapped-at-exit broken +4096
 * never:   verdict unmapped-at-exit broken +0
 */
#include <stdio.h>

#include "code.h"

int main(void)
{
    static const uint8_t insns[] = {0xb8, 42, 0, 0, 0, 0xc3};
    uint8_t *whole = code_new(insns, sizeof insns);
    uint8_t *code = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (code == MAP_FAILED)
        return 99;
    memcpy(code, insns, sizeof insns);
    if (mprotect(code, 8192, PROT_READ | PROT_EXEC) < 0)
        return 99;
    printf("%d %d\n", ((int (*)(void))(uintptr_t)whole)(),
           ((int (*)(void))(uintptr_t)code)());
    munmap(whole, 4096);
    munmap(code, 4096);
    return 0;
}
