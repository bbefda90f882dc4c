/* SPDX-License-Identifier: MIT */
/*
 * System calls: which mappings may come to hold code, and what the program
 * writes to its descriptors 1 and 2.
 *
 * A mapping is of interest when it is anonymous and the program may write or
 * execute it. Other memory is looked at when it gains the execute permission:
 * the heap, static data, the stack, and files without a name (memfds), whose
 * bytes may be written through another mapping. Files with a name, mapped for
 * execution, are libraries.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "base/mem.h"
#include "observe/state.h"
#include "target/proc.h"

static uint64_t round_up(uint64_t length)
{
    return (length + PAGES_SIZE - 1) / PAGES_SIZE * PAGES_SIZE;
}

/* The line of the program that made the call. */
static void find_source(struct observer *observer, struct thread *thread,
                        struct srcline *out)
{
    struct regs regs;

    *out = (struct srcline){0};
    if (tracee_fetch(&thread->tracee) < 0)
        return;
    tracee_regs(&thread->tracee, &regs);
    lines_find_caller(observer->lines, &regs, out);
}

static const char *describe_backing(const struct maps_line *line)
{
    if (!strcmp(line->name, "[heap]"))
        return "heap";
    if (!strncmp(line->name, "[stack", 6))
        return "stack";
    return line->name[0] ? line->name : "anonymous";
}

/* What of a region is to be seen: execution, and stores while it is small. */
static unsigned wanted_of(const struct observer *observer,
                          const struct space *space,
                          const struct region *region, bool stores)
{
    unsigned wanted = observer->out_of_steps ? 0 : PROT_EXEC;

    if (space->frozen)
        return 0;
    if (stores && !space->stores_off &&
        region->length <= observer->budget.length)
        wanted |= PROT_WRITE;
    return wanted;
}

/* Tells of a region, while no guard is armed there. */
static void emit_map(struct observer *observer, struct thread *thread,
                     struct region *region, const char *flags, const char *call)
{
    struct event event = {.kind = EVENT_MAP, .tid = thread->tracee.tid};
    struct maps_line line = {0};

    find_source(observer, thread, &event.source);
    proc_maps_find(thread->tracee.tid, region->addr, &line);
    region_set_maps(region, line.text);
    event.map = (struct event_map){
        .addr = region->addr,
        .length = region->length,
        .prot = region->prot,
        .flags = flags,
        .backing = describe_backing(&line),
        .call = call,
        .maps = line.text,
    };
    observer_emit(observer, &event);
}

static void emit_unmap(struct observer *observer, struct thread *thread,
                       uint64_t addr, uint64_t length, const char *call)
{
    struct event event = {.kind = EVENT_UNMAP, .tid = thread->tracee.tid};

    find_source(observer, thread, &event.source);
    event.unmap = (struct event_unmap){addr, length, call};
    observer_emit(observer, &event);
}

/* Forgets what is known of a range, and tells of each region there. */
static void forget(struct observer *observer, struct thread *thread,
                   uint64_t addr, uint64_t length, const char *call)
{
    struct regions *regions = &thread->space->regions;
    size_t i = regions_cut(regions, addr, length);

    for (; i < regions->count && regions->list[i].addr < addr + length; i++)
        emit_unmap(observer, thread, regions->list[i].addr,
                   regions->list[i].length, call);
    regions_unmap(regions, addr, length);
    pages_forget(&thread->space->pages, addr, length);
}

void mappings_forget(struct observer *observer, struct thread *thread)
{
    const struct regions *regions = &thread->space->regions;

    while (regions->count > 0)
        forget(observer, thread, regions->list[0].addr, regions->list[0].length,
               "execve");
}

/* --- mmap ---------------------------------------------------------------- */

/* A library or the program itself: a file that has a name, and not shared. */
static bool is_library(const struct maps_line *line)
{
    return line->name[0] == '/' && !line->shared &&
           strncmp(line->name, "/memfd:", 7) != 0;
}

static bool may_hold_code(const struct call *call, pid_t pid)
{
    uint64_t prot = call->args[2], flags = call->args[3];
    struct maps_line line;

    if ((flags & (MAP_STACK | MAP_GROWSDOWN)) && !(prot & PROT_EXEC))
        return false;
    if (flags & MAP_ANONYMOUS)
        return prot & (PROT_WRITE | PROT_EXEC);
    return (prot & PROT_EXEC) &&
           proc_maps_find(pid, (uint64_t)call->result, &line) &&
           !is_library(&line);
}

static void after_mmap(struct observer *observer, struct thread *thread,
                       const char *text)
{
    const struct call *call = &thread->call;
    uint64_t addr = (uint64_t)call->result;
    uint64_t length = round_up(call->args[1]);
    struct region *region;
    struct buf flags = {0};

    forget(observer, thread, addr, length, text);
    if (!may_hold_code(call, thread->tracee.tid))
        return;
    region = regions_map(&thread->space->regions, addr, length,
                         (unsigned)call->args[2] & 7);
    region->guard.wanted =
        wanted_of(observer, thread->space, region,
                  (call->args[3] & MAP_ANONYMOUS) &&
                      !(call->args[3] & (MAP_STACK | MAP_GROWSDOWN)));
    region->guard.shared = (call->args[3] & MAP_TYPE) != MAP_PRIVATE;
    call_describe_map_flags(call->args[3], &flags);
    emit_map(observer, thread, region, buf_text(&flags), text);
    buf_release(&flags);
    if (length > observer->budget.length)
        observer_limit(observer, thread, "length", addr,
                       "the mapping at 0x%" PRIx64
                       " is large; stores into it are not watched, and of its "
                       "code the pages that are entered are read",
                       addr);
    guard_arm(observer, thread, region);
}

/* --- mprotect ------------------------------------------------------------ */

/* Takes in one mapping that is about to become executable. */
static void discover(struct observer *observer, struct thread *thread,
                     const struct maps_line *line, uint64_t addr, uint64_t end)
{
    struct region *region;

    if (is_library(line))
        return;
    region = regions_map(&thread->space->regions, addr, end - addr, line->prot);
    region->guard.wanted = wanted_of(observer, thread->space, region, false);
    region->guard.shared = line->shared;
    emit_map(observer, thread, region, NULL, NULL);
}

/* Before memory that was of no interest gains the execute permission. */
static void discover_range(struct observer *observer, struct thread *thread,
                           uint64_t addr, uint64_t end)
{
    struct regions *regions = &thread->space->regions;
    struct maps_line line;

    while (addr < end) {
        const struct region *next = regions_from(regions, addr);
        uint64_t stop = end;

        if (next && next->addr <= addr) {
            addr = next->addr + next->length;
            continue;
        }
        if (!proc_maps_find(thread->tracee.tid, addr, &line) ||
            line.start >= end)
            return;
        if (line.start > addr) {
            addr = line.start;
            continue;
        }
        if (next && next->addr < stop)
            stop = next->addr;
        if (line.end < stop)
            stop = line.end;
        discover(observer, thread, &line, addr, stop);
        addr = stop;
    }
}

static void emit_protect(struct observer *observer, struct thread *thread,
                         struct region *region, unsigned old_prot,
                         const char *text)
{
    struct event event = {.kind = EVENT_PROTECT, .tid = thread->tracee.tid};
    struct maps_line line = {0};
    struct buf code = {0};

    find_source(observer, thread, &event.source);
    proc_maps_find(thread->tracee.tid, region->addr, &line);
    region_set_maps(region, line.text);
    event.protect = (struct event_protect){
        .addr = region->addr,
        .length = region->length,
        .old_prot = old_prot,
        .prot = region->prot,
        .call = text,
        .maps = line.text,
    };
    if (code_bytes(observer, thread, region, 0, &code,
                   &event.protect.code_offset))
        event.protect.code = (struct bytes){code.data, code.len};
    observer_emit(observer, &event);
    buf_release(&code);
}

static void after_protect(struct observer *observer, struct thread *thread,
                          const char *text)
{
    const struct call *call = &thread->call;
    struct regions *regions = &thread->space->regions;
    uint64_t addr = call->args[0], end = addr + round_up(call->args[1]);

    if (end == addr)
        return;
    for (size_t i = regions_cut(regions, addr, end - addr);
         i < regions->count && regions->list[i].addr < end; i++) {
        struct region *region = &regions->list[i];
        unsigned old = region->prot;

        region->prot = (unsigned)call->args[2] & 7;
        guard_overruled(region);
        emit_protect(observer, thread, region, old, text);
        guard_arm_behind_calls(observer, thread, region);
    }
}

/* --- mremap -------------------------------------------------------------- */

static void after_mremap(struct observer *observer, struct thread *thread,
                         const char *text)
{
    const struct call *call = &thread->call;
    uint64_t old = call->args[0], addr = (uint64_t)call->result;
    uint64_t length = round_up(call->args[2]);
    struct region *from = regions_at(&thread->space->regions, old);
    struct region_guard guard;
    struct region *region;
    unsigned prot;

    if (!from)
        return;
    guard = (struct region_guard){.taken = from->guard.taken & PROT_EXEC,
                                  .shared = from->guard.shared};
    if (from->guard.writes == WRITE_GUARD_MPROTECT)
        guard.taken = from->guard.taken;
    prot = from->prot;
    if (call->args[3] & MREMAP_DONTUNMAP) /* the old range stays, emptied */
        guard_drop(observer, thread, from, PROT_WRITE | PROT_EXEC);
    forget(observer, thread, old, round_up(call->args[1]), text);
    if (addr != old)
        forget(observer, thread, addr, length, text);
    region = regions_map(&thread->space->regions, addr, length, prot);
    region->guard = guard;
    region->guard.wanted =
        wanted_of(observer, thread->space, region, !guard.shared);
    guard_set(observer, thread, region, 0);
    emit_map(observer, thread, region, NULL, text);
    guard_arm_behind_calls(observer, thread, region);
}

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

static void after_output(struct observer *observer, struct thread *thread)
{
    struct event event = {.kind = EVENT_OUTPUT, .tid = thread->tracee.tid};
    const struct call *call = &thread->call;
    pid_t pid = thread->tracee.tid;
    uint64_t left = (uint64_t)call->result;
    int fd = (int)call->args[0]; /* the kernel takes 32 bits */
    struct buf out = {0};
    struct iovec part;

    if (fd != 1 && fd != 2)
        return;
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
    observer_emit(observer, &event);
    buf_release(&out);
}

/* --- sigaltstack --------------------------------------------------------- */

static void after_sigaltstack(struct observer *observer, struct thread *thread)
{
    stack_t stack;

    if (thread->call.args[0] &&
        proc_read(thread->tracee.tid, thread->call.args[0], &stack,
                  sizeof stack) == sizeof stack)
        guard_drop_stack(observer, thread, (uintptr_t)stack.ss_sp,
                         stack.ss_size);
}

/* --- before and after ---------------------------------------------------- */

void mappings_before(struct observer *observer, struct thread *thread)
{
    const struct call *call = &thread->call;

    if (call_kind(call) == CALL_CPUS) {
        observer_unpin(observer);
        child_spare(observer, thread);
    }
    if (call_kind(call) == CALL_FREEZE && !thread->space->frozen &&
        tracee_rewind(&thread->tracee) == 0) {
        thread->in_call = false; /* it has not begun and will begin again */
        guard_drop_all(observer, thread);
    }
    if (call_kind(call) == CALL_PROTECT && (call->args[2] & PROT_EXEC))
        discover_range(observer, thread, call->args[0],
                       call->args[0] + round_up(call->args[1]));
    if (!thread->lifted)
        stores_lift_for_call(observer, thread);
    observer_run(observer, thread);
}

static void apply(struct observer *observer, struct thread *thread)
{
    const struct call *call = &thread->call;
    struct buf text = {0};

    call_describe(call, &text);
    thread->space->changes++;
    thread->space->calls++;
    thread->space->counted = false;
    switch (call_kind(call)) {
    case CALL_MMAP:
        after_mmap(observer, thread, buf_text(&text));
        break;
    case CALL_PROTECT:
        after_protect(observer, thread, buf_text(&text));
        break;
    case CALL_MUNMAP:
        forget(observer, thread, call->args[0], round_up(call->args[1]),
               buf_text(&text));
        break;
    case CALL_MREMAP:
        after_mremap(observer, thread, buf_text(&text));
        break;
    case CALL_OUTPUT:
        after_output(observer, thread);
        break;
    case CALL_STACK:
        after_sigaltstack(observer, thread);
        break;
    case CALL_PLACE:
        guard_drop_stack(observer, thread, call->args[0], 1);
        break;
    default:
        break;
    }
    buf_release(&text);
}

/* The kernel reports errors as -4095 .. -1. */
static bool succeeded(int64_t result)
{
    return result < -4095 || result >= 0;
}

void mappings_after(struct observer *observer, struct thread *thread)
{
    if (succeeded(thread->call.result))
        apply(observer, thread);
    stores_after_call(observer, thread);
    if (thread->inside)
        code_stepped(observer, thread);
    else
        observer_run(observer, thread);
}
