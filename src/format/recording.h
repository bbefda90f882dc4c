/* SPDX-License-Identifier: MIT */
/*
 * format/recording.h - a recording that does not contradict itself.
 *
 * json.h reads what stands in a line; this looks at what the lines say
 * together. A recording may leave out what the schema lets it leave out. It
 * must not say two things that cannot both be true, for then whatever is shown
 * of it is wrong.
 */
#ifndef JITTRACE_FORMAT_RECORDING_H
#define JITTRACE_FORMAT_RECORDING_H

#include <stdio.h>

#include "trace/source.h"

/*
 * A source as json_source_new makes it, with the same errors, and one more
 * (ERR_DATA, with the line): the event is not possible, or not after those
 * before it. in stays the caller's; name is what messages call it.
 *
 * What is certain of a line that was read without error: ranges do not wrap
 * around and lie where a program can have memory; maps, protections and what
 * goes away are of whole pages; writes, entries and steps lie in mappings;
 * signals and statuses are those that Linux has.
 */
struct source *recording_new(FILE *in, const char *name);

#endif
