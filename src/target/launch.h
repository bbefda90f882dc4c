/* SPDX-License-Identifier: MIT */
/*
 * target/launch.h - from a name and arguments to a tracee at its first stop.
 */
#ifndef JITTRACE_TARGET_LAUNCH_H
#define JITTRACE_TARGET_LAUNCH_H

#include <limits.h>

#include "target/tracee.h"

struct launch {
    char *const *argv;  /* argv[0] names the program, as execvp(3) takes it */
    struct bytes image; /* or the program itself: argv[0] is only its name */
    /* What becomes the program's descriptors 0, 1 and 2; -1: ours does. */
    int stdin_fd, stdout_fd, stderr_fd;
    /* The program gets a session of its own, and the terminal that stdout_fd
     * is (the slave of a pty) as its controlling terminal. */
    bool own_terminal;
};

/*
 * Starts the program under the page filter and stops it when it is loaded,
 * before any of its instructions (STOP_EXEC). Descriptors of ours must have
 * FD_CLOEXEC; those given here may be any, and two may be the same. A signal
 * that we ignore or block at this moment is ignored or blocked in the program
 * too (execve(2)), so whoever does that for itself does it later. An image is
 * started from memory or, where the system does not allow that, from a
 * temporary file, which is gone when this returns.
 *
 * Returns 0; or -1 with err filled: ERR_NO_PROGRAM, ERR_NOT_EXECUTABLE (a
 * directory, no permission, another CPU, no program at all), ERR_TRACING (also
 * when there is no /proc, or too few descriptors). No process is left behind
 * then.
 */
int launch(const struct launch *launch, struct tracee *tracee, struct err *err);

/* What launch() takes, tried by itself: whether /proc shows this process of
 * ours, descriptors, and a stack, whose limit is raised if need be. Each
 * returns 0, or -1 with err filled. */
int launch_try_proc(pid_t pid, struct err *err);
int launch_try_descriptors(struct err *err);
int launch_try_stack(struct err *err);

/* The same for a temporary file that can be executed: *where is the directory
 * that it was made below. Returns 0, or -1 with errno. */
int launch_try_file(const struct launch *launch, const char **where);

/* --- which file the name of a program means (program.c) ------------------- */

/* Finds name in PATH, as execvp(3) does; names with a slash stay. Then says
 * what can be known of that file: what it is, its rights, and the same of the
 * interpreter of a script. Returns 0, also where only exec can tell, or -1 with
 * err filled (ERR_NO_PROGRAM, ERR_NOT_EXECUTABLE). */
int program_find(const char *name, char path[PATH_MAX], struct err *err);

/* Says whether the first bytes of a file are a program that can be started and
 * traced here. Returns 0, or -1 with err filled (ERR_NOT_EXECUTABLE). */
int program_check_image(const char *name, struct bytes head, struct err *err);

#endif
