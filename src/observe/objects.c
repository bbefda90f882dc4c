/* SPDX-License-Identifier: MIT */
#include "observe/objects.h"

#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"

void object_set(struct region *region, const struct maps_line *line)
{
    struct region_guard *guard = &region->guard;

    guard->device = line->device;
    guard->inode = line->inode;
    guard->offset = line->offset + (region->start - line->start);
    guard->shared = line->shared || line->inode != 0;
}

/* Whether two regions are made from the same object. */
static bool is_same(const struct region *region, const struct region *other)
{
    return region->guard.inode != 0 &&
           region->guard.inode == other->guard.inode &&
           region->guard.device == other->guard.device;
}

/* Where in its object a byte of a region is. */
static uint64_t offset_of(const struct region *region, uint64_t addr)
{
    return region->guard.offset + (addr - region->start);
}

struct region *object_twin(const struct thread *thread,
                           const struct region *region, uint64_t addr,
                           struct bytes bytes, uint64_t *also)
{
    uint64_t offset = offset_of(region, addr);
    uint8_t there[64];
    size_t len = bytes.len < sizeof there ? bytes.len : sizeof there;

    if (!region->guard.inode)
        return NULL;
    for_each_region (other, thread->space) {
        uint64_t first = offset_of(other, other->addr);

        if (other == region || !(other->prot & PROT_EXEC) ||
            !is_same(region, other) || offset < first ||
            offset + bytes.len > first + other->length)
            continue;
        *also = other->addr + (offset - first);
        /* A private mapping may have gone its own way. */
        if (proc_read(thread->tracee.tid, *also, there, len) == len &&
            memcmp(there, bytes.data, len) == 0)
            return other;
    }
    return NULL;
}

bool object_is_open(const struct space *space, const struct region *region)
{
    for_each_region (other, space)
        if ((other == region || is_same(region, other)) &&
            (other->prot & ~other->guard.wanted & PROT_WRITE))
            return true;
    return false;
}

/* --- files ---------------------------------------------------------------- */

/* What is known of the file of a line, or NULL. */
static struct object *find_object(const struct space *space,
                                  const struct maps_line *line)
{
    for (size_t i = 0; i < space->object_count; i++)
        if (space->objects[i].device == line->device &&
            space->objects[i].inode == line->inode)
            return &space->objects[i];
    return NULL;
}

/* The same; made when it is asked for first. */
static struct object *need_object(struct space *space,
                                  const struct maps_line *line)
{
    struct object *object = find_object(space, line);

    if (object)
        return object;
    space->objects = mem_grow(space->objects, space->object_count,
                              &space->object_capacity, sizeof *space->objects);
    object = &space->objects[space->object_count++];
    *object = (struct object){.device = line->device, .inode = line->inode};
    return object;
}

bool object_is_library(const struct thread *thread, int fd,
                       const struct maps_line *line)
{
    struct object *object;

    if (!line->inode || line->shared)
        return false;
    object = need_object(thread->space, line);
    if (object->kind == OBJECT_UNKNOWN)
        object->kind = proc_is_elf(thread->tracee.pid, fd, line) ? OBJECT_ELF
                                                                 : OBJECT_OTHER;
    return object->kind == OBJECT_ELF;
}

void object_set_library(struct space *space, const struct maps_line *line)
{
    need_object(space, line)->kind = OBJECT_ELF;
}

void object_tell_library(const struct thread *thread,
                         const struct maps_line *line, const char *what)
{
    struct object *object = need_object(thread->space, line);

    if (object->told)
        return;
    object->told = true;
    thread_limit(thread, "library", line->start,
                 "%s %s; such code is not watched", line->name, what);
}

bool object_is_told(struct space *space, const struct maps_line *line)
{
    return need_object(space, line)->told;
}

/* Files that nobody else can open by name are made to be mapped: memfd_create,
 * shm_open, shmget, shared anonymous memory. */
static bool is_shared_memory(const struct maps_line *line)
{
    static const char deleted[] = " (deleted)";
    size_t len = strlen(line->name), size = sizeof deleted - 1;

    return (len >= size && strcmp(line->name + len - size, deleted) == 0) ||
           strncmp(line->name, "/dev/shm/", 9) == 0;
}

bool object_may_hold_code(const struct space *space,
                          const struct maps_line *line)
{
    const struct object *object = find_object(space, line);

    if (!line->shared || !line->inode)
        return false;
    return (object && object->executed) || is_shared_memory(line);
}

bool object_set_executed(struct space *space, const struct maps_line *line)
{
    struct object *object;
    bool is_news;

    if (!line->inode)
        return false;
    object = need_object(space, line);
    is_news = !object->executed && !is_shared_memory(line);
    object->executed = true;
    return is_news;
}
