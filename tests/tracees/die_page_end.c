/* SPDX-License-Identifier: MIT */
/*
 * Code that fills its page to the last byte and has no ret there.
 *
 * ends:    signal SIGSEGV
 * reports: enter +4094 call
 * reports: step +4094 nop
 * reports: step +4095 nop
 * reports: signal SIGSEGV execute
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

int main(void)
{
    static const uint8_t insns[] = {
        0x90, 0x90, /* nop, nop */
    };
    uint8_t *code = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (code == MAP_FAILED)
        return 1;
    for (size_t i = 0; i < sizeof insns; i++)
        code[4094 + i] = insns[i];
    munmap(code + 4096, 4096);
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    ((void (*)(void))(uintptr_t)(code + 4094))();
    return 0;
}
