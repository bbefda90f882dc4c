/* SPDX-License-Identifier: MIT */
/*
 * The registers of cpu/vregs.h in the area that the kernel gives: of CPUs that
 * have more or less of them than this one; and those of a real tracee.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <string.h>

#include "target/vectors.h"

TestSuite(vectors, .timeout = 20);

#define COUNT(list) (sizeof(list) / sizeof *(list))

/* The offsets of a CPU with AVX-512; others have these parts elsewhere. */
static const struct vectors_layout no_avx = {0};
static const struct vectors_layout avx = {
    .part = {[VECTORS_HIGH_16_31] = {576, 256}}};
static const struct vectors_layout avx512 = {
    .part = {[VECTORS_HIGH_16_31] = {576, 256},
             [VECTORS_MASKS] = {1088, 64},
             [VECTORS_HIGH_32_63] = {1152, 512},
             [VECTORS_OTHERS] = {1664, 1024}}};

/* An area with another byte everywhere. */
static void fill(uint8_t *area, size_t size, uint64_t kept, uint64_t in_use)
{
    for (size_t i = 0; i < size; i++)
        area[i] = (uint8_t)(i * 31 + i / 256);
    memcpy(area + 464, &kept, sizeof kept);
    memcpy(area + 512, &in_use, sizeof in_use);
}

/* Whether a register has those bytes, and zeros above them. */
static bool holds(const struct vregs *vregs, unsigned vector, size_t from,
                  const uint8_t *bytes, size_t len)
{
    return memcmp(vregs->vector[vector] + from, bytes, len) == 0;
}

static bool is_zero(const struct vregs *vregs, unsigned vector, size_t from)
{
    static const uint8_t zeros[VREG_BYTES];

    return holds(vregs, vector, from, zeros, VREG_BYTES - from);
}

Test(vectors, a_cpu_without_avx_has_16_bytes_of_16_registers)
{
    uint8_t area[4096];
    struct vregs vregs;

    fill(area, sizeof area, 3, 3);
    cr_assert(eq(int, vectors_parse(&no_avx, area, 576, &vregs), 1));
    for (unsigned i = 0; i < 16; i++)
        cr_assert(holds(&vregs, i, 0, area + 160 + 16 * i, 16) &&
                  is_zero(&vregs, i, 16));
    cr_assert(is_zero(&vregs, 16, 0) && is_zero(&vregs, 31, 0));
    cr_assert(eq(int, memcmp(vregs.mxcsr, area + 24, 4), 0));
    cr_assert(eq(int, memcmp(vregs.fsw, area + 2, 2), 0));
    cr_assert(eq(int, memcmp(vregs.x87[7], area + 32 + 7 * 16, 10), 0));
    cr_assert(eq(int, *vregs.ftw, area[4]));
}

Test(vectors, avx_adds_the_next_16_bytes)
{
    uint8_t area[4096];
    struct vregs vregs;

    fill(area, sizeof area, 7, 7);
    cr_assert(eq(int, vectors_parse(&avx, area, 832, &vregs), 1));
    for (unsigned i = 0; i < 16; i++)
        cr_assert(holds(&vregs, i, 16, area + 576 + 16 * i, 16) &&
                  is_zero(&vregs, i, 32));
}

Test(vectors, avx_512_adds_the_rest_and_the_masks)
{
    uint8_t area[4096];
    struct vregs vregs;

    fill(area, sizeof area, 0xe7, 0xe7);
    cr_assert(eq(sz, vectors_area(&avx512), 2688));
    cr_assert(eq(int, vectors_parse(&avx512, area, 2688, &vregs), 1));
    for (unsigned i = 0; i < 16; i++) {
        cr_assert(holds(&vregs, i, 32, area + 1152 + 32 * i, 32));
        cr_assert(holds(&vregs, 16 + i, 0, area + 1664 + 64 * i, 64));
    }
    for (unsigned i = 0; i < 8; i++)
        cr_assert(eq(int, memcmp(vregs.mask[i], area + 1088 + 8 * i, 8), 0));
}

/* XSAVE writes no part that is as initialized (SDM vol. 1, 13.7): what is in
 * its place is of no account. */
Test(vectors, what_is_not_in_use_is_as_initialized)
{
    uint8_t area[4096];
    struct vregs vregs, initial;

    vregs_init(&initial);
    fill(area, sizeof area, 0xe7, 0);
    memcpy(area + 24, initial.mxcsr, 4);
    cr_assert(eq(int, vectors_parse(&avx512, area, 2688, &vregs), 1));
    cr_assert(eq(int, memcmp(&vregs, &initial, sizeof vregs), 0));
}

/* A kernel that keeps less than the CPU has, and one that gives less. */
Test(vectors, what_the_kernel_does_not_give_is_zero)
{
    uint8_t area[4096];
    struct vregs vregs;

    fill(area, sizeof area, 7, 0xe7);
    cr_assert(eq(int, vectors_parse(&avx512, area, 2688, &vregs), 1));
    cr_assert(is_zero(&vregs, 0, 32) && !is_zero(&vregs, 0, 16));
    fill(area, sizeof area, 0xe7, 0xe7);
    cr_assert(eq(int, vectors_parse(&avx512, area, 832, &vregs), 1));
    cr_assert(is_zero(&vregs, 0, 32) && !is_zero(&vregs, 0, 16));
    cr_assert(eq(int, vectors_parse(&avx512, area, 511, &vregs), 0));
    cr_assert(eq(int, vectors_parse(&avx512, area, 512, &vregs), 1));
    cr_assert(is_zero(&vregs, 0, 16) && !is_zero(&vregs, 0, 0));
}

/* A layout that no CPU has leads to no byte outside of the area. */
Test(vectors, an_odd_layout_does_no_harm)
{
    static const struct vectors_layout odd[] = {
        {.part = {[VECTORS_OTHERS] = {4090, 1024}}},
        {.part = {[VECTORS_OTHERS] = {0xffffffff, 1024}}},
        {.part = {[VECTORS_MASKS] = {576, 3}}},
        {.part = {[VECTORS_HIGH_16_31] = {0, 256}}},
    };
    uint8_t area[4096];
    struct vregs vregs;

    fill(area, sizeof area, 0xe7, 0xe7);
    for (size_t i = 0; i < COUNT(odd); i++) {
        cr_assert(
            eq(int, vectors_parse(&odd[i], area, sizeof area, &vregs), 1));
        cr_assert(is_zero(&vregs, 0, 16) && is_zero(&vregs, 16, 0));
        cr_assert(vectors_area(&odd[i]) <= 8192);
    }
}
