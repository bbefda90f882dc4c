/* SPDX-License-Identifier: MIT */
/*
 * code.h - for tracees that are about what code does, not how it comes to be:
 * a page of machine code, stored and turned executable.
 */
#ifndef JITTRACE_TESTS_TRACEES_CODE_H
#define JITTRACE_TESTS_TRACEES_CODE_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Returns a page that begins with these bytes and can be executed. */
static inline uint8_t *code_new(const void *insns, size_t size)
{
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (code == MAP_FAILED)
        exit(99);
    memcpy(code, insns, size);
    if (mprotect(code, 4096, PROT_READ | PROT_EXEC) < 0)
        exit(99);
    return code;
}

/* The same of a function that calls its argument, and returns what that does. */
static inline uint8_t *code_new_caller(void)
{
    static const uint8_t insns[] = {
        0x48, 0x83, 0xec, 0x08, /* sub rsp, 8 */
        0xff, 0xd7,             /* call rdi */
        0x48, 0x83, 0xc4, 0x08, /* add rsp, 8 */
        0xc3,                   /* ret */
    };

    return code_new(insns, sizeof insns);
}

#endif
