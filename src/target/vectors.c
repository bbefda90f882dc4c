/* SPDX-License-Identifier: MIT */
#include "target/vectors.h"

#include <cpuid.h>
#include <elf.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#include "target/machine.h"

/* The part of FXSAVE (Intel SDM vol. 1, table 10-2). */
#define AT_CONTROL  0u
#define AT_STATUS   2u
#define AT_TAGS     4u
#define AT_MXCSR    24u
#define AT_X87      32u  /* 16 bytes each, of which 10 count */
#define AT_VECTORS  160u /* 16 bytes each */
#define AT_KEPT     464u /* USER_XSTATE_XCR0_WORD, in the kernel's sources */
#define FXSAVE_SIZE 512u
#define AT_IN_USE   512u /* XSTATE_BV: SDM vol. 1, 13.4.2 */
#define HEADER_END  576u

/* Bits of XSTATE_BV for what FXSAVE has. */
#define X87_IN_USE     0x1u
#define VECTORS_IN_USE 0x2u

/* Vectors that FXSAVE has, in 64-bit mode. */
#define OLD_VECTORS 16

/* Up to here are all parts on any CPU known: the rest has none of ours. */
#define MOST_AREA 8192u

#define XSAVE_LEAF 0xdu

void vectors_layout_here(struct vectors_layout *out)
{
    static const enum vectors_part parts[] = {
        VECTORS_HIGH_16_31, VECTORS_MASKS, VECTORS_HIGH_32_63, VECTORS_OTHERS};
    unsigned size, offset, flags, unused;

    *out = (struct vectors_layout){0};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (!__get_cpuid_count(XSAVE_LEAF, parts[i], &size, &offset, &flags,
                               &unused))
            return;
        out->part[parts[i]].offset = offset;
        out->part[parts[i]].size = size;
    }
}

size_t vectors_area(const struct vectors_layout *layout)
{
    size_t end = HEADER_END;

    for (int i = 0; i < VECTORS_PARTS; i++) {
        const size_t behind =
            (size_t)layout->part[i].offset + layout->part[i].size;

        end = behind > end ? behind : end;
    }
    return end < MOST_AREA ? end : MOST_AREA;
}

static uint64_t word_at(const uint8_t *area, size_t offset)
{
    uint64_t word;

    memcpy(&word, area + offset, sizeof word);
    return word;
}

/* Copies what a part has of each register: `each` bytes, to `to` and then every
 * `stride` bytes. */
static void take_part(const uint8_t *from, size_t size, size_t each,
                      uint8_t *to, size_t stride)
{
    for (; size >= each; size -= each) {
        memcpy(to, from, each);
        from += each;
        to += stride;
    }
}

static void take_old(const uint8_t *area, uint64_t in_use, struct vregs *out)
{
    if (in_use & X87_IN_USE) {
        memcpy(out->fcw, area + AT_CONTROL, sizeof out->fcw);
        memcpy(out->fsw, area + AT_STATUS, sizeof out->fsw);
        memcpy(out->ftw, area + AT_TAGS, sizeof out->ftw);
        for (size_t i = 0; i < VREGS_X87; i++)
            memcpy(out->x87[i], area + AT_X87 + 16 * i, sizeof *out->x87);
    }
    memcpy(out->mxcsr, area + AT_MXCSR, sizeof out->mxcsr);
    if (in_use & VECTORS_IN_USE)
        take_part(area + AT_VECTORS, 16 * OLD_VECTORS, 16, out->vector[0],
                  VREG_BYTES);
}

bool vectors_parse(const struct vectors_layout *layout, const uint8_t *area,
                   size_t len, struct vregs *out)
{
    const struct {
        enum vectors_part part;
        size_t each, count;
        uint8_t *to;
        size_t stride;
    } parts[] = {
        {VECTORS_HIGH_16_31, 16, OLD_VECTORS, out->vector[0] + 16, VREG_BYTES},
        {VECTORS_MASKS, 8, VREGS_MASKS, out->mask[0], 8},
        {VECTORS_HIGH_32_63, 32, OLD_VECTORS, out->vector[0] + 32, VREG_BYTES},
        {VECTORS_OTHERS, 64, OLD_VECTORS, out->vector[OLD_VECTORS], VREG_BYTES},
    };
    uint64_t in_use;

    if (len < FXSAVE_SIZE)
        return false;
    vregs_init(out);
    if (len < HEADER_END) {
        take_old(area, X87_IN_USE | VECTORS_IN_USE, out);
        return true;
    }
    in_use = word_at(area, AT_IN_USE);
    take_old(area, in_use, out);
    in_use &= word_at(area, AT_KEPT);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        const size_t offset = layout->part[parts[i].part].offset;
        const size_t size = parts[i].each * parts[i].count;

        if (in_use >> parts[i].part & 1 && offset >= HEADER_END &&
            layout->part[parts[i].part].size >= size && offset + size <= len)
            take_part(area + offset, size, parts[i].each, parts[i].to,
                      parts[i].stride);
    }
    return true;
}

int tracee_vregs(const struct tracee *tracee,
                 const struct vectors_layout *layout, struct vregs *out,
                 bool *all)
{
    uint8_t area[MOST_AREA];
    struct iovec place = {area, vectors_area(layout)};

    *all = ptrace_request(PTRACE_GETREGSET, tracee->tid, NT_X86_XSTATE,
                          &place) == 0 &&
           place.iov_len >= HEADER_END;
    if (*all)
        return vectors_parse(layout, area, place.iov_len, out) ? 0 : -1;
    if (ptrace_request(PTRACE_GETFPREGS, tracee->tid, 0, area) != 0)
        return -1;
    return vectors_parse(layout, area, FXSAVE_SIZE, out) ? 0 : -1;
}
