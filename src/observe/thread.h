/* SPDX-License-Identifier: MIT */
/*
 * observe/thread.h - a thread of the program: what it does, and how it goes on.
 *
 *      run 1 ---- n thread n ---- 1 space 1 ---- n region
 *
 *                  entry              steps spent
 *         free ------------> inside ---------------> running on
 *          ^                  |  ^                    |     |
 *          +------------------+  +--------------------+     |
 *          |      leave            entry elsewhere          |
 *          +------------------------------------------------+
 *                                  its end
 *
 * In each of the three a thread runs code (MODE_CODE), is in a system call or
 * makes a store.
 */
#ifndef JITTRACE_OBSERVE_THREAD_H
#define JITTRACE_OBSERVE_THREAD_H

#include "observe/budget.h"
#include "observe/choice.h"
#include "observe/thread_parts.h"
#include "target/vectors.h"
#include "trace/source.h"

/* What its next stop is read as. */
enum mode {
    MODE_CODE,    /* that of code: at full speed, or of a step if inside */
    MODE_CALL,    /* between a system call's entry and its exit */
    MODE_STORING, /* one step with write guards lifted: store.h */
};

/* How a thread goes on behind a stop: handlers return it, the loop does it. */
enum go {
    GO_NOT,   /* it is gone, or waits for another thread */
    GO_ON,    /* in whatever it was doing, with a signal that is held for it */
    GO_RUN,   /* the same at full speed, whatever it was doing */
    GO_STEP,  /* one step, and no signal with it */
    GO_PLAIN, /* at full speed until anything happens, and no signal with it */
    GO_ALONE, /* into the handler of `alone`, while no other thread runs */
    GO_AGAIN, /* it repeats one instruction while no other thread runs */
};

struct thread {
    struct tracee tracee;
    struct run *run;
    struct space *space; /* NULL until its parent's stop tells */

    enum mode mode;
    struct call call;        /* the latest one */
    struct whatif *not_made; /* it is skipped, because of that; or NULL */
    bool narrowed; /* it is a mprotect, of these pages alone: see maps.c */
    uint64_t narrowed_from, narrowed_to;
    bool lifted;     /* write guards are lifted for it */
    unsigned undone; /* times that it was: see process_may_write */
    struct store_step store;
    bool inside; /* generated code, one step after the other */
    struct stay stay;
    struct asked asked;
    struct run_on run_on; /* pending and not inside: it runs on */

    enum go go; /* it was decided, and how to is yet to be found: */
    bool due;   /* it stands still and is to go on, so: */
    enum resume due_how;
    int due_signal;
    bool running;  /* it was resumed and no stop of it was read */
    bool has_stop; /* a stop of it was taken early, and is to be read: */
    struct stop stop;
    bool waits_for_call;  /* at the entry of its own: see guard.h */
    bool waits_for_store; /* to repeat an access: see store.h */

    struct awaited awaited[MAX_AWAITED]; /* newest at awaited_count - 1 */
    unsigned awaited_count;
    struct place back;     /* where the present function returns to */
    struct insn called_by; /* the call that led to generated code last */
    const char *left_by;   /* how the last stay ended; or NULL */
    struct place left_to;  /* and where to */
    int alone;             /* the signal of a GO_ALONE */
    bool beginning;        /* a handler: its first instruction stops it */
    bool blocks_fault;     /* it was started with SIGSEGV blocked */
    bool from_terminal;    /* the last signal was (Ctrl-Z) */
    uint64_t interrupted;  /* the instruction that a signal came before, or 0 */
    unsigned undisturbed;  /* so many steps are not interrupted by signals */
    uint64_t stops;        /* that were read of it */
    uint64_t seen;         /* turns of the space, when it was resumed */
    bool may_have_faulted; /* before this stop, and will only now be told so */
    bool settled;          /* nothing has turned since that could matter */
    bool raised_again;     /* the fault that is due is: see signals.c */
    bool mask_kept; /* it has this signal mask up to its next stop, but for what
                     * a forced signal changes */
    uint64_t mask;
    struct last_fault last_fault;
};

/* A run of a program: the source that observe.h is about. */
struct run {
    struct source source;
    pid_t root;         /* the process that was started */
    bool has_strangers; /* we have children that are not of the program */
    bool started;       /* the start event was emitted */
    bool ending;        /* by observe_end */
    bool ended;         /* the exit event was emitted */
    struct opt_u64 status, signal; /* of the root, once it has ended */
    struct spending spent;
    struct choice choice;
    bool has_printed;     /* what is awaited before anything is shown */
    struct buf printed;   /* until then: the last of what it did print */
    struct buf others;    /* what ran and was not asked for, for a message */
    uint64_t seq;         /* of the next event */
    struct event **queue; /* events that wait to be read, the oldest at first */
    size_t first, queued, queue_capacity;
    struct event *current; /* what source_next returned last */
    struct thread **threads;
    size_t thread_count, thread_capacity;
    enum { REGISTERS_UNTRIED, REGISTERS_STOP, REGISTERS_NEVER_STOP } registers;
    bool told_returns; /* that some returns are not seen */
    struct vectors_layout vectors;
    bool told_vectors; /* that some registers are not seen */
};

/* The list may not change meanwhile. */
#define for_each_thread(one, run)                           \
    for (struct thread **one##_at = (run)->threads, *one;   \
         one##_at < (run)->threads + (run)->thread_count && \
         (one = *one##_at, true);                           \
         one##_at++)

/* The thread of that ID, or NULL. Adds one that has no space yet; moves one to
 * another space, or to none (NULL); frees one. */
struct thread *thread_find(const struct run *run, pid_t tid);
struct thread *thread_add(struct run *run, const struct tracee *tracee);
void thread_move(struct thread *thread, struct space *space);
void thread_remove(struct thread *thread);

/* A call that has begun, if any, begins anew later. False: it cannot. */
bool thread_undo_call(struct thread *thread);

/* The instruction at pc is about to be stepped. If a signal came before it the
 * last time, signals wait for some steps, lest the program never get on. */
void thread_defer_signals(struct thread *thread, uint64_t pc);

/* Stops a thread that runs in user code at once. Gives all threads the CPUs
 * back that the program gave them. */
void thread_stop(struct thread *thread);
void threads_unpin(struct run *run);

/* Queues a copy of the event with the next number. */
void run_tell(struct run *run, struct event *event);

/* The line of the program that the thread's present call or store is due to;
 * *out is all zero where that is not known. */
void thread_source(struct thread *thread, struct srcline *out);

/* Says that something is not watched any more. addr 0: not about a region. */
void thread_limit(const struct thread *thread, const char *budget,
                  uint64_t addr, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
