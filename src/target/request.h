/* SPDX-License-Identifier: MIT */
/*
 * target/request.h - the one call of ptrace(2), for the files that make
 * requests of a tracee: tracee.c, inject.c and the one for its CPU.
 */
#ifndef JITTRACE_TARGET_REQUEST_H
#define JITTRACE_TARGET_REQUEST_H

#include <stdint.h>
#include <sys/types.h>

/*
 * Makes a request (PTRACE_*). data is a pointer or, where the request takes a
 * number, that number. Returns what the request does, or -1 with errno.
 */
long ptrace_request(int op, pid_t tid, uintptr_t addr, const void *data);

#endif
