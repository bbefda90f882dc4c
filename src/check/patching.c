/* SPDX-License-Identifier: MIT */
#include "check/patching.h"

#include "base/mem.h"

/* A store that does not fit the instruction which begins where this is kept. */
struct misfit {
    struct range_value value;
    uint64_t seq;
    uint64_t from;
    uint64_t to;
    struct insn old;   /* as it was */
    uint8_t begins_in; /* fields of it, by their number, and whether it ends */
    uint8_t ends_in;   /* in the middle of one; else behind the instruction */
    bool cuts;
};

void patching_release(struct patching *patching)
{
    ranges_release(&patching->misfits);
}

static uint64_t stored_at(const struct ledger *ledger, uint64_t addr)
{
    const struct ledger_store *store = ledger_emission(ledger, addr);

    return store ? store->seq : 0;
}

static bool is_operand(const struct insn_field *field)
{
    return field->kind == FIELD_IMMEDIATE || field->kind == FIELD_DISPLACEMENT;
}

/* The number of the field that has that byte, or field_count. */
static uint8_t field_with(const struct insn *insn, uint64_t offset)
{
    uint8_t i = 0;

    while (i < insn->field_count &&
           offset >= insn->fields[i].offset + insn->fields[i].size)
        i++;
    return i;
}

/* Whether the instruction was emitted before, or with, what is behind it, and
 * no byte of it was stored later. */
static bool is_untouched(const struct ledger *ledger, const struct insn *insn)
{
    uint64_t end = stored_at(ledger, insn->addr + insn->length);

    for (uint8_t i = 0; i < insn->length; i++)
        if (stored_at(ledger, insn->addr + i) == 0 ||
            stored_at(ledger, insn->addr + i) > end)
            return false;
    return true;
}

/* --- misfits -------------------------------------------------------------- */

static bool is_aligned(const struct event_write *write)
{
    const size_t size = write->new.len;

    return (size & (size - 1)) == 0 && write->addr % size == 0;
}

/* Whether bytes from that address on are changed by the store. */
static bool changes(const struct ledger *ledger,
                    const struct event_write *write, uint64_t addr)
{
    const size_t kept = addr - write->addr;

    return !pages_hold(
        &ledger->view.pages, addr,
        (struct bytes){write->new.data + kept, write->new.len - kept});
}

static void take_misfit(struct patching *patching, const struct ledger *ledger,
                        const struct event *event, const struct insn *old)
{
    const struct event_write *write = &event->write;
    const uint64_t from = write->addr, to = from + write->new.len;
    const uint8_t first = field_with(old, from - old->addr);
    const struct insn_field *begin = &old->fields[first], *end;
    struct misfit misfit = {.seq = event->seq,
                            .from = from,
                            .to = to,
                            .old = *old,
                            .begins_in = first},
                  *kept;
    const uint64_t behind = old->addr + old->length;

    if (from == old->addr || is_aligned(write))
        return;
    if (to < behind) {
        misfit.ends_in = field_with(old, to - old->addr);
        end = &old->fields[misfit.ends_in];
        misfit.cuts = !is_operand(begin) && is_operand(end) &&
                      to > old->addr + end->offset;
        if (!misfit.cuts)
            return;
    } else if (to == behind || !is_operand(begin) ||
               from != old->addr + begin->offset ||
               !changes(ledger, write, behind)) {
        return;
    }
    kept = range_value_new(sizeof *kept);
    misfit.value = kept->value;
    *kept = misfit;
    ranges_set(&patching->misfits, old->addr, old->addr + 1, &kept->value);
    range_value_drop(&kept->value);
}

static void tell_cut(struct ledger *ledger, const struct misfit *misfit,
                     const struct place *place)
{
    const struct ledger_store *store = ledger_emission(ledger, misfit->from);
    const struct srcline *line = &ledger_write(ledger, store)->source;
    struct buf begin = {0}, end = {0};

    field_name(&misfit->old.fields[misfit->begins_in], &begin);
    field_name(&misfit->old.fields[misfit->ends_in], &end);
    ledger_found(
        ledger, RULE_OVERWRITTEN, place, 4,
        "%" PRIu64 " bytes were stored into it, in event %" PRIu64
        " (%s:%d) from its %s on, which end in the middle of its %s; it was "
        "%s, and its %s begins at offset %" PRIu64,
        misfit->to - misfit->from, misfit->seq, line->file ? line->file : "?",
        line->line, buf_text(&begin), buf_text(&end), misfit->old.text,
        buf_text(&end),
        place->offset + misfit->old.fields[misfit->ends_in].offset);
    buf_release(&begin);
    buf_release(&end);
}

static void tell_wide(struct ledger *ledger, const struct misfit *misfit,
                      const struct place *place)
{
    const struct insn_field *field = &misfit->old.fields[misfit->begins_in];
    const uint64_t behind = misfit->old.addr + misfit->old.length;
    struct place next = ledger_place_at(ledger, place->seq, behind);
    struct buf name = {0};

    field_name(field, &name);
    ledger_found(ledger, RULE_OVERWRITTEN, &next, 4,
                 "%" PRIu64 " bytes were stored at offset %" PRIu64
                 " (event %" PRIu64 "), where the %s of %s begins, which has "
                 "%u; the others went over the instruction that was here",
                 misfit->to - misfit->from,
                 place->offset + (misfit->from - place->addr), misfit->seq,
                 buf_text(&name), misfit->old.text, field->size);
    buf_release(&name);
}

static void judge_misfit(struct patching *patching, struct ledger *ledger,
                         const struct place *place, const struct insn *insn)
{
    const struct misfit *found = ranges_at(&patching->misfits, place->addr);
    struct misfit misfit;

    if (!found)
        return;
    misfit = *found;
    ranges_forget(&patching->misfits, place->addr, place->addr + 1);
    if (insn->length != misfit.old.length ||
        stored_at(ledger, place->addr) > misfit.seq ||
        stored_at(ledger, misfit.from) != misfit.seq ||
        stored_at(ledger, misfit.to - 1) != misfit.seq)
        return;
    if (misfit.cuts)
        tell_cut(ledger, &misfit, place);
    else
        tell_wide(ledger, &misfit, place);
}

/* --- placeholders --------------------------------------------------------- */

/* Distances of 0 lead to what comes next anyway; numbers of 64 bits that are
 * more than a count are hardly the same by chance. */
static bool may_hold_place(const struct insn *insn,
                           const struct insn_field *field)
{
    if (field->kind == FIELD_IMMEDIATE && field->is_relative)
        return field->size == sizeof(uint32_t) && field->value == 0 &&
               insn->kind != INSN_CALL;
    return field->kind == FIELD_IMMEDIATE && field->size == sizeof(uint64_t) &&
           (uint64_t)field->value + UINT16_MAX > 2u * UINT16_MAX;
}

/* The instruction that has an operand at addr which may hold a place: its opcode
 * is right before that. */
static bool find_holder(const struct ledger *ledger, uint64_t addr, size_t size,
                        struct insn *out)
{
    for (uint64_t before = 1; before <= 2; before++) {
        const struct insn_field *field;

        if (!view_decode(&ledger->view, addr - before, out) ||
            out->length != before + size)
            continue;
        field = &out->fields[field_with(out, before)];
        if (field->offset == before && may_hold_place(out, field))
            return true;
    }
    return false;
}

static void take_placeholder(struct patching *patching,
                             const struct ledger *ledger,
                             const struct layout *layout,
                             const struct event *event)
{
    const struct event_write *write = &event->write;
    const struct insn_field *field;
    const struct spot *spot;
    struct insn old;

    if (!find_holder(ledger, write->addr, write->new.len, &old) ||
        !is_untouched(ledger, &old))
        return;
    spot = layout_at(layout, old.addr);
    field = &old.fields[field_with(&old, write->addr - old.addr)];
    if (!spot || !spot->ran)
        patching->list[patching->count++ % PLACEHOLDERS] =
            (struct placeholder){field->size, field->is_relative, field->value,
                                 event->seq, old.addr};
}

static void judge_field(const struct patching *patching, struct ledger *ledger,
                        const struct place *place, const struct insn *insn,
                        const struct insn_field *field)
{
    struct buf name = {0};

    for (size_t i = 0; i < patching->count && i < PLACEHOLDERS; i++) {
        const struct placeholder *holder = &patching->list[i];

        if (holder->size != field->size || holder->value != field->value ||
            holder->is_relative != field->is_relative ||
            holder->addr == insn->addr)
            continue;
        field_name(field, &name);
        ledger_found(ledger, RULE_PATCHED, place, 0,
                     "its %s is 0x%" PRIx64 ", as it was emitted; the same in "
                     "the instruction %" PRId64 " bytes away was replaced "
                     "before that ran (event %" PRIu64 ")",
                     buf_text(&name), (uint64_t)field->value,
                     (int64_t)(holder->addr - insn->addr), holder->seq);
        buf_release(&name);
        return;
    }
    if (patching->count > 0)
        ledger_held(ledger, RULE_PATCHED);
}

/* --- events --------------------------------------------------------------- */

void patching_write(struct patching *patching, const struct ledger *ledger,
                    const struct layout *layout, const struct event *event,
                    uint64_t base)
{
    struct insn old;

    take_placeholder(patching, ledger, layout, event);
    if (base && view_decode(&ledger->view, base, &old) &&
        event->write.addr < base + old.length && is_untouched(ledger, &old))
        take_misfit(patching, ledger, event, &old);
}

void patching_ran(struct patching *patching, struct ledger *ledger,
                  const struct place *place, const struct insn *insn)
{
    judge_misfit(patching, ledger, place, insn);
    if (patching->count == 0 || !is_untouched(ledger, insn))
        return;
    for (uint8_t i = 0; i < insn->field_count; i++)
        if (may_hold_place(insn, &insn->fields[i]))
            judge_field(patching, ledger, place, insn, &insn->fields[i]);
}
