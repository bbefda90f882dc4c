/* SPDX-License-Identifier: MIT */
/*
 * Code on the stack: pages of it are made executable by mprotect(2), then code
 * is called there.
 *
 * prints:  5
 * ends:    status 0
 * reports: map rw- stack
 * reports: protect rw- rwx *
 * reports: enter +* call
 * reports: step * mov eax, 5
 * reports: leave return 5
 * never:   limit *
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

int main(void)
{
    static const uint8_t insns[] = {0xb8, 5, 0, 0, 0, 0xc3};
    uint8_t code[4096];

    memcpy(code, insns, sizeof insns);
    mprotect((void *)((uintptr_t)code & ~(uintptr_t)4095), 8192,
             PROT_READ | PROT_WRITE | PROT_EXEC);
    printf("%d\n", ((int (*)(void))(uintptr_t)code)());
    return 0;
}
