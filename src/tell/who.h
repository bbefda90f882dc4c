/* SPDX-License-Identifier: MIT */
/*
 * tell/who.h - who wrote a byte, for a reader.
 */
#ifndef JITTRACE_TELL_WHO_H
#define JITTRACE_TELL_WHO_H

#include "tell/pen.h"
#include "trace/origin.h"
#include "trace/view.h"

/*
 * Writes the history of a byte up to event number seq of the store: what it is
 * then, in which instruction, and each change. base is where its mapping began,
 * view the state after that event, or after an earlier one in which the byte
 * was still mapped.
 */
void who_write(struct pen *pen, const struct store *store,
               const struct origins *origins, uint64_t seq, uint64_t base,
               const struct view *view);

/*
 * Appends the same in one line: what the byte is after event number seq, and
 * the last change of it: "code[3] fc  event 5: 00 -> fc  babyjit.c:77  ...".
 */
void who_line(const struct origins *origins, uint64_t seq, uint64_t base,
              struct buf *out);

#endif
