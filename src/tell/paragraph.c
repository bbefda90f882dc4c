/* SPDX-License-Identifier: MIT */
#include "tell/paragraph.h"

#include <inttypes.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/mem.h"
#include "tell/tell_parts.h"

#define INDENT      5u
#define TEXT_COLUMN 27u

void telling_init(struct telling *telling)
{
    *telling = (struct telling){0};
    recent_init(&telling->recent);
}

void telling_release(struct telling *telling)
{
    pen_release(&telling->pen);
    view_release(&telling->view);
    recent_release(&telling->recent);
    phrases_release(&telling->phrases);
    buf_release(&telling->output);
    ranges_release(&telling->stored.ranges);
    ranges_release(&telling->explained.ranges);
    ranges_release(&telling->listed.ranges);
    free(telling->maps_before);
    free(telling->areas);
    free(telling->threads);
}

struct telling_thread *telling_thread(struct telling *telling, int tid)
{
    struct telling_thread *thread;

    for (size_t i = 0; i < telling->thread_count; i++)
        if (telling->threads[i].tid == tid)
            return &telling->threads[i];
    telling->threads =
        mem_grow(telling->threads, telling->thread_count,
                 &telling->thread_capacity, sizeof *telling->threads);
    thread = &telling->threads[telling->thread_count++];
    *thread = (struct telling_thread){.tid = tid};
    return thread;
}

struct telling_area *telling_area(struct telling *telling, uint64_t base)
{
    struct telling_area *area;

    for (size_t i = telling->area_count; i-- > 0;)
        if (telling->areas[i].base == base)
            return &telling->areas[i];
    telling->areas = mem_grow(telling->areas, telling->area_count,
                              &telling->area_capacity, sizeof *telling->areas);
    area = &telling->areas[telling->area_count++];
    *area = (struct telling_area){.base = base, .boundary = base};
    return area;
}

void telling_note_fresh(struct telling *telling, uint64_t base, uint64_t first,
                        uint64_t last)
{
    struct telling_area *area = telling_area(telling, base);

    if (!area->fresh || first < area->first)
        area->first = first;
    if (!area->fresh || last > area->last)
        area->last = last;
    area->fresh = true;
}

/* Notes what of a snapshot at addr the view does not know yet. */
static void compare_code(struct telling *telling, uint64_t base, uint64_t addr,
                         struct bytes code)
{
    uint8_t *known = mem_alloc(code.len);
    size_t first = 0, end = code.len;

    pages_read(&telling->view.pages, addr, code.len, known);
    while (first < end && known[first] == code.data[first])
        first++;
    while (end > first && known[end - 1] == code.data[end - 1])
        end--;
    if (first < end)
        telling_note_fresh(telling, base, addr + first, addr + end - 1);
    free(known);
}

void telling_forget(struct telling *telling, uint64_t addr, uint64_t length)
{
    size_t kept = 0;

    for (size_t i = 0; i < telling->area_count; i++)
        if (telling->areas[i].base - addr >= length)
            telling->areas[kept++] = telling->areas[i];
    telling->area_count = kept;
    ranges_forget(&telling->stored.ranges, addr, addr + length);
    ranges_forget(&telling->explained.ranges, addr, addr + length);
    ranges_forget(&telling->listed.ranges, addr, addr + length);
    if (telling->base - addr < length)
        telling->named = false;
}

/* Before the view takes an event, what it will no longer know is noted. */
void telling_take(struct telling *telling, const struct event *event)
{
    const struct event_protect *protect = &event->protect;
    const struct event_enter *enter = &event->enter;
    const struct region *region;

    if (event->kind == EVENT_PROTECT) {
        const struct protection *before =
            view_protection(&telling->view, protect->addr);

        free(telling->maps_before);
        telling->maps_before = mem_copy_text(before ? before->maps : NULL);
        if (protect->prot & PROT_EXEC)
            telling_sum_up(telling, protect->addr, protect->length);
        compare_code(telling, telling_base(telling, protect->addr, 0),
                     protect->addr + protect->code_offset, protect->code);
    } else if (event->kind == EVENT_ENTER) {
        region = view_region_at(&telling->view, enter->addr);
        if (region) {
            telling_sum_up(telling, region->addr, region->length);
            compare_code(telling, region->start,
                         region->addr + enter->code_offset, enter->code);
        }
    }
    view_apply(&telling->view, event);
}

bool telling_first_time(struct telling *telling, enum topic topic)
{
    bool first = !telling->topic_told[topic];

    telling->topic_told[topic] = true;
    return first;
}

uint64_t telling_base(const struct telling *telling, uint64_t addr,
                      uint64_t offset)
{
    const struct region *region = view_region_at(&telling->view, addr);

    return region ? region->start : addr - offset;
}

void telling_name_code(struct telling *telling, uint64_t base)
{
    const struct region *region = view_region_at(&telling->view, base);
    struct pen *pen = &telling->pen;

    if (telling->named && telling->base == base)
        return;
    telling->many |= telling->base && telling->base != base;
    telling->named = true;
    telling->base = base;
    pen_text(pen, ROLE_NOTE, "code[0] is the byte at ");
    pen_hex(pen, ROLE_ADDRESS, base);
    if (region) {
        pen_print(pen, ROLE_NOTE, ", where %" PRIu64 " bytes are mapped ",
                  region->length);
        pen_text(pen, ROLE_PROTECTION, phrase_prot(region->prot));
    }
    pen_line(pen, ROLE_NOTE, ":");
}

void telling_maps(struct telling *telling, const char *maps)
{
    struct pen *pen = &telling->pen;
    unsigned from = pen->column > pen->due ? pen->column : pen->due;

    if (from + pen_width(maps) > PEN_WIDTH)
        maps = phrase_maps(&telling->phrases, maps);
    pen_cut(pen, ROLE_ADDRESS, maps);
    pen_end(pen);
}

bool telling_decode(const struct telling *telling, uint64_t addr,
                    struct insn *insn)
{
    return view_decode(&telling->view, addr, insn) &&
           pages_all_written(&telling->view.pages, addr, insn->length);
}

void telling_insn(struct telling *telling, uint64_t offset, struct bytes bytes,
                  const char *words)
{
    struct pen *pen = &telling->pen;

    pen_print(pen, ROLE_ADDRESS, "+%" PRIu64, offset);
    pen_gap(pen, INDENT);
    pen_text(pen, ROLE_BYTE, phrase_bytes(&telling->phrases, bytes));
    pen_gap(pen, TEXT_COLUMN);
    pen_cut(pen, ROLE_MNEMONIC, words ? words : "");
}
