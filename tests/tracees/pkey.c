/* SPDX-License-Identifier: MIT */
/*
 * Code is made executable by pkey_mprotect(2), without a key: most CPUs have
 * none to give.
 *
 * prints:  5
 * ends:    status 0
 * reports: map rw- anonymous
 * reports: write +0 b8050000
 * reports: protect rw- r-x b805000000c3
 * reports: enter +0 call
 * reports: leave return 5
 * never:   limit *
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
    static const uint8_t insns[] = {0xb8, 5, 0, 0, 0, 0xc3};
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (code == MAP_FAILED)
        return 1;
    memcpy(code, insns, sizeof insns);
    if (syscall(SYS_pkey_mprotect, code, 4096UL, PROT_READ | PROT_EXEC, -1) < 0)
        return 1;
    printf("%d\n", ((int (*)(void))(uintptr_t)code)());
    return 0;
}
