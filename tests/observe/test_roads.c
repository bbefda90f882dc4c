/* SPDX-License-Identifier: MIT */
/*
 * The roads by which code comes into memory, where the tracees that go them
 * (tests/tracees) do not say all in their first comments: which generation of
 * the code was executed last, and at which address else a store is to be seen.
 */
#include "support/support.h"
#include "trace/view.h"

TestSuite(roads, .timeout = 60);

/* The last event of that kind; its number is in *seq. */
static const struct event *last(const struct store *store, enum event_kind kind,
                                uint64_t *seq)
{
    const struct event *event = nth(store, kind, count(store, kind) - 1);

    cr_assert(ne(ptr, (void *)event, NULL), "there is none");
    *seq = event->seq;
    return event;
}

Test(roads, a_generation_is_what_was_executed)
{
    static const struct {
        const char *tracee;
        unsigned generation; /* at the last entry */
    } rows[] = {
        {TRACEE("read_into"), 1},   /* executed once */
        {TRACEE("rwx"), 2},         /* changed in place */
        {TRACEE("patched"), 2},     /* RX, RW, RX */
        {TRACEE("reserved"), 2},    /* the same, not watched from the start */
        {TRACEE("memfd"), 2},       /* changed through another mapping */
        {TRACEE("shared_anon"), 2}, /* the same, made later */
        {TRACEE("sysv"), 2},        /* the same, attached */
        {TRACEE("large_twin"), 2},  /* the same, stores not watched */
        {TRACEE("file_code"), 2},   /* through the file's descriptor */
        {TRACEE("self_mem"), 2},    /* through /proc/self/mem */
        {TRACEE("emptied"), 2},     /* given up, and stored anew */
        {TRACEE("moved"), 1},       /* other mappings, */
        {TRACEE("reused"), 1},      /* each with a first generation */
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct region *region;
        struct result result;
        struct store store;
        struct view view = {0};
        uint64_t seq;

        trace(&(struct job){.argv = ARGS("--", rows[i].tracee)}, &store,
              &result);
        uint64_t addr = last(&store, EVENT_ENTER, &seq)->enter.addr;

        view_advance(&view, &store, seq + 1);
        region = view_region_at(&view, addr);
        cr_assert(ne(ptr, (void *)region, NULL), "%s", rows[i].tracee);
        cr_assert(
            eq(uint, view_generation(&view, region).number, rows[i].generation),
            "%s", rows[i].tracee);
        view_release(&view);
        store_release(&store);
        result_release(&result);
    }
}

/* What is stored at one address is to be executed at the other. */
Test(roads, a_view_has_a_store_in_both_mappings)
{
    const struct event_write *write;
    struct result result;
    struct store store;
    struct view view = {0};
    uint8_t byte = 0;
    uint64_t seq;

    trace(&(struct job){.argv = ARGS("--", TRACEE("memfd"))}, &store, &result);
    write = &last(&store, EVENT_WRITE, &seq)->write;
    cr_assert(eq(int, write->also.known, 1));
    cr_assert(eq(u64, write->addr, nth(&store, EVENT_MAP, 0)->map.addr + 1));
    cr_assert(
        eq(u64, write->also.value, nth(&store, EVENT_MAP, 1)->map.addr + 1));
    view_advance(&view, &store, seq + 1);
    pages_read(&view.pages, write->also.value, 1, &byte);
    cr_assert(eq(u8, byte, 6));
    view_release(&view);
    store_release(&store);
    result_release(&result);
}
