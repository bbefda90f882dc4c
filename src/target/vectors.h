/* SPDX-License-Identifier: MIT */
/*
 * target/vectors.h - the registers of cpu/vregs.h of a stopped tracee.
 *
 * The kernel gives them in the standard form of XSAVE (NT_X86_XSTATE in
 * ptrace(2); Intel SDM vol. 1, 13.4):
 *
 *     0     the area of FXSAVE: x87, MXCSR, xmm0 to xmm15
 *     464   which components the kernel keeps (XCR0), in what FXSAVE leaves
 *           to software
 *     512   the header: which of them are not as initialized (XSTATE_BV)
 *     ...   the components, each where leaf 0xD of CPUID says
 */
#ifndef JITTRACE_TARGET_VECTORS_H
#define JITTRACE_TARGET_VECTORS_H

#include "cpu/vregs.h"
#include "target/tracee.h"

/* The components that have registers of ours, by their bit in XCR0. */
enum vectors_part {
    VECTORS_HIGH_16_31 = 2, /* bytes 16 to 31 of the vectors 0 to 15 */
    VECTORS_MASKS = 5,
    VECTORS_HIGH_32_63 = 6, /* bytes 32 to 63 of these */
    VECTORS_OTHERS = 7,     /* the vectors 16 to 31 */
    VECTORS_PARTS,
};

/* Where they are in the area: offset and size in bytes, 0 where the CPU has no
 * such component. */
struct vectors_layout {
    struct {
        uint32_t offset, size;
    } part[VECTORS_PARTS];
};

/* That of this CPU. */
void vectors_layout_here(struct vectors_layout *out);

/* Bytes of the area up to the last part. */
size_t vectors_area(const struct vectors_layout *layout);

/* Takes the registers out of the first len bytes of an area. What these have
 * not, or the kernel does not keep, is 0, as is what is as initialized. Returns
 * false if there is not even the part of FXSAVE. */
bool vectors_parse(const struct vectors_layout *layout, const uint8_t *area,
                   size_t len, struct vregs *out);

/* Reads those of a tracee on a CPU of that layout. *all: with all components that the CPU has; else it
 * is what FXSAVE has (PTRACE_GETFPREGS). Returns 0, or -1 with errno. */
int tracee_vregs(const struct tracee *tracee,
                 const struct vectors_layout *layout, struct vregs *out,
                 bool *all);

#endif
