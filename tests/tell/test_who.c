/* SPDX-License-Identifier: MIT */
/*
 * Who wrote a byte: the names of those who store, the history of a byte from
 * events made by hand and from programs, and what --who makes of it.
 */
#include "support/support.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "trace/origin.h"
#include "trace/view.h"

TestSuite(who, .timeout = 60);

/* --- names --------------------------------------------------------------- */

/* The value of a symbol of a file as nm(1) has it; 0 if there is none. */
static uint64_t value_in(const char *file, const char *name)
{
    struct job nm = {.argv = ARGS("nm", file)};
    struct result result;
    uint64_t value = 0;
    char *line, *rest;

    run(&nm, &result);
    rest = (char *)buf_text(&result.out);
    while ((line = strsep(&rest, "\n")) != NULL) {
        const char *word = strrchr(line, ' ');

        if (word && strcmp(word + 1, name) == 0)
            value = strtoull(line, NULL, 16);
    }
    result_release(&result);
    return value;
}

static const struct event *write_at(const struct store *store, size_t n)
{
    const struct event *event = nth(store, EVENT_WRITE, n);

    cr_assert(ne(ptr, (void *)event, NULL), "there is no store %zu", n);
    return event;
}

static bool begins(const char *text, const char *start)
{
    return text && strncmp(text, start, strlen(start)) == 0;
}

/* Whether a store was made at "NAME+OFFSET", as the file's symbols have it. */
static bool is_in(const struct store *store, const struct event *event,
                  const char *file, const char *name)
{
    uint64_t bias =
        nth(store, EVENT_START, 0)->start.entry - value_in(file, "_start");
    char expected[128];

    snprintf(expected, sizeof expected, "%s+0x%" PRIx64, name,
             event->write.pc - bias - value_in(file, name));
    return strcmp(event->write.symbol, expected) == 0;
}

Test(who, functions_of_the_program_and_of_libraries_are_named)
{
    const char *file = TRACEE("who_copied");
    struct job job = {.argv = ARGS(file)};
    struct store store;
    char generated[64];

    compare(&job, &store);
    for (size_t i = 0; i < 4; i++)
        cr_assert(is_in(&store, write_at(&store, i), file, "emit_byte"));
    cr_assert(begins(write_at(&store, 4)->write.symbol, "libc.so.6:memcpy+0x"),
              "%s", write_at(&store, 4)->write.symbol);
    /* The caller's line, next to the place in the library. */
    cr_assert(
        eq(str, (char *)write_at(&store, 4)->source.file, "who_copied.c"));
    /* The last store is that of generated code, at its first byte. */
    snprintf(generated, sizeof generated, "0x%" PRIx64 "+0x0",
             nth(&store, EVENT_MAP, 0)->map.addr);
    cr_assert(eq(
        str,
        (char *)write_at(&store, count(&store, EVENT_WRITE) - 1)->write.symbol,
        generated));
    store_release(&store);
}

Test(who, what_the_kernel_writes_is_named_by_who_asked_it_to)
{
    struct job job = {.argv = ARGS(TRACEE("read_into"))};
    struct store store;

    compare(&job, &store);
    /* Some have no symbol for the place in read(). */
    cr_assert(begins(write_at(&store, 0)->write.symbol, "libc.so.6:read+0x") ||
                  (other_libc("read") &&
                   begins(write_at(&store, 0)->write.symbol, "libc.so.6+0x")),
              "%s", write_at(&store, 0)->write.symbol);
    store_release(&store);
}

/* --- histories of events made by hand ------------------------------------ */

#define BASE UINT64_C(0x7f1234560000)
#define PAGE UINT64_C(4096)

static struct bytes hex_of(const char *text, uint8_t *room)
{
    struct bytes bytes = {room, strlen(text) / 2};

    for (size_t i = 0; i < bytes.len; i++)
        sscanf(text + 2 * i, "%2hhx", &room[i]);
    return bytes;
}

static void add(struct store *store, struct event event)
{
    event.seq = store->count;
    event.tid = event.tid ? event.tid : 7;
    store_append(store, &event);
}

static void add_map(struct store *store, uint64_t addr, uint64_t length,
                    const char *call, const char *backing)
{
    add(store, (struct event){.kind = EVENT_MAP,
                              .map = {.addr = addr,
                                      .length = length,
                                      .prot = PROT_READ | PROT_WRITE,
                                      .backing = backing,
                                      .call = call}});
}

static void add_page(struct store *store, uint64_t addr)
{
    add_map(store, addr, PAGE, "mmap(...)", "anonymous");
}

static void add_unmap(struct store *store, uint64_t addr, uint64_t length,
                      const char *call)
{
    add(store, (struct event){.kind = EVENT_UNMAP,
                              .unmap = {addr, length, .call = call}});
}

static void add_write(struct store *store, uint64_t offset, const char *old,
                      const char *new, const char *by)
{
    uint8_t room[2][32];

    add(store, (struct event){.kind = EVENT_WRITE,
                              .write = {.addr = BASE + offset,
                                        .offset = offset,
                                        .old = hex_of(old, room[0]),
                                        .new = hex_of(new, room[1]),
                                        .pc = 0x401000,
                                        .symbol = "f+0x10",
                                        .by = by}});
}

static void add_protect(struct store *store, uint64_t offset, const char *code)
{
    uint8_t room[32];

    add(store, (struct event){.kind = EVENT_PROTECT,
                              .protect = {.addr = BASE,
                                          .length = PAGE,
                                          .old_prot = PROT_READ | PROT_WRITE,
                                          .prot = PROT_READ | PROT_EXEC,
                                          .code = hex_of(code, room),
                                          .code_offset = offset}});
}

static void add_enter(struct store *store, uint64_t at, uint64_t offset,
                      const char *code)
{
    uint8_t room[32];

    add(store, (struct event){.kind = EVENT_ENTER,
                              .enter = {.addr = BASE + at,
                                        .offset = at,
                                        .how = "call",
                                        .code = hex_of(code, room),
                                        .code_offset = offset}});
}

/* A step that may store one byte. */
static void add_step(struct store *store, uint64_t at, const char *bytes,
                     uint64_t stored, const char *new)
{
    uint8_t room[2][32];
    struct mem_access access = {.addr = BASE + stored};

    if (new)
        access.old_bytes = access.new_bytes = hex_of(new, room[1]);
    add(store, (struct event){.kind = EVENT_STEP,
                              .step = {.addr = BASE + at,
                                       .offset = at,
                                       .bytes = hex_of(bytes, room[0]),
                                       .writes = {&access, !!new},
                                       .next = BASE + at + 1}});
}

static void append_byte(struct buf *out, bool known, uint8_t byte)
{
    if (known)
        buf_printf(out, "%02x", byte);
    else
        buf_append_text(out, "--");
}

/* "1 mapped -->00, 2 store 00>48", and where it was if that is elsewhere. */
static void append_history(const struct origins *origins, struct buf *out)
{
    static const char *const name[] = {"mapped", "moved", "store",
                                       "kernel", "found", "unmapped"};

    for (size_t i = 0; i < origins->count; i++) {
        const struct origin *origin = &origins->list[i];

        buf_printf(out, "%s%" PRIu64 " %s ", i ? ", " : "", origin->seq,
                   name[origin->kind]);
        append_byte(out, origin->old_known, origin->old_byte);
        buf_append_text(out, ">");
        append_byte(out, origin->new_known, origin->new_byte);
        if (origin->addr != origins->addr)
            buf_printf(out, " at %+" PRId64, (int64_t)(origin->addr - BASE));
    }
}

/* Also when the events come one by one. */
static void expect_history(const struct store *store, uint64_t offset,
                           const char *expected)
{
    struct origins whole = {.addr = BASE + offset}, grown = whole;
    struct buf text = {0};

    origins_update(&whole, store, store->count);
    append_history(&whole, &text);
    cr_assert(eq(str, (char *)buf_text(&text), (char *)expected));
    buf_clear(&text);
    for (size_t i = 1; i <= store->count; i++)
        origins_update(&grown, store, i);
    append_history(&grown, &text);
    cr_assert(eq(str, (char *)buf_text(&text), (char *)expected));
    buf_release(&text);
    origins_release(&whole);
    origins_release(&grown);
}

Test(who, stores_and_what_was_there_before)
{
    struct store store;

    store = (struct store){0};
    add_page(&store, BASE);
    add_write(&store, 0, "00", "48", NULL);
    add_write(&store, 1, "000000", "c7c001", NULL);
    add_write(&store, 3, "01", "02", NULL);
    add_write(&store, 3, "02", "02", NULL);
    add_protect(&store, 0, "48c7c002");
    expect_history(&store, 0, "0 mapped -->00, 1 store 00>48");
    expect_history(&store, 2, "0 mapped -->00, 2 store 00>c0");
    expect_history(&store, 3,
                   "0 mapped -->00, 2 store 00>01, 3 store 01>02, "
                   "4 store 02>02");
    expect_history(&store, 4, "0 mapped -->00");
    expect_history(&store, PAGE, "");
    store_release(&store);
}

Test(who, what_the_kernel_wrote)
{
    struct store store;

    store = (struct store){0};
    add_page(&store, BASE);
    add_write(&store, 2, "0000", "9090", "read");
    expect_history(&store, 3, "0 mapped -->00, 1 kernel 00>90");
    store_release(&store);
}

Test(who, what_nobody_was_seen_storing)
{
    struct store store;

    store = (struct store){0};
    add_page(&store, BASE);
    add_protect(&store, 2, "c300");
    add_enter(&store, 5, 2, "c200");
    add_write(&store, 2, "77", "90", NULL);
    expect_history(&store, 2,
                   "0 mapped -->00, 1 found 00>c3, 2 found c3>c2, "
                   "3 found c2>77, 3 store 77>90");
    expect_history(&store, 3, "0 mapped -->00");
    store_release(&store);
}

/* The same bytes at two addresses, of which one can be executed. */
Test(who, memory_that_is_mapped_twice)
{
    struct store store;

    store = (struct store){0};
    add_page(&store, BASE);
    add_page(&store, BASE + 4 * PAGE);
    add(&store, (struct event){.kind = EVENT_WRITE,
                               .write = {.addr = BASE + 2,
                                         .offset = 2,
                                         .old = hex_of("0000", (uint8_t[2]){0}),
                                         .new = hex_of("48c7", (uint8_t[2]){0}),
                                         .also = {true, BASE + 4 * PAGE + 2}}});
    expect_history(&store, 3, "0 mapped -->00, 2 store 00>c7");
    expect_history(&store, 4 * PAGE + 3, "1 mapped -->00, 2 store 00>c7");
    expect_history(&store, 4 * PAGE, "1 mapped -->00");
    store_release(&store);
}

Test(who, bytes_that_were_found_changed)
{
    struct store store;

    store = (struct store){0};
    add_page(&store, BASE);
    add_write(&store, 2, "00", "c3", WRITTEN_ELSEWHERE);
    expect_history(&store, 2, "0 mapped -->00, 1 found 00>c3");
    store_release(&store);
}

Test(who, memory_that_was_there_before_may_hold_anything)
{
    struct store store;

    store = (struct store){0};
    add_map(&store, BASE, PAGE, NULL, "heap");
    add_protect(&store, 0, "00c3");
    expect_history(&store, 0, "0 mapped -->--, 1 found -->00");
    expect_history(&store, 9, "0 mapped -->--");
    store_release(&store);
    store = (struct store){0};
    add_map(&store, BASE, PAGE, "mmap(...)", "/memfd:code");
    expect_history(&store, 0, "0 mapped -->--");
    store_release(&store);
}

Test(who, a_mapping_goes_and_another_comes)
{
    struct store store;

    store = (struct store){0};
    add_page(&store, BASE);
    add_write(&store, 1, "00", "c3", NULL);
    add_unmap(&store, BASE, PAGE, "munmap(...)");
    add_page(&store, BASE);
    add_page(&store, BASE);
    expect_history(&store, 1,
                   "0 mapped -->00, 1 store 00>c3, 2 unmapped c3>--, "
                   "3 mapped -->00, 4 mapped 00>00");
    store_release(&store);
}

Test(who, a_mapping_that_moves_takes_its_history_along)
{
    const char *call = "mremap(0x7f1234560000, 4096, 8192, MREMAP_MAYMOVE)";
    struct store store;

    store = (struct store){0};
    add_page(&store, BASE);
    add_write(&store, 1, "00", "c3", NULL);
    add_unmap(&store, BASE, PAGE, call);
    add_map(&store, BASE + 16 * PAGE, 2 * PAGE, call, "anonymous");
    expect_history(&store, 16 * PAGE + 1,
                   "0 mapped -->00 at +1, 1 store 00>c3 at +1, "
                   "3 moved c3>c3");
    expect_history(&store, 17 * PAGE + 1, "3 mapped -->00");
    expect_history(&store, 1,
                   "0 mapped -->00, 1 store 00>c3, 2 unmapped c3>--");
    store_release(&store);
}

Test(who, a_mapping_that_grows_where_it_is)
{
    const char *call = "mremap(0x7f1234560000, 4096, 8192, 0)";
    struct store store;

    store = (struct store){0};
    add_page(&store, BASE);
    add_write(&store, 1, "00", "c3", NULL);
    add_unmap(&store, BASE, PAGE, call);
    add_map(&store, BASE, 2 * PAGE, call, "anonymous");
    add_write(&store, 1, "c3", "90", NULL);
    expect_history(&store, 1, "0 mapped -->00, 1 store 00>c3, 4 store c3>90");
    expect_history(&store, PAGE, "3 mapped -->00");
    store_release(&store);
}

Test(who, generated_code_that_stores)
{
    struct store store;

    store = (struct store){0};
    add_page(&store, BASE);
    add_step(&store, 0, "880f", 8, "90");
    /* Watched: the store is told by itself, then by the step. */
    add(&store, (struct event){.kind = EVENT_WRITE,
                               .write = {.addr = BASE + 8,
                                         .old = hex_of("90", (uint8_t[1]){0}),
                                         .new = hex_of("91", (uint8_t[1]){0}),
                                         .pc = BASE}});
    add_step(&store, 0, "880f", 8, "91");
    /* And once more, not watched any longer. */
    add_step(&store, 0, "880f", 8, "91");
    expect_history(&store, 8,
                   "0 mapped -->00, 1 store 00>90, 2 store 90>91, "
                   "4 store 91>91");
    /* What was executed was there. */
    expect_history(&store, 0, "0 mapped -->00, 1 found 00>88");
    store_release(&store);
}

Test(who, code_that_overwrites_itself)
{
    struct store store;

    store = (struct store){0};
    add_page(&store, BASE);
    add_write(&store, 0, "00", "88", NULL);
    add(&store, (struct event){.kind = EVENT_WRITE,
                               .write = {.addr = BASE,
                                         .old = hex_of("88", (uint8_t[1]){0}),
                                         .new = hex_of("cc", (uint8_t[1]){0}),
                                         .pc = BASE}});
    add_step(&store, 0, "8807", 0, "cc");
    expect_history(&store, 0, "0 mapped -->00, 1 store 00>88, 2 store 88>cc");
    store_release(&store);
}

/* --- against a slow model: the view -------------------------------------- */

static uint32_t roll(uint32_t *state, uint32_t limit)
{
    *state = *state * 1664525 + 1013904223;
    return (*state >> 8) % limit;
}

static void add_any(struct store *store, uint32_t *dice)
{
    uint64_t page = BASE + roll(dice, 3) * PAGE, offset = roll(dice, 12);
    char old[17] = "", new[17] = "";
    uint8_t byte;

    for (uint32_t i = roll(dice, 8) + 1; i > 0; i--) {
        byte = (uint8_t)roll(dice, 3);
        snprintf(new + strlen(new), 3, "%02x", byte);
        strcat(old, "00");
    }
    switch (roll(dice, 7)) {
    case 0:
        add_page(store, page);
        break;
    case 1:
        add_unmap(store, page, PAGE, "munmap(...)");
        break;
    case 2:
        add_protect(store, offset, new);
        break;
    case 3:
        add_enter(store, offset, roll(dice, 12), new);
        break;
    case 4: /* elsewhere: what is executed is what is there */
        add_step(store, 2000 + offset, "9090", 0, NULL);
        break;
    default:
        add_write(store, page - BASE + offset, old, new, NULL);
        break;
    }
}

/* A view knows what is there; a history must come to the same, each change
 * must begin with what the one before has left. */
static void check_against_view(const struct store *store, uint64_t addr)
{
    struct origins origins = {.addr = addr};
    struct view view = {0};
    uint8_t byte;

    for (size_t i = 0; i < store->count; i++) {
        view_apply(&view, store_event(store, i));
        origins_update(&origins, store, i + 1);
        pages_read(&view.pages, addr, 1, &byte);
        cr_assert(eq(u8, origins.known ? origins.byte : 0, byte),
                  "event %zu, byte %" PRIx64, i, addr);
    }
    for (size_t i = 1; i < origins.count; i++) {
        const struct origin *before = &origins.list[i - 1];
        const struct origin *now = &origins.list[i];

        cr_assert(le(u64, before->seq, now->seq));
        if (before->new_known)
            cr_assert(eq(u8, now->old_byte, before->new_byte));
    }
    view_release(&view);
    origins_release(&origins);
}

Test(who, any_sequence_agrees_with_the_view)
{
    uint32_t dice = 1;

    for (int round = 0; round < 100; round++) {
        struct store store;

        store = (struct store){0};
        for (int i = 0; i < 60; i++)
            add_any(&store, &dice);
        for (uint64_t offset = 0; offset < 20; offset++)
            check_against_view(&store, BASE + offset);
        check_against_view(&store, BASE + PAGE + 3);
        check_against_view(&store, BASE + 2004);
        store_release(&store);
    }
}

/* --- histories of programs ----------------------------------------------- */

/* The history of the byte at an offset of the n-th mapping. */
static struct origins history_in(const struct store *store, size_t n,
                                 uint64_t offset)
{
    const struct event *map = nth(store, EVENT_MAP, n);
    struct origins origins = {0};

    cr_assert(ne(ptr, (void *)map, NULL));
    origins.addr = map->map.addr + offset;
    origins_update(&origins, store, store->count);
    return origins;
}

static void expect_kinds_of(const struct origins *origins, const char *expected)
{
    static const char kind[] = "MVSKFU";
    char got[16] = "";

    for (size_t i = 0; i < origins->count && i < sizeof got - 1; i++)
        got[i] = kind[origins->list[i].kind];
    cr_assert(eq(str, got, (char *)expected));
}

/* Compiled as written: each byte is stored by a line of its own. */
Test(who, each_byte_of_the_baby_jit_has_its_line)
{
    struct job job = {.argv = ARGS(TRACEE("babyjit-O0"), "-4")};
    struct store store;

    compare(&job, &store);
    for (uint64_t i = 0; i < 11; i++) {
        struct origins origins = history_in(&store, 0, i);
        char start[16];

        expect_kinds_of(&origins, "MSU");
        snprintf(start, sizeof start, "code[%d] =", (int)i);
        cr_assert(begins(origins.list[1].source.text, start), "%s",
                  origins.list[1].source.text);
        cr_assert(begins(origins.list[1].symbol, "main+0x"));
        cr_assert(eq(int, origins.list[1].tid, nth(&store, EVENT_MAP, 0)->tid));
        cr_assert(eq(u8, origins.list[1].old_byte, 0));
        origins_release(&origins);
    }
    store_release(&store);
}

/* Optimised: bytes that one instruction stored have one event. */
Test(who, merged_stores_are_shared)
{
    struct job job = {.argv = ARGS(TRACEE("babyjit-O2"), "-4")};
    struct store store;

    compare(&job, &store);
    for (size_t n = 0; n < count(&store, EVENT_WRITE); n++) {
        const struct event *write = write_at(&store, n);

        for (uint64_t i = 0; i < write->write.new.len; i++) {
            struct origins origins =
                history_in(&store, 0, write->write.offset + i);

            expect_kinds_of(&origins, "MSU");
            cr_assert(eq(u64, origins.list[1].seq, write->seq));
            cr_assert(eq(u8, origins.byte, 0));
            cr_assert(
                eq(u8, origins.list[1].new_byte, write->write.new.data[i]));
            origins_release(&origins);
        }
    }
    store_release(&store);
}

Test(who, patched_code_has_two_stores)
{
    struct job job = {.argv = ARGS(TRACEE("who_patched"))};
    struct origins origins;
    struct store store;

    compare(&job, &store);
    origins = history_in(&store, 0, 1);
    expect_kinds_of(&origins, "MSS");
    cr_assert(eq(u8, origins.list[1].new_byte, 1));
    cr_assert(eq(u8, origins.list[2].old_byte, 1));
    cr_assert(eq(u8, origins.list[2].new_byte, 2));
    cr_assert(eq(str, (char *)origins.list[2].source.text, "code[1] = 2;"));
    origins_release(&origins);
    origins = history_in(&store, 0, 0);
    expect_kinds_of(&origins, "MS");
    origins_release(&origins);
    store_release(&store);
}

Test(who, each_thread_is_told_by_its_number)
{
    struct job job = {.argv = ARGS(TRACEE("who_threads"))};
    struct origins first, last;
    struct store store;
    int main_thread;

    compare(&job, &store);
    main_thread = nth(&store, EVENT_START, 0)->tid;
    first = history_in(&store, 0, 1);
    last = history_in(&store, 0, 5);
    expect_kinds_of(&first, "MS");
    expect_kinds_of(&last, "MS");
    cr_assert(eq(int, first.list[0].tid, main_thread));
    cr_assert(ne(int, first.list[1].tid, main_thread));
    cr_assert(ne(int, last.list[1].tid, main_thread));
    cr_assert(ne(int, last.list[1].tid, first.list[1].tid));
    cr_assert(begins(first.list[1].symbol, "store_first+0x"));
    cr_assert(begins(last.list[1].symbol, "store_rest+0x"));
    origins_release(&first);
    origins_release(&last);
    store_release(&store);
}

Test(who, copied_and_read_and_generated_stores)
{
    struct job copied = {.argv = ARGS(TRACEE("who_copied"))};
    struct job readers = {.argv = ARGS(TRACEE("read_into"))};
    struct origins origins;
    struct store store;

    compare(&copied, &store);
    origins = history_in(&store, 1, 0);
    expect_kinds_of(&origins, "MS");
    cr_assert(begins(origins.list[1].source.text, "memcpy("));
    cr_assert(begins(origins.list[1].symbol, "libc.so.6:memcpy+0x"));
    origins_release(&origins);
    origins = history_in(&store, 1, 5);
    expect_kinds_of(&origins, "MS");
    cr_assert(eq(u64, origins.list[1].pc, nth(&store, EVENT_MAP, 0)->map.addr));
    origins_release(&origins);
    store_release(&store);

    compare(&readers, &store);
    origins = history_in(&store, 0, 0);
    expect_kinds_of(&origins, "MK");
    cr_assert(eq(str, (char *)origins.list[1].call, "read"));
    origins_release(&origins);
    store_release(&store);
}

/* --- the command line ---------------------------------------------------- */

static const char recording[] =
    "{\"seq\":0,\"event\":\"start\",\"format\":1,\"tid\":7,\"argv\":[\"x\"],"
    "\"pid\":7,\"page_size\":4096,\"entry\":\"0x401000\"}\n"
    "{\"seq\":1,\"event\":\"map\",\"tid\":7,\"addr\":\"0x7f0000010000\","
    "\"length\":4096,\"prot\":\"rwx\",\"backing\":\"anonymous\","
    "\"call\":\"mmap(NULL, 4096, ...)\"}\n"
    "{\"seq\":2,\"event\":\"write\",\"tid\":7,\"addr\":\"0x7f0000010000\","
    "\"offset\":0,\"old\":\"0000\",\"new\":\"b801\",\"pc\":\"0x401010\","
    "\"text\":\"mov [rax], cx\",\"symbol\":\"emit+0x10\","
    "\"source\":{\"file\":\"x.c\",\"line\":5,\"text\":\"*code = 0x1b8;\"}}\n"
    "{\"seq\":3,\"event\":\"write\",\"tid\":8,\"addr\":\"0x7f0000010001\","
    "\"offset\":1,\"old\":\"01\",\"new\":\"02\",\"pc\":\"0x7f0000022000\","
    "\"by\":\"read\",\"symbol\":\"libc.so.6:read+0xd\"}\n"
    "{\"seq\":4,\"event\":\"enter\",\"tid\":7,\"addr\":\"0x7f0000010000\","
    "\"offset\":0,\"how\":\"call\",\"code\":\"b802000000c3\","
    "\"code_offset\":0,\"regs\":{\"rax\":\"0x2\",\"rbx\":\"0x0\","
    "\"rcx\":\"0x0\",\"rdx\":\"0x0\",\"rsi\":\"0x0\",\"rdi\":\"0x0\","
    "\"rbp\":\"0x0\",\"rsp\":\"0x8000\",\"r8\":\"0x0\",\"r9\":\"0x0\","
    "\"r10\":\"0x0\",\"r11\":\"0x0\",\"r12\":\"0x0\",\"r13\":\"0x0\","
    "\"r14\":\"0x0\",\"r15\":\"0x0\",\"rip\":\"0x7f0000010000\","
    "\"rflags\":\"0x202\",\"fs_base\":\"0x0\",\"gs_base\":\"0x0\"}}\n"
    "{\"seq\":5,\"event\":\"step\",\"tid\":7,\"addr\":\"0x7f0000010000\","
    "\"offset\":0,\"bytes\":\"b802000000\",\"text\":\"mov eax, 2\",\"regs\":{},"
    "\"reads\":[],\"writes\":[],\"next\":\"0x7f0000010005\"}\n"
    "{\"seq\":6,\"event\":\"map\",\"tid\":7,\"addr\":\"0x7f0000030000\","
    "\"length\":8192,\"prot\":\"rwx\",\"backing\":\"/memfd:code\"}\n"
    "{\"seq\":7,\"event\":\"map\",\"tid\":7,\"addr\":\"0x7f0000050000\","
    "\"length\":12288,\"prot\":\"rw-\",\"backing\":\"anonymous\","
    "\"call\":\"mmap(NULL, 12288, ...)\"}\n"
    "{\"seq\":8,\"event\":\"unmap\",\"tid\":7,\"addr\":\"0x7f0000010000\","
    "\"length\":4096,\"call\":\"munmap(0x7f0000010000, 4096)\"}\n";

static const char exit_line[] =
    "{\"seq\":9,\"event\":\"exit\",\"tid\":7,\"status\":3}\n";

/* Asks for a byte of the recording, which may lack its end. */
static void ask(const char *where, bool whole, struct result *result)
{
    const char *file = scratch(".jsonl");
    struct job job = {.argv = ARGS(JITTRACE, "--who", where, "--replay", file)};
    struct buf text = {0};

    buf_append_text(&text, recording);
    if (whole)
        buf_append_text(&text, exit_line);
    write_file(file, text.data, text.len, 0644);
    buf_release(&text);
    run(&job, result);
}

static void expect_answer(const char *where, const char *expected)
{
    struct result result;

    ask(where, true, &result);
    cr_assert(eq(str, (char *)buf_text(&result.out), (char *)expected));
    cr_assert(eq(str, (char *)buf_text(&result.err), ""));
    cr_assert(eq(int, result.status, 0));
    result_release(&result);
}

#define ANSWER_1                                                             \
    "code[1], the byte at 0x7f0000010001: 02, until it was unmapped\n"       \
    "    +0   b8[02]00 00 00  mov eax, 2\n"                                  \
    "    the lowest byte of the imm32 of mov, 0x00000002 = 2\n"              \
    "event 1     00        mapped by mmap(NULL, 4096, ...), all zero "       \
    "(thread 7)\n"                                                           \
    "event 2     00 -> 01  stored at emit+0x10: mov [rax], cx (thread 7)\n"  \
    "                      x.c:5  *code = 0x1b8;\n"                          \
    "event 3     01 -> 02  written by the kernel: read, called at "          \
    "libc.so.6:read+0xd\n"                                                   \
    "                      (thread 8)\n"                                     \
    "event 8     02        unmapped by munmap(0x7f0000010000, 4096) (thread" \
    " 7)\n"

#define ANSWER_5                                                             \
    "code[5], the byte at 0x7f0000010005: c3, until it was unmapped\n"       \
    "    +5  [c3]  ret\n"                                                    \
    "    the opcode of ret (not seen being executed)\n"                      \
    "event 1     00        mapped by mmap(NULL, 4096, ...), all zero "       \
    "(thread 7)\n"                                                           \
    "event 4     00 -> c3  found when the code was entered; nobody was "     \
    "seen storing\n"                                                         \
    "                      it (thread 7)\n"                                  \
    "event 8     c3        unmapped by munmap(0x7f0000010000, 4096) (thread" \
    " 7)\n"

Test(who, an_address_is_one_byte)
{
    expect_answer("0x7f0000010001", ANSWER_1);
    expect_answer("139637976793089", ANSWER_1);
    expect_answer("0x7F0000010005", ANSWER_5);
}

/* Memory that was never executable has no code. */
Test(who, an_offset_is_one_byte_of_all_code)
{
    expect_answer("1", ANSWER_1 "\n"
                                "code[1], the byte at 0x7f0000030001: \?\?\n"
                                "    nothing was seen being stored there\n"
                                "event 6     \?\?        memory that was there "
                                "before; what it held was not seen\n"
                                "                      (thread 7)\n");
    expect_answer("0x1fff", "code[8191], the byte at 0x7f0000031fff: \?\?\n"
                            "    nothing was seen being stored there\n"
                            "event 6     \?\?        memory that was there "
                            "before; what it held was not seen\n"
                            "                      (thread 7)\n");
}

Test(who, a_recording_that_is_cut_short_tells_what_it_knows)
{
    struct result result;

    ask("0x7f0000010001", false, &result);
    cr_assert(eq(str, (char *)buf_text(&result.out), ANSWER_1));
    cr_assert(eq(int, result.status, 65));
    result_release(&result);
}

static void expect_none(const char *where, const char *message)
{
    struct result result;

    ask(where, true, &result);
    cr_assert(eq(str, (char *)buf_text(&result.out), ""));
    cr_assert(eq(str, (char *)buf_text(&result.err), (char *)message));
    cr_assert(eq(int, result.status, 65));
    result_release(&result);
}

Test(who, a_byte_that_is_not_there)
{
    expect_none("8192",
                "jittrace: no code of this trace has a byte 0x2000. Code was "
                "at 0x7f0000010000 (offsets 0 to 0xfff), 0x7f0000030000 "
                "(offsets 0 to 0x1fff).\n");
    expect_none("0x7f0000040000",
                "jittrace: no code of this trace has a byte 0x7f0000040000. "
                "Code was at 0x7f0000010000 (offsets 0 to 0xfff), "
                "0x7f0000030000 (offsets 0 to 0x1fff); in another run it is "
                "at other addresses.\n");
}

static void refused(const char *const *argv, const char *message)
{
    struct job job = {.argv = argv};
    struct result result;

    run(&job, &result);
    cr_assert(eq(int, result.status, 64));
    cr_assert(contains(buf_text(&result.err), message), "%s",
              buf_text(&result.err));
    cr_assert(eq(sz, result.out.len, 0));
    result_release(&result);
}

Test(who, what_is_no_byte)
{
    static const char *const wrong[] = {
        "",   "x",    "0x",  "-1",   "1x",
        " 1", "0x1g", "1 2", "c0de", "18446744073709551616"};

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        refused(ARGS(JITTRACE, "--who", wrong[i]),
                "--who takes the offset or the address of a byte");
    refused(ARGS(JITTRACE, "--who"), "needs a value");
    refused(ARGS(JITTRACE, "--who=1", "--format=json"), "answers in words");
    refused(ARGS(JITTRACE, "--who=1", "--format=raw"), "answers in words");
    refused(ARGS(JITTRACE, "--who=1", "--step"), "w there asks for a byte");
}

/* As in any other format the program's own output and status are its own. */
Test(who, the_program_is_left_alone)
{
    struct job job = {.argv = ARGS(JITTRACE, "--who=0x3", "-4")};
    struct job far = {.argv = ARGS(JITTRACE, "--who=4096", "-4")};
    struct job status = {
        .argv = ARGS(JITTRACE, "--who", "0", "--", TRACEE("crash"))};
    struct result result;

    run(&job, &result);
    cr_assert(eq(int, result.status, 0));
    cr_assert(begins(buf_text(&result.out), "-3 -2 -1\ncode[3], the byte at "));
    cr_assert(contains(buf_text(&result.out), "code[3] = (uint8_t)imm;"));
    result_release(&result);
    run(&far, &result);
    cr_assert(eq(str, (char *)buf_text(&result.out), "-3 -2 -1\n"));
    cr_assert(eq(int, result.status, 65));
    result_release(&result);
    run(&status, &result);
    cr_assert(eq(int, result.status, 132));
    result_release(&result);
}

/* Without what differs from run to run and from compiler to compiler; blanks
 * and line ends are one blank, for a long number moves where a line ends. */
static void simplify(const char *text, size_t len, struct buf *out)
{
    const char *end = text + len;

    while (text < end) {
        bool blank = strchr(" \n", *text) != NULL;
        bool hex_number = begins(text, "0x7") || begins(text, "+0x");

        if (blank || hex_number)
            buf_append_text(out, blank ? " " : "0x");
        else if (begins(text, "thread "))
            buf_append_text(out, "thread");
        else
            buf_append(out, text, 1);
        text += blank        ? strspn(text, " \n")
                : hex_number ? 3 + strspn(text + 3, "0123456789abcdef")
                : begins(text, "thread ") ? 7 + strspn(text + 7, "0123456789")
                                          : 1;
    }
}

Test(who, the_readme_shows_what_is_answered)
{
    struct job job = {.argv = ARGS(JITTRACE, "--who=3", "-4")};
    struct buf readme = {0}, told = {0}, got = {0};
    struct result result;
    const char *start, *end;

    read_file("README.md", &readme);
    start = strstr(buf_text(&readme), "```text\ncode[3]");
    cr_assert(ne(ptr, (void *)start, NULL));
    start += strlen("```text\n");
    end = strstr(start, "```");
    simplify(start, (size_t)(end - start), &told);
    run(&job, &result);
    start = strstr(buf_text(&result.out), "code[3]");
    cr_assert(ne(ptr, (void *)start, NULL));
    simplify(start, strlen(start), &got);
    cr_assert(eq(str, (char *)buf_text(&got), (char *)buf_text(&told)));
    result_release(&result);
    buf_release(&readme);
    buf_release(&told);
    buf_release(&got);
}

/* --- stepping ------------------------------------------------------------ */

/* What is said to these lines, from the prompt behind the n-th on. */
static void expect_said(const char *script, const char *expected)
{
    const char *file = scratch(".jsonl"), *input = scratch(".txt");
    struct job job = {.argv =
                          ARGS(JITTRACE, "--step", "--plain", "--replay", file),
                      .in = input};
    struct buf text = {0};
    struct result result;

    buf_append_text(&text, recording);
    buf_append_text(&text, exit_line);
    write_file(file, text.data, text.len, 0644);
    write_file(input, script, strlen(script), 0644);
    run(&job, &result);
    cr_assert(eq(int, result.status, 0));
    cr_assert(contains(buf_text(&result.out), expected), "no '%s' in:\n%s",
              expected, buf_text(&result.out));
    buf_release(&text);
    result_release(&result);
}

/* Up to the event that one is at; at the end it is the answer of --who. */
Test(who, line_by_line)
{
    expect_said("goto 2\nwho 1\nq\n",
                "step 2> who 1\n"
                "code[1], the byte at 0x7f0000010001: 01\n");
    expect_said("goto 2\nwho 1\nq\n",
                "event 2     00 -> 01  stored at emit+0x10: mov [rax], cx "
                "(thread 7)\n"
                "                      x.c:5  *code = 0x1b8;\n"
                "step 2> q\n");
    expect_said("run\nwho 0x7f0000010001\nq\n",
                "step 9> who 0x7f0000010001\n" ANSWER_1 "step 9> q\n");
    expect_said("goto 3\nbyte\nbyte\nbyte-back\nq\n",
                "step 3> byte\ncode[1], the byte at");
    expect_said("goto 3\nbyte\nbyte\nbyte-back\nq\n",
                "step 3> byte\ncode[2], the byte at");
    expect_said("goto 3\nbyte\nbyte\nbyte-back\nq\n",
                "step 3> byte-back\ncode[1], the byte at");
    expect_said("goto 3\nwho 0\nwriter\nwriter\nq\n",
                "step 3> writer\nevent 2, ");
    expect_said("goto 3\nwho 0\nwriter\nwriter\nq\n",
                "step 2> writer\nevent 3, ");
}

Test(who, lines_that_ask_for_nothing)
{
    expect_said("goto 3\nwho\nq\n", "no byte is asked about");
    expect_said("goto 3\nwho 3x\nq\n", "'3x' is no offset");
    expect_said("goto 3\nwho 5000\nq\n", "no code up to event 3 has that");
    expect_said("byte\nq\n", "nothing is mapped for code here");
    expect_said("writer\nq\n", "which byte?");
    expect_said("goto 3\nwho 4095\nbyte\nq\n", "this is the last byte");
    /* A byte of a mapping to come has no past. */
    expect_said("goto 3\nwho 0x7f0000030000\nq\n", "no code up to event 3");
}
