/* SPDX-License-Identifier: MIT */
#include "observe/begin.h"

#include <elf.h>
#include <signal.h>
#include <stdlib.h>

#include "base/mem.h"
#include "observe/actions.h"
#include "observe/maps.h"
#include "observe/names.h"
#include "observe/processes.h"
#include "target/inject.h"
#include "target/proc.h"
#include "target/registers.h"
#include "target/uffd.h"

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

static void emit_start(struct thread *thread)
{
    struct event event = {.kind = EVENT_START, .tid = thread->tracee.tid};
    pid_t pid = thread->tracee.pid;
    struct buf text = {0}, list = {0};
    const char **argv;
    char exe[512] = "";
    size_t count;

    read_argv(pid, tracee_stack(&thread->tracee), &text, &list);
    count = list.len / sizeof(size_t);
    argv = mem_alloc(count * sizeof *argv);
    for (size_t i = 0; i < count; i++)
        argv[i] = buf_text(&text) + ((const size_t *)(void *)list.data)[i];
    proc_exe(pid, exe, sizeof exe);
    event.start = (struct event_start){
        .format = TRACE_FORMAT,
        .arch = ARCH_NAME,
        .argv = {argv, count},
        .exe = exe,
        .pid = pid,
        .page_size = proc_auxv(pid, AT_PAGESZ),
        .entry = thread->space->entry.addr,
    };
    thread->run->started = true;
    report_event(thread->report, &event);
    free(argv);
    buf_release(&text);
    buf_release(&list);
}

/* The program stands at its entry point. What is not to be watched from the
 * start is said at the start. */
static enum go begin(struct thread *thread)
{
    struct space *space = thread->space;

    for (enum budget i = 0; i < BUDGETS; i++)
        if (*budget_value(&thread->report->spent.max, i) == 0)
            thread_limit(thread, budget_word(i), 0, "--max-%s=0 allows no %s",
                         budget_word(i), budget_help(i));
    space->started = true;
    if (!thread->tracee.syscall_insn) {
        thread_limit(thread, "vdso", 0,
                     "the process has no vdso to make system calls from, so "
                     "no page can be guarded");
        space->watched = false;
    } else {
        space->uffd = uffd_open(&thread->tracee);
        maps_begin(thread);
    }
    return GO_RUN;
}

enum go begin_loaded(struct thread *thread)
{
    struct tracee *tracee = &thread->tracee;
    struct space *space = thread->space;

    tracee_find_syscall(tracee);
    actions_inherited(thread);
    thread->blocks_fault = tracee_blocks(tracee, SIGSEGV);
    names_begin(thread);
    if (tracee_fetch(tracee) < 0)
        return GO_NOT;
    if (!tracee_is_64bit(tracee)) { /* not the first one: see launch() */
        thread_limit(thread, "32-bit", 0,
                     "process %d runs a program for 32-bit x86 now, which is "
                     "not watched",
                     (int)tracee->pid);
        space->watched = false;
        return GO_RUN;
    }
    if (entry_await(tracee, &space->entry) < 0) { /* not the first one */
        thread_limit(thread, "entry", 0,
                     "the entry point of the program that process %d runs "
                     "now cannot be found, so it is not watched",
                     (int)tracee->pid);
        space->watched = false;
    }
    if (!thread->run->started)
        emit_start(thread);
    if (space->watched && !space->entry.awaited) /* linked statically */
        return begin(thread);
    return GO_PLAIN;
}

enum go begin_exec(struct thread *thread, const struct stop *stop)
{
    struct tracee *tracee = &thread->tracee;
    bool watched = tracee->tid == thread->run->root;
    struct thread *former = thread_find(thread->run, stop->child);
    struct report *report = thread->report;

    /* The thread that does it ends all others and takes the ID of the first. */
    if (former && former != thread) {
        pid_t tid = tracee->tid;

        tracee_release(tracee);
        *tracee = former->tracee;
        tracee->tid = tid;
        former->tracee.held = NULL;
        thread_remove(former);
    }
    if (watched && thread->space->started) {
        lines_free(report->lines);
        report->lines = lines_new(tracee->tid);
        maps_forget(thread);
    }
    if (!watched && thread->space && thread->space->watched)
        child_unwatched(thread, "exec");
    thread->mode = MODE_CODE;
    thread->inside = thread->lifted = false;
    thread->waits_for_call = thread->waits_for_store = false;
    thread->run_on = (struct run_on){0};
    thread->awaited_count = 0;
    thread->left_by = NULL;
    thread->stay.decoded_at = 0;
    tracee->pid = tracee->tid;
    thread_move(thread, space_new(watched));
    if (!watched)
        return GO_RUN;
    return tracee_finish_exec(tracee) == 0 ? begin_loaded(thread) : GO_NOT;
}

/* The fault was forced upon the thread: what that has undone is put back. */
enum go begin_entered(struct thread *thread)
{
    struct space *space = thread->space;

    entry_arrive(&thread->tracee, &space->entry);
    actions_forced(thread, SIGSEGV);
    if (thread->blocks_fault)
        tracee_block(&thread->tracee, SIGSEGV, true);
    if (space->watched)
        return begin(thread);
    space->actions_of = 0; /* nothing more is forced upon it */
    return GO_RUN;
}
