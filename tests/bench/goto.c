/* SPDX-License-Identifier: MIT */
/*
 * goto.c - how soon a reader of a long trace is somewhere else in it, and what
 * memory the trace takes.
 *
 *     goto MOVES PROGRAM [ARG]...
 *
 * Traces the program into a history, every event of it, and then goes to MOVES
 * moments of it in an order that is no order: asks for the event and for the
 * view, which is all that it takes to draw one. On standard output:
 *
 *     steps <tab> how many instructions of generated code were recorded
 *     bytes <tab> memory of the history per event
 *     MOVE <tab> milliseconds
 */
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "observe/observe.h"
#include "target/launch.h"
#include "trace/history.h"

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

_Noreturn static void fail(const char *what)
{
    fprintf(stderr, "goto: %s\n", what);
    exit(1);
}

/* Returns how many steps there are. */
static uint64_t record(char **argv, struct history *history)
{
    const struct launch launch = {
        .argv = argv, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1};
    struct observe_budget budget = observe_default_budget;
    struct source *source;
    struct event event;
    uint64_t steps = 0;
    struct err err;
    int more;

    budget.steps = budget.call_steps = budget.calls = UINT64_MAX;
    source = observe_new(&launch, &budget, NULL, &err);
    if (!source)
        fail(err.text);
    while ((more = source_next(source, &event, &err)) > 0) {
        history_append(history, &event);
        steps += event.kind == EVENT_STEP;
    }
    if (more < 0)
        fail(err.text);
    source_free(source);
    return steps;
}

static double move(struct history *history, uint64_t seq)
{
    double begin = now();

    if (history_event(history, seq)->seq != seq ||
        history_view(history, seq)->applied != seq + 1)
        fail("this is not the moment that was asked for");
    return now() - begin;
}

static size_t memory_in_use(void)
{
#ifdef __GLIBC__
    struct mallinfo2 heap = mallinfo2();

    return heap.uordblks + heap.hblkhd;
#else
    return 0;
#endif
}

int main(int argc, char **argv)
{
    size_t before = memory_in_use();
    struct history *history = history_new();
    uint64_t steps, count, seq = 1;
    int moves;

    if (argc < 3) {
        fputs("usage: goto MOVES PROGRAM [ARG]...\n", stderr);
        return 2;
    }
    moves = atoi(argv[1]);
    steps = record(argv + 2, history);
    count = history_count(history);
    printf("steps\t%" PRIu64 "\n", steps);
    printf("bytes\t%.1f\n", (double)(memory_in_use() - before) / (double)count);
    for (int i = 1; i <= moves; i++) {
        seq = seq * 6364136223846793005 + 1442695040888963407;
        printf("%d\t%.4f\n", i, move(history, (seq >> 32) % count));
    }
    history_free(history);
    return 0;
}
