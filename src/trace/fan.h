/* SPDX-License-Identifier: MIT */
/*
 * trace/fan.h - one sink for several: each event goes to all of them.
 *
 * A sink that has failed is given no more, and the others go on; so emit never
 * fails. What failed is told by finish. That nobody reads any more (ERR_PIPE)
 * is no failure.
 */
#ifndef JITTRACE_TRACE_FAN_H
#define JITTRACE_TRACE_FAN_H

#include "trace/sink.h"

/* One that has no sinks yet; sink_free frees it and what was added. */
struct sink *fan_new(void);

/*
 * Adds a sink, which is the fan's from now on. When several have failed,
 * sink_finish tells of the one that was added last.
 */
void fan_add(struct sink *fan, struct sink *sink);

#endif
