/* SPDX-License-Identifier: MIT */
/*
 * observe/thread_parts.h - what the files of this room keep in each thread. Who
 * writes it is named; others read it.
 */
#ifndef JITTRACE_OBSERVE_THREAD_PARTS_H
#define JITTRACE_OBSERVE_THREAD_PARTS_H

#include "observe/space.h"
#include "target/breakpoint.h"

/* Where a return leads to (0: not known), and the stack pointer behind it. */
struct place {
    uint64_t pc, sp;
};

/* A return into generated code that a leave has announced, and where the
 * function there will return to itself. */
struct awaited {
    struct place at, back;
};
#define MAX_AWAITED 64

#define DECODED 32 /* to decode anew at each step costs a tenth of it */

/* A stay in generated code, and the step that is about to be made. */
struct stay {
    uint64_t start;   /* of the mapping it is in, cut or not */
    uint64_t steps;   /* from its enter on */
    struct insn insn; /* the one about to be executed; length 0: none */
    struct regs before;
    struct vregs vregs; /* as the events have told them; where it is inside
                         * they are so */
    struct accesses accesses;
    int delivering;      /* the signal that goes with the step, or 0 */
    uint64_t decoded_at; /* these hold until space->changes differs */
    struct insn *decoded[DECODED]; /* by address; NULL or length 0: none */
};

/* The rest of a stay, not stepped; also while inside another region. */
struct run_on {
    bool pending;
    uint64_t start;         /* of the mapping it is in, cut or not */
    struct place back;      /* where it returns to */
    struct breakpoint stop; /* set there, if it can be */
    unsigned misses;        /* times that was another call's return */
};

#define MAX_DEEPER 256

/* Of what was asked for: see asked.h. */
struct asked {
    bool shown;                  /* the present stay is told by events */
    bool on;                     /* the call that is under way is to be shown */
    bool whole;                  /* up to its return */
    bool begun;                  /* just now */
    bool by_jump;                /* it has left generated code by one */
    uint64_t number;             /* of that call; 0: none is under way */
    uint64_t floor;              /* the stack pointer when it began */
    uint64_t deeper[MAX_DEEPER]; /* behind each call within it */
    unsigned depth;              /* how many these are */
    unsigned hidden; /* depth + 1 of what is excepted; 0: nothing is */
    uint64_t quiet;  /* steps of this stay that were not told */
    uint64_t caller; /* whose name was looked at last, and: */
    bool is_caller;
    uint64_t looked_at, looked_for; /* a region, and how many names: */
    bool has_place;
};

struct store_step {
    struct insn insn; /* that has faulted */
    struct regs regs; /* before it */
    struct accesses accesses;
};

/* Where an access faulted last, and how often: see fault.c. */
struct last_fault {
    uint64_t pc, addr;
    uint64_t stop;    /* the number of its stop */
    uint64_t turns;   /* of the space, when that had been read */
    unsigned repeats; /* under the same guards */
    unsigned retries; /* under others each time */
};

#endif
