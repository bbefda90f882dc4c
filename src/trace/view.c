/* SPDX-License-Identifier: MIT */
#include "trace/view.h"

#include <string.h>
#include <sys/mman.h>

void view_init(struct view *view)
{
    *view = (struct view){0};
}

void view_release(struct view *view)
{
    regions_release(&view->regions);
    pages_release(&view->pages);
    buf_release(&view->output);
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

/* Bytes that an event shows and no write has told of (a code snapshot). */
static void apply_code(struct view *view, uint64_t addr, struct bytes code)
{
    uint8_t known;

    for (size_t i = 0; i < code.len; i++) {
        pages_read(&view->pages, addr + i, 1, &known);
        if (known != code.data[i])
            pages_write(&view->pages, addr + i,
                        (struct bytes){code.data + i, 1});
    }
}

static void apply_map(struct view *view, const struct event_map *map)
{
    struct region *region;

    region = regions_map(&view->regions, map->addr, map->length, map->prot);
    region_set_maps(region, map->maps);
    pages_forget(&view->pages, map->addr, map->length);
}

static void apply_protect(struct view *view, const struct event_protect *event)
{
    uint64_t end = event->addr + event->length;
    size_t i = regions_cut(&view->regions, event->addr, event->length);

    for (; i < view->regions.count && view->regions.list[i].addr < end; i++) {
        view->regions.list[i].prot = event->prot;
        region_set_maps(&view->regions.list[i], event->maps);
    }
    apply_code(view, event->addr + event->code_offset, event->code);
}

static void apply_enter(struct view *view, const struct event_enter *enter)
{
    uint64_t start = enter->addr - enter->offset;

    apply_code(view, start + enter->code_offset, enter->code);
    view->inside = true;
    view->regs_known = true;
    view->regs = enter->regs;
    view->calls += strcmp(enter->how, "call") == 0;
}

static void apply_step(struct view *view, const struct event_step *step)
{
    for (size_t i = 0; i < step->regs.count; i++)
        view->regs.value[step->regs.list[i].reg] = step->regs.list[i].new_value;
    view->regs.value[REG_PC] = step->next;
}

void view_apply(struct view *view, const struct event *event)
{
    switch (event->kind) {
    case EVENT_MAP:
        apply_map(view, &event->map);
        break;
    case EVENT_WRITE:
        pages_write(&view->pages, event->write.addr, event->write.new);
        break;
    case EVENT_PROTECT:
        apply_protect(view, &event->protect);
        break;
    case EVENT_UNMAP:
        regions_unmap(&view->regions, event->unmap.addr, event->unmap.length);
        pages_forget(&view->pages, event->unmap.addr, event->unmap.length);
        break;
    case EVENT_ENTER:
        apply_enter(view, &event->enter);
        break;
    case EVENT_STEP:
        apply_step(view, &event->step);
        break;
    case EVENT_LEAVE:
        view->inside = false;
        break;
    case EVENT_OUTPUT:
        buf_append(&view->output, event->output.bytes.data,
                   event->output.bytes.len);
        break;
    case EVENT_LIMIT: /* no leave will follow when stepping has ended */
        if (event->limit.budget && !strcmp(event->limit.budget, "steps"))
            view->inside = false;
        break;
    case EVENT_EXIT:
        view->inside = false;
        view->ended = true;
        break;
    default:
        break;
    }
    view->stage = stage_after(view->stage, event);
    view->applied++;
}

void view_at(struct view *view, const struct store *store, uint64_t seq)
{
    view_release(view);
    view_init(view);
    for (uint64_t i = 0; i <= seq && i < store->count; i++)
        view_apply(view, store_event(store, i));
}

const struct region *view_region_at(const struct view *view, uint64_t addr)
{
    return regions_at(&view->regions, addr);
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
