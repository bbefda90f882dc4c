/* SPDX-License-Identifier: MIT */
#include "observe/candidates.h"

#include "base/mem.h"
#include "observe/arrive.h"
#include "observe/guard.h"
#include "observe/names.h"
#include "target/calls.h"
#include "target/registers.h"

/* Code that is made by nobody: the kernel's. */
static bool is_kernels(const struct maps_line *line)
{
    return strcmp(line->name, "[vdso]") == 0 ||
           strcmp(line->name, "[vsyscall]") == 0;
}

static bool is_heap(const struct maps_line *line)
{
    return strcmp(line->name, "[heap]") == 0;
}

/* --- objects -------------------------------------------------------------- */

/* What is known of the object of a line; the latest look makes room for it. */
static struct object *object_of(struct space *space,
                                const struct maps_line *line)
{
    struct object *object = space->objects;

    for (size_t i = 0; i < space->object_count; i++, object++)
        if (object->device == line->device && object->inode == line->inode)
            return object;
    space->objects = mem_grow(space->objects, space->object_count,
                              &space->object_capacity, sizeof *space->objects);
    object = &space->objects[space->object_count++];
    *object = (struct object){.device = line->device, .inode = line->inode};
    return object;
}

/* Whether the line is one of a library or program, an ELF file. fd is the
 * program's descriptor of it, or -1. */
static bool is_library(const struct thread *thread, int fd,
                       const struct maps_line *line)
{
    struct object *object;

    if (!line->inode || line->shared)
        return false;
    object = object_of(thread->space, line);
    if (object->kind == OBJECT_UNKNOWN)
        object->kind = proc_is_elf(thread->tracee.pid, fd, line) ? OBJECT_ELF
                                                                 : OBJECT_OTHER;
    return object->kind == OBJECT_ELF;
}

/* Tells once that such a file is not watched, and what it is. */
static void tell_library(const struct thread *thread,
                         const struct maps_line *line, const char *what)
{
    struct object *object = object_of(thread->space, line);

    if (!object->told)
        thread_limit(thread, "library", line->start,
                     "%s %s; such code is not watched", line->name, what);
    object->told = true;
}

/* Files that nobody else can open by name are made to be mapped: memfd_create,
 * shm_open, shmget, shared anonymous memory. */
static bool is_shared_memory(const struct maps_line *line)
{
    return word_is(strrchr(line->name, ' '), " (deleted)") ||
           strncmp(line->name, "/dev/shm/", 9) == 0;
}

/* Whether what is stored through a shared mapping may be executed by another:
 * it is so already, or the object is made for sharing memory. */
static bool is_shared_code(struct space *space, const struct maps_line *line)
{
    return line->shared && line->inode &&
           (object_of(space, line)->executed || is_shared_memory(line));
}

/* --- regions -------------------------------------------------------------- */

unsigned candidate_wanted(const struct thread *thread,
                          const struct region *region, bool stores)
{
    const struct spending *spent = &thread->run->spent;
    const struct space *space = thread->space;
    unsigned wanted = 0;

    if (space->frozen)
        return 0;
    if (budget_counts_calls(spent) && thread->run->has_printed)
        wanted |= PROT_EXEC;
    if (stores && !space->stores_off && budget_has_stores(spent) &&
        region->length <= spent->max.length &&
        (region->guard.code || spent->max.data_stores > 0))
        wanted |= PROT_WRITE;
    return wanted;
}

void candidate_tell(struct thread *thread, const struct region *region,
                    const struct maps_line *line, const char *call)
{
    struct event event = {.kind = EVENT_MAP, .tid = thread->tracee.tid};
    struct buf flags = {0};

    if (call)
        thread_source(thread, &event.source);
    if (call && call_kind(&thread->call) == CALL_MMAP)
        call_describe_map_flags(thread->call.args[3], &flags);
    event.map = (struct event_map){
        .addr = region->addr,
        .length = region->length,
        .prot = region->prot,
        .flags = flags.len ? buf_text(&flags) : NULL,
        .backing = is_heap(line)                           ? "heap"
                   : strncmp(line->name, "[stack", 6) == 0 ? "stack"
                   : line->name[0]                         ? line->name
                                                           : "anonymous",
        .call = call,
        .maps = line->text,
    };
    run_tell(thread->run, &event);
    buf_release(&flags);
    if (region->length > thread->run->spent.max.length)
        thread_limit(thread, "length", region->addr,
                     "the mapping at 0x%" PRIx64
                     " is large; stores into it are not watched, and of its "
                     "code the pages that are entered are read",
                     region->addr);
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
    for (at = buf_text(&text); maps_next(&at, &line);)
        if (is_heap(&line))
            space->brk = line.end;
    buf_release(&text);
}

/* Takes in [addr, end) of a line as a region and tells of it. What no call has
 * made just now was there before, and what it holds is not known; nor is what
 * was in a file. What is anonymous begins as zeros, shared or not (mmap(2)). */
static struct region *add(struct thread *thread, const struct maps_line *line,
                          uint64_t addr, uint64_t end, bool stores,
                          const char *call)
{
    const struct observe_budget *max = &thread->run->spent.max;
    struct region *region =
        regions_map(&thread->space->regions, addr, end - addr, line->prot);
    struct region_guard *guard = &region->guard;
    bool is_new =
        call && (line->inode == 0 || (call_kind(&thread->call) == CALL_MMAP &&
                                      (thread->call.args[3] & MAP_ANONYMOUS)));

    guard->code = (line->prot & PROT_EXEC) || line->inode != 0;
    guard->wanted = candidate_wanted(thread, region, stores);
    guard->as_data = stores && !guard->code && max->data_stores == 0;
    guard->blind = !is_new || region->length > max->length;
    guard->shared = line->shared || line->inode != 0;
    guard->device = line->device;
    guard->inode = line->inode;
    guard->offset = line->offset + (addr - line->start);
    candidate_tell(thread, region, line, call);
    if (is_heap(line))
        candidate_follow_brk(thread);
    return region;
}

/* --- what appears --------------------------------------------------------- */

void candidate_find_writable(struct thread *thread,
                             const struct maps_line *executed)
{
    struct object *object;
    struct buf text = {0};
    struct maps_line line;
    bool is_news;
    const char *at;

    if (!executed->inode)
        return;
    object = object_of(thread->space, executed);
    is_news = !object->executed && !is_shared_memory(executed);
    object->executed = true;
    if (!is_news) /* all mappings of it are known */
        return;
    proc_maps_text(thread->tracee.tid, &text);
    for (at = buf_text(&text); maps_next(&at, &line);)
        if (line.inode == executed->inode && line.device == executed->device &&
            line.shared && (line.prot & PROT_WRITE) &&
            !regions_at(&thread->space->regions, line.start))
            guard_arm(thread,
                      add(thread, &line, line.start, line.end, true, NULL),
                      GUARDS);
    buf_release(&text);
}

/* Return addresses are looked for in so much of the stack. */
#define STACK_WORDS 8

/* Whether the thread is in a system call that the C library makes for itself,
 * as for the blocks of malloc: its own code has called its function. */
static bool is_by_c_library(struct thread *thread)
{
    pid_t pid = thread->tracee.tid;
    uint64_t stack[STACK_WORDS];
    struct maps_line here, there;
    const char *name;
    size_t count;

    if (tracee_fetch(&thread->tracee) < 0 ||
        !proc_maps_find(pid, tracee_pc(&thread->tracee), &here))
        return false;
    name = strrchr(here.name, '/');
    if (!name ||
        (strncmp(name, "/libc.so", 8) != 0 && strncmp(name, "/libc-", 6) != 0 &&
         strncmp(name, "/ld-", 4) != 0))
        return false;
    count = proc_read(pid, tracee_stack(&thread->tracee), stack, sizeof stack) /
            sizeof *stack;
    for (size_t i = 0; i < count; i++)
        if (arrive_follows_call(pid, stack[i]))
            return proc_maps_find(pid, stack[i], &there) &&
                   there.start <= stack[i] && there.inode == here.inode &&
                   there.device == here.device;
    return false;
}

void candidate_appeared(struct thread *thread, uint64_t addr, uint64_t end,
                        bool is_stack, const char *call)
{
    const uint64_t *args = thread->call.args;
    int fd = call_kind(&thread->call) == CALL_MMAP && !(args[3] & MAP_ANONYMOUS)
                 ? (int)args[4]
                 : -1;
    struct maps_line line;

    candidate_forget(thread, addr, end - addr, call);
    if (!proc_maps_find(thread->tracee.tid, addr, &line) || line.start > addr)
        return;
    if (!(line.prot & PROT_EXEC) &&
        (is_stack || (!line.inode && is_by_c_library(thread)) ||
         !(line.prot & PROT_WRITE) ||
         (line.inode && !is_shared_code(thread->space, &line))))
        return;
    if (is_library(thread, fd, &line)) {
        names_library(thread);
        if (line.prot & PROT_EXEC)
            tell_library(thread, &line,
                         "is a library that was loaded after the start");
        return;
    }
    if ((line.prot & (PROT_EXEC | PROT_WRITE)) == PROT_EXEC &&
        names_mapped(thread, fd, &line))
        return;
    add(thread, &line, addr, end, !is_stack, call);
    if (line.prot & PROT_EXEC)
        candidate_find_writable(thread, &line);
    guard_arm(thread, regions_at(&thread->space->regions, addr), GUARDS);
}

/* The files that are mapped by then are the program and its libraries. */
void candidate_find_executable(struct thread *thread)
{
    struct buf text = {0};
    struct maps_line line;
    const char *at;

    proc_maps_text(thread->tracee.tid, &text);
    for (at = buf_text(&text); maps_next(&at, &line);) {
        bool of_file = line.inode && !line.shared;

        if (of_file)
            object_of(thread->space, &line)->kind = OBJECT_ELF;
        if (!(line.prot & PROT_EXEC) || is_kernels(&line))
            continue;
        if (!of_file)
            guard_arm(thread,
                      add(thread, &line, line.start, line.end, false, NULL),
                      GUARDS);
        else if ((line.prot & PROT_WRITE) && !thread->space->implies_exec)
            tell_library(thread, &line,
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
               ((prot & PROT_WRITE) && is_shared_code(space, line));
    if (!(line->prot & PROT_EXEC) && !gives_exec)
        return false;
    if (!is_library(thread, -1, line))
        return true;
    if ((line->prot & PROT_EXEC) && (prot & PROT_WRITE))
        tell_library(thread, line,
                     "is a program or library; its own code is made "
                     "writable");
    /* Its static data may become code. */
    return !(line->prot & PROT_EXEC) && !object_of(space, line)->told;
}

void candidate_discover(struct thread *thread, uint64_t addr, uint64_t end)
{
    struct regions *regions = &thread->space->regions;
    struct maps_line line;
    uint64_t stop;

    for (; addr < end; addr = stop) {
        const struct region *next = regions_from(regions, addr);

        if (next && next->addr <= addr) {
            stop = next->addr + next->length;
            continue;
        }
        if (!proc_maps_find(thread->tracee.tid, addr, &line) ||
            line.start > addr)
            return; /* as the call will: at a hole */
        stop = next && next->addr < end ? next->addr : end;
        if (line.end < stop)
            stop = line.end;
        if (may_hold_code(thread, &line))
            add(thread, &line, addr, stop,
                line.shared ||
                    (!line.name[0] && !is_private_to(thread, addr, stop)),
                NULL);
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

        names_tell(thread, region->addr, region->length);
        names_forget(&thread->space->names, region->addr, region->length);
        thread_source(thread, &event.source);
        event.unmap = (struct event_unmap){region->addr, region->length, call};
        run_tell(thread->run, &event);
    }
    regions_unmap(regions, addr, length);
    ranges_forget(&thread->space->pages.ranges, addr, addr + length);
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
