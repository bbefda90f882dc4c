/* SPDX-License-Identifier: MIT */
/*
 * steps.c - how fast the observer steps through generated code, next to the
 * least that any tracer has to do for it.
 *
 *     steps ROUNDS COUNT PROGRAM
 *
 * PROGRAM is tests/bench/loop.c, which runs 2 * COUNT + 1 instructions of
 * generated code. In each round it is traced three times, on the same CPU:
 *
 *   recorded  the observer as jittrace has it, every event into a store; the
 *             time from the event of the entry to that of the leaving
 *   bare      PTRACE_SINGLESTEP, waitpid, PTRACE_GETREGS into an array; the
 *             time from the first instruction to the first one that is not
 *             generated
 *
 *   vectors   as recorded, of the loop with vector registers, in which every
 *             second instruction changes one
 *
 * A round more, the first, only warms up. On standard output, a line a round,
 * and one at the end:
 *
 *     ROUND <tab> recorded <tab> bare <tab> vectors  (nanoseconds per step)
 *     bytes <tab> memory of the store per recorded step
 */
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>

#include "base/mem.h"
#include "observe/observe.h"
#include "target/launch.h"
#include "target/registers.h"
#include "target/tracee.h"
#include "trace/store.h"

/* Where the generated code goes: below a program and its libraries, above
 * vm.mmap_min_addr. */
#define CODE_ADDR 0x10000000
#define CODE_TEXT "10000000"
#define CODE_SIZE 4096

struct job {
    char *argv[5];
    uint64_t steps; /* that there are to be seen */
};

struct result {
    double ns;       /* per step */
    uint64_t memory; /* bytes, of the whole store */
};

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

_Noreturn static void fail(const char *what)
{
    fprintf(stderr, "steps: %s\n", what);
    exit(1);
}

/* Stays on one CPU; what is started from here inherits that. */
static void stay(void)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET((unsigned)sched_getcpu(), &set);
    if (sched_setaffinity(0, sizeof set, &set) < 0)
        fail("cannot stay on one CPU");
}

/* --- recorded ------------------------------------------------------------ */

static void check_store(const struct store *store, const struct job *job)
{
    uint64_t steps = 0, last = 0;

    for (size_t i = 0; i < store->count; i++) {
        const struct event *event = store_event(store, i);

        if (event->kind == EVENT_LIMIT)
            fail(event->limit.text);
        if (event->kind == EVENT_STEP && steps++ > 0 &&
            event->step.addr != last)
            fail("a step is missing");
        if (event->kind == EVENT_STEP)
            last = event->step.next;
    }
    if (steps != job->steps)
        fail("not every instruction was recorded");
}

static struct result record(const struct job *job)
{
    const struct launch launch = {
        .argv = job->argv, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1};
    struct observe_budget budget = observe_default_budget;
    struct result result = {0};
    double begin = 0, end = 0;
    struct source *source;
    struct event event;
    struct store store;
    struct err err;

    budget.steps = budget.call_steps = budget.calls = UINT64_MAX;
    source = observe_new(&launch, &budget, NULL, &err);
    if (!source)
        fail(err.text);
    store = (struct store){0};
    while (source_next(source, &event, &err) > 0) {
        store_append(&store, &event);
        if (event.kind == EVENT_ENTER)
            begin = now();
        else if (event.kind == EVENT_LEAVE)
            end = now();
    }
    source_free(source);
    check_store(&store, job);
    result.ns = (end - begin) / (double)job->steps;
    result.memory = store_memory(&store);
    store_release(&store);
    return result;
}

/* --- bare ---------------------------------------------------------------- */

static void wait_for_trap(pid_t pid)
{
    int status;

    if (waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status))
        fail("the program has ended too early");
}

/* Lets the program run until it has made its code executable. */
static void run_to_protect(struct tracee *tracee)
{
    do {
        tracee_resume(tracee, RESUME_CALL, 0);
        wait_for_trap(tracee->pid);
        tracee_fetch(tracee);
    } while (tracee->regs.orig_rax != SYS_mprotect ||
             tracee->regs.rdi != CODE_ADDR ||
             tracee->regs.rax != 0); /* at its entry this is -ENOSYS */
}

/*
 * Gets the program to the first instruction of generated code. The few of C in
 * between are stepped through: a hardware breakpoint is not to be had
 * everywhere, and an int3 would be a change of what is measured.
 */
static void run_to_code(struct tracee *tracee)
{
    run_to_protect(tracee);
    do {
        tracee_resume(tracee, RESUME_STEP, 0);
        wait_for_trap(tracee->pid);
        tracee_fetch(tracee);
    } while (tracee->regs.rip != CODE_ADDR);
}

/* The loop itself calls the system and nothing else. */
static uint64_t step_through(pid_t pid, struct user_regs_struct *out,
                             uint64_t max)
{
    uint64_t count = 0;

    do {
        if (count == max || ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) < 0)
            return 0;
        wait_for_trap(pid);
        ptrace(PTRACE_GETREGS, pid, NULL, &out[count]);
    } while (out[count++].rip - CODE_ADDR < CODE_SIZE);
    return count;
}

static void run_to_end(struct tracee *tracee)
{
    struct stop stop;
    struct err err;

    do {
        tracee_resume(tracee, RESUME_RUN, 0);
        if (wait_stop(&stop, 0, &err) <= 0)
            fail("the program is lost");
    } while (stop.kind != STOP_EXITED && stop.kind != STOP_KILLED);
}

static struct result step_bare(const struct job *job)
{
    const struct launch what = {
        .argv = job->argv, .stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1};
    struct user_regs_struct *regs = malloc(job->steps * sizeof *regs);
    struct tracee tracee;
    struct result result = {0};
    struct err err;
    double begin;

    if (!regs)
        fail("there is not enough memory");
    if (launch(&what, &tracee, &err) < 0)
        fail(err.text);
    run_to_code(&tracee);
    begin = now();
    if (step_through(tracee.pid, regs, job->steps) != job->steps)
        fail("not every instruction was stepped");
    result.ns = (now() - begin) / (double)job->steps;
    run_to_end(&tracee);
    free(regs);
    return result;
}

int main(int argc, char **argv)
{
    struct job job = {{NULL}, 0}, wide;
    struct result recorded, bare, vectors;
    int rounds;

    if (argc != 4) {
        fputs("usage: steps ROUNDS COUNT PROGRAM\n", stderr);
        return 2;
    }
    rounds = atoi(argv[1]);
    job = (struct job){{argv[3], (char *)CODE_TEXT, argv[2], NULL},
                       2 * strtoull(argv[2], NULL, 10) + 1};
    wide = (struct job){
        {argv[3], (char *)CODE_TEXT, argv[2], (char *)"vectors", NULL},
        4 * strtoull(argv[2], NULL, 10) + 1};
    stay();
    for (int round = 0; round <= rounds; round++) {
        /* Who is first in one round is second in the next. */
        if (round % 2 == 0)
            recorded = record(&job);
        bare = step_bare(&job);
        vectors = record(&wide);
        if (round % 2 != 0)
            recorded = record(&job);
        if (round > 0)
            printf("%d\t%.0f\t%.0f\t%.0f\n", round, recorded.ns, bare.ns,
                   vectors.ns);
        fflush(stdout);
    }
    printf("bytes\t%.0f\n", (double)recorded.memory / (double)job.steps);
    return 0;
}
