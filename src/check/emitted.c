/* SPDX-License-Identifier: MIT */
#include "check/emitted.h"

void emitted_release(struct emitted *emitted)
{
    emissions_release(&emitted->emissions);
}

void emitted_before(struct emitted *emitted, const struct event *event)
{
    emissions_apply(&emitted->emissions, event);
}

/* Whether the bytes are whole instructions; the last one is in *last. */
static bool are_whole(const struct ledger *ledger, uint64_t from, uint64_t to,
                      struct insn *last)
{
    while (from < to && view_decode(&ledger->view, from, last))
        from += last->length;
    return from == to;
}

bool emitted_middle(struct emitted *emitted, const struct ledger *ledger,
                    uint64_t addr, struct insn *out)
{
    struct emission emission;

    if (!emissions_at(&emitted->emissions, addr, &emission))
        return false;
    for (uint64_t at = emission.from; at < addr; at += out->length)
        if (!view_decode(&ledger->view, at, out))
            return false;
        else if (at + out->length > addr)
            return true;
    return false;
}

static const struct srcline *line_of(const struct emission *emission)
{
    return &emission->chain.list[emission->chain.named_by].source;
}

/* Whether the bytes that were emitted there are whole instructions. The last
 * call that a function makes leaves no frame of that function where the
 * compiler has made it a jump, and what it stores looks like another emission
 * of the same line; it is added. */
static bool find_whole(struct emitted *emitted, const struct ledger *ledger,
                       struct emission *taken, struct insn *last)
{
    const struct srcline *line = line_of(taken);
    struct emission next;

    while (!are_whole(ledger, taken->from, taken->to, last)) {
        if (!line->file ||
            !emissions_at(&emitted->emissions, taken->to, &next) ||
            !word_is(line_of(&next)->file, line->file) ||
            line_of(&next)->line != line->line)
            return false;
        taken->to = next.to;
    }
    return true;
}

/* Whether it was stored right behind what is in front of it, by one store or
 * two (of memcpy(3), that overlap): what is filled in later is an operand, and
 * code that is emitted downwards begins with what was stored last. */
static bool was_next(const struct ledger *ledger, const struct emission *taken)
{
    const struct ledger_store *before =
        ledger_emission(ledger, taken->from - 1);
    const struct ledger_store *first = ledger_emission(ledger, taken->from);

    return before && first && first->seq > before->seq &&
           first->seq - before->seq <= 2;
}

static const struct insn_field *field_at(const struct insn *insn,
                                         uint64_t offset)
{
    for (uint8_t i = 0; i < insn->field_count; i++)
        if (offset < insn->fields[i].offset + insn->fields[i].size)
            return &insn->fields[i];
    return NULL;
}

/* The displacement that was taken counts from rip. */
static bool counts_from_pc(const struct insn *insn,
                           const struct insn_field *field, uint64_t offset)
{
    if (!field || field->kind != FIELD_DISPLACEMENT || field->offset != offset)
        return false;
    for (uint8_t i = 0; i < insn->operand_count; i++)
        if (insn->operands[i].base == REG_PC)
            return true;
    return false;
}

/* Whether bytes that were taken as a whole were meant to be instructions. */
static bool was_meant(const struct ledger *ledger, const struct insn *insn,
                      const struct emission *taken, const struct insn *last,
                      bool faulted)
{
    uint64_t end = insn->addr + insn->length, offset = taken->from - insn->addr;

    if (faulted)
        return counts_from_pc(insn, field_at(insn, offset), offset);
    return insn_goes_on(insn) && !insn_goes_on(last) &&
           !pages_written(&ledger->view.pages, end);
}

static void name_line(struct buf *out, const struct emission *emission)
{
    const struct srcline *source = line_of(emission);

    if (source->file)
        buf_printf(out, " (%s:%d)", source->file, source->line);
}

static void tell(struct ledger *ledger, const struct place *place,
                 const struct insn *insn, const struct emission *begun,
                 const struct emission *taken)
{
    uint64_t own = taken->from - insn->addr;
    const struct insn_field *field = field_at(insn, own);
    struct buf text = {0}, name = {0};
    struct insn next;

    buf_printf(&text, "only its first %" PRIu64 " bytes were emitted for it",
               own);
    name_line(&text, begun);
    if (field) {
        field_name(field, &name);
        buf_printf(&text, ", and for %sits %s it takes",
                   field->offset < own ? "the rest of " : "", buf_text(&name));
    }
    buf_printf(&text, "%s %" PRIu64 " of the bytes that were emitted next",
               field ? "" : ", and it takes", insn->length - own);
    name_line(&text, taken);
    if (view_decode(&ledger->view, taken->from, &next))
        buf_printf(&text, ", %s at offset %" PRIu64, next.text,
                   place->offset + own);
    ledger_found(ledger, RULE_WHOLE_EMISSIONS, place, 0, "%s", buf_text(&text));
    buf_release(&text);
    buf_release(&name);
}

void emitted_ran(struct emitted *emitted, struct ledger *ledger,
                 const struct place *place, const struct insn *insn,
                 bool faulted)
{
    struct emissions *emissions = &emitted->emissions;
    uint64_t addr = place->addr, end = addr + insn->length;
    struct emission begun, taken;
    struct insn last;
    bool broken = false;

    if (!insn->length || !emissions_at(emissions, addr, &begun))
        return;
    if (emissions_cut(emissions, addr, insn->length, &begun, &taken))
        broken = find_whole(emitted, ledger, &taken, &last);
    else if (emissions_at(emissions, end - 1, &taken) && taken.id != begun.id &&
             taken.from > addr && taken.to == end &&
             emissions_apart(emissions, addr, end - 1))
        broken = are_whole(ledger, taken.from, end, &last) &&
                 was_meant(ledger, insn, &taken, &last, faulted);
    if (broken && was_next(ledger, &taken))
        tell(ledger, place, insn, &begun, &taken);
    else
        ledger_held(ledger, RULE_WHOLE_EMISSIONS);
}
