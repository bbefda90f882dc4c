/* SPDX-License-Identifier: MIT */
/*
 * A call through a null pointer, out of generated code.
 *
 * ends:    signal SIGSEGV
 * reports: enter +0 call
 * reports: step +0 xor eax, eax
 * reports: step +2 call rax
 * reports: leave call
 * reports: signal SIGSEGV execute
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

int main(void)
{
    static const uint8_t insns[] = {
        0x31, 0xc0, /* xor eax, eax */
        0xff, 0xd0, /* call rax */
        0xc3,       /* ret */
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
