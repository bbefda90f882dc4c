/* SPDX-License-Identifier: MIT */
/*
 * tell/tell.h - what an event says, in each form that is wanted, and who wrote
 * a byte. Whoever shows events asks here; nobody else words a kind of them.
 *
 * A kind is told in one place (tell_map.c, tell_write.c, tell_call.c,
 * tell_name.c, tell_end.c), by a `const struct tell_kind kind_NAME` that has all
 * its forms (tell_parts.h). The table of them is made from trace/event.def: a
 * kind that has none does not link.
 *
 * Every number is from the event or from the view around it, and what a field
 * does not tell is left out. Nothing but a paragraph (tell/paragraph.h) depends
 * on what was told before: any event may be the first that a reader looks at.
 */
#ifndef JITTRACE_TELL_TELL_H
#define JITTRACE_TELL_TELL_H

#include "tell/explain.h"
#include "trace/history.h"
#include "trace/origin.h"

enum tell_form {
    /* A few words, at most about 60 columns: "code[3] = 0xfc", "mov rax, -4",
     * "mprotect rw- -> r-x", "call 1 to code[0]". */
    TELL_TITLE,

    /* One or two whole sentences with its values, at most about 220 columns. */
    TELL_SENTENCE,

    /* What comes after it, at most about 110 columns: inside generated code the
     * instruction that the program counter is at; else the next event if the
     * history has it; else that the program has to run on, or ended. It never
     * claims what was not observed: that instruction is "next", not done. */
    TELL_NEXT,
};

/* Appends event seq of the history in that form, in UTF-8, without a newline
 * and fit to be shown. decimal: register values in decimal, not in hex. */
void tell_event(struct history *history, uint64_t seq, enum tell_form form,
                bool decimal, struct buf *out);

/* The text of the event that a search for words looks in, or NULL. */
const char *tell_searched(const struct event *event);

/* Appends what a byte of an instruction is for: "the lowest byte of the imm32
 * of mov, 0xfffffffc = -4". */
void tell_purpose(const struct insn *insn, unsigned byte, struct buf *out);

/* A history to look back in, valid as long as no event is added. */
struct past history_past(struct history *history, bool can_go);

/* Explains a death, or a loop that stepping ended in, if event seq is a part of
 * one (tell/explain.h). Returns false if it is none. */
bool tell_explain(struct history *history, uint64_t seq,
                  struct explanation *out);

/* Writes the history of a byte up to event number seq of the store: what it is
 * then, in which instruction, and each change. base is where its mapping began,
 * view the state after that event, or after an earlier one in which the byte
 * was still mapped. Stores are named by what the emissions know. */
void who_write(struct pen *pen, const struct store *store,
               struct emissions *emissions, const struct origins *origins,
               uint64_t seq, uint64_t base, const struct view *view);

/*
 * Appends the same in one line: what the byte is after event number seq, and
 * the last change of it: "code[3] fc  event 5: 00 -> fc  babyjit.c:77  ...".
 */
void who_line(struct emissions *emissions, const struct origins *origins,
              uint64_t seq, uint64_t base, struct buf *out);

#endif
