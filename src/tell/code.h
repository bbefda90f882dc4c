/* SPDX-License-Identifier: MIT */
/*
 * tell/code.h - bytes of code for a reader: a dump of them, the instructions
 * in them, and an instruction taken apart.
 */
#ifndef JITTRACE_TELL_CODE_H
#define JITTRACE_TELL_CODE_H

#include "cpu/insn.h"
#include "tell/pen.h"
#include "tell/phrase.h"
#include "trace/view.h"

/* --- Bytes, in exactly the layout of `xxd -g1` --------------------------- */

/* Appends whole lines, 16 bytes each; the first offset shown is `offset`. */
void hexdump_append(struct bytes bytes, uint64_t offset, struct buf *out);

/* Appends one line without its newline, as of `xxd -g1 -c per_row`. Returns the
 * column of its first byte; each byte takes three columns, the text begins one
 * behind the last. */
unsigned hexdump_row(struct bytes row, uint64_t offset, unsigned per_row,
                     struct buf *out);

/* --- The instructions in a stretch of written bytes ---------------------- */

/*
 * A linear sweep takes what follows an instruction for the next one. Data
 * between instructions misleads it; it says where bytes are no instruction and
 * goes on behind the first of them. Bytes that were never written are skipped.
 */
struct sweep {
    const struct view *view;
    uint64_t at;
    uint64_t end;
    struct insn insn;    /* after SWEEP_INSN */
    uint64_t bad;        /* after SWEEP_BAD: where the bytes are */
    uint64_t bad_length; /* and how many */
};

enum sweep_found {
    SWEEP_END,
    SWEEP_INSN,
    SWEEP_BAD,
};

/* A sweep over the instructions that begin before end. It starts at first or,
 * so as to meet whole instructions, earlier: where the written bytes before
 * first begin, but at most 8 KiB before it. That bounds the cost of a program
 * that changes a byte a thousand times. After a start in the middle of an
 * instruction a sweep is in step again soon, though not always. */
void sweep_init(struct sweep *sweep, const struct view *view, uint64_t first,
                uint64_t end);

/* Finds the next instruction, or the next bytes that are none. */
enum sweep_found sweep_next(struct sweep *sweep);

/* --- An instruction taken apart ------------------------------------------ */

/*
 * Writes the bytes of insn, which begins at offset in its code, with the name
 * and the bits of each field beneath the bytes that it consists of, then the
 * instruction in words. Fields too wide to stand side by side get a line each.
 */
void fields_write(struct pen *pen, const struct insn *insn, uint64_t offset);

/* A byte that was not written. */
#define FIELDS_UNWRITTEN "··"

/* The same without the offset and the words, from column 0, for an instruction
 * that is still being written: bit i of unwritten says that byte i was not. Its
 * bytes show as `··`, its bits not at all. A number of which some bytes were
 * written has the value that they and zeros make. Of a field that says nothing
 * yet only the bytes are shown, and nothing of what is behind it, unless it is
 * a number: which fields there are is not known then. The field number `chosen`,
 * from 1 on, is the current one, if not 0. Returns whether the fields stand side
 * by side; if not, the first line, with all bytes, is followed by a line or more
 * for each field with its bytes. */
bool fields_write_named(struct pen *pen, const struct insn *insn,
                        unsigned unwritten, unsigned chosen);

/* How many fields that shows. */
unsigned fields_shown(const struct insn *insn, unsigned unwritten);

/* Appends what one of them, from 1 on, says here: "REX, 48 = 0100, W=1, R=0,
 * X=0, B=0.". Returns the length of its name, in front. */
size_t fields_explain(const struct insn *insn, unsigned unwritten,
                      unsigned chosen, struct buf *out);

/* The names in what fields_write writes that a reader may not know, a bit for
 * each. */
unsigned fields_names(const struct insn *insn);

/* Explains names; once is enough for a trace. Nothing if there are none. */
void fields_write_legend(struct pen *pen, unsigned names);

/* "imm32", "opcode" */
const char *fields_name(struct phrases *phrases,
                        const struct insn_field *field);

/* The value of an immediate or displacement, its bits in hex, as wide as the
 * field, and what number they are: "0xfffffffc = -4"; and where it leads, if it
 * is relative: ", from the end of the instruction to 0x100a". */
const char *fields_meaning(struct phrases *phrases, const struct insn *insn,
                           const struct insn_field *field);

/* The field that a byte of the instruction is in. */
const struct insn_field *fields_at(const struct insn *insn, unsigned byte);

/* Whether a field is an immediate or a displacement. */
bool field_is_number(const struct insn_field *field);

/* The bits that the field's bytes hold, as a number. */
uint64_t fields_bits(const struct insn_field *field);

#endif
