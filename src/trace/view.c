/* SPDX-License-Identifier: MIT */
#include "trace/view.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"

void view_init(struct view *view)
{
    *view = (struct view){0};
}

void view_release(struct view *view)
{
    regions_release(&view->regions);
    ranges_release(&view->pages.ranges);
    ranges_release(&view->protections);
    ranges_release(&view->generations);
    threads_release(&view->threads);
    buf_release(&view->output);
    ranges_release(&view->listing);
    ranges_release(&view->labels.ranges);
}

void view_copy(struct view *to, const struct view *from)
{
    *to = *from;
    regions_copy(&to->regions, &from->regions);
    ranges_copy(&to->pages.ranges, &from->pages.ranges);
    ranges_copy(&to->protections, &from->protections);
    ranges_copy(&to->generations, &from->generations);
    threads_copy(&to->threads, &from->threads);
    ranges_copy(&to->listing, &from->listing);
    ranges_copy(&to->labels.ranges, &from->labels.ranges);
    to->output = (struct buf){0};
    buf_append(&to->output, from->output.data, from->output.len);
}

size_t view_memory(const struct view *view)
{
    return sizeof *view + regions_memory(&view->regions) +
           ranges_memory(&view->pages.ranges) +
           ranges_memory(&view->protections) +
           ranges_memory(&view->generations) + threads_memory(&view->threads) +
           ranges_memory(&view->listing) + ranges_memory(&view->labels.ranges) +
           view->output.capacity;
}

const char *stage_name(enum stage stage)
{
    static const char *const name[STAGES] = {
        [STAGE_PAGE_SIZE] = "getpagesize",
        [STAGE_MAP] = "mmap",
        [STAGE_WRITE] = "byte writes",
        [STAGE_PROTECT] = "mprotect",
        [STAGE_CALL] = "call",
    };

    return name[stage];
}

/* --- questions ----------------------------------------------------------- */

const struct region *view_region_at(const struct view *view, uint64_t addr)
{
    return regions_at(&view->regions, addr);
}

const struct protection *view_protection(const struct view *view, uint64_t addr)
{
    return ranges_at(&view->protections, addr);
}

const struct view_thread *view_thread(const struct view *view, int tid)
{
    return threads_find(&view->threads, tid);
}

const struct frame *view_frame(const struct view *view, int tid)
{
    const struct view_thread *thread = view_thread(view, tid);

    return thread ? thread->frame : NULL;
}

bool view_is_inside(const struct view *view, int tid)
{
    const struct view_thread *thread = view_thread(view, tid);

    return thread && thread->inside;
}

const struct regs *view_regs(const struct view *view, int tid)
{
    const struct view_thread *thread = view_thread(view, tid);

    if (!thread || !thread->regs_known)
        thread = view_thread(view, view->threads.last_tid);
    return thread && thread->regs_known ? &thread->regs : NULL;
}

bool view_code(const struct view *view, const struct region *region,
               struct buf *out, uint64_t *offset)
{
    uint64_t first, last;
    uint8_t chunk[256];

    if (!pages_extent(&view->pages, region->addr, region->length, &first,
                      &last))
        return false;
    *offset = first - region->addr;
    while (first <= last) {
        size_t part = last - first + 1;

        if (part > sizeof chunk)
            part = sizeof chunk;
        pages_read(&view->pages, first, part, chunk);
        buf_append(out, chunk, part);
        first += part;
    }
    return true;
}

bool view_has_code(const struct view *view, uint64_t addr)
{
    uint64_t first, last;

    return pages_extent(&view->pages, addr, INSN_MAX_LENGTH, &first, &last);
}

bool view_decode(const struct view *view, uint64_t addr, struct insn *insn)
{
    uint8_t bytes[INSN_MAX_LENGTH];

    pages_read(&view->pages, addr, sizeof bytes, bytes);
    return insn_decode(bytes, sizeof bytes, addr, insn) > 0;
}

/* --- what code there is -------------------------------------------------- */

/* Bytes that an event shows or stores. */
struct found {
    uint64_t addr;
    struct bytes bytes;
};

/* The code that an event carries. */
static struct found code_of(const struct event *event)
{
    const struct event_protect *protect = &event->protect;
    const struct event_enter *enter = &event->enter;

    return event->kind == EVENT_PROTECT
               ? (struct found){protect->addr + protect->code_offset,
                                protect->code}
               : (struct found){enter->addr - enter->offset +
                                    enter->code_offset,
                                enter->code};
}

struct generation {
    struct range_value value;
    unsigned number;
    bool in_use;     /* something of it was executed or became executable */
    bool executable; /* a part of it is or was, or it was entered */
};

static struct generation generation_of(const struct view *view,
                                       const struct region *region)
{
    const struct generation *known =
        ranges_at(&view->generations, region->mapping);

    return known ? *known : (struct generation){.number = 1};
}

unsigned view_generation(const struct view *view, const struct region *region)
{
    return generation_of(view, region).number;
}

bool view_was_executable(const struct view *view, const struct region *region)
{
    return generation_of(view, region).executable;
}

static void set_generation(struct view *view, const struct region *region,
                           struct generation now)
{
    struct generation *generation = range_value_new(sizeof *generation);

    now.value = generation->value;
    *generation = now;
    ranges_set(&view->generations, region->mapping, region->mapping + 1,
               &generation->value);
    range_value_drop(&generation->value);
}

/* Bytes that are news in code that was in use make it another version. */
static const struct region *changed_by(const struct view *view,
                                       struct found found)
{
    const struct region *region = regions_at(&view->regions, found.addr);

    return region && generation_of(view, region).in_use &&
                   !pages_hold(&view->pages, found.addr, found.bytes)
               ? region
               : NULL;
}

const struct region *view_superseded(const struct view *view,
                                     const struct event *event)
{
    switch (event->kind) {
    case EVENT_WRITE:
        return changed_by(view,
                          (struct found){event->write.addr, event->write.new});
    case EVENT_PROTECT:
    case EVENT_ENTER:
        return changed_by(view, code_of(event));
    default:
        return NULL;
    }
}

static void note_change(struct view *view, struct found found)
{
    const struct region *region = changed_by(view, found);
    struct generation next = {0};

    if (!region)
        return;
    next.number = view_generation(view, region) + 1;
    for (size_t i = 0; i < view->regions.count; i++)
        next.executable |= view->regions.list[i].mapping == region->mapping &&
                           (view->regions.list[i].prot & PROT_EXEC);
    set_generation(view, region, next);
}

/* The region, if there is one, is used, or can be executed, as it is. */
static void note_use(struct view *view, const struct region *region,
                     bool in_use, bool executable)
{
    struct generation now;

    if (!region)
        return;
    now = generation_of(view, region);
    if ((!in_use || now.in_use) && (!executable || now.executable))
        return;
    now.in_use |= in_use;
    now.executable |= executable;
    set_generation(view, region, now);
}

static void store(struct view *view, struct found found)
{
    note_change(view, found);
    pages_write(&view->pages, found.addr, found.bytes);
}

static void learn(struct view *view, const struct event *event)
{
    struct found found = code_of(event);

    note_change(view, found);
    pages_learn(&view->pages, found.addr, found.bytes);
    if (event->pages)
        pages_share(&view->pages, event->pages, found.addr, found.bytes.len);
}

/* --- events -------------------------------------------------------------- */

static const char *keep_text(char **at, const char *text)
{
    char *kept = *at;

    if (!text)
        return NULL;
    *at = stpcpy(kept, text) + 1;
    return kept;
}

/* The event is about the call that set the protection of that range. */
static void set_protection(struct view *view, const struct event *event,
                           uint64_t addr, uint64_t length)
{
    const char *call =
        event->kind == EVENT_MAP ? event->map.call : event->protect.call;
    const char *maps =
        event->kind == EVENT_MAP ? event->map.maps : event->protect.maps;
    const char *texts[] = {call, maps, event->source.file};
    struct protection *protection;
    size_t size = sizeof *protection;
    char *at;

    if (addr + length <= addr) /* a recording may hold any numbers */
        return;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        size += texts[i] ? strlen(texts[i]) + 1 : 0;
    protection = range_value_new(size);
    at = protection->texts;
    protection->seq = event->seq;
    protection->call = keep_text(&at, call);
    protection->maps = keep_text(&at, maps);
    protection->file = keep_text(&at, event->source.file);
    protection->line = event->source.line;
    ranges_set(&view->protections, addr, addr + length, &protection->value);
    range_value_drop(&protection->value);
}

/* What was there is gone. */
static void forget(struct view *view, uint64_t addr, uint64_t length)
{
    ranges_forget(&view->pages.ranges, addr, addr + length);
    ranges_forget(&view->labels.ranges, addr, addr + length);
    ranges_forget(&view->protections, addr, addr + length);
}

static void apply_map(struct view *view, const struct event *event)
{
    const struct event_map *map = &event->map;
    const struct region *region;

    region = regions_map(&view->regions, map->addr, map->length, map->prot);
    note_use(view, region, false, map->prot & PROT_EXEC);
    forget(view, map->addr, map->length);
    set_protection(view, event, map->addr, map->length);
}

static void apply_protect(struct view *view, const struct event *event)
{
    const struct event_protect *protect = &event->protect;
    uint64_t end = protect->addr + protect->length, first, last;
    size_t i = regions_cut(&view->regions, protect->addr, protect->length);

    for (; i < view->regions.count && view->regions.list[i].addr < end; i++)
        view->regions.list[i].prot = protect->prot;
    set_protection(view, event, protect->addr, protect->length);
    learn(view, event);
    if ((protect->prot & ~protect->old_prot & PROT_EXEC) &&
        pages_extent(&view->pages, protect->addr, protect->length, &first,
                     &last))
        note_use(view, view_region_at(view, protect->addr), true, false);
    for (i = 0; i < view->regions.count; i++) {
        const struct region *region = &view->regions.list[i];

        if (region->addr >= protect->addr && region->addr < end)
            note_use(view, region, false, protect->prot & PROT_EXEC);
    }
}

/* What the CPU executed was there, whoever put it there. */
static void apply_step(struct view *view, const struct event_step *step)
{
    note_use(view, view_region_at(view, step->addr), true, false);
    for (size_t i = 0; i < step->bytes.len; i++)
        if (!pages_written(&view->pages, step->addr + i))
            pages_write(&view->pages, step->addr + i,
                        (struct bytes){step->bytes.data + i, 1});
}

static void apply_output(struct view *view, struct bytes bytes)
{
    struct buf *output = &view->output;

    view->output_total += bytes.len;
    if (bytes.len > VIEW_OUTPUT) {
        bytes.data += bytes.len - VIEW_OUTPUT;
        bytes.len = VIEW_OUTPUT;
    }
    if (output->len + bytes.len > VIEW_OUTPUT) {
        size_t kept = VIEW_OUTPUT - bytes.len;

        memmove(output->data, output->data + output->len - kept, kept);
        output->len = kept;
    }
    buf_append(output, bytes.data, bytes.len);
}

void view_apply(struct view *view, const struct event *event)
{
    const struct event_write *write = &event->write;
    const struct event_name *name = &event->name;

    threads_apply(&view->threads, event);
    switch (event->kind) {
    case EVENT_START:
        view->stage = STAGE_PAGE_SIZE;
        break;
    case EVENT_MAP:
        view->stage = STAGE_MAP;
        apply_map(view, event);
        break;
    case EVENT_WRITE:
        view->stage = STAGE_WRITE;
        store(view, (struct found){write->addr, write->new});
        if (write->also.known)
            store(view, (struct found){write->also.value, write->new});
        break;
    case EVENT_PROTECT:
        view->stage = STAGE_PROTECT;
        apply_protect(view, event);
        break;
    case EVENT_UNMAP:
        regions_unmap(&view->regions, event->unmap.addr, event->unmap.length);
        forget(view, event->unmap.addr, event->unmap.length);
        break;
    case EVENT_ENTER:
        view->stage = STAGE_CALL;
        learn(view, event);
        note_use(view, view_region_at(view, event->enter.addr), true, true);
        view->calls += word_is(event->enter.how, "call");
        break;
    case EVENT_STEP:
        apply_step(view, &event->step);
        break;
    case EVENT_NAME: /* a recording may hold any numbers */
        if (name->name && name->addr + name->length > name->addr)
            labels_add(&view->labels, name->addr, name->length, name->name);
        break;
    case EVENT_OUTPUT:
        apply_output(view, event->output.bytes);
        break;
    case EVENT_EXIT:
        view->ended = true;
        break;
    default:
        break;
    }
    listing_learn(&view->listing, &event->source);
    view->applied++;
}

void view_at(struct view *view, const struct store *store, uint64_t seq)
{
    struct unpacked unpacked = {0};

    view_release(view);
    view_init(view);
    for (uint64_t i = 0; i <= seq && i < store->count; i++) {
        store_read(store, i, &unpacked);
        view_apply(view, &unpacked.event);
    }
    unpacked_release(&unpacked);
}
