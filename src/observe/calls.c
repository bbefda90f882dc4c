/* SPDX-License-Identifier: MIT */
#include "observe/calls.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "base/mem.h"
#include "observe/guard.h"
#include "observe/maps.h"
#include "observe/processes.h"
#include "observe/signals.h"
#include "observe/stay.h"
#include "observe/store.h"
#include "target/calls.h"
#include "target/inject.h"
#include "target/proc.h"
#include "target/registers.h"

/* --- before --------------------------------------------------------------- */

/* Whether the call takes the vdso away, or its execution, which our own calls
 * are made of. */
static bool takes_vdso(const struct call *call, uint64_t insn)
{
    uint64_t addr, length;

    if (!call_range(call, &addr, &length) || insn - addr >= length)
        return false;
    switch (call_kind(call)) {
    case CALL_MMAP:
        return call->args[3] & MAP_FIXED;
    case CALL_PROTECT:
        return !(call->args[2] & PROT_EXEC);
    case CALL_MUNMAP:
    case CALL_MREMAP:
        return true;
    default:
        return false;
    }
}

/* As long as calls can be made: gives everything back. */
static void lose_vdso(struct thread *thread)
{
    if (!thread->space->frozen)
        guard_drop_all(thread, "vdso",
                       "the program takes the vdso away, of which jittrace "
                       "makes its own system calls; from here on nothing is "
                       "watched any more");
    for_each_thread (other, thread->run)
        if (other->space == thread->space)
            other->tracee.syscall_insn = 0;
}

enum go calls_begin(struct thread *thread)
{
    enum call_kind kind = call_kind(&thread->call);

    if (thread->mode == MODE_CALL) /* the filter's stop, behind the entry's */
        return GO_RUN;
    if (takes_vdso(&thread->call, thread->tracee.syscall_insn) &&
        tracee_rewind(&thread->tracee) == 0) {
        lose_vdso(thread);
        return GO_RUN;
    }
    if (guard_call_waits(thread)) {
        thread->waits_for_call = true;
        return GO_NOT;
    }
    thread->mode = MODE_CALL;
    stay_before_call(thread);
    if (kind == CALL_CPUS) {
        threads_unpin(thread->run);
        store_before_child(thread);
    }
    store_before_end(thread);
    if (kind == CALL_FREEZE && !thread->space->frozen &&
        thread_undo_call(thread))
        guard_drop_all(thread, "frozen",
                       "the program restricts its own system calls; from here "
                       "on protections could not be given back, so nothing is "
                       "watched any more");
    maps_before(thread);
    if (!thread->lifted)
        store_before_call(thread);
    return GO_RUN;
}

/* --- after ---------------------------------------------------------------- */

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
    struct run *run = thread->run;
    const struct call *call = &thread->call;
    pid_t pid = thread->tracee.tid;
    uint64_t left = (uint64_t)call->result;
    int fd = (int)call->args[0]; /* the kernel takes 32 bits */
    struct buf out = {0};
    struct iovec part;
    enum budget spent;

    if (fd != 1 && fd != 2)
        return;
    left = budget_pay_output(&run->spent, left, &spent);
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
        run_tell(run, &event);
    if (spent == BUDGET_output)
        thread_limit(thread, budget_word(spent), 0,
                     "%" PRIu64 " bytes of output were recorded; what the "
                     "program prints from here on is not in the trace",
                     run->spent.max.output);
    buf_release(&out);
}

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

/* A call that did what it was asked to. */
static void apply(struct thread *thread)
{
    const struct call *call = &thread->call;
    stack_t stack;

    switch (call_kind(call)) {
    case CALL_UFFD:
        guard_drop_uffd(thread);
        break;
    case CALL_RING:
        if (thread->space->has_ring)
            break;
        thread->space->has_ring = true;
        guard_drop_stores(thread, "io_uring",
                          "the program lets the kernel write to its memory by "
                          "io_uring; from here on stores are not watched, code "
                          "is read when it is executed");
        break;
    case CALL_OUTPUT:
        after_output(thread);
        break;
    case CALL_HIDE:
        after_hide(thread);
        break;
    case CALL_STACK:
        if (call->args[0] && proc_read(thread->tracee.tid, call->args[0],
                                       &stack, sizeof stack) == sizeof stack)
            guard_drop_stack(thread, (uintptr_t)stack.ss_sp, stack.ss_size);
        break;
    case CALL_PLACE:
        guard_drop_stack(thread, call->args[0], 1);
        break;
    default:
        break;
    }
}

static enum go after(struct thread *thread)
{
    int64_t result = thread->call.result;
    bool succeeded = result < -4095 || result >= 0; /* as the kernel has it */

    maps_after(thread, succeeded);
    if (succeeded)
        apply(thread);
    store_after_call(thread);
    store_release_others(thread->run,
                         thread->space); /* who waited for this call */
    if (succeeded)
        stay_look(thread);
    return thread->inside ? stay_called(thread) : GO_RUN;
}

/* A call stopped at, which would not have been if no store were watched. */
static void pay(struct thread *thread)
{
    if (thread->inside || call_kind(&thread->call) != CALL_OTHER ||
        budget_pay_system_call(&thread->run->spent) != BUDGET_system_calls)
        return;
    guard_drop_stores(thread, budget_word(BUDGET_system_calls),
                      "the program made many system calls while stores were "
                      "watched, and each costs a stop; from here on stores "
                      "are not watched, code is read when it is executed");
}

enum go calls_stopped(struct thread *thread)
{
    const struct space *space = thread->space;
    enum call_kind kind;
    struct call call;
    bool begins;

    if (tracee_call(&thread->tracee, &call) < 0)
        return GO_NOT;
    if (call.denied) {
        tracee_deny(&thread->tracee);
        return GO_RUN;
    }
    kind = call_kind(&call);
    begins = call.entering && thread->mode != MODE_CALL;
    if (begins) {
        thread->call = call;
        signals_set(thread);
        if (!process_may_write(thread))
            return GO_RUN; /* it will begin again */
    }
    /* Of an open only the beginning is of interest. */
    if (!space->watched || !space->started ||
        (begins && kind == CALL_OPEN && !guard_needs_calls(thread->space))) {
        if (call.entering && kind == CALL_CPUS)
            threads_unpin(thread->run);
        return GO_RUN;
    }
    if (call.entering)
        return calls_begin(thread);
    if (thread->mode == MODE_CALL)
        thread->mode = MODE_CODE;
    thread->call.result = call.result;
    pay(thread);
    return after(thread);
}
