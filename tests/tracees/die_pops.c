/* SPDX-License-Identifier: MIT */
/*
 * A loop that jumps back too far, and lowers the stack pointer in each round.
 *
 * ends:    signal SIGSEGV
 * reports: enter +0 call
 * reports: step +0 push rdi
 * reports: step +1 dec rdi
 * reports: step +4 jnz *
 * reports: step +0 push rdi
 * reports: step +1 dec rdi
 * reports: step +4 jnz *
 * reports: step +6 pop rax
 * reports: step +7 ret
 * reports: signal SIGSEGV execute
 * reports: verdict stack-balanced broken +7
 */
#include "code.h"

int main(void)
{
    static const uint8_t insns[] = {
        0x57,             /* push rdi */
        0x48, 0xff, 0xcf, /* dec rdi */
        0x75, 0xfa,       /* jnz to the push */
        0x58,             /* pop rax */
        0xc3,             /* ret */
    };
    uint8_t *code = code_new(insns, sizeof insns);

    ((long (*)(long))(uintptr_t)code)(2);
    return 0;
}
