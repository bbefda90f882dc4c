/* SPDX-License-Identifier: MIT */
#include "observe/candidates.h"

#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#include "observe/arrive.h"
#include "observe/guard.h"
#include "observe/names.h"
#include "observe/objects.h"
#include "target/calls.h"
#include "target/registers.h"

const char *candidate_backing(const struct maps_line *line)
{
    if (!strcmp(line->name, "[heap]"))
        return "heap";
    if (!strncmp(line->name, "[stack", 6))
        return "stack";
    return line->name[0] ? line->name : "anonymous";
}

/* Code that is made by nobody: the kernel's. */
static bool is_kernels(const struct maps_line *line)
{
    return strcmp(line->name, "[vdso]") == 0 ||
           strcmp(line->name, "[vsyscall]") == 0;
}

unsigned candidate_wanted(const struct thread *thread,
                          const struct region *region, bool stores)
{
    const struct report *report = thread->report;
    const struct space *space = thread->space;
    unsigned wanted = 0;

    if (space->frozen)
        return 0;
    if (budget_has_calls(&report->spent))
        wanted |= PROT_EXEC;
    if (stores && !space->stores_off && budget_has_stores(&report->spent) &&
        region->length <= report->spent.max.length &&
        (region->guard.code || report->spent.max.data_stores > 0))
        wanted |= PROT_WRITE;
    return wanted;
}

void candidate_tell(struct thread *thread, struct region *region,
                    const struct maps_line *line, const char *flags,
                    const char *call)
{
    struct event event = {.kind = EVENT_MAP, .tid = thread->tracee.tid};

    if (call)
        report_source(thread->report, &thread->tracee, &event.source);
    event.map = (struct event_map){
        .addr = region->addr,
        .length = region->length,
        .prot = region->prot,
        .flags = flags,
        .backing = candidate_backing(line),
        .call = call,
        .maps = line->text,
    };
    report_event(thread->report, &event);
    if (region->length > thread->report->spent.max.length)
        thread_limit(thread, "length", region->addr,
                     "the mapping at 0x%" PRIx64
                     " is large; stores into it are not watched, and of its "
                     "code the pages that are entered are read",
                     region->addr);
}

/* --- what appears --------------------------------------------------------- */

/* How a region comes to be known. */
enum origin {
    ORIGIN_NEW,   /* made just now; if it has no object it is all zero */
    ORIGIN_FOUND, /* there before; what it holds is not known */
};

/* The next line of maps, and moves behind it. False at the end. */
static bool next_line(const char **at, struct maps_line *line)
{
    int result = -1;

    while (**at && result < 0) {
        result = maps_parse(*at, line);
        *at += strcspn(*at, "\n");
        *at += **at == '\n';
    }
    return result == 0;
}

void candidate_follow_brk(struct thread *thread)
{
    struct space *space = thread->space;
    struct buf text = {0};
    struct maps_line line;
    const char *at;

    if (space->follows_brk)
        return;
    space->follows_brk = true;
    proc_maps_text(thread->tracee.tid, &text);
    for (at = buf_text(&text); next_line(&at, &line);)
        if (!strcmp(line.name, "[heap]"))
            space->brk = line.end;
    buf_release(&text);
}

/* Takes in [addr, end) of a line as a region and tells of it. */
static struct region *add(struct thread *thread, const struct maps_line *line,
                          uint64_t addr, uint64_t end, bool stores,
                          enum origin origin, const char *call)
{
    const struct observe_budget *budget = &thread->report->spent.max;
    struct region *region =
        regions_map(&thread->space->regions, addr, end - addr, line->prot);
    struct region_guard *guard = &region->guard;
    struct buf flags = {0};

    guard->code = (line->prot & PROT_EXEC) || line->inode != 0;
    guard->wanted = candidate_wanted(thread, region, stores);
    guard->as_data = stores && !guard->code && budget->data_stores == 0;
    guard->blind = origin == ORIGIN_FOUND || line->inode != 0 ||
                   region->length > budget->length;
    object_set(region, line);
    if (call_kind(&thread->call) == CALL_MMAP && origin == ORIGIN_NEW)
        call_describe_map_flags(thread->call.args[3], &flags);
    candidate_tell(thread, region, line, flags.len ? buf_text(&flags) : NULL,
                   call);
    buf_release(&flags);
    if (!strcmp(line->name, "[heap]"))
        candidate_follow_brk(thread);
    return region;
}

void candidate_find_writable(struct thread *thread,
                             const struct maps_line *object)
{
    struct buf text = {0};
    struct maps_line line;
    const char *at;

    if (!object_set_executed(thread->space, object))
        return;
    proc_maps_text(thread->tracee.tid, &text);
    for (at = buf_text(&text); next_line(&at, &line);)
        if (line.inode == object->inode && line.device == object->device &&
            line.shared && (line.prot & PROT_WRITE) &&
            !regions_at(&thread->space->regions, line.start))
            guard_arm(thread, add(thread, &line, line.start, line.end, true,
                                  ORIGIN_FOUND, NULL));
    buf_release(&text);
}

void candidate_appeared(struct thread *thread, uint64_t addr, uint64_t end,
                        int fd, unsigned flags, const char *call)
{
    bool is_stack = flags & (MAP_STACK | MAP_GROWSDOWN);
    struct maps_line line;

    if (!proc_maps_find(thread->tracee.tid, addr, &line) || line.start > addr)
        return;
    if (!(line.prot & PROT_EXEC) &&
        (is_stack || (!line.inode && arrive_is_c_library(thread)) ||
         !(line.prot & PROT_WRITE) ||
         (line.inode && !object_may_hold_code(thread->space, &line))))
        return;
    if (object_is_library(thread, fd, &line)) {
        if (line.prot & PROT_EXEC)
            object_tell_library(thread, &line,
                                "is a library that was loaded after the start");
        return;
    }
    add(thread, &line, addr, end, !is_stack, ORIGIN_NEW, call);
    if (line.prot & PROT_EXEC)
        candidate_find_writable(thread, &line);
    guard_arm_behind_calls(thread, regions_at(&thread->space->regions, addr),
                           PROT_WRITE | PROT_EXEC);
}

/* The files that are mapped by then are the program and its libraries. */
void candidate_find_executable(struct thread *thread)
{
    struct buf text = {0};
    struct maps_line line;
    const char *at;

    proc_maps_text(thread->tracee.tid, &text);
    for (at = buf_text(&text); next_line(&at, &line);) {
        bool is_library = line.inode && !line.shared;

        if (is_library)
            object_set_library(thread->space, &line);
        if (!(line.prot & PROT_EXEC) || is_kernels(&line))
            continue;
        if (!is_library)
            guard_arm(thread, add(thread, &line, line.start, line.end, false,
                                  ORIGIN_FOUND, NULL));
        else if ((line.prot & PROT_WRITE) && !thread->space->implies_exec)
            object_tell_library(thread, &line,
                                "can be written and executed from the start");
    }
    buf_release(&text);
}

/* --- what is about to be protected ---------------------------------------- */

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

/* Whether [addr, end) of a line may come to hold code. */
static bool may_hold_code(const struct thread *thread,
                          const struct maps_line *line)
{
    struct space *space = thread->space;
    uint64_t prot = thread->call.args[2];
    bool gives_exec =
        (prot & PROT_EXEC) || ((prot & PROT_READ) && space->implies_exec);

    if (is_kernels(line))
        return false;
    if (line->shared)
        return gives_exec ||
               ((prot & PROT_WRITE) && object_may_hold_code(space, line));
    if (!(line->prot & PROT_EXEC) && !gives_exec)
        return false;
    if (!object_is_library(thread, -1, line))
        return true;
    if ((line->prot & PROT_EXEC) && (prot & PROT_WRITE))
        object_tell_library(thread, line,
                            "is a program or library; its own code is made "
                            "writable");
    /* Its static data may become code. */
    return !(line->prot & PROT_EXEC) && !object_is_told(space, line);
}

void candidate_discover(struct thread *thread, uint64_t addr, uint64_t end)
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
        if (may_hold_code(thread, &line))
            add(thread, &line, addr, stop,
                line.shared ||
                    (!line.name[0] && !is_private_to(thread, addr, stop)),
                ORIGIN_FOUND, NULL);
        addr = stop;
    }
}

/* --- what goes away ------------------------------------------------------- */

void candidate_forget(struct thread *thread, uint64_t addr, uint64_t length,
                      const char *call)
{
    struct regions *regions = &thread->space->regions;
    size_t i = regions_cut(regions, addr, length);

    for (; i < regions->count && regions->list[i].addr < addr + length; i++) {
        const struct region *region = &regions->list[i];
        struct event event = {.kind = EVENT_UNMAP, .tid = thread->tracee.tid};

        names_forget(thread, region->addr, region->length);
        report_source(thread->report, &thread->tracee, &event.source);
        event.unmap = (struct event_unmap){region->addr, region->length, call};
        report_event(thread->report, &event);
    }
    regions_unmap(regions, addr, length);
    pages_forget(&thread->space->pages, addr, length);
}

void candidate_forget_missing(struct thread *thread, uint64_t addr,
                              uint64_t length, const char *call)
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
        candidate_forget(thread, addr, stop - addr, call);
        addr = stop;
    }
}
