/* SPDX-License-Identifier: MIT */
/*
 * rewrite.c - a patch is what several stores, one next to the other, have
 * replaced before any of it ran. It keeps the bytes from before:
 *
 *     base      from            to
 *      |  old    |  old and new  |  old           |
 *      b8        00 00 00 00     01 f8            |
 *
 * Where instructions began in the old bytes is found by decoding them from
 * base on. When one of these places runs, the new bytes are gone through from
 * there: an instruction that has new and old bytes must have been one before,
 * of the same length, and behind the patch one must begin where one did.
 */
#include "check/rewrite.h"

#include "base/mem.h"

/* More than that is new code, not a patch. */
#define PATCH_MOST 64u
#define PATCH_COPY (PATCH_MOST + 2 * INSN_MAX_LENGTH)

struct patch {
    struct range_value value;
    uint64_t from;
    uint64_t to;
    uint64_t base;
    uint64_t seq;   /* of its first store */
    uint64_t since; /* what was stored after this event is new */
    int tid;
    uint8_t old[PATCH_COPY];
};

/* Code of one thread that another one has stored over. */
struct taken {
    struct range_value value;
    uint64_t from;
    uint64_t to;
    uint64_t seq; /* of a store of the former */
    int tid;
    int line; /* of that store in file, or 0 */
    char file[];
};

struct foreign {
    struct range_value value;
    uint64_t seq;
    uint8_t old_byte;
    uint8_t new_byte;
};

void rewrite_release(struct rewrite *rewrite)
{
    ranges_release(&rewrite->patches);
    ranges_release(&rewrite->taken);
    ranges_release(&rewrite->foreign);
    ranges_release(&rewrite->shared);
    patching_release(&rewrite->patching);
    free(rewrite->actors);
}

static struct actor *actor_of(struct rewrite *rewrite, int tid)
{
    for (size_t i = 0; i < rewrite->count; i++)
        if (rewrite->actors[i].tid == tid)
            return &rewrite->actors[i];
    rewrite->actors = mem_grow(rewrite->actors, rewrite->count,
                               &rewrite->capacity, sizeof *rewrite->actors);
    rewrite->actors[rewrite->count] = (struct actor){.tid = tid};
    return &rewrite->actors[rewrite->count++];
}

/* --- a store that does not fit -------------------------------------------- */

/* Where the instruction that addr is in begins, as code that nobody stored over
 * yet; 0: not known. */
static uint64_t find_base(const struct ledger *ledger,
                          const struct layout *layout, uint64_t addr)
{
    const struct spot *spot = layout_at(layout, addr);
    const struct pages *pages = &ledger->view.pages;
    uint64_t begin = addr;
    struct insn insn;

    if (spot && spot->ran)
        return addr - spot->back;
    switch (layout_around(layout, &ledger->view, addr, &insn)) {
    case 1:
        return insn.addr;
    case 0:
        return addr;
    }
    while (addr - begin < PATCH_MOST && pages_written(pages, begin - 1))
        begin--;
    if (pages_written(pages, begin - 1))
        return 0;
    while (view_decode(&ledger->view, begin, &insn)) {
        if (begin + insn.length > addr)
            return begin;
        if (!insn_goes_on(&insn))
            return 0;
        begin += insn.length;
    }
    return 0;
}

/* Code that is emitted piece by piece, upwards or downwards, over what was
 * there before: a store next to the thread's last one. */
static bool goes_on(const struct actor *actor, uint64_t from, uint64_t to)
{
    return actor->to == from ||
           (from < actor->from && to >= actor->from && actor->to > 0);
}

static void put_patch(struct rewrite *rewrite, const struct patch *patch)
{
    struct patch *copy = range_value_new(sizeof *copy);
    struct range_value value = copy->value;

    *copy = *patch;
    copy->value = value;
    ranges_set(&rewrite->patches, patch->base, patch->to, &copy->value);
    range_value_drop(&copy->value);
}

static uint64_t stored_at(const struct ledger *ledger, uint64_t addr)
{
    const struct ledger_store *store = ledger_emission(ledger, addr);

    return store ? store->seq : 0;
}

/* Whether the instruction at addr was emitted, and more behind it, or ran: *seq
 * is the event by which it was there. Code that is emitted from its end to its
 * beginning is not known to be. */
static bool is_complete(const struct ledger *ledger,
                        const struct layout *layout, uint64_t addr,
                        uint64_t *seq)
{
    const struct spot *spot = layout_at(layout, addr);
    struct insn insn;

    *seq = 0;
    if (!view_decode(&ledger->view, addr, &insn))
        return false;
    for (uint8_t i = 0; i < insn.length; i++)
        if (stored_at(ledger, addr + i) > *seq)
            *seq = stored_at(ledger, addr + i);
    if (stored_at(ledger, addr + insn.length) >= *seq && *seq > 0)
        return true;
    if (!spot || !spot->ran)
        return false;
    *seq = spot->ran - 1 > *seq ? spot->ran - 1 : *seq;
    return true;
}

static void take_patch(struct rewrite *rewrite, const struct ledger *ledger,
                       const struct layout *layout, const struct event *event)
{
    uint64_t from = event->write.addr, to = from + event->write.new.len;
    const struct patch *before = ranges_at(&rewrite->patches, from);
    struct patch patch = {
        .from = from, .to = to, .seq = event->seq, .tid = event->tid};

    if (pages_hold(&ledger->view.pages, from, event->write.new))
        return; /* memcpy(3) stores bytes twice */
    if (!before)
        before = ranges_at(&rewrite->patches, from - 1);
    if (before && before->tid == event->tid && from >= before->from &&
        from <= before->to) { /* more of it */
        patch = *before;
        patch.to = to > patch.to ? to : patch.to;
        ranges_forget(&rewrite->patches, before->base, before->to);
        if (patch.to - patch.from <= PATCH_MOST)
            put_patch(rewrite, &patch);
        return;
    }
    ranges_forget(&rewrite->patches, from, to);
    if (to - from > PATCH_MOST ||
        goes_on(actor_of(rewrite, event->tid), from, to) ||
        !pages_all_written(&ledger->view.pages, from, to - from))
        return;
    patch.base = find_base(ledger, layout, from);
    if (!patch.base || from - patch.base >= INSN_MAX_LENGTH ||
        !is_complete(ledger, layout, patch.base, &patch.since))
        return;
    pages_read(&ledger->view.pages, patch.base, sizeof patch.old, patch.old);
    put_patch(rewrite, &patch);
}

/* The instruction that began at addr before the patch, if one did there. */
static bool decode_old(const struct patch *patch, uint64_t addr,
                       struct insn *out)
{
    uint64_t at = patch->base;

    while (at - patch->base < sizeof patch->old &&
           insn_decode(patch->old + (at - patch->base),
                       sizeof patch->old - (at - patch->base), at, out) > 0) {
        if (at == addr)
            return true;
        if (at > addr)
            return false;
        at += out->length;
    }
    return false;
}

/* The old instruction that addr was in. */
static bool decode_around(const struct patch *patch, uint64_t addr,
                          struct insn *out)
{
    for (uint64_t at = addr + 1; at-- > patch->base;)
        if (decode_old(patch, at, out))
            return at + out->length > addr;
    return false;
}

static bool is_fill(const struct insn *insn)
{
    for (uint8_t i = 0; i < insn->length; i++)
        if (insn->bytes[i] != 0)
            return false;
    return true;
}

/* Goes through the new bytes from addr on. Returns whether they fit; *old is
 * the instruction that something is left of, if not. */
static bool fits(const struct patch *patch, const struct ledger *ledger,
                 uint64_t addr, struct insn *old)
{
    struct insn now;

    for (uint64_t end; addr < patch->to; addr = end) {
        if (!view_decode(&ledger->view, addr, &now))
            return true; /* it will be seen when it runs */
        end = addr + now.length;
        if (addr < patch->from || end > patch->to) {
            if (decode_old(patch, addr, old) && old->length == now.length)
                continue;
            return !decode_around(patch, addr < patch->from ? addr : end - 1,
                                  old) ||
                   is_fill(old);
        }
        if (!insn_goes_on(&now))
            return true;
    }
    return decode_old(patch, addr, old) || !decode_around(patch, addr, old) ||
           is_fill(old) || old->addr >= patch->to;
}

/* Appends "; its immediate begins at offset 1". */
static void name_operand(struct buf *out, const struct insn *insn,
                         uint64_t offset)
{
    struct buf name = {0};

    for (uint8_t i = 0; i < insn->field_count; i++) {
        const struct insn_field *field = &insn->fields[i];

        if (field->kind != FIELD_IMMEDIATE && field->kind != FIELD_DISPLACEMENT)
            continue;
        field_name(field, &name);
        buf_printf(out, "; its %s begins at offset %" PRIu64, buf_text(&name),
                   offset + field->offset);
        break;
    }
    buf_release(&name);
}

static void judge_patch(struct rewrite *rewrite, struct ledger *ledger,
                        const struct place *place, const struct insn *insn)
{
    const struct patch *found = ranges_at(&rewrite->patches, place->addr);
    struct patch patch;
    struct buf text = {0};
    struct insn old;
    uint64_t offset;

    if (!found || place->addr >= found->to ||
        place->addr + insn->length <= found->from ||
        !decode_old(found, place->addr, &old))
        return;
    patch = *found;
    ranges_forget(&rewrite->patches, patch.base, patch.to);
    while (stored_at(ledger, patch.to) > patch.since)
        patch.to++;
    while (stored_at(ledger, patch.from - 1) > patch.since)
        patch.from--;
    if (patch.to - patch.from > PATCH_MOST)
        return;
    if (fits(&patch, ledger, place->addr, &old)) {
        ledger_held(ledger, RULE_OVERWRITTEN);
        return;
    }
    offset = place->offset + (old.addr - place->addr);
    buf_printf(&text,
               "the %" PRIu64 " bytes that were stored at offset %" PRIu64
               " (event %" PRIu64 ") replaced a part of %s at offset %" PRIu64
               ", and what is left of it is run as a part of something else",
               patch.to - patch.from, place->offset + patch.from - place->addr,
               patch.seq, old.text, offset);
    name_operand(&text, &old, offset);
    ledger_found(ledger, RULE_OVERWRITTEN, place, 0, "%s", buf_text(&text));
    buf_release(&text);
}

/* --- two threads, one place ------------------------------------------------ */

/* The bytes around addr that the thread stored last. */
static void find_extent(const struct ledger *ledger, uint64_t addr, int tid,
                        uint64_t *from, uint64_t *to)
{
    const struct ledger_store *other;

    for (*from = addr; addr - *from < ARCH_PAGE_SIZE; --*from)
        if (!(other = ledger_emission(ledger, *from - 1)) || other->tid != tid)
            break;
    for (*to = addr + 1; *to - addr < ARCH_PAGE_SIZE; ++*to)
        if (!(other = ledger_emission(ledger, *to)) || other->tid != tid)
            break;
}

/* A store over what another thread has stored, as the last that it was seen
 * doing. */
static void take_place(struct rewrite *rewrite, struct ledger *ledger,
                       const struct layout *layout, const struct event *event)
{
    uint64_t addr = event->write.addr, from, to;
    const struct ledger_store *before = ledger_emission(ledger, addr);
    const struct spot *spot = layout_at(layout, addr);
    const struct event *store;
    struct taken *taken;
    size_t size;

    if (!before || before->tid == event->tid || (spot && spot->ran))
        return;
    find_extent(ledger, addr, before->tid, &from, &to);
    if (addr != from ||
        actor_of(rewrite, before->tid)->from - from >= to - from)
        return;
    store = ledger_write(ledger, before);
    size = store->source.file ? strlen(store->source.file) + 1 : 1;
    taken = range_value_new(sizeof *taken + size);
    taken->from = from;
    taken->to = to;
    taken->seq = before->seq;
    taken->tid = before->tid;
    taken->line = store->source.line;
    if (store->source.file)
        memcpy(taken->file, store->source.file, size);
    ranges_set(&rewrite->taken, from, to, &taken->value);
    range_value_drop(&taken->value);
}

static void judge_place(struct rewrite *rewrite, struct ledger *ledger,
                        const struct place *place)
{
    const struct taken *taken = ranges_at(&rewrite->taken, place->addr);
    const struct ledger_store *now = ledger_emission(ledger, place->addr);
    const struct event *store;
    uint64_t from, to;

    if (!taken || !now || now->tid == taken->tid)
        return;
    find_extent(ledger, place->addr, now->tid, &from, &to);
    if (from > taken->from || to < taken->to)
        return;
    store = ledger_write(ledger, now);
    ledger_found(ledger, RULE_OVERWRITTEN, place, 1,
                 "thread %d stored code here (%s:%d, event %" PRIu64
                 "), and before that ran, thread %d stored its own over it "
                 "(%s:%d, event %" PRIu64 ")",
                 taken->tid, taken->line ? taken->file : "?", taken->line,
                 taken->seq, now->tid,
                 store->source.file ? store->source.file : "?",
                 store->source.line, now->seq);
    ranges_forget(&rewrite->taken, from, to);
}

/* --- a child that shares the memory ---------------------------------------- */

void rewrite_mapped(struct rewrite *rewrite, const struct ledger *ledger,
                    const struct event_map *map)
{
    const struct region *region = view_region_at(&ledger->view, map->addr);
    struct range_value *value;

    if (!region || !map->flags || !strstr(map->flags, "MAP_SHARED") ||
        !strstr(map->flags, "MAP_ANONYMOUS"))
        return;
    value = range_value_new(sizeof *value);
    ranges_set(&rewrite->shared, region->mapping, region->mapping + 1, value);
    range_value_drop(value);
}

/* Memory that is anonymous and shared has no other mapping in this process. So
 * with one thread it was a child that has changed it. */
static void take_foreign(struct rewrite *rewrite, const struct ledger *ledger,
                         const struct event *event)
{
    const struct event_write *write = &event->write;
    const struct region *region = view_region_at(&ledger->view, write->addr);

    if (!rewrite->child || rewrite->count > 1 || !region || !write->old.data ||
        !ranges_at(&rewrite->shared, region->mapping))
        return;
    for (size_t i = 0; i < write->new.len; i++) {
        struct foreign *foreign;

        if (write->old.data[i] == write->new.data[i] ||
            !pages_written(&ledger->view.pages, write->addr + i))
            continue;
        foreign = range_value_new(sizeof *foreign);
        foreign->seq = event->seq;
        foreign->old_byte = write->old.data[i];
        foreign->new_byte = write->new.data[i];
        ranges_set(&rewrite->foreign, write->addr + i, write->addr + i + 1,
                   &foreign->value);
        range_value_drop(&foreign->value);
    }
}

static void judge_foreign(struct rewrite *rewrite, struct ledger *ledger,
                          const struct place *place, const struct insn *insn)
{
    for (uint8_t i = 0; i < insn->length; i++) {
        const struct foreign *foreign =
            ranges_at(&rewrite->foreign, place->addr + i);

        if (!foreign)
            continue;
        ledger_found(ledger, RULE_OVERWRITTEN, place, 2,
                     "the byte at offset %" PRIu64
                     " changed from %02x to %02x (event %" PRIu64
                     ") by no store of this process: it is MAP_SHARED, and "
                     "the child process %d has it, too",
                     place->offset + i, foreign->old_byte, foreign->new_byte,
                     foreign->seq, rewrite->child);
        ranges_forget(&rewrite->foreign, place->addr,
                      place->addr + insn->length);
        return;
    }
}

/* --- events ---------------------------------------------------------------- */

static void forget(struct rewrite *rewrite, uint64_t addr, uint64_t length)
{
    if (length == 0 || addr + length <= addr)
        return;
    ranges_forget(&rewrite->patches, addr, addr + length);
    ranges_forget(&rewrite->taken, addr, addr + length);
    ranges_forget(&rewrite->foreign, addr, addr + length);
}

/* A store to an instruction that stands there already. */
static void take_store(struct rewrite *rewrite, const struct ledger *ledger,
                       const struct layout *layout, const struct event *event)
{
    const struct event_write *write = &event->write;

    if (write->new.len < sizeof(uint16_t) ||
        write->new.len > sizeof(uint64_t) ||
        !pages_all_written(&ledger->view.pages, write->addr, write->new.len) ||
        pages_hold(&ledger->view.pages, write->addr, write->new))
        return;
    patching_write(&rewrite->patching, ledger, layout, event,
                   find_base(ledger, layout, write->addr));
}

static void take_write(struct rewrite *rewrite, struct ledger *ledger,
                       const struct layout *layout, const struct event *event)
{
    const struct event_write *write = &event->write;
    struct actor *actor;

    if (!write->new.len || write->addr + write->new.len < write->addr)
        return;
    if (event_is_elsewhere(write)) {
        ranges_forget(&rewrite->patches, write->addr,
                      write->addr + write->new.len);
        take_foreign(rewrite, ledger, event);
        return;
    }
    ranges_forget(&rewrite->foreign, write->addr, write->addr + write->new.len);
    take_patch(rewrite, ledger, layout, event);
    take_store(rewrite, ledger, layout, event);
    take_place(rewrite, ledger, layout, event);
    actor = actor_of(rewrite, event->tid);
    actor->from = write->addr;
    actor->to = write->addr + write->new.len;
}

void rewrite_before(struct rewrite *rewrite, struct ledger *ledger,
                    const struct layout *layout, const struct event *event)
{
    switch (event->kind) {
    case EVENT_WRITE:
        take_write(rewrite, ledger, layout, event);
        return;
    case EVENT_MAP:
        forget(rewrite, event->map.addr, event->map.length);
        break;
    case EVENT_UNMAP:
        forget(rewrite, event->unmap.addr, event->unmap.length);
        break;
    case EVENT_LIMIT:
        if (word_is(event->limit.budget, "fork"))
            rewrite->child = event->tid;
        return;
    case EVENT_ENTER:
    case EVENT_PROTECT:
        break;
    default:
        return;
    }
    *actor_of(rewrite, event->tid) = (struct actor){.tid = event->tid};
}

void rewrite_ran(struct rewrite *rewrite, struct ledger *ledger,
                 const struct place *place, const struct insn *insn)
{
    judge_patch(rewrite, ledger, place, insn);
    patching_ran(&rewrite->patching, ledger, place, insn);
    judge_place(rewrite, ledger, place);
    judge_foreign(rewrite, ledger, place, insn);
}
