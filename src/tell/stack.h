/* SPDX-License-Identifier: MIT */
/*
 * tell/stack.h - the words of the stack around its pointer, and what each of
 * them is as far as events tell.
 */
#ifndef JITTRACE_TELL_STACK_H
#define JITTRACE_TELL_STACK_H

#include "tell/phrase.h"
#include "trace/history.h"

/* The stack of a thread as an event has it. */
struct stack_words {
    uint64_t seq;  /* of that event */
    uint64_t top;  /* the stack pointer behind it */
    uint64_t addr; /* of the first word */
    size_t count;
    const uint8_t *words; /* 8 bytes each; borrowed from copy */
    struct event *copy;
};

/* Finds the latest event up to seq of the thread that event seq is of which has
 * any. Returns false if there is none; release it if there is. */
bool stack_find(struct history *history, uint64_t seq, struct stack_words *out);
void stack_release(struct stack_words *stack);

/* The value of a word. */
uint64_t stack_word(const struct stack_words *stack, size_t n);

/* What a word is: "return address, to main() at jit.c:12", "rbx as the caller
 * had it, pushed at code[0]"; "" where nothing tells. */
const char *stack_meaning(struct history *history,
                          const struct stack_words *stack, size_t n,
                          struct phrases *phrases);

#endif
