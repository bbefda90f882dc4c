/* SPDX-License-Identifier: MIT */
/*
 * Signals that no instruction raised, and faults that no other file knows.
 */
#include "tell/explain_parts.h"

#include <signal.h>

#include "cpu/effect.h"

/* What the program did last in generated code, as far as it was seen. */
static void note_last(const struct crash *crash, enum explain_line line)
{
    const struct way *way = &crash->way;

    if (way->kind == WAY_UNSEEN)
        note(crash, line, "No generated code was running.");
    else if (way->kind == WAY_AWAY && (way->how == 'c' || way->how == 'j') &&
             way->step.known) {
        note(crash, line, "Generated code was waiting for what it called: ");
        note_seen(crash, line, &way->step);
        note(crash, line, ".");
    } else if (way->step.known) {
        note(crash, line, "The last instruction of generated code was ");
        note_seen(crash, line, &way->step);
        note(crash, line, ".");
    } else {
        note(crash, line, "Generated code had been entered (event %llu).",
             (unsigned long long)way->seq);
    }
}

static void explain_abort(struct crash *crash)
{
    note(crash, EXPLAIN_WHAT,
         "The program ended itself: abort(), or an assertion that failed");
    note_signal(crash);
    note_last(crash, EXPLAIN_WHERE);
    note(crash, EXPLAIN_WHY,
         "It sent itself this signal; no instruction failed. The C library "
         "does so for assert(), a broken heap, or a smashed stack.");
    note(crash, EXPLAIN_NEXT,
         "What it printed to standard error just before says which. A store "
         "of generated code may have broken the heap: see in --step what its "
         "last steps wrote.");
}

bool explain_sent(struct crash *crash)
{
    int number = (int)crash->signal->number;

    if (explain_is_fault(crash->signal))
        return false;
    if (number == SIGABRT) {
        explain_abort(crash);
        return true;
    }
    note(crash, EXPLAIN_WHAT,
         "The program was ended by a signal that it did "
         "not handle");
    note_signal(crash);
    if (explain_rounds(crash, " It was last seen in a loop"))
        return true;
    note_last(crash, EXPLAIN_WHERE);
    if (number == SIGPIPE)
        note(crash, EXPLAIN_WHY,
             "It wrote to a pipe that nobody reads any "
             "more.");
    else if (number == SIGSYS)
        note(crash, EXPLAIN_WHY,
             "It made a system call that a seccomp filter "
             "forbids.");
    else if (number == SIGALRM || number == SIGXCPU || number == SIGVTALRM)
        note(crash, EXPLAIN_WHY, "A timer or a time limit ran out.");
    else
        note(crash, EXPLAIN_WHY,
             "It was sent, by this program or another one or from a terminal; "
             "no instruction failed.");
    note(crash, EXPLAIN_NEXT,
         "See who sends it; the last events before it "
         "are what the program was doing.");
    return true;
}

void explain_other(struct crash *crash)
{
    struct buf words = {0};

    explain_fault(crash->view, crash->signal, &words);
    note(crash, EXPLAIN_WHAT, "The program was ended by a fault");
    note_signal(crash);
    note_place(crash);
    note(crash, EXPLAIN_WHERE, ".");
    note(crash, EXPLAIN_WHY, "This is what the system says: %s.",
         words.len ? buf_text(&words) : "nothing more");
    note_command(crash, EXPLAIN_NEXT, crash->event->seq);
    note(crash, EXPLAIN_NEXT, " the registers and the code at that moment.");
    buf_release(&words);
}
