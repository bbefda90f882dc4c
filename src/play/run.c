/* SPDX-License-Identifier: MIT */
/*
 * The thread stands still between two events, so each step can be looked at
 * before the next one is made: that is how the end of the code is noticed, and
 * how a system call is held back that would change more than the process.
 */
#include "play/run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "cpu/calling.h"

/* Milliseconds until a program that gives no event is looked at again. */
#define LOOK 20

_Static_assert(PLAY_REGS == REG_FLAGS + 1, "the order of cpu/regs.def");
_Static_assert(VREGS_SAVED == sizeof((struct play_request *)0)->fxsave, "");

uint64_t play_flags(void)
{
    static const char *const names[] = {"cf", "pf", "af", "zf",
                                        "sf", "df", "of"};
    uint64_t flags = 0;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        flags |= flag_find(names[i]);
    return flags;
}

void play_state_init(struct play_state *state)
{
    const uint64_t back = PLAY_BACK;

    *state = (struct play_state){0};
    state->regs.value[REG_STACK] = PLAY_TOP;
    vregs_init(&state->vregs);
    memcpy(state->stack + (PLAY_TOP - PLAY_STACK), &back, sizeof back);
}

/* Whether code may make the system call: such change nothing outside of the
 * process. With others a line could start processes without end, or remove
 * files. */
static bool is_harmless(uint64_t number)
{
    static const uint64_t harmless[] = {
        SYS_read,         SYS_write,        SYS_close,
        SYS_mmap,         SYS_mprotect,     SYS_munmap,
        SYS_mremap,       SYS_madvise,      SYS_brk,
        SYS_rt_sigaction, SYS_rt_sigreturn, SYS_rt_sigprocmask,
        SYS_sigaltstack,  SYS_sched_yield,  SYS_pause,
        SYS_nanosleep,    SYS_time,         SYS_gettimeofday,
        SYS_getrandom,    SYS_uname,        SYS_clock_gettime,
        SYS_getpid,       SYS_gettid,       SYS_getppid,
        SYS_getuid,       SYS_geteuid,      SYS_getgid,
        SYS_getegid,      SYS_exit,         SYS_exit_group,
    };

    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++)
        if (harmless[i] == number)
            return true;
    return false;
}

/* A file that only we and the process have, at its beginning; or -1 with
 * errno. */
static int write_request(const struct play_state *state, struct bytes code)
{
    struct play_request *request = mem_alloc(sizeof *request);
    int fd = memfd_create("request", MFD_CLOEXEC), why = 0;
    ssize_t written;

    if (fd < 0) /* a sandbox may not allow that */
        fd = open(P_tmpdir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    memcpy(request->regs, state->regs.value, sizeof request->regs);
    request->regs[REG_FLAGS] &= play_flags();
    vregs_save(&state->vregs, request->fxsave);
    memset(request->code, trap_insn, sizeof request->code);
    memcpy(request->code, code.data, code.len);
    if (code.len < sizeof request->code)
        request->code[code.len] = idle_insn;
    memcpy(request->data, state->data, sizeof request->data);
    memcpy(request->stack, state->stack, sizeof request->stack);
    if (fd >= 0) {
        written = write(fd, request, sizeof *request);
        if (written < 0 || lseek(fd, 0, SEEK_SET) != 0)
            why = errno;
        else if (written < (ssize_t)sizeof *request)
            why = EFBIG; /* so much of it is allowed: RLIMIT_FSIZE */
    }
    free(request);
    if (why) {
        close(fd);
        fd = -1;
        errno = why;
    }
    return fd;
}

/* Where control is after a step. Some instructions take the next one with them,
 * for the trap comes behind that: mov ss by its nature (SDM vol. 3, 6.8.3),
 * cpuid and others where a hypervisor makes them. Behind the code that is an
 * idle one, which is as if it had not been. */
static uint64_t after_step(const struct event_step *step, uint64_t end)
{
    struct insn insn;

    if (step->next == end + 1 &&
        insn_decode(step->bytes.data, step->bytes.len, step->addr, &insn) > 0 &&
        insn_goes_on(&insn) && !insn_distance(&insn) &&
        step->addr + insn.length == end)
        return end;
    return step->next;
}

/* What a step, or the way into the code, leads to: whether that is the end of
 * the run, as *run then says. */
static bool is_end(struct run *run, int tid, uint64_t next, uint64_t end)
{
    const struct view *view =
        history_view(run->history, history_count(run->history) - 1);
    const struct regs *regs = view_regs(view, tid);
    struct insn insn;

    if (next == end) {
        run->end = regs && regs->value[REG_FLAGS] & flag_find("tf") ? RUN_TRAPS
                                                                    : RUN_DONE;
        return true;
    }
    if (next < PLAY_CODE || next >= PLAY_CODE + PLAY_PAGE || !regs ||
        !view_decode(view, next, &insn) || insn.kind != INSN_SYSCALL)
        return false;
    run->call = regs->value[REG_SYSCALL];
    run->end = RUN_CALLS;
    /* Other instructions than that have numbers of their own. */
    run->by_syscall = strcmp(insn.mnemonic, "syscall") == 0;
    return !run->by_syscall || !is_harmless(run->call);
}

/* Takes in an event. Returns whether the run is over. */
static bool take(struct run *run, const struct event *event, uint64_t end)
{
    history_append(run->history, event);
    switch (event->kind) {
    case EVENT_ENTER:
        return is_end(run, event->tid, event->enter.addr, end);
    case EVENT_STEP:
        return is_end(run, event->tid, after_step(&event->step, end), end);
    case EVENT_LEAVE:
        run->end =
            event->leave.to == PLAY_BACK && word_is(event->leave.how, "return")
                ? RUN_RETURNED
                : RUN_LEFT;
        /* Where nothing is, the signal for that comes next. */
        return run->end == RUN_RETURNED ||
               (event->leave.to >= PLAY_HOST &&
                event->leave.to < PLAY_HOST_END) ||
               event->leave.to >= PLAY_FAR;
    case EVENT_LIMIT:
        run->end = word_is(event->limit.budget, "call-steps") ||
                           word_is(event->limit.budget, "steps")
                       ? RUN_STEPPED
                       : RUN_UNWATCHED;
        return run->end == RUN_STEPPED || event_ends_watching(&event->limit) ||
               word_is(event->limit.budget, "trap-flag");
    case EVENT_EXIT:
        run->end = RUN_ENDED;
        return true;
    default:
        return false;
    }
}

/* Runs until something ends that. Returns 0, or -1 with err filled. */
static int pump(struct run *run, struct source *source, struct driver *driver,
                uint64_t end, struct err *err)
{
    const long limit = driver_now() + RUN_TIME;
    struct event event;
    int more, signal;

    for (;;) {
        more = source_ready(source, err);
        if (more > 0)
            more = source_next(source, &event, err) > 0 ? 1 : -1;
        if (more < 0)
            return -1;
        if (more > 0 && take(run, &event, end))
            return 0;
        driver_wait(driver, 0, more > 0 ? 0 : LOOK);
        while ((signal = driver_signal(driver)) != 0) {
            if (driver_is_end(signal)) {
                run->end = RUN_ASKED;
                run->signal = signal == SIGINT ? 0 : signal;
                return 0;
            }
            if (signal == SIGTSTP)
                driver_suspend(driver);
        }
        if (driver_now() > limit) {
            run->end = RUN_SLOW;
            return 0;
        }
    }
}

/* Makes the state what the last event has left. */
static void take_state(struct play_state *state, const struct run *run)
{
    const uint64_t last = history_count(run->history) - 1;
    const struct view *view = history_view(run->history, last);
    const int tid = history_event(run->history, last)->tid;
    const struct regs *regs = view_regs(view, tid);
    const struct vregs *vregs = view_vregs(view, tid);

    if (regs)
        state->regs = *regs;
    if (vregs && vregs->known)
        state->vregs = *vregs;
    if (run->end == RUN_RETURNED)
        state->regs.value[REG_STACK] -= sizeof(uint64_t);
    pages_read(&view->pages, PLAY_DATA, sizeof state->data, state->data);
    pages_read(&view->pages, PLAY_STACK, sizeof state->stack, state->stack);
}

int run_code(struct play_state *state, struct bytes code, play_start *start,
             void *context, struct driver *driver, struct run *run,
             struct err *err)
{
    int request = write_request(state, code), result;
    struct source *source;

    *run = (struct run){0};
    if (request < 0)
        return err_set(
            err, ERR_TRACING,
            "cannot make a file, in memory or in " P_tmpdir ": %s%s",
            strerror(errno),
            errno == EFBIG ? "; raise that limit: ulimit -f unlimited" : "");
    source = start(context, request, err);
    close(request);
    if (!source)
        return -1;
    run->history = history_new();
    result = pump(run, source, driver, PLAY_CODE + code.len, err);
    source_free(source);
    if (result == 0 && (run->end == RUN_DONE || run->end == RUN_RETURNED))
        take_state(state, run);
    return result;
}

void run_release(struct run *run)
{
    history_free(run->history);
    run->history = NULL;
}
