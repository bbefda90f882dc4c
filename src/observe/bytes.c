/* SPDX-License-Identifier: MIT */
#include "observe/bytes.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"
#include "cpu/regs.h"
#include "observe/names.h"
#include "observe/place.h"
#include "target/proc.h"
#include "target/registers.h"

/* --- objects -------------------------------------------------------------- */

/* Whether two regions are made from the same object. */
static bool is_same(const struct region *region, const struct region *other)
{
    return region->guard.inode != 0 &&
           region->guard.inode == other->guard.inode &&
           region->guard.device == other->guard.device;
}

/* Finds a region of the space that tid lives in which has the same memory as
 * some bytes of another one, and where in it: one that can be executed, if
 * `executable`. A private mapping may have gone its own way, so these bytes must
 * be there. NULL: none. */
static struct region *find_twin(const struct space *space, pid_t tid,
                                const struct region *region, bool executable,
                                uint64_t addr, struct bytes bytes,
                                uint64_t *also)
{
    uint64_t offset = region->guard.offset + (addr - region->start);
    uint8_t there[64];
    size_t len = bytes.len < sizeof there ? bytes.len : sizeof there;

    for_each_region (other, space) {
        uint64_t first = other->guard.offset + (other->addr - other->start);

        if (other == region || (executable && !(other->prot & PROT_EXEC)) ||
            !is_same(region, other) || offset < first ||
            offset + bytes.len > first + other->length)
            continue;
        *also = other->addr + (offset - first);
        if (proc_read(tid, *also, there, len) == len &&
            memcmp(there, bytes.data, len) == 0)
            return other;
    }
    return NULL;
}

bool bytes_are_open(const struct space *space, const struct region *region)
{
    for_each_region (other, space)
        if ((other == region || is_same(region, other)) &&
            (other->prot & ~other->guard.wanted & PROT_WRITE))
            return true;
    return false;
}

/* Notes bytes that have changed, and that no event has carried as code. */
static void note(struct space *space, struct region *region, uint64_t addr,
                 struct bytes bytes)
{
    struct region_guard *guard = &region->guard;

    bool is_first = guard->fresh == guard->fresh_end;

    pages_write(&space->pages, addr, bytes);
    if (is_first || addr < guard->fresh)
        guard->fresh = addr;
    if (is_first || addr + bytes.len > guard->fresh_end)
        guard->fresh_end = addr + bytes.len;
}

/* Tells of it in one space: that of the thread, or another one that tid lives
 * in. */
static void tell_store(struct thread *thread, struct space *space, pid_t tid,
                       struct region *region, uint64_t addr,
                       const struct event *what)
{
    struct event event = *what;
    struct opt_u64 *also = &event.write.also;
    struct bytes now = what->write.new;
    struct region *twin =
        find_twin(space, tid, region, true, addr, now, &also->value);

    also->known = twin != NULL;
    event.write.addr = addr;
    event.write.offset = addr - region->start;
    if (space != thread->space) {
        event.pid = space->pid;
        event.write.process =
            (struct opt_u64){true, (uint64_t)thread->tracee.pid};
    }
    run_tell(thread->run, &event);
    space->changes++;
    note(space, region, addr, now);
    names_stored(&space->names, addr, now.len);
    if (twin) {
        note(space, twin, also->value, now);
        names_stored(&space->names, also->value, now.len);
    }
}

/* Whether none of the threads up to that one lives in its space. */
static bool is_first(const struct thread *thread)
{
    for_each_thread (other, thread->run) {
        if (other == thread)
            break;
        if (other->space == thread->space)
            return false;
    }
    return true;
}

void bytes_store(struct thread *thread, struct region *region, uint64_t addr,
                 struct bytes old, struct bytes now,
                 const struct storer *storer)
{
    struct event event = {.kind = EVENT_WRITE, .tid = thread->tracee.tid};
    const struct insn *insn = &thread->store.insn;
    uint64_t pc = storer->by ? tracee_pc(&thread->tracee) : insn->addr, there;
    struct region *theirs;
    struct buf place = {0};

    event.source = storer->source;
    event.write = (struct event_write){
        .old = old,
        .new = now,
        .pc = pc,
        .text = !storer->by && insn->length ? insn->text : NULL,
        .symbol = place_symbol(thread, pc, &place),
        .by = storer->by,
        .inlined = storer->callers.inlined,
        .via = {storer->callers.list, storer->callers.count},
    };
    tell_store(thread, thread->space, thread->tracee.tid, region, addr, &event);
    /* Processes that share the memory have it, too. Who has found it changed is
     * not who did that. */
    if (region->guard.shared && !event_is_elsewhere(&event.write))
        for_each_thread (other, thread->run) {
            if (!other->space || other->space == thread->space ||
                !other->space->watched || !is_first(other))
                continue;
            theirs = find_twin(other->space, other->tracee.tid, region, false,
                               addr, now, &there);
            if (theirs)
                tell_store(thread, other->space, other->tracee.tid, theirs,
                           there, &event);
        }
    buf_release(&place);
}

/* --- comparing ------------------------------------------------------------ */

void bytes_compare(struct thread *thread, struct region *region, uint64_t from,
                   uint64_t to, const char *by, enum compared told)
{
    uint8_t *old = mem_alloc(to - from), *now = mem_alloc(to - from);
    size_t len = proc_read(thread->tracee.tid, from, now, to - from);
    struct storer storer = {.by = by};
    bool sourced = !by || strcmp(by, WRITTEN_ELSEWHERE) == 0;
    bool all = told == COMPARE_ALL;

    pages_read(&thread->space->pages, from, len, old);
    if (all ? len < to - from : memcmp(old, now, len) == 0)
        len = 0; /* faster than what follows */
    while (told == COMPARE_WHOLE && len > 0 && now[len - 1] == old[len - 1])
        len--;
    for (size_t i = 0, start; i < len;) {
        struct bytes before, after;

        while (i < len && old[i] == now[i] && !all)
            i++;
        for (start = i; i < len && (told != COMPARE_EACH || old[i] != now[i]);)
            i++;
        if (i == start)
            break;
        before = (struct bytes){old + start, i - start};
        after = (struct bytes){now + start, i - start};
        if (!sourced)
            thread_source(thread, &storer.source);
        sourced = true;
        if (by)
            bytes_store(thread, region, from + start, before, after, &storer);
        else
            note(thread->space, region, from + start, after);
    }
    free(old);
    free(now);
}

void bytes_refresh(struct thread *thread, struct region *region, uint64_t addr,
                   const char *by)
{
    bytes_compare(thread, region, addr, addr + ARCH_PAGE_SIZE, by,
                  COMPARE_WHOLE);
}

bool bytes_are_steady(const struct region *region)
{
    return !region->guard.shared &&
           !(region->prot & ~region->guard.taken & PROT_WRITE);
}

/* As what a change is to be told that is found in the region. */
static const char *changed_by(const struct space *space,
                              const struct region *region)
{
    return region->guard.blind || bytes_are_open(space, region)
               ? NULL
               : WRITTEN_ELSEWHERE;
}

/* Reads [from, to) of the region, whole pages. */
static void refresh(struct thread *thread, struct region *region, uint64_t from,
                    uint64_t to)
{
    const struct space *space = thread->space;
    const char *by = changed_by(space, region);

    if (region->guard.read_at == space->calls && bytes_are_steady(region))
        return;
    for (uint64_t addr = from; addr < to; addr += ARCH_PAGE_SIZE)
        bytes_refresh(thread, region, addr, by);
    if (from != region->addr || to != region->addr + region->length)
        return;
    region->guard.read_at = space->calls;
    region->guard.blind = bytes_are_open(space, region);
}

void bytes_know(struct thread *thread, struct region *region)
{
    if (region->guard.blind)
        refresh(thread, region, region->addr, region->addr + region->length);
}

void bytes_check(struct thread *thread, const struct insn *insn)
{
    struct bytes bytes = {insn->bytes, insn->length};
    uint64_t page = insn->addr - insn->addr % ARCH_PAGE_SIZE;
    struct region *region;

    if (!regions_at(&thread->space->regions, insn->addr) ||
        pages_hold(&thread->space->pages, insn->addr, bytes))
        return;
    for (; page < insn->addr + insn->length; page += ARCH_PAGE_SIZE) {
        region = regions_at(&thread->space->regions, page);
        if (region)
            bytes_refresh(thread, region, page,
                          changed_by(thread->space, region));
    }
}

/* Bytes of a region that are all read at an entry, although they may change
 * without being seen: of a larger one the pages that are entered are. */
#define READ_WHOLE 65536

bool bytes_of_code(struct thread *thread, struct region *region, uint64_t pc,
                   struct buf *out, uint64_t *offset)
{
    struct region_guard *guard = &region->guard;
    struct pages *pages = &thread->space->pages;
    uint64_t from = region->addr, end = from + region->length, to = end;
    uint64_t first, last;
    uint8_t *bytes;

    if (region->length > thread->run->spent.max.length ||
        (pc && region->length > READ_WHOLE && !bytes_are_steady(region))) {
        from = pc ? pc - pc % ARCH_PAGE_SIZE : end;
        to = from + 2 * ARCH_PAGE_SIZE; /* code may go on in the next page */
    }
    refresh(thread, region, from, to < end ? to : end);
    if (!pages_extent(pages, region->addr, region->length, &first, &last))
        return false;
    if (last - first >= (pc ? ARCH_PAGE_SIZE : READ_WHOLE)) {
        if (guard->fresh > first)
            first = guard->fresh;
        if (guard->fresh_end <= last)
            last = guard->fresh_end - 1;
        if (guard->fresh == guard->fresh_end || first > last)
            return false;
    }
    guard->fresh = guard->fresh_end = 0;
    bytes = mem_alloc(last - first + 1);
    pages_read(pages, first, last - first + 1, bytes);
    buf_append(out, bytes, last - first + 1);
    free(bytes);
    *offset = first - region->addr;
    return true;
}
