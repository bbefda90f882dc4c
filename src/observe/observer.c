/* SPDX-License-Identifier: MIT */
/*
 * The loop: wait for a stop, find its thread, let the right file of this room
 * read it, let the thread go on. Events that come of it are queued; one stop
 * may yield several or none.
 *
 * Observing begins at the ELF entry point of the program: before it, the
 * dynamic loader maps and protects pages of its own.
 */
#include "observe/observe.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"
#include "observe/fault.h"
#include "observe/state.h"
#include "target/proc.h"

const struct observe_budget observe_default_budget = {
    .stores = 4096,
    .steps = 100000,
    .length = 1 << 20,
};

/* --- events -------------------------------------------------------------- */

void observer_emit(struct observer *observer, struct event *event)
{
    event->seq = observer->seq++;
    observer->queue =
        mem_grow(observer->queue, observer->queue_first + observer->queue_count,
                 &observer->queue_capacity, sizeof *observer->queue);
    observer->queue[observer->queue_first + observer->queue_count++] =
        event_copy(event);
}

void observer_limit(struct observer *observer, const struct thread *thread,
                    const char *budget, uint64_t addr, const char *format, ...)
{
    struct event event = {.kind = EVENT_LIMIT, .tid = thread->tracee.tid};
    char text[256];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    event.limit.budget = budget;
    event.limit.addr = (struct opt_u64){addr != 0, addr};
    event.limit.text = text;
    observer_emit(observer, &event);
}

/* --- threads and spaces -------------------------------------------------- */

static struct thread *find_thread(struct observer *observer, pid_t tid)
{
    for (size_t i = 0; i < observer->thread_count; i++)
        if (observer->threads[i]->tracee.tid == tid)
            return observer->threads[i];
    return NULL;
}

static struct thread *add_thread(struct observer *observer,
                                 const struct tracee *tracee)
{
    struct thread *thread = mem_alloc(sizeof *thread);

    thread->tracee = *tracee;
    observer->threads =
        mem_grow(observer->threads, observer->thread_count,
                 &observer->thread_capacity, sizeof(struct thread *));
    observer->threads[observer->thread_count++] = thread;
    return thread;
}

static struct space *space_new(bool watched)
{
    struct space *space = mem_alloc(sizeof *space);

    space->watched = watched;
    space->calls = 1;
    return space;
}

static void move_to_space(struct thread *thread, struct space *space)
{
    struct space *old = thread->space;

    if (space)
        space->users++;
    thread->space = space;
    if (!old || --old->users > 0)
        return;
    regions_release(&old->regions);
    pages_release(&old->pages);
    free(old);
}

static void remove_thread(struct observer *observer, struct thread *thread)
{
    for (size_t i = 0; i < observer->thread_count; i++)
        if (observer->threads[i] == thread)
            observer->threads[i] = observer->threads[--observer->thread_count];
    move_to_space(thread, NULL);
    free(thread);
}

void observer_run(struct observer *observer, struct thread *thread, int signal)
{
    enum resume how = RESUME_RUN;

    (void)observer;
    if (thread->in_call || thread->lifted ||
        guard_watches_stores(thread->space))
        how = RESUME_CALL;
    tracee_resume(&thread->tracee, how, signal);
}

/* --- the beginning of a program ------------------------------------------ */

/* A syscall instruction in the vdso, which the kernel maps for everybody. */
static uint64_t find_syscall_insn(pid_t pid)
{
    static const uint8_t insn[] = {0x0f, 0x05};
    uint8_t vdso[2 * PAGES_SIZE];
    uint64_t base = proc_auxv(pid, AT_SYSINFO_EHDR);
    size_t len = base ? proc_read(pid, base, vdso, sizeof vdso) : 0;
    const uint8_t *at = memmem(vdso, len, insn, sizeof insn);

    return at ? base + (uint64_t)(at - vdso) : 0;
}

/* The arguments that the kernel laid out on the stack (psABI 3.4.1). */
static void read_argv(pid_t pid, uint64_t stack, struct buf *text,
                      struct buf *list)
{
    uint64_t count = 0, addr;

    proc_read(pid, stack, &count, sizeof count);
    for (uint64_t i = 0; i < count && i < 4096; i++) {
        if (proc_read(pid, stack + 8 * (i + 1), &addr, sizeof addr) !=
            sizeof addr)
            break;
        buf_append(list, &text->len, sizeof text->len);
        proc_read_text(pid, addr, text);
    }
}

static void emit_start(struct observer *observer, struct thread *thread)
{
    struct event event = {.kind = EVENT_START, .tid = thread->tracee.tid};
    pid_t pid = thread->tracee.pid;
    struct buf text = {0}, list = {0};
    const char **argv;
    char exe[512] = "";
    size_t count;

    read_argv(pid, thread->tracee.regs.rsp, &text, &list);
    count = list.len / sizeof(size_t);
    argv = mem_alloc(count * sizeof *argv);
    for (size_t i = 0; i < count; i++)
        argv[i] = buf_text(&text) + ((const size_t *)(void *)list.data)[i];
    proc_exe(pid, exe, sizeof exe);
    event.start = (struct event_start){
        .format = TRACE_FORMAT,
        .arch = "x86_64",
        .argv = {argv, count},
        .exe = exe,
        .pid = pid,
        .page_size = proc_auxv(pid, AT_PAGESZ),
        .entry = thread->space->entry,
    };
    observer_emit(observer, &event);
    free(argv);
    buf_release(&text);
    buf_release(&list);
}

/* The program stands at its entry point. */
static void begin(struct observer *observer, struct thread *thread)
{
    tracee_break(&thread->tracee, 0);
    thread->space->started = true;
    if (observer->seq == 0)
        emit_start(observer, thread);
    if (!thread->tracee.syscall_insn) {
        observer_limit(observer, thread, "vdso", 0,
                       "the process has no vdso to make system calls from, so "
                       "no page can be guarded");
        thread->space->watched = false;
    }
    observer_run(observer, thread, 0);
}

/* A program was loaded and nothing of it has run. */
static void loaded(struct observer *observer, struct thread *thread)
{
    struct tracee *tracee = &thread->tracee;
    struct space *space = thread->space;

    tracee->syscall_insn = find_syscall_insn(tracee->pid);
    space->entry = proc_auxv(tracee->pid, AT_ENTRY);
    if (tracee_fetch(tracee) < 0)
        return;
    if (tracee->regs.rip == space->entry) { /* linked statically */
        begin(observer, thread);
        return;
    }
    if (tracee_break(tracee, space->entry) < 0)
        observer_limit(observer, thread, "breakpoint", 0,
                       "this machine gives no hardware breakpoint to stop at "
                       "the entry point with, so nothing is watched");
    tracee_resume(tracee, RESUME_RUN, 0);
}

static void say_unwatched(struct observer *observer, const struct thread *child,
                          const char *how)
{
    observer_limit(observer, child, how, 0,
                   "process %d, a child, is not watched: it runs on its own",
                   (int)child->tracee.tid);
}

static void on_exec(struct observer *observer, struct thread *thread)
{
    bool watched = thread->tracee.tid == observer->root;

    if (watched && thread->space->started) {
        lines_free(observer->lines);
        observer->lines = lines_new(observer->root);
        mappings_forget(observer, thread);
    }
    if (!watched && thread->space && thread->space->watched)
        say_unwatched(observer, thread, "exec");
    thread->in_call = thread->lifted = false;
    thread->storing = thread->inside = false;
    thread->awaited_count = 0;
    move_to_space(thread, space_new(watched));
    if (watched)
        loaded(observer, thread);
    else
        observer_run(observer, thread, 0);
}

/* --- new threads and processes ------------------------------------------- */

/* A forked child has a copy of the memory, and so of the guards. */
static void free_copy(struct observer *observer, struct thread *child,
                      const struct space *parent)
{
    say_unwatched(observer, child, "fork");
    for (size_t i = 0; i < parent->regions.count; i++) {
        const struct region *region = &parent->regions.list[i];

        if (region->guard.taken)
            tracee_mprotect(&child->tracee, region->addr, region->length,
                            region->prot);
    }
}

/* The child's first stop and its parent's stop come in any order. */
static void adopt(struct observer *observer, const struct thread *parent,
                  struct thread *child, enum stop_kind how)
{
    bool is_copy = how == STOP_FORK;

    child->tracee.pid = is_copy ? child->tracee.tid : parent->tracee.pid;
    child->tracee.syscall_insn = parent->tracee.syscall_insn;
    move_to_space(child, is_copy ? space_new(false) : parent->space);
    if (is_copy && parent->space->watched)
        free_copy(observer, child, parent->space);
    if (how == STOP_CLONE && child->space->watched && !child->space->threaded)
        guard_drop_stores(observer, child);
    observer_run(observer, child, 0);
}

/* A child whose parent has told of it, but which has not stopped yet. */
static void wait_for_child(struct observer *observer, pid_t tid)
{
    struct stop stop;
    struct tracee tracee = {.tid = tid, .pid = tid};

    if (tracee_wait(&tracee, &stop) == 0)
        add_thread(observer, &tracee);
}

static void on_child(struct observer *observer, struct thread *thread,
                     const struct stop *stop)
{
    struct thread *child = find_thread(observer, stop->child);

    if (!child) {
        wait_for_child(observer, stop->child);
        child = find_thread(observer, stop->child);
    }
    if (child)
        adopt(observer, thread, child, stop->kind);
    observer_run(observer, thread, 0);
}

/* --- signals ------------------------------------------------------------- */

static bool is_executable(pid_t pid, uint64_t addr)
{
    struct maps_line line;

    return proc_maps_find(pid, addr, &line) && line.start <= addr &&
           (line.prot & PROT_EXEC);
}

static const char *failed_access(const struct thread *thread, uint64_t addr)
{
    struct accesses accesses;
    struct insn insn;
    struct regs regs;

    decode_at(thread, thread->tracee.regs.rip, &insn);
    if (addr - insn.addr < (insn.length ? insn.length : INSN_MAX_LENGTH) &&
        !is_executable(thread->tracee.pid, addr))
        return "execute";
    tracee_regs(&thread->tracee, &regs);
    accesses_prepare(&accesses, thread->tracee.pid, &insn, &regs);
    for (size_t i = 0; i < accesses.count; i++) {
        const struct insn_access *what = &accesses.list[i].what;

        if (addr - what->addr < what->size)
            return what->written ? "write" : "read";
    }
    return NULL;
}

static void emit_signal(struct observer *observer, struct thread *thread,
                        const siginfo_t *info)
{
    struct event event = {.kind = EVENT_SIGNAL, .tid = thread->tracee.tid};
    bool is_fault = info->si_code > 0 &&
                    (info->si_signo == SIGSEGV || info->si_signo == SIGBUS ||
                     info->si_signo == SIGFPE || info->si_signo == SIGILL);
    uint64_t addr = (uint64_t)(uintptr_t)info->si_addr;
    char name[16];

    snprintf(name, sizeof name, "SIG%s",
             sigabbrev_np(info->si_signo) ? sigabbrev_np(info->si_signo)
                                          : "RT");
    event.signal.number = info->si_signo;
    event.signal.name = name;
    event.signal.code = info->si_code;
    if (tracee_fetch(&thread->tracee) == 0)
        event.signal.pc = (struct opt_u64){true, thread->tracee.regs.rip};
    if (is_fault) {
        event.signal.addr = (struct opt_u64){true, addr};
        lines_find(observer->lines, thread->tracee.regs.rip, &event.source);
    }
    if (is_fault && info->si_signo == SIGSEGV)
        event.signal.access = failed_access(thread, addr);
    observer_emit(observer, &event);
}

/* A signal that is the program's own. */
static void deliver(struct observer *observer, struct thread *thread,
                    const siginfo_t *info)
{
    emit_signal(observer, thread, info);
    if (thread->storing) {
        /* Arming again takes us out of this signal's stop. */
        tracee_hold(&thread->tracee, info);
        store_abort(observer, thread);
        if (thread->inside)
            code_signal(observer, thread, 0);
        else
            observer_run(observer, thread, 0);
    } else if (thread->inside) {
        code_signal(observer, thread, info->si_signo);
    } else {
        observer_run(observer, thread, info->si_signo);
    }
}

/*
 * How often one place may fault before that is no progress. Threads that race
 * for a region can make a fault stale several times in a row.
 */
#define MAX_REPEATS       3
#define MAX_STALE_REPEATS 1000

static bool makes_progress(struct thread *thread, const struct fault *fault,
                           enum fault_class class)
{
    unsigned most = class == FAULT_STALE ? MAX_STALE_REPEATS : MAX_REPEATS;
    struct fault_place *last = &thread->last_fault;

    if (last->pc != fault->pc || last->addr != fault->addr)
        *last = (struct fault_place){fault->pc, fault->addr, 0};
    return ++last->repeats <= most;
}

/* A fault came back too often. Returns what it is to be taken for now. */
static enum fault_class give_up(struct observer *observer,
                                struct thread *thread, struct region *region,
                                enum fault_class class)
{
    if (class == FAULT_STALE)
        return FAULT_PROGRAM;
    observer_limit(observer, thread, "progress", region->addr,
                   "the instruction at 0x%" PRIx64
                   " faults again and again under the guard, so its region is "
                   "not watched any more",
                   thread->last_fault.pc);
    region->guard.wanted = 0;
    guard_set(observer, thread, region, 0);
    return FAULT_STALE;
}

static void on_fault(struct observer *observer, struct thread *thread,
                     const siginfo_t *info)
{
    struct fault fault = {.code = info->si_code,
                          .addr = (uint64_t)(uintptr_t)info->si_addr};
    enum fault_class class = FAULT_PROGRAM;
    struct region *region;

    if (tracee_fetch(&thread->tracee) < 0)
        return;
    fault.pc = thread->tracee.regs.rip;
    decode_at(thread, fault.pc, &thread->store_insn);
    fault.length =
        thread->store_insn.length ? thread->store_insn.length : INSN_MAX_LENGTH;
    if (thread->space->watched)
        class = fault_classify(&thread->space->regions, &fault);
    region = regions_at(&thread->space->regions, fault.addr);
    if (class != FAULT_PROGRAM && !makes_progress(thread, &fault, class))
        class = give_up(observer, thread, region, class);
    switch (class) {
    case FAULT_STORE:
        store_begin(observer, thread, fault.addr);
        break;
    case FAULT_FETCH:
        code_enter(observer, thread, region);
        break;
    case FAULT_STALE:
        if (thread->inside)
            tracee_resume(&thread->tracee, RESUME_STEP, 0);
        else
            observer_run(observer, thread, 0);
        break;
    case FAULT_PROGRAM:
        deliver(observer, thread, info);
        break;
    }
}

/* si_code of the stop at a handler's first instruction, when the signal was
 * delivered with a step (ptrace_notify in the kernel). */
#define TRAP_HANDLER SIGTRAP

static bool is_our_step(const struct thread *thread, const siginfo_t *info)
{
    return (thread->storing || thread->inside) &&
           (info->si_code == TRAP_TRACE || info->si_code == TRAP_BRKPT ||
            info->si_code == TRAP_HANDLER);
}

static bool is_entry(const struct thread *thread, const siginfo_t *info)
{
    return !thread->space->started && thread->space->watched &&
           info->si_code == TRAP_HWBKPT;
}

static void on_signal(struct observer *observer, struct thread *thread,
                      const struct stop *stop)
{
    siginfo_t info;

    if (tracee_siginfo(&thread->tracee, &info) < 0)
        return;
    if (stop->signal == SIGSEGV && info.si_code > 0) {
        on_fault(observer, thread, &info);
    } else if (stop->signal == SIGTRAP && is_our_step(thread, &info)) {
        thread->last_fault = (struct fault_place){0};
        if (thread->storing)
            store_end(observer, thread);
        if (thread->inside)
            code_stepped(observer, thread);
        else
            observer_run(observer, thread, 0);
    } else if (stop->signal == SIGTRAP && is_entry(thread, &info)) {
        if (tracee_fetch(&thread->tracee) == 0)
            begin(observer, thread);
    } else {
        deliver(observer, thread, &info);
    }
}

/* --- system calls -------------------------------------------------------- */

static void on_call_entry(struct observer *observer, struct thread *thread)
{
    if (thread->in_call) { /* the filter's stop, behind the entry's */
        observer_run(observer, thread, 0);
        return;
    }
    thread->in_call = true;
    mappings_before(observer, thread);
}

static void on_call(struct observer *observer, struct thread *thread)
{
    struct call call;

    if (tracee_call(&thread->tracee, &call) < 0)
        return;
    if (!thread->space->watched || !thread->space->started) {
        if (call.entering && call_kind(&call) == CALL_CPUS)
            tracee_unpin(&thread->tracee);
        observer_run(observer, thread, 0);
    } else if (call.entering) {
        if (!thread->in_call)
            thread->call = call;
        on_call_entry(observer, thread);
    } else {
        thread->in_call = false;
        thread->call.result = call.result;
        mappings_after(observer, thread);
    }
}

/* --- the end ------------------------------------------------------------- */

static void on_gone(struct observer *observer, struct thread *thread,
                    const struct stop *stop)
{
    if (stop->tid == observer->root) {
        bool exited = stop->kind == STOP_EXITED;

        observer->status =
            (struct opt_u64){exited, exited ? (uint64_t)stop->status : 0};
        observer->signal =
            (struct opt_u64){!exited, exited ? 0 : (uint64_t)stop->signal};
    }
    remove_thread(observer, thread);
}

static void emit_exit(struct observer *observer)
{
    struct event event = {.kind = EVENT_EXIT, .tid = observer->root};

    event.exit.status = observer->status;
    event.exit.signal = observer->signal;
    observer->ended = true;
    observer_emit(observer, &event);
}

/*
 * The program stays stopped. If the terminal has stopped it (Ctrl-Z), the shell
 * waits for us to stop as well; SIGCONT later goes to both.
 */
static void on_group_stop(const struct observer *observer,
                          struct thread *thread, const struct stop *stop)
{
    struct sigaction by_default = {.sa_handler = SIG_DFL}, ours;

    tracee_resume(&thread->tracee, RESUME_LISTEN, 0);
    if (stop->tid != observer->root || stop->signal == SIGSTOP)
        return;
    sigaction(stop->signal, &by_default, &ours);
    raise(stop->signal);
    sigaction(stop->signal, &ours, NULL);
}

/* --- the source ---------------------------------------------------------- */

/* Whether it runs free on our CPU, where it shall not stay for long. */
static bool is_guest(const struct thread *thread)
{
    return thread->tracee.pinned && !thread->inside && !thread->storing;
}

static bool has_guests(const struct observer *observer)
{
    for (size_t i = 0; i < observer->thread_count; i++)
        if (is_guest(observer->threads[i]))
            return true;
    return false;
}

static void send_guests_home(struct observer *observer)
{
    for (size_t i = 0; i < observer->thread_count; i++)
        if (is_guest(observer->threads[i]))
            tracee_unpin(&observer->threads[i]->tracee);
}

static void handle(struct observer *observer, const struct stop *stop)
{
    struct thread *thread = find_thread(observer, stop->tid);

    if (stop->kind == STOP_NONE) {
        send_guests_home(observer);
        return;
    }
    if (!thread) {
        struct tracee tracee = {.tid = stop->tid, .pid = stop->tid};

        if (stop->kind != STOP_EXITED && stop->kind != STOP_KILLED)
            add_thread(observer, &tracee);
        return; /* its parent's stop lets it go on */
    }
    switch (stop->kind) {
    case STOP_EXITED:
    case STOP_KILLED:
        on_gone(observer, thread, stop);
        break;
    case STOP_SIGNAL:
        on_signal(observer, thread, stop);
        break;
    case STOP_CALL:
    case STOP_FILTER:
        on_call(observer, thread);
        break;
    case STOP_EXEC:
        on_exec(observer, thread);
        break;
    case STOP_CLONE:
    case STOP_VFORK:
    case STOP_FORK:
        on_child(observer, thread, stop);
        break;
    case STOP_GROUP:
        on_group_stop(observer, thread, stop);
        break;
    case STOP_STARTED:
    case STOP_OTHER:
    case STOP_NONE:
        if (thread->inside)
            tracee_resume(&thread->tracee, RESUME_STEP, 0);
        else
            observer_run(observer, thread, 0);
        break;
    }
}

static int observer_next(struct source *source, struct event *event,
                         struct err *err)
{
    struct observer *observer = (struct observer *)source;
    struct stop stop;
    int more;

    while (observer->queue_count == 0 && !observer->ended) {
        observer->queue_first = 0;
        more = wait_stop(&stop, has_guests(observer), err);
        if (more < 0)
            return -1;
        if (more == 0)
            emit_exit(observer);
        else
            handle(observer, &stop);
    }
    if (observer->queue_count == 0)
        return 0;
    event_free(observer->current);
    observer->current = observer->queue[observer->queue_first++];
    observer->queue_count--;
    *event = *observer->current;
    return 1;
}

static void observer_free(struct source *source)
{
    struct observer *observer = (struct observer *)source;
    struct stop stop;
    struct err ignored;

    for (size_t i = 0; i < observer->thread_count; i++)
        kill(observer->threads[i]->tracee.pid, SIGKILL);
    while (!observer->ended && wait_stop(&stop, false, &ignored) > 0)
        continue;
    while (observer->thread_count > 0)
        remove_thread(observer, observer->threads[0]);
    while (observer->queue_count > 0) {
        event_free(observer->queue[observer->queue_first++]);
        observer->queue_count--;
    }
    event_free(observer->current);
    free(observer->queue);
    free(observer->threads);
    lines_free(observer->lines);
    free(observer);
}

struct source *observe_new(const struct launch *what,
                           const struct observe_budget *budget, struct err *err)
{
    struct observer *observer;
    struct thread *thread;
    struct tracee tracee;

    if (launch(what, &tracee, err) < 0)
        return NULL;
    observer = mem_alloc(sizeof *observer);
    observer->source.next = observer_next;
    observer->source.free = observer_free;
    observer->budget = *budget;
    observer->root = tracee.pid;
    observer->lines = lines_new(tracee.pid);
    thread = add_thread(observer, &tracee);
    move_to_space(thread, space_new(true));
    loaded(observer, thread);
    return &observer->source;
}

void observe_provide(struct source *source, const char *name, struct bytes text)
{
    lines_provide(((struct observer *)source)->lines, name, text);
}

pid_t observe_pid(const struct source *source)
{
    return ((const struct observer *)source)->root;
}
