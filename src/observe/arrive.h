/* SPDX-License-Identifier: MIT */
/*
 * observe/arrive.h - how control arrived in generated code: by a call, a jump,
 * a return or a signal.
 *
 * The fault at the guard does not say so; the instruction that led there lies
 * in code that is not stepped. What it has left behind does:
 *
 *   return  the place was announced by a leave; or its address is still where
 *           a return takes it from, and behind a call
 *   call    it is to return behind a call that leads here
 *   signal  it is to return to the code that ends a signal handler
 *   jump    none of these. There may be a return address all the same: of a
 *           call to something else, which then jumped here
 *
 * Control that leaves one region for another needs no guess.
 */
#ifndef JITTRACE_OBSERVE_ARRIVE_H
#define JITTRACE_OBSERVE_ARRIVE_H

#include "observe/thread.h"

/* "call", "jump", "return" or "signal". Sets thread->back. */
const char *arrive_how(struct thread *thread, const struct regs *regs);

/* Whether a call instruction ends at addr. */
bool arrive_follows_call(pid_t pid, uint64_t addr);

/* Notes that control will come back there, to a function that returns to
 * thread->back; the oldest is forgotten when there are too many. Whether that
 * return was awaited; if so it is so no longer, and neither are those that were
 * to come before. *back is where that function returns to. */
void arrive_await(struct thread *thread, struct place at);
bool arrive_awaited(struct thread *thread, struct place at, struct place *back);

#endif
