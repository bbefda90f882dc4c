/* SPDX-License-Identifier: MIT */
/*
 * check/calls.h - the calls from outside that generated code is in, and what it
 * did in each of them.
 *
 * The frames of a view say which calls there are; here is what the rules of the
 * calling convention must know besides: what set a register since the call
 * began, or since a function outside came back. A record ends with its call. A
 * call that began or ended unseen has none.
 */
#ifndef JITTRACE_CHECK_CALLS_H
#define JITTRACE_CHECK_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "check/ledger.h"
#include "check/values.h"
#include "check/vectors.h"
#include "cpu/calling.h"

/* What became of a register that a call must give back. */
struct kept {
    struct place first; /* what changed it first, and last */
    struct place last;
    bool loaded;  /* the last one took the value from memory */
    bool stored;  /* the caller's value was, before it was changed */
    bool outside; /* a function outside changed it */
};

/* A call from outside that has not ended. */
struct call {
    uint64_t seq; /* of its enter event: that of its frame */
    struct regs regs;
    bool blind;   /* not all of its steps were seen */
    bool aligned; /* the stack was, when it began */
    struct kept kept[CALLING_SAVED];
    struct opt_u64 fp;      /* the state at its entry */
    struct place direction; /* what set the direction flag last */
    struct place control;   /* what set the control bits of fp last */
    struct place x87;       /* what used an x87 or MMX register first */
    struct place vector;    /* what set the first vector register last */
    bool result_set;        /* something has set the result register */
    struct place returns;   /* what stored over the address to return to */
    uint64_t returns_to;    /* that address */

    uint32_t set;         /* registers that were, since it began or a function
                            * outside came back: bits of enum reg */
    uint32_t unread;      /* those of them that nothing has read since */
    uint32_t vectors;     /* vector registers that were and nothing has read */
    uint32_t vectors_set; /* all that were */
    uint32_t vectors_given; /* those that were read as the caller left them */
    uint32_t lost;          /* registers that such a function or the kernel has
                            * changed, and nothing has set since */
    struct place out;       /* the latest call of a function outside, and */
    bool left;              /* it has not returned */
    struct place lost_by;   /* that call */
    const char *lost_name;  /* "syscall" or "the call" */
    bool plain;             /* the function called is one of C, surely */
    bool known;             /* and its types are */
    char result[8];         /* what it returns, as in a leave; "": not known */
    uint8_t narrow;         /* bits of the result that count; 0: all */
    bool narrow_signed;
    struct values values;
    struct doubts doubts;
    struct vectors vector_state;
};

struct calls_thread {
    int tid;
    struct place last; /* its latest step */
    bool is_last_return;
    uint64_t left_to; /* generated code has just called or jumped there, or 0 */
    uint64_t awaited; /* by that: where its frame returns to, or 0 */
    struct place tail; /* a jump to a function outside, which returns to what
                        * it is given */
    int64_t tail_off;  /* the stack pointer was so far off then; or 0 */
    struct call *list; /* the innermost one last */
    size_t count;
    size_t capacity;
};

/* All zero is a valid one. */
struct calls {
    struct calls_thread *threads;
    size_t count;
    size_t capacity;
    char *program; /* its file, without directories */
};

void calls_release(struct calls *calls);

/* Made when it is first asked for; valid until another is. */
struct calls_thread *calls_thread(struct calls *calls, int tid);

/* The innermost call of the thread, if it is in code of that, and all that ran
 * of it was seen; or NULL. */
struct call *calls_now(struct calls_thread *thread,
                       const struct ledger *ledger);

/* Takes an event into account that the view has not taken yet. A call that
 * ends by it is still there: see calls_end. */
void calls_apply(struct calls *calls, struct ledger *ledger,
                 const struct event *event);

/*
 * The call that a leave by a return to the place awaited ends, removed, in
 * *out. False if it is none that can be judged.
 */
bool calls_end(struct calls_thread *thread, const struct ledger *ledger,
               const struct event *leave, struct call *out);

#endif
