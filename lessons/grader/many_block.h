/* SPDX-License-Identifier: MIT */
/*
 * grader/many_block.h - what check-encoder and a host tell each other.
 *
 * The host is started as: host many BLOCK CODE ENCODER.so SLOT, with BLOCK and
 * CODE as numbers of two descriptors that both map. For each byte that it reads
 * from standard input it does one block and writes a byte to standard output.
 */
#ifndef JITTRACE_GRADER_MANY_BLOCK_H
#define JITTRACE_GRADER_MANY_BLOCK_H

#include <stdint.h>

#define MANY_CODE (1u << 18) /* bytes of slots: a second-level cache's half */
#define MANY_MOST (MANY_CODE / 16)

struct many_block {
    uint32_t count;    /* of terms */
    uint32_t encoding; /* the term that is encoded, or was last */
    int32_t term[MANY_MOST];
    int64_t argument[MANY_MOST];
    uint64_t length[MANY_MOST]; /* that encode_adder returned */
    uint64_t result[MANY_MOST]; /* what the code did, if it fits in its slot */
};

#endif
