/* SPDX-License-Identifier: MIT */
/*
 * observe/observe.h - a running program as a source of events.
 *
 * The mechanism is the page guard. A guard takes one permission away from a
 * region behind the program's back and waits for the fault: the write
 * permission, to see each store; the execute permission, to see control
 * arrive. When it does, the guard is lifted and the CPU executes one
 * instruction at a time until control leaves. No byte of code is ever changed,
 * and everything else of the program runs at full speed.
 */
#ifndef JITTRACE_OBSERVE_OBSERVE_H
#define JITTRACE_OBSERVE_OBSERVE_H

#include "observe/budget.h"
#include "observe/choice.h"
#include "target/launch.h"
#include "trace/source.h"

/* Starts the program and observes it; choice, whose texts are borrowed, says
 * what of it is to be shown, or is NULL: all. Returns a source, or NULL with
 * err filled as by launch(). Freeing the source ends the program if it still
 * runs. */
struct source *observe_new(const struct launch *launch,
                           const struct observe_budget *budget,
                           const struct choice *choice, struct err *err);

/* What the source file of that name holds; text is borrowed. */
void observe_provide(struct source *source, const char *name,
                     struct bytes text);

/* Between two calls of source_next (or source_ready) the thread that made the
 * last event is stopped where that event happened. This stops the others too,
 * as far as they run: a thread that sleeps in a system call goes on sleeping,
 * for some calls could not be taken up again unnoticed. */
void observe_pause(struct source *source);

/* Where the thread that made the event that source_next returned last goes on,
 * outside of generated code: the line of source of its next instruction. False
 * if that is not known, as where a signal is due, whose handler may come first,
 * or other events are there already. The texts of *out live until the next
 * event is asked for. */
bool observe_next_line(struct source *source, struct srcline *out);

/* Ends the program and all that it has started, also what was made just now.
 * Because the reader does so, a limit event "quit" says it. The events that are
 * there and those that still come can be read, up to the exit event. Does
 * nothing to a program that has ended. */
void observe_end(struct source *source);

/* The process ID of the program, for as long as it has not ended. */
pid_t observe_pid(const struct source *source);

#endif
