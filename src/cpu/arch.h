/* SPDX-License-Identifier: MIT */
/*
 * cpu/arch.h - what the architecture is called, and how large its pages are.
 */
#ifndef JITTRACE_CPU_ARCH_H
#define JITTRACE_CPU_ARCH_H

/* As a trace names it. */
#define ARCH_NAME "x86_64"

/* What objdump(1) must be told of it, to disassemble bare bytes. */
#define ARCH_OBJDUMP "-m i386:x86-64 -M intel"

/* Bytes of a page: the smallest that has a protection of its own (Intel SDM
 * vol. 3, 4.2). */
#define ARCH_PAGE_SIZE 4096u

#endif
