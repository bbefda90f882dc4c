/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "diff/code.h"
#include "diff/walk.h"

/* --- what may differ ------------------------------------------------------ */

static struct walk_dirty *touch(struct walk *walk, uint64_t mapping)
{
    struct walk_dirty *touched;

    for (size_t i = 0; i < walk->touched_count; i++)
        if (walk->touched[i].mapping == mapping)
            return &walk->touched[i];
    walk->touched = mem_grow(walk->touched, walk->touched_count,
                             &walk->touched_capacity, sizeof *walk->touched);
    touched = &walk->touched[walk->touched_count++];
    *touched = (struct walk_dirty){.mapping = mapping};
    return touched;
}

/* The number of the first side's mapping that a write is in, or 0. */
static uint64_t mapping_of(struct walk *walk, int side, uint64_t addr)
{
    const struct region *region = view_region_at(&walk->side[side].view, addr);

    if (!region)
        return 0;
    if (side == 0)
        return region->mapping;
    for (uint64_t i = 1; i <= walk->same->mapping_capacity; i++)
        if (same_mapping(walk->same, i) == region->mapping)
            return i;
    return 0;
}

static void touch_at(struct walk *walk, int side, uint64_t addr)
{
    uint64_t mapping = mapping_of(walk, side, addr);

    if (mapping > 0)
        touch(walk, mapping)->dirty = true;
}

void walk_touch(struct walk *walk, uint64_t addr)
{
    touch_at(walk, 0, addr);
}

static void dirty(struct walk *walk, int side)
{
    touch_at(walk, side, walk->side[side].now.event.write.addr);
}

bool walk_is_told(struct walk *walk, uint64_t addr)
{
    for (size_t i = 0; i < walk->told_count; i++)
        if (walk->told[i] == addr)
            return true;
    walk->told = mem_grow(walk->told, walk->told_count, &walk->told_capacity,
                          sizeof *walk->told);
    walk->told[walk->told_count++] = addr;
    return false;
}

/* --- a group of stores ---------------------------------------------------- */

/* Data that never came to be code is of no class. */
static bool is_code(const struct walk_side *side)
{
    const struct where_mapping *mapping =
        where_mapping(side->where, side->now.event.write.addr);

    return mapping && mapping->executable;
}

static void describe(const struct event_write *write, struct buf *out)
{
    buf_printf(out, "code[%" PRIu64 "]", write->offset);
    if (write->new.len == 1)
        buf_printf(out, " = %02x", write->new.data[0]);
    else
        buf_printf(out, ", %zu bytes", write->new.len);
}

static void say_store(struct walk *walk, const struct event *left,
                      const struct event *right)
{
    struct buf text[2] = {{0}, {0}};

    if (left)
        describe(&left->write, &text[0]);
    if (right)
        describe(&right->write, &text[1]);
    walk_say(walk, DIFF_STORES, left, right, "a store",
             left ? buf_text(&text[0]) : "none",
             right ? buf_text(&text[1]) : "none");
    buf_release(&text[0]);
    buf_release(&text[1]);
}

/* Both stores are to the same place; their bytes may be other ones. */
static void compare_bytes(struct walk *walk, const struct event *a,
                          const struct event *b)
{
    const uint64_t addr = a->write.addr;
    uint64_t mapping = mapping_of(walk, 0, addr);
    struct walk_dirty *touched;
    struct range_value *value;

    /* The same program stores from the same places. */
    walk->same->builds |= !a->write.by && !b->write.by &&
                          (a->write.pc - b->write.pc) % ARCH_PAGE_SIZE != 0;
    if (a->write.new.len == 0 ||
        memcmp(a->write.new.data, b->write.new.data, a->write.new.len) == 0 ||
        mapping == 0)
        return;
    touched = touch(walk, mapping);
    touched->dirty = true;
    if (same_bytes(walk->same, a->write.new, b->write.new)) {
        value = range_value_new(sizeof *value);
        ranges_set(&walk->stored, addr, addr + a->write.new.len, value);
        range_value_drop(value);
        return;
    }
    if (touched->pending)
        return;
    touched->pending = true;
    touched->seq[0] = a->seq;
    touched->seq[1] = b->seq;
    touched->addr[0] = a->write.addr;
    touched->addr[1] = b->write.addr;
    touched->length = a->write.new.len;
    buf_clear(&touched->has[0]);
    buf_clear(&touched->has[1]);
    describe(&a->write, &touched->has[0]);
    describe(&b->write, &touched->has[1]);
}

void walk_stores(struct walk *walk)
{
    struct walk_side *side = walk->side;
    bool apart = false;

    for (;;) {
        const struct event *a = walk_peek(&side[0]), *b = walk_peek(&side[1]);
        bool left = a && a->kind == EVENT_WRITE;
        bool right = b && b->kind == EVENT_WRITE;
        int alone = -1;

        if (!left && !right)
            return;
        if (left && (!is_code(&side[0]) || event_is_elsewhere(&a->write)))
            alone = 0;
        else if (right && (!is_code(&side[1]) || event_is_elsewhere(&b->write)))
            alone = 1;
        if (alone >= 0) {
            dirty(walk, alone);
            walk_take(&side[alone]);
            continue;
        }
        if (left)
            ranges_forget(&walk->stored, a->write.addr,
                          a->write.addr + a->write.new.len);
        if (left && right && !apart &&
            a->write.new.len == b->write.new.len &&same_address(
                                    walk->same, a->write.addr, b->write.addr)) {
            compare_bytes(walk, a, b);
        } else {
            if (!apart && !side[0].limited && !side[1].limited)
                say_store(walk, left ? a : NULL, right ? b : NULL);
            apart = true;
            if (left)
                dirty(walk, 0);
            if (right)
                dirty(walk, 1);
        }
        if (left && right)
            walk_pair(walk, a->seq, b->seq);
        if (left)
            walk_take(&side[0]);
        if (right)
            walk_take(&side[1]);
    }
}

/* --- what they have made -------------------------------------------------- */

static void say_code(struct walk *walk, const uint64_t start[2],
                     const struct code_difference *found)
{
    struct difference *out = &walk->diff->first[DIFF_CODE];
    const struct event *events[2];
    struct buf text[2] = {{0}, {0}};
    bool is_first = !out->found;

    if (walk_is_told(walk, start[0] + found->offset))
        return;
    for (int i = 0; i < 2; i++) {
        const struct insn *insn = &found->insn[i];

        events[i] = &walk->side[i].now.event;
        for (unsigned k = 0; k < insn->length && found->written[i]; k++)
            buf_printf(&text[i], "%02x ", insn->bytes[k]);
        buf_printf(&text[i], " %s",
                   !found->written[i] ? "nothing written there"
                   : insn->length     ? insn->text
                                      : "(no instruction)");
    }
    walk_say(walk, DIFF_CODE, events[0], events[1], "instruction",
             buf_text(&text[0]), buf_text(&text[1]));
    for (int i = 0; i < 2; i++) {
        if (is_first)
            walk_place(walk, out, i, start[i] + found->offset,
                       start[i] + found->byte);
        buf_release(&text[i]);
    }
    out->more += found->more;
}

/* A store of other bytes, where the same stands now: it was another one. */
static void say_pending(struct walk *walk, struct walk_dirty *touched)
{
    struct difference *out = &walk->diff->first[DIFF_STORES];
    uint8_t bytes[2][64];
    size_t length = touched->length < 64 ? touched->length : 64;

    touched->pending = false;
    for (int i = 0; i < 2; i++)
        pages_read(&walk->side[i].view.pages, touched->addr[i], length,
                   bytes[i]);
    if (memcmp(bytes[0], bytes[1], length) != 0)
        return;
    if (out->found)
        out->more++;
    if (out->found && out->side[0].seq < touched->seq[0])
        return;
    out->found = true;
    buf_clear(&out->what);
    buf_append_text(&out->what, "a store");
    for (int i = 0; i < 2; i++) {
        out->side[i].known = true;
        out->side[i].seq = touched->seq[i];
        walk_place(walk, out, i, touched->addr[i], touched->addr[i]);
        buf_clear(&out->side[i].has);
        buf_append_text(&out->side[i].has, buf_text(&touched->has[i]));
    }
}

/* Compares the mapping that was touched, all parts of it that there are. */
static void compare(struct walk *walk, struct walk_dirty *touched)
{
    uint64_t number[2] = {touched->mapping,
                          same_mapping(walk->same, touched->mapping)};
    uint64_t start[2] = {0, 0}, length[2] = {0, 0};
    const struct ranges *const others[] = {&walk->side[0].others,
                                           &walk->side[1].others};
    struct code_difference found;
    bool executable = false;

    touched->dirty = false;
    for (int i = 0; i < 2; i++) {
        const struct regions *regions = &walk->side[i].view.regions;

        for (size_t k = 0; k < regions->count; k++) {
            const struct region *region = &regions->list[k];

            if (region->mapping != number[i])
                continue;
            start[i] = region->start;
            length[i] = region->addr + region->length - region->start;
            executable |=
                view_generation(&walk->side[i].view, region).executable;
        }
    }
    if (length[0] == 0 || length[1] == 0 || !executable)
        return;
    if (code_compare(walk->same, &walk->stored, others, start, length, &found))
        say_code(walk, start, &found);
    if (touched->pending)
        say_pending(walk, touched);
}

void walk_compare(struct walk *walk, uint64_t addr)
{
    const struct region *region = view_region_at(&walk->side[0].view, addr);
    struct walk_dirty *touched = region ? touch(walk, region->mapping) : NULL;

    if (touched && touched->dirty)
        compare(walk, touched);
}

void walk_compare_all(struct walk *walk)
{
    for (size_t i = 0; i < walk->touched_count; i++)
        if (walk->touched[i].dirty)
            compare(walk, &walk->touched[i]);
}
