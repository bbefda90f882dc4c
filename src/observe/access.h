/* SPDX-License-Identifier: MIT */
/*
 * observe/access.h - an instruction of the program, and the memory that it is
 * about to access.
 */
#ifndef JITTRACE_OBSERVE_ACCESS_H
#define JITTRACE_OBSERVE_ACCESS_H

#include <sys/types.h>

#include "cpu/insn.h"

/* Of one access at most this many bytes are recorded (a cache line). */
#define ACCESS_BYTES 64
#define MAX_ACCESSES 4

struct access {
    struct insn_access what;
    uint8_t old_bytes[ACCESS_BYTES]; /* that were there before */
    uint32_t known;                  /* bytes of it that could be read */
};

struct accesses {
    struct access list[MAX_ACCESSES];
    size_t count;
};

/* Decodes what the program has at pc; length 0 if that is no instruction. */
void access_decode(pid_t tid, uint64_t pc, struct insn *out);

/* Notes what insn will access and what is there before. */
void access_prepare(struct accesses *accesses, pid_t tid,
                    const struct insn *insn, const struct regs *regs);

#endif
