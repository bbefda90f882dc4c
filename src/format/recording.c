/* SPDX-License-Identifier: MIT */
/*
 * recording.c - what an event must fit: the view of all events before it.
 *
 *     what is said                          must be
 *     a mapping, or a part of one           whole pages that a program can have
 *     the protection before                 the one that was set before
 *     a write, an entry, a step             in a mapping, at the offset there
 *     bytes: old, code, those of a step     what is known to be there
 *     a step                                of a thread that has entered
 *     registers: old, the program counter   those after the step before
 *     a name                                of code, and what it says of that in
 *                                           order; taken back: one that it had
 *
 * Not all that a view holds is certain. An observer stops watching stores
 * where a limit says so, and does not see those of other processes into shared
 * memory: the bytes of such a mapping bind nobody. Nor do bytes that no event
 * has told of, but those of fresh anonymous memory, which the kernel clears
 * (mmap(2)). What other threads have stored is certain for a thread that has
 * entered since.
 */
#include "format/format.h"

#include <limits.h>
#include <signal.h>

#include "base/mem.h"
#include "format/json_fields.h"
#include "format/told.h"

/* Where the memory of a program ends at the latest: five levels of page tables
 * leave it 56 bits of address (Intel SDM vol. 1, 3.3.7.1). */
#define MEMORY_END (UINT64_C(1) << 56)

#define ADDR "0x%" PRIx64

struct recording {
    struct source source;
    struct source *json;
    struct told_list told;
    struct told *now; /* the process that the event is of */
};

/* As json_fail, of the line that was read last. */
#define REFUSE(...) json_fail(json_source_line(recording->json), __VA_ARGS__)

/* --- what is certain ----------------------------------------------------- */

static void note_write(struct recording *recording, const struct event *event)
{
    const struct event_write *write = &event->write;
    const uint64_t addrs[] = {write->addr, write->also.value};
    struct own_store *own = &recording->now->own;

    for (int i = 0; i < 1 + write->also.known; i++) {
        const struct region *region =
            view_region_at(&recording->now->view, addrs[i]);
        struct certainty *mapping;

        if (!region)
            continue;
        mapping = told_certainty(recording->now, region);
        if (mapping->writer != event->tid)
            mapping->written_other = mapping->written;
        mapping->writer = event->tid;
        mapping->written = event->seq;
        mapping->lost |= !write->new.data;
    }
    if (write->by || !write->old.data)
        return;
    if (own->tid != event->tid || own->pc != write->pc)
        *own = (struct own_store){.tid = event->tid, .pc = write->pc};
    for (uint64_t i = 0; i < INSN_MAX_LENGTH; i++) {
        uint64_t at = own->pc + i - write->addr;

        if (at >= write->old.len || own->stored[i])
            continue;
        own->stored[i] = true;
        own->old[i] = write->old.data[at];
    }
}

/* After the view has taken the event. */
static void note(struct recording *recording, const struct event *event)
{
    const struct event_limit *limit = &event->limit;
    const struct event_map *map = &event->map;
    const struct region *region = NULL;
    bool shared;

    switch (event->kind) {
    case EVENT_LIMIT:
        if (!limit->budget || word_is(limit->budget, "steps") ||
            (word_is(limit->budget, "call-steps") && !limit->addr.known))
            recording->now->steps_end =
                true; /* of no call, where none is named */
        /* These have nothing to do with what is stored. */
        if (word_is(limit->budget, "names") ||
            word_is(limit->budget, "name-format") ||
            word_is(limit->budget, "name-style") ||
            word_is(limit->budget, "only") ||
            word_is(limit->budget, "unmatched") ||
            word_is(limit->budget, "last") ||
            word_is(limit->budget, "output") ||
            word_is(limit->budget, "callers"))
            break;
        recording->now->limited = event->seq;
        if (limit->addr.known)
            region = view_region_at(&recording->now->view, limit->addr.value);
        if (region)
            told_certainty(recording->now, region)->lost = true;
        else
            recording->now->all_lost = true;
        break;
    case EVENT_WRITE:
        note_write(recording, event);
        break;
    case EVENT_MAP:
        shared = map->flags && strstr(map->flags, "MAP_SHARED");
        region = view_region_at(&recording->now->view, map->addr);
        *told_certainty(recording->now, region) = (struct certainty){
            /* It was not there before, and nobody else has it. */
            .cleared = map->call && strncmp(map->call, "mmap(", 5) == 0 &&
                       map->flags && strstr(map->flags, "MAP_ANONYMOUS") &&
                       !shared && word_is(map->backing, "anonymous"),
            /* Others may have it, or it was there before: a stack is, of which
             * not each store is told. */
            .lost = !map->call || !map->flags || shared,
        };
        break;
    default:
        break;
    }
}

/* Whether it is known which byte a thread finds at addr, and which it is. Where
 * another one has stored since it entered, it may see that or not. */
static bool is_certain(struct recording *recording, int tid, uint64_t addr,
                       uint8_t *byte)
{
    const struct view *view = &recording->now->view;
    const struct region *region = view_region_at(view, addr);
    const struct view_thread *thread = view_thread(view, tid);
    const struct certainty *mapping;
    uint64_t other;

    if (!region || recording->now->all_lost)
        return false;
    mapping = told_certainty(recording->now, region);
    other = mapping->writer == tid ? mapping->written_other : mapping->written;
    if (mapping->lost || (other > 0 && (!thread || other > thread->entered)) ||
        (!mapping->cleared && !pages_written(&view->pages, addr)))
        return false;
    pages_read(&view->pages, addr, 1, byte);
    return true;
}

static int check_bytes(struct recording *recording, const struct event *event,
                       const char *what, uint64_t addr, struct bytes bytes)
{
    uint8_t known;

    for (size_t i = 0; i < bytes.len; i++)
        if (is_certain(recording, event->tid, addr + i, &known) &&
            known != bytes.data[i])
            return REFUSE("the byte at " ADDR " is %02x by what came before, "
                          "but %s says %02x",
                          addr + i, known, what, bytes.data[i]);
    return 0;
}

/* The same of the bytes of a step, which may have changed by that step. */
static int check_fetched(struct recording *recording, const struct event *event)
{
    struct own_store own = recording->now->own;
    const struct event_step *step = &event->step;

    if (own.tid == event->tid)
        recording->now->own = (struct own_store){0};
    if (own.tid != event->tid || own.pc != step->addr)
        own = (struct own_store){0};
    for (size_t i = 0; i < step->bytes.len; i++) {
        struct bytes byte = {step->bytes.data + i, 1};

        if (own.stored[i] && own.old[i] != *byte.data)
            return REFUSE("the byte at " ADDR
                          " was %02x before the step stored "
                          "there, but \"bytes\" says %02x",
                          step->addr + i, own.old[i], *byte.data);
        if (!own.stored[i] && check_bytes(recording, event, "\"bytes\"",
                                          step->addr + i, byte) < 0)
            return -1;
    }
    return 0;
}

/* --- where ---------------------------------------------------------------- */

/* Pages that a program can have. */
static int check_pages(struct recording *recording, uint64_t addr,
                       uint64_t length)
{
    if (length == 0)
        return REFUSE("the \"length\" is 0, but no mapping is empty");
    if (addr % ARCH_PAGE_SIZE || length % ARCH_PAGE_SIZE)
        return REFUSE("\"addr\" and \"length\" must be of whole pages of %u "
                      "bytes, as all mappings are",
                      ARCH_PAGE_SIZE);
    if (addr >= MEMORY_END || length > MEMORY_END - addr)
        return REFUSE("%" PRIu64 " bytes at " ADDR " are more than the memory "
                      "that a program can have",
                      length, addr);
    return 0;
}

/* [addr, addr + len) is mapped, and offset bytes from its mapping's start. */
static int check_place(struct recording *recording, uint64_t addr, uint64_t len,
                       uint64_t offset)
{
    const struct view *view = &recording->now->view;
    const struct region *region = view_region_at(view, addr);
    uint64_t start = region ? region->start : 0;

    if (region && offset != addr - start)
        return REFUSE("the \"offset\" of " ADDR " is %" PRIu64
                      ", but its mapping begins at " ADDR,
                      addr, offset, start);
    for (uint64_t at = addr; region; region = view_region_at(view, at)) {
        if (len <= region->addr + region->length - addr)
            return 0;
        at = region->addr + region->length;
    }
    return REFUSE("%" PRIu64 " bytes at " ADDR " are not all in a mapping that "
                  "came before",
                  len, addr);
}

/* What a program accesses wraps around nowhere. */
static int check_accesses(struct recording *recording, const char *what,
                          const struct mem_accesses *accesses)
{
    for (size_t i = 0; i < accesses->count; i++) {
        const struct mem_access *access = &accesses->list[i];
        size_t len = access->old_bytes.len > access->new_bytes.len
                         ? access->old_bytes.len
                         : access->new_bytes.len;

        if (len > 0 && access->addr + (len - 1) < access->addr)
            return REFUSE("%zu bytes at " ADDR " of \"%s\" go beyond the last "
                          "address",
                          len, access->addr, what);
    }
    return 0;
}

static int check_range(struct recording *recording, const char *field,
                       int64_t value, int64_t first, int64_t last)
{
    if (value >= first && value <= last)
        return 0;
    return REFUSE("the field \"%s\" is %" PRId64
                  ", but it must be from %" PRId64 " to %" PRId64,
                  field, value, first, last);
}

/* --- registers ------------------------------------------------------------ */

static int check_register(struct recording *recording, enum reg reg,
                          uint64_t known, uint64_t told)
{
    if (known == told)
        return 0;
    return REFUSE("%s is " ADDR
                  " by what came before, but this event says " ADDR,
                  reg_name(reg), known, told);
}

/* Whether all that the thread did since it has entered was told. After a limit
 * it may have gone on at full speed for a while. */
static bool is_followed(const struct recording *recording,
                        const struct view_thread *thread)
{
    return thread && thread->inside && !recording->now->steps_end &&
           thread->entered >= recording->now->limited;
}

/* The same of the registers of cpu/vregs.h that a step has changed. */
static int check_vregs(struct recording *recording,
                       const struct view_thread *thread,
                       const struct vreg_changes *changes)
{
    for (size_t i = 0;
         thread->vregs && is_followed(recording, thread) && i < changes->count;
         i++) {
        const struct vreg_change *change = &changes->list[i];
        const struct bytes known =
            vregs_value(&thread->vregs->value, change->reg);
        struct buf name = {0};
        int result;

        if (!memcmp(known.data, change->old_bytes.data, change->old_bytes.len))
            continue;
        vreg_name(change->reg, change->old_bytes.len, &name);
        result = REFUSE("what this event says %s was before is not what it is "
                        "by what came before",
                        buf_text(&name));
        buf_release(&name);
        return result;
    }
    return 0;
}

/* --- kinds ---------------------------------------------------------------- */

static int check_protect(struct recording *recording, const struct event *event)
{
    const struct event_protect *change = &event->protect;
    uint64_t end = change->addr + change->length;
    const struct region *region;
    char was[4], told[4];

    if (check_pages(recording, change->addr, change->length) < 0)
        return -1;
    region = regions_from(&recording->now->view.regions, change->addr);
    if (!region || region->addr >= end)
        return REFUSE("nothing is mapped at " ADDR " by what came before",
                      change->addr);
    prot_text(region->prot, was);
    prot_text(change->old_prot, told);
    if (region->prot != change->old_prot)
        return REFUSE("the protection at " ADDR " is %s by what came before, "
                      "but \"old_prot\" says %s",
                      change->addr, was, told);
    if (change->code_offset > change->length ||
        change->code.len > change->length - change->code_offset)
        return REFUSE("the \"code\" is not all in the pages "
                      "whose protection changed");
    return check_bytes(recording, event, "\"code\"",
                       change->addr + change->code_offset, change->code);
}

static int check_write(struct recording *recording, const struct event *event)
{
    const struct event_write *write = &event->write;
    size_t len = write->old.data ? write->old.len : write->new.len;
    const struct region *twin;

    if (check_place(recording, write->addr, len, write->offset) < 0 ||
        check_bytes(recording, event, "\"old\"", write->addr, write->old) < 0)
        return -1;
    if (!write->also.known)
        return 0;
    twin = view_region_at(&recording->now->view, write->also.value);
    return check_place(recording, write->also.value, len,
                       twin ? write->also.value - twin->start : 0);
}

static int check_step(struct recording *recording, const struct event *event)
{
    const struct view_thread *thread =
        view_thread(&recording->now->view, event->tid);
    const struct event_step *step = &event->step;
    size_t changes = is_followed(recording, thread) ? step->regs.count : 0;

    if (!thread || !thread->inside)
        return REFUSE("thread %d makes a step, but no \"enter\" event has "
                      "brought it into generated code",
                      event->tid);
    if ((step->bytes.data &&
         check_range(recording, "bytes", (int64_t)step->bytes.len, 1,
                     INSN_MAX_LENGTH) < 0) ||
        check_place(recording, step->addr, step->bytes.len + !step->bytes.len,
                    step->offset) < 0 ||
        (is_followed(recording, thread) &&
         check_register(recording, REG_PC, thread->regs.value[REG_PC],
                        step->addr) < 0))
        return -1;
    for (size_t i = 0; i < changes; i++) {
        const struct reg_change *change = &step->regs.list[i];

        if (check_register(recording, change->reg,
                           thread->regs.value[change->reg],
                           change->old_value) < 0 ||
            (change->reg == REG_PC &&
             check_register(recording, REG_PC, change->new_value, step->next) <
                 0))
            return -1;
    }
    if (check_vregs(recording, thread, &step->vregs) < 0 ||
        check_accesses(recording, "reads", &step->reads) < 0 ||
        check_accesses(recording, "writes", &step->writes) < 0)
        return -1;
    return check_fetched(recording, event);
}

static int check_name(struct recording *recording, const struct event *event)
{
    const struct event_name *name = &event->name;
    const struct line_rows *rows = &name->lines;
    size_t left;
    const struct stretch *at =
        ranges_from(&recording->now->view.labels.ranges, name->addr, &left);

    if (name->length == 0 || name->addr + name->length < name->addr)
        return REFUSE("%" PRIu64 " bytes at " ADDR
                      " are no code that can have a name",
                      name->length, name->addr);
    if (name->code.len > name->length)
        return REFUSE("the \"code\" of " ADDR " has %zu bytes, but its "
                      "\"length\" says %" PRIu64,
                      name->addr, name->code.len, name->length);
    for (size_t i = 0; i < rows->count; i++)
        if (rows->list[i].offset >= name->length ||
            (i > 0 && rows->list[i].offset <= rows->list[i - 1].offset))
            return REFUSE("the \"lines\" of " ADDR " must be in the order of "
                          "their offsets, which are below its \"length\", but "
                          "offset %" PRIu64 " is not",
                          name->addr, rows->list[i].offset);
    if (!name->name && (left == 0 || (at->from > name->addr &&
                                      at->from - name->addr >= name->length)))
        return REFUSE("the names of " ADDR " are taken back, but a name must "
                      "be given before that",
                      name->addr);
    return 0;
}

static int check(struct recording *recording, const struct event *event)
{
    const struct view_thread *thread =
        view_thread(&recording->now->view, event->tid);
    const struct event_enter *enter = &event->enter;
    const struct event_leave *leave = &event->leave;
    const struct event_signal *signal = &event->signal;
    uint64_t addr;
    struct bytes code = event_bytes(event, &addr);

    switch (event->kind) {
    case EVENT_MAP:
        return check_pages(recording, event->map.addr, event->map.length);
    case EVENT_WRITE:
        return check_write(recording, event);
    case EVENT_PROTECT:
        return check_protect(recording, event);
    case EVENT_UNMAP:
        return check_pages(recording, event->unmap.addr, event->unmap.length);
    case EVENT_ENTER:
        if (check_place(recording, enter->addr, 1, enter->offset) < 0 ||
            (code.len > 0 &&
             check_place(recording, addr, code.len, enter->code_offset) < 0))
            return -1;
        return check_bytes(recording, event, "\"code\"", addr, code);
    case EVENT_STEP:
        return check_step(recording, event);
    case EVENT_LEAVE:
        /* Where it leads is known if each step was seen, and unless the kernel
         * has sent the thread elsewhere. */
        if (!is_followed(recording, thread) || !leave->how ||
            word_is(leave->how, "signal"))
            return 0;
        if (check_register(recording, REG_PC, thread->regs.value[REG_PC],
                           leave->to) < 0)
            return -1;
        return leave->value.known
                   ? check_register(recording, REG_RESULT,
                                    thread->regs.value[REG_RESULT],
                                    leave->value.value)
                   : 0;
    case EVENT_NAME:
        return check_name(recording, event);
    case EVENT_OUTPUT:
        return check_range(recording, "fd", event->output.fd, 1, 2);
    case EVENT_SIGNAL:
        if (check_range(recording, "number", signal->number, 1, SIGRTMAX) < 0 ||
            check_range(recording, "bytes", (int64_t)signal->bytes.len, 0,
                        INSN_MAX_LENGTH) < 0)
            return -1;
        return signal->pc.known && signal->regs.known
                   ? check_register(recording, REG_PC, signal->pc.value,
                                    signal->regs.value.value[REG_PC])
                   : 0;
    case EVENT_EXIT:
        if (event->exit.signal.known)
            return check_range(recording, "signal",
                               (int64_t)event->exit.signal.value, 1, SIGRTMAX);
        /* exit(2) keeps the low byte of a status. */
        return check_range(recording, "status",
                           (int64_t)event->exit.status.value, 0, 255);
    default:
        return 0;
    }
}

/* --- the source ----------------------------------------------------------- */

static int recording_next(struct source *source, struct event *event,
                          struct err *err)
{
    struct recording *recording = (struct recording *)source;
    int more = source_next(recording->json, event, err);

    if (more <= 0)
        return more;
    if (event->kind == EVENT_FORK &&
        (event->fork.child <= 0 || event->fork.child > INT_MAX))
        return REFUSE("the field \"child\" is %" PRId64
                      ", which is no process ID",
                      event->fork.child);
    recording->now = told_of(&recording->told, event);
    if (check(recording, event) < 0)
        return -1;
    view_apply(&recording->now->view, event);
    note(recording, event);
    if (event->kind == EVENT_FORK)
        told_fork(&recording->told, event);
    return 1;
}

static void recording_free(struct source *source)
{
    struct recording *recording = (struct recording *)source;

    told_release(&recording->told);
    source_free(recording->json);
    free(recording);
}

struct source *recording_new(FILE *in, const char *name)
{
    struct recording *recording = mem_alloc(sizeof *recording);

    recording->source =
        (struct source){.next = recording_next, .free = recording_free};
    recording->json = json_source_new(in, name);
    return &recording->source;
}
