/* SPDX-License-Identifier: MIT */
/*
 * gdbjit.c - a look costs one read where nothing is new. That an object has the
 * same place as one before it says little: small JITs use one buffer again
 * and again. So the one that was changed last is compared with what it was.
 */
#include "target/gdbjit.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "target/gdbjit_parts.h"
#include "target/proc.h"

#define HASHED 16384u /* a longer object is not compared */

enum { VERSION, RELEVANT, FIRST };                /* words of a descriptor */
enum { NEXT, PREVIOUS, ADDR, SIZE, ENTRY_WORDS }; /* words of an entry */

struct gdbjit_said *gdbjit_add(struct gdbjit *gdbjit)
{
    struct gdbjit_said *said;

    gdbjit->said = mem_grow(gdbjit->said, gdbjit->said_count,
                            &gdbjit->said_capacity, sizeof *gdbjit->said);
    said = &gdbjit->said[gdbjit->said_count++];
    *said = (struct gdbjit_said){0};
    return said;
}

static void forget_said(struct gdbjit *gdbjit)
{
    for (size_t i = 0; i < gdbjit->said_count; i++)
        free(gdbjit->said[i].memory);
    gdbjit->said_count = gdbjit->next = 0;
    gdbjit->said_bytes = 0;
}

void gdbjit_release(struct gdbjit *gdbjit)
{
    forget_said(gdbjit);
    free(gdbjit->said);
    free(gdbjit->objects);
}

static uint64_t hash_of(struct bytes bytes)
{
    return hash_bytes(HASH_OF_NOTHING, bytes.data,
                      bytes.len < HASHED ? bytes.len : HASHED);
}

static uint64_t hash_in(pid_t pid, const struct gdbjit_object *object)
{
    uint8_t file[HASHED];

    if (object->size > HASHED)
        return object->hash;
    return hash_of(
        (struct bytes){file, proc_read(pid, object->addr, file, object->size)});
}

static struct gdbjit_object *find(struct gdbjit *gdbjit, uint64_t entry)
{
    for (size_t i = 0; i < gdbjit->object_count; i++)
        if (gdbjit->objects[i].entry == entry)
            return &gdbjit->objects[i];
    return NULL;
}

/* Reads an object that was not there before, and all that it says. */
static void read_object(struct gdbjit *gdbjit, pid_t pid,
                        struct gdbjit_object *object)
{
    struct bytes file;
    uint8_t *data;

    if (object->size == 0 || object->size > GDBJIT_OBJECT ||
        gdbjit->bytes + object->size > GDBJIT_BYTES) {
        gdbjit->full |= object->size > 0;
        return;
    }
    gdbjit->bytes += object->size;
    data = mem_alloc(object->size);
    file =
        (struct bytes){data, proc_read(pid, object->addr, data, object->size)};
    object->hash = hash_of(file);
    gdbjit_take_object(gdbjit, file, object->owner);
    free(data);
}

/* Goes through the list, which may be a circle, or lead anywhere. Returns false
 * if it cannot be read: the program has ended, or is just changing it. */
static bool walk(struct gdbjit *gdbjit, pid_t pid, uint64_t entry)
{
    uint64_t word[ENTRY_WORDS];
    size_t known = gdbjit->object_count;

    for (size_t i = 0; i < known; i++)
        gdbjit->objects[i].listed = false;
    for (unsigned count = 0; entry; entry = word[NEXT]) {
        struct gdbjit_object *object = find(gdbjit, entry);

        if (object && object->listed)
            break;
        if (proc_read(pid, entry, word, sizeof word) != sizeof word)
            return false;
        if (++count > GDBJIT_ENTRIES) {
            gdbjit->full = true;
            break;
        }
        if (object && object->addr == word[ADDR] &&
            object->size == word[SIZE] &&
            (entry != gdbjit->head[RELEVANT] ||
             hash_in(pid, object) == object->hash)) {
            object->listed = true;
            continue;
        }
        if (object)
            object->entry = 0; /* it is another one now */
        gdbjit->objects =
            mem_grow(gdbjit->objects, gdbjit->object_count,
                     &gdbjit->object_capacity, sizeof *gdbjit->objects);
        gdbjit->objects[gdbjit->object_count++] =
            (struct gdbjit_object){.entry = entry,
                                   .addr = word[ADDR],
                                   .size = word[SIZE],
                                   .listed = true};
    }
    return true;
}

/* Another entry has the same object: its names, which count once, are still
 * there when the one entry goes, and are said again. */
static void said_twice(struct gdbjit *gdbjit, const struct gdbjit_object *gone)
{
    for (size_t i = 0; i < gdbjit->object_count; i++) {
        struct gdbjit_object *object = &gdbjit->objects[i];

        if (object->listed && object->addr == gone->addr &&
            object->size == gone->size && object->hash == gone->hash)
            object->owner = 0;
    }
}

/* Says what has gone, then what has come. */
static void compare(struct gdbjit *gdbjit, pid_t pid)
{
    size_t kept = 0;

    for (size_t i = 0; i < gdbjit->object_count; i++) {
        struct gdbjit_object *object = &gdbjit->objects[i];
        struct naming *naming;

        if (object->listed) {
            gdbjit->objects[kept++] = *object;
            continue;
        }
        if (object->owner == 0)
            continue;
        naming = &gdbjit_add(gdbjit)->naming;
        naming->kind = NAMING_WITHDRAWN;
        naming->owner = object->owner;
        said_twice(gdbjit, object);
    }
    gdbjit->object_count = kept;
    /* The list begins with the latest, and later names count more. */
    for (size_t i = kept; i-- > 0;)
        if (gdbjit->objects[i].owner == 0) {
            gdbjit->objects[i].owner = ++gdbjit->owners;
            read_object(gdbjit, pid, &gdbjit->objects[i]);
        }
}

void gdbjit_look(struct gdbjit *gdbjit, pid_t pid)
{
    const struct gdbjit_object *latest;
    uint64_t head[3];

    forget_said(gdbjit);
    if (!gdbjit->descriptor || gdbjit->unknown ||
        proc_read(pid, gdbjit->descriptor, head, sizeof head) != sizeof head)
        return;
    if ((uint32_t)head[VERSION] != 1) { /* 0: it was not set up yet */
        gdbjit->unknown = (uint32_t)head[VERSION] != 0;
        if (gdbjit->unknown)
            naming_flaw(
                &gdbjit_add(gdbjit)->naming,
                "__jit_debug_descriptor says that it is of version %" PRIu32
                ", which is none; there is version 1",
                (uint32_t)head[VERSION]);
        return;
    }
    latest = find(gdbjit, head[RELEVANT]);
    if (memcmp(head, gdbjit->head, sizeof head) == 0 &&
        (!latest || hash_in(pid, latest) == latest->hash))
        return;
    memcpy(gdbjit->head, head, sizeof head);
    if (walk(gdbjit, pid, head[FIRST]))
        compare(gdbjit, pid);
    else
        gdbjit->head[FIRST] = UINT64_MAX; /* it is looked at again */
}

bool gdbjit_next(struct gdbjit *gdbjit, struct naming *out)
{
    if (gdbjit->next == gdbjit->said_count)
        return false;
    *out = gdbjit->said[gdbjit->next++].naming;
    return true;
}
