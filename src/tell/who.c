/* SPDX-License-Identifier: MIT */
/*
 * One byte: what it is, of which instruction, and how it came to be.
 *
 *     code[3], the byte at 0x7f4384645003: fc
 *         +0   48 c7 c0[fc]ff ff ff  mov rax, -4
 *         the lowest byte of the imm32 of mov, 0xfffffffc = -4
 *     event 1   00        mapped by mmap(NULL, 4096, ...), all zero
 *                         babyjit.c:62  uint8_t *code = mmap(NULL, size, ...
 *     event 5   00 -> fc  stored at main+0x127: mov byte ptr [rax], dl
 *                         (thread 4242)
 *                         babyjit.c:77  code[3] = (uint8_t)imm;
 *
 * Where an instruction begins is known for certain when it was executed. Else
 * the code is read from its beginning, which data may mislead; then it is said
 * that it was not seen being executed.
 */
#include "tell/tell.h"

#include "cpu/split.h"
#include "tell/code.h"

#define INDENT 4u
#define COLUMN 22u /* of what is said of an event */

static const char *byte_of(struct phrases *phrases, bool known, uint8_t byte)
{
    return known ? phrase(phrases, "%02x", byte) : "\?\?";
}

/* The instruction that a byte belongs to. */
struct part {
    struct insn insn;
    unsigned byte; /* which of its bytes */
    bool executed; /* as it is */
};

static bool decode_at(const struct view *view, uint64_t at, uint64_t addr,
                      struct part *part)
{
    part->byte = (unsigned)(addr - at);
    return view_decode(view, at, &part->insn) && addr - at < part->insn.length;
}

/* That of the latest step that executed the byte, back to event `oldest`; or
 * else the one that a sweep finds. */
static bool find_part(const struct store *store, const struct view *view,
                      uint64_t oldest, uint64_t addr, struct part *part)
{
    struct unpacked unpacked = {0};
    const struct event_step *step = &unpacked.event.step;
    const struct insn *insn = &part->insn;
    enum sweep_found swept;
    struct sweep sweep;
    bool found = false;

    *part = (struct part){0};
    if (!pages_written(&view->pages, addr))
        return false;
    for (uint64_t i = view->applied; !found && i-- > oldest;) {
        store_read(store, i, &unpacked);
        found = unpacked.event.kind == EVENT_STEP &&
                addr - step->addr < step->bytes.len &&
                decode_at(view, step->addr, addr, part);
        part->executed =
            found && insn->length == step->bytes.len &&
            !memcmp(insn->bytes, step->bytes.data, step->bytes.len);
        if (unpacked.event.pid && !part->executed)
            found = false; /* by another process, in memory of its own */
    }
    unpacked_release(&unpacked);
    sweep_init(&sweep, view, addr, addr + 1);
    while (!found && (swept = sweep_next(&sweep)) != SWEEP_END)
        if (swept == SWEEP_INSN && addr - sweep.insn.addr < sweep.insn.length)
            return decode_at(view, sweep.insn.addr, addr, part);
    return found;
}

/* What a byte of an instruction is for: "the lowest byte of the imm32 of mov,
 * 0xfffffffc = -4"; of bits "W=1 R=0 X=0 B=0", or what a prefix means. */
void tell_purpose(const struct insn *insn, unsigned byte, struct buf *out)
{
    const struct insn_field *field = fields_at(insn, byte);
    bool is_number = field_is_number(field);
    unsigned at = byte - field->offset;
    struct phrases phrases = {0};
    struct insn_bits bits[INSN_MAX_BITS];
    size_t count = is_number ? 0 : insn_split(insn, bits);
    const char *joint = ": ";

    if (field->kind == FIELD_PREFIX)
        buf_append_text(out, "a prefix");
    else if (field->size > 1 && !is_number)
        buf_printf(out, "byte %u of %u of ", at + 1, field->size);
    else if (field->size > 1 && at > 0 && at + 1u < field->size)
        buf_printf(out, "bits %u..%u of ", 8 * at + 7, 8 * at);
    else if (field->size > 1)
        buf_printf(out, "the %s byte of ", at == 0 ? "lowest" : "highest");
    if (field->kind != FIELD_PREFIX)
        buf_printf(out, "the %s%s", fields_name(&phrases, field),
                   field->kind == FIELD_REX || field->kind == FIELD_VEX
                       ? " prefix"
                       : "");
    buf_printf(out, " of %s", insn->mnemonic);
    if (is_number)
        buf_printf(out, ", %s", fields_meaning(&phrases, insn, field));
    for (size_t i = 0; i < count; i++) {
        const char *label = bits[i].label;

        if (bits[i].byte != byte || !label[strspn(label, "01")] ||
            !strcmp(label, "opcode"))
            continue;
        buf_printf(out, "%s%s", joint, label);
        if (bits[i].width < 8)
            buf_printf(out, "=%s",
                       phrase_bits(&phrases, bits[i].value, bits[i].width));
        joint = " ";
    }
    phrases_release(&phrases);
}

/* "by generated code at ", or else what is given; then the place. Addresses are
 * the names of places in generated code. */
static const char *place_of(struct phrases *phrases,
                            const struct origin *origin, const char *generated,
                            const char *named, const char *other)
{
    const char *symbol = origin->symbol;
    bool is_generated =
        symbol ? !strncmp(symbol, "0x", 2) : origin->event == EVENT_STEP;

    return phrase(phrases, "%s%s",
                  is_generated ? generated
                  : symbol     ? named
                               : other,
                  symbol ? symbol : phrase_hex(phrases, origin->pc));
}

static const char *found_when(const struct origin *origin)
{
    switch (origin->event) {
    case EVENT_PROTECT:
        return "when the protection was changed";
    case EVENT_ENTER:
        return "when the code was entered";
    case EVENT_STEP:
        return "when it was executed";
    default:
        return origin->call ? "changed" : "when the next store came";
    }
}

/* "00 -> fc" */
static const char *values_of(struct phrases *phrases,
                             const struct origin *origin)
{
    const char *old = byte_of(phrases, origin->old_known, origin->old_byte);
    const char *new = byte_of(phrases, origin->new_known, origin->new_byte);

    if (origin->kind == ORIGIN_UNMAPPED)
        return old;
    return origin->kind == ORIGIN_MAPPED || origin->kind == ORIGIN_MOVED
               ? new
               : phrase(phrases, "%s -> %s", old, new);
}

static const char *change_of(struct phrases *phrases,
                             const struct origin *origin)
{
    const char *call = origin->call ? origin->call : "?";
    const char *place = place_of(phrases, origin, "by generated code at ",
                                 "at ", "by the instruction at ");

    switch (origin->kind) {
    case ORIGIN_MAPPED:
        return phrase(
            phrases, "%s%s%s",
            origin->call ? "mapped by " : "memory that was there before",
            origin->call ? call : "",
            origin->new_known ? ", all zero" : "; what it held was not seen");
    case ORIGIN_MOVED:
        return phrase(phrases, "moved by %s", call);
    case ORIGIN_STORE:
        return phrase(phrases, "stored %s%s%s", place, origin->text ? ": " : "",
                      origin->text ? origin->text : "");
    case ORIGIN_KERNEL:
        return phrase(phrases, "written %s%s, called %s", event_by_whom(call),
                      call, place);
    case ORIGIN_FOUND:
        return phrase(phrases, "found %s; nobody was seen storing it",
                      found_when(origin));
    case ORIGIN_UNMAPPED:
        return phrase(phrases, "unmapped by %s", call);
    }
    return "";
}

/* Who names a change: of a store the chain tells, of others their place. */
static const struct caller *name_of(struct emissions *emissions,
                                    const struct origin *origin,
                                    struct chain *chain)
{
    *chain = origin->chain;
    if (chain->count == 0)
        chain->list[0].source = origin->source;
    else
        emissions_name(emissions, chain);
    return &chain->list[chain->named_by];
}

/* "+0   48 c7 c0[fc]ff ff ff  mov rax, -4" */
static void write_insn(struct pen *pen, const struct part *part, uint64_t base)
{
    const struct insn *insn = &part->insn;

    pen_column(pen, INDENT);
    pen_print(pen, ROLE_ADDRESS, "+%" PRIu64, insn->addr - base);
    if (pen->column < INDENT + 4)
        pen_column(pen, INDENT + 4);
    for (unsigned i = 0; i <= insn->length; i++) {
        bool is_it = i == part->byte, is_next = i == part->byte + 1;

        if (i < insn->length || is_next)
            pen_text(pen, ROLE_BYTE_NEW, is_it ? "[" : is_next ? "]" : " ");
        if (i < insn->length)
            pen_print(pen,
                      is_it ? ROLE_BYTE_NEW
                            : style_field(fields_at(insn, i)->kind),
                      "%02x", insn->bytes[i]);
    }
    pen_gap(pen, 0);
    pen_cut(pen, ROLE_MNEMONIC, insn->text);
    pen_end(pen);
}

void who_write(struct pen *pen, const struct store *store,
               struct emissions *emissions, const struct origins *origins,
               uint64_t seq, uint64_t base, const struct view *view)
{
    size_t count = origins_until(origins, seq);
    const struct origin *last = count > 0 ? &origins->list[count - 1] : NULL;
    bool gone = last && last->kind == ORIGIN_UNMAPPED;
    struct phrases phrases = {0};
    struct buf purpose = {0};
    const struct caller *caller;
    struct chain chain;
    uint64_t oldest = 0; /* the mapping that the byte is in began with it */
    struct part part;
    const struct insn *insn = &part.insn;
    const char *name, *line;

    if (origins->lineage && origins->lineage->has_children) {
        const struct birth *birth = &origins->lineage->births[origins->life];

        pen_line(pen, ROLE_HEADING, "process %d%s", birth->pid,
                 birth->end <= seq ? ", before it ran another program" : "");
    }
    pen_text(pen, ROLE_HEADING,
             phrase_place(&phrases, origins->addr - base, 1));
    pen_text(pen, ROLE_PLAIN, ", the byte at ");
    pen_hex(pen, ROLE_ADDRESS, origins->addr);
    pen_text(pen, ROLE_PLAIN, ": ");
    pen_text(pen, ROLE_BYTE_NEW,
             gone ? byte_of(&phrases, last->old_known, last->old_byte)
                  : byte_of(&phrases, last && last->new_known,
                            last ? last->new_byte : 0));
    if (gone)
        pen_text(pen, ROLE_NOTE, ", until it was unmapped");
    pen_end(pen);
    for (size_t i = 0; i < count; i++)
        if (origins->list[i].kind == ORIGIN_MAPPED ||
            origins->list[i].kind == ORIGIN_MOVED)
            oldest = origins->list[i].seq;
    if (find_part(store, view, oldest, origins->addr, &part)) {
        write_insn(pen, &part, base);
        tell_purpose(insn, part.byte, &purpose);
        if (!part.executed)
            buf_append_text(&purpose, " (not seen being executed)");
    } else {
        buf_append_text(&purpose,
                        pages_written(&view->pages, origins->addr)
                            ? "of no instruction, as far as can be told"
                            : "nothing was seen being stored there");
    }
    pen_column(pen, INDENT);
    pen_words(pen, ROLE_NOTE, INDENT, phrase_of(&phrases, &purpose));
    name = phrase_label(&phrases, view, origins->addr);
    line = phrase_line(&phrases, view, origins->addr);
    if (*name) {
        pen_column(pen, INDENT);
        pen_words(pen, ROLE_NOTE, INDENT,
                  phrase(&phrases, *line ? "of %s, made from %s" : "of %s",
                         name, line));
    }
    for (size_t i = 0; i < count; i++) {
        const struct origin *origin = &origins->list[i];

        pen_print(pen, ROLE_ADDRESS, "event %" PRIu64, origin->seq);
        pen_gap(pen, COLUMN - 10);
        pen_text(pen, ROLE_RESULT, values_of(&phrases, origin));
        pen_gap(pen, COLUMN);
        pen_words(pen, ROLE_PLAIN, COLUMN,
                  phrase(&phrases, "%s (thread %d%s)",
                         change_of(&phrases, origin), origin->tid,
                         origin->process ? phrase(&phrases, " of process %d",
                                                  origin->process)
                                         : ""));
        caller = name_of(emissions, origin, &chain);
        if (!caller->source.file)
            continue;
        pen_column(pen, COLUMN);
        pen_source(pen, &caller->source);
        pen_end(pen);
        if (chain.count < 2)
            continue;
        pen_column(pen, COLUMN);
        pen_words(pen, ROLE_NOTE, COLUMN, phrase_chain(&phrases, &chain));
    }
    phrases_release(&phrases);
}

void who_line(struct emissions *emissions, const struct origins *origins,
              uint64_t seq, uint64_t base, struct buf *out)
{
    size_t count = origins_until(origins, seq);
    const struct origin *origin = count ? &origins->list[count - 1] : NULL;
    const struct caller *caller;
    struct phrases phrases = {0};
    struct chain chain;

    buf_append_text(out, phrase_place(&phrases, origins->addr - base, 1));
    if (!origin) {
        buf_append_text(out, "  no event so far is about this byte");
        phrases_release(&phrases);
        return;
    }
    buf_printf(out, "  event %" PRIu64 ": %s", origin->seq,
               values_of(&phrases, origin));
    if (origin->kind == ORIGIN_KERNEL)
        buf_printf(out, "  %s%s", event_by_whom(origin->call), origin->call);
    else if (origin->kind == ORIGIN_FOUND)
        buf_printf(out, "  found %s", found_when(origin));
    else if (origin->kind == ORIGIN_MAPPED)
        buf_append_text(out, origin->call ? "  mapped" : "  was there before");
    else if (origin->kind != ORIGIN_STORE)
        buf_append_text(out, origin->kind == ORIGIN_MOVED ? "  moved here"
                                                          : "  unmapped");
    caller = name_of(emissions, origin, &chain);
    if (caller->source.file)
        buf_printf(out, "  %s", phrase_source(&phrases, &caller->source));
    if (chain.named_by > 0)
        buf_printf(
            out, " through %s",
            phrase_function(&phrases, chain.list[chain.named_by - 1].symbol));
    if (origin->symbol || origin->pc)
        buf_append_text(out, place_of(&phrases, origin, "  generated code at  ",
                                      "  ", "  "));
    buf_printf(out, "  thread %d", origin->tid);
    if (origin->process > 0)
        buf_printf(out, " of process %d", origin->process);
    if (origins->count > count)
        buf_printf(out, "  (later: %zu)", origins->count - count);
    phrases_release(&phrases);
}
