/* SPDX-License-Identifier: MIT */
/*
 * trace/listing.h - the lines of the program's source that events have brought.
 *
 * An event names the line that it comes from; some bring a few lines around it
 * as they are in the file (an excerpt), most only that line without its
 * indentation, which is better than nothing. Copies are cheap, as in
 * trace/ranges.h.
 */
#ifndef JITTRACE_TRACE_LISTING_H
#define JITTRACE_TRACE_LISTING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "trace/event.h"
#include "trace/ranges.h"

/* All zero is a valid empty one. */
struct listing {
    struct ranges files; /* their names, numbered from 0 */
    struct ranges lines; /* what is known of each line of each file */
};

void listing_release(struct listing *listing);

/* Makes *to, which holds nothing that needs a release, a copy of *from. */
void listing_copy(struct listing *to, const struct listing *from);

/* Takes note of what an event brought. */
void listing_learn(struct listing *listing, const struct srcline *source);

/*
 * Finds a line (from 1) of a file, named as in the events. text is without its
 * newline, valid as long as the listing. Returns false if nothing brought it.
 */
bool listing_line(const struct listing *listing, const char *file, int line,
                  struct bytes *text);

/* What it takes, in bytes; of what copies share, each its part. */
size_t listing_memory(const struct listing *listing);

#endif
