/* SPDX-License-Identifier: MIT */
/*
 * Other processes that write to the program's memory: by process_vm_writev(2)
 * or through /proc/PID/mem. The kernel fails such a write at a page that we
 * guard, where it would succeed untraced. So before a process of the program
 * can begin with it, stores into the memory of the other one are watched no
 * longer. Processes that are no children of the program are not seen.
 */
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "observe/state.h"
#include "target/proc.h"

/* The process whose memory the file is; 0: none, or that of who opens it. */
static pid_t owner_of(const char *path)
{
    static const char proc[] = "/proc/", memory[] = "/mem";
    size_t len = strlen(path);

    if (strncmp(path, proc, sizeof proc - 1) != 0 || len < sizeof memory ||
        strcmp(path + len - (sizeof memory - 1), memory) != 0)
        return 0;
    return (pid_t)strtol(path + sizeof proc - 1, NULL, 10);
}

static pid_t written_process(const struct thread *thread)
{
    const struct call *call = &thread->call;
    struct buf path = {0};
    pid_t pid;

    if (call_kind(call) == CALL_POKE)
        return (pid_t)call->args[0];
    if (call_kind(call) != CALL_OPEN)
        return 0;
    proc_read_text(thread->tracee.tid, call_opened_path(call), &path);
    pid = owner_of(buf_text(&path));
    buf_release(&path);
    return pid;
}

/*
 * A thread of that process that stands still or can be stopped, for it takes a
 * call of its own to give back what mprotect holds back; else any; or NULL.
 */
static struct thread *spokesman(const struct run *run, pid_t pid,
                                const struct space *space)
{
    struct thread *found = NULL;

    for (size_t i = 0; i < run->thread_count; i++) {
        struct thread *thread = run->threads[i];

        if (thread->tracee.pid != pid || thread->space == space ||
            !thread->space || !thread->space->watched)
            continue;
        if (!thread->running)
            return thread;
        if (!found || !thread->in_call)
            found = thread;
    }
    return found;
}

/* How often the CPU is given away for a call to end that another process is in;
 * one that sleeps there is left alone. */
#define YIELDS 100

/* Whether it stands still now, and can make a call of ours. */
static bool stop(struct thread *thread)
{
    enum stop_kind kind;

    for (int i = 0;
         i < YIELDS && thread->in_call && proc_runs(thread->tracee.tid) &&
         !tracee_has_stopped(&thread->tracee);
         i++)
        sched_yield();
    if (!tracee_has_stopped(&thread->tracee) &&
        (thread->in_call || !proc_runs(thread->tracee.tid)))
        return false;
    store_stop(thread);
    kind = thread->stop.kind;
    if (!thread->has_stop || kind == STOP_FORK || kind == STOP_VFORK ||
        kind == STOP_CLONE)
        return false;
    if (!thread->in_call && (kind == STOP_CALL || kind == STOP_FILTER)) {
        /* Its own call has not begun, and will begin again. */
        if (tracee_rewind(&thread->tracee) < 0)
            return false;
        thread->has_stop = false;
        observer_run(thread);
    }
    return true;
}

void foreign_before(const struct thread *thread)
{
    pid_t pid = written_process(thread);
    struct thread *other =
        pid > 0 ? spokesman(thread->run, pid, thread->space) : NULL;

    if (!other || other->space->stores_off)
        return;
    /* A userfaultfd gives its pages back without it. */
    if (other->running && !stop(other) && other->space->uffd < 0)
        return;
    guard_drop_stores(other, "writer",
                      "another process writes to the program's memory; from "
                      "here on stores are not watched, code is read when it is "
                      "executed");
}
