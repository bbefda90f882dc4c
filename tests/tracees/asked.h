/* SPDX-License-Identifier: MIT */
/*
 * asked.h - three functions on one page, with names in the perf map: "leaf" at
 * +0 adds one to its argument; "outer" at +16 calls leaf, within generated
 * code; "other" at +48 gives its argument back.
 */
#ifndef JITTRACE_TESTS_TRACEES_ASKED_H
#define JITTRACE_TESTS_TRACEES_ASKED_H

#include <stdio.h>
#include <unistd.h>

#include "code.h"

typedef long asked_function(long);

static inline uint8_t *asked_new(void)
{
    static const uint8_t insns[64] = {
        [0] = 0x48,  0x8d, 0x47, 0x01,       /* leaf: lea rax, [rdi+1] */
        0xc3,                                /* ret */
        [16] = 0x48, 0x83, 0xec, 0x08,       /* outer: sub rsp, 8 */
        0xe8,        0xe7, 0xff, 0xff, 0xff, /* call leaf */
        0x48,        0x83, 0xc4, 0x08,       /* add rsp, 8 */
        0xc3,                                /* ret */
        [48] = 0x48, 0x89, 0xf8,             /* other: mov rax, rdi */
        0xc3,                                /* ret */
    };
    uint8_t *code = code_new(insns, sizeof insns);
    unsigned long long addr = (uintptr_t)code;
    char name[64];
    FILE *map;

    snprintf(name, sizeof name, "/tmp/perf-%d.map", (int)getpid());
    map = fopen(name, "w");
    if (!map)
        exit(98);
    fprintf(map, "%llx 5 leaf\n%llx e outer\n%llx 4 other\n", addr, addr + 16,
            addr + 48);
    fclose(map);
    return code;
}

static inline asked_function *asked_at(uint8_t *code, unsigned offset)
{
    return (asked_function *)(uintptr_t)(code + offset);
}

static inline void asked_end(void)
{
    char name[64];

    snprintf(name, sizeof name, "/tmp/perf-%d.map", (int)getpid());
    unlink(name);
}

#endif
