/* SPDX-License-Identifier: MIT */
/*
 * format/json.h - the trace as JSON Lines: one event, one object, one line.
 *
 * The format is described in docs/trace-format.md and docs/trace.schema.json;
 * field names and types come from trace/event.def. Numbers wider than 53 bits
 * are strings "0x...", bytes are lower-case hex. A text that is not valid
 * UTF-8 has its bad bytes replaced by U+FFFD. Jansson lives in this room only.
 */
#ifndef JITTRACE_FORMAT_JSON_H
#define JITTRACE_FORMAT_JSON_H

#include <stdio.h>

#include "base/buf.h"
#include "trace/sink.h"
#include "trace/source.h"

/*
 * Appends the event as one line with its newline. Its numbers (not addresses)
 * must fit 53 bits with a sign.
 */
void json_write(const struct event *event, struct buf *out);

/*
 * A sink that writes one line an event to out, which stays the caller's. Each
 * line is handed to the system whole.
 */
struct sink *json_sink_new(FILE *out);

/*
 * A source that reads such lines from in (which stays the caller's) and calls
 * it name in messages. Unknown keys and kinds are skipped; the events that
 * remain are numbered 0, 1, 2 ... again. After the exit event, lines that are
 * no events of ours may follow and are skipped. A first line that is no start
 * event, a newer format, a damaged line, a sequence number out of order and a
 * missing exit event are errors (ERR_DATA) that name the line; a failing read
 * is ERR_NO_INPUT.
 */
struct source *json_source_new(FILE *in, const char *name);

/*
 * Says of the line that this source has read last what is wrong: fills err with
 * "NAME:LINE: message" (ERR_DATA) and returns -1.
 */
int json_source_fail(struct source *source, struct err *err, const char *format,
                     ...) __attribute__((format(printf, 3, 4)));

/* The version of Jansson that this was compiled with. */
const char *json_library(void);

#endif
