/* SPDX-License-Identifier: MIT */
#include "observe/names.h"

#include "base/mem.h"

/* More names than this are not read, each costs a search and a copy; nor names,
 * code and lines of more bytes; and of so many flaws each is told. */
#define MOST_NAMES 30000u
#define MOST_BYTES (64u << 20)
#define MOST_FLAWS 8u

/* Names that lie in no code are told of only so many. */
#define MOST_OUTSIDE 64u

void names_begin(struct names *names, pid_t pid, bool watched)
{
    names->watched = watched;
    if (watched)
        perfmap_init(&names->map, pid);
}

void names_copy(struct names *names, const struct names *from, pid_t pid)
{
    *names = (struct names){.limited = from->limited,
                            .count = from->count,
                            .bytes = from->bytes,
                            .flaws = from->flaws};
    names_begin(names, pid, from->watched);
    names->unsaid.added = from->unsaid.added;
    names->said.added = from->said.added;
    ranges_copy(&names->unsaid.ranges, &from->unsaid.ranges);
    ranges_copy(&names->said.ranges, &from->said.ranges);
}

void names_release(struct names *names)
{
    if (names->watched)
        perfmap_release(&names->map);
    for (size_t i = 0; i < names->dump_count; i++)
        jitdump_release(&names->dumps[i]);
    for (size_t i = 0; i < MOST_LISTS; i++)
        gdbjit_release(&names->lists[i]);
    ranges_release(&names->unsaid.ranges);
    ranges_release(&names->said.ranges);
}

/* --- what is said --------------------------------------------------------- */

bool names_mapped(struct thread *thread, int fd, const struct maps_line *line)
{
    struct names *names = &thread->space->names;

    if (!names->watched || !jitdump_is(line))
        return false;
    for (size_t i = 0; i < names->dump_count; i++)
        if (names->dumps[i].inode == line->inode)
            return true;
    if (names->dump_count == MOST_LISTS ||
        !jitdump_open(&names->dumps[names->dump_count], thread->tracee.pid, fd,
                      line))
        return false;
    names->dump_count++;
    return true;
}

void names_library(struct thread *thread)
{
    thread->space->names.sought = false;
}

static void seek_lists(struct thread *thread)
{
    struct names *names = &thread->space->names;
    uint64_t found[MOST_LISTS];
    size_t count;

    if (names->sought)
        return;
    names->sought = true;
    count = lines_find_variables(thread->space->lines, "__jit_debug_descriptor",
                                 found, MOST_LISTS);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < MOST_LISTS; k++) {
            struct gdbjit *list = &names->lists[k];

            if (list->descriptor == 0)
                list->descriptor = found[i];
            if (list->descriptor == found[i])
                break;
        }
}

static struct event_name name_of(const struct label *label)
{
    return (struct event_name){
        .addr = label->addr,
        .length = label->length,
        .name = *label->name ? label->name : NULL,
        .by = label->by,
        .code = label->code,
        .lines = label->rows,
    };
}

/* What a name takes when it is kept. */
static size_t bytes_of(const struct event_name *name)
{
    size_t bytes = strlen(name->name) + name->code.len +
                   name->lines.count * sizeof *name->lines.list;

    for (size_t i = 0; i < name->lines.count; i++)
        if (i == 0 || name->lines.list[i].file != name->lines.list[i - 1].file)
            bytes += strlen(name->lines.list[i].file) + 1;
    return bytes;
}

/* Takes back what is called so: if it was told, it is to be told of, too. */
static void withdraw(struct names *names, const struct label *label)
{
    uint64_t at = label->addr, end = at + label->length;
    const struct stretch *stretch;
    size_t left;

    while ((stretch = ranges_from(&names->said.ranges, at, &left)) != NULL &&
           left > 0 && stretch->from < end) {
        struct event_name name = {.addr = stretch->from,
                                  .length = stretch->to - stretch->from,
                                  .by = label->by};

        at = stretch->to;
        if (stretch->value == &label->value)
            labels_add(&names->unsaid, &name);
    }
}

/* Calls f for each label of that owner; it may drop it. */
static void withdraw_all(struct names *names, unsigned owner)
{
    const struct stretch *stretch;
    uint64_t at = 0;
    size_t left;

    while ((stretch = ranges_from(&names->unsaid.ranges, at, &left)) != NULL &&
           left > 0) {
        at = stretch->to;
        if (((struct label *)stretch->value)->owner == owner)
            ranges_forget(&names->unsaid.ranges, stretch->from, stretch->to);
    }
    at = 0;
    while ((stretch = ranges_from(&names->said.ranges, at, &left)) != NULL &&
           left > 0) {
        const struct label *label = (struct label *)stretch->value;
        struct event_name name = {.addr = stretch->from,
                                  .length = stretch->to - stretch->from,
                                  .by = label->by};

        at = stretch->to;
        if (label->owner == owner)
            labels_add(&names->unsaid, &name);
    }
}

/* What lies at `from` is called the same somewhere else. */
static bool move(struct names *names, const struct naming *naming)
{
    struct labels *in = &names->unsaid;
    const struct label *label = ranges_at(&in->ranges, naming->from);
    struct event event = {.kind = EVENT_NAME}, *copy;

    if (!label || label->addr != naming->from || !*label->name) {
        in = &names->said;
        label = ranges_at(&in->ranges, naming->from);
    }
    if (!label || label->addr != naming->from)
        return false;
    event.name = name_of(label);
    event.name.addr = naming->name.addr;
    event.name.code = (struct bytes){0}; /* it may hold addresses */
    if (event.name.addr + event.name.length <= event.name.addr)
        return false;
    copy = event_keep(&event);
    if (in == &names->said)
        withdraw(names, label);
    else
        labels_drop(in, label);
    labels_add(&names->unsaid, &copy->name);
    event_free(copy);
    return true;
}

static void tell_flaw(struct thread *thread, const struct naming *flaw)
{
    struct names *names = &thread->space->names;

    if (names->flaws++ < MOST_FLAWS)
        thread_limit(thread, flaw->is_slight ? "name-style" : "name-format", 0,
                     "%s", flaw->flaw);
}

/* Takes one thing that the program says; list tells owners of several apart. */
static void take(struct thread *thread, const struct naming *naming,
                 unsigned list)
{
    struct names *names = &thread->space->names;
    const unsigned owner =
        naming->owner ? naming->owner * MOST_LISTS + list : 0;
    struct naming flaw;
    struct label *label;

    switch (naming->kind) {
    case NAMING_NAME_GIVEN:
        names->count++;
        names->bytes += bytes_of(&naming->name);
        label = labels_add(&names->unsaid, &naming->name);
        if (label)
            label->owner = owner;
        break;
    case NAMING_MOVED:
        names->count++;
        if (move(names, naming))
            break;
        naming_flaw(&flaw,
                    "code is said to be moved from 0x%" PRIx64
                    ", where none was said to be",
                    naming->from);
        tell_flaw(thread, &flaw);
        break;
    case NAMING_WITHDRAWN:
        withdraw_all(names, owner);
        break;
    case NAMING_FLAW:
        tell_flaw(thread, naming);
        break;
    }
}

/* Whether there is room for more of them. */
static bool has_room(const struct names *names)
{
    return names->count < MOST_NAMES && names->bytes < MOST_BYTES;
}

/* Takes what is new. False: nobody looks. */
static bool read_names(struct thread *thread)
{
    struct names *names = &thread->space->names;
    struct naming naming;
    bool full;

    if (!names->watched || names->limited)
        return names->watched;
    perfmap_read(&names->map);
    while (has_room(names) && perfmap_next(&names->map, &naming))
        take(thread, &naming, 0);
    full = names->map.full;
    for (size_t i = 0; i < names->dump_count; i++) {
        while (has_room(names) && jitdump_next(&names->dumps[i], &naming))
            take(thread, &naming, 0);
        full |= names->dumps[i].full;
    }
    for (unsigned i = 0; i < MOST_LISTS; i++) {
        gdbjit_look(&names->lists[i], thread->tracee.pid);
        while (has_room(names) && gdbjit_next(&names->lists[i], &naming))
            take(thread, &naming, i);
        full |= names->lists[i].full;
    }
    names->limited = full || !has_room(names);
    if (names->limited)
        thread_limit(thread, "names", 0,
                     "the program has more than %u names or %u MiB of them; "
                     "the names behind that are not read",
                     MOST_NAMES, MOST_BYTES >> 20);
    return true;
}

/* --- what is told --------------------------------------------------------- */

void names_read(struct thread *thread)
{
    read_names(thread);
}

const char *names_label(const struct thread *thread, uint64_t addr)
{
    const struct names *names = &thread->space->names;
    const struct label *label = ranges_at(&names->unsaid.ranges, addr);

    if (!label) /* an older one */
        label = ranges_at(&names->said.ranges, addr);
    return label && *label->name ? label->name : NULL;
}

bool names_fit(const struct thread *thread, uint64_t addr, uint64_t length,
               const struct choice_places *places)
{
    const struct names *names = &thread->space->names;
    const struct labels *const both[] = {&names->unsaid, &names->said};

    for (size_t i = 0; i < 2; i++) {
        size_t left;
        const struct stretch *at = ranges_from(&both[i]->ranges, addr, &left);

        for (; left > 0 && (at->from <= addr || at->from - addr < length);
             at++, left--)
            if (choice_names(places, ((const struct label *)at->value)->name))
                return true;
    }
    return false;
}

static int by_order(const void *a, const void *b)
{
    const struct label *one = *(struct label *const *)a;
    const struct label *other = *(struct label *const *)b;

    return one->order < other->order ? -1 : one->order > other->order;
}

/* Whether anything in the range is called something by what was told. */
static bool has_said(const struct names *names, uint64_t addr, uint64_t length)
{
    size_t left;
    const struct stretch *at = ranges_from(&names->said.ranges, addr, &left);

    return left > 0 && (at->from <= addr || at->from - addr < length);
}

/* Whether no later name has taken a part of it. */
static bool is_whole(const struct labels *labels, const struct label *label)
{
    size_t left;
    const struct stretch *at = ranges_from(&labels->ranges, label->addr, &left);

    return left > 0 && at->value == &label->value && at->from == label->addr &&
           at->to == label->addr + label->length;
}

static void tell_label(struct thread *thread, const struct label *label)
{
    struct names *names = &thread->space->names;
    struct event event = {.kind = EVENT_NAME, .tid = thread->tracee.tid};
    struct label *said;

    event.name = name_of(label);
    if (!event.name.name) {
        if (!has_said(names, label->addr, label->length))
            return;
        ranges_forget(&names->said.ranges, label->addr,
                      label->addr + label->length);
        run_tell(thread->run, &event);
        return;
    }
    if (!is_whole(&names->unsaid, label)) /* other code is there by now */
        event.name.code = (struct bytes){0};
    said = labels_add(&names->said, &event.name);
    if (!said)
        return;
    said->owner = label->owner;
    run_tell(thread->run, &event);
}

/* Whatever has a part in the range, in the order in which it was named: whoever
 * reads the events lets the later one win, too. */
static void tell_unsaid(struct thread *thread, uint64_t addr, uint64_t length)
{
    struct names *names = &thread->space->names;
    struct label **list = NULL;
    size_t count = 0, capacity = 0, left;
    const struct stretch *at = ranges_from(&names->unsaid.ranges, addr, &left);

    for (; left > 0 && (at->from <= addr || at->from - addr < length);
         at++, left--) {
        list = mem_grow(list, count, &capacity, sizeof(struct label *));
        list[count++] = (struct label *)at->value;
    }
    if (count > 0)
        qsort(list, count, sizeof(struct label *), by_order);
    for (size_t i = 0; i < count; i++) {
        if (i + 1 < count && list[i + 1] == list[i])
            continue;
        tell_label(thread, list[i]);
        labels_drop(&names->unsaid, list[i]);
    }
    free(list);
}

void names_tell(struct thread *thread, uint64_t addr, uint64_t length)
{
    if (thread->space->names.watched)
        seek_lists(thread);
    if (read_names(thread))
        tell_unsaid(thread, addr, length);
}

/* Names of what is in no file either: of a library's or the program's own code
 * there is nothing to tell. */
static void tell_outside(struct thread *thread)
{
    struct names *names = &thread->space->names;
    const struct stretch *stretch;
    uint64_t at = 0;
    size_t left;

    for (unsigned told = 0; told < MOST_OUTSIDE; told++) {
        stretch = ranges_from(&names->unsaid.ranges, at, &left);
        while (left > 0 && (!*((struct label *)stretch->value)->name ||
                            lines_symbol(thread->space->lines, stretch->from)))
            stretch++, left--;
        if (left == 0)
            return;
        at = stretch->to;
        tell_label(thread, (struct label *)stretch->value);
    }
}

/* Nothing more is written: what is left of the files is what it is. */
static void end_names(struct thread *thread)
{
    struct names *names = &thread->space->names;
    struct naming naming;

    if (names->limited)
        return;
    perfmap_end(&names->map);
    while (has_room(names) && perfmap_next(&names->map, &naming))
        take(thread, &naming, 0);
    for (size_t i = 0; i < names->dump_count; i++)
        if (jitdump_end(&names->dumps[i], &naming))
            take(thread, &naming, 0);
}

void names_tell_all(struct thread *thread)
{
    if (!read_names(thread))
        return;
    end_names(thread);
    for_each_region (region, thread->space)
        tell_unsaid(thread, region->addr, region->length);
    tell_outside(thread);
}

void names_stored(struct names *names, uint64_t addr, uint64_t length)
{
    labels_stored(&names->said, addr, length);
}

void names_forget(struct names *names, uint64_t addr, uint64_t length)
{
    ranges_forget(&names->said.ranges, addr, addr + length);
}

void names_line(struct thread *thread, uint64_t addr, struct srcline *out)
{
    const char *path;

    if (labels_line(&thread->space->names.said, addr, out, &path))
        files_find_made(lines_files(thread->space->lines), path, out->line,
                        out);
}
