/* SPDX-License-Identifier: MIT */
/*
 * The four lines on a crash: of programs that die in each of the ways there
 * are, compared with the files in tests/golden; and of traces made by hand,
 * for what no program does on demand.
 */
#include "tell/explain.h"

#include <signal.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tell/tell.h"
#include "support/support.h"
#include "cpu/fault.h"

TestSuite(explain, .timeout = 150);

#define CODE  UINT64_C(0x7f0000001000)
#define HERE  UINT64_C(0x555555555000)
#define STACK UINT64_C(0x7ffe00001000)
#define TID   100
#define RW    (PROT_READ | PROT_WRITE)
#define RX    (PROT_READ | PROT_EXEC)

/* --- programs ------------------------------------------------------------ */

/* Addresses differ from run to run, but not in their length. */
static void hide_addresses(char *text)
{
    static const char hex[] = "0123456789abcdef";

    while (*text) {
        size_t len = strspn(text, hex);

        if (len >= 11)
            memset(text, '#', len);
        text += len ? len : 1;
    }
}

/* Numbers of three digits and more: how often, which event. */
static void hide_numbers(char *text)
{
    static const char digits[] = "0123456789";
    char *to = text;

    while (*text) {
        size_t len = strspn(text, digits);

        if (len < 3)
            *to++ = *text++;
        else
            *to++ = 'N';
        text += len < 3 ? 0 : len;
    }
    *to = '\0';
}

/* What stands from the last line on that begins with "what"; a copy. */
static char *last_lines(const char *text)
{
    const char *at = strstr(text, "\nIt was killed by signal ");
    char *copy;

    at = at ? strstr(at, "\nwhat   ") : NULL;
    cr_assert(ne(ptr, (void *)at, NULL), "there is no explanation in:\n%s",
              text);
    copy = strdup(at + 1);
    hide_addresses(copy);
    return copy;
}

/*
 * A directory in which the programs are in build/tracees, whatever the name of
 * the directory that they were built in: explanations name the program, and are
 * compared as they are.
 */
static const char *make_place(void)
{
    const char *place = scratch(".d"), *build = scratch(".d/build");
    char *programs = realpath(TRACEE(""), NULL);
    char *sources = realpath("tests", NULL);

    cr_assert(ne(ptr, programs, NULL));
    cr_assert(eq(int, mkdir(place, 0755), 0));
    cr_assert(eq(int, mkdir(build, 0755), 0));
    cr_assert(eq(int, symlink(programs, scratch(".d/build/tracees")), 0));
    cr_assert(eq(int, symlink(sources, scratch(".d/tests")), 0));
    free(programs);
    free(sources);
    return place;
}

static void drop_place(void)
{
    unlink(scratch(".d/build/tracees"));
    rmdir(scratch(".d/build"));
    unlink(scratch(".d/tests"));
    rmdir(scratch(".d"));
}

#define PLACED(name) "build/tracees/" name

/* The text of a run, or of its recording. */
static char *text_of(const char *const *argv, int status)
{
    struct result result;
    char *lines;

    run(&(struct job){.argv = argv, .dir = make_place(), .seconds = 60},
        &result);
    drop_place();
    cr_assert(eq(int, result.status, status), "%s", buf_text(&result.err));
    lines = last_lines(buf_text(&result.out));
    result_release(&result);
    return lines;
}

/* The same as --step has it, at an event; NULL if it has none. */
static char *text_at(struct history *history, uint64_t seq)
{
    struct explanation explanation = {0};
    struct pen pen = {0};
    char *text = NULL;

    if (tell_explain(history, seq, &explanation)) {
        explanation_write(&explanation, &pen, 0);
        text = strdup(buf_text(&pen.out));
        hide_addresses(text);
    }
    explanation_release(&explanation);
    pen_release(&pen);
    return text;
}

/* --step names no command to start it with, so its last line is another. */
static void expect_in_steps(const struct store *store, const char *want)
{
    size_t len = (size_t)(strstr(want, "\nnext   ") - want);
    struct history *history = history_new();
    unsigned explained = 0;
    uint64_t end = 0; /* behind the exit: verdicts may follow */

    for (uint64_t i = 0; i < store->count; i++) {
        history_append(history, store_event(store, i));
        if (history_event(history, i)->kind == EVENT_EXIT)
            end = i + 1;
    }
    cr_assert(lt(u64, 2, end));
    for (uint64_t i = end - 2; i < end; i++) {
        char *text = text_at(history, i);

        cr_assert(ne(ptr, text, NULL), "event %d", (int)i);
        cr_assert(eq(int, strncmp(text, want, len), 0), "%s", text);
        cr_assert(contains(text, "`g "), "%s", text);
        cr_assert(lacks(text, "jittrace"), "%s", text);
        explained++;
        free(text);
    }
    cr_assert(eq(uint, explained, 2));
    cr_assert(eq(ptr, text_at(history, end - 3), NULL));
    history_free(history);
}

/* A stack is not full before so many steps of one call. */
#define STEPS "--max-call-steps=100000"

/* How a program dies, and whether numbers differ from run to run, too. */
static void check_death(const char *name, int signal, bool varies)
{
    char golden[96], program[96], *text[2], *file;
    struct buf want = {0};
    struct result result;
    struct store store;

    snprintf(golden, sizeof golden, "tests/golden/%s.txt", name);
    snprintf(program, sizeof program, "%s%s", PLACED(""), name);
    write_file(scratch(".jsonl"), "", 0, 0644);
    file = realpath(scratch(".jsonl"), NULL);
    trace_to(file,
             &(struct job){.argv = ARGS(STEPS, "--", program),
                           .dir = make_place(),
                           .seconds = 60},
             &store, &result);
    drop_place();
    cr_assert(eq(int, result.status, 128 + signal));
    text[0] = text_of(ARGS(JITTRACE, "--replay", file), 0);
    text[1] = text_of(ARGS(JITTRACE, STEPS, "--", program), 128 + signal);
    expect_in_steps(&store, text[0]);
    for (int i = 0; i < 2; i++) {
        if (varies)
            hide_numbers(text[i]);
        if (i == 0 && getenv("JITTRACE_REBASE"))
            write_file(golden, text[i], strlen(text[i]), 0644);
        buf_clear(&want);
        read_file(golden, &want);
        cr_assert(eq(str, text[i], (char *)buf_text(&want)),
                  "%s differs; is it meant to?", golden);
        free(text[i]);
    }
    buf_release(&want);
    unlink(file);
    free(file);
    result_release(&result);
    store_release(&store);
}

#define DEATHS(X)                                                       \
    X(crash, SIGILL, false)                                             \
    X(falls, SIGSEGV, false)                                            \
    X(die_again, SIGSEGV, false)                                        \
    X(die_aligned, SIGSEGV, false)                                      \
    X(die_argument, SIGSEGV, false)                                     \
    X(die_crossing, SIGSEGV, false)                                     \
    X(die_dividend, SIGFPE, false)                                      \
    X(die_down, SIGSEGV, false)                                         \
    X(die_edge, SIGSEGV, false)                                         \
    X(die_file_end, SIGBUS, false)                                      \
    X(die_filtered, SIGSYS, false)                                      \
    X(die_gone, SIGSEGV, false)                                         \
    X(die_index, SIGSEGV, false)                                        \
    X(die_map_failed, SIGSEGV, false)                                   \
    X(die_middle, SIGSEGV, false)                                       \
    X(die_null, SIGSEGV, false)                                         \
    X(die_opcode, SIGILL, false)                                        \
    X(die_page_end, SIGSEGV, false)                                     \
    X(die_pointer, SIGSEGV, false)                                      \
    X(die_pops, SIGSEGV, false)                                         \
    X(die_quotient, SIGFPE, false)                                      \
    X(die_refused, SIGSEGV, false)                                      \
    X(die_return, SIGSEGV, false)                                       \
    X(die_rw, SIGSEGV, false)                                           \
    X(die_rx, SIGSEGV, false)                                           \
    X(die_saved, SIGSEGV, false)                                        \
    X(die_stack, SIGSEGV, true) /* where a stack begins is by chance */ \
    X(die_target, SIGSEGV, false)                                       \
    X(die_twin, SIGSEGV, false)                                         \
    X(die_unmapped, SIGSEGV, false)                                     \
    X(die_wild, SIGSEGV, false)                                         \
    X(die_zero, SIGFPE, false)                                          \
    X(die_zeros, SIGSEGV, false)
#define DEATH(name, signal, varies)         \
    Test(explain, name)                     \
    {                                       \
        check_death(#name, signal, varies); \
    }
DEATHS(DEATH)

static void must_have(const char *text, const char *words)
{
    cr_assert(contains(text, words), "no \"%s\" in:\n%s", words, text);
}

/* A child's fault is told as the program's own is, though it was not watched:
 * of one that died, and of one that has a handler. */
Test(explain, dead_child)
{
    static const char *const forms[] = {"--color=never", "--brief"};
    struct result result;
    const char *text;

    for (size_t i = 0; i < 2; i++) {
        run(&(struct job){.argv = ARGS(JITTRACE, forms[i], "--",
                                       TRACEE("dead_child")),
                          .seconds = 60},
            &result);
        text = strstr(buf_text(&result.out), "what   The program read from");
        cr_assert(ne(ptr, (void *)text, NULL), "%s", buf_text(&result.out));
        must_have(text, "SIGSEGV, in\n       the child process ");
        must_have(text, "mov rax, [rcx] at code[2]");
        must_have(text, "called at dead_child.c:");
        must_have(text, "rcx = 0; what set it was not seen, for");
        must_have(text, "in memory xor ecx, ecx at code[0]");
        text = strstr(text + 1, "what   The program read from");
        cr_assert(ne(ptr, (void *)text, NULL), "%s", buf_text(&result.out));
        must_have(text, "the child process ");
        must_have(text, "handled by");
        result_release(&result);
    }
}

/* What the README shows is what one of them gives. */
Test(explain, the_readme)
{
    struct buf readme = {0}, golden = {0};

    read_file("README.md", &readme);
    read_file("tests/golden/die_rw.txt", &golden);
    buf_text(&readme);
    hide_addresses((char *)readme.data);
    must_have(buf_text(&readme), buf_text(&golden));
    buf_release(&readme);
    buf_release(&golden);
}

/* The page's protection is the program's own: a guard had taken the rest. */
Test(explain, the_protection_that_the_program_asked_for)
{
    static const struct {
        const char *program;
        const char *maps;
    } cases[] = {
        {TRACEE("die_rw"), " rw-p "},
        {TRACEE("die_rx"), " r-xp "},
        {TRACEE("falls"), " r-xp "},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct event *event;
        struct result result;
        struct store store;

        trace(&(struct job){.argv = ARGS("--", cases[i].program)}, &store,
              &result);
        event = nth(&store, EVENT_SIGNAL, 0);
        must_have(event->signal.maps, cases[i].maps);
        cr_assert(eq(ptr, (void *)event->signal.nearest, NULL));
        cr_assert(eq(int, event->signal.regs.known, 1));
        cr_assert(eq(u64, event->signal.regs.value.value[REG_PC],
                     event->signal.pc.value));
        store_release(&store);
        result_release(&result);
    }
}

/* What the C library executes there is its own. */
Test(explain, die_callee)
{
    char *text =
        text_of(ARGS(JITTRACE, "--", PLACED("die_callee")), 128 + SIGSEGV);

    must_have(text, "what   The program read from address 0: a null pointer "
                    "(signal 11 SIGSEGV).\nwhere  ");
    must_have(text, "\nwhy    Generated code had called it: call rsi at "
                    "code[2] (event 10), with rdi =\n       0, set by xor edi, "
                    "edi at code[0] (event 9). ");
    must_have(text,
              "then `g 9`, shows that\n       instruction and the registers.");
    free(text);
}

/* Once where stepping ends, and once more at the end. */
Test(explain, die_loop)
{
    static const char why[] =
        "why    jnz code[0] at code[7] could leave it, but never did; it "
        "depends on cmp\n       rsi, 0 at code[3]: rsi stays 1, so it never "
        "will.\n";
    static const char where[] =
        "where  code[0] inc qword ptr [rdi]; code[3] cmp rsi, 0; code[7] jnz "
        "code[0].\n";
    struct result result;
    const char *text, *again;

    run(&(struct job){.argv = ARGS(JITTRACE, "--", TRACEE("die_loop")),
                      .seconds = 120},
        &result);
    cr_assert(eq(int, result.status, 128 + SIGTERM));
    text = buf_text(&result.out);
    must_have(text, "what   This may be a loop without an end: the same 3 "
                    "instructions, ");
    must_have(text, where);
    must_have(text, why);
    again =
        strstr(text, "\nIt was killed by signal 15 SIGTERM.\n"
                     "what   The program was ended by a signal that it "
                     "did not handle (signal 15\n       SIGTERM). It was last "
                     "seen in a loop: the same 3 instructions, ");
    cr_assert(ne(ptr, (void *)again, NULL), "%s", text);
    must_have(again, where);
    must_have(again, why);
    result_release(&result);
}

/* --- traces made by hand ------------------------------------------------- */

static void add(struct history *history, struct event event)
{
    event.seq = history_count(history);
    if (event.tid == 0)
        event.tid = TID;
    history_append(history, &event);
}

static void map(struct history *history)
{
    static const char *const argv[] = {"./jit"};

    add(history,
        (struct event){
            .kind = EVENT_START,
            .start = {.argv = {argv, 1}, .exe = "/jit", .page_size = 4096}});
    add(history, (struct event){.kind = EVENT_MAP,
                                .source = {.file = "jit.c", .line = 1},
                                .map = {.addr = CODE,
                                        .length = 4096,
                                        .prot = RW,
                                        .call = "mmap(a)"}});
}

static void store(struct history *history, uint64_t offset, const void *bytes,
                  size_t len)
{
    static const uint8_t zeros[64];

    add(history, (struct event){.kind = EVENT_WRITE,
                                .source = {.file = "jit.c", .line = 2},
                                .write = {.addr = CODE + offset,
                                          .offset = offset,
                                          .old = {zeros, len},
                                          .new = {bytes, len},
                                          .pc = HERE}});
}

static void protect(struct history *history, unsigned old, unsigned prot,
                    const char *call)
{
    add(history, (struct event){.kind = EVENT_PROTECT,
                                .source = {.file = "jit.c", .line = 3},
                                .protect = {.addr = CODE,
                                            .length = 4096,
                                            .old_prot = old,
                                            .prot = prot,
                                            .call = call}});
}

static struct history *with_code(const void *bytes, size_t len)
{
    struct history *history = history_new();

    map(history);
    store(history, 0, bytes, len);
    protect(history, RW, RX, "mprotect(b)");
    return history;
}

static void enter(struct history *history, uint64_t offset, const char *how)
{
    struct event event = {
        .kind = EVENT_ENTER,
        .source = {.file = "jit.c", .line = 4},
        .enter = {.addr = CODE + offset, .offset = offset, .how = how}};

    event.enter.regs.value[REG_PC] = CODE + offset;
    event.enter.regs.value[REG_STACK] = STACK;
    add(history, event);
}

/* One instruction of `bytes`; of the registers only one may change. */
static void step(struct history *history, uint64_t offset, const void *bytes,
                 size_t len, uint64_t next, const struct reg_change *change)
{
    add(history, (struct event){.kind = EVENT_STEP,
                                .step = {.addr = CODE + offset,
                                         .offset = offset,
                                         .bytes = {bytes, len},
                                         .regs = {change, change ? 1 : 0},
                                         .next = next}});
}

static void leave(struct history *history, const char *how, uint64_t to)
{
    add(history,
        (struct event){.kind = EVENT_LEAVE, .leave = {.how = how, .to = to}});
}

static void fault(struct history *history, int number, int code, uint64_t addr,
                  uint64_t pc, const char *access)
{
    add(history, (struct event){.kind = EVENT_SIGNAL,
                                .signal = {.number = number,
                                           .name = "SIG",
                                           .code = code,
                                           .addr = {true, addr},
                                           .pc = {true, pc},
                                           .access = access}});
}

static void died(struct history *history, int signal)
{
    add(history, (struct event){.kind = EVENT_EXIT,
                                .exit = {.signal = {true, (uint64_t)signal}}});
}

/* The explanation at the last event; released by the next call. */
static const char *line(struct history *history, enum explain_line which)
{
    static struct explanation explanation;
    uint64_t last = history_count(history) - 1;

    explanation_release(&explanation);
    explanation = (struct explanation){0};
    if (!tell_explain(history, last, &explanation))
        return NULL;
    return buf_text(&explanation.line[which]);
}

static void expect(struct history *history, enum explain_line which,
                   const char *words)
{
    const char *text = line(history, which);

    cr_assert(ne(ptr, (void *)text, NULL), "there is no explanation");
    must_have(text, words);
}

static void expect_not(struct history *history, enum explain_line which,
                       const char *words)
{
    const char *text = line(history, which);

    cr_assert(ne(ptr, (void *)text, NULL), "there is no explanation");
    cr_assert(lacks(text, words), "\"%s\" in: %s", words, text);
}

static void expect_nothing(struct history *history, uint64_t seq)
{
    struct explanation explanation = {0};

    cr_assert(eq(int, tell_explain(history, seq, &explanation), false));
    for (int i = 0; i < EXPLAIN_LINES; i++)
        cr_assert(eq(sz, explanation.line[i].len, 0));
}

static const uint8_t nops[] = {0x90, 0x90, 0x90, 0x90, 0xc3};
static const uint8_t load[] = {0x48, 0x8b, 0x07}; /* mov rax, [rdi] */

/* The same four lines, but marked; and only once it is known. */
static void expect_handled(struct history *history, uint64_t seq)
{
    struct explanation explanation = {0};

    cr_assert(eq(int, tell_explain(history, seq, &explanation), true));
    must_have(buf_text(&explanation.line[EXPLAIN_WHAT]),
              ", handled by the program).");
    explanation_release(&explanation);
}

Test(explain, a_handled_signal_is_no_death)
{
    struct history *history = with_code(load, 3);

    enter(history, 0, "call");
    fault(history, SIGSEGV, SEGV_MAPERR, 0, CODE, "read");
    expect_nothing(history, 5);
    leave(history, "signal", HERE);
    expect_handled(history, 5);
    add(history,
        (struct event){.kind = EVENT_EXIT, .exit = {.status = {true, 0}}});
    for (uint64_t i = 0; i < history_count(history); i++)
        if (i != 5)
            expect_nothing(history, i);
    history_free(history);
}

/* It has nothing to do with generated code, and may be what the program does
 * every day. */
Test(explain, a_handled_signal_of_other_code)
{
    struct history *history = with_code(load, 3);

    fault(history, SIGSEGV, SEGV_MAPERR, 0, HERE, "read");
    enter(history, 0, "call");
    expect_nothing(history, 4);
    history_free(history);
}

/* The first one was handled; the second one, at another place, was not. */
Test(explain, only_the_last_signal_is_the_death)
{
    struct history *history = with_code(load, 3);

    enter(history, 0, "call");
    fault(history, SIGSEGV, SEGV_MAPERR, 0x10, CODE, "read");
    leave(history, "signal", HERE);
    fault(history, SIGSEGV, SEGV_MAPERR, 0x20, HERE, "write");
    died(history, SIGSEGV);
    expect_handled(history, 5);
    expect(history, EXPLAIN_WHERE, "it was to write to 0x20");
    history_free(history);
}

/* It was handled, and then the program was killed by one that is not seen. */
Test(explain, a_signal_that_no_event_tells_of)
{
    struct history *history = with_code(load, 3);

    enter(history, 0, "call");
    fault(history, SIGSEGV, SEGV_MAPERR, 0x10, CODE, "read");
    leave(history, "signal", HERE);
    died(history, SIGKILL);
    expect_handled(history, 5);
    expect(history, EXPLAIN_WHAT, "ended from outside (signal 9 SIGKILL).");
    expect(history, EXPLAIN_WHY, "kill -9");
    history_free(history);
}

/* The same number, but the one that is told of was handled. */
Test(explain, a_handled_signal_is_not_taken_for_a_later_one)
{
    struct history *history = with_code(load, 3);

    enter(history, 0, "call");
    fault(history, SIGSEGV, SEGV_MAPERR, 0x10, CODE, "read");
    leave(history, "signal", HERE);
    died(history, SIGSEGV);
    expect(history, EXPLAIN_WHAT, "ended from outside (signal 11 SIGSEGV).");
    history_free(history);
}

Test(explain, who_quits_needs_no_explanation)
{
    struct history *history = with_code(nops, 5);

    add(history, (struct event){.kind = EVENT_LIMIT,
                                .limit = {.budget = "quit", .text = "q"}});
    died(history, SIGKILL);
    expect_nothing(history, history_count(history) - 1);
    history_free(history);
}

Test(explain, abort_is_the_programs_own_doing)
{
    struct history *history = with_code(nops, 5);

    add(history, (struct event){.kind = EVENT_SIGNAL,
                                .signal = {.number = SIGABRT,
                                           .name = "SIGABRT",
                                           .code = SI_TKILL,
                                           .pc = {true, HERE}}});
    died(history, SIGABRT);
    expect(history, EXPLAIN_WHAT, "The program ended itself: abort()");
    expect(history, EXPLAIN_WHERE, "No generated code was seen running.");
    history_free(history);
}

/* Of several calls the last one counts, also for a part that it cut off. */
Test(explain, the_last_call_has_set_the_protection)
{
    struct history *history = with_code(nops, 5);

    protect(history, RX, RW, "mprotect(c)");
    fault(history, SIGSEGV, SEGV_ACCERR, CODE, CODE, "execute");
    died(history, SIGSEGV);
    expect(history, EXPLAIN_WHY,
           "the page is rw-, made so by mprotect(c) at jit.c:3 (event 4).");
    history_free(history);
}

Test(explain, what_was_taken_away)
{
    struct history *history = with_code(nops, 5);

    add(history, (struct event){.kind = EVENT_UNMAP,
                                .source = {.file = "jit.c", .line = 9},
                                .unmap = {CODE, 4096, "munmap(d)"}});
    fault(history, SIGSEGV, SEGV_MAPERR, CODE + 1, CODE + 1, "execute");
    died(history, SIGSEGV);
    expect(history, EXPLAIN_WHY,
           "nothing is mapped, since munmap(d) at jit.c:9 took it away "
           "(event 4).");
    history_free(history);
}

/* The latest change of the register counts, of this thread only. */
Test(explain, the_step_that_set_a_register)
{
    static const uint8_t zero[] = {0x31, 0xff}; /* xor edi, edi */
    static const struct reg_change rdi = {X86_RDI, 1, 0};
    struct history *history = history_new();
    struct event other;

    map(history);
    for (uint64_t i = 0; i < 2; i++)
        store(history, 2 * i, zero, 2);
    store(history, 4, load, 3);
    protect(history, RW, RX, "mprotect(b)");
    enter(history, 0, "call");
    step(history, 0, zero, 2, CODE + 2, &rdi);
    step(history, 2, zero, 2, CODE + 4, &rdi);
    other = *history_event(history, history_count(history) - 1);
    other.tid = TID + 1;
    other.step.addr = CODE + 100;
    add(history, other);
    fault(history, SIGSEGV, SEGV_MAPERR, 0, CODE + 4, "read");
    died(history, SIGSEGV);
    expect(history, EXPLAIN_WHY,
           "rdi = 0, set by xor edi, edi at code[2] (event 8).");
    expect(history, EXPLAIN_NEXT, "`g 8` shows");
    history_free(history);
}

/* An instruction that makes a register what it was has set it. */
Test(explain, the_step_that_set_a_register_to_what_it_was)
{
    static const uint8_t code[] = {0x31, 0xff, 0x48, 0x8b, 0x07};
    struct history *history = with_code(code, sizeof code);

    enter(history, 0, "call");
    step(history, 0, code, 2, CODE + 2, NULL);
    fault(history, SIGSEGV, SEGV_MAPERR, 0, CODE + 2, "read");
    died(history, SIGSEGV);
    expect(history, EXPLAIN_WHY,
           "rdi = 0, set by xor edi, edi at code[0] (event 5).");
    history_free(history);
}

/* An entry with one register that is not 0. */
static void enter_with(struct history *history, uint64_t offset,
                       const char *how, enum reg reg, uint64_t value)
{
    struct event event = {
        .kind = EVENT_ENTER,
        .enter = {.addr = CODE + offset, .offset = offset, .how = how}};

    event.enter.regs.value[REG_PC] = CODE + offset;
    event.enter.regs.value[REG_STACK] = STACK;
    event.enter.regs.value[reg] = value;
    add(history, event);
}

static void fault_with(struct history *history, uint64_t offset, enum reg reg,
                       uint64_t value)
{
    struct event event = {.kind = EVENT_SIGNAL,
                          .signal = {.number = SIGSEGV,
                                     .code = SEGV_MAPERR,
                                     .addr = {true, value},
                                     .pc = {true, CODE + offset},
                                     .access = "read",
                                     .regs = {.known = true}}};

    event.signal.regs.value.value[REG_PC] = CODE + offset;
    event.signal.regs.value.value[REG_STACK] = STACK;
    event.signal.regs.value.value[reg] = value;
    add(history, event);
    died(history, SIGSEGV);
}

/* What other code did to a register is not known: it may have been set there,
 * unless it had to be kept, and was. */
Test(explain, registers_across_other_code)
{
    static const uint8_t code[] = {
        0xbb, 0x20, 0,    0, 0, /* mov ebx, 32 */
        0xbf, 0x20, 0,    0, 0, /* mov edi, 32 */
        0xff, 0xd0,             /* call rax */
        0x48, 0x8b, 0x03,       /* mov rax, [rbx] */
        0x48, 0x8b, 0x07,       /* mov rax, [rdi] */
    };
    static const struct {
        uint64_t offset; /* of the load */
        enum reg reg;
        uint64_t behind; /* its value behind the call */
        const char *left;
        const char *words;
    } cases[] = {
        {12, X86_RBX, 32, "call", "rbx = 32, set by mov ebx, 32 at code[0]"},
        {12, X86_RBX, 64, "call",
         "rbx = 64, as the function left it that call rax at code[10] (event "
         "7) called"},
        {15, X86_RDI, 32, "call", "rdi = 32, as the function left it that"},
        {15, X86_RDI, 32, "signal", "rdi = 32, set by mov edi, 32 at code[5]"},
        {15, X86_RDI, 64, "signal",
         "rdi = 64, as a signal handler left it (event 9)"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct reg_change rbx = {X86_RBX, 0, 32}, rdi = {X86_RDI, 0, 32};
        struct history *history = with_code(code, sizeof code);

        enter(history, 0, "call");
        step(history, 0, code, 5, CODE + 5, &rbx);
        step(history, 5, code + 5, 5, CODE + 10, &rdi);
        step(history, 10, code + 10, 2, HERE, NULL);
        leave(history, cases[i].left, HERE);
        enter_with(history, cases[i].offset, "return", cases[i].reg,
                   cases[i].behind);
        fault_with(history, cases[i].offset, cases[i].reg, cases[i].behind);
        expect(history, EXPLAIN_WHY, cases[i].words);
        history_free(history);
    }
}

/* It was entered once, and again unseen: the same number proves nothing. */
Test(explain, no_register_of_a_call_before)
{
    struct history *history = with_code(load, 3);

    enter_with(history, 0, "call", X86_RDI, 32);
    leave(history, "return", HERE);
    add(history, (struct event){.kind = EVENT_LIMIT,
                                .limit = {.budget = "calls", .text = "..."}});
    fault_with(history, 0, X86_RDI, 32);
    expect(history, EXPLAIN_WHY,
           "rdi = 32; what set it was not seen, for more was executed than "
           "--max-calls.");
    expect_not(history, EXPLAIN_WHY, "control came in");
    history_free(history);
}

static void refuse(struct history *history, const char *call)
{
    add(history, (struct event){.kind = EVENT_REFUSED,
                                .source = {.file = "jit.c", .line = 5},
                                .refused = {.call = call, .error = "EACCES"}});
}

/* Of a call that failed is told only if it was about this page and this access,
 * and nothing was made of the page since. */
Test(explain, a_call_that_had_failed)
{
    static const struct {
        const char *call;
        bool made_up; /* a later one was successful */
        bool is_told;
    } cases[] = {
        {"mprotect(0x7f0000001000, 4096, PROT_READ|PROT_EXEC)", false, true},
        {"mprotect(0x7f0000001040, 6, PROT_READ|PROT_EXEC)", false, true},
        {"mprotect(0x7f0000001000, 5, 0x1000)", false, true},
        {"mprotect(0x7f0000001000, 4096, PROT_READ|PROT_EXEC)", true, false},
        {"mprotect(0x7f0000001000, 4096, PROT_READ|PROT_WRITE)", false, false},
        {"mprotect(0x7f0000003000, 4096, PROT_READ|PROT_EXEC)", false, false},
        {"munmap(0x7f0000001000, 4096)", false, false},
        {NULL, false, false},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct history *history = history_new();
        const char *what;

        map(history);
        store(history, 0, nops, 5);
        refuse(history, cases[i].call);
        if (cases[i].made_up)
            protect(history, RW, RW, "mprotect(c)");
        fault(history, SIGSEGV, SEGV_ACCERR, CODE, CODE, "execute");
        died(history, SIGSEGV);
        what = line(history, EXPLAIN_WHAT);
        cr_assert(eq(int,
                     strstr(what, "mprotect at jit.c:5 failed with EACCES, so "
                                  "the page is still rw-") != NULL,
                     cases[i].is_told),
                  "case %zu: %s", i, what);
        history_free(history);
    }
}

/* The addresses around -1 are those of a mapping that failed, if one did. */
Test(explain, a_mapping_that_had_failed)
{
    static const struct {
        const char *call;
        uint64_t addr;
        const char *words;
    } cases[] = {
        {"mmap(NULL, 4096)", UINT64_MAX, "wrote to MAP_FAILED (signal"},
        {"mmap(NULL, 4096)", 7, "what looks like MAP_FAILED and a distance"},
        {"munmap(0x10, 1)", UINT64_MAX, "-1, which is no address"},
        {"mmap(NULL, 4096)", 1 << 20, "an address where nothing is mapped"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct history *history = with_code(nops, 5);

        refuse(history, cases[i].call);
        fault(history, SIGSEGV, SEGV_MAPERR, cases[i].addr, HERE, "write");
        died(history, SIGSEGV);
        expect(history, EXPLAIN_WHAT, cases[i].words);
        history_free(history);
    }
}

/* That is no end of the code, though an instruction came before it. */
Test(explain, code_that_another_thread_took_away)
{
    struct history *history = with_code(nops, 5);
    struct event event = {.kind = EVENT_PROTECT,
                          .tid = TID + 1,
                          .source = {.file = "jit.c", .line = 7},
                          .protect = {.addr = CODE,
                                      .length = 4096,
                                      .old_prot = RX,
                                      .prot = RW,
                                      .call = "mprotect(c)"}};

    enter(history, 0, "call");
    step(history, 0, nops, 1, CODE + 1, NULL);
    add(history, event);
    fault(history, SIGSEGV, SEGV_ACCERR, CODE + 1, CODE + 1, "execute");
    died(history, SIGSEGV);
    expect(history, EXPLAIN_WHAT, "while its page lost the permission");
    expect(history, EXPLAIN_WHY,
           "the page is rw-, made so by mprotect(c) at jit.c:7 in thread 101 "
           "(event 6).");
    expect_not(history, EXPLAIN_NEXT, "End the code");
    history_free(history);
}

/* At the end nothing tells whether it was a child that died of it. */
Test(explain, a_fault_of_a_child)
{
    struct history *known = with_code(load, 3), *history = with_code(load, 3);
    struct event event;

    fault(known, SIGSEGV, SEGV_MAPERR, 0, CODE, "read");
    event = *history_event(known, history_count(known) - 1);
    event.tid = TID + 1;
    add(history, event);
    history_free(known);
    add(history,
        (struct event){.kind = EVENT_EXIT, .exit = {.status = {true, 0}}});
    expect_nothing(history, 4);
    history_free(history);
}

/* Memory that is readable, but not there: the page is not to blame. */
Test(explain, what_is_behind_the_end_of_a_file)
{
    struct history *history = with_code(load, 3);

    enter(history, 0, "call");
    fault(history, SIGBUS, BUS_ADRERR, CODE + 16, CODE, "read");
    died(history, SIGBUS);
    expect(history, EXPLAIN_WHY, "no memory is behind that address");
    expect_not(history, EXPLAIN_WHY, "but the page is");
    history_free(history);
}

/* Half of an address, and where in another file it was used. */
Test(explain, an_address_that_was_cut)
{
    struct history *history = with_code(load, 3);
    struct event event = {.kind = EVENT_SIGNAL,
                          .signal = {.number = SIGSEGV,
                                     .code = SEGV_MAPERR,
                                     .addr = {true, 0x55555000},
                                     .pc = {true, HERE},
                                     .access = "read",
                                     .twin = {true, HERE},
                                     .twin_symbol = "table+0x0",
                                     .symbol = "libc.so.6:strlen+0x1"}};

    add(history, event);
    died(history, SIGSEGV);
    expect(history, EXPLAIN_WHERE, "0x555555555000, in libc.so.6:strlen+0x1;");
    expect(history, EXPLAIN_WHY,
           "0x555555555000 <table+0x0> has the same low 32 bits, and is "
           "mapped:");
    history_free(history);
}

/* It did not run there, so nothing is said of an end. */
Test(explain, sent_to_where_nobody_wrote)
{
    static const uint8_t zeros[2];
    struct history *history = with_code(nops, 5);

    enter(history, 64, "call");
    add(history, (struct event){.kind = EVENT_SIGNAL,
                                .signal = {.number = SIGSEGV,
                                           .code = SEGV_MAPERR,
                                           .addr = {true, 0},
                                           .pc = {true, CODE + 64},
                                           .access = "write",
                                           .bytes = {zeros, 2}}});
    died(history, SIGSEGV);
    expect(history, EXPLAIN_WHAT, "sent to bytes that nobody wrote");
    expect_not(history, EXPLAIN_WHY, "is no ret");
    history_free(history);
}

/* One of the two zeros was stored. */
Test(explain, zeros_that_were_written)
{
    static const uint8_t zeros[2];

    for (uint64_t at = 4; at < 6; at++) {
        struct history *history = with_code(nops, 4);

        store(history, at, zeros, 1);
        enter(history, 3, "call");
        step(history, 3, nops, 1, CODE + 4, NULL);
        add(history, (struct event){.kind = EVENT_SIGNAL,
                                    .signal = {.number = SIGSEGV,
                                               .code = SEGV_MAPERR,
                                               .addr = {true, 0},
                                               .pc = {true, CODE + 4},
                                               .access = "write",
                                               .bytes = {zeros, 2}}});
        died(history, SIGSEGV);
        expect(history, EXPLAIN_WHAT, "wrote to address 0: a null pointer");
        history_free(history);
    }
}

/* --- into the middle ----------------------------------------------------- */

static const uint8_t mov_ret[] = {0xb8, 0x0f, 0x0b, 0, 0, 0xc3}; /* mov eax */

Test(explain, the_middle_of_what_was_stored_as_one)
{
    struct history *history = history_new();

    map(history);
    store(history, 0, mov_ret, 5);
    store(history, 6, nops, 1); /* a gap: no sweep goes through */
    protect(history, RW, RX, "mprotect(b)");
    enter(history, 1, "call");
    fault(history, SIGILL, ILL_ILLOPN, CODE + 1, CODE + 1, NULL);
    died(history, SIGILL);
    expect(history, EXPLAIN_WHAT, "into the middle of an instruction");
    expect(history, EXPLAIN_WHERE,
           "byte 1 of mov eax, 2831 at code[0] (as "
           "event 2 stored it).");
    expect(history, EXPLAIN_WHY, "A call at jit.c:4 (event 5) went to code[1]");
    history_free(history);
}

Test(explain, the_middle_as_a_sweep_finds_it)
{
    struct history *history = history_new();

    map(history);
    for (uint64_t i = 0; i < sizeof mov_ret; i++)
        store(history, i, mov_ret + i, 1);
    protect(history, RW, RX, "mprotect(b)");
    enter(history, 1, "call");
    fault(history, SIGILL, ILL_ILLOPN, CODE + 1, CODE + 1, NULL);
    died(history, SIGILL);
    expect(history, EXPLAIN_WHERE, "(read from the first byte of the code on)");
    history_free(history);
}

/* What crashes later may have been meant: then a sweep proves nothing. */
Test(explain, a_sweep_counts_only_for_a_crash_soon_after)
{
    static const uint8_t code[] = {0xb8, 0x90, 0x90, 0x90, 0x90,
                                   0x90, 0x90, 0x0f, 0x0b};

    for (uint64_t from = 1; from < 5; from++) {
        struct history *history = with_code(code, sizeof code);
        bool soon = from > 2; /* 4 instructions from byte 3 on */

        enter(history, from, "call");
        for (uint64_t i = from; i < 7; i++)
            step(history, i, code + i, 1, CODE + i + 1, NULL);
        fault(history, SIGILL, ILL_ILLOPN, CODE + 7, CODE + 7, NULL);
        died(history, SIGILL);
        cr_assert(eq(int, strstr(line(history, EXPLAIN_WHAT), "middle") != NULL,
                     soon),
                  "from byte %d", (int)from);
        history_free(history);
    }
}

/* After a few instructions of nonsense a crash is still soon. */
Test(explain, the_middle_read_on_from_a_step)
{
    static const uint8_t code[] = {0x90, 0xb8, 0x90, 0x0f, 0x0b, 0, 0xc3};
    struct history *history = with_code(code, sizeof code);

    enter(history, 0, "call");
    step(history, 0, code, 1, CODE + 1, NULL);
    leave(history, "signal", HERE);
    enter(history, 2, "jump");
    step(history, 2, code + 2, 1, CODE + 3, NULL);
    fault(history, SIGILL, ILL_ILLOPN, CODE + 3, CODE + 3, NULL);
    died(history, SIGILL);
    expect(history, EXPLAIN_WHERE, "ud2 at code[3]");
    expect(history, EXPLAIN_WHERE, "it came to code[2], byte 1 of mov eax, ");
    expect(history, EXPLAIN_WHERE, " at code[1] (read on from event 5).");
    history_free(history);
}

/* What ran there before was an instruction, whatever stands in front of it:
 * then data among the code misleads nobody. */
Test(explain, not_the_middle_where_an_instruction_was_executed)
{
    struct history *history = with_code(mov_ret, sizeof mov_ret);

    enter(history, 1, "call");
    step(history, 1, mov_ret + 1, 2, CODE + 3, NULL);
    leave(history, "signal", HERE);
    enter(history, 1, "call");
    fault(history, SIGILL, ILL_ILLOPN, CODE + 1, CODE + 1, NULL);
    died(history, SIGILL);
    expect_not(history, EXPLAIN_WHAT, "middle");
    expect(history, EXPLAIN_WHAT, "does not know this instruction");
    history_free(history);
}

/* A crash in code that was entered where an instruction begins. */
Test(explain, not_the_middle_of_plain_code)
{
    static const uint8_t code[] = {0x90, 0x48, 0x8b, 0x07, 0xc3};
    struct history *history = with_code(code, sizeof code);

    enter(history, 1, "call");
    fault(history, SIGSEGV, SEGV_MAPERR, 0, CODE + 1, "read");
    died(history, SIGSEGV);
    expect(history, EXPLAIN_WHAT, "address 0: a null pointer");
    history_free(history);
}

/* Behind a ret may be data: reading on says nothing there. */
Test(explain, not_the_middle_behind_a_return)
{
    static const uint8_t code[] = {0xc3, 0xb8, 0x0f, 0x0b, 0, 0, 0x06};
    struct history *history = with_code(code, sizeof code);

    enter(history, 0, "call");
    step(history, 0, code, 1, HERE, NULL);
    leave(history, "return", HERE);
    enter(history, 2, "call");
    fault(history, SIGILL, ILL_ILLOPN, CODE + 2, CODE + 2, NULL);
    died(history, SIGILL);
    expect_not(history, EXPLAIN_WHAT, "middle");
    history_free(history);
}

/* --- returns ------------------------------------------------------------- */

static void step_ret(struct history *history, uint64_t offset, uint64_t sp,
                     uint64_t next)
{
    static const uint8_t ret = 0xc3;
    const struct mem_access read = {.addr = sp, .old_bytes = {nops, 5}};
    const struct reg_change popped = {REG_STACK, sp, sp + 8};

    add(history, (struct event){.kind = EVENT_STEP,
                                .step = {.addr = CODE + offset,
                                         .offset = offset,
                                         .bytes = {&ret, 1},
                                         .regs = {&popped, 1},
                                         .reads = {&read, 1},
                                         .next = next}});
}

/* rsp is right, so what it points to was overwritten. */
Test(explain, a_return_address_that_was_overwritten)
{
    static const uint8_t code[] = {0x48, 0x89, 0x04, 0x24, 0xc3};
    const struct mem_access write = {.addr = STACK, .new_bytes = {nops, 5}};
    struct history *history = with_code(code, sizeof code);

    enter(history, 0, "call");
    add(history, (struct event){.kind = EVENT_STEP,
                                .step = {.addr = CODE,
                                         .bytes = {code, 4},
                                         .writes = {&write, 1},
                                         .next = CODE + 4}});
    step_ret(history, 4, STACK, 5);
    leave(history, "return", 5);
    fault(history, SIGSEGV, SEGV_MAPERR, 5, 5, "execute");
    died(history, SIGSEGV);
    expect(history, EXPLAIN_WHAT,
           "A ret went to an address where nothing is mapped");
    expect(history, EXPLAIN_WHY,
           "What it popped was put there by mov [rsp], "
           "rax at code[0] (event 5).");
    expect(history, EXPLAIN_NEXT, "That has overwritten");
    history_free(history);
}

/* A return belongs to the call within generated code that is still open. */
Test(explain, the_frame_of_an_inner_call)
{
    static const uint8_t code[] = {0xe8, 0, 0, 0, 0, 0xc3};
    static const struct reg_change sp = {REG_STACK, STACK, STACK - 8};
    struct history *history = with_code(code, sizeof code);

    enter(history, 0, "call");
    step(history, 0, code, 5, CODE + 5, &sp);
    step_ret(history, 5, STACK - 16, 5);
    leave(history, "return", 5);
    fault(history, SIGSEGV, SEGV_MAPERR, 5, 5, "execute");
    died(history, SIGSEGV);
    expect(history, EXPLAIN_WHY,
           "The return address is at 0x7ffe00000ff8 "
           "(event 5), but rsp was 0x7ffe00000ff0 at the "
           "ret, 8 bytes lower");
    history_free(history);
}

/* One that has returned is not open any more. */
Test(explain, the_frame_behind_an_inner_call)
{
    static const uint8_t code[] = {0xe8, 0, 0, 0, 0, 0xc3};
    static const struct reg_change down = {REG_STACK, STACK, STACK - 8};
    struct history *history = with_code(code, sizeof code);

    enter(history, 0, "call");
    for (int i = 0; i < 2; i++) {
        step(history, 0, code, 5, CODE + 5, &down);
        step_ret(history, 5, STACK - 8, CODE);
    }
    step_ret(history, 5, STACK + 8, 5);
    leave(history, "return", 5);
    fault(history, SIGSEGV, SEGV_MAPERR, 5, 5, "execute");
    died(history, SIGSEGV);
    expect(history, EXPLAIN_WHY,
           "The return address is at 0x7ffe00001000 "
           "(event 4), but rsp was 0x7ffe00001008 at the "
           "ret, 8 bytes higher: more was popped than "
           "pushed.");
    history_free(history);
}

/* --- the stack ----------------------------------------------------------- */

static void stack_fault(struct history *history, const char *maps,
                        const char *nearest, uint64_t sp)
{
    struct event event = {.kind = EVENT_SIGNAL,
                          .signal = {.number = SIGSEGV,
                                     .name = "SIGSEGV",
                                     .code = maps ? SEGV_ACCERR : SEGV_MAPERR,
                                     .addr = {true, STACK - 8},
                                     .pc = {true, HERE},
                                     .access = "write",
                                     .maps = maps,
                                     .nearest = nearest,
                                     .regs = {.known = true}}};

    event.signal.regs.value.value[REG_STACK] = sp;
    add(history, event);
    died(history, SIGSEGV);
}

Test(explain, stacks)
{
    static const char guard[] = "7ffe00000000-7ffe00001000 ---p 00000000 0";
    static const char above[] = "7ffe00001000-7ffe00022000 rw-p 00000000 0";
    static const char far[] = "7fff00001000-7fff00022000 rw-p 00000000 0";
    static const struct {
        const char *maps;
        const char *nearest;
        uint64_t sp;
        bool is_full;
    } cases[] = {
        {guard, NULL, STACK, true},
        {NULL, above, STACK, true},
        {NULL, above, STACK - 4096, true},
        {NULL, far, STACK, false},
        {NULL, above, STACK + (1 << 24), false},
        {above, NULL, STACK, false},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct history *history = with_code(nops, 5);

        stack_fault(history, cases[i].maps, cases[i].nearest, cases[i].sp);
        cr_assert(
            eq(int,
               strstr(line(history, EXPLAIN_WHAT), "stack is full") != NULL,
               cases[i].is_full),
            "case %zu", i);
        history_free(history);
    }
}

/* --- loops --------------------------------------------------------------- */

static void limit(struct history *history, const char *budget)
{
    add(history, (struct event){.kind = EVENT_LIMIT,
                                .limit = {.budget = budget, .text = "..."}});
}

static const uint8_t jump_back[] = {0x90, 0xeb, 0xfd}; /* nop; jmp to it */

static void rounds(struct history *history, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        step(history, 0, jump_back, 1, CODE + 1, NULL);
        step(history, 1, jump_back + 1, 2, CODE, NULL);
    }
}

Test(explain, a_loop_that_nothing_leaves)
{
    struct history *history = with_code(jump_back, sizeof jump_back);

    enter(history, 0, "call");
    rounds(history, 7);
    limit(history, "steps");
    expect(history, EXPLAIN_WHAT, "the same 2 instructions, 7 times in a row.");
    expect(history, EXPLAIN_WHERE, "code[0] nop; code[1] jmp code[0].");
    expect(history, EXPLAIN_WHY, "No conditional jump in it leads out of it");
    history_free(history);
}

/* Where it began does not matter: it is told from its lowest address on. */
Test(explain, a_loop_in_the_middle_of_a_round)
{
    struct history *history = with_code(jump_back, sizeof jump_back);

    enter(history, 0, "call");
    rounds(history, 7);
    step(history, 0, jump_back, 1, CODE + 1, NULL);
    limit(history, "call-steps");
    expect(history, EXPLAIN_WHAT, "the same 2 instructions, 7 times in a row.");
    expect(history, EXPLAIN_WHERE, "code[0] nop; code[1] jmp code[0].");
    history_free(history);
}

Test(explain, no_loop)
{
    struct history *history = with_code(jump_back, sizeof jump_back);

    enter(history, 0, "call");
    rounds(history, 2); /* may be by chance */
    limit(history, "steps");
    expect_nothing(history, history_count(history) - 1);
    rounds(history, 7);
    limit(history, "stores"); /* says nothing of steps */
    expect_nothing(history, history_count(history) - 1);
    history_free(history);
}

/* A register that moves may end the loop. That is no news where stepping ends;
 * only who was killed in it learns of it. */
Test(explain, a_loop_that_may_end)
{
    static const uint8_t code[] = {0xff, 0xc9, 0x75, 0xfc, 0xc3};
    struct history *history = with_code(code, sizeof code);

    enter(history, 0, "call");
    for (uint64_t i = 0; i < 5; i++) {
        const struct reg_change rcx = {X86_RCX, 100 - i, 99 - i};

        step(history, 0, code, 2, CODE + 2, &rcx);
        step(history, 2, code + 2, 2, CODE, NULL);
    }
    limit(history, "steps");
    expect_nothing(history, history_count(history) - 1);
    died(history, SIGKILL);
    expect(history, EXPLAIN_WHAT,
           "(signal 9 SIGKILL). It was last seen in a loop");
    expect(history, EXPLAIN_WHY,
           "jnz code[0] at code[2] could leave it, but "
           "never did; it depends on dec ecx at code[0]: "
           "rcx went from 100 to 95.");
    expect_not(history, EXPLAIN_WHY, "never will");
    history_free(history);
}

/* It went on unwatched: what was seen before that says nothing of now. */
Test(explain, nothing_from_before_a_gap)
{
    static const uint8_t zero[] = {0x31, 0xff}; /* xor edi, edi */
    static const struct reg_change rdi = {X86_RDI, 1, 0};
    struct history *history = with_code(load, 3);

    enter(history, 0, "call");
    step(history, 0, zero, 2, CODE, &rdi);
    limit(history, "call-steps");
    fault(history, SIGSEGV, SEGV_MAPERR, 0, CODE, "read");
    died(history, SIGSEGV);
    expect(history, EXPLAIN_WHAT, "address 0: a null pointer");
    expect_not(history, EXPLAIN_WHY, "set by");
    history_free(history);
}

/* Killed elsewhere, long after the loop that stepping ended in. */
Test(explain, no_loop_that_it_has_left)
{
    for (int out = 0; out < 2; out++) {
        struct history *history = with_code(jump_back, sizeof jump_back);

        enter(history, 0, "call");
        rounds(history, 7);
        limit(history, "steps");
        add(history,
            (struct event){.kind = EVENT_SIGNAL,
                           .signal = {.number = SIGTERM,
                                      .name = "SIGTERM",
                                      .pc = {true, out ? HERE : CODE}}});
        died(history, SIGTERM);
        if (out)
            expect_not(history, EXPLAIN_WHAT, "loop");
        else
            expect(history, EXPLAIN_WHAT, "It was last seen in a loop");
        history_free(history);
    }
}

/* --- what is far back ---------------------------------------------------- */

/* The call is known from the view; the step is too far back to be found. */
Test(explain, what_is_far_back_is_not_claimed)
{
    static const uint8_t zero[] = {0x31, 0xff};
    static const struct reg_change rdi = {X86_RDI, 1, 0};
    struct history *history = with_code(load, 3);
    uint64_t call;

    enter(history, 0, "call");
    step(history, 0, zero, 2, CODE, &rdi);
    for (unsigned i = 0; i < PAST_EVENTS; i++)
        step(history, 0, nops, 1, CODE, NULL);
    call = history_count(history);
    fault(history, SIGSEGV, SEGV_MAPERR, 0, CODE, "read");
    died(history, SIGSEGV);
    expect_not(history, EXPLAIN_WHY, "set by");
    history_free(history);

    history = with_code(load, 3);
    enter(history, 0, "call");
    for (uint64_t i = 5; i < call; i++)
        step(history, 0, nops, 1, CODE, NULL);
    fault(history, SIGSEGV, SEGV_ACCERR, CODE, CODE, "write");
    died(history, SIGSEGV);
    expect(history, EXPLAIN_WHY, "mprotect(b) at jit.c:3 (event 3)");
    history_free(history);
}

/* A keeper of the latest events has what it says, and the first one. */
Test(explain, the_past)
{
    struct recent recent;
    struct past past;

    recent_init(&recent);
    for (uint64_t i = 0; i < 3 * PAST_EVENTS + 7; i++) {
        struct event event = {.kind = EVENT_LEAVE, .seq = i, .tid = TID};

        recent_add(&recent, &event);
    }
    past = recent_past(&recent, NULL);
    cr_assert(eq(u64, past.count, 3 * PAST_EVENTS + 7));
    for (uint64_t i = past.count - PAST_EVENTS; i < past.count; i++)
        cr_assert(eq(u64, past.event(past.from, i)->seq, i));
    cr_assert(eq(u64, past.event(past.from, 0)->seq, 0));
    cr_assert(eq(ptr, (void *)past.event(past.from, 1), NULL));
    cr_assert(eq(ptr, (void *)past.event(past.from, past.count), NULL));
    recent_release(&recent);
}

/* --- anything ------------------------------------------------------------ */

static uint64_t dice = 88172645463325252u;

static uint64_t below(uint64_t limit_)
{
    dice ^= dice << 13;
    dice ^= dice >> 7;
    dice ^= dice << 17;
    return dice % limit_;
}

static uint64_t any_address(void)
{
    static const uint64_t near[] = {0,     16,      CODE,       CODE + 4090,
                                    HERE,  STACK,   UINT64_MAX, CODE + 4096,
                                    65536, 1 << 20, CODE + 8,   1ull << 63};

    return near[below(sizeof near / sizeof *near)] + below(4);
}

static struct event any_signal(const uint8_t *bytes)
{
    static const int numbers[] = {SIGSEGV, SIGSEGV, SIGSEGV, SIGBUS, SIGILL,
                                  SIGFPE,  SIGTRAP, SIGTERM, SIGABRT};
    static const int codes[] = {0, 1, 2, 3, SI_KERNEL, SI_TKILL};
    static const char *const accesses[] = {NULL, "read", "write", "execute"};
    static const char *const maps[] = {
        NULL, "", "x", "7f0000002000-7f0000003000 ---p 0", "10-20 rw-p 0 /a"};
    struct event event = {
        .kind = EVENT_SIGNAL,
        .signal = {.number = numbers[below(9)],
                   .code = codes[below(6)],
                   .addr = {below(8) != 0, any_address()},
                   .pc = {below(8) != 0, any_address()},
                   .access = accesses[below(4)],
                   .bytes = {below(2) ? bytes : NULL, below(16)},
                   .maps = maps[below(5)],
                   .nearest = maps[below(5)],
                   .return_to = {below(2), HERE},
                   .regs = {.known = below(2)}}};

    for (int i = 0; i < REG_COUNT; i++)
        event.signal.regs.value.value[i] = any_address();
    return event;
}

static void any_step(struct history *history, const uint8_t *bytes)
{
    const struct reg_change change = {(enum reg)below(REG_COUNT), 1,
                                      any_address()};

    step(history, below(16), bytes, below(16), any_address(), &change);
}

static void any_event(struct history *history, const uint8_t *bytes)
{
    static const char *const hows[] = {NULL, "call", "jump", "return"};

    switch (below(8)) {
    case 0:
        store(history, below(64), bytes, below(16));
        break;
    case 1:
        protect(history, RW, below(2) ? RX : RW, below(2) ? "call()" : NULL);
        break;
    case 2:
        enter(history, below(16), hows[below(4)]);
        break;
    case 3:
        leave(history, hows[below(4)], any_address());
        break;
    default:
        any_step(history, bytes);
        break;
    }
}

/* Whatever the events say, there are four lines or none. */
Test(explain, any_events_give_four_lines)
{
    static const uint8_t likely[] = {0x00, 0x0f, 0x0b, 0x48, 0x8b, 0x07, 0xc3,
                                     0xe8, 0xeb, 0x75, 0xf7, 0xf9, 0xff, 0xd0,
                                     0xcc, 0x90, 0x28, 0x89, 0x04, 0x24};

    for (int round = 0; round < 4000; round++) {
        struct history *history = history_new();
        uint8_t bytes[16];
        struct event signal;

        for (size_t i = 0; i < sizeof bytes; i++)
            bytes[i] = likely[below(sizeof likely)];
        map(history);
        for (uint64_t i = below(24); i > 0; i--)
            any_event(history, bytes);
        signal = any_signal(bytes);
        add(history, signal);
        died(history, (int)signal.signal.number);
        for (int i = 0; i < EXPLAIN_LINES; i++) {
            const char *text = line(history, (enum explain_line)i);

            cr_assert(ne(ptr, (void *)text, NULL), "round %d", round);
            cr_assert(lt(sz, 0, strlen(text)), "round %d: line %d", round, i);
            cr_assert(lacks(text, "(null)"), "%s", text);
        }
        history_free(history);
    }
}

/* --- what the CPU refuses ------------------------------------------------ */

static void decode(const char *bytes, size_t len, struct insn *insn)
{
    cr_assert(eq(int, insn_decode((const uint8_t *)bytes, len, CODE, insn), 1));
}

Test(explain, divisions)
{
    static const struct {
        const char *bytes;
        uint64_t rax, rdx, rcx;
        bool is_zero, stale;
        const char *text;
    } cases[] = {
        {"\x48\xf7\xf9", 7, 0, 0, true, false, "7 / 0"},
        {"\x48\xf7\xf9", 1ull << 63, UINT64_MAX, UINT64_MAX, false, false,
         "-0x8000000000000000 / -1"},
        {"\x48\xf7\xf9", 7, 9, 2, false, true, "0x90000000000000007 / 2"},
        {"\xf7\xf9", 0x80000000, UINT64_MAX, 0xffffffff, false, false,
         "-2147483648 / -1"},
        {"\xf7\xf1", 7, 9, 2, false, true, "0x900000007 / 2"},
        {"\xf7\xf1", 7, 0, 0xffffffff00000000, true, false, "7 / 0"},
        {"\x66\xf7\xf1", 0, 0x12345, 1, false, true, "591724544 / 1"},
        {"\xf6\xf1", 0x1234, 0, 1, false, true, "4660 / 1"},
        {"\xf6\xf9", 0xff80, 0, 0xff, false, false, "-128 / -1"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fault_division division;
        struct regs regs = {0};
        struct buf text = {0};
        struct insn insn;

        decode(cases[i].bytes, 3, &insn);
        regs.value[X86_RAX] = cases[i].rax;
        regs.value[X86_RDX] = cases[i].rdx;
        regs.value[X86_RCX] = cases[i].rcx;
        cr_assert(eq(int, fault_division(&insn, &regs, &division), 1));
        cr_expect(eq(int, division.known, 1));
        cr_expect(eq(int, division.is_zero, cases[i].is_zero), "case %zu", i);
        cr_expect(eq(int, division.stale_half, cases[i].stale), "case %zu", i);
        fault_division_text(&insn, &regs, &text);
        cr_expect(eq(str, (char *)buf_text(&text), (char *)cases[i].text));
        buf_release(&text);
    }
}

Test(explain, what_general_protection_is_about)
{
    static const struct {
        const char *bytes;
        uint64_t rdi;
        enum fault_protection why;
    } cases[] = {
        {"\x48\x8b\x07", 1ull << 47, FAULT_NOT_CANONICAL},
        {"\x48\x8b\x07", (1ull << 47) - 1, FAULT_UNCLEAR},
        {"\x48\x8b\x07", ~((1ull << 47) - 1), FAULT_UNCLEAR},
        {"\x0f\x28\x07", CODE + 8, FAULT_MISALIGNED},
        {"\x0f\x28\x07", CODE + 16, FAULT_UNCLEAR},
        {"\xf4\x90\x90", 0, FAULT_PRIVILEGED},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct insn_access access;
        struct regs regs = {0};
        struct insn insn;

        decode(cases[i].bytes, 3, &insn);
        regs.value[X86_RDI] = cases[i].rdi;
        cr_expect(eq(int, (int)fault_protection(&insn, &regs, &access),
                     (int)cases[i].why),
                  "case %zu", i);
    }
}

/* A push stores below where the stack pointer is. */
Test(explain, the_operand_that_an_address_is_of)
{
    struct regs regs = {0};
    struct insn insn;

    regs.value[REG_STACK] = STACK;
    decode("\xff\x37", 2, &insn); /* push [rdi] */
    cr_expect(eq(int, (int)fault_operand(&insn, &regs, 7)->base, X86_RDI));
    cr_expect(
        eq(int, (int)fault_operand(&insn, &regs, STACK - 8)->base, X86_RSP));
    cr_expect(eq(ptr, (void *)fault_operand(&insn, &regs, STACK), NULL));
    cr_expect(eq(ptr, (void *)fault_operand(&insn, &regs, 8), NULL));
}

Test(explain, how_many_bytes_are_no_instruction)
{
    cr_expect(eq(sz, fault_bad_length((const uint8_t *)"\x06\x90", 2), 1));
    cr_expect(eq(sz, fault_bad_length((const uint8_t *)"\x90", 1), 0));
    cr_expect(eq(sz, fault_bad_length((const uint8_t *)"\x48", 1), 0));
    cr_expect(eq(sz, fault_bad_length((const uint8_t *)"\x0f\x04\x90", 3), 2));
}
