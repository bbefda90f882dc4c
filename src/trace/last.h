/* SPDX-License-Identifier: MIT */
/*
 * trace/last.h - the end of a trace alone, for the crash that comes late.
 *
 * Of what runs (enters, steps, leaves) and happens (output, signals, calls that
 * failed) the last events are kept; of what holds at that moment (mappings,
 * bytes, protections, names, limits) all, for without that no later event can
 * be understood, and budgets keep it small. When the program has ended, all are
 * told, numbered anew. In front of the ring stands a limit event "last", which
 * says how many were left out, and that the trace has a gap there: one in front
 * of what each process has in the ring, where children are followed.
 *
 * A thread that is in the middle of generated code there gets an enter in front
 * of its first step, with the registers that the steps before have led to, and
 * with no `how`: that was left out.
 *
 *   start map write ... | limit "last" | the last `count` of the others | exit
 *       as they came                      with what holds, in between
 */
#ifndef JITTRACE_TRACE_LAST_H
#define JITTRACE_TRACE_LAST_H

#include "trace/source.h"

/* Takes over the source; `count` is 1 or more. Nothing can be read of it before
 * the source has ended. */
struct source *last_source_new(struct source *from, uint64_t count);

#endif
