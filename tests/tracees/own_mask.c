/* SPDX-License-Identifier: MIT */
/*
 * Generated code that sets the signal mask by a system call.
 *
 * prints:  at first: SEGV default, BUS default, TRAP ignored
 * prints:  block: SEGV default, blocked, BUS default, blocked, TRAP ignored, blocked
 * prints:  unblock: SEGV default, BUS default, TRAP ignored
 * prints:  block: SEGV default, blocked, BUS default, blocked, TRAP ignored, blocked
 * prints:  block: SEGV default, blocked, BUS default, blocked, TRAP ignored, blocked
 * ends:    status 0
 * reports: enter +0 call
 * reports: step +* syscall
 * reports: step +* ret
 * reports: leave return 0
 * reports: enter +0 call
 * reports: step +* syscall
 * reports: leave return 0
 * never:   limit *
 */
#include "code.h"
#include "signals.h"

int main(void)
{
    static const uint8_t insns[] = {
        0x31, 0xd2,                      /* xor edx, edx (old mask) */
        0x41, 0xba, 8,    0,    0,    0, /* mov r10d, 8 */
        0xb8, 14,   0,    0,    0,       /* mov eax, 14 (rt_sigprocmask) */
        0x0f, 0x05, 0x90, 0x90, 0xc3,    /* syscall; nop; nop; ret */
    };
    int (*set_mask)(int how, const uint64_t *mask) =
        (int (*)(int, const uint64_t *))code_new(insns, sizeof insns);
    const uint64_t all = UINT64_MAX;

    signal(SIGTRAP, SIG_IGN);
    signals_print("at first");
    set_mask(SIG_BLOCK, &all);
    signals_print("block");
    set_mask(SIG_UNBLOCK, &all);
    signals_print("unblock");
    set_mask(SIG_BLOCK, &all);
    signals_print("block");
    set_mask(SIG_BLOCK, &all);
    signals_print("block");
    return 0;
}
