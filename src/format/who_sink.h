/* SPDX-License-Identifier: MIT */
/*
 * format/who_sink.h - a whole trace as the answer to one question.
 */
#ifndef JITTRACE_FORMAT_WHO_SINK_H
#define JITTRACE_FORMAT_WHO_SINK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "trace/sink.h"

/*
 * A sink that keeps the events and, when it is finished, writes to out (which
 * stays the caller's) the history of each byte that number stands for
 * (trace/where.h). If it is the number of none, that fails with ERR_DATA.
 */
struct sink *who_sink_new(FILE *out, bool color, uint64_t number);

#endif
