/* SPDX-License-Identifier: MIT */
/*
 * tell/story_parts.h - the inside of story.c, shared by its files: it tells in
 * which order, story_events.c what an event did, story_store.c what a store is
 * a part of, story_title.c the event in short, story_words.c has their words.
 */
#ifndef JITTRACE_TELL_STORY_PARTS_H
#define JITTRACE_TELL_STORY_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "trace/event.h"
#include "trace/history.h"
#include "cpu/insn.h"

/* One event to be told. */
struct story {
    struct history *history;
    uint64_t seq;
    struct event *event; /* a copy, good for as long as the telling takes */
    bool decimal;        /* register values; else as value_describe has them */
    struct buf *out;
};

/* One of each for each kind of event.def: story_happened_start ... */
#define F(type, name)
#define EVENT(kind, name, fields)                          \
    void story_happened_##name(const struct story *story); \
    void story_title_##name(const struct story *story);
#include "trace/event.def"

/* The sentences on a write event that has bytes. */
void say_write(const struct story *story);

/* The view after the event. */
const struct view *story_view(const struct story *story);

/* Reads the instruction at addr as the view has it, if anything was written
 * there. */
bool story_decode(const struct view *view, uint64_t addr, struct insn *insn);

void say(const struct story *story, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void say_address(const struct story *story, uint64_t addr);

/* "code[3]" or "code[3..6]" */
void say_place(const struct story *story, uint64_t offset, uint64_t length);

/* "code[3]", or "0x1000" where nothing is mapped that we know of. */
void say_where(const struct story *story, uint64_t addr);

/* " <fib+0x4>" where the program has named that code, else nothing. */
void say_label(const struct story *story, uint64_t addr);

/* "code[3] = 0xfc", "code[0..1] = 48 c7", "code[0..99] = 100 bytes" */
void say_stored(const struct story *story);

/* The name of a system call in the words of strace, or other. */
void say_call_name(const struct story *story, const char *call,
                   const char *other);

/* "one page", "3 pages", "100 bytes" */
void say_length(const struct story *story, uint64_t length);

/* The value of a register. */
void say_register(const struct story *story, uint64_t value);

/* "reading and writing allowed, executing not" */
void say_rights(const struct story *story, unsigned prot);

/* Text of the program between quotes, as in C, up to so many columns. */
void say_quoted(const struct story *story, struct bytes text, unsigned limit);

/* The arguments of a start event, up to so many bytes. */
void say_argv(const struct story *story, unsigned limit);

/* "signal 11 SIGSEGV", where word is "signal" or "Signal". */
void say_signal_name(const struct story *story, const char *word);

/* "ended with status 0", "killed by signal 11 SIGSEGV" */
void say_end(const struct story *story);

#endif
