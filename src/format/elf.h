/* SPDX-License-Identifier: MIT */
/*
 * format/elf.h - generated code as a file that debuggers and disassemblers
 * know: ELF (System V ABI, chapter 4), with a section of code and symbols. Of
 * interest in this room only.
 */
#ifndef JITTRACE_FORMAT_ELF_H
#define JITTRACE_FORMAT_ELF_H

#include "trace/labels.h"

/* Code that is larger gets no such file: it is made in memory. */
#define ELF_BYTES (UINT64_C(64) << 20)

/* Writes such a file to fd: the code at addr, and as symbols the labels in it,
 * or, of code without any, its own address as a name. Returns 0, or -1 with
 * errno. */
int elf_write(int fd, uint64_t addr, struct bytes code,
              const struct labels *labels);

#endif
