/* SPDX-License-Identifier: MIT */
/*
 * Code that changes rbx, in which its caller has a pointer.
 *
 * ends:    signal SIGSEGV
 * reports: enter +0 call
 * reports: step +0 xor eax, eax
 * reports: step +2 mov ebx, 7
 * reports: step +7 ret
 * reports: leave return *
 * reports: signal SIGSEGV write
 * reports: verdict callee-saved broken +2
 */
#include "code.h"

int main(void)
{
    static const uint8_t insns[] = {
        0x31, 0xc0,          /* xor eax, eax */
        0xbb, 0x07, 0, 0, 0, /* mov ebx, 7 */
        0xc3,                /* ret */
    };
    uint8_t *code = code_new(insns, sizeof insns);
    uint64_t count = 0;

    /* A caller that a compiler could make. */
    __asm__ volatile("sub $128, %%rsp\n\t"
                     "call *%1\n\t"
                     "add $128, %%rsp\n\t"
                     "incq (%0)"
                     :
                     : "b"(&count), "r"(code)
                     : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10",
                       "r11", "memory", "cc");
    return (int)count - 1;
}
