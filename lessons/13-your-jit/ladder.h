/* SPDX-License-Identifier: MIT */
/*
 * ladder.h - what the files of this check share: cases, and calling code.
 *
 * A rung is a list of cases. A case is a text that the learner's compiler gets,
 * and what its code must do. It can be repeated alone, by arguments of the
 * check's program: `my '1+2' a=5`, `my --bf '+.'`. So jittrace shows the code
 * of the one case that went wrong, and nothing else.
 */
#ifndef JITTRACE_LESSONS_LADDER_H
#define JITTRACE_LESSONS_LADDER_H

#include "../check.h"

enum { VARIABLES = 26, CELLS = 30000, ROOM = 65536 };

/* What the learner is to write; NULL where it is not there yet. */
__attribute__((weak)) size_t compile(const char *text, unsigned char *code,
                                     size_t room);
__attribute__((weak)) size_t compile_bf(const char *text, unsigned char *code,
                                        size_t room, int optimize);

/* --- the case that is being tried (check.c) ------------------------------- */

/*
 * Notes the arguments that repeat a case, before the learner's code is called:
 * should it crash, `make exercise` lets jittrace run the program with them. All
 * but the first may be NULL.
 */
void case_begin(const char *a, const char *b, const char *c);

/*
 * Says which case it is, and what is wrong with it, a sentence without the full
 * stop. Returns false, for `return case_failed(...)`.
 */
__attribute__((format(printf, 1, 2))) bool case_failed(const char *format, ...);

/* --- code (check_call.c) -------------------------------------------------- */

/* The learner's code, and the room that it has; behind it is no page. */
struct code {
    uint8_t *bytes;
    size_t room, len;
};

/*
 * Gives the compiler fresh memory of that many bytes. Returns false if there is
 * none, having said so. code_close() gives it back.
 */
bool code_open(struct code *code, size_t room);
void code_close(struct code *code);

/*
 * Takes what the compiler returned as the length, looks at what it stored, and
 * makes the code executable. Says what is wrong and returns false.
 */
bool code_take(struct code *code, size_t returned, const char *compiler);

/* Who runs since code_open(): "The compiler", and after a call "The code". */
const char *code_running(void);

/*
 * Prints the bytes, those of a long piece of code not to the end; of NULL those
 * of the code that was called last.
 */
void code_print(const struct code *code);

/*
 * Calls the code with three arguments and sets *value to what it returned.
 * Says which rule of a function it broke, if any, and returns false.
 */
bool code_call(const struct code *code, const void *a, const void *b,
               const void *c, int64_t *value);

/*
 * The same, and returns how many instructions of the code the CPU executed: it
 * traps behind each (the trap flag; SDM volume 3, section 18.3.1.4). 0 where
 * that does not work.
 */
uint64_t code_count(const struct code *code, const void *a, const void *b,
                    const void *c);

/* --- the rungs ------------------------------------------------------------ */

/*
 * Runs one text and prints the result: for jittrace and for the curious.
 * `given` are words like a=5. Returns the exit status.
 */
int pebble_alone(const char *text, char *const *given);
int bf_alone(const char *text, const char *input, int optimize);

/* Each returns whether the rung holds; check_pebble.c and check_bf.c. */
bool rung_number(void);
bool rung_wide_number(void);
bool rung_sum(void);
bool rung_product(void);
bool rung_quotient(void);
bool rung_variable(void);
bool rung_comparison(void);
bool rung_no_program(void);
bool rung_assignment(void);
bool rung_if(void);
bool rung_while(void);
bool rung_random(void);
bool rung_bf_cells(void);
bool rung_bf_loops(void);
bool rung_bf_input(void);
bool rung_bf_faster(void);
bool rung_bf_optimized(void);

/* --- what a program means (check_meaning.c) ------------------------------- */

/*
 * Runs a program of the language without compiling it, on its variables a to z.
 * The text must be a program that ends and never divides by 0. Returns the
 * value.
 */
int64_t meaning(const char *text, int64_t *variables);

/*
 * Writes random program number n into the text: the larger n, the longer. Such
 * a program ends. Needs 4096 bytes.
 */
void make_program(unsigned n, char *text);

#endif
