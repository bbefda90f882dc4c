/* SPDX-License-Identifier: MIT */
/*
 * tell/explain_parts.h - the inside of explain.h, shared by its files:
 * explain.c collects the facts and asks for each cause in turn, explain_past.h
 * looks back, explain_words.c has the phrases, which live as long as the crash.
 */
#ifndef JITTRACE_TELL_EXPLAIN_PARTS_H
#define JITTRACE_TELL_EXPLAIN_PARTS_H

#include "tell/explain_past.h"

#define WHAT  EXPLAIN_WHAT
#define WHERE EXPLAIN_WHERE
#define WHY   EXPLAIN_WHY
#define NEXT  EXPLAIN_NEXT

/* Below this nothing can be mapped by default (vm.mmap_min_addr, proc(5)). */
#define LOWEST 65536u

/* --- explain_words.c ----------------------------------------------------- */

void note(struct crash *crash, enum explain_line line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "code[3]", or "0x1000" outside of the mapping that is spoken of. */
const char *words_code(struct crash *crash, uint64_t addr);

/* "mov rax, 1", "jnz code[0]" */
const char *words_insn(struct crash *crash, const struct insn *insn);

/* "nop at code[1] (event 7)" */
const char *words_seen(struct crash *crash, const struct seen *seen);

/* Who stored the byte of code at addr last, "jit.c:88 in mul(), through emit()
 * at jit.c:13"; "" if that is not known. */
const char *words_storer(struct crash *crash, uint64_t addr);

/* The where line: the same of an instruction, behind a comma. */
void note_storer(struct crash *crash, uint64_t addr);

/* The function that generated code called last, "abort (libc.so.6)", or NULL.
 * It must have left by a call. */
const char *words_callee(struct crash *crash);

/* The call that began a frame, of the kind FRAME_CALLED, in the same words. */
const char *words_call(struct crash *crash, const struct frame *frame);

/* "rdi = 0, set by xor edi, edi at code[2] (event 9)", or since when it is so,
 * as far as events before `index` tell; or that it is not known. seq, if not
 * NULL, becomes the number of that event if there is one. Of code that is not
 * generated only the value is told. */
const char *words_reg(struct crash *crash, enum reg reg, uint64_t index,
                      uint64_t *seq);

/* The same of a value that the register had then. */
const char *words_value(struct crash *crash, enum reg reg, uint64_t value,
                        uint64_t index, bool was_watched, uint64_t *seq);

/* "jit.c:42 `code();`", of the event; there must be one. */
const char *words_source(struct crash *crash);

/* The page there and who made it so, "the page is r-x, made so by mprotect(...)
 * at jit.c:20 (event 13)", or "nothing is mapped; the nearest is ..." */
const char *words_page(struct crash *crash, uint64_t addr);

/* The what line and its end: " (signal 11, SIGSEGV)." */
void note_what(struct crash *crash, const char *what);

/* The where line: the instruction, its place and its bytes; then the tail. */
void note_place(struct crash *crash, const char *tail);

/* The why line: an address that the one that failed is a part of, if it is. */
void note_twin(struct crash *crash);

/* The next line: "`jittrace --step -- ./a.out`, then `g 12`, shows", or "`g 12`
 * shows"; and what that event is. */
void note_command(struct crash *crash, uint64_t seq);

/* At the end of the next line, where a budget was spent before: the command
 * that shows the call that it was in, by its number if that is known. */
void note_unseen_call(struct crash *crash);

/* --- explain_memory.c ---------------------------------------------------- */

/* What an address that failed was computed from. */
struct pointer {
    const struct insn_operand *operand; /* NULL: it is not known */
    enum reg regs[2];                   /* those that are to blame */
    unsigned count;
};

struct pointer pointer_of(const struct crash *crash,
                          const struct insn_operand *operand);

/* The why line: where the address is from. Sentences, a blank behind each; seq
 * as in words_reg. */
void note_pointer(struct crash *crash, const struct pointer *pointer,
                  uint64_t *seq);

/* The same of the address of the access that failed. */
void note_address(struct crash *crash, uint64_t *seq);

/* The where line of an access. */
void note_access(struct crash *crash);

/* --- explain_shared.c ---------------------------------------------------- */

/* The next line of a page that lacks a permission, of PROT_*, and is of shared
 * memory: where that is mapped with it, or why mprotect may not give it. Returns
 * false, with nothing said, of other memory. */
bool note_other(struct crash *crash, uint64_t addr, unsigned needs);

/* --- explain_control.c --------------------------------------------------- */

/* The where line of an instruction that was not fetched. */
void note_fetched(struct crash *crash);

/* --- The causes: each returns whether it is one of its own --------------- */

bool explain_refusal(struct crash *crash);    /* explain_memory.c: mprotect had
                                               * failed */
bool explain_map_failed(struct crash *crash); /* mmap had */
bool explain_taken(struct crash *crash);
bool explain_crossing(struct crash *crash); /* explain_control.c: into a page
                                             * that may not be executed */
bool explain_fetch(struct crash *crash);    /* of no code */
bool explain_end(struct crash *crash);      /* ran off */
bool explain_middle(struct crash *crash);   /* of an instruction */
bool explain_stack(struct crash *crash);    /* explain_memory.c */
bool explain_access(struct crash *crash);   /* SIGSEGV */
bool explain_bus(struct crash *crash);      /* explain_shared.c: SIGBUS */
bool explain_division(struct crash *crash); /* explain_fault.c: SIGFPE */
bool explain_opcode(struct crash *crash);   /* SIGILL */
bool explain_trap(struct crash *crash);     /* SIGTRAP */
bool explain_general(struct crash *crash);  /* general protection */

/* explain_loop.c: the loop that the thread was in whose step was the last one.
 * Returns false if it was in none. may_end, if not NULL: whether something that
 * a way out depends on moves. */
bool explain_rounds(struct crash *crash, const char *what, bool *may_end);

#endif
