/* SPDX-License-Identifier: MIT */
#include "observe/calls.h"

#include <sys/syscall.h>
#include <sys/uio.h>

#include "base/mem.h"
#include "observe/asked.h"
#include "observe/guard.h"
#include "observe/alter.h"
#include "observe/maps.h"
#include "observe/processes.h"
#include "observe/signals.h"
#include "observe/stay.h"
#include "observe/store.h"
#include "target/calls.h"
#include "target/inject.h"
#include "target/proc.h"
#include "target/registers.h"

enum go calls_begin(struct thread *thread)
{
    const struct call *call = &thread->call;
    enum call_kind kind = call_kind(call);
    struct space *space = thread->space;
    uint64_t addr, length;

    if (thread->mode == MODE_CALL) /* the filter's stop, behind the entry's */
        return GO_RUN;
    /* It takes the vdso away, or its execution, which our own calls are made
     * of. */
    if (call_range(call, &addr, &length) &&
        thread->tracee.syscall_insn - addr < length &&
        (kind == CALL_MUNMAP || kind == CALL_MREMAP ||
         (kind == CALL_MMAP && (call->args[3] & MAP_FIXED)) ||
         (kind == CALL_PROTECT && !(call->args[2] & PROT_EXEC))) &&
        tracee_rewind(&thread->tracee) == 0) {
        /* As long as calls can be made: gives everything back. */
        if (!space->frozen)
            guard_drop_all(thread, GUARDS, "vdso",
                           "the program takes the vdso away, of which jittrace "
                           "makes its own system calls; from here on nothing "
                           "is watched any more");
        for_each_thread (other, thread->run)
            if (other->space == space)
                other->tracee.syscall_insn = 0;
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
    if (kind == CALL_FREEZE && !space->frozen && thread_undo_call(thread))
        guard_drop_all(thread, GUARDS, "frozen",
                       "the program restricts its own system calls; from here "
                       "on protections could not be given back, so nothing is "
                       "watched any more");
    maps_before(thread);
    if (!thread->lifted)
        store_before_call(thread);
    return GO_RUN;
}

/* Tells what write and writev have written to 1 and 2. */
static void after_output(struct thread *thread)
{
    struct event event = {.kind = EVENT_OUTPUT, .tid = thread->tracee.tid};
    const struct call *call = &thread->call;
    bool is_vector = call->number == SYS_writev;
    struct iovec part = {(void *)(uintptr_t)call->args[1],
                         (size_t)call->result};
    pid_t pid = thread->tracee.tid;
    int fd = (int)call->args[0]; /* the kernel takes 32 bits */
    struct buf out = {0};
    enum budget spent;
    uint64_t left;

    if (fd != 1 && fd != 2)
        return;
    left = budget_pay_output(&thread->run->spent, part.iov_len, &spent);
    for (uint64_t i = 0; left > 0 && i < (is_vector ? call->args[2] : 1); i++) {
        uint8_t *bytes;
        size_t size;

        if (is_vector && proc_read(pid, call->args[1] + i * sizeof part, &part,
                                   sizeof part) != sizeof part)
            break;
        size = part.iov_len < left ? part.iov_len : left;
        bytes = mem_alloc(size);
        size = proc_read(pid, (uintptr_t)part.iov_base, bytes, size);
        buf_append(&out, bytes, size);
        left -= size;
        free(bytes);
    }
    event.output.fd = fd;
    event.output.bytes = (struct bytes){out.data, out.len};
    if (out.len > 0 || call->result == 0)
        run_tell(thread->run, &event);
    asked_output(thread, event.output.bytes);
    if (spent == BUDGET_output)
        thread_limit(thread, budget_word(spent), 0,
                     "%" PRIu64 " bytes of output were recorded; what the "
                     "program prints from here on is not in the trace",
                     thread->run->spent.max.output);
    buf_release(&out);
}

/* A call that did what it was asked to. */
static void apply(struct thread *thread)
{
    const uint64_t *args = thread->call.args;
    pid_t tid = thread->tracee.tid;
    uint8_t byte;
    stack_t stack;

    switch (call_kind(&thread->call)) {
    case CALL_UFFD:
        guard_drop_uffd(thread);
        break;
    case CALL_RING:
        if (thread->space->has_ring)
            break;
        thread->space->has_ring = true;
        guard_drop_all(thread, PROT_WRITE, "io_uring",
                       "the program lets the kernel write to its memory by "
                       "io_uring; from here on stores are not watched, code "
                       "is read when it is executed");
        break;
    case CALL_OUTPUT:
        after_output(thread);
        break;
    case CALL_HIDE:
        /* Without its code nothing can be told, nor a store be stepped. */
        if (!thread->space->frozen && tracee_fetch(&thread->tracee) == 0 &&
            proc_read(tid, tracee_pc(&thread->tracee), &byte, 1) == 0)
            guard_drop_all(thread, GUARDS, "unreadable",
                           "the program forbids others to read its memory "
                           "(PR_SET_DUMPABLE); from here on nothing is watched "
                           "any more. Root may read it all the same");
        break;
    case CALL_STACK:
        if (args[0] &&
            proc_read(tid, args[0], &stack, sizeof stack) == sizeof stack)
            guard_drop_stack(thread, (uintptr_t)stack.ss_sp, stack.ss_size);
        break;
    case CALL_PLACE:
        guard_drop_stack(thread, args[0], 1);
        break;
    default:
        break;
    }
}

enum go calls_stopped(struct thread *thread)
{
    const struct space *space = thread->space;
    enum call_kind kind;
    struct call call;
    bool begins, succeeded;
    int64_t result;

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
    if (begins && alter_before_call(thread)) {
        thread->mode = MODE_CALL;
        return GO_RUN;
    }
    if (call.entering)
        return calls_begin(thread);
    if (thread->mode == MODE_CALL)
        thread->mode = MODE_CODE;
    if (alter_after_call(thread))
        return thread->inside ? stay_stepped(thread) : GO_RUN;
    if (tracee_put_back(&thread->tracee) < 0)
        return GO_NOT;
    thread->call.result = result = call.result;
    kind = call_kind(&thread->call);
    succeeded = result < -4095 || result >= 0; /* as the kernel has it */
    /* It would not have been stopped at if no store were watched. */
    if (!thread->inside && kind == CALL_OTHER &&
        budget_pay_system_call(&thread->run->spent) == BUDGET_system_calls)
        guard_drop_all(thread, PROT_WRITE, budget_word(BUDGET_system_calls),
                       "the program made many system calls while stores "
                       "were watched, and each costs a stop; from here on "
                       "stores are not watched, code is read when it is "
                       "executed");
    maps_after(thread, succeeded);
    if (succeeded)
        apply(thread);
    store_after_call(thread);
    store_release_others(thread->run, thread->space); /* who waited for it */
    if (succeeded)
        stay_look(thread);
    if (!thread->inside)
        return GO_RUN;
    /* What a call returns that a signal has interrupted, before it is decided
     * whether it is made again (include/linux/errno.h of the kernel). */
    if (thread->stay.insn.kind == INSN_SYSCALL && result <= -512 &&
        result >= -516 && result != -515)
        return GO_ON; /* it is not over */
    return stay_stepped(thread);
}
