/* SPDX-License-Identifier: MIT */
/*
 * tell/insn_text.h - an instruction in words, its parts in the roles of the
 * bits that they come from.
 */
#ifndef JITTRACE_TELL_INSN_TEXT_H
#define JITTRACE_TELL_INSN_TEXT_H

#include "cpu/insn.h"
#include "tell/pen.h"

/*
 * Writes the text of insn, as far as the line has room: each register in the
 * role of the bits that name it, a number in that of its field, all else in
 * `role`.
 */
void insn_write_text(struct pen *pen, enum role role, const struct insn *insn);

/* The bits of insn that name a register, or a part of it, in its operands;
 * SLOT_NONE: none do. */
enum insn_slot insn_slot_of(const struct insn *insn, enum reg reg);

#endif
