/* SPDX-License-Identifier: MIT */
/*
 * observe/whatif.h - one thing of a run made otherwise, on request.
 *
 *     code[2]:xor=0x01              a byte, before the first call of that code
 *     code2[9]:set=0xf0:when=call2  in the second mapping, before call 2
 *     reg=rdi:set=5:when=call2      a register, as that call begins
 *     skip-store=4                  the 4th store that the trace tells
 *     call=mprotect:error=EACCES    a system call is not made, and fails
 *     call=mprotect:retval=0        or returns that
 *     stage=mprotect:skip           those about code return 0 and are not made
 *
 * when is as in strace(1): N, N+, N+STEP, N..M, N..M+STEP. A byte or register
 * is changed once, a call each time, unless that says otherwise.
 *
 * This is the one exception to the rule that jittrace changes nothing: the
 * reader asks what would be, and an event says that it was done, a write whose
 * by begins with WRITTEN_INJECTED, an `injected`, or a `refused`.
 */
#ifndef JITTRACE_OBSERVE_WHATIF_H
#define JITTRACE_OBSERVE_WHATIF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "cpu/regs.h"

struct whatif {
    const char *text; /* as it was given */
    enum { WHATIF_BYTE, WHATIF_REGISTER, WHATIF_STORE, WHATIF_CALL } kind;
    uint64_t code; /* of a byte: in which mapping, from 1; 0: the called one */
    uint64_t offset; /* there */
    bool is_xor;     /* else it is set to: */
    uint64_t value;  /* also of a register; and what a call returns */
    enum reg reg;
    unsigned bits;   /* of the register, or the part that was named */
    uint64_t number; /* of the system call */
    bool of_code;    /* only where it is about memory that is watched */
    int error;       /* what it fails with; 0: it returns value */
    struct {
        uint64_t first, last, step;
    } when;
    uint64_t seen; /* so many times it could have been done */
    uint64_t done; /* and was */
};

struct whatifs {
    struct whatif list[16];
    size_t count;
};

/* Adds what the text says; borrows the text. Returns 0, or -1 with err filled
 * (ERR_USAGE). */
int whatif_add(struct whatifs *all, const char *text, struct err *err);

/* Whether this time it is to be done; counts it. */
bool whatif_is_due(struct whatif *what);

#endif
