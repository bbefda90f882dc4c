/* SPDX-License-Identifier: MIT */
/*
 * grader/adder.h - the function that the baby JIT makes, as it ought to be:
 *
 *     48 c7 c0 imm32    mov rax, TERM
 *     48 01 f8          add rax, rdi
 *     c3                ret
 */
#ifndef JITTRACE_GRADER_ADDER_H
#define JITTRACE_GRADER_ADDER_H

#include <stddef.h>
#include <stdint.h>

#define ADDER_LENGTH   11u /* bytes */
#define ADDER_TERM_BIT 24  /* where the term begins in their first eight */

void adder_encode(int32_t term, uint8_t *code);

/* What it returns: both 64 bits wide, and what does not fit is dropped. */
uint64_t adder_result(int32_t term, int64_t argument);

/*
 * What an encoder is tried with. The first term has four bytes of which no two
 * are equal, the last one is the first again: an encoder that keeps something
 * from one call to the next is found out.
 */
extern const int32_t adder_terms[];
extern const size_t adder_term_count;
extern const int64_t adder_arguments[];
extern const size_t adder_argument_count;

#endif
