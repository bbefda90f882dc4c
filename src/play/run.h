/* SPDX-License-Identifier: MIT */
/*
 * play/run.h - one line of the playground runs in a process of its own.
 *
 * The process (lessons/playground/host.c) is started with the registers and the
 * memory of a state, and watched as any program is: what the line did is taken
 * from the events, also the state after it. Whatever the line does to its
 * process, the state before it is still there.
 */
#ifndef JITTRACE_PLAY_RUN_H
#define JITTRACE_PLAY_RUN_H

#include "cpu/regs.h"
#include "cpu/vregs.h"
#include "play/request.h"
#include "step/driver.h"
#include "trace/history.h"

/* At most so many instructions, and milliseconds, for one line. */
#define RUN_STEPS 10000
#define RUN_TIME  3000

struct play_state {
    struct regs regs;
    struct vregs vregs;
    uint8_t data[PLAY_PAGE];
    uint8_t stack[PLAY_STACK_SIZE];
};

/* What a new function finds: zeros, and a return address. */
void play_state_init(struct play_state *state);

/* The flags that are kept from line to line: all that flags_describe knows but
 * for the trap flag. */
uint64_t play_flags(void);

/* Starts the process with what it reads from the descriptor, which is the
 * caller's. Returns its events, or NULL with err filled. */
typedef struct source *play_start(void *context, int request, struct err *err);

enum run_end {
    RUN_DONE,      /* it came to its end */
    RUN_RETURNED,  /* and by a return to its caller */
    RUN_CALLS,     /* stopped before a system call that it must not make */
    RUN_LEFT,      /* stopped where it went to code that is not its own */
    RUN_STEPPED,   /* stopped after RUN_STEPS */
    RUN_UNWATCHED, /* stopped, as it cannot be followed: the last event says
                    * why */
    RUN_SLOW,      /* stopped after RUN_TIME */
    RUN_ASKED,     /* stopped by the reader */
    RUN_ENDED,     /* the process has ended */
    RUN_TRAPS,     /* at its end, with the trap flag set */
};

struct run {
    struct history *history; /* freed by run_release */
    enum run_end end;
    uint64_t call;   /* RUN_CALLS: its number ... */
    bool by_syscall; /* ... as the instruction of that name has them */
    int signal;      /* RUN_ASKED: which asked us to end, if not SIGINT */
};

/* Runs code, not empty and at most PLAY_PAGE bytes, and makes *state what is
 * after it if the end is RUN_DONE or RUN_RETURNED: then rsp is as before the
 * return, so that there is a caller again. Returns 0, or -1 with err filled if
 * nothing can be run. */
int run_code(struct play_state *state, struct bytes code, play_start *start,
             void *context, struct driver *driver, struct run *run,
             struct err *err);
void run_release(struct run *run);

#endif
