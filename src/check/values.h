/* SPDX-License-Identifier: MIT */
/*
 * check/values.h - what the code of a call has set, and what it has not: the
 * registers, the bytes of its frame, the flags, the upper half of a dividend.
 *
 * At a call nothing is known of a register that is neither an argument nor the
 * caller's (psABI 3.2.3); what is in one that may be an argument is taken for
 * one. A value that was never set may be moved, as long as nothing is made of
 * it: compilers copy structs of which a part was never set.
 */
#ifndef JITTRACE_CHECK_VALUES_H
#define JITTRACE_CHECK_VALUES_H

#include "check/doubts.h"
#include "check/ledger.h"
#include "cpu/calling.h"
#include "cpu/trait.h"

/* Where the value of a register is from. */
enum origin_kind {
    VALUE_SET,     /* the code */
    VALUE_LOST,    /* a function or the kernel, that may change it and did */
    VALUE_ENTRY,   /* it is as the caller left it, maybe an argument, or */
    VALUE_UNSET,   /* as the caller left it, and it is none */
    VALUE_SLOT,    /* a place of the stack that nothing has stored to */
    VALUE_PART,    /* only its low bits were set */
    VALUE_NOTHING, /* a function that returns nothing there */
    VALUE_STRAY,   /* VALUE_LOST, and moved elsewhere */
};

struct value {
    uint8_t kind;      /* enum origin_kind */
    uint8_t bits;      /* VALUE_PART: that were */
    uint8_t lost;      /* VALUE_STRAY: the register that was moved */
    struct place from; /* what did so: the load, the call, the move; but
                        * VALUE_SET ... */
};

/* What made the flags, as far as that says that they mean nothing. */
enum flags_kind {
    FLAGS_SET,
    FLAGS_ENTRY,   /* nothing did since the call */
    FLAGS_CLEARED, /* xor of a register with itself, behind a compare */
    FLAGS_STACK,   /* add rsp, behind a compare */
    FLAGS_LOST,    /* a function outside came back */
};

/* Bytes below the stack pointer at entry that are looked at. */
#define VALUES_STACK 4096u

struct values {
    struct value regs[REG_GENERAL];
    uint64_t stored[VALUES_STACK / 64]; /* a bit for each of them */
    uint8_t flags;                      /* enum flags_kind */
    struct place flags_by;
    struct place compare; /* the latest, if nothing has read its flags */
    bool computes;        /* some register but rsp was set */
    uint8_t high;         /* of a dividend: enum dividend_kind */
    struct place high_by;
};

struct call;
struct calls;

/* A call begins. free: other generated code makes it, or assembly, which may
 * pass what it wants where it wants. */
void values_begin(struct values *values, bool free);

/* Looks at an event that neither calls nor the view have taken. */
void values_look(struct calls *calls, struct ledger *ledger,
                 const struct event *event);

/* What it has set is not known any more. */
void values_forget(struct call *call);

/* The call returns; what the caller does with that is in the leave event. */
void values_returned(const struct call *call, struct ledger *ledger,
                     const struct event *leave, const struct place *ret);

/* Whether a byte of [addr, addr + size), all in the frame of the call, was
 * stored since it began; true where that is not known. */
bool values_stored(const struct call *call, uint64_t addr, uint64_t size);

#endif
