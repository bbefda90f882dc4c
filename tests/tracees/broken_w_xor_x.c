/* SPDX-License-Identifier: MIT */
/*
 * The second of two pages becomes executable and stays writable.
 *
 * prints:  42
 * ends:    status 0
 * options: --strict
 * reports: enter +4096 call
 * reports: verdict w-xor-x broken +4096
 * never:   verdict w-xor-x broken +0
 */
#include <stdio.h>

#include "code.h"

int main(void)
{
    static const uint8_t insns[] = {0xb8, 42, 0, 0, 0, 0xc3};
    uint8_t *code = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (code == MAP_FAILED)
        return 99;
    memcpy(code + 4096, insns, sizeof insns);
    if (mprotect(code + 4096, 4096, PROT_READ | PROT_WRITE | PROT_EXEC) < 0)
        return 99;
    printf("%d\n", ((int (*)(void))(uintptr_t)(code + 4096))());
    munmap(code, 8192);
    return 0;
}
