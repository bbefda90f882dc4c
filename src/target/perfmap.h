/* SPDX-License-Identifier: MIT */
/*
 * target/perfmap.h - the names that a program gives to the code it makes.
 *
 * A program that makes code may append a line to /tmp/perf-PID.map for each
 * function, for profilers to read (tools/perf/Documentation/jit-interface.txt
 * of Linux):
 *
 *     START SIZE name          both hex without 0x; the name up to the newline
 *
 * PID is the program's own, as it sees it, and /tmp is its own, too. Everybody
 * may write there, so a file counts only if it is a regular one, no link, and
 * belongs to the user that the program runs as. It is never changed.
 */
#ifndef JITTRACE_TARGET_PERFMAP_H
#define JITTRACE_TARGET_PERFMAP_H

#include <sys/types.h>

#include "base/buf.h"
#include "target/naming.h"

/* Of a file the first so many bytes are taken. */
#define PERFMAP_BYTES (16u << 20)

/* A line that is longer, and has not ended so far, is a flaw. */
#define PERFMAP_LINE (1u << 20)

struct perfmap_line {
    uint64_t addr;
    uint64_t length;  /* bytes, not 0; addr + length does not wrap around */
    const char *flaw; /* what is wrong with it, as the end of a sentence that
                       * it is the subject of; or NULL */
    char name[NAMING_NAME + 1]; /* any bytes but NUL and newline */
};

/* Parses a line without its newline. Returns false if it is none: a number is
 * missing or does not fit, the size is 0, the name is empty or has a NUL in it.
 * That a line is empty, or a size 0, is no flaw: it says nothing. A name that
 * is cut ends with a whole character, if it is UTF-8. */
bool perfmap_parse(struct bytes line, struct perfmap_line *out);

/* The reading of one process's file. */
struct perfmap {
    pid_t pid;
    uid_t user;       /* that it runs as */
    int dir;          /* its /tmp, or -1 */
    int file;         /* or -1 */
    char name[32];    /* of the file in dir */
    uint64_t offset;  /* where what was not read begins */
    uint64_t bytes;   /* read so far */
    uint8_t tail[32]; /* what is in front of offset */
    size_t tail_len;
    struct buf text; /* what was read: whole lines, or a part of the last */
    size_t taken;    /* bytes of it that were taken */
    bool full;       /* PERFMAP_BYTES were read: nothing more is */
    uint64_t lines;  /* that were taken of this file, or from where we began */
    bool from_start; /* where that is its first one */
    struct perfmap_line line; /* the last one */
    bool has_name;            /* which is still to be told */
    bool told_prefix;         /* a flaw that all lines have is told once */
    bool told_endless;        /* the same of a line without an end */
    bool told_special;        /* the same of a file that is none to read */
    bool is_special;          /* it is to be told */
    bool ended;               /* nothing more is written */
};

/* Begins with a process that has not run yet. What its file has in it by now
 * was written by another one that had the same number, and is not read. */
void perfmap_init(struct perfmap *map, pid_t pid);
void perfmap_release(struct perfmap *map);

/* Reads what the process has written since the last time; it may have ended
 * meanwhile. A file that was begun anew is read from its start. A look at a
 * file that has not changed costs a few system calls. Then takes the next name,
 * or flaw, from a line that has its newline. Returns false when there is none.
 * A line with a flaw that is one nevertheless gives both. */
void perfmap_read(struct perfmap *map);
bool perfmap_next(struct perfmap *map, struct naming *out);

/* The process has ended, and all was taken: what is left is a line, too, as it
 * is for perf, and is there for perfmap_next. */
void perfmap_end(struct perfmap *map);

#endif
