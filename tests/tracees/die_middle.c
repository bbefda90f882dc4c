/* SPDX-License-Identifier: MIT */
/*
 * A jump that goes one byte too far, into the middle of an instruction.
 *
 * ends:    signal SIGSEGV
 * reports: enter +0 call
 * reports: step +0 mov eax, 0
 * reports: step +5 dec ecx
 * reports: step +7 jnz *
 * reports: signal SIGSEGV *
 * reports: verdict whole-instructions broken +7
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

int main(void)
{
    static const uint8_t insns[] = {
        0xb8, 0,    0, 0, 0, /* mov eax, 0 */
        0xff, 0xc9,          /* dec ecx */
        0x75, 0xf8,          /* jnz to byte 1; 0xf7 would be to byte 0 */
        0xc3,                /* ret */
    };
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (code == MAP_FAILED)
        return 1;
    for (size_t i = 0; i < sizeof insns; i++)
        code[i] = insns[i];
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    __asm__ volatile("call *%0" : : "r"(code), "c"(5) : "rax", "memory");
    return 0;
}
