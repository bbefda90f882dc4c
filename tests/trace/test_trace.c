/* SPDX-License-Identifier: MIT */
/*
 * The trace room: regions, written pages, and the view at any event. The
 * region table is also compared with a slow model, page by page, over random
 * sequences of changes.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "support/support.h"
#include "trace/pages.h"
#include "trace/regions.h"
#include "trace/store.h"
#include "trace/view.h"
#include "trace/where.h"

TestSuite(trace, .timeout = 20);

#define PAGE 4096u
#define RW   (PROT_READ | PROT_WRITE)
#define RX   (PROT_READ | PROT_EXEC)

/* --- regions ------------------------------------------------------------- */

Test(trace, a_region_holds_its_addresses_and_no_others)
{
    struct regions regions = {0};

    regions_map(&regions, 4 * PAGE, 2 * PAGE, RW);
    cr_assert(eq(ptr, regions_at(&regions, 4 * PAGE - 1), NULL));
    cr_assert(eq(ptr, regions_at(&regions, 4 * PAGE), &regions.list[0]));
    cr_assert(eq(ptr, regions_at(&regions, 6 * PAGE - 1), &regions.list[0]));
    cr_assert(eq(ptr, regions_at(&regions, 6 * PAGE), NULL));
    cr_assert(eq(ptr, regions_from(&regions, 0), &regions.list[0]));
    cr_assert(eq(ptr, regions_from(&regions, 6 * PAGE), NULL));
    regions_release(&regions);
}

Test(trace, cutting_keeps_protection_and_start)
{
    struct regions regions = {0};
    struct region *region = regions_map(&regions, 4 * PAGE, 3 * PAGE, RX);
    size_t i;

    cr_assert(eq(u64, region->length, 3 * PAGE));
    i = regions_cut(&regions, 5 * PAGE, PAGE);
    cr_assert(eq(sz, regions.count, 3));
    cr_assert(eq(sz, i, 1));
    for (i = 0; i < 3; i++) {
        cr_assert(eq(u64, regions.list[i].addr, (4 + i) * PAGE));
        cr_assert(eq(u64, regions.list[i].length, PAGE));
        cr_assert(eq(u64, regions.list[i].start, 4 * PAGE));
        cr_assert(eq(uint, regions.list[i].prot, RX));
    }
    regions_release(&regions);
}

Test(trace, unmapping_nothing_is_harmless)
{
    struct regions regions = {0};

    regions_unmap(&regions, 0, PAGE);
    cr_assert(eq(sz, regions.count, 0));
    regions_map(&regions, PAGE, PAGE, RW);
    regions_unmap(&regions, 2 * PAGE, PAGE);
    cr_assert(eq(sz, regions.count, 1));
    regions_release(&regions);
}

#define MODEL_PAGES 32

static void check_model(const struct regions *regions, const int *model,
                        int round)
{
    for (uint64_t page = 0; page < MODEL_PAGES; page++) {
        const struct region *region = regions_at(regions, page * PAGE + 7);
        int found = region ? (int)region->prot : -1;

        cr_assert(eq(int, found, model[page]), "round %d, page %d", round,
                  (int)page);
    }
    for (size_t i = 1; i < regions->count; i++)
        cr_assert(ge(u64, regions->list[i].addr,
                     regions->list[i - 1].addr + regions->list[i - 1].length));
}

Test(trace, regions_agree_with_a_page_by_page_model)
{
    struct regions regions = {0};
    int model[MODEL_PAGES];

    memset(model, -1, sizeof model);
    srand(20161);
    for (int round = 0; round < 3000; round++) {
        uint64_t first = (uint64_t)rand() % MODEL_PAGES;
        uint64_t count = 1 + (uint64_t)rand() % (MODEL_PAGES - first);
        int prot = rand() % 8, what = rand() % 3;

        if (what == 0)
            regions_map(&regions, first * PAGE, count * PAGE, (unsigned)prot);
        else if (what == 1)
            regions_unmap(&regions, first * PAGE, count * PAGE);
        else
            for (size_t i = regions_cut(&regions, first * PAGE, count * PAGE);
                 i < regions.count &&
                 regions.list[i].addr < (first + count) * PAGE;
                 i++)
                regions.list[i].prot = (unsigned)prot;
        for (uint64_t page = first; page < first + count; page++)
            if (what == 0 || what == 1 || model[page] >= 0)
                model[page] = what == 1 ? -1 : prot;
        check_model(&regions, model, round);
    }
    regions_release(&regions);
}

/* --- pages --------------------------------------------------------------- */

static struct bytes text(const char *bytes)
{
    return (struct bytes){(const uint8_t *)bytes, strlen(bytes)};
}

Test(trace, a_zero_over_a_zero_is_written)
{
    static const uint8_t zero;
    struct pages pages = {0};
    uint64_t first, last;

    cr_assert(eq(int, pages_extent(&pages, 0, 4 * PAGE, &first, &last), 0));
    pages_write(&pages, PAGE + 5, (struct bytes){&zero, 1});
    cr_assert(eq(int, pages_written(&pages, PAGE + 5), 1));
    cr_assert(eq(int, pages_written(&pages, PAGE + 4), 0));
    cr_assert(eq(int, pages_extent(&pages, 0, 4 * PAGE, &first, &last), 1));
    cr_assert(eq(u64, first, PAGE + 5));
    cr_assert(eq(u64, last, PAGE + 5));
    ranges_release(&pages.ranges);
}

Test(trace, writes_across_a_page_border_read_back)
{
    struct pages pages = {0};
    uint8_t back[8];
    uint64_t first, last;

    pages_write(&pages, 2 * PAGE - 3, text("abcdef"));
    pages_read(&pages, 2 * PAGE - 4, sizeof back, back);
    cr_assert(eq(mem, ((struct cr_mem){back, 8}),
                 ((struct cr_mem){"\0abcdef\0", 8})));
    cr_assert(eq(int, pages_extent(&pages, 2 * PAGE, PAGE, &first, &last), 1));
    cr_assert(eq(u64, first, 2 * PAGE));
    cr_assert(eq(u64, last, 2 * PAGE + 2));
    ranges_forget(&pages.ranges, 2 * PAGE, 2 * PAGE + PAGE);
    cr_assert(eq(int, pages_written(&pages, 2 * PAGE), 0));
    cr_assert(eq(int, pages_written(&pages, 2 * PAGE - 1), 1));
    ranges_release(&pages.ranges);
}

Test(trace, the_extent_agrees_with_a_byte_by_byte_model)
{
    static uint8_t written[4 * PAGE];
    static uint8_t ones[2 * PAGE];

    memset(ones, 1, sizeof ones);
    srand(2016);
    for (int round = 0; round < 40; round++) {
        struct pages pages = {0};

        memset(written, 0, sizeof written);
        for (int i = 0; i < round % 5; i++) {
            uint64_t at = (uint64_t)rand() % sizeof written, len = 1;

            if (round % 2) /* also pages as a whole */
                len += (uint64_t)rand() % sizeof ones;
            len = len < sizeof written - at ? len : sizeof written - at;
            memset(written + at, 1, len);
            pages_write(&pages, at, (struct bytes){ones, len});
        }
        for (int i = 0; i < 50; i++) {
            uint64_t addr = (uint64_t)rand() % sizeof written;
            uint64_t length = 1 + (uint64_t)rand() % (sizeof written - addr);
            uint64_t first = 0, last = 0;
            const uint8_t *low = memchr(written + addr, 1, length);
            const uint8_t *high = memrchr(written + addr, 1, length);
            bool found = pages_extent(&pages, addr, length, &first, &last);

            cr_assert(eq(u64, pages_next(&pages, addr, addr + length),
                         low ? (uint64_t)(low - written) : addr + length));
            cr_assert(eq(int, found, low != NULL), "round %d", round);
            cr_assert(eq(int, pages_all_written(&pages, addr, length),
                         !memchr(written + addr, 0, length)));
            if (low) {
                cr_assert(eq(u64, first, (uint64_t)(low - written)));
                cr_assert(eq(u64, last, (uint64_t)(high - written)));
            }
        }
        ranges_release(&pages.ranges);
    }
}

static void check_bytes(const struct pages *pages, uint64_t addr,
                        const char *wanted)
{
    uint8_t back[8];

    pages_read(pages, addr, strlen(wanted), back);
    cr_assert(eq(mem, ((struct cr_mem){back, strlen(wanted)}),
                 ((struct cr_mem){wanted, strlen(wanted)})));
}

Test(trace, a_copy_of_pages_goes_its_own_way)
{
    struct pages one = {0}, two, three;

    pages_write(&one, PAGE, text("abc"));
    pages_write(&one, 3 * PAGE, text("xyz"));
    ranges_copy(&two.ranges, &one.ranges);
    ranges_copy(&three.ranges, &two.ranges);
    pages_write(&one, PAGE + 1, text("1"));
    pages_write(&two, PAGE + 2, text("22"));
    pages_write(&three, 2 * PAGE, text("new"));
    check_bytes(&one, PAGE, "a1c");
    check_bytes(&two, PAGE, "ab22");
    check_bytes(&three, PAGE, "abc");
    cr_assert(eq(int, pages_written(&two, PAGE + 3), 1));
    cr_assert(eq(int, pages_written(&one, PAGE + 3), 0));
    cr_assert(eq(int, pages_written(&three, PAGE + 3), 0));
    cr_assert(eq(int, pages_written(&one, 2 * PAGE), 0));
    ranges_release(&one.ranges);
    check_bytes(&two, PAGE, "ab22");
    check_bytes(&three, 3 * PAGE, "xyz");
    ranges_forget(&two.ranges, 3 * PAGE, 3 * PAGE + PAGE);
    check_bytes(&three, 3 * PAGE, "xyz");
    ranges_release(&two.ranges);
    check_bytes(&three, 3 * PAGE, "xyz");
    ranges_release(&three.ranges);
}

Test(trace, what_copies_of_pages_share_is_counted_once)
{
    struct pages one = {0}, two;
    size_t before = memory_in_use(), alone;

    for (uint64_t i = 0; i < 100; i++)
        pages_write(&one, i * PAGE, text("x"));
    alone = memory_in_use() - before;
    cr_assert(lt(sz, 100 * PAGE, alone));
    ranges_copy(&two.ranges, &one.ranges);
    cr_assert(lt(sz, memory_in_use() - before, alone + PAGE));
    for (uint64_t i = 0; i < 100; i++)
        pages_write(&two, i * PAGE, text("y"));
    cr_assert(lt(sz, alone + 100 * PAGE, memory_in_use() - before));
    ranges_release(&one.ranges);
    ranges_release(&two.ranges);
}

Test(trace, alike_pages_of_two_are_shared)
{
    struct pages one = {0}, two = {0};
    size_t before = memory_in_use(), apart;

    pages_write(&one, PAGE, text("abcd"));
    pages_write(&one, 2 * PAGE, text("only one has it"));
    pages_write(&one, 3 * PAGE, text("same"));
    pages_write(&one, 4 * PAGE, text("beyond"));
    pages_write(&two, PAGE, text("abc"));
    pages_write(&two, PAGE + 3, text("d"));
    pages_write(&two, 3 * PAGE, text("samE"));
    pages_write(&two, 4 * PAGE, text("beyonD"));
    pages_write(&one, 5 * PAGE, text("marks"));
    pages_write(&two, 5 * PAGE, (struct bytes){(const uint8_t *)"marks", 6});
    apart = memory_in_use() - before;
    pages_share(&two, &one, PAGE + 1, 5 * PAGE - 1);
    cr_assert(lt(sz, memory_in_use() - before, apart - PAGE + sizeof(void *)));
    cr_assert(lt(sz, apart - 2 * PAGE, memory_in_use() - before));
    pages_write(&one, PAGE + 4, text("e"));
    check_bytes(&two, PAGE, "abcd");
    cr_assert(eq(int, pages_written(&two, PAGE + 4), 0));
    pages_share(&two, &one, PAGE, PAGE);
    check_bytes(&two, 3 * PAGE, "samE");
    ranges_release(&one.ranges);
    check_bytes(&two, PAGE, "abcd");
    check_bytes(&two, 4 * PAGE, "beyonD");
    cr_assert(eq(int, pages_written(&two, 5 * PAGE + 5), 1));
    ranges_release(&two.ranges);
}

Test(trace, what_is_learned_counts_as_written_from_news_to_news)
{
    struct pages pages = {0};

    pages_write(&pages, 2 * PAGE - 2, text("ab"));
    pages_learn(&pages, 2 * PAGE - 3,
                (struct bytes){(const uint8_t *)"\0aB\0c\0", 6});
    cr_assert(eq(int, pages_written(&pages, 2 * PAGE - 3), 0));
    check_bytes(&pages, 2 * PAGE - 2, "aB");
    cr_assert(eq(int, pages_written(&pages, 2 * PAGE), 1));
    cr_assert(eq(int, pages_written(&pages, 2 * PAGE + 1), 1));
    check_bytes(&pages, 2 * PAGE + 1, "c");
    cr_assert(eq(int, pages_written(&pages, 2 * PAGE + 2), 0));
    ranges_release(&pages.ranges);
}

/* --- the view ------------------------------------------------------------ */

#define BASE 0x7f0000001000u

static struct event wrote(uint64_t offset, const char *bytes)
{
    struct event event = {.kind = EVENT_WRITE};

    event.write.addr = BASE + offset;
    event.write.offset = offset;
    event.write.old = event.write.new = text(bytes);
    return event;
}

/* map, two writes, protect, enter, step, leave, output, unmap, exit */
static void fill_store(struct store *store)
{
    static const struct reg_change change = {X86_RAX, 1, 2};
    struct event event = {.kind = EVENT_START};

    *store = (struct store){0};
    store_append(store, &event);
    event = (struct event){.kind = EVENT_MAP};
    event.map.addr = BASE;
    event.map.length = PAGE;
    event.map.prot = RW;
    event.map.maps = "rw-p";
    store_append(store, &event);
    event = wrote(2, "b");
    store_append(store, &event);
    event = wrote(0, "a");
    store_append(store, &event);
    event = (struct event){.kind = EVENT_PROTECT};
    event.protect.addr = BASE;
    event.protect.length = PAGE;
    event.protect.old_prot = RW;
    event.protect.prot = RX;
    event.protect.maps = "r-xp";
    event.protect.code = (struct bytes){(const uint8_t *)"a\0b", 3};
    store_append(store, &event);
    event = (struct event){.kind = EVENT_ENTER};
    event.enter.addr = BASE;
    event.enter.how = "call";
    event.enter.regs.value[X86_RAX] = 1;
    event.enter.regs.value[REG_PC] = BASE;
    store_append(store, &event);
    event = (struct event){.kind = EVENT_STEP};
    event.step.addr = BASE;
    event.step.regs = (struct reg_changes){&change, 1};
    event.step.next = BASE + 3;
    store_append(store, &event);
    event = (struct event){.kind = EVENT_LEAVE};
    event.leave.how = "return";
    store_append(store, &event);
    event = (struct event){.kind = EVENT_OUTPUT};
    event.output.fd = 1;
    event.output.bytes = text("2 3 4\n");
    store_append(store, &event);
    event = (struct event){.kind = EVENT_UNMAP};
    event.unmap.addr = BASE;
    event.unmap.length = PAGE;
    store_append(store, &event);
    event = (struct event){.kind = EVENT_EXIT};
    event.exit.status = (struct opt_u64){true, 0};
    store_append(store, &event);
}

/* What the view must be after each event of fill_store. */
static const struct {
    enum stage stage;
    size_t regions;
    unsigned prot;
    const char *code;
    size_t code_len;
    bool inside;
    uint64_t rax;
    size_t output;
} expected[] = {
    {STAGE_PAGE_SIZE, 0, 0, "", 0, false, 0, 0},
    {STAGE_MAP, 1, RW, "", 0, false, 0, 0},
    {STAGE_WRITE, 1, RW, "b", 1, false, 0, 0},
    {STAGE_WRITE, 1, RW, "a\0b", 3, false, 0, 0},
    {STAGE_PROTECT, 1, RX, "a\0b", 3, false, 0, 0},
    {STAGE_CALL, 1, RX, "a\0b", 3, true, 1, 0},
    {STAGE_CALL, 1, RX, "a\0b", 3, true, 2, 0},
    {STAGE_CALL, 1, RX, "a\0b", 3, false, 2, 0},
    {STAGE_CALL, 1, RX, "a\0b", 3, false, 2, 6},
    {STAGE_CALL, 0, 0, "", 0, false, 2, 6},
    {STAGE_CALL, 0, 0, "", 0, false, 2, 6},
};
#define EVENTS (sizeof expected / sizeof *expected)

static void check_view(const struct view *view, size_t seq)
{
    const struct region *region = view_region_at(view, BASE);
    struct buf code = {0};
    uint64_t offset = 0;

    cr_assert(eq(u64, view->applied, seq + 1));
    cr_assert(eq(int, (int)view->stage, (int)expected[seq].stage), "event %zu",
              seq);
    cr_assert(eq(sz, view->regions.count, expected[seq].regions));
    if (region) {
        cr_assert(eq(uint, region->prot, expected[seq].prot));
        written_code(view, region, &code, &offset);
    }
    cr_assert(eq(mem, ((struct cr_mem){buf_text(&code), code.len}),
                 ((struct cr_mem){expected[seq].code, expected[seq].code_len})),
              "event %zu", seq);
    cr_assert(eq(int, view_is_inside(view, 0), expected[seq].inside),
              "event %zu", seq);
    cr_assert(eq(int, view_regs(view, 0) != NULL, expected[seq].rax > 0));
    if (view_regs(view, 0))
        cr_assert(
            eq(u64, view_regs(view, 0)->value[X86_RAX], expected[seq].rax));
    cr_assert(eq(sz, view->output.len, expected[seq].output));
    buf_release(&code);
}

Test(trace, the_view_is_right_at_any_event_and_from_any_other)
{
    struct store store;
    struct view view = {0};

    fill_store(&store);
    cr_assert(eq(sz, store.count, EVENTS));
    for (size_t from = 0; from < EVENTS; from++) {
        for (size_t to = 0; to < EVENTS; to++) {
            view_release(&view);
            view = (struct view){0};
            view_advance(&view, &store, from + 1);
            if (to < from) {
                view_release(&view);
                view = (struct view){0};
            }
            view_advance(&view, &store, to + 1);
            check_view(&view, to);
        }
    }
    view_release(&view);
    store_release(&store);
}

Test(trace, the_view_goes_forward_one_event_at_a_time)
{
    struct store store;
    struct view view = {0};

    fill_store(&store);
    for (size_t i = 0; i < EVENTS; i++) {
        view_apply(&view, store_event(&store, i));
        check_view(&view, i);
    }
    cr_assert(eq(int, view.ended, 1));
    cr_assert(eq(u64, view.calls, 1));
    view_release(&view);
    store_release(&store);
}

Test(trace, a_snapshot_of_code_counts_as_written_where_it_is_news)
{
    struct event event = {.kind = EVENT_MAP};
    struct view view = {0};

    event.map.addr = BASE;
    event.map.length = PAGE;
    view_apply(&view, &event);
    event = wrote(1, "x");
    view_apply(&view, &event);
    event = (struct event){.kind = EVENT_PROTECT};
    event.protect.addr = BASE;
    event.protect.length = PAGE;
    event.protect.prot = RX;
    event.protect.code = (struct bytes){(const uint8_t *)"x\0y", 3};
    event.protect.code_offset = 1;
    view_apply(&view, &event);
    cr_assert(eq(int, pages_written(&view.pages, BASE + 1), 1));
    cr_assert(eq(int, pages_written(&view.pages, BASE + 2), 0));
    cr_assert(eq(int, pages_written(&view.pages, BASE + 3), 1));
    view_release(&view);
}

Test(trace, a_protection_of_a_part_cuts_the_region)
{
    struct event event = {.kind = EVENT_MAP};
    struct view view = {0};

    event.map.addr = BASE;
    event.map.length = 3 * PAGE;
    event.map.prot = RW;
    event.map.call = "mmap()";
    event.map.maps = "the line";
    event.source = (struct srcline){.file = "a.c", .line = 7};
    view_apply(&view, &event);
    event = (struct event){.kind = EVENT_PROTECT, .seq = 4};
    event.protect.addr = BASE + PAGE;
    event.protect.length = PAGE;
    event.protect.prot = RX;
    view_apply(&view, &event);
    cr_assert(eq(sz, view.regions.count, 3));
    for (uint64_t addr = BASE; addr < BASE + 3 * PAGE; addr += 2 * PAGE) {
        const struct protection *first = view_protection(&view, addr);

        cr_assert(eq(str, (char *)first->maps, "the line"));
        cr_assert(eq(str, (char *)first->call, "mmap()"));
        cr_assert(eq(str, (char *)first->file, "a.c"));
        cr_assert(eq(int, first->line, 7));
    }
    cr_assert(eq(u64, view_protection(&view, BASE + PAGE)->seq, 4));
    cr_assert(eq(ptr, (void *)view_protection(&view, BASE + PAGE)->call, NULL));
    cr_assert(eq(ptr, (void *)view_protection(&view, BASE + 3 * PAGE), NULL));
    cr_assert(eq(uint, view_region_at(&view, BASE)->prot, RW));
    cr_assert(eq(uint, view_region_at(&view, BASE + PAGE)->prot, RX));
    cr_assert(eq(uint, view_region_at(&view, BASE + 2 * PAGE)->prot, RW));
    view_release(&view);
}

/* What is known of a page goes with it: the bytes there, and their names. */
Test(trace, what_goes_away_or_is_mapped_anew_has_no_names)
{
    const struct event_unmap unmap = {.addr = BASE, .length = PAGE};
    const struct event_map map = {.addr = BASE, .length = PAGE, .prot = RW};
    struct event event = {.kind = EVENT_MAP, .map = map};
    struct view view = {0};

    for (int again = 0; again < 2; again++) {
        event = (struct event){.kind = EVENT_MAP, .map = map};
        view_apply(&view, &event);
        event = wrote(PAGE - 1, "x");
        view_apply(&view, &event);
        event = (struct event){.kind = EVENT_NAME};
        event.name.addr = BASE + PAGE - 1;
        event.name.length = 2; /* the second is that of another page */
        event.name.name = "fib";
        view_apply(&view, &event);
        cr_assert(ne(ptr,
                     (void *)ranges_at(&view.labels.ranges, BASE + PAGE - 1),
                     NULL));
        event = (struct event){.kind = EVENT_UNMAP, .unmap = unmap};
        if (again)
            event = (struct event){.kind = EVENT_MAP, .map = map};
        view_apply(&view, &event);
        cr_assert(eq(ptr,
                     (void *)ranges_at(&view.labels.ranges, BASE + PAGE - 1),
                     NULL));
        cr_assert(
            ne(ptr, (void *)ranges_at(&view.labels.ranges, BASE + PAGE), NULL));
        cr_assert(eq(int, !view_protection(&view, BASE), !again));
        cr_assert(eq(int, pages_written(&view.pages, BASE + PAGE - 1), 0));
    }
    view_release(&view);
}

/* Which of the mappings that have been there an address is counted in. */
static uint64_t start_at(const struct where *where, uint64_t addr)
{
    const struct where_mapping *mapping = where_mapping(where, addr);

    return mapping ? mapping->start : 0;
}

Test(trace, an_address_is_in_the_latest_mapping)
{
    struct event event = {.kind = EVENT_MAP};
    struct where where = {0};

    event.map.addr = BASE;
    event.map.length = 3 * PAGE;
    where_apply(&where, &event);
    cr_assert(eq(u64, start_at(&where, BASE + PAGE), BASE));
    event.map.addr = BASE + PAGE;
    event.map.length = PAGE;
    where_apply(&where, &event);
    cr_assert(eq(u64, start_at(&where, BASE), BASE));
    cr_assert(eq(u64, start_at(&where, BASE + PAGE), BASE + PAGE));
    cr_assert(eq(u64, start_at(&where, BASE + 2 * PAGE - 1), BASE + PAGE));
    cr_assert(eq(u64, start_at(&where, BASE + 2 * PAGE), BASE));
    cr_assert(eq(u64, start_at(&where, BASE + 3 * PAGE), 0));
    event.map.addr = BASE; /* a shorter one: nothing is forgotten */
    where_apply(&where, &event);
    cr_assert(eq(sz, where.count, 2));
    cr_assert(eq(u64, start_at(&where, BASE + PAGE), BASE));
    where_release(&where);
}

/* --- generations ---------------------------------------------------------- */

/*
 * A map event, rw-, and what a program then does, a letter each:
 *   w W   stores 1, or 2, at offset 0       v   stores 3 in the second page
 *   a     stores 2 elsewhere, in memory that also is at offset 0
 *   x r   makes both pages r-x, or rw-      p   makes the second page r-x
 *   e     enters                            s   executes an instruction
 *   c     enters, and the code is found to begin with 4
 *   m     maps the same address again
 */
static void make_event(char what, struct event *event)
{
    *event = (struct event){.kind = EVENT_PROTECT};
    event->protect.addr = BASE + (what == 'p' ? PAGE : 0);
    event->protect.length = what == 'p' ? PAGE : 2 * PAGE;
    event->protect.old_prot = what == 'r' ? RX : RW;
    event->protect.prot = what == 'r' ? RW : RX;
    if (strchr("wWv", what))
        *event = wrote(what == 'v' ? PAGE : 0, what == 'w'   ? "\1"
                                               : what == 'W' ? "\2"
                                                             : "\3");
    if (what == 'a') {
        *event = wrote(0, "\2");
        event->write.addr += 16 * PAGE;
        event->write.also = (struct opt_u64){true, BASE};
    }
    if (strchr("ec", what)) {
        *event = (struct event){.kind = EVENT_ENTER};
        event->enter.addr = BASE;
        event->enter.code = text(what == 'c' ? "\4" : "");
    }
    if (what == 's') {
        *event = (struct event){.kind = EVENT_STEP};
        event->step.addr = BASE;
        event->step.bytes = text("\1");
    }
    if (what == 'm') {
        *event = (struct event){.kind = EVENT_MAP};
        event->map.addr = BASE;
        event->map.length = 2 * PAGE;
        event->map.prot = RW;
    }
}

Test(trace, a_generation_begins_with_the_first_change_after_a_use)
{
    static const struct {
        const char *events;
        const char *generations;
    } rows[] = {
        {"mwWw", "1111"},         /* code that nobody has used */
        {"mwxes", "11111"},       /* used as it is */
        {"mwxerWxe", "11111222"}, /* patched: RX, RW, RX */
        {"mwxerxe", "1111111"},   /* only the protection went to and fro */
        {"mwxew", "11111"},       /* the same byte again is no change */
        {"mxwWew", "111112"},     /* an empty page has no version in use */
        {"mwxW", "1112"},         /* became executable, nobody saw it run */
        {"meW", "112"},           /* executed, nobody saw how it came */
        {"mwxsWvsw", "11112223"}, /* in place, once for each use */
        {"mwxecce", "1111222"},   /* found changed at an entry */
        {"mwpv", "1111"},         /* the executable page held nothing yet */
        {"mvpWv", "11122"},       /* the parts of a mapping count as one */
        {"mwxeWmw", "1111211"},   /* another mapping begins anew */
        {"mwxea", "11112"},       /* changed through another mapping */
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *got = rows[i].generations;
        struct event event;
        struct view view = {0};

        for (const char *at = rows[i].events; *at; at++, got++) {
            make_event(*at, &event);
            view_apply(&view, &event);
            for (size_t j = 0; j < view.regions.count; j++)
                cr_expect(eq(chr,
                             (char)('0' + view_generation(&view,
                                                          &view.regions.list[j])
                                              .number),
                             *got),
                          "%s, event %d, part %zu", rows[i].events,
                          (int)(at - rows[i].events), j);
        }
        view_release(&view);
    }
}

/* --- what a view keeps of the output ------------------------------------ */

static void print(struct view *view, const char *data, size_t len)
{
    struct event event = {.kind = EVENT_OUTPUT};

    event.output.bytes = (struct bytes){(const uint8_t *)data, len};
    view_apply(view, &event);
}

/* Whatever the pieces that it came in, the end of it is there. */
Test(trace, a_view_keeps_the_end_of_the_output)
{
    static const size_t sizes[] = {
        0, 1, 7, 4000, VIEW_OUTPUT - 1, VIEW_OUTPUT, VIEW_OUTPUT + 1, 30000};
    static char all[100000];
    struct view view = {0};
    size_t total = 0;

    for (size_t i = 0; i < sizeof all; i++)
        all[i] = (char)(i * 2654435761u >> 11);
    for (size_t i = 0; total + 30000 < sizeof all; i++) {
        size_t len = sizes[i * 5 % 8], kept;

        print(&view, all + total, len);
        total += len;
        kept = total < VIEW_OUTPUT ? total : VIEW_OUTPUT;
        cr_assert(eq(u64, view.output_total, total));
        cr_assert(eq(mem, ((struct cr_mem){view.output.data, view.output.len}),
                     ((struct cr_mem){all + total - kept, kept})),
                  "piece %zu", i);
    }
    view_release(&view);
}

/* --- threads ------------------------------------------------------------- */

static void enters(struct view *view, int tid, uint64_t rax)
{
    struct event event = {.kind = EVENT_ENTER, .tid = tid};

    event.enter.how = "call";
    event.enter.regs.value[X86_RAX] = rax;
    event.enter.regs.value[REG_PC] = event.enter.addr = BASE;
    view_apply(view, &event);
}

static void steps(struct view *view, int tid, uint64_t rax)
{
    struct reg_change change = {X86_RAX, 0, rax};
    struct event event = {.kind = EVENT_STEP, .tid = tid};

    event.step.regs = (struct reg_changes){&change, 1};
    event.step.next = BASE + 3;
    view_apply(view, &event);
}

Test(trace, each_thread_has_registers_of_its_own)
{
    static const int tids[] = {50, 7, 90, 60};
    struct event leave = {.kind = EVENT_LEAVE, .tid = 7};
    struct event end = {.kind = EVENT_EXIT};
    struct view view = {0}, copy;

    cr_assert(eq(ptr, (void *)view_thread(&view, 50), NULL));
    for (int i = 0; i < 4; i++)
        enters(&view, tids[i], (uint64_t)i);
    steps(&view, 50, 100);
    view_copy(&copy, &view);
    steps(&view, 90, 102);
    view_apply(&view, &leave);
    cr_assert(eq(u64, view_thread(&view, 50)->regs.value[X86_RAX], 100));
    cr_assert(eq(u64, view_thread(&view, 50)->regs.value[REG_PC], BASE + 3));
    cr_assert(eq(u64, view_thread(&view, 7)->regs.value[X86_RAX], 1));
    cr_assert(eq(u64, view_thread(&view, 7)->regs.value[REG_PC], BASE));
    cr_assert(eq(u64, view_thread(&view, 90)->regs.value[X86_RAX], 102));
    cr_assert(eq(u64, view_thread(&view, 60)->regs.value[X86_RAX], 3));
    cr_assert(eq(int, view_thread(&view, 7)->inside, 0));
    cr_assert(eq(int, view_thread(&view, 90)->inside, 1));
    cr_assert(eq(int, view_thread(&view, 90)->regs_known, 1));
    cr_assert(eq(ptr, (void *)view_thread(&view, 8), NULL));
    cr_assert(eq(ptr, (void *)view_thread(&view, 91), NULL));
    view_apply(&view, &end);
    cr_assert(eq(int, view_thread(&view, 90)->inside, 0));
    cr_assert(eq(u64, view_thread(&copy, 90)->regs.value[X86_RAX], 2));
    cr_assert(eq(int, view_thread(&copy, 7)->inside, 1));
    view_release(&copy);
    view_release(&view);
}

/* What one does is nothing that another has done. */
Test(trace, a_step_of_one_thread_changes_no_other)
{
    struct event leave = {.kind = EVENT_LEAVE, .tid = 8};
    struct view view = {0};

    cr_assert(eq(ptr, (void *)view_regs(&view, 7), NULL));
    cr_assert(eq(int, view_is_inside(&view, 7), 0));
    enters(&view, 7, 1);
    enters(&view, 8, 2);
    steps(&view, 7, 11);
    cr_assert(eq(u64, view_regs(&view, 7)->value[X86_RAX], 11));
    cr_assert(eq(u64, view_regs(&view, 8)->value[X86_RAX], 2));
    cr_assert(eq(u64, view_regs(&view, 8)->value[REG_PC], BASE));
    view_apply(&view, &leave);
    cr_assert(eq(int, view_is_inside(&view, 7), 1));
    cr_assert(eq(int, view_is_inside(&view, 8), 0));
    /* of one that was not seen: those of the last that was */
    cr_assert(eq(int, view_is_inside(&view, 9), 0));
    cr_assert(eq(u64, view_regs(&view, 9)->value[X86_RAX], 11));
    steps(&view, 8, 22);
    cr_assert(eq(u64, view_regs(&view, 9)->value[X86_RAX], 22));
    cr_assert(eq(u64, view_regs(&view, 7)->value[X86_RAX], 11));
    view_release(&view);
}

Test(trace, nobody_is_inside_when_steps_are_not_watched_any_more)
{
    struct event limit = {.kind = EVENT_LIMIT, .tid = 7};
    struct view view = {0};

    enters(&view, 7, 1);
    enters(&view, 8, 2);
    limit.limit.budget = "stores";
    view_apply(&view, &limit);
    cr_assert(eq(int, view_is_inside(&view, 7), 1));
    cr_assert(eq(int, view_thread(&view, 8)->inside, 1));
    limit.limit.budget = "call-steps"; /* of this thread only */
    view_apply(&view, &limit);
    cr_assert(eq(int, view_thread(&view, 7)->inside, 0));
    cr_assert(eq(int, view_thread(&view, 8)->inside, 1));
    limit.limit.budget = "steps";
    view_apply(&view, &limit);
    cr_assert(eq(int, view_thread(&view, 7)->inside, 0));
    cr_assert(eq(int, view_thread(&view, 8)->inside, 0));
    view_release(&view);
}

/* --- the program's source ------------------------------------------------ */

static void brings(struct view *view, struct srcline source)
{
    struct event event = {.kind = EVENT_WRITE, .source = source};

    view_apply(view, &event);
}

static void check_line(const struct view *view, const char *file, int line,
                       const char *wanted)
{
    struct bytes found = {NULL, 0};

    cr_assert(eq(int, view_source_line(view, file, line, &found), !!wanted),
              "%s:%d", file, line);
    if (wanted)
        cr_assert(eq(mem, ((struct cr_mem){found.data, found.len}),
                     ((struct cr_mem){wanted, strlen(wanted)})),
                  "%s:%d", file, line);
}

Test(trace, an_excerpt_is_found_line_by_line)
{
    struct view view = {0};

    check_line(&view, "a.c", 1, NULL);
    brings(&view, (struct srcline){"a.c", 41, "b;", "{\n\n\tb;\n}", 39});
    check_line(&view, "a.c", 38, NULL);
    check_line(&view, "a.c", 39, "{");
    check_line(&view, "a.c", 40, "");
    check_line(&view, "a.c", 41, "\tb;");
    check_line(&view, "a.c", 42, "}");
    check_line(&view, "a.c", 43, NULL);
    check_line(&view, "b.c", 41, NULL);
    brings(&view, (struct srcline){"b.c", 41, NULL, "other\n", 41});
    brings(&view, (struct srcline){"a.c", 44, NULL, "x\ny\n", 43});
    check_line(&view, "a.c", 41, "\tb;");
    check_line(&view, "b.c", 41, "other");
    check_line(&view, "b.c", 42, NULL);
    check_line(&view, "a.c", 44, "y");
    check_line(&view, "a.c", 45, NULL);
    view_release(&view);
}

Test(trace, a_line_without_an_excerpt_is_there_until_one_brings_it)
{
    struct view view = {0}, copy;

    brings(&view, (struct srcline){"a.c", 41, "b;\nc;", NULL, 0});
    check_line(&view, "a.c", 41, "b;");
    check_line(&view, "a.c", 42, NULL);
    view_copy(&copy, &view);
    brings(&view, (struct srcline){"a.c", 41, "b;", "\tb;\n", 41});
    check_line(&view, "a.c", 41, "\tb;");
    check_line(&copy, "a.c", 41, "b;");
    brings(&view, (struct srcline){"a.c", 41, "b;", NULL, 0});
    check_line(&view, "a.c", 41, "\tb;");
    view_release(&view);
    check_line(&copy, "a.c", 41, "b;");
    view_release(&copy);
}

Test(trace, an_excerpt_at_the_end_of_all_numbers_is_cut)
{
    struct view view = {0};

    brings(&view, (struct srcline){"a.c", 1, NULL, "a\nb\nc\n", INT_MAX - 1});
    check_line(&view, "a.c", INT_MAX - 1, "a");
    check_line(&view, "a.c", INT_MIN, NULL);
    brings(&view, (struct srcline){"a.c", INT_MAX, "text", NULL, 0});
    brings(&view, (struct srcline){NULL, 5, "text", "no file\n", 5});
    view_release(&view);
}

Test(trace, what_was_executed_was_there)
{
    struct view view = {0};
    struct event step = {.kind = EVENT_STEP};

    step.step.addr = BASE;
    step.step.bytes = (struct bytes){(const uint8_t *)"\x6a\0", 2};
    view_apply(&view, &step);
    cr_assert(eq(int, pages_written(&view.pages, BASE), 1));
    cr_assert(eq(int, pages_written(&view.pages, BASE + 1), 1));
    cr_assert(eq(int, pages_written(&view.pages, BASE + 2), 0));
    view_release(&view);
}

/* --- what signals are called ---------------------------------------------- */

#if __GLIBC__ * 1000 + __GLIBC_MINOR__ >= 2032 /* has sigabbrev_np() */
Test(trace, signals_are_called_as_glibc_calls_them)
{
    for (int number = -1; number <= NSIG; number++) {
        const char *name = signal_name(number);
        const char *theirs = sigabbrev_np(number);
        char want[32] = "no name";

        if (theirs)
            snprintf(want, sizeof want, "SIG%s", theirs);
        cr_assert(eq(str, (char *)(name ? name : "no name"), want), "signal %d",
                  number);
    }
}
#endif

Test(trace, any_number_can_be_asked_for_its_signal)
{
    cr_assert(eq(str, (char *)signal_name(11), "SIGSEGV"));
    cr_assert(eq(ptr, (void *)signal_name(0), NULL));
    cr_assert(eq(ptr, (void *)signal_name(34), NULL));
    cr_assert(eq(ptr, (void *)signal_name(INT_MIN), NULL));
    cr_assert(eq(ptr, (void *)signal_name(INT_MAX), NULL));
}
