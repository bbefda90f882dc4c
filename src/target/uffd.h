/* SPDX-License-Identifier: MIT */
/*
 * target/uffd.h - write protection that the program cannot see.
 *
 * A userfaultfd (userfaultfd(2)) write-protects pages beside their protection:
 * mprotect(2) and /proc/PID/maps know nothing of it, and we set and lift it
 * from our side, without a stop of the tracee. A store into such a page raises
 * SIGBUS with si_code BUS_ADRERR (UFFD_FEATURE_SIGBUS), and a system call that
 * is to write there fails with EFAULT. It ends with the mapping, with exec,
 * when a mapping is moved, and when its descriptor is closed, as when we die; a
 * forked child does not have it.
 */
#ifndef JITTRACE_TARGET_UFFD_H
#define JITTRACE_TARGET_UFFD_H

#include <stdbool.h>
#include <stdint.h>

#include "target/tracee.h"

/*
 * Makes the tracee open a userfaultfd for its memory, takes that over and
 * closes it there. Returns a descriptor, which the caller closes, or -1 where
 * there is none: a kernel before 6.4, no permission, a sandbox (then the
 * tracee is not even asked: a sandbox may kill who makes an unusual call).
 */
int uffd_open(struct tracee *tracee);

/*
 * Makes whole pages ready to be protected: once for each mapping. Returns 0, or
 * -1 if that kind of mapping cannot be: private ones of files, and System V
 * shared memory.
 */
int uffd_register(int fd, uint64_t addr, uint64_t length);

/* Protects whole pages that are registered, or not any more. Returns 0 or
 * -1. */
int uffd_protect(int fd, uint64_t addr, uint64_t length, bool protect);

#endif
