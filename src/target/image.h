/* SPDX-License-Identifier: MIT */
/*
 * target/image.h - a program that is only bytes, made into something that can
 * be executed.
 */
#ifndef JITTRACE_TARGET_IMAGE_H
#define JITTRACE_TARGET_IMAGE_H

#include <limits.h>

#include "base/buf.h"

/* Puts the image into a file without a name (memfd_create(2)). Returns its
 * descriptor, or -1 with errno. */
int image_in_memory(const char *name, struct bytes image);

/* The directories to unpack in, from 0 on and the first ones first; NULL: there
 * are no more. */
const char *image_place(unsigned n);

/* The image in a file that has a name. */
struct image_file {
    char directory[PATH_MAX]; /* made for it alone */
    char path[PATH_MAX];
};

/*
 * Unpacks the image below that directory. The file has the name of the program,
 * which becomes that of the process. Returns 0; or -1 with errno, and nothing
 * is left behind then.
 */
int image_unpack(const char *where, const char *name, struct bytes image,
                 struct image_file *file);
void image_remove(const struct image_file *file);

#endif
