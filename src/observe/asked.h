/* SPDX-License-Identifier: MIT */
/*
 * observe/asked.h - whether what a thread runs was asked for (choice.h), and
 * the number of the call that it is in.
 *
 * A call begins where control arrives at one of the places, from outside of
 * generated code or from other code there, and none is under way in that
 * thread. So what a call calls is a part of it, and has no number. It is over
 * when it has returned:
 *
 *        caller     | ...            |
 *        floor ---> | return address |   over: the stack pointer is above
 *                   | of the call    |
 *        deeper --> | ... a call within it, which is over at that or above
 *
 * or, where control came to a place by no call, or the place is a range, when
 * it has left the place and is not deeper.
 *
 * Numbers are right as long as each arrival is seen. They are of no use where
 * threads share code that runs at full speed, for its guard is lifted for all:
 * run->spent.uncounted says so.
 */
#ifndef JITTRACE_OBSERVE_ASKED_H
#define JITTRACE_OBSERVE_ASKED_H

#include "observe/thread.h"

enum asked_for {
    ASKED_SHOW, /* it is to be stepped, and told */
    ASKED_SEEK, /* it is to be stepped: what was asked for may come */
    ASKED_NOT,  /* it can run at full speed */
};

/* Control came into that region, as arrive_how says; or has executed an
 * instruction of that kind there, and stays in the region. */
enum asked_for asked_enter(struct thread *thread, struct region *region,
                           const struct regs *regs, const char *how);
enum asked_for asked_step(struct thread *thread, enum insn_kind kind,
                          const struct regs *before, const struct regs *after);

/* Control has left generated code in that way. */
void asked_left(struct thread *thread, const char *how,
                const struct regs *regs);

/* The program has printed that. */
void asked_output(struct thread *thread, struct bytes text);

/* Tells, at the start, that not all is shown; and at the end what was asked for
 * and not there. */
void asked_tell(struct thread *thread);
void asked_tell_missing(struct thread *thread);

/* The number of a mapping that could be executed, from 1: in the order in which
 * they were mapped, of those that there are when the first of them is asked
 * for. All parts of one have its number. */
uint64_t asked_code(struct space *space, const struct region *region);

/* The number of the call that the thread is in, if it is known. */
struct opt_u64 asked_number(const struct thread *thread);

#endif
