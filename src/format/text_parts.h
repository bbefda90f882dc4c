/* SPDX-License-Identifier: MIT */
/*
 * format/text_parts.h - the inside of the text sink, shared by its files:
 * text.c runs it, and each text_*.c tells the events of one stage.
 *
 * An event may be held back first: text_hold.c waits for a mapping to turn out
 * to hold code, text_loop.c for a loop to end.
 *
 * When an event is told, the view has already taken it into account. What must
 * be known of the state before it is kept in `struct text`.
 */
#ifndef JITTRACE_FORMAT_TEXT_PARTS_H
#define JITTRACE_FORMAT_TEXT_PARTS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "tell/past.h"
#include "tell/pen.h"
#include "trace/pages.h"
#include "trace/sink.h"
#include "trace/view.h"

/* What is told at length the first time, and in short after that. */
enum topic {
    TOPIC_MAP_FLAGS,
    TOPIC_ZEROS,
    TOPIC_IMMEDIATES,
    TOPIC_FIELDS,
    TOPIC_DATA,
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
    bool flipped;      /* it became executable while we looked */
    bool entered;
};

/* text_loop.c: the latest steps of a thread, and the loop that it is in. */
#define TEXT_LOOP_PATH 64u
#define TEXT_LOOP_SEEN (3 * TEXT_LOOP_PATH)

struct text_loop {
    uint64_t recent[TEXT_LOOP_SEEN]; /* addresses: a ring */
    size_t count;                    /* of steps since it was begun */
    uint64_t path[TEXT_LOOP_PATH];   /* of the loop that is skipped */
    size_t length;                   /* of the path; 0: none is */
    size_t at;                       /* steps of this round so far */
    uint64_t rounds;                 /* skipped */
    struct regs before;              /* the first of them */
    struct event **held;             /* this round */
    size_t held_count;
    size_t held_capacity;
};

struct text_thread {
    int tid;
    bool regs_known;
    struct regs regs;    /* now */
    struct regs entered; /* at its latest enter that showed arguments */
    bool arguments_shown;
    uint64_t named;     /* the latest label that was told; 0: none */
    uint64_t last_addr; /* its latest step: where, and the end of it */
    uint64_t last_end;
    struct text_loop loop;
};

/* text_hold.c: what may or may not become code. */
struct text_held;
struct text_hold {
    struct regions mappings; /* those held back */
    struct text_held *list;  /* a queue of events for each */
    size_t count;
    size_t capacity;
    bool told; /* some mapping was not held back, or no longer */
    uint64_t dropped;
    uint64_t dropped_stores;
};

struct text {
    struct sink sink;
    FILE *out;
    struct pen pen;
    struct view view;
    struct text_hold hold;
    struct recent recent; /* events, as they came */

    bool started;
    enum stage stage; /* the heading that we are under */
    bool stage_told[STAGES];
    bool topic_told[TOPICS];

    int64_t pid;
    uint64_t page_size;
    char *maps_before; /* the line of the region that a protect changes */
    bool named;        /* a reader knows that `code` is the mapping at base */
    uint64_t base;
    uint64_t twin; /* where it was said to be mapped for execution, or 0 */
    bool many;     /* `code` was more than one mapping */
    struct pages stored;    /* by the program since it was last summed up */
    struct pages explained; /* immediate bytes that were told as such */
    struct pages listed;    /* where a told instruction begins */
    unsigned names_told;    /* of fields: bits of fields_names */
    unsigned places_told;   /* code that was told because it was entered */
    struct text_area *areas;
    size_t area_count;
    size_t area_capacity;
    struct text_thread *threads;
    size_t thread_count;
    size_t thread_capacity;
    int last_tid;
    unsigned names_given;  /* by the program to its code */
    uint64_t entries;      /* into generated code */
    bool unwatched;        /* from somewhere on, nothing was seen */
    struct buf output;     /* the first lines of it, each with its newline */
    unsigned output_lines; /* how many of them are complete */
    uint64_t output_total; /* bytes of it in all */
};

/* One for each kind of event.def: text_start, text_map ... */
#define EVENT(kind, name, fields) \
    void text_##name(struct text *text, const struct event *event);
#include "trace/event.def"

/* Whether this is the first time that a topic comes up. */
bool text_first_time(struct text *text, enum topic topic);

/* Takes an event into account, then tells it. */
void text_tell(struct text *text, const struct event *event);

/* Only tells it. */
void text_tell_in_words(struct text *text, const struct event *event);

/* Says whose events follow, if that is another thread than before. */
void text_name_thread(struct text *text, int tid);

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

/* Whether the bytes at addr, all of them written, are an instruction. */
bool text_decode(const struct text *text, uint64_t addr, struct insn *insn);
/* Shows the instructions at addr, which control enters, if they are news. */
void text_show_entered(struct text *text, uint64_t base, uint64_t addr);

/* text_map.c: as much of a line of maps as there is room for. */
void text_maps_line(struct pen *pen, const char *maps);

/* text_call.c: what we know of a thread; made on first use. */
struct text_thread *text_thread(struct text *text, int tid);
/* What the program calls the code at addr, "<fib+0x4>", if it has a name. */
void text_label(struct text *text, struct text_thread *thread, uint64_t addr);
/* An instruction in columns: offset, bytes, text. */
void text_tell_insn(struct pen *pen, uint64_t offset, struct bytes bytes,
                    const char *words);
/* Registers old -> new, on lines of their own. */
void text_tell_changes(struct pen *pen, const struct reg_changes *changes);
/* A step was made that is not told. */
void text_pass_step(struct text_thread *thread, const struct event_step *step);

/*
 * text_hold.c: whether the event is held back. If not, it is to be told; what
 * was held back and belongs before it was told by then.
 */
bool text_hold(struct text *text, const struct event *event);
/* At the end: what was held back to the last. */
void text_tell_held(struct text *text);
void text_hold_release(struct text_hold *hold);

/* text_loop.c: sums up the loops that end by this event. */
void text_end_loops(struct text *text, const struct event *event);
/* Whether an event is a part of one more round, not to be told now. */
bool text_loop_skips(struct text *text, const struct event *event);
void text_loop_release(struct text_loop *loop);

#endif
