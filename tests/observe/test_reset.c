/* SPDX-License-Identifier: MIT */
/*
 * What a forced signal undoes, against a model of the kernel: it forces the
 * signal upon a thread, and what is found missing must be what it took away.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>
#include <stdio.h>

#include "observe/signals.h"

TestSuite(reset, .timeout = 20);

static uint64_t bit(int signal)
{
    return UINT64_C(1) << (signal - 1);
}

/* force_sig_info_to_task, as far as it concerns us. */
static void force(int signal, enum disposition *action, uint64_t *mask)
{
    if (*action == DISPOSITION_IGNORED || (*mask & bit(signal)))
        *action = DISPOSITION_DEFAULT;
    *mask &= ~bit(signal);
}

static const int forced[] = {SIGSEGV, SIGBUS, SIGTRAP};

/* Forces it and puts back what is found; says whether all is as it was. */
static void check(int signal, enum disposition set, uint64_t mask, bool alone)
{
    enum disposition now = set;
    uint64_t after = mask;
    struct reset reset;

    force(signal, &now, &after);
    reset = reset_find(set, now, signal, after, alone);
    if (reset.action)
        now = set;
    if (reset.mask)
        after |= bit(signal);
    cr_assert(eq(int, (int)now, (int)set), "signal %d, mask %llx", signal,
              (unsigned long long)mask);
    cr_assert(eq(u64, after, mask), "signal %d, set %d", signal, (int)set);
}

/* Whatever is blocked: a handler goes only where the signal was. */
Test(reset, with_a_handler_everything_is_found)
{
    for (size_t i = 0; i < sizeof forced / sizeof *forced; i++)
        for (uint64_t mask = 0; mask < 1 << 11; mask++)
            check(forced[i], DISPOSITION_HANDLED, mask, true);
}

static const uint64_t usual_masks[] = {
    0, UINT64_MAX, /* sigfillset */
    0x0000000000010002,
    UINT64_MAX & ~(UINT64_C(1) << (SIGSEGV - 1) | UINT64_C(1) << (SIGBUS - 1) |
                   UINT64_C(1) << (SIGTRAP - 1) | UINT64_C(1) << (SIGILL - 1) |
                   UINT64_C(1) << (SIGFPE - 1)), /* all but faults */
};

Test(reset, without_a_handler_masks_are_judged_by_their_company)
{
    for (size_t i = 0; i < sizeof forced / sizeof *forced; i++)
        for (size_t m = 0; m < sizeof usual_masks / sizeof *usual_masks; m++) {
            check(forced[i], DISPOSITION_DEFAULT, usual_masks[m], true);
            check(forced[i], DISPOSITION_IGNORED, usual_masks[m], false);
            check(forced[i], DISPOSITION_HANDLED, usual_masks[m], false);
        }
}

/* The handler went because of a fault of another thread. */
Test(reset, what_another_thread_has_lost_is_not_blocked_here)
{
    struct reset reset =
        reset_find(DISPOSITION_HANDLED, DISPOSITION_DEFAULT, SIGSEGV, 0, false);

    cr_assert(eq(int, reset.action, 1));
    cr_assert(eq(int, reset.mask, 0));
}

/* It was put back for another thread, which had lost it, too. */
Test(reset, a_mask_is_judged_where_the_handler_is_there_again)
{
    struct reset reset = reset_find(DISPOSITION_HANDLED, DISPOSITION_HANDLED,
                                    SIGSEGV, UINT64_MAX & ~bit(SIGSEGV), false);

    cr_assert(eq(int, reset.action, 0));
    cr_assert(eq(int, reset.mask, 1));
}

/* By int 0x80, say, of which nobody knows. */
Test(reset, what_was_not_seen_being_set_is_left_alone)
{
    struct reset reset =
        reset_find(DISPOSITION_DEFAULT, DISPOSITION_HANDLED, SIGSEGV, 0, true);

    cr_assert(eq(int, reset.action, 0));
    cr_assert(eq(int, reset.mask, 0));
    reset = reset_find(DISPOSITION_HANDLED, DISPOSITION_IGNORED, SIGSEGV,
                       UINT64_MAX & ~bit(SIGSEGV), true);
    cr_assert(eq(int, reset.action, 0));
    cr_assert(eq(int, reset.mask, 0));
}
