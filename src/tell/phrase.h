/* SPDX-License-Identifier: MIT */
/*
 * tell/phrase.h - the phrases that sentences are made of, each worded once.
 *
 * A phrase is a text that lives in a `struct phrases` until these are released,
 * so that it can be an argument of whatever prints:
 *
 *     note(crash, WHY, "%s went to %s.", words_seen(crash, &jump),
 *          phrase_place(phrases, offset, 1));
 *
 * Nothing here makes text of the program fit to show: pens and tell_event do.
 */
#ifndef JITTRACE_TELL_PHRASE_H
#define JITTRACE_TELL_PHRASE_H

#include "trace/emission.h"
#include "trace/view.h"

/* All zero is a valid empty one. */
struct phrases {
    struct buf *list;
    size_t count;
    size_t capacity;
};

void phrases_release(struct phrases *phrases);

const char *phrase(struct phrases *phrases, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A text that was made elsewhere; *text is empty afterwards. */
const char *phrase_of(struct phrases *phrases, struct buf *text);

/* "0x1000" */
const char *phrase_hex(struct phrases *phrases, uint64_t value);

/* "code[3]" or "code[3..6]" */
const char *phrase_place(struct phrases *phrases, uint64_t offset,
                         uint64_t length);

/* "fib.lua:3" and "<fib+0x4>" where the program has said so of that code, else
 * "". */
const char *phrase_line(struct phrases *phrases, const struct view *view,
                        uint64_t addr);
const char *phrase_label(struct phrases *phrases, const struct view *view,
                         uint64_t addr);

/* "fc ff ff ff"; the lowest bits of a value, "11111100" */
const char *phrase_bytes(struct phrases *phrases, struct bytes bytes);
const char *phrase_bits(struct phrases *phrases, uint64_t value,
                        unsigned width);

/* A register's value as value_describe has it. */
const char *phrase_value(struct phrases *phrases, uint64_t value);

/* "rw-"; "reading and writing allowed, executing not", of none only "nothing
 * allowed" if short. */
const char *phrase_prot(unsigned prot);
const char *phrase_rights(unsigned prot);
const char *phrase_rights_short(unsigned prot);

/* A line of maps with one blank where it has many; NULL is "". */
const char *phrase_maps(struct phrases *phrases, const char *maps);

/* "jit.c:42", or "" where the place in the source is not known. */
const char *phrase_source(struct phrases *phrases,
                          const struct srcline *source);

/* "mul()", the function of a symbol in an event; "" where that is NULL. */
const char *phrase_function(struct phrases *phrases, const char *symbol);

/* Through whom the one who names a chain has stored: "mov() at jit.c:20,
 * emit() at jit.c:13"; "" for nobody. */
const char *phrase_through(struct phrases *phrases, const struct chain *chain);

/* Who stored: "jit.c:88 in mul(), through emit() at jit.c:13", "jit.c:13 in
 * emit(), called at jit.c:88 in mul(), at jit.c:7 in main()" where no helper is
 * known to be one; "" where it is not known. */
const char *phrase_chain(struct phrases *phrases, const struct chain *chain);

/* "11 SIGSEGV"; name may be NULL. */
const char *phrase_signal(struct phrases *phrases, int64_t number,
                          const char *name);

/* "ended with status 0", "killed by signal 11 SIGSEGV" */
const char *phrase_end(struct phrases *phrases, const struct event_exit *end);

/* The name of a system call in the words of strace; other if it is NULL. */
const char *phrase_call(struct phrases *phrases, const char *call,
                        const char *other);

/* What a store put where: "code[3] = 0xfc", "code[0..1] = 48 c7", "code[0..99]
 * = 100 bytes". */
const char *phrase_store(struct phrases *phrases,
                         const struct event_write *write);

#endif
