/* SPDX-License-Identifier: MIT */
/*
 * tell/stack.h - the words of the stack around its pointer, and what each of
 * them is as far as events tell.
 */
#ifndef JITTRACE_TELL_STACK_H
#define JITTRACE_TELL_STACK_H

#include "tell/explain.h"
#include "tell/phrase.h"
#include "trace/history.h"

/* --- stores onto the stack ------------------------------------------------ */

/* The latest one to an address, by a step. */
struct stack_store {
    uint64_t addr;
    uint64_t value; /* of its first 8 bytes */
    uint64_t seq;   /* of the step */
    uint64_t pc;
    uint32_t size; /* bytes stored */
    uint8_t length;
    uint8_t insn[INSN_MAX_LENGTH];
};

/* Those of a thread that are not older than its events, nor far from the stack
 * pointer; all zero is a valid empty one. */
#define STACK_STORES 64u
struct stack_stores {
    uint64_t top; /* the stack pointer; 0: not known */
    size_t count;
    struct stack_store list[STACK_STORES]; /* the oldest first */
};

/* Takes the next event of that thread into account. */
void stack_note(struct stack_stores *stores, const struct event *event);

/* --- words ---------------------------------------------------------------- */

/* The stack of a thread as an event has it; all is borrowed but for copy. */
struct stack_words {
    uint64_t seq; /* the number of that event */
    int tid;
    uint64_t top;  /* the stack pointer behind it */
    uint64_t addr; /* of the first word */
    size_t count;
    const uint8_t *words;    /* 8 bytes each */
    const struct view *view; /* after the event */
    struct past past;        /* up to there */
    struct stack_stores *stores;
    struct event *copy; /* or NULL; words are its */
};

/* Takes what an event has of the stack: words, addr, count, seq and tid.
 * Returns false if it has nothing. */
bool stack_take(const struct event *event, struct stack_words *out);

/* Finds the latest event up to seq of the thread that event seq is of which has
 * any. Returns false if there is none; release it if there is. Valid until the
 * next question for a view of the history. */
bool stack_find(struct history *history, uint64_t seq, struct stack_words *out);
void stack_release(struct stack_words *stack);

/* The value of a word. */
uint64_t stack_word(const struct stack_words *stack, size_t n);

/* What a word is: "return address, to jit.c:12", "the caller's rbx, pushed at
 * code[0]", "popped; pushed by push 5 at code[4]"; "" where nothing tells. *seen
 * (or NULL): whether events tell, else it is taken from its value. */
const char *stack_meaning(const struct stack_words *stack, size_t n, bool *seen,
                          struct phrases *phrases);

#endif
