/* SPDX-License-Identifier: MIT */
/*
 * A division by zero.
 *
 * ends:    signal SIGFPE
 * reports: enter +0 call
 * reports: step +0 mov eax, 7
 * reports: step +5 cdq
 * reports: step +6 xor ecx, ecx
 * reports: signal SIGFPE*
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

int main(void)
{
    static const uint8_t insns[] = {
        0xb8, 7,    0, 0, 0, /* mov eax, 7 */
        0x99,                /* cdq */
        0x31, 0xc9,          /* xor ecx, ecx */
        0xf7, 0xf9,          /* idiv ecx */
        0xc3,                /* ret */
    };
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (code == MAP_FAILED)
        return 1;
    for (size_t i = 0; i < sizeof insns; i++)
        code[i] = insns[i];
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    ((void (*)(void))(uintptr_t)code)();
    return 0;
}
