/* SPDX-License-Identifier: MIT */
/*
 * observe/names.h - what the program calls its code, and the lines of source
 * that it was made from: what it says in its perf map, its jitdump and its list
 * for debuggers (target/naming.h) becomes name events.
 *
 * All three are looked at when generated code is entered, when it goes away and
 * at the end, and read on from where they were. A name is told when the region
 * that it lies in comes up, so that a program of thousands of functions is not
 * stopped to list those that never run; one that lies in no code at all is told
 * at the end.
 *
 *     perf map  jitdump  list          said by the program
 *        \        |      /
 *         unsaid labels                the latest counts, the others are lost
 *              |      code is entered, or goes away
 *         said labels ──▶ name event
 */
#ifndef JITTRACE_OBSERVE_NAMES_H
#define JITTRACE_OBSERVE_NAMES_H

#include "observe/thread.h"
#include "target/proc.h"

/* Begins with the process of a space that has not run yet, or does not; it is
 * never looked at then. */
void names_begin(struct names *names, pid_t pid, bool watched);
/* Begins with a process that has a copy of another's code: what that has named
 * is known of it, too, but for what is still to be read of its lists. */
void names_copy(struct names *names, const struct names *from, pid_t pid);
void names_release(struct names *names);

/* The program has mapped a file that is no library as executable; fd is its
 * descriptor of it, or -1. If that is a jitdump, it is read from now on, and
 * this returns true: the mapping is a mark for perf, and holds no code. */
bool names_mapped(struct thread *thread, int fd, const struct maps_line *line);

/* It has mapped a library, which may have a list for debuggers. */
void names_library(struct thread *thread);

/* Tells what the program calls the code in [addr, addr + length); or all that
 * there is: it has ended. */
void names_tell(struct thread *thread, uint64_t addr, uint64_t length);
void names_tell_all(struct thread *thread);

/* Notes a store there; or that what was there is gone. */
void names_stored(struct names *names, uint64_t addr, uint64_t length);
void names_forget(struct names *names, uint64_t addr, uint64_t length);

/* Takes what is new, and tells nothing. What the program calls the code at addr,
 * as far as that was taken, or NULL; it lives until more is. Whether a name in
 * [addr, addr + length) fits the places. */
void names_read(struct thread *thread);
const char *names_label(const struct thread *thread, uint64_t addr);
bool names_fit(const struct thread *thread, uint64_t addr, uint64_t length,
               const struct choice_places *places);

/* The line that the instruction at addr was made from, as far as that was told;
 * all zero if it is not known.
 * *out lives as long as its space. */
void names_line(struct thread *thread, uint64_t addr, struct srcline *out);

#endif
