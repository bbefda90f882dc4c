/* SPDX-License-Identifier: MIT */
/*
 * target/calls.h - the system calls that jittrace knows by name: what they do
 * to memory, and how a reader would write them.
 */
#ifndef JITTRACE_TARGET_CALLS_H
#define JITTRACE_TARGET_CALLS_H

#include "target/tracee.h"

/* What a call means to an observer of code. */
enum call_kind {
    CALL_OTHER,
    CALL_MMAP,
    CALL_PROTECT, /* mprotect, pkey_mprotect */
    CALL_MUNMAP,
    CALL_MREMAP,
    CALL_BRK,
    CALL_ATTACH, /* shmat */
    CALL_DETACH, /* shmdt */
    CALL_EMPTY,  /* madvise that gives the pages' content up */
    CALL_OUTPUT, /* write and writev */
    CALL_STACK,  /* sigaltstack: the kernel will write there */
    CALL_PLACE,  /* rseq, set_tid_address: it will write to the argument */
    CALL_FREEZE, /* may forbid the process to change protections */
    CALL_DOMAIN, /* personality: may make all that is readable executable */
    CALL_POKE,   /* process_vm_writev: may write to another process */
    CALL_OPEN,   /* opens a file for writing */
    CALL_UFFD,   /* userfaultfd: pages can have one only */
    CALL_RING,   /* io_uring_setup: the kernel will write at any time */
    CALL_HIDE,   /* may forbid others to read the process's memory */
    CALL_ACTION, /* sets what happens at a signal */
    CALL_CPUS,   /* shows, sets or hands on the CPUs that a thread may use */
};

enum call_kind call_kind(const struct call *call);

/* The number of the call about memory of that name: it maps or unmaps, changes
 * a protection or gives content up. */
bool call_find(const char *name, uint64_t *number);

/* The pages from args[0] on that a call of a kind that names them so is about:
 * mprotect, munmap, madvise, mmap at a fixed place. False if the kernel looks
 * at the arguments alone and does nothing: addr is not that of a page, the
 * length is 0 or wraps, the protection has bits that there are none of
 * (mprotect(2), munmap(2), madvise(2); do_mprotect_pkey in the kernel). */
bool call_range(const struct call *call, uint64_t *addr, uint64_t *length);

/* "mprotect" and the like, or "system call 123"; the whole call in C:
 * "mmap(NULL, 4096, PROT_READ|PROT_WRITE, ...)";
 * "MAP_PRIVATE|MAP_ANONYMOUS". */
void call_name(const struct call *call, struct buf *out);
void call_describe(const struct call *call, struct buf *out);
void call_describe_map_flags(uint64_t flags, struct buf *out);

/* The descriptor that a call writes to with a file position or offset, so that
 * it could be somebody's memory (/proc/PID/mem, proc_pid_mem(5)); else -1. */
int call_written_fd(const struct call *call);

/* Whether the kernel may write to the watched range [addr, addr + length)
 * during the call: one of its arguments points there, or it takes pointers to
 * pointers, which could. */
bool call_may_write(const struct call *call, uint64_t addr, uint64_t length);

/* Whether the code at addr ends a signal handler: it makes the system call
 * rt_sigreturn (sigreturn(2)), as what a handler returns to does. */
bool call_ends_handler(pid_t pid, uint64_t addr);

#endif
