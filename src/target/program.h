/* SPDX-License-Identifier: MIT */
/*
 * target/program.h - which file the name of a program means, and whether that
 * can be started and traced: said before anything is started.
 */
#ifndef JITTRACE_TARGET_PROGRAM_H
#define JITTRACE_TARGET_PROGRAM_H

#include <limits.h>

#include "base/buf.h"
#include "base/err.h"

/*
 * Finds name in PATH, as execvp(3) does; names with a slash stay. Then says
 * what can be known of that file: what it is, its rights, and the same of the
 * interpreter of a script. Returns 0, also where only exec can tell, or -1 with
 * err filled (ERR_NO_PROGRAM, ERR_NOT_EXECUTABLE).
 */
int program_find(const char *name, char path[PATH_MAX], struct err *err);

/*
 * Says whether the first bytes of a file are a program that can be started and
 * traced here. Returns 0, or -1 with err filled (ERR_NOT_EXECUTABLE).
 */
int program_check_image(const char *name, struct bytes head, struct err *err);

#endif
