/* SPDX-License-Identifier: MIT */
/*
 * The smallest int divided by -1: its result is no int.
 *
 * ends:    signal SIGFPE
 * reports: enter +0 call
 * reports: step +0 mov eax, -2147483648
 * reports: step +5 cdq
 * reports: step +6 mov ecx, -1
 * reports: signal SIGFPE*
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

int main(void)
{
    static const uint8_t insns[] = {
        0xb8, 0,    0,    0,    0x80, /* mov eax, -2147483648 */
        0x99,                         /* cdq */
        0xb9, 0xff, 0xff, 0xff, 0xff, /* mov ecx, -1 */
        0xf7, 0xf9,                   /* idiv ecx */
        0xc3,                         /* ret */
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
