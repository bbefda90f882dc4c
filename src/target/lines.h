/* SPDX-License-Identifier: MIT */
/*
 * target/lines.h - from an address of the program to a line of its source, and
 * to the name of a function.
 *
 * The program's debug information is libdw's business, and this room's only
 * user of it. Where there is none, nothing is found, and that is no error.
 */
#ifndef JITTRACE_TARGET_LINES_H
#define JITTRACE_TARGET_LINES_H

#include <sys/types.h>

#include "trace/event.h"
#include "trace/regions.h"
#include "cpu/regs.h"

struct lines;

/* Nothing is read before the first question. The files are those that the lines
 * stand in. A copy of the process that fork(2) has made may share them: its
 * modules are those of the original, as long as there is that. lines_free ends
 * one use, and accepts NULL. */
struct lines *lines_new(pid_t pid);
struct lines *lines_share(struct lines *lines);
void lines_free(struct lines *lines);
struct files *lines_files(struct lines *lines);

/* Finds the line of the instruction at pc; or, for a thread that stands with
 * these registers in code without lines, such as the C library's, that of the
 * innermost caller that has one. *out lives as long as lines. Returns false,
 * with *out all zero, when it is not known. */
bool lines_find(struct lines *lines, uint64_t pc, struct srcline *out);
bool lines_find_caller(struct lines *lines, pid_t tid, const struct regs *regs,
                       struct srcline *out);

/* The callers of an instruction, those that have a file. */
struct line_callers {
    const char *inlined; /* the function that its own line stands in, where that
                          * was inlined into the one that its symbol names */
    struct caller list[MAX_CALLERS];
    size_t count;
    uint64_t beyond; /* where the last one returns to, if that is in one of the
                      * regions; or 0 */
};

/* Finds the callers of the instruction that a stopped thread is at with these
 * registers, as far as main or what is no file: see trace/event.def. Calls from
 * a region are not looked at. All texts live as long as lines. Functions that
 * were inlined are told from debug information. */
void lines_find_callers(struct lines *lines, pid_t tid, const struct regs *regs,
                        const struct regions *regions,
                        struct line_callers *out);

/* The function whose first byte is at addr; all zero if there is none: see
 * trace/event.def. Its texts live as long as lines. */
void lines_find_callee(struct lines *lines, uint64_t addr, struct callee *out);

/* Names the place of pc by the symbols of its file: "emit_byte+0x1f" in the
 * program itself, "libc.so.6:memcpy+0x12" elsewhere, offsets in hex from the
 * function's first byte; names of C++ as the source has them, where libstdc++
 * is installed. Where no function is known it is the file and the address
 * there, as nm(1) and objdump(1) have it: "libc.so.6+0x16a2b3". The text lives
 * as long as lines. Returns NULL for what is in no file. */
const char *lines_symbol(struct lines *lines, uint64_t pc);

/* --- the source files, as they are on disk (files.c) ---------------------- */

/* All zero but pid is a valid empty one. */
struct files {
    pid_t pid; /* of the program */
    struct file *list;
    size_t count;
    size_t capacity;
    size_t bytes; /* that were read */
};

void files_release(struct files *files);

/* Says what the source file of that name (without directories) holds, for a
 * program whose source is not on disk. */
void files_provide(struct files *files, const char *name, struct bytes text);

/* Fills file, line and, if the file can be read and has it, the text of a line
 * in the source file of that path, which counts from the directory (NULL: from
 * the present one) if it is not absolute. A file that was provided has no
 * directories in its path and wins. *out lives as long as files. */
void files_find(struct files *files, const char *path, const char *directory,
                int line, struct srcline *out);

/* The same of a file that the program has compiled itself, and named: it may be
 * younger than the program. */
void files_find_made(struct files *files, const char *path, int line,
                     struct srcline *out);

/* Fills the excerpt of a place that was found here, if some of the lines next
 * to it were in no excerpt yet: then it holds up to 64 lines on both sides,
 * each cut after 240 bytes at the latest, where a character ends. */
void files_excerpt(struct files *files, struct srcline *place);

/* Opens what somebody else has named, if it is a regular file: a pipe would
 * have nobody to write to it, a terminal would become ours, a device may have
 * no end. Returns a descriptor or -1. */
int files_open(const char *path);

/* Finds the variables of that name in the program and its libraries, those that
 * are loaded by now: up to `most` addresses. Returns how many there are. */
size_t lines_find_variables(struct lines *lines, const char *name,
                            uint64_t *out, size_t most);

/* The version of elfutils, which finds lines and symbols. */
const char *lines_library(void);

#endif
