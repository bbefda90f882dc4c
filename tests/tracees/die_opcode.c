/* SPDX-License-Identifier: MIT */
/*
 * Bytes that are no instruction in 64-bit mode: 06 was push es.
 *
 * ends:    signal SIGILL
 * reports: enter +0 call
 * reports: step +0 nop
 * reports: signal SIGILL*
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

int main(void)
{
    static const uint8_t insns[] = {
        0x90,       /* nop */
        0x06, 0xc3, /* ret */
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
