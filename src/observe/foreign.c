/* SPDX-License-Identifier: MIT */
/*
 * Other processes that write to the program's memory: by process_vm_writev(2)
 * or through /proc/PID/mem. The kernel fails such a write at a page that we
 * guard, where it would succeed untraced. So before a process of the program
 * can begin with it, stores into the memory of the other one are watched no
 * longer. Processes that are no children of the program are not seen. Where
 * mprotect holds pages back and all threads sleep in calls, as in vfork(2),
 * none can give them back, and the write fails.
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

/* How often the call that writes is undone, to wait for the other process: one
 * in vfork(2) may wait for the one who writes. */
#define MAX_UNDONE 1000

/* Whether it stands still now: not if it sleeps. */
static bool stop(struct thread *thread)
{
    for (int i = 0;
         i < YIELDS && thread->in_call && proc_runs(thread->tracee.tid) &&
         !tracee_has_stopped(&thread->tracee);
         i++)
        sched_yield();
    if (!tracee_has_stopped(&thread->tracee) &&
        (thread->in_call || !proc_runs(thread->tracee.tid)))
        return false;
    store_stop(thread);
    return thread->has_stop;
}

/* Whether it is in a call of its own that will be over without the one who
 * writes: it is at work, or stands where the kernel has yet to say what it
 * returns. */
static bool is_amid_call(const struct thread *thread)
{
    if (thread->running) /* it may have stopped since it was looked at */
        return !proc_sleeps(thread->tracee.tid) ||
               tracee_has_stopped(&thread->tracee);
    if (tracee_enters_call(&thread->tracee))
        return false;
    if (!thread->has_stop)
        return thread->in_call;
    switch (thread->stop.kind) {
    case STOP_FORK:
    case STOP_VFORK:
    case STOP_CLONE:
    case STOP_EXEC:
        return true;
    default:
        return false;
    }
}

/* A call of its own that it stands in front of, known or not, would be lost by
 * one of ours. It begins again. */
static bool put_off_call(struct thread *thread)
{
    if (!tracee_enters_call(&thread->tracee))
        return true;
    if (tracee_rewind(&thread->tracee) < 0)
        return false;
    thread->in_call = thread->queued = thread->has_stop = false;
    if (!thread->due)
        observer_run(thread);
    return true;
}

bool foreign_before(struct thread *thread)
{
    pid_t pid = written_process(thread);
    struct thread *other =
        pid > 0 ? spokesman(thread->run, pid, thread->space) : NULL;
    bool stands;

    if (!other || other->space->stores_off)
        return true;
    stands = !other->running || stop(other);
    if (is_amid_call(other) && thread->undone < MAX_UNDONE) {
        thread->undone++;
        return tracee_rewind(&thread->tracee) < 0;
    }
    thread->undone = 0;
    stands = stands && !is_amid_call(other) && put_off_call(other);
    /* A userfaultfd gives its pages back without it. */
    if (!stands && other->space->uffd < 0)
        return true;
    guard_drop_stores(other, "writer",
                      "another process writes to the program's memory; from "
                      "here on stores are not watched, code is read when it is "
                      "executed");
    return true;
}
