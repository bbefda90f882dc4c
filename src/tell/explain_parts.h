/* SPDX-License-Identifier: MIT */
/*
 * tell/explain_parts.h - the inside of explain.h, shared by its files:
 * explain.c collects the facts and asks each explain_*.c in turn; they tell
 * one family of causes each. explain_past.c looks back.
 */
#ifndef JITTRACE_TELL_EXPLAIN_PARTS_H
#define JITTRACE_TELL_EXPLAIN_PARTS_H

#include "tell/explain.h"
#include "cpu/insn.h"

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
    char how;         /* of the enter or leave: c, j, r or s */
    uint64_t seq;     /* of that event */
    char place[64];   /* "jit.c:42" of it, or "" */
    struct seen step; /* its last instruction, if there is one */
};

struct crash {
    const struct past *past;
    const struct view *view;
    uint64_t index; /* of the event that is explained */
    struct event *event;
    const struct event_signal *signal;
    uint64_t pc;      /* of the instruction that failed */
    struct insn insn; /* length 0: it is not known, or is none */
    struct bytes bytes;
    bool regs_known;
    struct regs regs;
    const struct region *code; /* that pc is in, or NULL */
    uint64_t base;             /* code[0] in what is said */
    struct way way;
    struct explanation *out;
};

/* --- explain_past.c ------------------------------------------------------ */

/*
 * The latest event below *index in the look-back, of that thread, or of any
 * (tid 0); *index becomes its number. NULL when there is none.
 */
const struct event *past_earlier(const struct crash *crash, int tid,
                                 uint64_t *index);

/* Whether threads ran on unwatched after that event: a budget for steps. */
bool past_is_gap(const struct event *event);

/* All below looks back no further than to a gap, but for past_depth. */
void past_find_way(struct crash *crash);

/* The step that last changed a register; before event `index`. If there is
 * none since control came in, *entry is how that was, as far as it is known. */
struct entry {
    bool known;
    uint64_t seq;   /* of the event */
    char place[64]; /* "jit.c:42", or "" */
};
bool past_find_change(const struct crash *crash, enum reg reg, uint64_t index,
                      struct seen *out, struct entry *entry);

/* The latest step before `index` that wrote to the 8 bytes at addr. */
bool past_find_writer(const struct crash *crash, uint64_t addr, uint64_t index,
                      struct seen *out);

/* The latest store to a byte: the number of its event, and its source line. */
bool past_find_store(const struct crash *crash, uint64_t addr, uint64_t *seq,
                     struct buf *place);

/* The call that took away what was mapped at addr. */
bool past_find_unmap(const struct crash *crash, uint64_t addr, uint64_t *seq,
                     struct buf *call);

/*
 * What a return at step `index` belongs to: where the return address was. For
 * a call within generated code that was seen, or the entry. Returns false if
 * that was not seen.
 */
bool past_find_frame(const struct crash *crash, uint64_t index, uint64_t *sp,
                     uint64_t *seq);

/* Calls without a return since control came in, and the innermost of them. */
uint64_t past_depth(const struct crash *crash, struct seen *call);

/* A step as struct seen. */
void seen_from(const struct event *event, uint64_t index, struct seen *out);

/* --- explain_words.c ----------------------------------------------------- */

void note(const struct crash *crash, enum explain_line line, const char *format,
          ...) __attribute__((format(printf, 3, 4)));

/* "code[3]", or "0x1000" outside of the mapping that is spoken of. */
void note_code(const struct crash *crash, enum explain_line line,
               uint64_t addr);

/* "nop at code[1] (event 7)" */
void note_seen(const struct crash *crash, enum explain_line line,
               const struct seen *seen);

/* "rdi = 0" */
void note_reg(const struct crash *crash, enum explain_line line, enum reg reg);

/* ", set by xor edi, edi at code[2] (event 9)" or since when it is so */
void note_reg_origin(const struct crash *crash, enum explain_line line,
                     enum reg reg, uint64_t index);

/* The what line's end: " (signal 11, SIGSEGV)." */
void note_signal(const struct crash *crash);

/* "mov rax, 1", "jnz code[0]" */
void note_insn(const struct crash *crash, enum explain_line line,
               const struct insn *insn);

/* "48 c7 c0" */
void note_bytes(const struct crash *crash, enum explain_line line,
                struct bytes bytes);

/* A line of maps, with one blank where it has many. */
void note_maps(const struct crash *crash, enum explain_line line,
               const char *maps);

/* "jit.c:42 `code();`", of the event; there must be one. */
void note_source(const struct crash *crash, enum explain_line line);

/* The where line: the instruction, its place and its bytes. No full stop. */
void note_place(const struct crash *crash);

/* "the page is r-x, made so by mprotect(...) at jit.c:20 (event 13)" */
void note_protection(const struct crash *crash, enum explain_line line,
                     uint64_t addr);

/* "nothing is mapped; the nearest is ...", or who took it away */
void note_unmapped(const struct crash *crash, enum explain_line line,
                   uint64_t addr);

/* "`jittrace --step -- ./a.out`, then `g 12`, shows", or "`g 12` shows" */
void note_command(const struct crash *crash, enum explain_line line,
                  uint64_t seq);

/* The place in the source of an event, "jit.c:42", or "". */
void source_place(const struct event *event, char *out, size_t size);

/* --- The causes: each returns whether it is one of its own --------------- */

bool explain_sent(struct crash *crash);    /* explain_sent.c */
bool explain_fetch(struct crash *crash);   /* explain_fetch.c */
bool explain_end(struct crash *crash);     /* explain_fetch.c: ran off */
bool explain_middle(struct crash *crash);  /* explain_middle.c */
bool explain_stack(struct crash *crash);   /* explain_access.c */
bool explain_refused(struct crash *crash); /* explain_cpu.c */
bool explain_access(struct crash *crash);  /* explain_access.c */
void explain_other(struct crash *crash);   /* explain_sent.c */

/* explain_loop.c: the loop that the thread of the event was in. */
bool explain_rounds(struct crash *crash, const char *what);

/* Fills in what all causes need, from event `index`. */
void crash_begin(struct crash *crash, const struct past *past,
                 const struct view *view, uint64_t index,
                 struct explanation *out);
void crash_end(struct crash *crash);

bool access_is(const struct event_signal *signal, const char *access);

#endif
