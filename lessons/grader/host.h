/* SPDX-License-Identifier: MIT */
/*
 * grader/host.h - the two ways in which an encoder is run. host.c: a few terms,
 * watched; host_many.c: many, at full speed.
 */
#ifndef JITTRACE_GRADER_HOST_H
#define JITTRACE_GRADER_HOST_H

#include <stddef.h>
#include <stdint.h>

typedef size_t encoder(uint8_t *code, int32_t term);

/* The encode_adder of a shared object; NULL if there is none, and a line on
 * descriptor `report` says why. */
encoder *host_load(int report, const char *file);

/* Does blocks of terms until standard input ends. argv: BLOCK CODE ENCODER.so
 * SLOT, of many_block.h. Returns an exit status. */
int host_many(char **argv);

#endif
