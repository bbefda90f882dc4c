/* SPDX-License-Identifier: MIT */
/*
 * A load through a null pointer, from the third field of what it would point
 * to; the pointer was set by the code itself.
 *
 * ends:    signal SIGSEGV
 * reports: enter +0 call
 * reports: step +0 xor edi, edi
 * reports: step +2 nop
 * reports: signal SIGSEGV read
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

int main(void)
{
    static const uint8_t insns[] = {
        0x31, 0xff,             /* xor edi, edi */
        0x90,                   /* nop */
        0x48, 0x8b, 0x47, 0x10, /* mov rax, [rdi+16] */
        0xc3,                   /* ret */
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
