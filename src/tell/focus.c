/* SPDX-License-Identifier: MIT */
/*
 * Which instruction is an event about? A step and an entry say it. A store is
 * only bytes, so its instruction is looked for by reading the bytes in front of
 * it as instructions, one after the other, from a place where one begins.
 *
 * Three things can mislead:
 *   - A compiler may store an immediate before the opcode in front of it. So a
 *     stretch of new bytes is only read from its start if that is where code
 *     would begin: at the start of the mapping, at a multiple of 16, or far
 *     behind everything else.
 *   - Memory that is used again holds old code. An instruction whose first byte
 *     is new consists of new bytes; one whose first byte is old is being
 *     patched, and consists of whatever is there.
 *   - What is new is known from the latest events only. Older bytes count as
 *     old, which matters only to the instruction that is being written.
 *
 * Data in front of code is read as instructions, too; reading is in step with
 * the real ones again soon, though not always.
 */
#include "tell/focus.h"

#include "tell/explain.h"
#include "tell/code.h"

#define LATEST    4096u /* events that are looked at, back from the one asked */
#define BEFORE    512u  /* events that may have left the focus somewhere */
#define TRIED     4u    /* of these are asked for their view, which is dear */
#define LOOK_BACK 8192u /* bytes that are read in front of a store */
#define FAR       16u   /* more than an instruction is long */
#define PATCH     8u    /* no number is longer */

/* A store, and what was stored lately into the same mapping. */
struct store_place {
    const struct pages *pages; /* all that is known to be there */
    struct pages latest;
    uint64_t base;
    uint64_t addr;
    uint64_t length;
};

static bool is_latest(const struct store_place *place, uint64_t addr)
{
    return pages_written(&place->latest, addr);
}

/* --- one instruction ----------------------------------------------------- */

/* How many bytes of a field, from its first on, were written. */
static unsigned field_written(const struct insn_field *field,
                              unsigned unwritten)
{
    unsigned count = 0;

    while (count < field->size && !(unwritten >> (field->offset + count) & 1u))
        count++;
    return count;
}

/* Takes away everything that was only made up: the fields from the first
 * unwritten byte on, and what follows from them. An opcode of several bytes
 * stays with those that are there. */
static void keep_written(struct insn *insn, unsigned unwritten)
{
    struct insn_field *opcode = NULL, *field;
    bool opcode_whole = false, modrm = false;
    unsigned count = 0, size;

    insn->length = 0;
    for (; count < insn->field_count; count++) {
        field = &insn->fields[count];
        size = field_written(field, unwritten);
        if (field->kind == FIELD_OPCODE && size > 0) {
            opcode = field;
            opcode_whole = size == field->size;
            field->size = (uint8_t)size;
        } else if (size < field->size) {
            break;
        }
        modrm |= field->kind == FIELD_MODRM;
        insn->length = (uint8_t)(field->offset + size);
    }
    insn->field_count = (uint8_t)count;
    insn->operand_count = 0;
    insn->kind = INSN_PLAIN;
    insn->text[0] = 0;
    if (!opcode || !opcode_whole || (opcode->digit >= 0 && !modrm))
        insn->mnemonic[0] = 0;
    if (opcode && !modrm)
        opcode->digit = -1;
}

static void set_unknown(struct focus *focus, uint64_t addr, uint64_t length)
{
    focus->state = INSN_UNKNOWN;
    focus->addr = addr;
    focus->length =
        length < INSN_MAX_LENGTH ? (unsigned)length : INSN_MAX_LENGTH;
}

/* Reads an instruction at addr. Returns false when it is none, else fills
 * focus; its length is 0 if that is not an instruction for certain. */
static bool focus_read(const struct store_place *place, uint64_t addr,
                       struct focus *focus)
{
    uint8_t bytes[INSN_MAX_LENGTH]; /* 0 where unwritten */
    size_t prefix = sizeof bytes;   /* so many are written in front */
    bool overwrites = false; /* something else than zeros is where unwritten */
    bool fresh = is_latest(place, addr), readable = true;
    struct insn *insn = &focus->insn;
    unsigned unwritten = 0;
    int whole;

    pages_read(place->pages, addr, sizeof bytes, bytes);
    for (unsigned i = INSN_MAX_LENGTH; fresh && i-- > 0;) {
        if (is_latest(place, addr + i))
            continue;
        overwrites |= bytes[i] != 0;
        bytes[i] = 0;
        unwritten |= 1u << i;
        prefix = i;
    }
    whole = insn_decode(bytes, prefix, addr, insn);
    if (whole < 0)
        return false;
    focus->addr = addr;
    focus->unwritten = 0;
    focus->text_known = whole;
    focus->state = whole ? INSN_DECODED : INSN_PARTLY;
    if (!whole && insn_decode(bytes, sizeof bytes, addr, insn) <= 0) {
        set_unknown(focus, addr, prefix);
        return true;
    }
    /* Where all is written but numbers, length and text are known. */
    for (unsigned i = 0; !whole && i < insn->field_count; i++)
        readable &=
            field_is_number(&insn->fields[i]) ||
            field_written(&insn->fields[i], unwritten) == insn->fields[i].size;
    if (!whole && readable) {
        focus->text_known = !overwrites;
        focus->unwritten = unwritten & ((1u << insn->length) - 1);
    } else if (!whole) {
        keep_written(insn, unwritten);
    }
    focus->length = insn->length;
    if (insn->length == 0)
        set_unknown(focus, addr, prefix);
    return true;
}

/* --- the instruction of a store ------------------------------------------ */

/* Whether code can be taken to begin where a stretch of new bytes begins. */
static bool is_beginning(const struct store_place *place, uint64_t addr)
{
    bool far = true;

    for (unsigned i = 1; i < FAR && far; i++)
        far = addr - i != place->base && !pages_written(place->pages, addr - i);
    return far || addr == place->base || addr % FAR == 0;
}

/* The first byte at or above addr from which it makes sense to read. follows:
 * addr is where an instruction ends. */
static uint64_t skip_to_code(const struct store_place *place, uint64_t addr,
                             bool follows)
{
    const struct pages *pages = place->pages;

    for (; addr <= place->addr; follows = false) {
        bool written = pages_written(pages, addr);

        if (written && (follows || pages_written(pages, addr - 1) ||
                        !is_latest(place, addr) || is_beginning(place, addr)))
            return addr;
        addr++;
        while (written && pages_written(pages, addr))
            addr++;
    }
    return addr;
}

static void find_stored(const struct store_place *place, struct focus *focus)
{
    uint64_t fresh = place->addr; /* where new bytes begin */
    uint64_t start = place->addr; /* from there on there are no wide gaps */
    uint64_t lowest = place->addr - place->base < LOOK_BACK
                          ? place->base
                          : place->addr - LOOK_BACK;
    uint64_t at;

    while (fresh > lowest && is_latest(place, fresh - 1))
        fresh--;
    for (at = place->addr; at > lowest && start - at < FAR; at--)
        if (pages_written(place->pages, at - 1))
            start = at - 1;
    at = skip_to_code(place, start, false);
    while (at <= place->addr) {
        bool found = focus_read(place, at, focus);

        /* New code may begin in the middle of what reads as an old instruction.
         * What is no longer than a number may patch that instruction. */
        if (found && fresh > at && fresh < at + focus->length &&
            !is_latest(place, at) &&
            (fresh % FAR == 0 || place->addr + place->length - fresh > PATCH)) {
            at = fresh;
            continue;
        }
        if (found && place->addr < at + focus->length)
            return;
        at = skip_to_code(place, at + (found ? focus->length : 1), found);
    }
    focus->text_known = false;
    focus->unwritten = 0;
    set_unknown(focus, place->addr, place->length);
}

static void focus_stored(struct history *history, uint64_t seq,
                         struct focus *focus)
{
    const struct event_write *write = &history_event(history, seq)->write;
    struct store_place place = {
        .base = write->addr - write->offset,
        .addr = write->addr,
        .length = write->new.len,
    };

    focus->kind = FOCUS_STORED;
    focus->base = place.base;
    focus->store_addr = place.addr;
    focus->store_length = place.length;
    for (uint64_t i = seq < LATEST ? 0 : seq - LATEST; i <= seq; i++) {
        const struct event *event = history_event(history, i);
        const struct event_enter *enter = &event->enter;
        uint64_t addr = place.addr;

        /* Whether what was stored into the mapping before is old now. */
        if ((event->kind == EVENT_MAP &&
             addr - event->map.addr < event->map.length) ||
            (event->kind == EVENT_UNMAP &&
             addr - event->unmap.addr < event->unmap.length) ||
            (event->kind == EVENT_PROTECT &&
             addr - event->protect.addr < event->protect.length) ||
            (event->kind == EVENT_ENTER &&
             enter->addr - enter->offset == place.base))
            ranges_release(&place.latest.ranges);
        else if (event->kind == EVENT_WRITE &&
                 event->write.addr - event->write.offset == place.base)
            pages_write(&place.latest, event->write.addr, event->write.new);
    }
    place.pages = &history_view(history, seq)->pages;
    find_stored(&place, focus);
    ranges_release(&place.latest.ranges);
}

/* --- the instructions of other events ------------------------------------ */

/* Where the focus of an event is, or near that. Returns false if it has
 * none. */
static bool place_of(const struct event *event, uint64_t *addr)
{
    switch (event->kind) {
    case EVENT_WRITE:
        *addr = event->write.addr;
        return event->write.new.len > 0;
    case EVENT_STEP:
        *addr = event->step.addr;
        return event->step.bytes.len > 0;
    case EVENT_ENTER:
        *addr = event->enter.addr;
        return true;
    case EVENT_PROTECT:
        *addr = event->protect.addr + event->protect.code_offset;
        return event->protect.code.data != NULL;
    case EVENT_SIGNAL:
        *addr = event->signal.pc.value;
        return event->signal.pc.known;
    default:
        return false;
    }
}

/* The focus of an event that has one of its own. Returns false if it has not.
 * But for stores and steps it is the instruction of which all bytes are what
 * the page holds. Where none of them was written they are zeros, which only the
 * CPU takes for code. */
static bool focus_own(struct history *history, uint64_t seq,
                      struct focus *focus)
{
    const struct event *event = history_event(history, seq);
    const struct event_step *step = &event->step;
    const struct view *view = history_view(history, seq);
    struct store_place place = {.pages = &view->pages};
    enum focus_kind kind = FOCUS_REST;
    const struct region *region;
    uint64_t addr, first, last;

    *focus = (struct focus){0};
    if (!place_of(event, &addr))
        return false;
    if (event->kind == EVENT_WRITE) {
        focus_stored(history, seq, focus);
        return true;
    }
    if (event->kind == EVENT_STEP) {
        focus->kind = FOCUS_EXECUTED;
        focus->base = addr - step->offset;
        focus->text_known = insn_decode(step->bytes.data, step->bytes.len, addr,
                                        &focus->insn) > 0;
        focus->addr = addr;
        focus->length = focus->insn.length;
        focus->state = INSN_DECODED;
        if (!focus->text_known)
            set_unknown(focus, addr, step->bytes.len);
        return true;
    }
    if (event->kind == EVENT_ENTER)
        kind = FOCUS_NEXT;
    if (event->kind == EVENT_SIGNAL) {
        addr = explain_address(view, &event->signal);
        if (explain_is_fault(&event->signal))
            kind = FOCUS_SIGNAL;
    }
    first = last = addr;
    region = view_region_at(view, addr);
    if (!pages_extent(&view->pages, addr, INSN_MAX_LENGTH, &first, &last) &&
        !(region && kind == FOCUS_SIGNAL))
        return false;
    focus->kind = kind;
    focus->base = region ? region->start : addr;
    if (!focus_read(&place, addr, focus))
        set_unknown(focus, addr, last - addr + 1);
    return true;
}

static void find(struct history *history, uint64_t seq, struct focus *focus)
{
    uint64_t oldest = seq < BEFORE ? 0 : seq - BEFORE, earlier[TRIED], addr;
    const struct view *view;
    size_t count = 0;

    if (focus_own(history, seq, focus))
        return;
    /* The latest events before whose focus is still there. */
    view = history_view(history, seq);
    for (uint64_t i = seq; i-- > oldest && count < TRIED;) {
        const struct event *event = history_event(history, i);

        if (place_of(event, &addr) && view_region_at(view, addr) &&
            ((event->kind == EVENT_SIGNAL &&
              explain_is_fault(&event->signal)) ||
             view_has_code(view, addr)))
            earlier[count++] = i;
    }
    for (size_t i = 0; i < count && focus->kind == FOCUS_NONE; i++)
        if (focus_own(history, earlier[i], focus))
            focus->kind = FOCUS_REST;
}

void focus_find(struct history *history, uint64_t seq, struct focus *focus)
{
    find(history, seq, focus);
    view_name_target(history_view(history, seq), &focus->insn);
}
