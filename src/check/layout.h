/* SPDX-License-Identifier: MIT */
/*
 * check/layout.h - where instructions begin in the code, as far as they ran.
 *
 * Each byte of an instruction that ran has a spot, until a byte of that
 * instruction is stored again, even if it stays the same: what was stored anew
 * may be meant anew.
 *
 *     address   0x10  0x11  0x12  0x13  0x14
 *     byte       48    89    f8    c3    ..
 *     back        0     1     2     0
 *     length      3     3     3     1
 */
#ifndef JITTRACE_CHECK_LAYOUT_H
#define JITTRACE_CHECK_LAYOUT_H

#include "cpu/insn.h"
#include "trace/ranges.h"
#include "trace/view.h"

/* How control came to an instruction when it ran first. */
enum arrival {
    ARRIVAL_UNKNOWN, /* what ran before was not seen */
    ARRIVAL_FELL,    /* from the instruction before it */
    ARRIVAL_JUMPED,  /* by a jump, branch, call or return of generated code */
    ARRIVAL_ENTERED, /* from outside, by a call or jump */
};

/* A byte of an instruction that ran. */
struct spot {
    uint64_t ran;    /* 1 + the number of the latest event in which it did; 0:
                    * none did since it was stored */
    uint64_t from;   /* ARRIVAL_JUMPED: the instruction that led there */
    uint64_t stored; /* 1 + the number of the event that stored the byte last,
                      * since anything of its page ran; or 0 */
    int tid;         /* the thread that ran it last */
    uint8_t back;    /* so many bytes behind the first one */
    uint8_t length;
    uint8_t arrival;  /* enum arrival */
    bool entered;     /* control came there from outside */
    bool was_entered; /* the same, before what is there now was stored */
};

/* All zero is a valid empty one. */
struct layout {
    struct ranges blocks; /* of addresses: that of a block has its spots */
};

void layout_release(struct layout *layout);

/* The spot of a byte that ran, or that was entered; or NULL. */
const struct spot *layout_at(const struct layout *layout, uint64_t addr);

/* The first spot of the instruction that addr is in, if that ran; or NULL. */
const struct spot *layout_first(const struct layout *layout, uint64_t addr);

/* Gives the length bytes at addr the spot, but for `back`, which is theirs. */
void layout_put(struct layout *layout, uint64_t addr, const struct spot *spot);

/* It ran again. */
void layout_again(struct layout *layout, uint64_t addr, uint64_t seq, int tid);

/* Control came to addr from outside. */
void layout_entered(struct layout *layout, uint64_t addr);

/* These bytes were stored, by event number seq: no instruction that has one of
 * them ran. */
void layout_stored(struct layout *layout, uint64_t addr, uint64_t length,
                   uint64_t seq);

/* What was there is gone, but for where control came to it from outside: other
 * code may come to the same place. */
void layout_forget(struct layout *layout, uint64_t addr, uint64_t length);

/* Finds what instruction addr is in the middle of: the nearest one below that
 * ran (in the same page, not further than LAYOUT_REACH bytes) and those that
 * follow it in memory are gone through, as long as the CPU would. Returns 1 and
 * fills *out; 0 if addr is where one begins; -1: not known, as code may end
 * between, or bytes were never written, or stored after that one ran. */
#define LAYOUT_REACH 512u
int layout_around(const struct layout *layout, const struct view *view,
                  uint64_t addr, struct insn *out);

#endif
