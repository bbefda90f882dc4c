/* SPDX-License-Identifier: MIT */
/*
 * tell/insn_text.h - an instruction in words, its parts in the roles of the
 * bits that they come from, and its jumps told by where they lead in the code.
 */
#ifndef JITTRACE_TELL_INSN_TEXT_H
#define JITTRACE_TELL_INSN_TEXT_H

#include "tell/pen.h"
#include "trace/view.h"

/*
 * Where insn jumps or calls to, if its bytes say so and that is in the mapping
 * that it is in: *offset, counted from where that begins. Else returns false.
 */
bool insn_leads(const struct view *view, const struct insn *insn,
                uint64_t *offset);

/*
 * Appends the text of insn; where it jumps or calls inside of its mapping, the
 * offset stands for the address: "jz +20".
 */
void insn_text(const struct view *view, const struct insn *insn,
               struct buf *out);

/*
 * Writes that, as far as the line has room: each register in the role of the
 * bits that name it, a number in that of its field, all else in `role`.
 */
void insn_write_text(struct pen *pen, enum role role, const struct view *view,
                     const struct insn *insn);

/* The bits of insn that name a register, or a part of it, in its operands;
 * SLOT_NONE: none do. */
enum insn_slot insn_slot_of(const struct insn *insn, enum reg reg);

#endif
