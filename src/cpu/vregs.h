/* SPDX-License-Identifier: MIT */
/*
 * cpu/vregs.h - the registers beside the general ones: vectors, masks, those of
 * the x87, and the words that say how these compute.
 *
 * A value is its bytes, the lowest first, as they lie in memory. Of a vector
 * register there are 16 bytes of the name xmm, 32 of ymm, 64 of zmm; all three
 * are the same register (Intel SDM vol. 1, 14.1 and 15.5). st0 is the top of
 * the stack of the x87, so that a push moves all of them; mm0 to mm7 are the
 * low 8 bytes of these where the top is 0 (SDM vol. 1, 9.2).
 */
#ifndef JITTRACE_CPU_VREGS_H
#define JITTRACE_CPU_VREGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "cpu/insn.h"

#define VREGS_VECTORS 32
#define VREGS_MASKS   8
#define VREGS_X87     8

enum vreg {
    VREG_VECTOR,                             /* xmm0; the others follow */
    VREG_MASK = VREG_VECTOR + VREGS_VECTORS, /* k0 */
    VREG_X87 = VREG_MASK + VREGS_MASKS,      /* st0 */
    VREG_MXCSR = VREG_X87 + VREGS_X87,
    VREG_FCW, /* control word of the x87 */
    VREG_FSW, /* status word, the top of the stack in it */
    VREG_FTW, /* a bit for each physical register that is in use */
    VREG_COUNT,
};

/* Bytes of the largest. */
#define VREG_BYTES 64

/* One byte array behind the other, so that each has its own and no gaps. */
struct vregs {
    bool known; /* else nothing here means anything */
    uint8_t vector[VREGS_VECTORS][VREG_BYTES];
    uint8_t mask[VREGS_MASKS][8];
    uint8_t x87[VREGS_X87][10];
    uint8_t mxcsr[4];
    uint8_t fcw[2], fsw[2], ftw[1];
};

/* The value of one that changed, as many bytes before as after. Where it is not
 * about a change there are no old ones (data == NULL). All borrowed. */
struct vreg_change {
    enum vreg reg;
    struct bytes old_bytes;
    struct bytes new_bytes;
};

/* All known, and as a program finds them that starts: zero, no exception
 * unmasked (SDM vol. 1, 8.1.5 and 10.2.3; psABI 3.4.1). */
void vregs_init(struct vregs *out);

/* The bytes of one; *size is how many. */
uint8_t *vregs_at(struct vregs *vregs, enum vreg reg, size_t *size);
struct bytes vregs_value(const struct vregs *vregs, enum vreg reg);

/* The name of a register with so many bytes: "xmm3" with 16, "ymm3" with 32;
 * and what is of that name. Returns false if there is none. */
void vreg_name(enum vreg reg, size_t size, struct buf *out);
bool vreg_find(const char *name, enum vreg *reg, size_t *size);

/* Lists what differs between two, in the order of enum vreg. Of a vector as few
 * bytes (16, 32, 64) as have all that differs, but no fewer than insn, if it is
 * not NULL, names. out has room for VREG_COUNT, and borrows both. Returns how
 * many there are. */
size_t vregs_diff(const struct vregs *before, const struct vregs *after,
                  const struct insn *insn, struct vreg_change *out);

/* The value of one without what is zero above its 16th or 32nd byte. */
struct bytes vregs_trimmed(const struct vregs *vregs, enum vreg reg);

/* Lists what the events of a thread have to say where it arrives or leaves,
 * after they have said that all is as in `told`: what differs from that, the
 * first `shown` vectors where they are not zero, and MXCSR. Values only, which
 * borrow `now`; room and result as above. */
size_t vregs_news(const struct vregs *told, const struct vregs *now,
                  unsigned shown, struct vreg_change *out);

/* Sets one. What is above the bytes of the value stays, or becomes 0: whole. */
void vregs_set(struct vregs *vregs, enum vreg reg, struct bytes value,
               bool whole);

/* Writes the area that FXRSTOR loads, VREGS_SAVED bytes (Intel SDM vol. 1, table
 * 10-2): the x87, MXCSR and xmm0 to xmm15, but nothing that is above these. */
#define VREGS_SAVED 512
void vregs_save(const struct vregs *vregs, uint8_t *out);

#endif
