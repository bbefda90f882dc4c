/* SPDX-License-Identifier: MIT */
/*
 * play/request.h - what the process of the playground reads from its standard
 * input, and where it puts that.
 *
 * lessons/playground/host.c is that process: one for each line that is tried.
 * The addresses are fixed, so that a line does the same whenever it runs, and
 * below 2^31, so that they fit a disp32 (Intel SDM vol. 2, 2.2.1.3).
 */
#ifndef JITTRACE_PLAY_REQUEST_H
#define JITTRACE_PLAY_REQUEST_H

#include <stdint.h>

#define PLAY_PAGE       4096
#define PLAY_CODE       0x10000000 /* one page, r-x when it runs */
#define PLAY_DATA       0x20000000 /* one page, rw- */
#define PLAY_STACK      0x30000000 /* two pages, rw- */
#define PLAY_STACK_SIZE (2 * PLAY_PAGE)

/* Where rsp is at first, with the return address there, as in a function that
 * was just called: 8 below a multiple of 16 (psABI 3.2.2). What is above belongs
 * to the caller. */
#define PLAY_TOP (PLAY_STACK + PLAY_STACK_SIZE - 256 - 8)

/* The return address: behind a call instruction of host.c, whose section the
 * Makefile puts there. */
#define PLAY_CALLER 0x9000000
#define PLAY_BACK   (PLAY_CALLER + 16)

/* Where the process has its own code; and from where on it may have other code
 * that is not ours (the vdso). */
#define PLAY_HOST     0x8000000
#define PLAY_HOST_END 0xa000000
#define PLAY_FAR      0x40000000

/* The first registers of cpu/regs.def, up to the flags; the program counter
 * among them is not used. */
#define PLAY_REGS 18

struct play_request {
    uint64_t regs[PLAY_REGS];
    uint8_t fxsave[512] __attribute__((aligned(16))); /* SDM vol. 1, 10.5.1 */
    uint8_t code[PLAY_PAGE];
    uint8_t data[PLAY_PAGE];
    uint8_t stack[PLAY_STACK_SIZE];
};

#endif
