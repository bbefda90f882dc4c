/* SPDX-License-Identifier: MIT */
/*
 * System calls: what is done before one begins and when it has ended. What
 * they do to mappings is in mappings.c, what the kernel writes to memory in
 * stores.c; here is what else is to be seen of them: what the program prints,
 * and what makes guards dangerous.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "base/mem.h"
#include "observe/state.h"
#include "target/proc.h"

/* --- output -------------------------------------------------------------- */

/* Appends up to *left bytes of the program's memory. */
static void append_output(pid_t pid, uint64_t addr, uint64_t size,
                          uint64_t *left, struct buf *out)
{
    uint8_t *bytes;

    if (size > *left)
        size = *left;
    bytes = mem_alloc(size);
    size = proc_read(pid, addr, bytes, size);
    buf_append(out, bytes, size);
    *left -= size;
    free(bytes);
}

static void after_output(struct thread *thread)
{
    struct event event = {.kind = EVENT_OUTPUT, .tid = thread->tracee.tid};
    const struct call *call = &thread->call;
    pid_t pid = thread->tracee.tid;
    uint64_t left = (uint64_t)call->result;
    int fd = (int)call->args[0]; /* the kernel takes 32 bits */
    struct buf out = {0};
    struct iovec part;
    enum budget spent;

    if (fd != 1 && fd != 2)
        return;
    left = budget_pay_output(&thread->run->budget, &thread->run->spent, left,
                             &spent);
    if (call->number == SYS_write)
        append_output(pid, call->args[1], left, &left, &out);
    for (uint64_t i = 0;
         call->number == SYS_writev && left > 0 && i < call->args[2]; i++) {
        if (proc_read(pid, call->args[1] + i * sizeof part, &part,
                      sizeof part) != sizeof part)
            break;
        append_output(pid, (uintptr_t)part.iov_base, part.iov_len, &left, &out);
    }
    event.output.fd = fd;
    event.output.bytes = (struct bytes){out.data, out.len};
    if (out.len > 0 || call->result == 0)
        report_event(thread->run, &event);
    if (spent == BUDGET_output)
        report_limit(thread, budget_word(spent), 0,
                     "%" PRIu64 " bytes of output were recorded; what the "
                     "program prints from here on is not in the trace",
                     thread->run->budget.output);
    buf_release(&out);
}

/* --- sigaltstack --------------------------------------------------------- */

static void after_sigaltstack(struct thread *thread)
{
    stack_t stack;

    if (thread->call.args[0] &&
        proc_read(thread->tracee.tid, thread->call.args[0], &stack,
                  sizeof stack) == sizeof stack)
        guard_drop_stack(thread, (uintptr_t)stack.ss_sp, stack.ss_size);
}

/* --- prctl(PR_SET_DUMPABLE) ---------------------------------------------- */

/* Without its code nothing can be told of a program, nor a store be stepped. */
static void after_hide(struct thread *thread)
{
    uint8_t byte;

    if (thread->space->frozen || tracee_fetch(&thread->tracee) < 0 ||
        proc_read(thread->tracee.tid, tracee_pc(&thread->tracee), &byte, 1))
        return;
    guard_drop_all(thread, "unreadable",
                   "the program forbids others to read its memory "
                   "(PR_SET_DUMPABLE); from here on nothing is watched any "
                   "more. Root may read it all the same");
}

/* --- io_uring ------------------------------------------------------------- */

/* The kernel writes to memory at moments that are not to be seen. */
static void after_ring(struct thread *thread)
{
    if (thread->space->has_ring)
        return;
    thread->space->has_ring = true;
    guard_drop_stores(thread, "io_uring",
                      "the program lets the kernel write to its memory by "
                      "io_uring; from here on stores are not watched, code is "
                      "read when it is executed");
}

/* --- before and after ---------------------------------------------------- */

void calls_before(struct thread *thread)
{
    enum call_kind kind = call_kind(&thread->call);

    run_on_before_call(thread);
    if (kind == CALL_CPUS) {
        run_unpin(thread->run);
        child_unguard(thread);
    }
    robust_before_call(thread);
    if (kind == CALL_FREEZE && !thread->space->frozen &&
        tracee_rewind(&thread->tracee) == 0) {
        thread->in_call = false; /* it has not begun and will begin again */
        guard_drop_all(thread, "frozen",
                       "the program restricts its own system calls; from here "
                       "on protections could not be given back, so nothing is "
                       "watched any more");
    }
    maps_before(thread);
    if (!thread->lifted)
        stores_lift_for_call(thread);
    observer_run(thread);
}

/* A call that did what it was asked to. */
static void apply(struct thread *thread)
{
    maps_after(thread);
    switch (call_kind(&thread->call)) {
    case CALL_UFFD:
        guard_drop_uffd(thread);
        break;
    case CALL_RING:
        after_ring(thread);
        break;
    case CALL_OUTPUT:
        after_output(thread);
        break;
    case CALL_HIDE:
        after_hide(thread);
        break;
    case CALL_STACK:
        after_sigaltstack(thread);
        break;
    case CALL_PLACE:
        guard_drop_stack(thread, thread->call.args[0], 1);
        break;
    default:
        break;
    }
}

/* The kernel reports errors as -4095 .. -1. */
static bool succeeded(int64_t result)
{
    return result < -4095 || result >= 0;
}

void calls_after(struct thread *thread)
{
    if (succeeded(thread->call.result))
        apply(thread);
    else
        maps_refused(thread);
    stores_after_call(thread);
    store_let_others(thread->run, thread->space); /* who waited for this call */
    if (succeeded(thread->call.result))
        run_on_look(thread);
    if (thread->inside)
        stay_called(thread);
    else
        observer_run(thread);
}
