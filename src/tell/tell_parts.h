/* SPDX-License-Identifier: MIT */
/*
 * tell/tell_parts.h - the inside of tell.h and paragraph.h: tell.c asks each
 * tell_*.c for the kinds that it has.
 */
#ifndef JITTRACE_TELL_TELL_PARTS_H
#define JITTRACE_TELL_TELL_PARTS_H

#include "cpu/insn.h"
#include "tell/focus.h"
#include "tell/paragraph.h"
#include "tell/tell.h"

/* One event to be told, by itself. */
struct story {
    struct history *history;
    uint64_t seq;
    struct event *event; /* a copy, good for as long as the telling takes */
    bool decimal;        /* register values; else as value_describe has them */
    struct phrases phrases;
    struct buf *out;
};

/* Everything that a kind of event says. */
struct tell_kind {
    /* TELL_NEXT: the event as what comes next, behind "Next: ": "a store to
     * code[3]". */
    void (*words)(struct story *story, enum tell_form form);
    void (*paragraph)(struct telling *telling, const struct event *event);
    size_t searched; /* where in struct event its text is, 0: it has none */
};

#define TELL_SEARCHED(kind, field) offsetof(struct event, kind.field)

#define F(type, name)
#define EVENT(kind, name, fields) extern const struct tell_kind kind_##name;
#include "trace/event.def"

/* --- tell.c -------------------------------------------------------------- */

void say(struct story *story, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The view after the event, and before it; NULL: it is the first. Valid until
 * the next such question. */
const struct view *story_view(const struct story *story);
const struct view *story_view_before(const struct story *story);

/* "code[3]", or "0x1000" where nothing is mapped; " <fib+0x4>", perhaps with the
 * line that it was made from, " <fib+0x4> (fib.lua:3)", or ""; "one
 * page", "3 pages", "100 bytes"; the value of a register; " (jit.c:42)" of the
 * event, or "". */
const char *story_where(struct story *story, uint64_t addr);
const char *story_label(struct story *story, uint64_t addr);
const char *story_length(struct story *story, uint64_t length);
const char *story_register(struct story *story, uint64_t value);
const char *story_in_source(struct story *story);

/* --- tell_vregs.c -------------------------------------------------------- */

/* Of the vector registers that can have arguments, those that the code at addr
 * takes: " xmm0 = 2.5 is one of its arguments." Of a leave event, the one that
 * may have a result. Nothing where there is none. */
void say_vector_arguments(struct story *story, uint64_t addr);
void say_vector_result(struct story *story);

/* Notes which vectors a step has set; and what an enter or leave says. */
void telling_note_vectors(struct telling_thread *thread,
                          const struct insn *insn);
void telling_take_vregs(struct telling_thread *thread,
                        const struct vreg_changes *vregs);

/* Items: the vectors that the code at addr takes as arguments; what a function
 * outside has changed, as far as it counts; the vectors that may be arguments of such a one, or the
 * result, at a leave event, which is also taken. */
void telling_vector_arguments(struct telling *telling,
                              const struct telling_thread *thread,
                              uint64_t addr);
void telling_came_back(struct telling *telling,
                       const struct telling_thread *was,
                       const struct telling_thread *now);
void telling_left_vectors(struct telling *telling, const struct event *event);

/* --- tell_stack.c -------------------------------------------------------- */

/* Rows: words of the stack behind an event of a thread, whose stores have noted
 * it. At an enter or leave, and where a step moves the stack pointer, those
 * around it of which something is known; else those that the step addresses by
 * the stack pointer. */
void telling_stack(struct telling *telling, struct telling_thread *thread,
                   const struct event *event, const struct insn *insn);

/* --- paragraph.c --------------------------------------------------------- */

/* Whether this is the first time that a topic comes up. */
bool telling_first_time(struct telling *telling, enum topic topic);

/* Where the mapping that holds addr began; addr - offset if none is known. */
uint64_t telling_base(const struct telling *telling, uint64_t addr,
                      uint64_t offset);

/* Says which mapping `code` is, unless that was the last one named. */
void telling_name_code(struct telling *telling, uint64_t base);

/* As much of a line of maps as there is room for. Ends the line. */
void telling_maps(struct telling *telling, const char *maps);

/* The area at base, until the next one is asked for. */
struct telling_area *telling_area(struct telling *telling, uint64_t base);

/* Notes that [first, last] of a mapping changed. */
void telling_note_fresh(struct telling *telling, uint64_t base, uint64_t first,
                        uint64_t last);

/* Nothing that was known of a range holds any more. */
void telling_forget(struct telling *telling, uint64_t addr, uint64_t length);

/* Whether the bytes at addr, all of them written, are an instruction. */
bool telling_decode(const struct telling *telling, uint64_t addr,
                    struct insn *insn);

/* An instruction in columns: offset, bytes, text, which may be NULL. */
void telling_insn(struct telling *telling, uint64_t offset, struct bytes bytes,
                  const char *text);

/* Shows what is new of the code at addr. Returns false if nothing is. */
bool telling_show_code(struct telling *telling, uint64_t base, uint64_t addr,
                       struct bytes code);

/* Shows the instructions at addr, which control enters, if they are news. */
void telling_show_entered(struct telling *telling, uint64_t base,
                          uint64_t addr);

#endif
