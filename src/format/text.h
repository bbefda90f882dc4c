/* SPDX-License-Identifier: MIT */
/*
 * format/text.h - the trace as a text to read, stage by stage.
 */
#ifndef JITTRACE_FORMAT_TEXT_H
#define JITTRACE_FORMAT_TEXT_H

#include <stdbool.h>
#include <stdio.h>

#include "trace/sink.h"

/*
 * A sink that writes to out (which stays the caller's), at most 80 columns
 * wide where the material allows, with colours if asked. It knows the trace
 * only, never the process.
 */
struct sink *text_sink_new(FILE *out, bool color);

#endif
