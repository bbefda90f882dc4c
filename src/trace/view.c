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
    pages_release(&view->pages);
    buf_release(&view->output);
    listing_release(&view->listing);
    labels_release(&view->labels);
    free(view->threads);
}

void view_copy(struct view *to, const struct view *from)
{
    *to = *from;
    regions_copy(&to->regions, &from->regions);
    pages_copy(&to->pages, &from->pages);
    listing_copy(&to->listing, &from->listing);
    labels_copy(&to->labels, &from->labels);
    to->output = (struct buf){0};
    buf_append(&to->output, from->output.data, from->output.len);
    to->threads =
        mem_copy(from->threads, from->thread_count * sizeof *from->threads);
    to->thread_capacity = from->thread_count;
}

size_t view_memory(const struct view *view)
{
    return sizeof *view + regions_memory(&view->regions) +
           pages_memory(&view->pages) + listing_memory(&view->listing) +
           labels_memory(&view->labels) + view->output.capacity +
           view->thread_capacity * sizeof *view->threads;
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

/* The stage that an event opens or belongs to; some belong to any. */
static enum stage stage_after(enum stage stage, const struct event *event)
{
    switch (event->kind) {
    case EVENT_START:
        return STAGE_PAGE_SIZE;
    case EVENT_MAP:
        return STAGE_MAP;
    case EVENT_WRITE:
        return STAGE_WRITE;
    case EVENT_PROTECT:
        return STAGE_PROTECT;
    case EVENT_ENTER:
        return STAGE_CALL;
    default:
        return stage;
    }
}

/* The index of the first thread whose number is not below. */
static size_t thread_index(const struct view *view, int tid)
{
    size_t low = 0, high = view->thread_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (view->threads[middle].tid < tid)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const struct view_thread *view_thread(const struct view *view, int tid)
{
    size_t i = thread_index(view, tid);

    if (i < view->thread_count && view->threads[i].tid == tid)
        return &view->threads[i];
    return NULL;
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
        thread = view_thread(view, view->last_tid);
    return thread && thread->regs_known ? &thread->regs : NULL;
}

/* The thread, made when it is seen for the first time. */
static struct view_thread *need_thread(struct view *view, int tid)
{
    size_t i = thread_index(view, tid);

    if (i < view->thread_count && view->threads[i].tid == tid)
        return &view->threads[i];
    view->threads = mem_grow(view->threads, view->thread_count,
                             &view->thread_capacity, sizeof *view->threads);
    memmove(&view->threads[i + 1], &view->threads[i],
            (view->thread_count - i) * sizeof *view->threads);
    view->thread_count++;
    view->threads[i] = (struct view_thread){.tid = tid};
    return &view->threads[i];
}

/* The event is about the call that set the protection. */
static struct region_origin origin_of(const struct event *event,
                                      const char *call)
{
    return (struct region_origin){event->seq, (char *)call,
                                  (char *)event->source.file,
                                  event->source.line};
}

static void apply_map(struct view *view, const struct event *event)
{
    const struct event_map *map = &event->map;
    struct region_origin origin = origin_of(event, map->call);
    struct region *region;

    region = regions_map(&view->regions, map->addr, map->length, map->prot);
    region_set_maps(region, map->maps);
    region_set_origin(region, &origin);
    pages_forget(&view->pages, map->addr, map->length);
    labels_forget(&view->labels, map->addr, map->length);
}

static void apply_unmap(struct view *view, const struct event_unmap *unmap)
{
    regions_unmap(&view->regions, unmap->addr, unmap->length);
    pages_forget(&view->pages, unmap->addr, unmap->length);
    labels_forget(&view->labels, unmap->addr, unmap->length);
}

/* A recording may hold any numbers. */
static void apply_name(struct view *view, const struct event_name *name)
{
    if (name->name && name->length > 0 &&
        name->addr + name->length > name->addr)
        labels_add(&view->labels, name->addr, name->length, name->name);
}

/* Bytes that are news in code that was in use make it another version. */
static const struct region *changed_by(const struct view *view, uint64_t addr,
                                       struct bytes bytes)
{
    const struct region *region = regions_at(&view->regions, addr);

    return region && region->in_use && !pages_hold(&view->pages, addr, bytes)
               ? region
               : NULL;
}

static void note_change(struct view *view, uint64_t addr, struct bytes bytes)
{
    const struct region *region = changed_by(view, addr, bytes);

    if (region)
        regions_change(&view->regions, region);
}

const struct region *view_superseded(const struct view *view,
                                     const struct event *event)
{
    switch (event->kind) {
    case EVENT_WRITE:
        return changed_by(view, event->write.addr, event->write.new);
    case EVENT_PROTECT:
        return changed_by(view,
                          event->protect.addr + event->protect.code_offset,
                          event->protect.code);
    case EVENT_ENTER:
        return changed_by(view,
                          event->enter.addr - event->enter.offset +
                              event->enter.code_offset,
                          event->enter.code);
    default:
        return NULL;
    }
}

static void note_use(struct view *view, uint64_t addr)
{
    const struct region *region = regions_at(&view->regions, addr);

    if (region)
        regions_use(&view->regions, region);
}

static void store_at(struct view *view, uint64_t addr, struct bytes bytes)
{
    note_change(view, addr, bytes);
    pages_write(&view->pages, addr, bytes);
}

static void apply_write(struct view *view, const struct event_write *write)
{
    store_at(view, write->addr, write->new);
    if (write->also.known)
        store_at(view, write->also.value, write->new);
}

/* An event tells what code there is at addr. */
static void learn(struct view *view, uint64_t addr, struct bytes code)
{
    note_change(view, addr, code);
    pages_learn(&view->pages, addr, code);
}

static void apply_protect(struct view *view, const struct event *change)
{
    const struct event_protect *event = &change->protect;
    struct region_origin origin = origin_of(change, event->call);
    uint64_t end = event->addr + event->length;
    size_t i = regions_cut(&view->regions, event->addr, event->length);
    uint64_t first, last;

    for (; i < view->regions.count && view->regions.list[i].addr < end; i++) {
        view->regions.list[i].prot = event->prot;
        region_set_maps(&view->regions.list[i], event->maps);
        region_set_origin(&view->regions.list[i], &origin);
    }
    learn(view, event->addr + event->code_offset, event->code);
    if ((event->prot & ~event->old_prot & PROT_EXEC) &&
        pages_extent(&view->pages, event->addr, event->length, &first, &last))
        note_use(view, event->addr);
}

static void apply_enter(struct view *view, const struct event *event)
{
    const struct event_enter *enter = &event->enter;
    uint64_t start = enter->addr - enter->offset;
    struct view_thread *thread = need_thread(view, event->tid);

    learn(view, start + enter->code_offset, enter->code);
    note_use(view, enter->addr);
    thread->inside = true;
    thread->regs_known = true;
    thread->regs = enter->regs;
    thread->regs.value[REG_PC] = enter->addr;
    thread->entered = event->seq;
    view->last_tid = event->tid;
    view->calls += enter->how && strcmp(enter->how, "call") == 0;
}

/* What the CPU executed was there, whoever put it there. */
static void apply_executed(struct view *view, const struct event_step *step)
{
    note_use(view, step->addr);
    for (size_t i = 0; i < step->bytes.len; i++)
        if (!pages_written(&view->pages, step->addr + i))
            pages_write(&view->pages, step->addr + i,
                        (struct bytes){step->bytes.data + i, 1});
}

static void apply_step(struct view *view, const struct event *event)
{
    const struct event_step *step = &event->step;
    struct regs *regs = &need_thread(view, event->tid)->regs;

    for (size_t i = 0; i < step->regs.count; i++)
        regs->value[step->regs.list[i].reg] = step->regs.list[i].new_value;
    regs->value[REG_PC] = step->next;
    view->last_tid = event->tid;
    apply_executed(view, step);
}

/* Nobody is in generated code any more, or will be seen there. */
static void all_leave(struct view *view)
{
    for (size_t i = 0; i < view->thread_count; i++)
        view->threads[i].inside = false;
}

/* Where stepping has ended, perhaps no leave will follow. */
static void apply_limit(struct view *view, const struct event *event)
{
    const char *budget = event->limit.budget ? event->limit.budget : "";

    if (strcmp(budget, "steps") == 0)
        all_leave(view);
    else if (strcmp(budget, "call-steps") == 0 ||
             strcmp(budget, "nt-flag") == 0)
        need_thread(view, event->tid)->inside = false;
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
    switch (event->kind) {
    case EVENT_MAP:
        apply_map(view, event);
        break;
    case EVENT_WRITE:
        apply_write(view, &event->write);
        break;
    case EVENT_PROTECT:
        apply_protect(view, event);
        break;
    case EVENT_UNMAP:
        apply_unmap(view, &event->unmap);
        break;
    case EVENT_ENTER:
        apply_enter(view, event);
        break;
    case EVENT_STEP:
        apply_step(view, event);
        break;
    case EVENT_LEAVE:
        need_thread(view, event->tid)->inside = false;
        break;
    case EVENT_NAME:
        apply_name(view, &event->name);
        break;
    case EVENT_OUTPUT:
        apply_output(view, event->output.bytes);
        break;
    case EVENT_LIMIT:
        apply_limit(view, event);
        break;
    case EVENT_EXIT:
        all_leave(view);
        view->ended = true;
        break;
    default:
        break;
    }
    listing_learn(&view->listing, &event->source);
    view->stage = stage_after(view->stage, event);
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

const struct region *view_region_at(const struct view *view, uint64_t addr)
{
    return regions_at(&view->regions, addr);
}

bool view_source_line(const struct view *view, const char *file, int line,
                      struct bytes *text)
{
    return listing_line(&view->listing, file, line, text);
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
