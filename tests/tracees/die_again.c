/* SPDX-License-Identifier: MIT */
/*
 * A fault that the program handles, and that comes again and kills it: of a
 * register that an instruction made 0 which was 0 before.
 *
 * ends:    signal SIGSEGV
 * reports: enter +0 call
 * reports: step +0 xor ecx, ecx
 * reports: step +2 xor ecx, ecx
 * reports: signal SIGSEGV write
 * reports: leave signal
 * reports: enter +4 return
 * reports: signal SIGSEGV write
 */
#include <signal.h>

#include "code.h"

static void give_up(int number)
{
    signal(number, SIG_DFL);
}

int main(void)
{
    static const uint8_t insns[] = {
        0x31, 0xc9,       /* xor ecx, ecx */
        0x31, 0xc9,       /* xor ecx, ecx */
        0xc6, 0x01, 0x01, /* mov byte [rcx], 1 */
        0xc3,             /* ret */
    };
    uint8_t *code = code_new(insns, sizeof insns);

    signal(SIGSEGV, give_up);
    ((void (*)(void))(uintptr_t)code)();
    return 0;
}
