/* SPDX-License-Identifier: MIT */
/*
 * tell/story.h - what an event did, in one or two sentences with its values,
 * and what comes next.
 */
#ifndef JITTRACE_TELL_STORY_H
#define JITTRACE_TELL_STORY_H

#include "base/buf.h"
#include "tell/explain.h"
#include "trace/history.h"

/*
 * Appends one or two whole sentences on event seq, in UTF-8, without a newline,
 * at most about 220 columns. decimal: register values in decimal, not in hex.
 */
void story_happened(struct history *history, uint64_t seq, bool decimal,
                    struct buf *out);

/*
 * Appends what comes after event seq, at most about 110 columns: inside
 * generated code the instruction that the program counter is at; else the next
 * event if the history has it; else that the program has to run on, or ended.
 * It never claims what was not observed: the next instruction is "next", not
 * done.
 */
void story_next(struct history *history, uint64_t seq, struct buf *out);

/* Appends the event in a few words, at most about 60 columns: "code[3] = 0xfc",
 * "mov rax, -4", "mprotect rw- -> r-x", "call 1 to code[0]". */
void story_title(struct history *history, uint64_t seq, struct buf *out);

/*
 * Explains a death, or a loop that stepping ended in, if event seq is a part of
 * one (tell/explain.h). Returns false if it is none.
 */
bool story_explain(struct history *history, uint64_t seq,
                   struct explanation *out);

#endif
