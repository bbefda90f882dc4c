/* SPDX-License-Identifier: MIT */
/*
 * target/files.h - the source files of a program, as they are on disk.
 */
#ifndef JITTRACE_TARGET_FILES_H
#define JITTRACE_TARGET_FILES_H

#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "trace/event.h"

/* All zero but pid is a valid empty one. */
struct files {
    pid_t pid; /* of the program */
    struct file *list;
    size_t count;
    size_t capacity;
    size_t bytes; /* that were read */
};

void files_release(struct files *files);

/*
 * Says what the source file of that name (without directories) holds, for a
 * program whose source is not on disk.
 */
void files_provide(struct files *files, const char *name, struct bytes text);

/*
 * Fills file, line and, if the file can be read and has it, the text of a line
 * in the source file of that path, which counts from the directory (NULL: from
 * the present one) if it is not absolute. A file that was provided has no
 * directories in its path and wins. *out lives as long as files.
 */
void files_find(struct files *files, const char *path, const char *directory,
                int line, struct srcline *out);

/*
 * Fills the excerpt of a place that was found here, if some of the lines next
 * to it were in no excerpt yet: then it holds up to 64 lines on both sides,
 * each cut after 240 bytes at the latest, where a character ends.
 */
void files_excerpt(struct files *files, struct srcline *place);

/*
 * Opens what somebody else has named, if it is a regular file: a pipe would
 * have nobody to write to it, a terminal would become ours, a device may have
 * no end. Returns a descriptor or -1.
 */
int files_open(const char *path);

#endif
