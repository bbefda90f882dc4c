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

struct space *space_new(bool watched)
{
    struct space *space = mem_alloc(sizeof *space);

    space->watched = watched;
    space->changes = space->calls = 1;
    space->uffd = -1;
    return space;
}

void space_leave(struct space *space)
{
    if (--space->users > 0)
        return;
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
