/* SPDX-License-Identifier: MIT */
/*
 * play/assemble.h - what was typed becomes bytes.
 *
 * Bytes in hex are taken as they are. All else is given to nasm(1) or, where
 * that is not installed, to as(1) with a few words exchanged; no encoder of our
 * own. A line may have several statements, with `;` between them, and labels.
 */
#ifndef JITTRACE_PLAY_ASSEMBLE_H
#define JITTRACE_PLAY_ASSEMBLE_H

#include "base/buf.h"

enum assembler {
    ASSEMBLER_NASM,
    ASSEMBLER_GAS,
    ASSEMBLER_NONE,
};

/* The first of them that is installed. */
enum assembler assembler_find(void);

/* Appends the bytes of a line, to run at addr, where `data` names an address,
 * to code. What there is to say goes to message: with -1 why there is no code,
 * else a warning. Returns 0, 1 if the line itself is bytes, or -1. */
int assemble(enum assembler with, const char *line, uint64_t addr,
             uint64_t data, struct buf *code, struct buf *message);

#endif
