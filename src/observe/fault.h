/* SPDX-License-Identifier: MIT */
/*
 * observe/fault.h - whose is a signal? A fault at a guard and the trap behind a
 * step are ours. All others are the program's (signals.h).
 */
#ifndef JITTRACE_OBSERVE_FAULT_H
#define JITTRACE_OBSERVE_FAULT_H

#include "observe/thread.h"

/* A SIGSEGV or SIGBUS as its siginfo and the program counter tell it. */
struct fault {
    int signal;
    int code;      /* si_code (sigaction(2)) */
    uint64_t addr; /* si_addr */
    uint64_t pc;
    unsigned length; /* of the instruction at pc; the longest if unknown */
    bool stores;     /* that instruction stores to addr */
};

enum fault_class {
    FAULT_PROGRAM, /* none of ours: the program gets its signal */
    FAULT_STORE,   /* a store into a region whose write permission is taken */
    FAULT_FETCH,   /* a fetch from a region whose execution is taken */
    FAULT_STALE,   /* nothing is taken any more: the access can be repeated */
};

/* Classifies a fault from the guards that are armed. Only a fault on a
 * permission that a guard holds back is ours: SEGV_ACCERR, or BUS_ADRERR where
 * a userfaultfd holds back the write permission. The kernel does not say which
 * kind of access failed. It was the fetch if the address lies in the
 * instruction itself and the page cannot be executed: an instruction that lies
 * across two pages faults at the second one. Where it can be executed, an
 * instruction that stores to itself has faulted at that. A fault is stale when
 * a guard was lifted for another thread after it happened. */
enum fault_class fault_classify(const struct regions *regions,
                                const struct fault *fault);

/* A signal is about to be delivered; the thread's registers are fetched. */
enum go fault_stopped(struct thread *thread, const siginfo_t *info);

/* The stop behind a GO_AGAIN: if the instruction was executed, the thread goes
 * on behind it. */
enum go fault_repeated(struct thread *thread, const struct stop *stop);

#endif
