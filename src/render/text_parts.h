/* SPDX-License-Identifier: MIT */
/*
 * render/text_parts.h - the inside of the text sink, shared by its files:
 * text.c runs it, and each text_*.c tells the events of one stage.
 *
 * When an event is told, the view has already taken it into account. What must
 * be known of the state before it is kept in `struct text`.
 */
#ifndef JITTRACE_RENDER_TEXT_PARTS_H
#define JITTRACE_RENDER_TEXT_PARTS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "render/pen.h"
#include "trace/pages.h"
#include "trace/sink.h"
#include "trace/view.h"

/* What is told at length the first time, and in short after that. */
enum topic {
    TOPIC_MAP_FLAGS,
    TOPIC_ZEROS,
    TOPIC_IMMEDIATES,
    TOPIC_FIELDS,
    TOPIC_ARGUMENTS,
    TOPICS,
};

/* What we know of the code in one mapping. */
struct text_area {
    uint64_t base;
    bool fresh;        /* some of it is new since it was last shown */
    uint64_t first;    /* from here ... */
    uint64_t last;     /* ... to here */
    uint64_t boundary; /* an instruction begins here */
};

struct text_thread {
    int tid;
    bool regs_known;
    struct regs regs;    /* now */
    struct regs entered; /* at its latest enter that showed arguments */
    bool arguments_shown;
};

struct text {
    struct sink sink;
    FILE *out;
    struct pen pen;
    struct view view;

    bool started;
    enum stage stage; /* the heading that we are under */
    bool stage_told[STAGES];
    bool topic_told[TOPICS];

    int64_t pid;
    uint64_t page_size;
    char *maps_before; /* the line of the region that a protect changes */
    bool named;        /* a reader knows that `code` is the mapping at base */
    uint64_t base;
    struct pages stored;    /* by the program since it was last summed up */
    struct pages explained; /* immediate bytes that were told as such */
    struct text_area *areas;
    size_t area_count;
    size_t area_capacity;
    struct text_thread *threads;
    size_t thread_count;
    size_t thread_capacity;
    int last_tid;
    uint64_t entries; /* into generated code */
};

/* One for each kind of event.def: text_start, text_map ... */
#define EVENT(kind, name, fields) \
    void text_##name(struct text *text, const struct event *event);
#include "trace/event.def"

/* Whether this is the first time that a topic comes up. */
bool text_first_time(struct text *text, enum topic topic);

/* A line with the place in the source, if it is known. */
void text_source(struct text *text, const struct event *event);

/* Says which mapping `code` is, unless that was the last one named. */
void text_name_code(struct text *text, uint64_t base);

/* Where the mapping that holds addr began; addr - offset if none is known. */
uint64_t text_base(const struct text *text, uint64_t addr, uint64_t offset);

/* "reading and writing allowed, executing not" */
void text_rights(unsigned prot, struct buf *out);

/* "code[3]" or "code[3..6]" */
void text_append_place(struct buf *out, uint64_t offset, uint64_t len);
/* "fc ff ff ff" */
void text_append_hex(struct buf *out, struct bytes bytes);
/* "11111100" */
void text_append_bits(struct buf *out, uint8_t byte);

/* text_imm.c: tells of the immediates stored in a range that turned out to be
 * code, and begins anew. */
void text_sum_up(struct text *text, uint64_t addr, uint64_t length);

/* text_code.c: the area at base, until the next one is asked for. */
struct text_area *text_area(struct text *text, uint64_t base);
/* Notes that [first, last] of a mapping changed. */
void text_note_fresh(struct text *text, uint64_t base, uint64_t first,
                     uint64_t last);
/* Notes what of a snapshot at addr the view does not know yet. */
void text_compare_code(struct text *text, uint64_t base, uint64_t addr,
                       struct bytes code);
/* Nothing that was known of a range holds any more. */
void text_forget(struct text *text, uint64_t addr, uint64_t length);
/* Shows what is new of the code at addr. Returns false if nothing is. */
bool text_show_code(struct text *text, uint64_t base, uint64_t addr,
                    struct bytes code);

/* text_call.c: what we know of a thread; made on first use. */
struct text_thread *text_thread(struct text *text, int tid);

#endif
