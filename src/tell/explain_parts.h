/* SPDX-License-Identifier: MIT */
/*
 * tell/explain_parts.h - the inside of explain.h, shared by its files:
 * explain.c collects the facts and asks for each cause in turn, explain_past.c
 * looks back, explain_words.c has the phrases, which live as long as the crash.
 */
#ifndef JITTRACE_TELL_EXPLAIN_PARTS_H
#define JITTRACE_TELL_EXPLAIN_PARTS_H

#include "cpu/insn.h"
#include "tell/explain.h"

#define WHAT  EXPLAIN_WHAT
#define WHERE EXPLAIN_WHERE
#define WHY   EXPLAIN_WHY
#define NEXT  EXPLAIN_NEXT

/* Below this nothing can be mapped by default (vm.mmap_min_addr, proc(5)). */
#define LOWEST 65536u

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
    uint64_t pc;      /* of the instruction that failed */
    struct insn insn; /* length 0: it is not known, or is none */
    struct bytes bytes;
    bool regs_known;
    struct regs regs;
    const struct region *code; /* that pc is in, or NULL */
    uint64_t base;             /* code[0] in what is said */
    struct way way;
    struct phrases phrases;
    struct explanation *out;
};

/* --- explain_past.c: an event is valid until the next question ----------- */

/* The latest event below *index in the look-back, of that thread, or of any
 * (tid 0), or NULL; *index becomes its number. */
const struct event *past_earlier(const struct crash *crash, int tid,
                                 uint64_t *index);

/* Whether threads ran on unwatched after that event: a budget for steps. */
bool past_is_gap(const struct event *event);

/* The latest of these kinds of the crash's thread, or NULL: what was before it
 * ran on unwatched says nothing of now. */
#define PAST(kind) (1u << EVENT_##kind)
#define PAST_MOVES (PAST(STEP) | PAST(ENTER) | PAST(LEAVE))
const struct event *past_find(const struct crash *crash, unsigned kinds,
                              uint64_t *index);

/* The latest write to addr, or the latest unmap of it, of any thread and before
 * gaps, too; or NULL. */
const struct event *past_find_at(const struct crash *crash,
                                 enum event_kind kind, uint64_t addr);

/* A step as struct seen. */
void seen_from(const struct event *event, uint64_t index, struct seen *out);

/* --- explain_words.c ----------------------------------------------------- */

void note(struct crash *crash, enum explain_line line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "code[3]", or "0x1000" outside of the mapping that is spoken of. */
const char *words_code(struct crash *crash, uint64_t addr);

/* "mov rax, 1", "jnz code[0]" */
const char *words_insn(struct crash *crash, const struct insn *insn);

/* "nop at code[1] (event 7)" */
const char *words_seen(struct crash *crash, const struct seen *seen);

/*
 * "rdi = 0, set by xor edi, edi at code[2] (event 9)", or since when it is so,
 * as far as events before `index` tell. seq, if not NULL, becomes the number of
 * that event if there is one.
 */
const char *words_reg(struct crash *crash, enum reg reg, uint64_t index,
                      uint64_t *seq);

/* "jit.c:42 `code();`", of the event; there must be one. */
const char *words_source(struct crash *crash);

/* The page there and who made it so, "the page is r-x, made so by mprotect(...)
 * at jit.c:20 (event 13)", or "nothing is mapped; the nearest is ..." */
const char *words_page(struct crash *crash, uint64_t addr);

/* The what line and its end: " (signal 11, SIGSEGV)." */
void note_what(struct crash *crash, const char *what);

/* The where line: the instruction, its place and its bytes; then the tail. */
void note_place(struct crash *crash, const char *tail);

/* The next line: "`jittrace --step -- ./a.out`, then `g 12`, shows", or "`g 12`
 * shows"; and what. */
void note_command(struct crash *crash, uint64_t seq, const char *what);

/* --- The causes: each returns whether it is one of its own --------------- */

bool explain_fetch(struct crash *crash);    /* explain_control.c: of no code */
bool explain_end(struct crash *crash);      /* ran off */
bool explain_middle(struct crash *crash);   /* of an instruction */
bool explain_stack(struct crash *crash);    /* explain_fault.c */
bool explain_division(struct crash *crash); /* SIGFPE */
bool explain_opcode(struct crash *crash);   /* SIGILL */
bool explain_trap(struct crash *crash);     /* SIGTRAP */
bool explain_general(struct crash *crash);  /* general protection */
bool explain_access(struct crash *crash);   /* SIGSEGV */

/*
 * explain_loop.c: the loop that the thread was in whose step was the last one.
 * Returns false if it was in none. may_end, if not NULL: whether something that
 * a way out depends on moves.
 */
bool explain_rounds(struct crash *crash, const char *what, bool *may_end);

#endif
