/* SPDX-License-Identifier: MIT */
#include "observe/space.h"

#include <unistd.h>

#include "base/mem.h"
#include "cpu/regs.h"
#include "observe/names.h"
#include "target/proc.h"

bool region_clip(const struct region *region, uint64_t *from, uint64_t *to)
{
    uint64_t end = region->addr + region->length;

    *from = *from < region->addr ? region->addr : *from;
    *to = *to > end ? end : *to;
    return *from < *to;
}

uint64_t page_end(uint64_t addr)
{
    return (addr + ARCH_PAGE_SIZE - 1) / ARCH_PAGE_SIZE * ARCH_PAGE_SIZE;
}

struct space *space_new(pid_t pid, struct lines *lines, bool watched)
{
    struct space *space = mem_alloc(sizeof *space);

    space->pid = pid;
    space->lines = lines ? lines_share(lines) : lines_new(pid);
    space->watched = watched;
    space->changes = space->calls = 1;
    space->uffd = -1;
    return space;
}

/* Its guards are another's. They are lifted in the copy, and armed anew. */
struct space *space_copy(pid_t pid, const struct space *from)
{
    struct space *space = mem_alloc(sizeof *space);
    size_t objects = from->object_count * sizeof *from->objects;

    *space = *from;
    space->pid = pid;
    space->lines = lines_share(from->lines);
    space->users = 0;
    space->uffd = -1;
    space->counted = false;
    space->left_open = false;
    space->objects = mem_copy(from->objects, objects);
    space->object_capacity = from->object_count;
    space->regions = (struct regions){0};
    regions_copy(&space->regions, &from->regions);
    space->pages = (struct pages){0};
    ranges_copy(&space->pages.ranges, &from->pages.ranges);
    for_each_region (region, space) {
        struct region_guard *guard = &region->guard;

        guard->writes = WRITE_GUARD_UNTRIED;
        guard->taken = guard->lost = 0;
        guard->window = guard->window_end = 0;
    }
    names_copy(&space->names, &from->names, pid);
    return space;
}

void space_leave(struct space *space)
{
    if (--space->users > 0)
        return;
    lines_free(space->lines);
    if (space->uffd >= 0)
        close(space->uffd);
    free(space->objects);
    regions_release(&space->regions);
    ranges_release(&space->pages.ranges);
    names_release(&space->names);
    free(space);
}

void access_decode(pid_t tid, uint64_t pc, struct insn *out)
{
    uint8_t code[INSN_MAX_LENGTH];
    size_t len = proc_read(tid, pc, code, sizeof code);

    insn_decode_any(code, len, pc, out);
}

void access_prepare(struct accesses *accesses, pid_t tid,
                    const struct insn *insn, const struct regs *regs)
{
    struct insn_access what[MAX_ACCESSES];

    accesses->count = insn_accesses(insn, regs, what, MAX_ACCESSES);
    for (size_t i = 0; i < accesses->count; i++) {
        struct access *access = &accesses->list[i];
        size_t size = what[i].size < ACCESS_BYTES ? what[i].size : ACCESS_BYTES;

        access->what = what[i];
        access->known =
            (uint32_t)proc_read(tid, what[i].addr, access->old_bytes, size);
    }
}
