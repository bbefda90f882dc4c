/* SPDX-License-Identifier: MIT */
/*
 * check/ledger.h - what rules look at, and what they have found.
 *
 * The ledger has the state before the event that is looked at (a view), who
 * emitted each byte of code, and for each rule how often it was held, how often
 * it could not be told, and where it was broken. A rule says so by ledger_held,
 * ledger_missed and ledger_found; what that comes to is a verdict:
 *
 *     found at least once              broken, or a note
 *     else missed, or not all that it
 *     needs was watched, or never held not seen
 *     else                             ok
 *
 * Rules are looked at by families (check/convention.h and others): a struct of
 * their own state and functions that are called before the view has taken an
 * event, and after it.
 */
#ifndef JITTRACE_CHECK_LEDGER_H
#define JITTRACE_CHECK_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "check/rules.h"
#include "cpu/touch.h"
#include "trace/event.h"
#include "trace/pack.h"
#include "trace/view.h"

/* How many findings of one rule are told; of more only their number. */
#define LEDGER_MOST 8u

/* An instruction that was executed, or was to be: what a verdict points to. */
struct place {
    bool known;   /* else nothing of it is */
    uint64_t seq; /* of the event */
    uint64_t addr;
    uint64_t offset;              /* from the start of its mapping */
    const struct srcline *source; /* NULL: that of who emitted it */
    uint8_t length;               /* of bytes; 0: they are not known */
    uint8_t bytes[INSN_MAX_LENGTH];
};

/* A store of code, kept for as long as a byte of it stands. */
struct ledger_store {
    struct range_value value;
    uint64_t seq;
    int tid;
    uint64_t addr; /* what it stored: here or, by `also`, elsewhere */
    size_t length;
    uint8_t packed[]; /* the event */
};

/* One way in which a rule was broken, or may be. */
struct finding {
    enum rule rule;
    bool is_note;          /* unless --strict */
    uint64_t key;          /* with the place, what makes it another finding */
    struct event *verdict; /* but for how often, and what to do */
    uint64_t times;
};

struct ledger {
    struct view view;
    struct ranges emissions; /* of addresses */
    struct words words;      /* of the stores */
    struct buf packing;
    struct unpacked write; /* what ledger_write returned */
    struct insn insn;      /* that of the step that is looked at, and */
    struct insn_touch touch;
    bool decoded;       /* whether it is one */
    bool foreign;       /* generated code is called by what is no C */
    bool wanted[RULES]; /* those that are looked at */
    bool strict;
    uint64_t held[RULES];
    uint64_t more[RULES]; /* findings that are only counted */
    char *missed[RULES];  /* why, the first time; or NULL */
    char *unwatched[8];   /* by each RULE_NEEDS_ bit: the first limit */
    struct finding *findings;
    size_t count;
    size_t capacity;
};

void ledger_release(struct ledger *ledger);

/* Takes an event into account, as the view does; between the two families. */
void ledger_apply(struct ledger *ledger, const struct event *event);

/* The place of a step. */
struct place ledger_place(const struct event *step);

/* The place of an instruction that did not run, from the bytes in the view. */
struct place ledger_place_at(const struct ledger *ledger, uint64_t seq,
                             uint64_t addr);

/* The latest store of the byte at addr, or NULL: none was seen. Valid until the
 * next event. */
const struct ledger_store *ledger_emission(const struct ledger *ledger,
                                           uint64_t addr);

/* Its write event, valid until this is asked for again. */
const struct event *ledger_write(struct ledger *ledger,
                                 const struct ledger_store *emission);

/* Makes insn and touch those of the step; call it before ledger_apply. */
void ledger_decode(struct ledger *ledger, const struct event *event);

/* The rule could have been broken and was not. */
void ledger_held(struct ledger *ledger, enum rule rule);

/* The rule may have been broken unseen: why, as a clause. */
void ledger_missed(struct ledger *ledger, enum rule rule, const char *why);

/* The rule was broken at that place, the culprit. The text says how and needs
 * no full stop; the rule's advice is told behind it. Found again at the same
 * place with the same key it is counted. */
void ledger_found(struct ledger *ledger, enum rule rule,
                  const struct place *place, uint64_t key, const char *format,
                  ...) __attribute__((format(printf, 5, 6)));

/* The same as a note, where the rule is none by itself. */
void ledger_noted(struct ledger *ledger, enum rule rule,
                  const struct place *place, uint64_t key, const char *format,
                  ...) __attribute__((format(printf, 5, 6)));

/* The verdict number *state, from 0, as an event that borrows from the ledger
 * and from buf: those that are wanted, in the order of the rules. all: not only
 * the broken ones. Returns false if there are no more. */
struct verdicts {
    bool all;
    unsigned rule; /* the next one */
    size_t at;     /* the next finding of it */
    struct buf text;
};
bool ledger_verdict(const struct ledger *ledger, struct verdicts *verdicts,
                    struct event *event);

#endif
