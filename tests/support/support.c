/* SPDX-License-Identifier: MIT */
#include "support/support.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "format/format.h"
#include "check/check.h"
#include "trace/source.h"

#define TRAP_FLAG   0x100u
#define RESUME_FLAG 0x10000u

/* --- running ------------------------------------------------------------- */

double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

bool wait_a_moment(double since, double limit)
{
    const struct timespec moment = {0, 2000000};

    nanosleep(&moment, NULL);
    return now() - since < limit;
}

/* Both ends have FD_CLOEXEC. */
static void open_channel(bool tty, int ends[2])
{
    if (!tty) {
        cr_assert(eq(int, pipe2(ends, O_CLOEXEC), 0));
        return;
    }
    cr_assert(eq(int, openpty(&ends[0], &ends[1], NULL, NULL, NULL), 0));
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
}

/* In the child: makes descriptor fd the file, or the captured channel. */
static void place(int fd, const char *file, int channel)
{
    int opened = channel;

    if (file && strcmp(file, CLOSED) == 0) {
        close(fd);
        return;
    }
    if (file)
        opened = open(
            file, fd == STDIN_FILENO ? O_RDONLY : O_WRONLY | O_CREAT | O_TRUNC,
            0666);
    if (opened < 0)
        _exit(125);
    if (opened != fd && dup2(opened, fd) < 0)
        _exit(125);
    if (file && opened != fd)
        close(opened);
}

/* Whoever started the tests in the background made them ignore SIGINT. */
static void reset_signals(void)
{
    sigset_t none;

    for (int i = 1; i < NSIG; i++)
        signal(i, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/*
 * What is killed by whoever waits for the tests leaves nothing behind that still
 * runs: the runner ends with make, each test with the runner, and what a test
 * has started with it.
 */
__attribute__((constructor)) static void end_with_parent(void)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
}

void become(const struct job *command)
{
    end_with_parent(); /* fork has undone it */
    reset_signals();
    for (const char *const *set = command->env; set && *set; set++) {
        if (strchr(*set, '='))
            putenv((char *)*set);
        else
            unsetenv(*set);
    }
    if (command->dir && chdir(command->dir) < 0)
        _exit(125);
    if (command->prepare && command->prepare() < 0)
        _exit(125);
    execvp(command->argv[0], (char *const *)command->argv);
    _exit(124);
}

/* No assertion here: this is the child. */
_Noreturn static void become_captured(const struct job *command, int out,
                                      int err)
{
    setpgid(0, 0);
    place(STDIN_FILENO, command->in ? command->in : "/dev/null", -1);
    place(STDOUT_FILENO, command->out, out);
    place(STDERR_FILENO, command->err, err);
    become(command);
}

void run_begin(const struct job *command, struct running *running)
{
    int out[2] = {-1, -1}, err[2] = {-1, -1};

    if (!command->out)
        open_channel(command->tty, out);
    if (!command->err)
        open_channel(command->tty, err);
    running->since = now();
    running->seconds = SLOWNESS * (command->seconds ? command->seconds : 20);
    running->out_limit = command->out_limit;
    running->pid = fork();
    if (running->pid == 0)
        become_captured(command, out[1], err[1]);
    cr_assert(ge(int, running->pid, 0), "fork");
    setpgid(running->pid, running->pid);
    if (out[1] >= 0)
        close(out[1]);
    if (err[1] >= 0)
        close(err[1]);
    running->out = out[0];
    running->err = err[0];
}

/* Takes what has come. A terminal's other end closes with EIO. */
static void take(int *fd, short events, struct buf *out)
{
    char bytes[65536];
    ssize_t got;

    if (*fd < 0 || !events)
        return;
    got = read(*fd, bytes, sizeof bytes);
    if (got > 0) {
        buf_append(out, bytes, (size_t)got);
        return;
    }
    close(*fd);
    *fd = -1;
}

static void end_reading(struct running *running)
{
    if (running->out >= 0)
        close(running->out);
    if (running->err >= 0)
        close(running->err);
}

/* The group goes too: the command may have left children. */
static void give_up(struct running *running)
{
    int status;

    kill(-running->pid, SIGKILL);
    waitpid(running->pid, &status, 0);
    end_reading(running);
    cr_fatal("the command did not end within %d s", running->seconds);
}

static void collect(struct running *running, struct result *result)
{
    while (running->out >= 0 || running->err >= 0) {
        struct pollfd fds[] = {{running->out, POLLIN, 0},
                               {running->err, POLLIN, 0}};
        double left = running->since + running->seconds - now();

        if (left <= 0 || poll(fds, 2, (int)(left * 1000) + 1) == 0)
            give_up(running);
        take(&running->out, fds[0].revents, &result->out);
        take(&running->err, fds[1].revents, &result->err);
        if (running->out_limit && running->out >= 0 &&
            result->out.len >= running->out_limit) {
            close(running->out);
            running->out = -1;
        }
    }
}

void run_end(struct running *running, struct result *result)
{
    int status;

    *result = (struct result){0};
    collect(running, result);
    while (waitpid(running->pid, &status, WNOHANG) == 0)
        if (!wait_a_moment(running->since, running->seconds))
            give_up(running);
    result->took = now() - running->since;
    result->status =
        WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

void run(const struct job *command, struct result *result)
{
    struct running running;

    run_begin(command, &running);
    run_end(&running, result);
}

void run_typing(const struct job *command, const char *script,
                struct result *result)
{
    const char *file = scratch(".script");
    struct job with = *command;

    write_file(file, script, strlen(script), 0600);
    with.in = file;
    run(&with, result);
    unlink(file);
}

void expect_in_order(struct buf *text, const char *const *parts)
{
    const char *at = buf_text(text);

    for (; *parts; parts++) {
        at = strstr(at, *parts);
        cr_assert(ne(ptr, (void *)at, NULL), "no '%s' in: %s", *parts,
                  buf_text(text));
    }
}

void result_release(struct result *result)
{
    buf_release(&result->out);
    buf_release(&result->err);
}

/* --- files --------------------------------------------------------------- */

const char *scratch(const char *suffix)
{
    struct buf name = {0};

    buf_printf(&name, "%s/tests/scratch-%d%s", BUILD_DIR, (int)getpid(),
               suffix);
    return buf_text(&name);
}

void write_file(const char *name, const void *data, size_t len, mode_t mode)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    cr_assert(ge(int, fd, 0), "%s: %s", name, strerror(errno));
    cr_assert(eq(i64, write(fd, data, len), (int64_t)len));
    cr_assert(eq(int, fchmod(fd, mode), 0));
    close(fd);
}

void read_file(const char *name, struct buf *out)
{
    FILE *file = fopen(name, "re");
    char bytes[65536];
    size_t got;

    cr_assert(ne(ptr, file, NULL), "%s: %s", name, strerror(errno));
    while ((got = fread(bytes, 1, sizeof bytes, file)) > 0)
        buf_append(out, bytes, got);
    fclose(file);
}

size_t count_lines(const char *text)
{
    size_t lines = 0;

    while (*text) {
        text += strcspn(text, "\n");
        text += *text == '\n';
        lines++;
    }
    return lines;
}

/* --- traces -------------------------------------------------------------- */

static void read_trace(const char *name, bool strict, struct store *store)
{
    FILE *file = fopen(name, "re");
    struct source *source;
    struct event event;
    struct err err = {ERR_NONE, ""};
    int more;

    cr_assert(ne(ptr, file, NULL), "%s: %s", name, strerror(errno));
    source = check_source_new(recording_new(file, name),
                              &(struct check_options){.strict = strict});
    while ((more = source_next(source, &event, &err)) > 0)
        store_append(store, &event);
    source_free(source);
    fclose(file);
    cr_assert(eq(int, more, 0), "%s", err.text);
}

void trace_to(const char *file, const struct job *command, struct store *store,
              struct result *result)
{
    const char *argv[64] = {JITTRACE, "--format=json", "-o", file};
    struct job traced = *command;
    bool strict = false;
    size_t n = 4;

    for (size_t i = 0; command->argv[i]; i++) {
        cr_assert(lt(sz, n, sizeof argv / sizeof *argv - 1));
        argv[n++] = command->argv[i];
        strict |= word_is(command->argv[i], "--strict");
    }
    traced.argv = argv;
    unlink(file);
    run(&traced, result);
    *store = (struct store){0};
    read_trace(file, strict, store);
}

void trace(const struct job *command, struct store *store,
           struct result *result)
{
    const char *file = scratch(".jsonl");

    trace_to(file, command, store, result);
    unlink(file);
}

const struct event *nth(const struct store *store, enum event_kind kind,
                        size_t n)
{
    for (size_t i = 0; i < store->count; i++) {
        const struct event *event = store_event(store, i);

        if (event->kind == kind && n-- == 0)
            return event_keep(event);
    }
    return NULL;
}

size_t count(const struct store *store, enum event_kind kind)
{
    size_t found = 0;

    for (size_t i = 0; i < store->count; i++)
        found += store_event(store, i)->kind == kind;
    return found;
}

void kinds(const struct store *store, struct buf *out)
{
    for (size_t i = 0, first; i < store->count; i = first) {
        enum event_kind kind = store_event(store, i)->kind;

        first = i;
        while (first < store->count && store_event(store, first)->kind == kind)
            first++;
        if (first - i > 1)
            buf_printf(out, "%zu*", first - i);
        buf_printf(out, "%s%s", event_name(kind),
                   first < store->count ? " " : "");
    }
}

void hex(struct bytes bytes, struct buf *out)
{
    for (size_t i = 0; i < bytes.len; i++)
        buf_printf(out, "%s%02x", i ? " " : "", bytes.data[i]);
}

/* --- the register file --------------------------------------------------- */

struct followed {
    int tid;
    bool lost; /* it runs without being stepped */
    struct regs regs;
    struct vregs vregs;
};

#define MAX_FOLLOWED 512

/* The registers of the thread; a new one's are empty. */
static struct followed *follow(struct followed *threads, int tid)
{
    for (size_t i = 0; i < MAX_FOLLOWED; i++) {
        if (threads[i].tid && threads[i].tid != tid)
            continue;
        threads[i].tid = tid;
        return &threads[i];
    }
    cr_fatal("more than %d threads", MAX_FOLLOWED);
    return NULL;
}

static void apply_step(struct regs *regs, const struct event *event)
{
    int seq = (int)event->seq;

    cr_assert(eq(u64, event->step.addr, regs->value[REG_PC]),
              "event %d: address", seq);
    for (size_t i = 0; i < event->step.regs.count; i++) {
        const struct reg_change *change = &event->step.regs.list[i];

        cr_assert(eq(u64, change->old_value, regs->value[change->reg]),
                  "event %d: old %s", seq, reg_name(change->reg));
        cr_assert(ne(u64, change->new_value, change->old_value),
                  "event %d: %s has not changed", seq, reg_name(change->reg));
        regs->value[change->reg] = change->new_value;
    }
    regs->value[REG_PC] = event->step.next;
}

/* Of the registers of cpu/vregs.h: what a step has changed was so before. */
static void apply_vregs(struct vregs *vregs, const struct event *event)
{
    const struct vreg_changes *changes = &event->step.vregs;

    for (size_t i = 0; i < changes->count; i++) {
        const struct vreg_change *change = &changes->list[i];
        const struct bytes known = vregs_value(vregs, change->reg);

        cr_assert(eq(int, vregs->known, 1));
        cr_assert(eq(mem, mem(change->old_bytes.data, change->old_bytes.len),
                     mem(known.data, change->old_bytes.len)),
                  "event %d: old vector register %d", (int)event->seq,
                  (int)change->reg);
        cr_assert(ne(mem, mem_of(change->old_bytes), mem_of(change->new_bytes)),
                  "event %d: register %d has not changed", (int)event->seq,
                  (int)change->reg);
        vregs_set(vregs, change->reg, change->new_bytes, false);
    }
}

/* What an enter or a leave says. same: nothing has changed but by steps, which
 * have said so; so none is read too seldom. */
static void take_vregs(struct vregs *vregs, const struct vreg_changes *values,
                       bool same, const struct event *event)
{
    if (values->count > 0 && !vregs->known)
        vregs_init(vregs);
    for (size_t i = 0; i < values->count; i++) {
        const struct vreg_change *value = &values->list[i];
        const struct vregs before = *vregs;

        vregs_set(vregs, value->reg, value->new_bytes, true);
        cr_assert(true && (!same || memcmp(&before, vregs, sizeof before) == 0),
                  "event %d: register %d has changed, and no step said so",
                  (int)event->seq, (int)value->reg);
    }
}

static void check_leave(const struct regs *regs, const struct event *event)
{
    int seq = (int)event->seq;

    if (strcmp(event->leave.how, "signal") != 0)
        cr_assert(eq(u64, event->leave.to, regs->value[REG_PC]),
                  "event %d: where it leaves to", seq);
    cr_assert(eq(int, event->leave.value.known,
                 strcmp(event->leave.how, "return") == 0),
              "event %d: a value belongs to a return", seq);
    if (event->leave.value.known)
        cr_assert(eq(u64, event->leave.value.value, regs->value[X86_RAX]),
                  "event %d: the value", seq);
}

/* The flags that are the tracer's, if set: not the trap flag of a program that
 * has set it itself. */
static uint64_t tracer_flags(const struct store *store)
{
    for (size_t i = 0; i < count(store, EVENT_LIMIT); i++)
        if (!strcmp(nth(store, EVENT_LIMIT, i)->limit.budget, "trap-flag"))
            return RESUME_FLAG;
    return TRAP_FLAG | RESUME_FLAG;
}

/* Steps may have ended for a call ("call-steps") or for all ("steps"). */
static bool ends_steps(const struct event *event, const char *budget)
{
    return event->kind == EVENT_LIMIT &&
           strcmp(event->limit.budget, budget) == 0;
}

void check_registers(const struct store *store)
{
    struct followed threads[MAX_FOLLOWED] = {0};
    uint64_t flags = tracer_flags(store);
    bool no_steps = false, cut = false, blind = false;

    for (size_t i = 0; i < store->count; i++) {
        const struct event *event = store_event(store, i);
        struct followed *thread = follow(threads, event->tid);
        struct regs *regs = &thread->regs;

        thread->lost |=
            ends_steps(event, "call-steps") || ends_steps(event, "nt-flag");
        no_steps |= ends_steps(event, "steps");
        blind |= ends_steps(event, "system-calls");
        cut |= ends_steps(event, "last"); /* vector registers are not known */
        if (event->kind == EVENT_ENTER) {
            thread->lost = false;
            *regs = event->enter.regs;
            if (!cut)
                take_vregs(&thread->vregs, &event->enter.vregs, false, event);
            cr_assert(eq(u64, regs->value[REG_PC], event->enter.addr));
        } else if (event->kind == EVENT_STEP) {
            apply_step(regs, event);
            if (!cut)
                apply_vregs(&thread->vregs, event);
        } else if (event->kind == EVENT_LEAVE) {
            if (!thread->lost && !no_steps)
                check_leave(regs, event);
            /* A handler finds other ones; where it is not known that there is
             * one, that control comes to it is told as a jump. */
            if (!cut)
                take_vregs(&thread->vregs, &event->leave.vregs,
                           !thread->lost && !no_steps &&
                               strcmp(event->leave.how, "signal") != 0 &&
                               !(blind && !strcmp(event->leave.how, "jump")),
                           event);
            thread->lost = false;
        }
        cr_assert(eq(u64, regs->value[REG_FLAGS] & flags, 0),
                  "event %d: a flag of the tracer is visible", (int)i);
    }
}

/* --- what tests expect --------------------------------------------------- */

bool written_code(const struct view *view, const struct region *region,
                  struct buf *out, uint64_t *offset)
{
    uint64_t first, last;
    uint8_t byte;

    if (!pages_extent(&view->pages, region->addr, region->length, &first,
                      &last))
        return false;
    *offset = first - region->addr;
    for (; first <= last; first++) {
        pages_read(&view->pages, first, 1, &byte);
        buf_append(out, &byte, 1);
    }
    return true;
}

#ifdef __SANITIZE_ADDRESS__ /* which has a heap of its own, and not in each
                             * compiler's package a header for it */
extern size_t __sanitizer_get_current_allocated_bytes(void);
#endif

size_t memory_in_use(void)
{
#ifdef __SANITIZE_ADDRESS__
    return __sanitizer_get_current_allocated_bytes();
#elif defined __GLIBC__
#if __GLIBC_PREREQ(2, 33)
    struct mallinfo2 heap = mallinfo2();
#else /* whose numbers have 32 bits */
    struct mallinfo heap = mallinfo();
#endif

    return (size_t)heap.uordblks + (size_t)heap.hblkhd;
#else
    return 0;
#endif
}

struct cr_mem mem(const void *data, size_t size)
{
    return (struct cr_mem){data, size};
}

struct cr_mem mem_of(struct bytes bytes)
{
    return mem(bytes.data, bytes.len);
}

void expect_kinds(const struct store *store, const char *expected)
{
    struct buf got = {0};

    kinds(store, &got);
    cr_assert(eq(str, (char *)buf_text(&got), (char *)expected));
    buf_release(&got);
}

void compare(const struct job *command, struct store *store)
{
    const char *argv[16] = {"--"};
    struct job traced = *command;
    struct result with, without;

    for (size_t i = 0; command->argv[i]; i++)
        argv[i + 1] = command->argv[i];
    traced.argv = argv;
    run(command, &without);
    trace(&traced, store, &with);
    cr_assert(
        eq(str, (char *)buf_text(&with.out), (char *)buf_text(&without.out)));
    cr_assert(
        eq(str, (char *)buf_text(&with.err), (char *)buf_text(&without.err)));
    cr_assert(eq(int, with.status, without.status));
    cr_assert(eq(sz, count(store, EVENT_START), 1));
    cr_assert(eq(sz, count(store, EVENT_EXIT), 1));
    check_registers(store);
    result_release(&with);
    result_release(&without);
}

bool can(int (*prepare)(void))
{
    struct result result;
    int status;

    run(&(struct job){.argv = ARGS("true"), .prepare = prepare}, &result);
    status = result.status;
    result_release(&result);
    return status == 0;
}

/* Debian 12's; tests/docs.py has the same. */
#define MADE_WITH_LIBC "glibc 2.36"

bool other_libc(const char *what)
{
    char here[32] = "not glibc";

    confstr(_CS_GNU_LIBC_VERSION, here, sizeof here);
    if (strcmp(here, MADE_WITH_LIBC) == 0)
        return false;
    fprintf(stderr,
            "%s: only the structure is compared, for it was made with %s and "
            "here is %s\n",
            what, MADE_WITH_LIBC, here);
    return true;
}
