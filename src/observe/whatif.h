/* SPDX-License-Identifier: MIT */
/*
 * observe/whatif.h - one byte of generated code made another one, on request.
 *
 *     code[2]:xor=0x01              before the first call of that code
 *     code[9]:set=0xf0:when=call2   before the second one
 *
 * This is the one exception to the rule that jittrace changes nothing: the
 * reader asks what would be, and the write event says that it was done. It is
 * written as ptrace(2) can (PTRACE_POKEDATA), whatever the protection is.
 */
#ifndef JITTRACE_OBSERVE_WHATIF_H
#define JITTRACE_OBSERVE_WHATIF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct whatif {
    const char *text; /* as it was given; NULL: nothing is asked for */
    uint64_t offset;  /* of the byte, in its mapping */
    bool is_xor;      /* else it is set to: */
    uint8_t value;
    uint64_t call; /* before which call of generated code, from 1 */
};

/* Reads it; borrows the text. Returns 0, or -1 with err filled (ERR_USAGE). */
int whatif_parse(const char *text, struct whatif *out, struct err *err);

struct thread;
struct region;

/* Control arrives in the region, in that way (how of an enter): does what is
 * asked for, if it is time. */
void whatif_enter(struct thread *thread, struct region *region,
                  const char *how);

/* The program has ended: tells of what was asked for and not done. */
void whatif_tell_missing(struct thread *thread);

#endif
