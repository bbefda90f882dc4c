/* SPDX-License-Identifier: MIT */
/*
 * The engine and programs that make its work hard: signals in between, moved
 * and shared memory, children of every kind, programs that restrict
 * themselves. Each (tests/tracees) must do traced what it does untraced, and
 * the trace must tell what the head of its source asks for.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "support/support.h"

TestSuite(engine, .timeout = 30);

#ifndef PR_GET_MDWE
#define PR_GET_MDWE 66
#endif

/* Traces a program that must end with 0. Its output is kept for its user. */
static void trace_tracee(const char *file, struct store *store,
                         struct result *with)
{
    trace(&(struct job){.argv = ARGS("--", file)}, store, with);
    cr_assert(eq(int, with->status, 0), "%s", buf_text(&with->err));
    cr_assert(eq(str, (char *)buf_text(&with->err), ""));
    cr_assert(eq(sz, count(store, EVENT_START), 1));
    cr_assert(eq(sz, count(store, EVENT_EXIT), 1));
    check_registers(store);
}

/* Compares the run of a program that must end with 0. */
static void compare_tracee(const char *file, struct store *store)
{
    const struct event *end;

    compare(&(struct job){.argv = ARGS(file)}, store);
    end = nth(store, EVENT_EXIT, 0);
    cr_assert(eq(int, end->exit.status.known, 1));
    cr_assert(eq(u64, end->exit.status.value, 0));
}

/* The budgets of all limit events, in order: "fork exec". */
static void expect_limits(const struct store *store, const char *expected)
{
    struct buf got = {0};

    for (size_t i = 0; i < count(store, EVENT_LIMIT); i++)
        buf_printf(&got, "%s%s", i ? " " : "",
                   nth(store, EVENT_LIMIT, i)->limit.budget);
    cr_assert(eq(str, (char *)buf_text(&got), (char *)expected));
    buf_release(&got);
}

static size_t count_signals(const struct store *store, int number)
{
    size_t found = 0;

    for (size_t i = 0; i < count(store, EVENT_SIGNAL); i++)
        found += nth(store, EVENT_SIGNAL, i)->signal.number == number;
    return found;
}

static size_t count_enters(const struct store *store, const char *how)
{
    size_t found = 0;

    for (size_t i = 0; i < count(store, EVENT_ENTER); i++)
        found += !strcmp(nth(store, EVENT_ENTER, i)->enter.how, how);
    return found;
}

/* Store number n is of these bytes, at that offset, by a system call or not. */
static void expect_write(const struct store *store, size_t n, uint64_t offset,
                         const char *bytes, size_t len, const char *by)
{
    const struct event *event = nth(store, EVENT_WRITE, n);

    cr_assert(ne(ptr, (void *)event, NULL), "store %zu is missing", n);
    cr_assert(eq(u64, event->write.offset, offset), "store %zu", n);
    cr_assert(eq(mem, mem_of(event->write.new), mem(bytes, len)), "store %zu",
              n);
    cr_assert(eq(str, (char *)(event->write.by ? event->write.by : ""),
                 (char *)(by ? by : "")),
              "store %zu", n);
}

static void expect_step(const struct store *store, size_t n, const char *bytes,
                        size_t len)
{
    const struct event *event = nth(store, EVENT_STEP, n);

    cr_assert(ne(ptr, (void *)event, NULL), "step %zu is missing", n);
    cr_assert(eq(mem, mem_of(event->step.bytes), mem(bytes, len)), "step %zu",
              n);
}

static void expect_enter(const struct store *store, size_t n, const char *how,
                         uint64_t offset)
{
    const struct event *event = nth(store, EVENT_ENTER, n);

    cr_assert(ne(ptr, (void *)event, NULL), "enter %zu is missing", n);
    cr_assert(eq(str, (char *)event->enter.how, (char *)how), "enter %zu", n);
    cr_assert(eq(u64, event->enter.offset, offset), "enter %zu", n);
}

/* --- signals ------------------------------------------------------------- */

/* One byte each, at the offsets 0, 1, 2 ..., by the program. */
static void check_byte_stores(const struct store *store, size_t expected,
                              const char *code, size_t len)
{
    cr_assert(eq(sz, count(store, EVENT_WRITE), expected));
    for (size_t i = 0, n = 0; n < expected; i++) {
        const struct event *event = store_event(store, i);
        uint8_t byte = n < len ? (uint8_t)code[n] : (uint8_t)n;

        if (event->kind != EVENT_WRITE)
            continue;
        cr_assert(eq(u64, event->write.offset, n), "store %zu", n);
        cr_assert(eq(mem, mem_of(event->write.new), mem(&byte, 1)), "store %zu",
                  n);
        cr_assert(eq(ptr, (void *)event->write.by, NULL), "store %zu", n);
        n++;
    }
}

/* A handler that began in generated code has come back to the same place. */
static size_t check_interruptions(const struct store *store)
{
    size_t found = 0;
    uint64_t pc = 0;
    bool away = false;

    for (size_t i = 0; i < store->count; i++) {
        const struct event *event = store_event(store, i);

        if (event->kind == EVENT_STEP)
            pc = event->step.next;
        if (event->kind == EVENT_LEAVE) {
            away = !strcmp(event->leave.how, "signal");
            found += away;
        }
        if (event->kind != EVENT_ENTER)
            continue;
        if (away) {
            cr_assert(eq(str, (char *)event->enter.how, "return"));
            cr_assert(eq(u64, event->enter.addr, pc), "event %zu", i);
        }
        pc = event->enter.addr;
        away = false;
    }
    return found;
}

Test(engine, a_timer_interrupts_stores_and_calls)
{
    struct store store;
    struct result result;
    unsigned handled = 0;

    trace_tracee(TRACEE("timer"), &store, &result);
    cr_assert(eq(
        int, sscanf(buf_text(&result.out), "3500, %u signals", &handled), 1));
    cr_assert(ge(sz, handled, 10), "too few came to show anything");
    cr_assert(eq(sz, count(&store, EVENT_SIGNAL), handled));
    cr_assert(eq(sz, count_signals(&store, SIGALRM), handled));
    check_byte_stores(&store, 1000, "\xb8\7\0\0\0\xc3", 6);
    cr_assert(eq(sz, count(&store, EVENT_STEP), 2 * 500));
    cr_assert(eq(sz, count_enters(&store, "call"), 500));
    cr_assert(
        eq(sz, count(&store, EVENT_ENTER), 500 + check_interruptions(&store)));
    expect_limits(&store, "");
    result_release(&result);
    store_release(&store);
}

/* A run is 1000 rounds of four instructions and a ret, however interrupted. */
Test(engine, a_timer_interrupts_system_calls_of_generated_code)
{
    size_t runs, returns;
    struct store store;

    compare_tracee(TRACEE("calls"), &store);
    runs = count_enters(&store, "call");
    returns = count_enters(&store, "return");
    cr_assert(ge(sz, returns, 1), "no signal came to show anything");
    cr_assert(eq(sz, returns, check_interruptions(&store)));
    cr_assert(eq(sz, count(&store, EVENT_STEP), runs * (4 * 1000 + 1)));
    expect_limits(&store, "");
    store_release(&store);
}

/* What an untraced run does says which kind of kernel this is; traced it must
 * be the same (trace_tracee, compare_tracee) and be told. */
Test(engine, a_system_call_of_32_bits)
{
    struct result bare;
    struct store store;
    bool known;

    run(&(struct job){.argv = ARGS(TRACEE("int80"))}, &bare);
    known = !strcmp(buf_text(&bare.out), "same process\n");
    if (!known)
        cr_assert(eq(str, (char *)buf_text(&bare.out), "SIGSEGV at +6\n"));
    result_release(&bare);
    compare_tracee(TRACEE("int80"), &store);
    cr_assert(eq(sz, count_enters(&store, "call"), 1));
    cr_assert(eq(sz, count(&store, EVENT_STEP), known ? 5 : 2));
    if (known)
        cr_assert(
            eq(str, (char *)nth(&store, EVENT_STEP, 2)->step.text, "int 128"));
    else
        cr_assert(eq(str, (char *)nth(&store, EVENT_SIGNAL, 0)->signal.text,
                     "int 128"));
    cr_assert(eq(sz, count_signals(&store, SIGSEGV), known ? 0 : 1));
    cr_assert(eq(sz, count(&store, EVENT_SIGNAL), known ? 0 : 1));
    expect_limits(&store, "");
    store_release(&store);
}

Test(engine, no_queued_signal_is_lost)
{
    struct store store;

    compare_tracee(TRACEE("queued"), &store);
    cr_assert(eq(sz, count_signals(&store, SIGRTMIN), 300));
    cr_assert(eq(sz, count_signals(&store, SIGCHLD), 1));
    cr_assert(eq(sz, count(&store, EVENT_SIGNAL), 301));
    check_byte_stores(&store, 800, NULL, 0);
    expect_limits(&store, "fork");
    store_release(&store);
}

Test(engine, a_signal_stack_is_not_guarded)
{
    struct store store;

    compare_tracee(TRACEE("altstack"), &store);
    expect_limits(&store, "stack");
    expect_kinds(&store, "start map limit signal output exit");
    store_release(&store);
}

Test(engine, a_signal_comes_on_a_stack_of_the_program)
{
    struct store store;

    compare_tracee(TRACEE("coroutine"), &store);
    expect_limits(&store, "stack");
    cr_assert(eq(sz, count_signals(&store, SIGUSR1), 1));
    cr_assert(eq(sz, count(&store, EVENT_SIGNAL), 1));
    store_release(&store);
}

Test(engine, a_handler_jumps_out_of_a_system_call)
{
    struct store store;

    compare_tracee(TRACEE("longjmp"), &store);
    cr_assert(eq(sz, count(&store, EVENT_WRITE), 3));
    expect_write(&store, 0, 0, "\xb8", 1, NULL);
    expect_write(&store, 1, 1, "\7", 1, NULL);
    expect_write(&store, 2, 5, "\xc3", 1, NULL);
    cr_assert(eq(sz, count(&store, EVENT_ENTER), 1));
    expect_limits(&store, "");
    store_release(&store);
}

Test(engine, the_program_is_stopped_and_goes_on)
{
    struct store store;

    compare_tracee(TRACEE("stopped"), &store);
    cr_assert(eq(sz, count_signals(&store, SIGTSTP), 1));
    cr_assert(eq(sz, count_signals(&store, SIGCONT), 1));
    store_release(&store);
}

/* --- programs that restrict themselves ----------------------------------- */

Test(engine, a_program_forbids_itself_mprotect)
{
    struct store store;

    compare_tracee(TRACEE("deny"), &store);
    expect_limits(&store, "frozen");
    expect_kinds(&store, "start 2*map 2*write protect limit output exit");
    store_release(&store);
}

Test(engine, a_program_forbids_itself_new_code)
{
    struct store store;

    if (prctl(PR_GET_MDWE, 0, 0, 0, 0) < 0)
        cr_skip("PR_SET_MDWE is not known here (Linux 6.3): %s",
                strerror(errno));
    compare_tracee(TRACEE("mdwe"), &store);
    expect_limits(&store, "frozen");
    expect_kinds(&store, "start map 2*write protect limit output exit");
    store_release(&store);
}

/* --- memory -------------------------------------------------------------- */

Test(engine, other_memory_takes_the_place_of_code)
{
    struct store store;
    const struct event *first, *second;
    uint64_t addr;

    compare_tracee(TRACEE("fixed_over"), &store);
    addr = nth(&store, EVENT_MAP, 0)->map.addr;
    cr_assert(eq(sz, count(&store, EVENT_MAP), 2));
    cr_assert(eq(sz, count(&store, EVENT_UNMAP), 2));
    first = nth(&store, EVENT_UNMAP, 0);
    second = nth(&store, EVENT_UNMAP, 1);
    cr_assert(eq(u64, first->unmap.addr, addr));
    cr_assert(eq(u64, first->unmap.length, 4096));
    cr_assert(eq(u64, second->unmap.addr, addr + 4096));
    cr_assert(eq(u64, second->unmap.length, 4096));
    expect_limits(&store, "fork");
    store_release(&store);
}

Test(engine, one_read_fills_two_mappings)
{
    struct store store;

    compare_tracee(TRACEE("span"), &store);
    cr_assert(eq(sz, count(&store, EVENT_WRITE), 2));
    expect_write(&store, 0, 4092, "\1\2\3\4", 4, "read");
    expect_write(&store, 1, 0, "\xb8\7\0\0\0\xc3", 6, "read");
    cr_assert(eq(sz, count(&store, EVENT_ENTER), 1));
    expect_limits(&store, "");
    store_release(&store);
}

Test(engine, code_cuts_its_own_mapping)
{
    struct store store;

    compare_tracee(TRACEE("cut"), &store);
    cr_assert(eq(sz, count(&store, EVENT_STEP), 2 + 2 + 2));
    expect_step(&store, 0, "\x0f\5", 2);
    expect_step(&store, 1, "\xc3", 1);
    expect_enter(&store, 0, "call", 4096);
    cr_assert(eq(sz, count(&store, EVENT_ENTER), 3));
    expect_enter(&store, 1, "call", 4096 + 64);
    expect_enter(&store, 2, "call", 4096 + 64);
    expect_limits(&store, "");
    store_release(&store);
}

/* Of a page of code an entry brings all, of one byte more what is new; stores
 * to it are watched, or else the pages are read. */
Test(engine, an_entry_brings_a_page_or_what_is_new)
{
    static const struct {
        uint64_t offset;
        size_t size;
    } expected[] = {{0, 4096}, {0, 4096}, {4095, 2}, {0, 0}, {10, 1}};
    const char *const *const runs[] = {
        ARGS("--", TRACEE("page_edges")),
        ARGS("--max-length=4096", "--", TRACEE("page_edges")),
    };

    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        struct result result;
        struct store store;

        trace(&(struct job){.argv = runs[i]}, &store, &result);
        cr_assert(eq(int, result.status, 0));
        cr_assert(eq(sz, count(&store, EVENT_ENTER), 5));
        cr_assert(eq(sz, count(&store, EVENT_LIMIT), i));
        for (size_t n = 0; n < 5; n++) {
            const struct event *enter = nth(&store, EVENT_ENTER, n);

            cr_assert(eq(sz, enter->enter.code.len, expected[n].size),
                      "entry %zu of run %zu", n, i);
            if (expected[n].size > 0)
                cr_assert(
                    eq(u64, enter->enter.code_offset, expected[n].offset));
        }
        result_release(&result);
        store_release(&store);
    }
}

/* One step goes over two instructions: each has accessed what is its own. */
Test(engine, what_loads_ss_reads_for_itself)
{
    struct result result;
    struct store store;

    trace_tracee(TRACEE("shadow_read"), &store, &result);
    cr_assert(eq(sz, count(&store, EVENT_STEP), 6));
    expect_step(&store, 2, "\x8e\x14\x24", 3);
    cr_assert(eq(sz, nth(&store, EVENT_STEP, 2)->step.reads.count, 1));
    expect_step(&store, 3, "\x90", 1);
    cr_assert(eq(sz, nth(&store, EVENT_STEP, 3)->step.reads.count, 0));
    result_release(&result);
    store_release(&store);
}

/* --- calls --------------------------------------------------------------- */

Test(engine, c_returns_behind_the_call_of_a_stub)
{
    struct store store;
    const struct event *leave;

    compare_tracee(TRACEE("stub"), &store);
    cr_assert(eq(sz, count(&store, EVENT_ENTER), 2));
    cr_assert(eq(sz, count(&store, EVENT_LEAVE), 2));
    expect_enter(&store, 0, "call", 0);
    cr_assert(eq(int, nth(&store, EVENT_ENTER, 0)->enter.return_to.known, 1));
    leave = nth(&store, EVENT_LEAVE, 0);
    cr_assert(eq(str, (char *)leave->leave.how, "jump"));
    expect_enter(&store, 1, "return", 9);
    cr_assert(eq(int, nth(&store, EVENT_ENTER, 1)->enter.return_to.known, 0));
    leave = nth(&store, EVENT_LEAVE, 1);
    cr_assert(eq(str, (char *)leave->leave.how, "return"));
    cr_assert(eq(u64, leave->leave.value.value, 41));
    expect_limits(&store, "");
    store_release(&store);
}

/* --- threads and processes ----------------------------------------------- */

Test(engine, a_child_by_clone_is_free_of_guards)
{
    struct store store;

    compare_tracee(TRACEE("clone"), &store);
    expect_kinds(&store, "start map write limit write output exit");
    expect_write(&store, 0, 0, "\3", 1, NULL);
    expect_write(&store, 1, 1, "\1", 1, NULL);
    expect_limits(&store, "fork");
    store_release(&store);
}

Test(engine, children_that_share_the_memory_for_a_while)
{
    struct store store;

    compare_tracee(TRACEE("spawn"), &store);
    cr_assert(eq(sz, count(&store, EVENT_WRITE), 3));
    expect_write(&store, 0, 0, "\1", 1, NULL);
    expect_write(&store, 1, 1, "\2", 1, NULL);
    expect_write(&store, 2, 2, "\3", 1, NULL);
    expect_limits(&store, "exec exec");
    store_release(&store);
}

Test(engine, cpus_are_the_business_of_the_program)
{
    struct store store;

    compare_tracee(TRACEE("affinity"), &store);
    cr_assert(ge(sz, count(&store, EVENT_ENTER), 1));
    cr_assert(ge(sz, count(&store, EVENT_WRITE), 1));
    cr_assert(eq(u64, nth(&store, EVENT_WRITE, 0)->write.offset, 0));
    cr_assert(ne(ptr, (void *)nth(&store, EVENT_WRITE, 0)->write.by, NULL));
    expect_limits(&store, "");
    store_release(&store);
}

Test(engine, the_program_starts_itself_anew)
{
    struct store store;

    compare_tracee(TRACEE("reexec"), &store);
    cr_assert(eq(sz, count(&store, EVENT_MAP), 2));
    cr_assert(eq(u64, nth(&store, EVENT_MAP, 0)->map.addr,
                 nth(&store, EVENT_MAP, 1)->map.addr));
    cr_assert(eq(sz, count(&store, EVENT_UNMAP), 1));
    cr_assert(eq(sz, count(&store, EVENT_STEP), 4));
    expect_step(&store, 0, "\xb8\5\0\0\0", 5);
    expect_step(&store, 2, "\xb8\x09\0\0\0", 5);
    expect_limits(&store, "");
    store_release(&store);
}

/* Prints "hi" and ends with 42 (Linux for i386, elf(5)). */
static const uint8_t program_32_bit
    [] = {0x7f, 'E',  'L',  'F', 1,    1,    1,    0, 0,    0,    0,
          0,    0,    0,    0,   0, /* 32-bit */
          2,    0,    3,    0,   1,    0,    0,    0, 0x54, 0x80, 4,
          8, /* for i386, its entry */
          52,   0,    0,    0,   0,    0,    0,    0, 0,    0,    0,
          0,    52,   0,    32,  0,    1,    0,    0, 0,    0,    0,
          0,    0,    1,    0,   0,    0,    0,    0, 0,    0,    0,
          0x80, 4,    8,    0,   0x80, 4,    8, /* one segment */
          121,  0,    0,    0,   121,  0,    0,    0, 5,    0,    0,
          0,    0,    16,   0,   0,    0xb8, 4,    0, 0,    0,    0xbb,
          1,    0,    0,    0,                                 /* write(1, */
          0xb9, 0x76, 0x80, 4,   8,    0xba, 3,    0, 0,    0, /* "hi\n", 3) */
          0xcd, 0x80, 0xb8, 1,   0,    0,    0,                /* exit( */
          0xbb, 42,   0,    0,   0,    0xcd, 0x80,             /* 42) */
          'h',  'i',  '\n'};

Test(engine, what_a_program_starts_with_32_bits_runs_on)
{
    const char *file = scratch(".32-bit");
    struct result bare;
    struct store store;
    int status;

    write_file(file, program_32_bit, sizeof program_32_bit, 0755);
    run(&(struct job){.argv = ARGS("/bin/sh", "-c", "exec $0", file)}, &bare);
    status = bare.status;
    result_release(&bare);
    if (status != 42)
        cr_skip("this kernel runs no 32-bit programs");
    compare(&(struct job){.argv = ARGS("/bin/sh", "-c", "exec $0", file)},
            &store);
    expect_limits(&store, "32-bit");
    cr_assert(eq(u64, nth(&store, EVENT_EXIT, 0)->exit.status.value, 42));
    unlink(file);
    store_release(&store);
}

/* --- before the program, and after it ------------------------------------ */

/* The loader ends the program before its entry point: a library is missing. */
Test(engine, a_program_that_cannot_be_loaded)
{
    const char *file = scratch(".broken");
    struct buf elf = {0};
    struct store store;
    struct result result;
    uint8_t *name;

    read_file(TRACEE("rwx"), &elf);
    name = memmem(elf.data, elf.len, "libc.so.6", 10);
    cr_assert(ne(ptr, name, NULL));
    name[8] = '?';
    write_file(file, elf.data, elf.len, 0700);
    trace(&(struct job){.argv = ARGS("--", file)}, &store, &result);
    cr_assert(eq(int, result.status, 127));
    cr_assert(contains(buf_text(&result.err), "libc.so.?"));
    expect_kinds(&store, "start limit exit");
    cr_assert(
        eq(str, (char *)nth(&store, EVENT_LIMIT, 0)->limit.budget, "entry"));
    cr_assert(eq(u64, nth(&store, EVENT_EXIT, 0)->exit.status.value, 127));
    unlink(file);
    buf_release(&elf);
    result_release(&result);
    store_release(&store);
}

/* Reads the first line that the command prints. */
static void first_line(const struct running *running, char *line, size_t size)
{
    size_t len = 0;

    memset(line, 0, size);
    while (len < size - 1 && !strchr(line, '\n')) {
        struct pollfd fd = {running->out, POLLIN, 0};

        cr_assert(eq(int, poll(&fd, 1, 10000), 1), "nothing was printed");
        cr_assert(eq(i64, read(running->out, line + len, 1), 1));
        len++;
    }
}

/* A process that nobody has waited for yet is gone, too (Z: proc(5)). */
static bool is_gone(pid_t pid)
{
    char name[32], state = 'Z';
    FILE *file;

    snprintf(name, sizeof name, "/proc/%d/stat", (int)pid);
    file = fopen(name, "re");
    if (!file)
        return true;
    if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
        state = 'Z';
    fclose(file);
    return state == 'Z' || state == 'X';
}

static void wait_until_gone(pid_t pid, double limit)
{
    double since = now();

    while (!is_gone(pid))
        cr_assert(eq(int, wait_a_moment(since, limit), 1), "%d is still there",
                  (int)pid);
}

Test(engine, terminated_while_only_a_child_is_left)
{
    struct running running;
    struct result result;
    char line[64];
    int shell = 0, child = 0;

    run_begin(&(struct job){.argv = ARGS(JITTRACE, "--format=json", "-o",
                                         "/dev/null", "--", "/bin/sh", "-c",
                                         "sleep 20 & echo $$ $!; exit 3"),
                            .seconds = 10},
              &running);
    first_line(&running, line, sizeof line);
    cr_assert(eq(int, sscanf(line, "%d %d", &shell, &child), 2));
    wait_until_gone(shell, 5);
    cr_assert(eq(int, is_gone(child), 0));
    running.since = now();
    running.seconds = 8;
    kill(running.pid, SIGTERM);
    run_end(&running, &result);
    wait_until_gone(child, 2);
    cr_assert(lt(dbl, result.took, 8));
    result_release(&result);
}

/* Several short calls are no loop, however alike they are. */
Test(engine, calls_that_return_are_no_endless_loop)
{
    struct result result;

    run(&(struct job){.argv = ARGS(JITTRACE, "--max-call-steps=1", "--",
                                   TRACEE("rest_calls"))},
        &result);
    cr_assert(eq(int, result.status, 0));
    cr_assert(contains(buf_text(&result.out), "not watched"));
    cr_assert(lacks(buf_text(&result.out), "may be a loop"));
    result_release(&result);
}
