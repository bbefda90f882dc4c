/* SPDX-License-Identifier: MIT */
/*
 * target/jitdump.h - the code that a program has made, as it tells perf(1)
 * (tools/perf/Documentation/jitdump-specification.txt of Linux).
 *
 * The program appends records to a file jit-PID.dump: code was loaded, with its
 * bytes, its name and, in a record before it, its lines of source; code was
 * moved. That there is such a file, perf learns from the program mapping a page
 * of it as executable. Numbers have the byte order of the machine it is from.
 *
 *     header   magic version total_size elf_mach pad pid   u32 each
 *              timestamp flags                             u64 each
 *     record   id total_size   u32 each;  timestamp   u64;  then by id
 *      0 load   pid tid u32; vma code_addr code_size code_index u64; name, code
 *       1 move   pid tid u32; vma old_code_addr new_code_addr code_size
 *                code_index u64
 *       2 debug  code_addr nr_entry u64; of each: addr u64, line discrim u32,
 *                file, which is "\xff" if it is that of the entry before
 *       3 close, 4 unwinding
 */
#ifndef JITTRACE_TARGET_JITDUMP_H
#define JITTRACE_TARGET_JITDUMP_H

#include <sys/types.h>

#include "base/buf.h"
#include "target/naming.h"
#include "target/proc.h"

/* So much of a file is read, and no record may be longer. */
#define JITDUMP_BYTES  (64u << 20)
#define JITDUMP_RECORD (16u << 20)

/* All zero but file, which is -1, is one that has nothing but its text. */
struct jitdump {
    char name[192];   /* of the file, for messages */
    uint64_t inode;   /* the same */
    pid_t pid;        /* that it must be of; 0: of any */
    int file;         /* or -1 */
    uint64_t offset;  /* where what was not read begins */
    struct buf text;  /* what was read */
    size_t taken;     /* bytes of it that were taken */
    bool begun;       /* the header was */
    bool ended;       /* nothing more is read */
    bool full;        /* because there is too much */
    uint64_t records; /* that were taken */
    struct buf lines; /* the debug record that waits for its load, or empty */
    struct line_row *rows;
    size_t row_capacity;
    char last_name[NAMING_NAME + 1];
};

/* Whether a line of maps is of a file that its name says to be a jitdump. */
bool jitdump_is(const struct maps_line *line);

/* Begins with the file that the process pid has mapped there, by its descriptor
 * fd. Returns false, and there is nothing to release, if it cannot be opened or
 * is no regular file. */
bool jitdump_open(struct jitdump *dump, pid_t pid, int fd,
                  const struct maps_line *line);
void jitdump_release(struct jitdump *dump);

/* Takes the next thing that the file says, as far as it was written by now.
 * Returns false if there is none. Behind a header or a record that leaves its
 * end unknown there is no other. */
bool jitdump_next(struct jitdump *dump, struct naming *out);

/* The program has ended, and all was taken. Returns true if that was not all
 * of a record, or of the header: then it is a flaw. */
bool jitdump_end(struct jitdump *dump, struct naming *out);

#endif
