/* SPDX-License-Identifier: MIT */
/*
 * sample.h - a sample of machine code that a seed decides: either instructions
 * that the CPU knows, or bytes that are random altogether.
 *
 * All that it can see of its process has a fixed address, so that two runs of a
 * sample can be compared number by number:
 *
 *     SAMPLE_CODE   the code: one page or two, with nothing around
 *     SAMPLE_DATA   a page to read and write, then one only to read, then none
 *     SAMPLE_STACK  two pages, with nothing around
 */
#ifndef JITTRACE_TESTS_RANDOM_SAMPLE_H
#define JITTRACE_TESTS_RANDOM_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SAMPLE_PAGE      UINT64_C(4096)
#define SAMPLE_CODE      UINT64_C(0x10000010000)
#define SAMPLE_DATA      UINT64_C(0x10000020000)
#define SAMPLE_READ_ONLY (SAMPLE_DATA + SAMPLE_PAGE)
#define SAMPLE_UNMAPPED  (SAMPLE_DATA + 2 * SAMPLE_PAGE)
#define SAMPLE_STACK     UINT64_C(0x10000040000)
#define SAMPLE_STACK_LEN (2 * SAMPLE_PAGE)
#define SAMPLE_RSP       (SAMPLE_STACK + SAMPLE_STACK_LEN - 512)

/*
 * For random values, which popf may take for flags: they have no flag TF (see
 * limits.md: who sets it is not watched any more) and no NT, which does not
 * outlast an interrupt on each machine.
 */
#define SAMPLE_FLAGS (~UINT64_C(0x4100))

/* In the order in which an instruction numbers them. */
enum {
    RAX,
    RCX,
    RDX,
    RBX,
    RSP,
    RBP,
    RSI,
    RDI,
    R8,
    R9,
    R10,
    R11,
    R12,
    R13,
    R14,
    R15,
    SAMPLE_REGS,
};

struct sample {
    uint64_t regs[SAMPLE_REGS]; /* with which it begins */
    uint64_t flags;             /* the same */
    uint64_t fill;              /* seeds what data and stack hold */
    size_t length;              /* bytes of its pages */
    size_t entry;               /* offset of its first instruction */
    size_t end;                 /* and of what is behind its last one */
    bool valid;                 /* it consists of instructions */
    bool writable;              /* its pages are RWX, not R-X */
    bool fresh;                 /* data and stack are mapped anew for it */
    bool jumped_to;             /* it is entered by a jump, not by a call */
    bool restart;               /* the registers are set anew after a fault */
    uint8_t bytes[2 * SAMPLE_PAGE];
};

/* Random numbers, the same ones for the same *state: splitmix64. */
uint64_t random_next(uint64_t *state);

/* Makes the sample of this seed. Cannot fail. */
void sample_make(struct sample *sample, uint64_t seed);

/* Length of the instruction at an offset of these bytes; 1 if there is none. */
size_t sample_insn_length(const uint8_t *bytes, size_t size, size_t offset);

/* Prints what the sample is, and its instructions one a line. */
void sample_print(const struct sample *sample);

#endif
