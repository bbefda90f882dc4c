/* SPDX-License-Identifier: MIT */
/*
 * support.h - what tests share that start programs: run a command and see what
 * it does, trace one and have the events.
 *
 * Criterion 2.4.1 takes gt(type, a, b) for a >= b: write lt(type, b, a). `make
 * lint` looks for it.
 *
 * Every helper may fail the test it is called from (by an assertion of
 * Criterion), so none may be called in a forked child.
 */
#ifndef JITTRACE_TESTS_SUPPORT_SUPPORT_H
#define JITTRACE_TESTS_SUPPORT_SUPPORT_H

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

#include "base/buf.h"
#include "trace/event.h"
#include "trace/store.h"
#include "trace/view.h"

/*
 * Criteria for cr_assert(): the text has those words in it, or has not. The
 * cast is for glibc 2.43, where strstr() of a const char * returns one, as C23
 * has it; a ptr of Criterion is not const.
 */
#define contains(text, words) ne(ptr, (void *)strstr(text, words), NULL)
#define lacks(text, words)    eq(ptr, (void *)strstr(text, words), NULL)

/*
 * Time limits are this many times as long: with the address sanitizer, a
 * program that is traced does as many stores again, each of which it may be
 * stopped for, and jittrace itself is slower.
 */
#ifdef __SANITIZE_ADDRESS__
#define SLOWNESS 3
#else
#define SLOWNESS 1
#endif

/* A list of arguments, ended by NULL. */
#define ARGS(...) ((const char *const[]){__VA_ARGS__, NULL})

#define TRACEE(name) BUILD_DIR "/tracees/" name

/* For struct job: the descriptor is not open at all. */
#define CLOSED "(closed)"

/*
 * What is not said is as in the test, but for standard input, and for signals:
 * none is ignored or blocked.
 */
struct job {
    const char *const *argv; /* argv[0] as execvp(3) takes it */
    const char *in;          /* a file; NULL: /dev/null */
    const char *out;         /* a file or CLOSED; NULL: captured */
    const char *err;         /* the same */
    bool tty;                /* what is captured goes through a terminal */
    size_t out_limit;        /* its reader goes away after so many bytes of
                              * standard output; 0: it reads all */
    const char *const *env;  /* "NAME=VALUE" sets, "NAME" unsets; or NULL */
    const char *dir;         /* where it runs; NULL: here */
    int (*prepare)(void);    /* called in the child before exec; or NULL */
    int seconds;             /* its time limit, but for SLOWNESS; 0: 20 */
};

struct result {
    int status;  /* its exit status, or 128 + the signal that killed it */
    double took; /* seconds */
    struct buf out;
    struct buf err;
};

/*
 * Runs the command to its end, in a process group of its own. The test fails
 * when it is not over within its time limit. result is released by its user.
 */
void run(const struct job *command, struct result *result);
void result_release(struct result *result);

/* The same of a command whose standard input is that text. */
void run_typing(const struct job *command, const char *script,
                struct result *result);

/* The text must have these parts, a list that NULL ends, in this order. */
void expect_in_order(struct buf *text, const char *const *parts);

/* The two halves of run, for who wants to do something in between. */
struct running {
    pid_t pid; /* also its process group */
    int out;   /* to read from, or -1 */
    int err;
    double since;
    int seconds;
    size_t out_limit;
};
void run_begin(const struct job *command, struct running *running);
void run_end(struct running *running, struct result *result);

/*
 * In a child whose descriptors are in place: does what else the command says
 * and becomes it. Exits with 125 or 124 if it cannot.
 */
_Noreturn void become(const struct job *command);

/* Seconds since some moment. */
double now(void);

/* Waits a moment; false when `limit` seconds are over since `since`. */
bool wait_a_moment(double since, double limit);

/*
 * Runs jittrace with command->argv behind its options, so that a recording of
 * the run comes into the store, which is released by its user. The command's
 * own output is in result, status is that of jittrace. The recording must be
 * one from start to exit.
 */
void trace(const struct job *command, struct store *store,
           struct result *result);

/* The same, and the recording stays in the file of that name. */
void trace_to(const char *file, const struct job *command, struct store *store,
              struct result *result);

/* A file name of this test alone, in the build directory; never freed. */
const char *scratch(const char *suffix);

/* Writes a file, or reads one whole. */
void write_file(const char *name, const void *data, size_t len, mode_t mode);
void read_file(const char *name, struct buf *out);

/* Whether a child may do here what prepare does (as in struct job), for much of
 * it takes root. */
bool can(int (*prepare)(void));

/*
 * Whether the C library here is not the one that goldens and expectations were
 * made with. Then a test can only compare the structure of what that library
 * decides; that it does so is printed.
 */
bool other_libc(const char *what);

/* How many lines the text has; a last one without newline counts. */
size_t count_lines(const char *text);

/* Event number n (from 0) of that kind, or NULL (a copy, never freed); and how
 * many there are. */
const struct event *nth(const struct store *store, enum event_kind kind,
                        size_t n);
size_t count(const struct store *store, enum event_kind kind);

/* The kinds in order: "start map 11*write protect enter 3*step leave ...". */
void kinds(const struct store *store, struct buf *out);

/* Bytes as "48 c7 c0". */
void hex(struct bytes bytes, struct buf *out);

/*
 * Follows the registers of each thread from each enter through its steps: what
 * a step calls old must be what was there, its address where the last one has
 * led, a leave's target and value what the registers say; and no flag that a
 * tracer sets may be visible.
 */
void check_registers(const struct store *store);

/*
 * Appends the written bytes of a region, from the first to the last, and says
 * at what offset they begin. Returns false when none were written.
 */
bool written_code(const struct view *view, const struct region *region,
                  struct buf *out, uint64_t *offset);

/* How many bytes of the heap this process has in use. */
size_t memory_in_use(void);

/* For eq(mem, ...). */
struct cr_mem mem(const void *data, size_t size);
struct cr_mem mem_of(struct bytes bytes);

/* The trace must be this, as kinds() writes it. */
void expect_kinds(const struct store *store, const char *expected);

/*
 * Runs the command with and without a tracer, and compares all that can be
 * seen of it. The trace is in the store, which is released by its user.
 */
void compare(const struct job *command, struct store *store);

#endif
