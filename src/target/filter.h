/* SPDX-License-Identifier: MIT */
/*
 * target/filter.h - which system calls stop the program at all.
 *
 * A seccomp filter (seccomp(2)) runs in the kernel for 40 ns a call; a stop
 * costs two hundred times as much. So the program is started under a filter
 * that stops it only at the calls that can make, change or remove code, that
 * write to descriptors 1 and 2, that would show that it is kept on one CPU, or
 * that set what is to be done at a signal which jittrace makes use of.
 */
#ifndef JITTRACE_TARGET_FILTER_H
#define JITTRACE_TARGET_FILTER_H

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

/* Newer than the C library's headers may be. */
#ifndef SYS_mseal
#define SYS_mseal 462
#endif
#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#endif
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif

/* A mprotect, munmap, personality, userfaultfd or rt_sigaction whose sixth
 * argument, which the kernel ignores, is this number is one of jittrace's own
 * and passes. */
#define FILTER_PASS 0x6a69747472616365u

/* What the filter says with a stop of its own (SECCOMP_RET_DATA in seccomp(2));
 * a filter of the program's may ask for stops as well. */
#define FILTER_DATA 0x6a74u

/* Whether the system has such filters: 0, or -1 with errno set. */
int filter_try(void);

/* Installs the filter in the calling process, for good. Returns 0, or -1 with
 * errno set. Async-signal-safe: it is called in a child before its exec. */
int filter_install(void);

#endif
