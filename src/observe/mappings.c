/* SPDX-License-Identifier: MIT */
/*
 * Which mappings may come to hold code, and what system calls do to them.
 *
 * A mapping is of interest when it is anonymous and the program may write or
 * execute it, or is of shared memory that it may write. Other memory is looked
 * at when it gains the execute permission: the heap, static data, the stack,
 * files that are no libraries. When an object is mapped for execution, its
 * other mappings become of interest, too (objects.c).
 *
 * The protection of a mapping is what the kernel says, not what the program
 * has asked for: the two differ with READ_IMPLIES_EXEC (personality(2)).
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/syscall.h>

#include "base/mem.h"
#include "observe/state.h"
#include "target/proc.h"

static uint64_t round_up(uint64_t length)
{
    return (length + PAGES_SIZE - 1) / PAGES_SIZE * PAGES_SIZE;
}

/* The line of the program that made the call. */
static void find_source(struct thread *thread, struct srcline *out)
{
    struct regs regs;

    *out = (struct srcline){0};
    if (tracee_fetch(&thread->tracee) < 0)
        return;
    tracee_regs(&thread->tracee, &regs);
    lines_find_caller(thread->run->lines, &regs, out);
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
static unsigned wanted_of(const struct run *run, const struct space *space,
                          const struct region *region, bool stores)
{
    unsigned wanted = 0;

    if (space->frozen)
        return 0;
    if (budget_has_calls(&run->budget, &run->spent))
        wanted |= PROT_EXEC;
    if (stores && !space->stores_off &&
        budget_has_stores(&run->budget, &run->spent) &&
        region->length <= run->budget.length &&
        (region->guard.code || run->budget.data_stores > 0))
        wanted |= PROT_WRITE;
    return wanted;
}

/* The region can be executed: what was stored there was code. */
static void is_code(struct run *run, const struct space *space,
                    struct region *region)
{
    struct region_guard *guard = &region->guard;

    if (guard->code)
        return;
    guard->code = true;
    budget_return_stores(&run->spent, guard->stores);
    if (guard->as_data)
        guard->wanted |= wanted_of(run, space, region, true);
}

/* Tells of a region, while no guard is armed there. */
static void emit_map(struct thread *thread, struct region *region,
                     const struct maps_line *line, const char *flags,
                     const char *call)
{
    struct event event = {.kind = EVENT_MAP, .tid = thread->tracee.tid};

    if (call)
        find_source(thread, &event.source);
    event.map = (struct event_map){
        .addr = region->addr,
        .length = region->length,
        .prot = region->prot,
        .flags = flags,
        .backing = describe_backing(line),
        .call = call,
        .maps = line->text,
    };
    report_event(thread->run, &event);
    if (region->length > thread->run->budget.length)
        report_limit(thread, "length", region->addr,
                     "the mapping at 0x%" PRIx64
                     " is large; stores into it are not watched, and of its "
                     "code the pages that are entered are read",
                     region->addr);
}

static void emit_unmap(struct thread *thread, uint64_t addr, uint64_t length,
                       const char *call)
{
    struct event event = {.kind = EVENT_UNMAP, .tid = thread->tracee.tid};

    names_forget(thread, addr, length);
    find_source(thread, &event.source);
    event.unmap = (struct event_unmap){addr, length, call};
    report_event(thread->run, &event);
}

/* Forgets what is known of a range, and tells of each region there. */
static void forget(struct thread *thread, uint64_t addr, uint64_t length,
                   const char *call)
{
    struct regions *regions = &thread->space->regions;
    size_t i = regions_cut(regions, addr, length);

    for (; i < regions->count && regions->list[i].addr < addr + length; i++)
        emit_unmap(thread, regions->list[i].addr, regions->list[i].length,
                   call);
    regions_unmap(regions, addr, length);
    pages_forget(&thread->space->pages, addr, length);
}

void maps_forget(struct thread *thread)
{
    const struct regions *regions = &thread->space->regions;

    while (regions->count > 0)
        forget(thread, regions->list[0].addr, regions->list[0].length,
               "execve");
}

/* --- what appears --------------------------------------------------------- */

/* How a region comes to be known. */
enum origin {
    ORIGIN_NEW,   /* made just now; if it has no object it is all zero */
    ORIGIN_FOUND, /* there before; what it holds is not known */
};

static const char *next_line(const char *line)
{
    line += strcspn(line, "\n");
    return line + (*line == '\n');
}

/* From now on what the heap loses and gains is of interest. */
static void follow_brk(struct thread *thread)
{
    struct space *space = thread->space;
    struct buf text = {0};
    struct maps_line line;

    if (space->follows_brk)
        return;
    space->follows_brk = true;
    proc_maps_text(thread->tracee.tid, &text);
    for (const char *at = buf_text(&text); *at; at = next_line(at))
        if (maps_parse(at, &line) == 0 && !strcmp(line.name, "[heap]"))
            space->brk = line.end;
    buf_release(&text);
}

/* Takes in [addr, end) of a line as a region and tells of it. */
static void take_in(struct thread *thread, const struct maps_line *line,
                    uint64_t addr, uint64_t end, bool stores,
                    enum origin origin, const char *call)
{
    struct region *region;
    struct buf flags = {0};

    region = regions_map(&thread->space->regions, addr, end - addr, line->prot);
    region->guard.code = (line->prot & PROT_EXEC) || line->inode != 0;
    region->guard.wanted =
        wanted_of(thread->run, thread->space, region, stores);
    region->guard.as_data =
        stores && !region->guard.code && thread->run->budget.data_stores == 0;
    region->guard.blind = origin == ORIGIN_FOUND || line->inode != 0 ||
                          region->length > thread->run->budget.length;
    object_set(region, line);
    if (call_kind(&thread->call) == CALL_MMAP && origin == ORIGIN_NEW)
        call_describe_map_flags(thread->call.args[3], &flags);
    emit_map(thread, region, line, flags.len ? buf_text(&flags) : NULL, call);
    buf_release(&flags);
    if (!strcmp(line->name, "[heap]"))
        follow_brk(thread);
}

/* Whether a stack of the thread, or what it has its own of, is in the range. */
static bool is_private_to(struct thread *thread, uint64_t addr, uint64_t end)
{
    struct regs regs;

    if (thread->space->users > 1 || tracee_fetch(&thread->tracee) < 0)
        return true;
    tracee_regs(&thread->tracee, &regs);
    return regs.value[REG_STACK] - addr < end - addr ||
           regs.value[REG_THREAD] - addr < end - addr;
}

/*
 * An object is executed from now on. What of it is mapped for writing already
 * becomes a region.
 */
static void find_writable(struct thread *thread, const struct maps_line *object)
{
    struct regions *regions = &thread->space->regions;
    struct buf text = {0};
    struct maps_line line;

    if (!object_set_executed(thread->space, object))
        return;
    proc_maps_text(thread->tracee.tid, &text);
    for (const char *at = buf_text(&text); *at; at = next_line(at)) {
        if (maps_parse(at, &line) < 0 || line.inode != object->inode ||
            line.device != object->device || !line.shared ||
            !(line.prot & PROT_WRITE) || regions_at(regions, line.start))
            continue;
        take_in(thread, &line, line.start, line.end, true, ORIGIN_FOUND, NULL);
        guard_arm(thread, regions_at(regions, line.start));
    }
    buf_release(&text);
}

/* Memory that the program has just got, if it may come to hold code. */
static void appeared(struct thread *thread, uint64_t addr, uint64_t end, int fd,
                     unsigned flags, const char *call)
{
    bool is_stack = flags & (MAP_STACK | MAP_GROWSDOWN), stores = !is_stack;
    struct region *region;
    struct maps_line line;

    if (!proc_maps_find(thread->tracee.tid, addr, &line) || line.start > addr)
        return;
    if (!(line.prot & PROT_EXEC) &&
        (is_stack || (!line.inode && place_is_c_library(thread)) ||
         !(line.prot & PROT_WRITE) ||
         (line.inode && !object_may_hold_code(thread->space, &line))))
        return;
    if (object_is_library(thread, fd, &line)) {
        if (line.prot & PROT_EXEC)
            object_tell_library(thread, &line,
                                "is a library that was loaded after the start");
        return;
    }
    take_in(thread, &line, addr, end, stores, ORIGIN_NEW, call);
    if (line.prot & PROT_EXEC)
        find_writable(thread, &line);
    region = regions_at(&thread->space->regions, addr);
    guard_arm_behind_calls(thread, region);
}

static void after_mmap(struct thread *thread, const char *text)
{
    const struct call *call = &thread->call;
    uint64_t addr = (uint64_t)call->result;
    uint64_t length = round_up(call->args[1]);
    bool anonymous = call->args[3] & MAP_ANONYMOUS;

    forget(thread, addr, length, text);
    appeared(thread, addr, addr + length, anonymous ? -1 : (int)call->args[4],
             (unsigned)call->args[3], text);
}

/* --- shared memory of System V -------------------------------------------- */

static void after_attach(struct thread *thread, const char *text)
{
    uint64_t addr = (uint64_t)thread->call.result;
    struct maps_line line;

    if (!proc_maps_find(thread->tracee.tid, addr, &line))
        return;
    forget(thread, addr, line.end - addr, text);
    appeared(thread, addr, line.end, -1, 0, text);
}

static void after_detach(struct thread *thread, const char *text)
{
    struct regions *regions = &thread->space->regions;
    uint64_t addr = thread->call.args[0];
    const struct region *region;

    /* It is attached as one mapping, which may have been cut since. */
    while ((region = regions_from(regions, addr)) &&
           region->start == thread->call.args[0]) {
        addr = region->addr + region->length;
        forget(thread, region->addr, region->length, text);
    }
}

/* --- the heap ------------------------------------------------------------- */

static void after_brk(struct thread *thread, const char *text)
{
    struct space *space = thread->space;
    uint64_t old = space->brk, now = round_up((uint64_t)thread->call.result);

    if (!space->follows_brk)
        return;
    space->brk = now;
    if (now < old)
        forget(thread, now, old - now, text);
    else if (old && now > old && space->implies_exec)
        appeared(thread, old, now, -1, MAP_STACK, text);
}

/* --- mprotect ------------------------------------------------------------ */

/* Whether the call that is about to begin makes readable memory executable. */
static bool gives_exec(const struct thread *thread)
{
    uint64_t prot = thread->call.args[2];

    return (prot & PROT_EXEC) ||
           ((prot & PROT_READ) && thread->space->implies_exec);
}

/* A mapping of a library: returns whether it is to be left alone. */
static bool leave_library(struct thread *thread, const struct maps_line *line)
{
    bool writable = thread->call.args[2] & PROT_WRITE;

    if (!(line->prot & PROT_EXEC) && !gives_exec(thread))
        return true;
    if (!object_is_library(thread, -1, line))
        return false;
    if ((line->prot & PROT_EXEC) && writable)
        object_tell_library(thread, line,
                            "is a program or library; its own code is made "
                            "writable");
    /* Its static data may become code. */
    return line->prot & PROT_EXEC || object_is_told(thread->space, line);
}

/* Code that is made by nobody: the kernel's. */
static bool is_kernels(const struct maps_line *line)
{
    return strcmp(line->name, "[vdso]") == 0 ||
           strcmp(line->name, "[vsyscall]") == 0;
}

/* Looks at memory of no interest so far that is about to be protected. */
static void discover(struct thread *thread, const struct maps_line *line,
                     uint64_t addr, uint64_t end)
{
    bool writable = thread->call.args[2] & PROT_WRITE, stores;

    if (is_kernels(line))
        return;
    if (line->shared) {
        if (!gives_exec(thread) &&
            !(writable && object_may_hold_code(thread->space, line)))
            return;
        stores = true;
    } else {
        if (leave_library(thread, line))
            return;
        stores = !line->name[0] && !is_private_to(thread, addr, end);
    }
    take_in(thread, line, addr, end, stores, ORIGIN_FOUND, NULL);
}

/* Before the protection of memory changes that was of no interest. */
static void discover_range(struct thread *thread, uint64_t addr, uint64_t end)
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
            line.start > addr)
            return; /* as the call will: at a hole */
        if (next && next->addr < stop)
            stop = next->addr;
        if (line.end < stop)
            stop = line.end;
        discover(thread, &line, addr, stop);
        addr = stop;
    }
}

/* The range that a mprotect is about: a stack is meant down to its end. */
static bool protected_range(const struct thread *thread, uint64_t *addr,
                            uint64_t *end)
{
    const struct call *call = &thread->call;
    struct maps_line line;
    uint64_t length;

    if (!call_range(call, addr, &length))
        return false;
    *end = *addr + length;
    if ((call->args[2] & PROT_GROWSDOWN) &&
        proc_maps_find(thread->tracee.tid, *addr, &line) && line.start < *addr)
        *addr = line.start;
    return true;
}

static void before_protect(struct thread *thread)
{
    uint64_t addr, end;

    if (protected_range(thread, &addr, &end))
        discover_range(thread, addr, end);
}

static void emit_protect(struct thread *thread, struct region *region,
                         unsigned old_prot, const struct maps_line *line,
                         const char *text)
{
    struct event event = {.kind = EVENT_PROTECT, .tid = thread->tracee.tid};
    struct buf code = {0};

    find_source(thread, &event.source);
    event.protect = (struct event_protect){
        .addr = region->addr,
        .length = region->length,
        .old_prot = old_prot,
        .prot = region->prot,
        .call = text,
        .maps = line->text,
    };
    /* What is no code is not read: that would bring pages into being. */
    if (((old_prot | region->prot) & PROT_EXEC) &&
        bytes_of_code(thread, region, 0, &code, &event.protect.code_offset))
        event.protect.code = (struct bytes){code.data, code.len};
    report_event(thread->run, &event);
    buf_release(&code);
}

/*
 * A call that failed may have changed the first of its pages nevertheless:
 * their protection is not the one that we have left there.
 */
static void after_protect(struct thread *thread, const char *text, bool failed)
{
    struct regions *regions = &thread->space->regions;
    struct maps_line line, executed = {0};
    uint64_t addr, end;
    struct buf maps = {0};
    size_t i;

    if (!protected_range(thread, &addr, &end))
        return;
    i = regions_cut(regions, addr, end - addr);
    if (i + 1 < regions->count && regions->list[i + 1].addr < end)
        proc_maps_text(thread->tracee.tid, &maps); /* once for all */
    for (; i < regions->count && regions->list[i].addr < end; i++) {
        struct region *region = &regions->list[i];
        unsigned old = region->prot;
        bool found =
            maps.len ? maps_find(buf_text(&maps), region->addr, &line)
                     : proc_maps_find(thread->tracee.tid, region->addr, &line);

        if (!found || (failed && line.prot == guard_shown(region)))
            continue;
        if (object_is_open(thread->space, region) ||
            (region->prot & ~region->guard.wanted & PROT_WRITE))
            region->guard.blind = true;
        if (line.prot & ~old & PROT_EXEC) {
            executed = line;
            /* What the program could do, a guard can undo. */
            thread->space->execute = EXECUTE_RETURNS;
        }
        region->prot = line.prot;
        guard_overruled(region);
        if (region->prot & PROT_EXEC)
            is_code(thread->run, thread->space, region);
        if (region->prot != old || region->length == end - addr)
            emit_protect(thread, region, old, &line, text);
    }
    buf_release(&maps);
    guard_arm_range(thread, addr, end);
    find_writable(thread, &executed);
}

/*
 * Guards what is still there of the range that a call was about: meanwhile
 * nobody else could.
 */
static void arm_range(struct thread *thread)
{
    uint64_t addr = thread->call.args[0];

    guard_arm_range(thread, addr, addr + round_up(thread->call.args[1]));
}

/* --- madvise -------------------------------------------------------------- */

/* Pages have lost what they held, and with it what guarded them. */
static void after_empty(struct thread *thread)
{
    struct regions *regions = &thread->space->regions;
    uint64_t addr, length, end, first, last;

    if (!call_range(&thread->call, &addr, &length) ||
        tracee_fetch(&thread->tracee) < 0)
        return;
    end = addr + length;
    for (struct region *region = regions_from(regions, addr);
         region && region->addr < end;
         region = regions_from(regions, region->addr + region->length)) {
        uint64_t at = region->addr > addr ? region->addr : addr;
        uint64_t stop = region->addr + region->length;

        /* They may be lost later, when the kernel needs them. */
        if (thread->call.args[2] == MADV_FREE)
            region->guard.shared = true;
        for (; at < stop && at < end; at += PAGES_SIZE)
            if (pages_extent(&thread->space->pages, at, PAGES_SIZE, &first,
                             &last))
                bytes_refresh(thread, region, at, "madvise");
        guard_renew(thread, region);
    }
    arm_range(thread);
}

/* --- mremap -------------------------------------------------------------- */

/* The regions of a range as they were before a call has moved them. */
struct moved {
    struct region *list;
    size_t count;
    struct pages pages;
};

static void note_moved(const struct thread *thread, uint64_t addr,
                       uint64_t length, struct moved *out)
{
    struct regions *regions = &thread->space->regions;
    size_t first = regions_cut(regions, addr, length), end = first;

    while (end < regions->count && regions->list[end].addr < addr + length)
        end++;
    out->count = end - first;
    out->list =
        mem_copy(regions->list + first, out->count * sizeof *regions->list);
    pages_copy(&out->pages, &thread->space->pages);
}

/* What was known of a region's pages is told of those that hold it now. */
static void tell_moved(struct thread *thread, struct region *region,
                       uint64_t from, const struct pages *known)
{
    uint64_t first, last;

    if (tracee_fetch(&thread->tracee) < 0)
        return;
    for (uint64_t at = 0; at < region->length; at += PAGES_SIZE)
        if (pages_extent(known, from + at, PAGES_SIZE, &first, &last))
            bytes_refresh(thread, region, region->addr + at, "mremap");
}

/* The old place is still there, but all zero. */
static void tell_left_behind(struct thread *thread, const struct moved *moved)
{
    for (size_t i = 0; i < moved->count; i++) {
        struct region *region =
            regions_at(&thread->space->regions, moved->list[i].addr);

        tell_moved(thread, region, region->addr, &moved->pages);
        guard_renew(thread, region);
    }
}

/* A region has come to addr, and may have grown on the way. */
static void arrive(struct thread *thread, const struct region *from,
                   const struct pages *known, uint64_t addr, uint64_t length,
                   const char *text)
{
    struct region *region =
        regions_map(&thread->space->regions, addr, length, from->prot);
    struct maps_line line = {0};

    region->guard = from->guard;
    region->guard.offset += from->addr - from->start;
    region->guard.writes = WRITE_GUARD_UNTRIED;
    if (from->guard.writes == WRITE_GUARD_UFFD)
        region->guard.taken &= PROT_EXEC;
    region->guard.wanted =
        wanted_of(thread->run, thread->space, region,
                  (from->guard.wanted & PROT_WRITE) ||
                      from->length > thread->run->budget.length);
    guard_set(thread, region, 0);
    proc_maps_find(thread->tracee.tid, addr, &line);
    emit_map(thread, region, &line, NULL, text);
    tell_moved(thread, region, from->addr, known);
    guard_arm_behind_calls(thread, region);
}

/* Shared memory is there twice now, with guards if it had any. */
static void doubled(struct thread *thread, const char *text)
{
    const struct call *call = &thread->call;
    uint64_t addr = (uint64_t)call->result, length = round_up(call->args[2]);
    const struct pages nothing = {0};
    const struct region *found;
    struct region from;

    forget(thread, addr, length, text);
    found = regions_at(&thread->space->regions, call->args[0]);
    if (!found)
        return;
    from = *found;
    from.addr = call->args[0];
    from.guard.blind = true;
    arrive(thread, &from, &nothing, addr, length, text);
}

static void after_mremap(struct thread *thread, const char *text)
{
    const struct call *call = &thread->call;
    uint64_t old = call->args[0], addr = (uint64_t)call->result;
    uint64_t old_length = round_up(call->args[1]);
    uint64_t length = round_up(call->args[2]);
    struct moved moved = {0};

    if (old_length == 0) {
        doubled(thread, text);
        return;
    }
    note_moved(thread, old, old_length, &moved);
    if (length < old_length)
        forget(thread, old + length, old_length - length, text);
    if (call->args[3] & MREMAP_DONTUNMAP)
        tell_left_behind(thread, &moved);
    else if (addr != old || length > old_length)
        forget(thread, old, old_length, text);
    if (addr != old)
        forget(thread, addr, length, text);
    for (size_t i = 0; i < moved.count && (addr != old || length > old_length);
         i++) {
        const struct region *from = &moved.list[i];
        uint64_t at = addr + (from->addr - old), stop = at + from->length;

        if (i + 1 == moved.count && stop == addr + old_length)
            stop = addr + length;
        if (stop > addr + length)
            stop = addr + length;
        if (at < stop)
            arrive(thread, from, &moved.pages, at, stop - at, text);
    }
    free(moved.list);
    pages_release(&moved.pages);
    arm_range(thread);
}

/*
 * The kernel may refuse to move what lies in mappings of several protections,
 * and it is our guards that make them several.
 */
static void before_mremap(struct thread *thread)
{
    struct regions *regions = &thread->space->regions;
    uint64_t addr = thread->call.args[0];
    uint64_t end = addr + round_up(thread->call.args[1]);
    struct region *region = regions_at(regions, addr);
    bool rewound = false;

    if (!region || region->addr + region->length >= end)
        return;
    for (; region && region->addr < end;
         region = regions_from(regions, region->addr + region->length)) {
        if (!region->guard.taken)
            continue;
        if (!rewound && tracee_rewind(&thread->tracee) < 0)
            return;
        rewound = true;
        thread->in_call = false; /* it will begin again */
        guard_set(thread, region, 0);
    }
}

/* --- at the start, and stacks --------------------------------------------- */

/*
 * What is executable at the start and no library, such as a stack. The files
 * that are mapped by then are the program and its libraries.
 */
static void look_at(struct thread *thread, const struct maps_line *line)
{
    bool is_library = line->inode && !line->shared;

    if (is_library)
        object_set_library(thread->space, line);
    if (!(line->prot & PROT_EXEC) || is_kernels(line))
        return;
    if (is_library) {
        if ((line->prot & PROT_WRITE) && !thread->space->implies_exec)
            object_tell_library(thread, line,
                                "can be written and executed from the start");
        return;
    }
    take_in(thread, line, line->start, line->end, false, ORIGIN_FOUND, NULL);
    guard_arm(thread, regions_at(&thread->space->regions, line->start));
}

/* Tells that protections are not all that counts. */
static void check_domain(struct thread *thread)
{
    bool had = thread->space->implies_exec;

    thread->space->implies_exec =
        proc_personality(thread->tracee.pid) & READ_IMPLIES_EXEC;
    if (!thread->space->implies_exec || had)
        return;
    follow_brk(thread);
    report_limit(thread, "personality", 0,
                 "what the program maps readable can be executed, too "
                 "(READ_IMPLIES_EXEC); of that only memory that it may "
                 "write is watched");
}

void maps_begin(struct thread *thread)
{
    struct buf text = {0};
    struct maps_line line;

    check_domain(thread);
    proc_maps_text(thread->tracee.tid, &text);
    for (const char *at = buf_text(&text); *at; at = next_line(at))
        if (maps_parse(at, &line) == 0)
            look_at(thread, &line);
    buf_release(&text);
}

bool maps_grown(struct thread *thread, uint64_t addr)
{
    struct regions *regions = &thread->space->regions;
    struct region *above = regions_from(regions, addr), *region;
    struct maps_line line;

    if (!above || above->addr <= addr || !(above->guard.taken & PROT_EXEC) ||
        !proc_maps_find(thread->tracee.tid, addr, &line) || line.start > addr ||
        line.end <= above->addr || strcmp(describe_backing(&line), "stack"))
        return false;
    /* All of it lacks what we hold back from the part that was known; once
     * that is given back, the kernel shows it as one again. */
    guard_set(thread, above, 0);
    region =
        regions_map(regions, line.start, above->addr - line.start, above->prot);
    region->guard.taken = region->guard.wanted = PROT_EXEC;
    region->guard.blind = true;
    guard_set(thread, region, 0);
    proc_maps_find(thread->tracee.tid, addr, &line);
    emit_map(thread, region, &line, NULL, NULL);
    guard_arm(thread, region);
    guard_arm(thread, regions_from(regions, region->addr + region->length));
    return true;
}

/* While a call was under way other threads could set no guard in its range, nor
 * in what is left of a region that it has cut. */
static void arm_around(struct thread *thread)
{
    uint64_t addr, length;

    if (thread->space->users > 1 && call_range(&thread->call, &addr, &length))
        guard_arm_range(thread, addr - 1, addr + length + 1);
}

/* --- before and after ---------------------------------------------------- */

void maps_before(struct thread *thread)
{
    switch (call_kind(&thread->call)) {
    case CALL_PROTECT:
        before_protect(thread);
        break;
    case CALL_MREMAP:
        before_mremap(thread);
        break;
    default:
        break;
    }
}

void maps_after(struct thread *thread)
{
    const struct call *call = &thread->call;
    struct buf text = {0};

    call_describe(call, &text);
    thread->space->changes++;
    thread->space->calls++;
    thread->space->turns++;
    thread->space->counted = false;
    switch (call_kind(call)) {
    case CALL_MMAP:
        after_mmap(thread, buf_text(&text));
        break;
    case CALL_PROTECT:
        after_protect(thread, buf_text(&text), false);
        break;
    case CALL_MUNMAP:
        forget(thread, call->args[0], round_up(call->args[1]), buf_text(&text));
        break;
    case CALL_MREMAP:
        after_mremap(thread, buf_text(&text));
        break;
    case CALL_BRK:
        after_brk(thread, buf_text(&text));
        break;
    case CALL_ATTACH:
        after_attach(thread, buf_text(&text));
        break;
    case CALL_DETACH:
        after_detach(thread, buf_text(&text));
        break;
    case CALL_EMPTY:
        after_empty(thread);
        break;
    case CALL_DOMAIN:
        check_domain(thread);
        break;
    default:
        break;
    }
    if (call_kind(call) == CALL_MUNMAP || call_kind(call) == CALL_MMAP)
        arm_around(thread);
    buf_release(&text);
}

/* What the kernel has taken away of a range before it refused the rest. */
static void forget_missing(struct thread *thread, uint64_t addr,
                           uint64_t length, const char *text)
{
    struct regions *regions = &thread->space->regions;
    uint64_t end = addr + length;

    for (struct region *region = regions_from(regions, addr);
         region && region->addr < end; region = regions_from(regions, addr)) {
        uint64_t stop = region->addr + region->length;
        struct maps_line line = {0};

        if (addr < region->addr)
            addr = region->addr;
        if (proc_maps_find(thread->tracee.tid, addr, &line) &&
            line.start <= addr) {
            addr = line.end < stop ? line.end : stop;
            continue;
        }
        if (line.start > addr && line.start < stop)
            stop = line.start;
        if (stop > end)
            stop = end;
        forget(thread, addr, stop - addr, text);
        addr = stop;
    }
}

static void refused_mremap(struct thread *thread, const char *text)
{
    const uint64_t *args = thread->call.args;

    arm_range(thread);
    forget_missing(thread, args[0], round_up(args[1]), text);
    if (args[3] & MREMAP_FIXED)
        forget_missing(thread, args[4], round_up(args[2]), text);
}

void maps_refused(struct thread *thread)
{
    enum call_kind kind = call_kind(&thread->call);
    struct buf text = {0};
    uint64_t addr, length;

    if (kind != CALL_PROTECT && kind != CALL_EMPTY && kind != CALL_MREMAP &&
        kind != CALL_MMAP)
        return;
    call_describe(&thread->call, &text);
    thread->space->changes++;
    thread->space->calls++;
    thread->space->turns++;
    switch (kind) {
    case CALL_PROTECT:
        after_protect(thread, buf_text(&text), true);
        arm_range(thread);
        break;
    case CALL_EMPTY: /* what lies in front of a hole is emptied */
        after_empty(thread);
        break;
    case CALL_MREMAP:
        refused_mremap(thread, buf_text(&text));
        break;
    case CALL_MMAP:
        if ((thread->call.args[3] & MAP_FIXED) &&
            call_range(&thread->call, &addr, &length))
            forget_missing(thread, addr, length, buf_text(&text));
        break;
    default:
        break;
    }
    buf_release(&text);
}
