/* SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "observe/state.h"
#include "target/proc.h"

const char *place_name(const struct thread *thread, uint64_t pc,
                       struct buf *room)
{
    const struct region *region = regions_at(&thread->space->regions, pc);

    if (!region)
        return lines_symbol(thread->run->lines, pc);
    buf_printf(room, "0x%" PRIx64 "+0x%" PRIx64, region->start,
               pc - region->start);
    return buf_text(room);
}

static bool is_c_library(const struct maps_line *line)
{
    static const char *const names[] = {"libc.so", "libc-", "ld-"};
    const char *name = strrchr(line->name, '/');

    for (size_t i = 0; name && i < sizeof names / sizeof *names; i++)
        if (strncmp(name + 1, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

/* Return addresses are looked for in so much of the stack. */
#define STACK_WORDS 8

bool place_is_c_library(struct thread *thread)
{
    pid_t pid = thread->tracee.tid;
    uint64_t stack[STACK_WORDS];
    struct maps_line here, there;
    size_t count;

    if (tracee_fetch(&thread->tracee) < 0 ||
        !proc_maps_find(pid, tracee_pc(&thread->tracee), &here) ||
        !is_c_library(&here))
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
