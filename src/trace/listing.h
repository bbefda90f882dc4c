/* SPDX-License-Identifier: MIT */
/*
 * trace/listing.h - the lines of the program's source that events have brought.
 *
 * An event names the line that it comes from; some bring a few lines around it
 * as they are in the file (an excerpt), most only that line without its
 * indentation, which is better than nothing. A listing is ranges of lines.
 */
#ifndef JITTRACE_TRACE_LISTING_H
#define JITTRACE_TRACE_LISTING_H

#include <stdbool.h>

#include "base/buf.h"
#include "trace/event.h"
#include "trace/ranges.h"

/* Takes note of what an event brought. */
void listing_learn(struct ranges *listing, const struct srcline *source);

/*
 * Finds a line (from 1) of a file, named as in the events. text is without its
 * newline, valid as long as the listing; where no excerpt had the line, without
 * its indentation. Returns false if nothing brought it.
 */
bool listing_line(const struct ranges *listing, const char *file, int line,
                  struct bytes *text);

#endif
