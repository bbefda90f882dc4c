/* SPDX-License-Identifier: MIT */
/*
 * trace/threads.h - where the threads are: their registers, and the calls that
 * each of them is in.
 *
 * A frame is a call of generated code, or one that generated code made: of
 * itself, of a function outside, or by a signal of the handler. Frames are
 * nested: the program calls generated code, which calls a function of the
 * program, which calls generated code again. Of calls between functions outside
 * no event tells, so they are no frames.
 *
 * A frame has ended when the stack pointer is back where the caller had it: by
 * a return, or by a jump past it (longjmp(3), an exception). What happens while
 * a thread is not watched is found when it is seen again; so a frame that was
 * left by a jump while a function outside ran may stay, as its innermost
 * caller, until the stack is above it again.
 */
#ifndef JITTRACE_TRACE_THREADS_H
#define JITTRACE_TRACE_THREADS_H

#include "cpu/regs.h"
#include "trace/event.h"

enum frame_kind {
    FRAME_ENTERED, /* a call from outside */
    FRAME_JUMPED,  /* a jump from outside */
    FRAME_CALLED,  /* a call that generated code made */
    FRAME_SIGNAL,  /* a signal handler */
};

struct frame {
    size_t uses;          /* by threads, and by frames that it called */
    struct frame *caller; /* NULL: no event tells of it */
    uint64_t depth;       /* 1 + that of the caller */
    enum frame_kind kind;
    bool outside;  /* it runs, or called something, outside of generated code */
    uint64_t seq;  /* of the event that began it */
    uint64_t addr; /* its first instruction */
    struct opt_u64 from; /* the instruction that called, or was interrupted */
    struct opt_u64 return_to; /* the address that it returns to */
    struct regs regs; /* at its first instruction; those that were interrupted,
                       * where a handler is outside */
};

/* The registers of cpu/vregs.h, which several views may share. */
struct view_vregs {
    size_t uses;
    struct vregs value;
};

/* What is known of a thread that was seen in generated code. */
struct view_thread {
    uint64_t key; /* its tid, that it is found by */
    int tid;
    bool inside;              /* it is there now */
    bool regs_known;          /* from its first enter on */
    struct regs regs;         /* while it is outside: those when it left */
    struct view_vregs *vregs; /* shared; NULL: of these nothing is known */
    uint64_t entered;         /* the number of its latest enter event */
    uint64_t left_to;         /* where its latest leave led */
    struct frame *frame;      /* the innermost one, or NULL */
    struct frame *stepped; /* the one that its latest step began in, or NULL */
};

/* All zero is a valid one without threads. */
struct threads {
    struct view_thread *list; /* sorted by tid */
    size_t count;
    size_t capacity;
    int last_tid; /* the thread that was last seen in generated code, if any */
    bool cut;     /* events are missing: what they said of vregs is not known */
};

void threads_release(struct threads *threads);

/* Makes *to, which holds nothing that needs a release, a copy of *from. */
void threads_copy(struct threads *to, const struct threads *from);

/* A copy for a forked child: its one thread is number child, which goes on as
 * the thread tid did. The registers of cpu/vregs.h are told of it anew. */
void threads_fork(struct threads *threads, int tid, int child);

/* Takes the next event into account. */
void threads_apply(struct threads *threads, const struct event *event);

#endif
