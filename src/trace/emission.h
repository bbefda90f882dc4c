/* SPDX-License-Identifier: MIT */
/*
 * trace/emission.h - which bytes of code were stored together, and by whom.
 *
 * A program that makes code stores it through helpers, so that all bytes have
 * the same source line. Who asked for them are the callers of the store, which
 * a write event has (via). A chain is the storing place and those callers:
 *
 *     emit, jit.c:13  <-  mov, jit.c:20  <-  gen, jit.c:88  <-  main, jit.c:40
 *
 * The first one that is in no helper names the bytes. A helper is a function
 * that was called from several places and never stored more at once than one
 * instruction has room for, unless it has copied that. All bytes that were
 * stored by one call from there are an emission.
 *
 * What belongs to one call is found by comparing a store with the one before of
 * the same thread: what lies outwards of the first place that differs is the
 * same call still. Two calls from one place, one right behind the other as in a
 * loop, look like one, unless what they do begins anew in between.
 */
#ifndef JITTRACE_TRACE_EMISSION_H
#define JITTRACE_TRACE_EMISSION_H

#include "trace/event.h"
#include "trace/pack.h"
#include "trace/ranges.h"

/* The storing place and its callers. */
#define MAX_CHAIN (1 + MAX_CALLERS)

struct chain {
    struct caller list[MAX_CHAIN]; /* the storing place first */
    size_t count;
    size_t named_by; /* the index of the one that names it */
};

struct emission {
    uint64_t id;    /* of its bytes, and of no others'; from 1 on */
    uint64_t from;  /* all bytes around the one that was asked for and are of */
    uint64_t to;    /* it: [from, to) */
    uint64_t write; /* the write that stored the byte: as its place in the
                     * trace, counted from 0 */
    int tid;
    struct chain chain; /* texts are valid as long as the emissions */
};

struct stored;
struct thread_chain;
struct function;

/* All zero is a valid one that has seen no event. */
struct emissions {
    uint64_t applied; /* events taken into account */
    uint64_t calls;   /* numbers of calls that were given */
    struct words words;
    struct function *functions; /* by the number of their name */
    size_t function_count;
    struct stored *list; /* each write that is of use */
    size_t count;
    size_t capacity;
    struct thread_chain *threads;
    size_t thread_count;
    size_t thread_capacity;
    struct ranges pages; /* of each byte, the write that stored it */
};

void emissions_release(struct emissions *emissions);

/* Takes the next event into account. Names get better the more is known of who
 * calls whom: emissions_learn takes only this from an event, so that a trace
 * can be gone through once before. */
void emissions_apply(struct emissions *emissions, const struct event *event);
void emissions_learn(struct emissions *emissions, const struct event *event);

/* The chain of a write event; its texts are those of the event. Nobody names it
 * yet but the storing place. */
void chain_of(const struct event *event, struct chain *out);

/* The same of a verdict, and who names it there. */
void chain_of_verdict(const struct event *event, struct chain *out);

/* Finds who names a chain, as far as it is known who calls whom. */
void emissions_name(struct emissions *emissions, struct chain *chain);

/* The length of the function's name in a symbol of an event: what is behind it
 * is the offset there. */
size_t chain_function(const char *symbol);

/* The emission that the byte at addr is of by now. Returns false if nobody was
 * seen storing it. */
bool emissions_at(struct emissions *emissions, uint64_t addr,
                  struct emission *out);

/* Whether the two bytes were stored by calls that were made side by side, and
 * neither by the caller itself, with what was inlined into it: there it is the
 * compiler that says where a store ends, and one may have bytes of two. */
bool emissions_apart(const struct emissions *emissions, uint64_t addr,
                     uint64_t other);

/* Whether an instruction of length bytes at addr takes bytes of another call
 * than the one that stored its beginning, and not all of them: of the two calls
 * that were made side by side, *begun stored its first byte, and *cut, which
 * starts inside the instruction and goes on behind it, its last one. A helper
 * that stores a part of an instruction, such as an immediate, does not cut.
 * Both are as above, but for id, from and to: they are those of these calls. */
bool emissions_cut(struct emissions *emissions, uint64_t addr, uint64_t length,
                   struct emission *begun, struct emission *cut);

#endif
