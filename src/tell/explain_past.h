/* SPDX-License-Identifier: MIT */
/*
 * tell/explain_past.h - the inside of explain.h: what a crash is, and what
 * events before it tell.
 *
 * No question goes further back than PAST_EVENTS: what is older is not found,
 * and then nothing is said of it. An event that is returned is valid until the
 * next question.
 */
#ifndef JITTRACE_TELL_EXPLAIN_PAST_H
#define JITTRACE_TELL_EXPLAIN_PAST_H

#include "cpu/insn.h"
#include "tell/explain.h"

/* An instruction of generated code that was executed. */
struct seen {
    bool known;
    uint64_t index; /* of its event in the past */
    uint64_t seq;
    uint64_t next;    /* the program counter after it */
    struct insn insn; /* length 0: its bytes are no instruction */
};

/* How a thread came to where the signal was raised. */
struct way {
    enum {
        WAY_UNSEEN,  /* it was not seen in generated code */
        WAY_STEPPED, /* its last instruction led there; it is inside */
        WAY_ENTERED, /* it entered generated code there */
        WAY_LEFT,    /* it left generated code for there, and came no further */
        WAY_AWAY,    /* it is in other code since it left */
    } kind;
    bool called;      /* it left by a call or a jump */
    uint64_t seq;     /* of that event */
    struct seen step; /* its last instruction, if there is one */
};

struct crash {
    const struct past *past;
    const struct view *view;
    uint64_t index; /* of the event that is explained */
    struct event *event;
    const struct event_signal *signal;
    bool handled;     /* the program went on */
    int first_tid;    /* the thread that the program began with; 0: not known */
    bool in_child;    /* that is not watched: index is that of its fork */
    uint64_t pc;      /* of the instruction that failed */
    struct insn insn; /* length 0: it is not known, or is none */
    struct bytes bytes;
    bool regs_known;
    struct regs regs;
    bool was_watched; /* generated code up to there; else where the registers
                       * are from is not known */
    const struct region *code; /* that pc is in, or NULL */
    uint64_t base;             /* code[0] in what is said */
    struct way way;
    struct phrases phrases;
    struct explanation *out;
};

/* The latest event below *index in the look-back, of that thread, or of any
 * (tid 0), or NULL; *index becomes its number. */
const struct event *past_earlier(const struct crash *crash, int tid,
                                 uint64_t *index);

/* Whether threads ran on unwatched after that event: a budget for steps. */
bool past_is_gap(const struct event *event);

/* The latest budget for steps or entries that was spent, or NULL. */
const char *past_find_budget(const struct crash *crash);

/* The latest of these kinds of the crash's thread, or NULL: what was before it
 * ran on unwatched says nothing of now. */
#define PAST(kind) (1u << EVENT_##kind)
#define PAST_MOVES (PAST(STEP) | PAST(ENTER) | PAST(LEAVE))
const struct event *past_find(const struct crash *crash, unsigned kinds,
                              uint64_t *index);

/* The latest write to addr, or the latest map or unmap of it, of any thread and
 * before gaps, too; or NULL. */
const struct event *past_find_at(const struct crash *crash,
                                 enum event_kind kind, uint64_t addr);

/* The event of that number, of any thread, or NULL. */
const struct event *past_find_seq(const struct crash *crash, uint64_t seq);

/* The latest call that failed though it would have allowed the access, "write"
 * and the like, at addr, and nothing changed there since; or NULL. */
const struct event *past_find_refused(const struct crash *crash,
                                      const char *access, uint64_t addr);

/* The latest mmap or mremap that failed, or NULL. */
const struct event *past_find_failed_map(const struct crash *crash);

/* Where a value is from that a register has before event `index`, of a thread
 * that was in generated code there. What other code did is not known: a value
 * is followed through it only where it must be, and is, the same behind it. */
struct value_from {
    enum {
        FROM_UNKNOWN,
        FROM_STEP,    /* an instruction set it */
        FROM_ENTRY,   /* it was so when control came in */
        FROM_CALL,    /* a function that generated code called left it so */
        FROM_HANDLER, /* a signal handler did */
    } kind;
    uint64_t seq;         /* of the event that tells */
    struct seen step;     /* that instruction, or the call */
    struct srcline place; /* of the entry; valid until the next question */
};
void past_find_value(const struct crash *crash, enum reg reg, uint64_t value,
                     uint64_t index, struct value_from *out);

/* The instruction before the one that failed that changes the register, as the
 * code is read from the nearest place below it on that was seen being called:
 * nobody saw whether control came that way. Returns false if there is
 * none behind the last call, jump or ret, or if it gives another value. */
bool past_read_change(const struct crash *crash, enum reg reg,
                      struct insn *out);

/* Whether generated code has returned with another value in a register than it
 * had when control came in, though a function must leave that as it was: *step
 * is what last changed it, *enter the enter, valid until the next question. */
bool past_find_broken(const struct crash *crash, enum reg reg,
                      struct seen *step, const struct event **enter);

/* A step as struct seen. */
void seen_from(const struct event *event, uint64_t index, struct seen *out);

#endif
