/* SPDX-License-Identifier: MIT */
/*
 * step/search.h - what a reader looks for in a trace, and where it is.
 */
#ifndef JITTRACE_STEP_SEARCH_H
#define JITTRACE_STEP_SEARCH_H

#include <stdbool.h>

#include "cpu/regs.h"
#include "trace/history.h"

/*
 * What a reader looks for. All zero looks for nothing yet.
 *
 *   0x7f0000001003   an event that names the address, or a range that holds it;
 *                    with eight digits or more 0x may be left out
 *   code[3]          one that is about this byte of generated code
 *   rax, eax, al     an event that changed the register
 *   ZF               a step that changed the flag
 *   mov, add rax     a word, or the beginning of one and what follows, in an
 *                    instruction that was executed, a system call or the name
 *                    of a signal; capitals do not matter
 */
struct search {
    char *text; /* as it was typed, without blanks around it; to be freed */
    enum {
        SEARCH_TEXT,
        SEARCH_ADDRESS,
        SEARCH_OFFSET,
        SEARCH_FLAG,
        SEARCH_REGISTER,
    } kind;
    uint64_t addr; /* or the offset */
    enum reg reg;
    uint64_t flag; /* its bit in REG_FLAGS */
};

/* Makes it look for text, which is copied. */
void search_set(struct search *search, const char *text);

/* Whether event seq, which must exist, is one that is looked for. */
bool search_finds(const struct search *search, struct history *history,
                  uint64_t seq);

/* Whether the event stores what is looked for, or changes it otherwise. */
bool search_changed(const struct search *search, struct history *history,
                    uint64_t seq);

#endif
