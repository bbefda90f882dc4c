/* SPDX-License-Identifier: MIT */
/*
 * jitdump.h - for tracees that write a jitdump: its header and records, as
 * tools/perf/Documentation/jitdump-specification.txt of Linux has them.
 */
#ifndef JITTRACE_TESTS_TRACEES_JITDUMP_H
#define JITTRACE_TESTS_TRACEES_JITDUMP_H

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PUT(value) fwrite(&(value), sizeof(value), 1, dump)

static inline void dump_u32(FILE *dump, uint32_t value)
{
    PUT(value);
}

static inline void dump_u64(FILE *dump, uint64_t value)
{
    PUT(value);
}

/* Begins a dump of that version, or ends the program. The page that it maps is
 * what perf, and a tracer, finds it by. The name stays in *name. */
static inline FILE *dump_begin(char *name, size_t size, uint32_t version)
{
    const uint32_t header[] = {0x4a695444, version, 40,
                               62,         0,       (uint32_t)getpid()};
    FILE *dump;

    snprintf(name, size, "/tmp/jit-%d.dump", (int)getpid());
    dump = fopen(name, "w+");
    if (!dump)
        exit(99);
    fwrite(header, sizeof header, 1, dump);
    dump_u64(dump, 1); /* its time */
    dump_u64(dump, 0); /* its flags */
    fflush(dump);
    if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fileno(dump), 0) ==
        MAP_FAILED)
        exit(99);
    return dump;
}

static inline void dump_record(FILE *dump, uint32_t id, size_t size)
{
    dump_u32(dump, id);
    dump_u32(dump, (uint32_t)size);
    dump_u64(dump, 2); /* its time */
}

static inline void dump_load(FILE *dump, const void *addr, const void *code,
                             size_t size, const char *name)
{
    dump_record(dump, 0, 56 + strlen(name) + 1 + size);
    dump_u32(dump, (uint32_t)getpid());
    dump_u32(dump, (uint32_t)getpid());
    dump_u64(dump, (uintptr_t)addr);
    dump_u64(dump, (uintptr_t)addr);
    dump_u64(dump, size);
    dump_u64(dump, 1); /* its number */
    fwrite(name, strlen(name) + 1, 1, dump);
    fwrite(code, size, 1, dump);
    fflush(dump);
}

static inline void dump_move(FILE *dump, const void *from, const void *to,
                             size_t size)
{
    dump_record(dump, 1, 64);
    dump_u32(dump, (uint32_t)getpid());
    dump_u32(dump, (uint32_t)getpid());
    dump_u64(dump, (uintptr_t)to);
    dump_u64(dump, (uintptr_t)from);
    dump_u64(dump, (uintptr_t)to);
    dump_u64(dump, size);
    dump_u64(dump, 1);
    fflush(dump);
}

/* The lines of some code: from these offsets on, all of one file. */
static inline void dump_lines(FILE *dump, const void *addr, const char *file,
                              size_t count, const uint32_t (*lines)[2])
{
    dump_record(dump, 2, 32 + count * 18 + strlen(file) - 1);
    dump_u64(dump, (uintptr_t)addr);
    dump_u64(dump, count);
    for (size_t i = 0; i < count; i++) {
        dump_u64(dump, (uintptr_t)addr + lines[i][0]);
        dump_u32(dump, lines[i][1]);
        dump_u32(dump, 0);
        if (i == 0)
            fwrite(file, strlen(file) + 1, 1, dump);
        else
            fwrite("\xff", 2, 1, dump); /* the same as before */
    }
}

#endif
