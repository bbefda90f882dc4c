/* SPDX-License-Identifier: MIT */
/*
 * Code is shown and explained when it becomes executable, or is entered.
 *
 * A JIT may flip its pages a thousand times. Each time only what is new since
 * the last time is shown: a dump, some instructions with their fields, the
 * next ones in a line each, and a count of the rest.
 *
 * A store is only bytes until they are executed, or may be. At that moment they
 * are decoded as a whole, in whatever order they were stored, and the first
 * immediates are told: that their lowest byte comes first, and their sign.
 */
#include "tell/paragraph.h"

#include "base/mem.h"
#include "tell/code.h"
#include "tell/tell_parts.h"

#define DUMP_MAX        1024u
#define EXPLAINED       16u    /* instructions with their fields */
#define EXPLAINED_NEXT  4u     /* as many, when that is no longer new */
#define LISTED          24u    /* in a line each, after those */
#define COUNTED         16384u /* bytes behind those whose instructions are */
#define PLACES_TOLD     4u     /* entries to what is not listed */
#define BAD_SHOWN       8u     /* bytes */
#define IMMEDIATES_TOLD 4u     /* the first time, then one */

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
    emissions_release(&telling->emissions);
    free(telling->through);
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
    *thread = (struct telling_thread){.tid = tid, .vector_result = "movsd"};
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

static void show_insn(struct telling *telling, const struct insn *insn,
                      uint64_t base, uint64_t number, uint64_t explained)
{
    static const uint8_t mark;

    if (number >= explained + LISTED)
        return;
    if (number > 0 && number <= explained)
        pen_blank(&telling->pen);
    pages_write(&telling->listed, insn->addr, (struct bytes){&mark, 1});
    if (number < explained) {
        fields_write(&telling->pen, insn, insn->addr - base);
        return;
    }
    telling_insn(telling, insn->addr - base,
                 (struct bytes){insn->bytes, insn->length}, insn->text);
    pen_end(&telling->pen);
}

/* Explains the names that the fields of the first instructions will have. */
static void show_legend(struct telling *telling, uint64_t first, uint64_t end,
                        uint64_t explained)
{
    unsigned names = 0;
    struct sweep sweep;
    enum sweep_found found;

    sweep_init(&sweep, &telling->view, first, end);
    while (explained > 0 && (found = sweep_next(&sweep)) != SWEEP_END) {
        if (found == SWEEP_INSN && sweep.at > first) {
            names |= fields_names(&sweep.insn);
            explained--;
        }
    }
    fields_write_legend(&telling->pen, names & ~telling->names_told);
    telling->names_told |= names;
    pen_blank(&telling->pen);
}

/* The instructions that reach into [first, end), and bytes that are none. */
static void show_insns(struct telling *telling, uint64_t base, uint64_t first,
                       uint64_t end)
{
    bool is_new = telling_first_time(telling, TOPIC_FIELDS);
    uint64_t explained = is_new ? EXPLAINED : EXPLAINED_NEXT, count = 0;
    uint64_t told = explained + LISTED;
    struct pen *pen = &telling->pen;
    enum sweep_found found;
    struct sweep sweep;

    if (end - first > ARCH_PAGE_SIZE && telling_first_time(telling, TOPIC_DATA))
        pen_words(pen, ROLE_NOTE, 0,
                  "(It is read as instructions from its first byte on; data in "
                  "between looks like instructions, too.)");
    show_legend(telling, first, end, explained);
    sweep_init(&sweep, &telling->view, first, end);
    while ((found = sweep_next(&sweep)) != SWEEP_END) {
        uint64_t len = sweep.bad_length;
        uint8_t bytes[BAD_SHOWN];

        if (sweep.at <= first)
            continue;
        if (found == SWEEP_INSN) {
            show_insn(telling, &sweep.insn, base, count++, explained);
        } else if (count < told) {
            len = len < BAD_SHOWN ? len : BAD_SHOWN;
            pages_read(&telling->view.pages, sweep.bad, len, bytes);
            pen_blank(pen);
            telling_insn(telling, sweep.bad - base, (struct bytes){bytes, len},
                         NULL);
            if (len < sweep.bad_length)
                pen_print(pen, ROLE_NOTE, " ... (%" PRIu64 " bytes)",
                          sweep.bad_length);
            pen_gap(pen, 27);
            pen_line(pen, ROLE_WARNING,
                     "no instruction, or only a part of one");
        }
        if (count == told && end - sweep.at > COUNTED)
            break;
    }
    if (found != SWEEP_END)
        pen_line(pen, ROLE_NOTE, "... and %" PRIu64 " more bytes of them",
                 end - sweep.at);
    else if (count > told)
        pen_line(pen, ROLE_NOTE, "... and %" PRIu64 " more instructions",
                 count - told);
}

bool telling_show_code(struct telling *telling, uint64_t base, uint64_t addr,
                       struct bytes code)
{
    struct telling_area *area = telling_area(telling, base);
    uint64_t first = area->first > addr ? area->first : addr, row, len;
    uint64_t end = addr + code.len, left;
    struct pen *pen = &telling->pen;
    struct buf lines = {0};

    if (!area->fresh || code.len == 0 || first >= end || area->last < addr)
        return false;
    if (area->last + 1 < end)
        end = area->last + 1;
    area->fresh = false;
    pen_blank(pen);
    telling_name_code(telling, base);
    if (first == addr && end == addr + code.len)
        pen_line(pen, ROLE_NOTE,
                 "The code, %zu byte%s (as xxd -g1 shows it):", code.len,
                 code.len == 1 ? "" : "s");
    else
        pen_line(pen, ROLE_NOTE, "%s %s changed; the code is %zu bytes:",
                 phrase_place(&telling->phrases, first - base, end - first),
                 end - first == 1 ? "has" : "have", code.len);
    row = (first - addr) / 16 * 16;
    len = (end - addr - row + 15) / 16 * 16;
    if (len > code.len - row)
        len = code.len - row;
    left = len > DUMP_MAX ? len - DUMP_MAX : 0;
    hexdump_append((struct bytes){code.data + row, len - left},
                   addr + row - base, &lines);
    pen_lines(pen, &lines);
    buf_release(&lines);
    if (left)
        pen_line(pen, ROLE_NOTE,
                 "... and %" PRIu64 " bytes more; --format=raw has them all",
                 left);
    pen_blank(pen);
    show_insns(telling, base, first, end);
    return true;
}

/* Where code has data in front of it, or is long, the entry may not be among
 * what was told. The next instructions are, for the first such entries. */
void telling_show_entered(struct telling *telling, uint64_t base, uint64_t addr)
{
    const struct region *region = view_region_at(&telling->view, addr);
    const struct pages *pages = &telling->view.pages;
    struct pen *pen = &telling->pen;
    uint64_t first, last;
    struct insn insn;

    if (region &&
        pages_extent(pages, region->addr, region->length, &first, &last) &&
        addr > first && telling_first_time(telling, TOPIC_DATA)) {
        pen_blank(pen);
        pen_words(pen, ROLE_NOTE, 0,
                  "(Above, it was read as instructions from its first byte on; "
                  "data in front of code looks like instructions, too.)");
        pen_blank(pen);
    }
    if (telling->places_told == PLACES_TOLD ||
        pages_written(&telling->listed, addr) ||
        !telling_decode(telling, addr, &insn))
        return;
    telling->places_told++;
    pen_blank(pen);
    pen_words(pen, ROLE_NOTE, 0,
              phrase(&telling->phrases,
                     "Control enters at +%" PRIu64 ", where no instruction "
                     "that was listed begins:",
                     addr - base));
    pen_blank(pen);
    show_legend(telling, addr, addr + 1, 1);
    for (uint64_t i = 0;
         i < EXPLAINED_NEXT && telling_decode(telling, addr, &insn); i++) {
        show_insn(telling, &insn, base, i, EXPLAINED_NEXT);
        addr += insn.length;
    }
    pen_blank(pen);
}

static void tell_immediate(struct telling *telling, uint64_t base,
                           const struct insn *insn,
                           const struct insn_field *field, bool in_full)
{
    uint64_t addr = insn->addr + field->offset, value = fields_bits(field);
    struct bytes bytes = {insn->bytes + field->offset, field->size};
    int bits = 8 * field->size, digits = 2 * field->size;
    struct phrases *phrases = &telling->phrases;
    struct pen *pen = &telling->pen;

    pen_blank(pen);
    telling_name_code(telling, base);
    pen_print(pen, ROLE_NOTE, "%s of ", fields_name(phrases, field));
    pen_text(pen, ROLE_MNEMONIC, insn->text);
    pen_line(pen, ROLE_NOTE, ", stored little-endian:");
    pen_column(pen, 2);
    pen_words(pen, ROLE_IMMEDIATE, 4,
              phrase(phrases, "%s = %s is 0x%0*" PRIx64 ", lowest byte first",
                     phrase_place(phrases, addr - base, field->size),
                     phrase_bytes(phrases, bytes), digits, value));
    in_full &= !pages_all_written(&telling->explained, addr, field->size);
    for (unsigned i = 0; in_full && i < bytes.len; i++) {
        const char *item =
            phrase(phrases, "%s holds bits %u..%u = %s",
                   phrase_place(phrases, addr - base + i, 1), 8 * i + 7, 8 * i,
                   phrase_bits(phrases, bytes.data[i], 8));

        pen_item(pen, 2, strlen(item));
        if (pen->column > 0)
            pen_gap(pen, 41);
        pen_text(pen, ROLE_IMMEDIATE, item);
    }
    if (in_full)
        pen_end(pen);
    pen_column(pen, 2);
    pen_words(
        pen, ROLE_NOTE, 4,
        !field->is_signed
            ? phrase(phrases, "a number without a sign: %" PRIu64, value)
        : field->value < 0
            ? phrase(phrases,
                     "bit %d is 1: negative in two's complement, 0x%" PRIx64
                     " - 2^%d = %" PRId64,
                     bits - 1, value, bits, field->value)
            : phrase(phrases,
                     "bit %d is 0: not negative, 0x%0*" PRIx64 " = %" PRId64,
                     bits - 1, digits, value, field->value));
}

/* Tells of the immediates stored in a range that turned out to be code, and
 * begins anew. */
static void sum_up(struct telling *telling, uint64_t addr, uint64_t length)
{
    uint64_t base = telling_base(telling, addr, 0), told, count = 0;
    const struct pages *stored = &telling->stored;
    enum sweep_found found;
    struct sweep sweep;
    uint64_t first, last;
    bool is_new;

    if (!pages_extent(stored, addr, length, &first, &last))
        return;
    is_new = telling_first_time(telling, TOPIC_IMMEDIATES);
    told = is_new ? IMMEDIATES_TOLD : 1;
    sweep_init(&sweep, &telling->view, first, last + 1);
    while ((found = sweep_next(&sweep)) != SWEEP_END) {
        const struct insn *insn = &sweep.insn;

        for (size_t i = 0; found == SWEEP_INSN && i < insn->field_count; i++) {
            const struct insn_field *field = &insn->fields[i];
            uint64_t start = insn->addr + field->offset;

            /* Wide, and at least in part new. */
            if (field->kind == FIELD_IMMEDIATE && field->size >= 2 &&
                pages_next(stored, start, start + field->size) <
                    start + field->size &&
                count++ < told)
                tell_immediate(telling, base, insn, field, is_new);
        }
    }
    if (count > told)
        pen_line(&telling->pen, ROLE_NOTE,
                 "... and %" PRIu64 " more immediates of two or more bytes",
                 count - told);
    ranges_forget(&telling->stored.ranges, addr, addr + length);
    ranges_forget(&telling->explained.ranges, addr, addr + length);
    telling_area(telling, base)->boundary = base;
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
            sum_up(telling, protect->addr, protect->length);
        compare_code(telling, telling_base(telling, protect->addr, 0),
                     protect->addr + protect->code_offset, protect->code);
    } else if (event->kind == EVENT_ENTER) {
        region = view_region_at(&telling->view, enter->addr);
        if (region) {
            sum_up(telling, region->addr, region->length);
            compare_code(telling, region->start,
                         region->addr + enter->code_offset, enter->code);
        }
    }
    view_apply(&telling->view, event);
}
