/* SPDX-License-Identifier: MIT */
/*
 * observe/choice.h - what of a run was asked for.
 *
 * All zero asks for everything. Else calls of generated code are shown that
 * lead to one of the places of `only` (if there are any), and of these the ones
 * with the numbers first to last, counted from 1. What else runs is not told,
 * and costs no budget. Which call a thread is in is known to asked.h.
 *
 *   WHERE            what
 *   fib, JS:*hot*    a function's name, a glob (fnmatch(3)): as the program
 *                    names its code, or as the function is called that called
 *                    generated code
 *   +16..0x1f        offsets in a mapping, the last one included
 *   code2+16..31     in the second one that could be executed
 *   0x7f..0..0x7f..f addresses
 */
#ifndef JITTRACE_OBSERVE_CHOICE_H
#define JITTRACE_OBSERVE_CHOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "observe/whatif.h"

struct choice_place {
    enum { PLACE_NAME, PLACE_OFFSETS, PLACE_ADDRESSES } kind;
    const char *text;  /* as it was given; a name is all of it */
    uint64_t code;     /* which mapping, from 1; 0: any */
    uint64_t from, to; /* the last one included */
};

struct choice_places {
    struct choice_place list[16];
    size_t count;
};

struct choice {
    struct choice_places only;
    struct choice_places except; /* code that is not shown all the same */
    uint64_t first, last;        /* calls; 0: from the first, to the last one */
    uint64_t depth;              /* of calls within a call; 0: any */
    bool follow_forks;           /* children are watched, too */
    struct whatifs whatifs;      /* what is done otherwise */
    const char *after_output; /* once the program has printed that; or NULL */
};

/* Takes in a WHERE, or N..M (or N) as numbers of calls; borrows the text.
 * Returns 0, or -1 with err filled (ERR_USAGE). */
int choice_add_place(struct choice_places *places, const char *text,
                     struct err *err);
int choice_set_calls(struct choice *choice, const char *text, struct err *err);

/* Whether it leaves anything out. Appends it as options, "--only=fib". */
bool choice_is_some(const struct choice *choice);
void choice_describe(const struct choice *choice, struct buf *out);

/* Whether one of the places is one of names, and has that one. symbol may be
 * NULL, and is taken without the offset and the file of "libc.so.6:qsort+0x3f"
 * as well. */
bool choice_has_names(const struct choice_places *places);
bool choice_names(const struct choice_places *places, const char *symbol);

/* Whether one of the places, but for names, has a byte of [addr, addr + length)
 * in a mapping that begins at start and is number code. */
bool choice_covers(const struct choice_places *places, uint64_t addr,
                   uint64_t length, uint64_t start, uint64_t code);

#endif
