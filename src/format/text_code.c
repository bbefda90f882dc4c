/* SPDX-License-Identifier: MIT */
/*
 * Stage 4: code becomes executable, and is shown and explained.
 *
 * A JIT may flip its pages a thousand times. Each time only what is new since
 * the last time is shown: a dump, some instructions with their fields, the
 * next ones in a line each, and a count of the rest.
 */
#include "format/text_parts.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"
#include "tell/fields.h"
#include "tell/hexdump.h"
#include "tell/sweep.h"

#define DUMP_MAX       1024u
#define EXPLAINED      16u    /* instructions with their fields */
#define EXPLAINED_NEXT 4u     /* as many, when that is no longer new */
#define LISTED         24u    /* in a line each, after those */
#define COUNTED        16384u /* bytes behind those whose instructions are */
#define PLACES_TOLD    4u     /* entries to what is not listed */

struct text_area *text_area(struct text *text, uint64_t base)
{
    struct text_area *area;

    for (size_t i = text->area_count; i-- > 0;)
        if (text->areas[i].base == base)
            return &text->areas[i];
    text->areas = mem_grow(text->areas, text->area_count, &text->area_capacity,
                           sizeof *text->areas);
    area = &text->areas[text->area_count++];
    *area = (struct text_area){.base = base, .boundary = base};
    return area;
}

void text_note_fresh(struct text *text, uint64_t base, uint64_t first,
                     uint64_t last)
{
    struct text_area *area = text_area(text, base);

    if (!area->fresh || first < area->first)
        area->first = first;
    if (!area->fresh || last > area->last)
        area->last = last;
    area->fresh = true;
}

void text_compare_code(struct text *text, uint64_t base, uint64_t addr,
                       struct bytes code)
{
    uint8_t known[256];

    for (size_t at = 0; at < code.len; at += sizeof known) {
        size_t len =
            code.len - at < sizeof known ? code.len - at : sizeof known;

        pages_read(&text->view.pages, addr + at, len, known);
        for (size_t i = 0; i < len; i++)
            if (known[i] != code.data[at + i])
                text_note_fresh(text, base, addr + at + i, addr + at + i);
    }
}

void text_forget(struct text *text, uint64_t addr, uint64_t length)
{
    size_t kept = 0;

    for (size_t i = 0; i < text->area_count; i++)
        if (text->areas[i].base < addr || text->areas[i].base - addr >= length)
            text->areas[kept++] = text->areas[i];
    text->area_count = kept;
    pages_forget(&text->stored, addr, length);
    pages_forget(&text->explained, addr, length);
    pages_forget(&text->listed, addr, length);
    if (text->base >= addr && text->base - addr < length)
        text->named = false;
}

static void show_dump(struct text *text, uint64_t base, uint64_t from,
                      struct bytes code)
{
    size_t len = code.len < DUMP_MAX ? code.len : DUMP_MAX;
    struct buf lines = {0};

    hexdump_append((struct bytes){code.data, len}, from - base, &lines);
    pen_lines(&text->pen, &lines);
    buf_release(&lines);
    if (len < code.len) {
        pen_print(&text->pen, ROLE_NOTE,
                  "... and %zu bytes more; --format=raw has them all",
                  code.len - len);
        pen_end(&text->pen);
    }
}

static void show_bad(struct text *text, const struct sweep *sweep,
                     uint64_t base)
{
    struct pen *pen = &text->pen;
    uint64_t shown = sweep->bad_length < 8 ? sweep->bad_length : 8;
    uint8_t byte;

    pen_blank(pen);
    pen_print(pen, ROLE_ADDRESS, "+%llu",
              (unsigned long long)(sweep->bad - base));
    pen_gap(pen, 5);
    for (uint64_t i = 0; i < shown; i++) {
        pages_read(sweep->pages, sweep->bad + i, 1, &byte);
        pen_print(pen, ROLE_BYTE, i ? " %02x" : "%02x", byte);
    }
    if (shown < sweep->bad_length)
        pen_print(pen, ROLE_NOTE, " ... (%llu bytes)",
                  (unsigned long long)sweep->bad_length);
    pen_gap(pen, 27);
    pen_text(pen, ROLE_WARNING, "no instruction, or only a part of one");
    pen_end(pen);
}

/* Notes that the instruction at addr is told. */
static void note_listed(struct text *text, uint64_t addr)
{
    pages_write(&text->listed, addr, (struct bytes){(const uint8_t *)"", 1});
}

static void show_insn(struct text *text, const struct insn *insn, uint64_t base,
                      uint64_t number, uint64_t explained)
{
    if (number >= explained + LISTED)
        return;
    if (number > 0 && number <= explained)
        pen_blank(&text->pen);
    note_listed(text, insn->addr);
    if (number < explained) {
        fields_write(&text->pen, insn, insn->addr - base);
        return;
    }
    text_tell_insn(&text->pen, insn->addr - base,
                   (struct bytes){insn->bytes, insn->length}, insn->text);
    pen_end(&text->pen);
}

/* Explains the names that the fields of the first instructions will have. */
static void show_legend(struct text *text, uint64_t first, uint64_t end,
                        uint64_t explained)
{
    unsigned names = 0;
    struct sweep sweep;
    enum sweep_found found;

    sweep_init(&sweep, &text->view.pages, first, end);
    while (explained > 0 && (found = sweep_next(&sweep)) != SWEEP_END) {
        if (found == SWEEP_INSN && sweep.at > first) {
            names |= fields_names(&sweep.insn);
            explained--;
        }
    }
    fields_write_legend(&text->pen, names & ~text->names_told);
    text->names_told |= names;
    pen_blank(&text->pen);
}

/* The instructions that reach into [first, end). */
static void show_insns(struct text *text, uint64_t base, uint64_t first,
                       uint64_t end)
{
    uint64_t explained = EXPLAINED_NEXT, count = 0;
    enum sweep_found found;
    struct sweep sweep;

    if (text_first_time(text, TOPIC_FIELDS))
        explained = EXPLAINED;
    if (end - first > PAGES_SIZE && text_first_time(text, TOPIC_DATA))
        pen_words(&text->pen, ROLE_NOTE, 0,
                  "(It is read as instructions from its first byte on; data in "
                  "between looks like instructions, too.)");
    show_legend(text, first, end, explained);
    sweep_init(&sweep, &text->view.pages, first, end);
    while ((found = sweep_next(&sweep)) != SWEEP_END) {
        if (sweep.at <= first)
            continue;
        if (found == SWEEP_INSN)
            show_insn(text, &sweep.insn, base, count++, explained);
        else if (count < explained + LISTED)
            show_bad(text, &sweep, base);
        if (count == explained + LISTED && end - sweep.at > COUNTED)
            break;
    }
    if (found != SWEEP_END) {
        pen_print(&text->pen, ROLE_NOTE, "... and %llu more bytes of them",
                  (unsigned long long)(end - sweep.at));
        pen_end(&text->pen);
    } else if (count > explained + LISTED) {
        pen_print(&text->pen, ROLE_NOTE, "... and %llu more instructions",
                  (unsigned long long)(count - explained - LISTED));
        pen_end(&text->pen);
    }
}

static void show_range(struct text *text, uint64_t base, uint64_t addr,
                       struct bytes code, uint64_t first, uint64_t end)
{
    uint64_t row = addr + (first - addr) / 16 * 16;
    uint64_t len = (end - row + 15) / 16 * 16;
    struct pen *pen = &text->pen;

    pen_blank(pen);
    text_name_code(text, base);
    if (first == addr && end == addr + code.len)
        pen_print(pen, ROLE_NOTE,
                  "The code, %zu byte%s (as xxd -g1 shows it):", code.len,
                  code.len == 1 ? "" : "s");
    else if (end - first == 1)
        pen_print(pen, ROLE_NOTE,
                  "code[%llu] has changed; the code is %zu bytes:",
                  (unsigned long long)(first - base), code.len);
    else
        pen_print(pen, ROLE_NOTE,
                  "code[%llu..%llu] have changed; the code is %zu bytes:",
                  (unsigned long long)(first - base),
                  (unsigned long long)(end - 1 - base), code.len);
    pen_end(pen);
    if (len > addr + code.len - row)
        len = addr + code.len - row;
    show_dump(text, base, row, (struct bytes){code.data + (row - addr), len});
    pen_blank(pen);
    show_insns(text, base, first, end);
}

bool text_show_code(struct text *text, uint64_t base, uint64_t addr,
                    struct bytes code)
{
    struct text_area *area = text_area(text, base);
    uint64_t first = area->first > addr ? area->first : addr;
    uint64_t end = addr + code.len;

    if (!area->fresh || code.len == 0 || first >= end || area->last < addr)
        return false;
    if (area->last + 1 < end)
        end = area->last + 1;
    area->fresh = false;
    show_range(text, base, addr, code, first, end);
    return true;
}

bool text_decode(const struct text *text, uint64_t addr, struct insn *insn)
{
    const struct pages *pages = &text->view.pages;
    uint8_t bytes[INSN_MAX_LENGTH];
    size_t len = 0;

    while (len < sizeof bytes && pages_written(pages, addr + len))
        len++;
    pages_read(pages, addr, len, bytes);
    return insn_decode(bytes, len, addr, insn) > 0;
}

/* Says, once, that code may have data in front of it. */
static void tell_data(struct text *text, uint64_t entry)
{
    const struct region *region = view_region_at(&text->view, entry);
    uint64_t first, last;

    if (!region ||
        !pages_extent(&text->view.pages, region->addr, region->length, &first,
                      &last) ||
        entry <= first || !text_first_time(text, TOPIC_DATA))
        return;
    pen_blank(&text->pen);
    pen_words(
        &text->pen, ROLE_NOTE, 0,
        "(Above, it was read as instructions from its first byte on; data "
        "in front of code looks like instructions, too.)");
    pen_blank(&text->pen);
}

/*
 * Where code has data in front of it, or is long, the entry may not be among
 * what was told. The next instructions are, for the first such entries.
 */
void text_show_entered(struct text *text, uint64_t base, uint64_t addr)
{
    struct pen *pen = &text->pen;
    struct buf line = {0};
    struct insn insn;

    tell_data(text, addr);
    if (text->places_told == PLACES_TOLD ||
        pages_written(&text->listed, addr) || !text_decode(text, addr, &insn))
        return;
    text->places_told++;
    pen_blank(pen);
    buf_printf(&line,
               "Control enters at +%llu, where no instruction that was listed "
               "begins:",
               (unsigned long long)(addr - base));
    pen_words(pen, ROLE_NOTE, 0, buf_text(&line));
    buf_release(&line);
    pen_blank(pen);
    show_legend(text, addr, addr + 1, 1);
    for (uint64_t i = 0; i < EXPLAINED_NEXT; i++, addr += insn.length) {
        if (!text_decode(text, addr, &insn))
            break;
        show_insn(text, &insn, base, i, EXPLAINED_NEXT);
    }
    pen_blank(pen);
}

static const char *meaning_of(unsigned old, unsigned new)
{
    if (new &PROT_EXEC &&new &PROT_WRITE)
        return "writable and executable at the same time";
    if (new &PROT_EXEC && old &PROT_WRITE)
        return "executable from now on, no longer writable";
    if (new &PROT_EXEC)
        return old & PROT_EXEC ? "still executable" : "executable from now on";
    if (old & PROT_EXEC && new &PROT_WRITE)
        return "writable again, no longer executable";
    return new &PROT_WRITE ? "writable, not executable" : "not executable";
}

static void tell_flip(struct text *text, const struct event_protect *protect)
{
    struct pen *pen = &text->pen;
    char old[4], new[4];

    prot_text(protect->old_prot, old);
    prot_text(protect->prot, new);
    pen_column(pen, 2);
    pen_text(pen, ROLE_NOTE, "protection");
    pen_column(pen, 14);
    pen_print(pen, ROLE_PROTECTION, "%s -> %s", old, new);
    pen_gap(pen, 0);
    pen_text(pen, ROLE_NOTE, meaning_of(protect->old_prot, protect->prot));
    pen_end(pen);
}

static void tell_maps(struct text *text, const char *name, const char *maps)
{
    struct pen *pen = &text->pen;

    if (!maps)
        return;
    pen_column(pen, 2);
    pen_text(pen, ROLE_NOTE, name);
    pen_column(pen, 14);
    text_maps_line(pen, maps);
    pen_end(pen);
}

void text_protect(struct text *text, const struct event *event)
{
    const struct event_protect *protect = &event->protect;
    uint64_t base = text_base(text, protect->addr, 0);
    struct pen *pen = &text->pen;

    pen_blank(pen);
    if (event->source.file) {
        text_source(text, event);
        pen_end(pen);
    }
    if (protect->call) {
        pen_column(pen, 2);
        pen_words(pen, ROLE_CALL, 5, protect->call);
    }
    tell_flip(text, protect);
    tell_maps(text, "maps before", text->maps_before);
    tell_maps(text, "maps after", protect->maps);
    if (protect->prot & PROT_EXEC && !(protect->old_prot & PROT_EXEC))
        text_area(text, base)->flipped = true;
    if (!(protect->prot & PROT_EXEC) || protect->old_prot & PROT_EXEC)
        return;
    if (text_show_code(text, base, protect->addr + protect->code_offset,
                       protect->code))
        return;
    pen_column(pen, 2);
    pen_text(pen, ROLE_NOTE,
             protect->code.data ? "No byte there changed since it was shown."
                                : "No store into it was seen.");
    pen_end(pen);
}
