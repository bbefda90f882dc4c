/* SPDX-License-Identifier: MIT */
/*
 * tell/paragraph.h - events told one after the other, as paragraphs.
 *
 * A telling remembers what its reader was told: an idea is explained the first
 * time and named after that, of code that changes again only what is new is
 * shown. It keeps a view of its own, and a pen that everything is written with.
 *
 *     telling_behind(t, event); what the event before that meant, if only this
 *                               one tells
 *     telling_take(t, event);   the view takes the event
 *     telling_event(t, event);  its paragraph; or, where others like it were
 *     telling_pass(t, event);   told, only what later ones must know of it
 *
 * Between the two other events may be taken.
 */
#ifndef JITTRACE_TELL_PARAGRAPH_H
#define JITTRACE_TELL_PARAGRAPH_H

#include "cpu/calling.h"
#include "tell/explain.h"
#include "tell/pen.h"
#include "tell/phrase.h"
#include "tell/stack.h"

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

/* What is known of the code in one mapping. */
struct telling_area {
    uint64_t base;
    bool fresh;        /* some of it is new since it was last shown */
    uint64_t first;    /* from here ... */
    uint64_t last;     /* ... to here */
    uint64_t boundary; /* an instruction begins here */
    bool executable;   /* it became so while we looked, or was entered */
};

/* A thread, as of the latest of its events that was told or passed. */
struct telling_thread {
    int tid;
    bool regs_known;
    struct regs regs;
    struct regs entered; /* at its latest enter that showed arguments */
    bool arguments_shown;
    struct vregs vregs;   /* beside the general ones; or not known */
    uint32_t vectors_set; /* by steps since its latest call; bit n: vector n */
    const char *vector_result; /* how to take that of what it has called; NULL:
                                * there is none */
    char set_by[CALLING_VECTORS][16]; /* the mnemonic that has set these last */
    uint64_t named; /* the latest label that was told; 0: none */
    int line;       /* of the source that its latest step was made from; or 0 */
    uint64_t last_addr; /* its latest step: where, and the end of it */
    uint64_t last_end;
    struct stack_stores stores; /* by its steps, onto its stack */
    uint64_t stack_told;        /* the stack pointer of the words that were told
                          * last, if nothing has changed them; or 0 */
};

/* All zero but for what telling_init does. */
struct telling {
    struct pen pen;
    struct view view;
    struct emissions emissions; /* who calls whom, as far as it was learned */
    char *through;          /* through whom the latest store was told to be */
    struct recent recent;   /* all events, those that are told later, too */
    struct phrases phrases; /* of one paragraph */
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
    struct telling_area *areas;
    size_t area_count;
    size_t area_capacity;
    struct telling_thread *threads;
    size_t thread_count;
    size_t thread_capacity;
    unsigned names_given;   /* by the program to its code */
    bool chosen;            /* the reader has asked for some calls alone */
    uint64_t entries;       /* into generated code */
    uint64_t fault;         /* 1 + the number of the latest, until it is known
                             * whether the program handles it; 0: none */
    int fault_tid;          /* its thread */
    unsigned handled_told;  /* how many faults were that it did */
    bool unwatched;         /* from somewhere on, nothing was seen */
    bool left_out;          /* events were: only the last are there */
    struct buf output;      /* the first lines of it, each with its newline */
    unsigned output_lines;  /* how many of them are complete */
    uint64_t output_total;  /* bytes of it in all */
    bool some_code;         /* some mapping was told; else all that were are: */
    uint64_t untold;        /* mappings that never held code, not told */
    uint64_t untold_stores; /* the stores into them */
    bool judged;            /* a verdict was told */
};

/* Whoever has events before they are told gives them to emissions_learn(), so
 * that stores are named as well as can be. */
void telling_init(struct telling *telling);
void telling_release(struct telling *telling);

void telling_behind(struct telling *telling, const struct event *event);
void telling_take(struct telling *telling, const struct event *event);
void telling_event(struct telling *telling, const struct event *event);
void telling_pass(struct telling *telling, const struct event *event);

/* What is known of a thread; made on first use, valid until the next one is. */
struct telling_thread *telling_thread(struct telling *telling, int tid);

/* Registers old -> new, on lines of their own; vregs: of cpu/vregs.h, after
 * which insn (or NULL) left those. */
void telling_changes(struct telling *telling, const struct reg_changes *changes,
                     const struct insn *insn, const struct vreg_changes *vregs,
                     const struct vregs *after);

#endif
