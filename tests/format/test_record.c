/* SPDX-License-Identifier: MIT */
/*
 * test_record.c - events, kept in memory and written to a file and read again.
 *
 * Most of it walks over all kinds of event and all of their fields, so that a
 * new line in event.def is tested without a line here.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "format/format.h"
#include "support/equal.h"
#include "support/support.h"
#include "trace/store.h"

TestSuite(record, .timeout = 20);

#define NUMBER_MAX INT64_C(9007199254740991)

/* Sample events: every field at its extreme, or every field empty. */

static const uint8_t sample_bytes[] = {0x00, 0x48, 0xc7, 0xff, 0x9a};
static const struct bytes some = {sample_bytes, sizeof sample_bytes};
static const struct bytes none_of_them = {sample_bytes, 0};

static const char *const sample_texts[] = {
    "babyjit",         "-4", "", "\"\\/", "\x01\t\n\x1b\x7f", "\xc3\xbc",
    "\xf0\x9f\x98\x80"};

static const struct reg_change sample_changes[] = {
    {REG_FLAGS, 0x246, 0}, {REG_RESULT, 0, UINT64_MAX}, {REG_STACK, 1, 2}};

static const uint8_t sample_wide[2][64] = {{1, 2, 3}, {[63] = 0xff}};

/* A change of one of each size; and values of some. */
static const struct vreg_change sample_vregs[] = {
    {VREG_VECTOR, {sample_wide[0], 16}, {sample_wide[1], 16}},
    {VREG_VECTOR + 9, {sample_wide[0], 32}, {sample_wide[1], 32}},
    {VREG_VECTOR + 31, {sample_wide[0], 64}, {sample_wide[1], 64}},
    {VREG_MASK + 7, {sample_wide[0], 8}, {sample_wide[1], 8}},
    {VREG_X87, {sample_wide[0], 10}, {sample_wide[1], 10}},
    {VREG_MXCSR, {sample_wide[0], 4}, {sample_wide[1], 4}},
    {VREG_FTW, {sample_wide[0], 1}, {sample_wide[1], 1}}};
static const struct vreg_change sample_values[] = {
    {VREG_VECTOR + 1, {NULL, 0}, {sample_wide[1], 64}},
    {VREG_FSW, {NULL, 0}, {sample_wide[0], 2}}};

static const struct mem_access sample_reads[] = {
    {.addr = UINT64_MAX, .old_bytes = {sample_bytes, 5}},
    {.addr = 0, .old_bytes = {sample_bytes, 0}},
    {.addr = 1}};

static const struct mem_access sample_writes[] = {
    {.addr = UINT64_MAX,
     .old_bytes = {sample_bytes, 4},
     .new_bytes = {sample_bytes + 1, 4}},
    {.addr = 2, .new_bytes = {sample_bytes, 1}}};

static const struct caller sample_callers[] = {
    {{.file = "jit.c", .line = 88, .text = "emit(0x48);"}, "mul+0x1f"},
    {.symbol = "emit"},
    {{.file = "\xc3\xbc.c", .line = 1}, NULL},
    {{0}, NULL}};

static const struct line_row sample_rows[] = {
    {0, "fib.lua", 1}, {7, "lib/\xc3\xbc.lua", 1000000000}, {8, "", 2}};

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Values differ by the number of the field, so that mix-ups show. */
static void fill_field(enum field_type type, size_t index, void *at)
{
    switch (type) {
    case FIELD_TYPE_ADDR:
        *(uint64_t *)at = UINT64_MAX - index;
        break;
    case FIELD_TYPE_OPT:
        *(struct opt_u64 *)at = (struct opt_u64){true, UINT64_MAX - index};
        break;
    case FIELD_TYPE_SIZE:
        *(uint64_t *)at = (uint64_t)NUMBER_MAX - index;
        break;
    case FIELD_TYPE_INT:
        *(int64_t *)at = -NUMBER_MAX + (int64_t)index;
        break;
    case FIELD_TYPE_OPTINT:
        *(struct opt_u64 *)at =
            (struct opt_u64){true, (uint64_t)NUMBER_MAX - index};
        break;
    case FIELD_TYPE_PROT:
        *(unsigned *)at = index % 2 ? PROT_READ | PROT_EXEC
                                    : PROT_READ | PROT_WRITE | PROT_EXEC;
        break;
    case FIELD_TYPE_TEXT:
        *(const char **)at = sample_texts[index % COUNT(sample_texts)];
        break;
    case FIELD_TYPE_TEXTS:
        *(struct texts *)at = (struct texts){sample_texts, COUNT(sample_texts)};
        break;
    case FIELD_TYPE_BYTES:
        *(struct bytes *)at = some;
        break;
    case FIELD_TYPE_REGS:
        for (size_t i = 0; i < REG_COUNT; i++)
            ((struct regs *)at)->value[i] = UINT64_MAX - i;
        break;
    case FIELD_TYPE_OPTREGS:
        fill_field(FIELD_TYPE_REGS, index, &((struct opt_regs *)at)->value);
        ((struct opt_regs *)at)->known = true;
        break;
    case FIELD_TYPE_CHANGES:
        *(struct reg_changes *)at =
            (struct reg_changes){sample_changes, COUNT(sample_changes)};
        break;
    case FIELD_TYPE_VREGS:
        *(struct vreg_changes *)at =
            (struct vreg_changes){sample_vregs, COUNT(sample_vregs)};
        break;
    case FIELD_TYPE_VALUES:
        *(struct vreg_changes *)at =
            (struct vreg_changes){sample_values, COUNT(sample_values)};
        break;
    case FIELD_TYPE_READS:
        *(struct mem_accesses *)at =
            (struct mem_accesses){sample_reads, COUNT(sample_reads)};
        break;
    case FIELD_TYPE_WRITES:
        *(struct mem_accesses *)at =
            (struct mem_accesses){sample_writes, COUNT(sample_writes)};
        break;
    case FIELD_TYPE_CALLERS:
        *(struct callers *)at =
            (struct callers){sample_callers, COUNT(sample_callers)};
        break;
    case FIELD_TYPE_ROWS:
        *(struct line_rows *)at =
            (struct line_rows){sample_rows, COUNT(sample_rows)};
        break;
    case FIELD_TYPE_CALLEE:
        *(struct callee *)at = (struct callee){
            .symbol = "printf",
            .module = "libc.so.6",
            .known_by = "name",
            .params = {sample_texts, COUNT(sample_texts)},
            .result = "i32",
        };
        break;
    }
}

static void *at_field(struct event *event, const struct event_field *field)
{
    return (char *)event + field->offset;
}

/* Every optional field is absent, every list empty. */
static struct event bare_event(enum event_kind kind)
{
    struct event event = {.kind = kind};

    if (kind == EVENT_START)
        event.start.format = 1;
    if (kind == EVENT_EXIT)
        event.exit.signal = (struct opt_u64){true, 11};
    return event;
}

static struct event full_event(enum event_kind kind)
{
    struct event event = {
        .kind = kind,
        .tid = 4711,
        .source = {.file = "a\"b.c",
                   .line = 41,
                   .text = "*p++ = 0x48; /* \xc3\xbc */",
                   .excerpt = "{\n\t*p++ = 0x48; /* \xc3\xbc */\n",
                   .excerpt_line = 40},
    };
    size_t count;
    const struct event_field *fields = event_fields(kind, &count);

    for (size_t i = 0; i < count; i++)
        fill_field(fields[i].type, i, at_field(&event, &fields[i]));
    if (kind == EVENT_START) {
        event.start.format = 1;
        event.start.arch = ARCH_NAME;
    }
    if (kind == EVENT_EXIT)
        event.exit.signal = (struct opt_u64){0};
    if (kind == EVENT_VERDICT)
        event.verdict.verdict = VERDICT_BROKEN;
    return event;
}

/* The table of kinds */

Test(record, every_kind_is_found_by_its_name)
{
    for (unsigned kind = 0; kind < EVENT_KINDS; kind++) {
        const char *name = event_name((enum event_kind)kind);

        cr_assert(ne(ptr, (void *)name, NULL));
        cr_assert(eq(uint, event_find(name), kind), "%s", name);
    }
    cr_assert(eq(str, (char *)event_name(EVENT_START), "start"));
    cr_assert(eq(str, (char *)event_name(EVENT_EXIT), "exit"));
    cr_assert(eq(uint, event_find("opinion"), EVENT_KINDS));
    cr_assert(eq(uint, event_find(""), EVENT_KINDS));
}

Test(record, fields_stand_in_the_order_of_the_table)
{
    size_t count;
    const struct event_field *fields = event_fields(EVENT_PROTECT, &count);
    static const struct event_field expected[] = {
        {FIELD_TYPE_ADDR, "addr", offsetof(struct event, protect.addr)},
        {FIELD_TYPE_SIZE, "length", offsetof(struct event, protect.length)},
        {FIELD_TYPE_PROT, "old_prot", offsetof(struct event, protect.old_prot)},
        {FIELD_TYPE_PROT, "prot", offsetof(struct event, protect.prot)},
        {FIELD_TYPE_BYTES, "code", offsetof(struct event, protect.code)},
        {FIELD_TYPE_SIZE, "code_offset",
         offsetof(struct event, protect.code_offset)},
        {FIELD_TYPE_TEXT, "call", offsetof(struct event, protect.call)},
        {FIELD_TYPE_TEXT, "maps", offsetof(struct event, protect.maps)},
    };

    cr_assert(eq(sz, count, COUNT(expected)));
    for (size_t i = 0; i < count; i++) {
        cr_assert(eq(str, (char *)fields[i].name, (char *)expected[i].name));
        cr_assert(eq(int, fields[i].type, expected[i].type));
        cr_assert(eq(sz, fields[i].offset, expected[i].offset));
    }
}

/* Comparing and copying */

Test(record, a_difference_in_any_field_is_seen)
{
    for (unsigned kind = 0; kind < EVENT_KINDS; kind++) {
        struct event full = full_event((enum event_kind)kind);
        size_t count;
        const struct event_field *fields = event_fields(full.kind, &count);

        cr_assert(eq(int, event_equal(&full, &full), 1));
        for (size_t i = 0; i < count; i++) {
            struct event other = full;
            void *at = at_field(&other, &fields[i]);

            /* Absent, empty, another number: all by the same change. */
            memset(at, 0, fields[i].type == FIELD_TYPE_PROT ? 4 : 8);
            if (fields[i].type == FIELD_TYPE_CHANGES ||
                fields[i].type == FIELD_TYPE_VREGS ||
                fields[i].type == FIELD_TYPE_VALUES ||
                fields[i].type == FIELD_TYPE_TEXTS ||
                fields[i].type == FIELD_TYPE_READS ||
                fields[i].type == FIELD_TYPE_CALLERS ||
                fields[i].type == FIELD_TYPE_ROWS ||
                fields[i].type == FIELD_TYPE_WRITES)
                ((struct texts *)at)->count = 0;
            if (memcmp(&other, &full, sizeof full) == 0)
                continue; /* exit's signal, which is absent in a full one */
            cr_expect(eq(int, event_equal(&full, &other), 0), "%s.%s",
                      event_name(full.kind), fields[i].name);
        }
    }
}

Test(record, a_difference_around_the_fields_is_seen)
{
    struct event event = full_event(EVENT_OUTPUT);
    struct event other[8];

    for (size_t i = 0; i < COUNT(other); i++)
        other[i] = event;
    other[0].seq++;
    other[1].tid++;
    other[2].source.file = NULL;
    other[3].source.line++;
    other[4].source.text = NULL;
    other[5] = full_event(EVENT_LIMIT);
    other[6].source.excerpt = NULL;
    other[7].source.excerpt_line++;
    for (size_t i = 0; i < COUNT(other); i++)
        cr_expect(eq(int, event_equal(&event, &other[i]), 0), "%zu", i);
}

Test(record, a_difference_in_a_list_is_seen)
{
    static const struct reg_change changes[] = {{REG_STACK, 1, 2},
                                                {REG_RESULT, 1, 2},
                                                {REG_STACK, 0, 2},
                                                {REG_STACK, 1, 0}};
    static const struct mem_access writes[] = {
        {1, {sample_bytes, 2}, {sample_bytes, 2}},
        {2, {sample_bytes, 2}, {sample_bytes, 2}},
        {1, {sample_bytes, 1}, {sample_bytes, 2}},
        {1, {sample_bytes, 2}, {sample_bytes + 1, 2}}};
    static const char *const argv[] = {"a", "b", "", "ab"};

    for (size_t i = 0; i < COUNT(argv); i++)
        for (size_t j = 0; j < COUNT(argv); j++) {
            struct event a[3] = {{.kind = EVENT_STEP},
                                 {.kind = EVENT_STEP},
                                 {.kind = EVENT_START}};
            struct event b[3];

            memcpy(b, a, sizeof a);
            a[0].step.regs = (struct reg_changes){&changes[i], 1};
            b[0].step.regs = (struct reg_changes){&changes[j], 1};
            a[1].step.writes = (struct mem_accesses){&writes[i], 1};
            b[1].step.writes = (struct mem_accesses){&writes[j], 1};
            a[2].start.argv = (struct texts){&argv[i], 1};
            b[2].start.argv = (struct texts){&argv[j], 1};
            for (size_t k = 0; k < COUNT(a); k++)
                cr_expect(eq(int, event_equal(&a[k], &b[k]), i == j),
                          "%zu: %zu and %zu", k, i, j);
        }
}

Test(record, no_bytes_differ_from_zero_bytes)
{
    struct event none = {.kind = EVENT_OUTPUT};
    struct event empty = {.kind = EVENT_OUTPUT, .output.bytes = none_of_them};

    cr_assert(eq(int, event_equal(&none, &empty), 0));
}

Test(record, a_copy_borrows_nothing)
{
    for (unsigned kind = 0; kind < EVENT_KINDS; kind++) {
        struct event full = full_event((enum event_kind)kind);
        struct event bare = bare_event((enum event_kind)kind);
        struct event *first = event_keep(&full);
        struct event same = *first;
        struct event *second;
        struct event *empty = event_keep(&bare);

        same.copy = NULL; /* or the first would be shared */
        second = event_keep(&same);
        /* The second was made of the first, which goes away: with freed
         * memory filled anew, what it still borrowed would now be wrong. */
        cr_expect(eq(int, event_equal(first, &full), 1));
        memset(first, 0xa5, sizeof *first);
        event_free(first);
        memset(first = malloc(2048), 0xa5, 2048);
        cr_expect(eq(int, event_equal(second, &full), 1), "%s",
                  event_name(full.kind));
        cr_expect(eq(int, event_equal(empty, &bare), 1));
        free(first);
        event_free(second);
        event_free(empty);
    }
    event_free(NULL);
}

Test(record, a_copy_is_deep)
{
    char text[] = "arg";
    uint8_t data[] = {1, 2, 3};
    const char *list[] = {text};
    struct mem_access access = {.addr = 5, .new_bytes = {data, 3}};
    struct event start = {.kind = EVENT_START,
                          .source = {text, 1, text, text, 1}};
    struct event step = {.kind = EVENT_STEP, .step.bytes = {data, 3}};
    struct event *one;
    struct event *two;

    start.start.argv = (struct texts){list, 1};
    step.step.writes = (struct mem_accesses){&access, 1};
    one = event_keep(&start);
    two = event_keep(&step);
    list[0] = NULL;
    access.addr = 6;
    memset(text, 'X', sizeof text - 1);
    memset(data, 9, sizeof data);
    cr_assert(eq(str, (char *)one->source.file, "arg"));
    cr_assert(eq(str, (char *)one->source.text, "arg"));
    cr_assert(eq(str, (char *)one->source.excerpt, "arg"));
    cr_assert(eq(str, (char *)one->start.argv.list[0], "arg"));
    cr_assert(eq(u8, two->step.bytes.data[0], 1));
    cr_assert(eq(u64, two->step.writes.list[0].addr, 5));
    cr_assert(eq(u8, two->step.writes.list[0].new_bytes.data[0], 1));
    event_free(one);
    event_free(two);
}

Test(record, lists_of_a_copy_are_aligned)
{
    static const char text[] = "12345678";

    for (size_t skip = 0; skip < 8; skip++) {
        struct event event = full_event(EVENT_STEP);
        struct event *copy;

        event.source.file = text + skip;
        copy = event_keep(&event);
        cr_assert(eq(sz, (uintptr_t)copy->step.regs.list % 8, 0));
        cr_assert(eq(sz, (uintptr_t)copy->step.reads.list % 8, 0));
        cr_assert(eq(sz, (uintptr_t)copy->step.writes.list % 8, 0));
        event_free(copy);
    }
}

Test(record, a_store_keeps_events_by_number)
{
    struct store store = {0};

    for (unsigned i = 0; i < 100; i++) {
        uint8_t byte = (uint8_t)i;
        struct event event = {.kind = EVENT_OUTPUT, .seq = i};

        event.output.bytes = (struct bytes){&byte, 1};
        store_append(&store, &event);
    }
    cr_assert(eq(sz, store.count, 100));
    for (unsigned i = 0; i < 100; i++) {
        const struct event *event = store_event(&store, i);

        cr_assert(eq(u64, event->seq, i));
        cr_assert(eq(u8, event->output.bytes.data[0], (uint8_t)i));
    }
    store_release(&store);
    cr_assert(eq(sz, store.count, 0));
}

Test(record, protections_as_text)
{
    static const char *const texts[] = {"---", "r--", "-w-", "rw-",
                                        "--x", "r-x", "-wx", "rwx"};

    for (unsigned prot = 0; prot < COUNT(texts); prot++) {
        char text[4];

        prot_text(prot, text);
        cr_assert(eq(str, text, (char *)texts[prot]));
    }
}

/* Writing */

static void expect_line(const struct event *event, const char *line)
{
    struct buf out = {0};

    json_write(event, &out);
    cr_expect(eq(str, (char *)buf_text(&out), (char *)line));
    buf_release(&out);
}

Test(record, line_of_start)
{
    const char *argv[] = {"babyjit", "-4"};
    struct event event = {.kind = EVENT_START, .tid = 4242};

    event.start.format = 1;
    event.start.arch = "x86_64";
    event.start.argv = (struct texts){argv, 2};
    event.start.exe = "/memfd:babyjit (deleted)";
    event.start.pid = 4242;
    event.start.page_size = 4096;
    event.start.entry = 0x555555555100;
    expect_line(&event,
                "{\"seq\":0,\"event\":\"start\",\"format\":1,\"tid\":4242,"
                "\"arch\":\"x86_64\",\"argv\":[\"babyjit\",\"-4\"],"
                "\"exe\":\"/memfd:babyjit (deleted)\",\"pid\":4242,"
                "\"page_size\":4096,\"entry\":\"0x555555555100\"}\n");
}

Test(record, line_of_write)
{
    struct event event = {.kind = EVENT_WRITE,
                          .seq = 2,
                          .tid = 7,
                          .source = {"babyjit.c", 41, "*p++ = 0x48;", NULL, 0}};

    event.write.addr = 0x7f0000001003;
    event.write.offset = 3;
    event.write.old = (struct bytes){(const uint8_t *)"\0", 1};
    event.write.new = (struct bytes){(const uint8_t *)"\xfc", 1};
    event.write.pc = 0x5555555551aa;
    event.write.text = "mov byte ptr [rax], cl";
    expect_line(&event,
                "{\"seq\":2,\"event\":\"write\",\"tid\":7,"
                "\"addr\":\"0x7f0000001003\",\"offset\":3,"
                "\"old\":\"00\",\"new\":\"fc\",\"pc\":\"0x5555555551aa\","
                "\"text\":\"mov byte ptr [rax], cl\",\"source\":{"
                "\"file\":\"babyjit.c\",\"line\":41,"
                "\"text\":\"*p++ = 0x48;\"}}\n");
}

Test(record, line_of_a_source_excerpt)
{
    struct event event = {.kind = EVENT_UNMAP, .seq = 1};

    event.source = (struct srcline){"a.c", 9, "x++;", "{\n\tx++;\n", 8};
    expect_line(&event,
                "{\"seq\":1,\"event\":\"unmap\",\"tid\":0,\"addr\":\"0x0\","
                "\"length\":0,\"source\":{\"file\":\"a.c\",\"line\":9,"
                "\"text\":\"x++;\",\"excerpt\":{\"line\":8,"
                "\"text\":\"{\\n\\tx++;\\n\"}}}\n");
}

Test(record, line_of_protect)
{
    struct event event = {.kind = EVENT_PROTECT, .seq = 13, .tid = 7};

    event.protect.addr = 0x7f0000001000;
    event.protect.length = 4096;
    event.protect.old_prot = PROT_READ | PROT_WRITE;
    event.protect.prot = PROT_READ | PROT_EXEC;
    event.protect.code = (struct bytes){(const uint8_t *)"\x48\x01\xf8\xc3", 4};
    event.protect.code_offset = 7;
    event.protect.maps = "7f0000001000-7f0000002000 r-xp 00000000 00:00 0";
    expect_line(&event,
                "{\"seq\":13,\"event\":\"protect\",\"tid\":7,"
                "\"addr\":\"0x7f0000001000\",\"length\":4096,"
                "\"old_prot\":\"rw-\",\"prot\":\"r-x\",\"code\":\"4801f8c3\","
                "\"code_offset\":7,\"maps\":\"7f0000001000-7f0000002000 r-xp "
                "00000000 00:00 0\"}\n");
    event.protect.code = (struct bytes){0};
    event.protect.maps = NULL;
    expect_line(&event, "{\"seq\":13,\"event\":\"protect\",\"tid\":7,"
                        "\"addr\":\"0x7f0000001000\",\"length\":4096,"
                        "\"old_prot\":\"rw-\",\"prot\":\"r-x\"}\n");
}

Test(record, line_of_step)
{
    struct reg_change change = {REG_RESULT, 0, 0xfffffffffffffffc};
    struct mem_access read = {.addr = 0x10, .old_bytes = {sample_bytes, 2}};
    struct mem_access write = {.addr = 0x20,
                               .old_bytes = {sample_bytes, 1},
                               .new_bytes = {sample_bytes + 1, 1}};
    struct event event = {.kind = EVENT_STEP, .seq = 15, .tid = 7};

    event.step.addr = 0x7f0000001000;
    event.step.bytes =
        (struct bytes){(const uint8_t *)"\x48\xc7\xc0\xfc\xff\xff\xff", 7};
    event.step.text = "mov rax, -4";
    event.step.regs = (struct reg_changes){&change, 1};
    event.step.next = 0x7f0000001007;
    expect_line(&event,
                "{\"seq\":15,\"event\":\"step\",\"tid\":7,"
                "\"addr\":\"0x7f0000001000\",\"offset\":0,"
                "\"bytes\":\"48c7c0fcffffff\",\"text\":\"mov rax, -4\","
                "\"regs\":{\"rax\":[\"0x0\",\"0xfffffffffffffffc\"]},"
                "\"reads\":[],\"writes\":[],\"next\":\"0x7f0000001007\"}\n");
    event.step.regs.count = 0;
    event.step.reads = (struct mem_accesses){&read, 1};
    event.step.writes = (struct mem_accesses){&write, 1};
    expect_line(&event, "{\"seq\":15,\"event\":\"step\",\"tid\":7,"
                        "\"addr\":\"0x7f0000001000\",\"offset\":0,"
                        "\"bytes\":\"48c7c0fcffffff\",\"text\":\"mov rax, -4\","
                        "\"regs\":{},"
                        "\"reads\":[{\"addr\":\"0x10\",\"bytes\":\"0048\"}],"
                        "\"writes\":[{\"addr\":\"0x20\",\"old\":\"00\","
                        "\"new\":\"48\"}],\"next\":\"0x7f0000001007\"}\n");
}

#define REPLACED "\xef\xbf\xbd" /* U+FFFD */

Test(record, bytes_that_are_not_utf8_are_replaced)
{
    static const char *const texts[][2] = {
        {"a\xff\"b", "a" REPLACED "\\\"b"},
        {"cut \xc3", "cut " REPLACED},
        {"cut \xf0\x9f\x98", "cut " REPLACED REPLACED REPLACED},
        {"over\xc0\xaf", "over" REPLACED REPLACED},
        {"pair\xed\xa0\x80", "pair" REPLACED REPLACED REPLACED},
        {"high\xf4\x90\x80\x80", "high" REPLACED REPLACED REPLACED REPLACED},
        {"\xc3\xbc\x80\xf0\x9f\x98\x80",
         "\xc3\xbc" REPLACED "\xf0\x9f\x98\x80"},
        {"\xef\xbf\xbf\xf4\x8f\xbf\xbf", "\xef\xbf\xbf\xf4\x8f\xbf\xbf"},
    };

    for (size_t i = 0; i < COUNT(texts); i++) {
        struct event event = {.kind = EVENT_LIMIT, .limit.text = texts[i][0]};
        struct buf line = {0};

        buf_printf(
            &line,
            "{\"seq\":0,\"event\":\"limit\",\"tid\":0,\"text\":\"%s\"}\n",
            texts[i][1]);
        expect_line(&event, buf_text(&line));
        buf_release(&line);
    }
}

static void expect_full_disk(struct sink *(*sink_new)(FILE *))
{
    FILE *full = fopen("/dev/full", "w");
    struct sink *sink = sink_new(full);
    struct event event = full_event(EVENT_ENTER);
    struct err err = {0};

    cr_expect(eq(int, sink_emit(sink, &event, &err), -1));
    cr_expect(eq(int, err.kind, ERR_OUTPUT));
    cr_expect(
        eq(str, err.text, "cannot write the trace: No space left on device"));
    sink_free(sink);
    fclose(full);
}

Test(record, a_full_disk_is_an_error)
{
    expect_full_disk(json_sink_new);
    expect_full_disk(raw_sink_new);
}

/* Reading what was written */

static void write_events(FILE *out, const struct event *events, size_t count)
{
    struct sink *sink = json_sink_new(out);
    struct err err;

    for (size_t i = 0; i < count; i++)
        cr_assert(eq(int, sink_emit(sink, &events[i], &err), 0));
    sink_free(sink);
}

static void expect_round_trip(const struct event *events, size_t count)
{
    FILE *file = tmpfile();
    struct source *source = json_source_new(file, "trace.jsonl");
    struct err err = {0};
    struct event event;

    write_events(file, events, count);
    rewind(file);
    for (size_t i = 0; i < count; i++) {
        const char *name = event_name(events[i].kind);

        cr_assert(eq(int, source_next(source, &event, &err), 1), "%s: %s", name,
                  err.text);
        cr_expect(eq(int, event_equal(&event, &events[i]), 1), "%s", name);
    }
    cr_assert(eq(int, source_next(source, &event, &err), 0), "%s", err.text);
    source_free(source);
    fclose(file);
}

/* Each kind once, full or bare, in an order that makes a valid trace. */
static void sample_trace(struct event (*sample)(enum event_kind),
                         struct event *events)
{
    for (unsigned kind = 0; kind < EVENT_KINDS; kind++) {
        events[kind] = sample((enum event_kind)kind);
        events[kind].seq = kind;
    }
    BUG_UNLESS(EVENT_START == 0 && EVENT_EXIT == EVENT_KINDS - 2);
}

/* Verdicts come behind the exit event, and a reader skips them. */
#define KINDS_READ (EVENT_EXIT + 1)

Test(record, full_events_survive_the_file)
{
    struct event events[EVENT_KINDS];

    sample_trace(full_event, events);
    expect_round_trip(events, KINDS_READ);
}

Test(record, bare_events_survive_the_file)
{
    struct event events[EVENT_KINDS];

    sample_trace(bare_event, events);
    expect_round_trip(events, KINDS_READ);
}

Test(record, empty_bytes_survive_the_file)
{
    struct event events[3] = {bare_event(EVENT_START), bare_event(EVENT_ENTER),
                              bare_event(EVENT_EXIT)};

    events[1].seq = 1;
    events[1].enter.code = none_of_them;
    events[1].enter.code_offset = 5;
    events[2].seq = 2;
    expect_round_trip(events, 3);
}

Test(record, a_long_line_survives_the_file)
{
    enum { LENGTH = 3000000 };
    struct event events[2] = {bare_event(EVENT_START), bare_event(EVENT_EXIT)};
    char *text = malloc(LENGTH + 1);

    memset(text, 'x', LENGTH);
    text[LENGTH] = 0;
    events[0].start.exe = text;
    events[1].seq = 1;
    expect_round_trip(events, 2);
    free(text);
}

/* Reading what was not written by us */

#define START_(seq, format)                                                 \
    "{\"seq\":" seq ",\"event\":\"start\"," format "\"tid\":7,\"argv\":[]," \
    "\"pid\":7,\"page_size\":4096,\"entry\":\"0x1\"}\n"
#define START START_("0", "\"format\":1,")
#define EXIT_(seq) \
    "{\"seq\":" seq ",\"event\":\"exit\",\"tid\":7,\"status\":0}\n"
#define SECOND(kind, rest) \
    START "{\"seq\":1,\"event\":\"" kind "\",\"tid\":7" rest "}\n"
#define UNMAP(rest) SECOND("unmap", ",\"addr\":\"0x1000\"" rest)
#define WRITE(rest) SECOND("write", ",\"addr\":\"0x1\",\"offset\":0" rest)
#define MAP(prot) \
    SECOND("map", ",\"addr\":\"0x1\",\"length\":1,\"prot\":\"" prot "\"")
#define STEP(regs, reads, writes)                                              \
    SECOND("step",                                                             \
           ",\"addr\":\"0x1\",\"offset\":0,\"regs\":" regs ",\"reads\":" reads \
           ",\"writes\":" writes ",\"next\":\"0x2\"")

#define EXCERPT(value)                                                      \
    SECOND("exit", ",\"status\":0,\"source\":{\"file\":\"a.c\",\"line\":1," \
                   "\"excerpt\":" value "}")

#define IS_ADDR  "a text of \"0x\" and 1 to 16 lower-case hex digits"
#define IS_BYTES "a text of lower-case hex digits, two for each byte"
#define IS_SIZE  "a whole number from 0 to 9007199254740991"
#define IS_INT32 "a whole number from -2147483648 to 2147483647"
#define IS_LINE  "a whole number from 1 to 1000000000"
#define IS_LINES "a text of lines, each with its newline"
#define NO_TRACE                                                           \
    "t:1: this is no trace of jittrace, or its beginning is missing; the " \
    "first line must be its \"start\" event"
#define NO_JSON                                                             \
    "; a trace is one JSON object a line, the first of them its \"start\" " \
    "event"

static const struct {
    const char *file;
    const char *message;
} damaged[] = {
    /* no trace at all */
    {"", "t:1: the file is empty; a trace begins with a \"start\" event"},
    {"\x7f"
     "ELF\n",
     "t:1: the line is not valid JSON at column 1" NO_JSON},
    {"hello", "t:1: the line is not valid JSON at column 5" NO_JSON},
    {"{\"name\":\"jittrace\"}\n", NO_TRACE},
    {"[1,2]\n", NO_TRACE},
    {"17\n", NO_TRACE},
    {"{\"seq\":0,\"event\":\"verdict\",\"tid\":0}\n", NO_TRACE},
    {EXIT_("0"), NO_TRACE},

    /* a trace of another time */
    {START_("0", "\"format\":2,"),
     "t:1: the trace has format 2, but this jittrace reads formats up to 1; "
     "use a newer jittrace"},
    {START_("0", "\"format\":0,"),
     "t:1: the field \"format\" is 0, but it must be a whole number from 1 on"},
    {START_("0", "\"format\":\"1\","),
     "t:1: the field \"format\" is \"1\", but it must be a whole number from 1 "
     "on"},
    {START_("0", ""),
     "t:1: the field \"format\" is missing; it must be a whole number from 1 "
     "on"},

    /* cut short */
    {START, "t:1: the trace is cut short after this line; it must end with an "
            "\"exit\" event"},
    {"{\"seq\":0,\"event\":\"sta",
     "t:1: the trace is cut short in the middle of this line; it must end with "
     "an \"exit\" event"},
    {START "{\"seq\":1,\"event\":\"unm",
     "t:2: the trace is cut short in the middle of this line; it must end with "
     "an \"exit\" event"},
    {START "{\"seq\":1,\"event\":tr",
     "t:2: the trace is cut short in the middle of this line; it must end with "
     "an \"exit\" event"},

    /* damaged lines */
    {START "{\"seq\":1,}\n",
     "t:2: the line is not valid JSON at column 10" NO_JSON},
    {START "\n", "t:2: the line is not valid JSON at column 1" NO_JSON},
    {START "{} {}\n", "t:2: the line is not valid JSON at column 4" NO_JSON},
    {START "{\"seq\":1,\"seq\":1}\n",
     "t:2: a key stands twice in one object, the second time before column 14; "
     "each may stand there once"},
    {START "{\"seq\":1,\"x\":\"\xff\"}\n",
     "t:2: the line is not valid UTF-8 after column 14; a trace is one JSON "
     "object a line, in UTF-8"},
    {START "[]\n", "t:2: the line is JSON, but it must be one JSON object"},
    {START "{\"seq\":99999999999999999999}\n",
     "t:2: the number before column 28 is too large; numbers in a trace have "
     "at "
     "most 53 bits"},
    {START "{\"seq\":1e999}\n", "t:2: the number before column 13 is too "
                                "large; numbers in a trace have at "
                                "most 53 bits"},
    {START "{\"seq\":1,\r\n",
     "t:2: the line is not valid JSON at column 10" NO_JSON},
    {START "\xef\xbb\xbf" EXIT_("1"),
     "t:2: the line is not valid JSON at column 1" NO_JSON},
    {START "{\"seq\":1}{\"seq\":2}\n",
     "t:2: the line is not valid JSON at column 10" NO_JSON},

    /* out of order */
    {START_("1", "\"format\":1,"),
     "t:1: the field \"seq\" is 1, but it must be 0, as events are numbered "
     "without a gap"},
    {START EXIT_("2"),
     "t:2: the field \"seq\" is 2, but it must be 1, as events are numbered "
     "without a gap"},
    {START EXIT_("\"1\""),
     "t:2: the field \"seq\" is \"1\", but it must be 1, as events are "
     "numbered without a gap"},
    {START "{\"event\":\"exit\",\"tid\":7,\"status\":0}\n",
     "t:2: the field \"seq\" is missing; it must be 1, as events are numbered "
     "without a gap"},
    {START START_("1", "\"format\":1,"),
     "t:2: the \"start\" event comes a second time; a file holds one trace"},
    {START EXIT_("1") EXIT_("2"),
     "t:3: the event \"exit\" comes after the \"exit\" event, which must be "
     "the last"},

    /* wrong fields */
    {START "{\"seq\":1}\n", "t:2: the field \"event\" is missing; it must be a "
                            "text such as \"write\" or \"step\""},
    {START "{\"seq\":1,\"event\":3}\n",
     "t:2: the field \"event\" is 3, but it must be a text such as \"write\" "
     "or \"step\""},
    {START "{\"seq\":1,\"event\":\"exit\",\"status\":0}\n",
     "t:2: the field \"tid\" is missing; it must be " IS_INT32},
    {START "{\"seq\":1,\"event\":\"exit\",\"tid\":2147483648}\n",
     "t:2: the field \"tid\" is 2147483648, but it must be " IS_INT32},
    {UNMAP(""), "t:2: the field \"length\" is missing; it must be " IS_SIZE},
    {UNMAP(",\"length\":-1"),
     "t:2: the field \"length\" is -1, but it must be " IS_SIZE},
    {UNMAP(",\"length\":9007199254740992"),
     "t:2: the field \"length\" is 9007199254740992, but it must be " IS_SIZE},
    {UNMAP(",\"length\":1.0"),
     "t:2: the field \"length\" is 1.0, but it must be " IS_SIZE},
    {UNMAP(",\"length\":null"),
     "t:2: the field \"length\" is null, but it must be " IS_SIZE},
    {UNMAP(",\"length\":1,\"call\":[\"\\u001b\",1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,"
           "6]"),
     "t:2: the field \"call\" is "
     "[\"\\u001B\",1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,..., "
     "but it must be a text"},
    {UNMAP(",\"length\":1,\"call\":\"a\\u0000b\""),
     "t:2: the field \"call\" is \"a\\u0000b\", but it must be a text"},
    {SECOND("leave", ",\"to\":4096"),
     "t:2: the field \"to\" is 4096, but it must be " IS_ADDR},
    {SECOND("leave", ",\"to\":\"0x\""),
     "t:2: the field \"to\" is \"0x\", but it must be " IS_ADDR},
    {SECOND("leave", ",\"to\":\"1000\""),
     "t:2: the field \"to\" is \"1000\", but it must be " IS_ADDR},
    {SECOND("leave", ",\"to\":\"0x1F\""),
     "t:2: the field \"to\" is \"0x1F\", but it must be " IS_ADDR},
    {SECOND("leave", ",\"to\":\"0x11112222333344445\""),
     "t:2: the field \"to\" is \"0x11112222333344445\", but it must "
     "be " IS_ADDR},
    {SECOND("leave", ",\"to\":\"0x1\",\"value\":\"-1\""),
     "t:2: the field \"value\" is \"-1\", but it must be " IS_ADDR},
    {SECOND("signal", ",\"number\":11.5,\"code\":1"),
     "t:2: the field \"number\" is 11.5, but it must be a whole number from "
     "-9007199254740991 to 9007199254740991"},
    {SECOND("output", ",\"fd\":1,\"bytes\":\"2d3\""),
     "t:2: the field \"bytes\" is \"2d3\", but it must be " IS_BYTES},
    {SECOND("output", ",\"fd\":1,\"bytes\":\"2D\""),
     "t:2: the field \"bytes\" is \"2D\", but it must be " IS_BYTES},
    {SECOND("output", ",\"fd\":1,\"bytes\":\"0g\""),
     "t:2: the field \"bytes\" is \"0g\", but it must be " IS_BYTES},
    {SECOND("output", ",\"fd\":1,\"bytes\":[45]"),
     "t:2: the field \"bytes\" is [45], but it must be " IS_BYTES},
    {MAP("rwxp"), "t:2: the field \"prot\" is \"rwxp\", but it must be a text "
                  "such as \"rw-\" or \"r-x\""},
    {MAP("wr-"), "t:2: the field \"prot\" is \"wr-\", but it must be a text "
                 "such as \"rw-\" or \"r-x\""},
    {SECOND("exit", ""),
     "t:2: the \"exit\" event has none of the fields \"status\" and "
     "\"signal\", but it must have one of them"},
    {SECOND("exit", ",\"status\":0,\"signal\":9"),
     "t:2: the \"exit\" event has both the fields \"status\" and \"signal\", "
     "but it must have one of them"},
    {SECOND("exit", ",\"status\":-1"),
     "t:2: the field \"status\" is -1, but it must be " IS_SIZE},
    {WRITE(",\"old\":\"00\",\"new\":\"4801\",\"pc\":\"0x1\""),
     "t:2: a write has 1 old and 2 new bytes, but it must have as many old as "
     "new ones"},
    {SECOND("protect", ",\"addr\":\"0x1\",\"length\":1,\"old_prot\":\"rw-\","
                       "\"prot\":\"r-x\",\"code\":\"c3\""),
     "t:2: the field \"code_offset\" is missing; it must be " IS_SIZE},

    /* fields with parts */
    {"{\"seq\":0,\"event\":\"start\",\"format\":1,\"tid\":7,\"argv\":[\"a\","
     "1]}\n",
     "t:1: the field \"argv[1]\" is 1, but it must be a text"},
    {"{\"seq\":0,\"event\":\"start\",\"format\":1,\"tid\":7,\"argv\":\"a\"}\n",
     "t:1: the field \"argv\" is \"a\", but it must be a list of texts"},
    {STEP("[]", "[]", "[]"), "t:2: the field \"regs\" is [], but it must be an "
                             "object {\"rax\":[\"0xOLD\",\"0xNEW\"],...}"},
    {STEP("{\"x0\":[\"0x0\",\"0x1\"]}", "[]", "[]"),
     "t:2: the field \"regs\" names \"x0\", which is no register; registers "
     "are named as \"rax\", \"r8\" or \"rflags\""},
    {STEP("{\"rax\":[\"0x0\"]}", "[]", "[]"),
     "t:2: the field \"regs.rax\" is [\"0x0\"], but it must be a list "
     "[\"0xOLD\",\"0xNEW\"]"},
    {STEP("{\"rax\":[\"0x0\",\"0x1\",\"0x2\"]}", "[]", "[]"),
     "t:2: the field \"regs.rax\" is [\"0x0\",\"0x1\",\"0x2\"], but it must be "
     "a list [\"0xOLD\",\"0xNEW\"]"},
    {STEP("{\"rax\":[\"0x0\",1]}", "[]", "[]"),
     "t:2: the field \"regs.rax\" is [\"0x0\",1], but it must be a list "
     "[\"0xOLD\",\"0xNEW\"]"},
    {STEP("{}", "{}", "[]"),
     "t:2: the field \"reads\" is {}, but it must be a list of objects "
     "{\"addr\":\"0x...\",\"bytes\":...}"},
    {STEP("{}", "[7]", "[]"),
     "t:2: the field \"reads[0]\" is 7, but it must be an object"},
    {STEP("{}", "[{\"addr\":\"0x1\"},{}]", "[]"),
     "t:2: the field \"reads[1].addr\" is missing; it must be " IS_ADDR},
    {STEP("{}", "[{\"addr\":\"0x1\",\"bytes\":\"0\"}]", "[]"),
     "t:2: the field \"reads[0].bytes\" is \"0\", but it must be " IS_BYTES},
    {STEP("{}", "[]", "[{\"addr\":\"0x1\",\"old\":\"\",\"new\":\"00\"}]"),
     "t:2: a write has 0 old and 1 new bytes, but it must have as many old as "
     "new ones"},
    {STEP("{}", "[]", "[{\"addr\":\"0x1\",\"old\":\"zz\",\"new\":\"00\"}]"),
     "t:2: the field \"writes[0].old\" is \"zz\", but it must be " IS_BYTES},
    {STEP("{}", "[]", "[{\"addr\":\"0x1\",\"new\":0}]"),
     "t:2: the field \"writes[0].new\" is 0, but it must be " IS_BYTES},
    {SECOND("enter", ",\"addr\":\"0x1\",\"offset\":0,\"regs\":{}"),
     "t:2: the field \"regs.rax\" is missing; it must be " IS_ADDR},
    {SECOND("enter",
            ",\"addr\":\"0x1\",\"offset\":0,\"regs\":{\"x0\":\"0x0\"}"),
     "t:2: the field \"regs\" names \"x0\", which is no register; registers "
     "are named as \"rax\", \"r8\" or \"rflags\""},
    {SECOND("exit", ",\"status\":0,\"source\":\"a.c:1\""),
     "t:2: the field \"source\" is \"a.c:1\", but it must be an object"},
    {SECOND("exit", ",\"status\":0,\"source\":{\"line\":1}"),
     "t:2: the field \"source.file\" is missing; it must be a text"},
    {SECOND("exit", ",\"status\":0,\"source\":{\"file\":\"a.c\"}"),
     "t:2: the field \"source.line\" is missing; it must be " IS_LINE},
    {SECOND("exit", ",\"status\":0,\"source\":{\"file\":\"a.c\",\"line\":0}"),
     "t:2: the field \"source.line\" is 0, but it must be " IS_LINE},
    {SECOND("exit", ",\"status\":0,\"source\":{\"file\":\"a.c\","
                    "\"line\":1000000001}"),
     "t:2: the field \"source.line\" is 1000000001, but it must be " IS_LINE},
    {SECOND("exit", ",\"status\":0,\"source\":{\"file\":\"a.c\",\"line\":1,"
                    "\"text\":1}"),
     "t:2: the field \"source.text\" is 1, but it must be a text"},
    {EXCERPT("\"int x;\\n\""),
     "t:2: the field \"source.excerpt\" is \"int x;\\n\", but it must be an "
     "object"},
    {EXCERPT("null"),
     "t:2: the field \"source.excerpt\" is null, but it must be an object"},
    {EXCERPT("{\"text\":\"\\n\"}"),
     "t:2: the field \"source.excerpt.line\" is missing; it must be " IS_LINE},
    {EXCERPT("{\"line\":0,\"text\":\"\\n\"}"),
     "t:2: the field \"source.excerpt.line\" is 0, but it must be " IS_LINE},
    {EXCERPT("{\"line\":\"1\",\"text\":\"\\n\"}"),
     "t:2: the field \"source.excerpt.line\" is \"1\", but it must "
     "be " IS_LINE},
    {EXCERPT("{\"line\":1}"),
     "t:2: the field \"source.excerpt.text\" is missing; it must be " IS_LINES},
    {EXCERPT("{\"line\":1,\"text\":[\"\\n\"]}"),
     "t:2: the field \"source.excerpt.text\" is [\"\\n\"], but it must "
     "be " IS_LINES},
    {EXCERPT("{\"line\":1,\"text\":\"\"}"),
     "t:2: the field \"source.excerpt.text\" is \"\", but it must "
     "be " IS_LINES},
    {EXCERPT("{\"line\":1,\"text\":\"\\nint x;\"}"),
     "t:2: the field \"source.excerpt.text\" is \"\\nint x;\", but it must "
     "be " IS_LINES},

    /* after the end */
    {START EXIT_("1") "{\"verdict\":\n",
     "t:3: the line is not valid JSON at column 11" NO_JSON},
    {START EXIT_("1") "7\n",
     "t:3: the line is JSON, but it must be one JSON object"},
};

/* Reads all events of a file. Returns how many, or -1 with err filled. */
static int read_stream(FILE *file, struct store *store, struct err *err)
{
    struct source *source = json_source_new(file, "t");
    struct event event;
    int more;

    while ((more = source_next(source, &event, err)) > 0)
        store_append(store, &event);
    source_free(source);
    fclose(file);
    return more < 0 ? -1 : (int)store->count;
}

/* The same for a file with these bytes. */
static int read_bytes(const char *data, size_t len, struct store *store,
                      struct err *err)
{
    FILE *file = tmpfile();

    fwrite(data, 1, len, file);
    rewind(file);
    return read_stream(file, store, err);
}

static int read_all(const char *text, struct store *store, struct err *err)
{
    return read_bytes(text, strlen(text), store, err);
}

/* What a file with these bytes is told to be; "" if it is a trace. */
static void expect_verdict(const char *data, size_t len, const char *message)
{
    struct store store;
    struct err err = {0};

    store = (struct store){0};
    read_bytes(data, len, &store, &err);
    cr_expect(eq(str, err.text, (char *)message));
    cr_expect(eq(int, err.kind, *message ? ERR_DATA : ERR_NONE));
    store_release(&store);
}

Test(record, damage_is_named)
{
    for (size_t i = 0; i < COUNT(damaged); i++) {
        struct store store;
        struct err err = {0};

        store = (struct store){0};
        cr_expect(eq(int, read_all(damaged[i].file, &store, &err), -1), "%s",
                  damaged[i].file);
        cr_expect(eq(str, err.text, (char *)damaged[i].message), "%s",
                  damaged[i].file);
        cr_expect(eq(int, err.kind, ERR_DATA));
        store_release(&store);
    }
}

#define NO_TEXT                                                            \
    "the line is no text: there is a NUL byte in it; a trace is one JSON " \
    "object a line"
#define WITH_NUL(text) (text), sizeof(text) - 1

Test(record, a_file_of_any_bytes_is_told_to_be_damaged)
{
    expect_verdict(WITH_NUL("\0"), "t:1: " NO_TEXT);
    expect_verdict(WITH_NUL("\0\0\0\n\0"), "t:1: " NO_TEXT);
    expect_verdict(WITH_NUL(START "\0" EXIT_("1")), "t:2: " NO_TEXT);
    expect_verdict(WITH_NUL(START "{\"seq\":1,\0\"event\":\"exit\"}\n"),
                   "t:2: " NO_TEXT);
    expect_verdict(WITH_NUL(START "{\"seq\":1,\"a\0"),
                   "t:2: the trace is cut short in the middle of this line; it "
                   "must end with an \"exit\" event");
    expect_verdict(WITH_NUL(START "{\"seq\":1,\"a\0\":2}\n"),
                   "t:2: the line is not valid JSON at column 11" NO_JSON);
    expect_verdict(WITH_NUL("\xff\xfe{\0\"\0s\0"), /* UTF-16 */
                   "t:1: the line is not valid UTF-8 after column 1; a trace "
                   "is one JSON object a line, in UTF-8");
    expect_verdict(WITH_NUL(START EXIT_("1")), "");
    expect_verdict(WITH_NUL(START EXIT_("1") "\n \r\n\n"), "");
    expect_verdict(WITH_NUL(START "\n" EXIT_("1")),
                   "t:2: the line is not valid JSON at column 1" NO_JSON);
    expect_verdict(WITH_NUL(START_("0", "\"format\":1,\"arch\":\"z80\",")),
                   "t:1: the trace is of another CPU than x86_64, which alone "
                   "this jittrace can show");
}

/* This test, for one. */
Test(record, a_program_is_no_trace)
{
    struct store store;
    struct err err = {0};

    store = (struct store){0};
    cr_assert(
        eq(int, read_stream(fopen("/proc/self/exe", "r"), &store, &err), -1));
    cr_assert(eq(str, err.text,
                 "t:1: the line is not valid JSON at column 1" NO_JSON));
    store_release(&store);
}

/* As long as a line may be and as deep: neither is any trace. */
Test(record, huge_lines_are_told_in_few_words)
{
    static const struct {
        char byte;
        const char *message;
    } cases[] = {
        {'x', "t:2: the line is not valid JSON at column 5000000" NO_JSON},
        {'[', "t:2: the line is not valid JSON at column 2049" NO_JSON},
        {'9', "t:2: the number before column 5000001 is too large; numbers in "
              "a trace have at most 53 bits"},
        {' ', "t:2: the line is not valid JSON at column 5000000" NO_JSON},
    };
    enum { LENGTH = 5000000 };
    size_t before = strlen(START);
    char *data = malloc(before + LENGTH + 1);

    for (size_t i = 0; i < COUNT(cases); i++) {
        memcpy(data, START, before);
        memset(data + before, cases[i].byte, LENGTH);
        data[before + LENGTH] = '\n';
        expect_verdict(data, before + LENGTH + 1, cases[i].message);
    }
    free(data);
}

static void write_sample(char **data, size_t *len)
{
    struct event events[EVENT_KINDS];
    FILE *out = open_memstream(data, len);

    sample_trace(full_event, events);
    write_events(out, events, KINDS_READ);
    fclose(out);
}

/* Number of the line that the byte is in. */
static unsigned line_of(const char *data, size_t at)
{
    unsigned line = 1;

    for (size_t i = 0; i < at; i++)
        line += data[i] == '\n';
    return line;
}

/* Whatever is there is shown; then comes where the rest is missing. */
Test(record, a_trace_can_be_cut_anywhere)
{
    char *data = NULL, expected[64];
    size_t len = 0;

    write_sample(&data, &len);
    for (size_t cut = 1; cut < len - 1; cut++) {
        bool between = data[cut - 1] == '\n' || data[cut] == '\n';
        unsigned line = line_of(data, cut - 1);
        struct store store;
        struct err err = {0};

        store = (struct store){0};
        cr_assert(eq(int, read_bytes(data, cut, &store, &err), -1), "%zu", cut);
        cr_assert(eq(u64, store.count, between ? line : line - 1), "%zu", cut);
        snprintf(expected, sizeof expected, "t:%u: the trace is cut short %s ",
                 line, between ? "after" : "in the middle of");
        if (line > 1)
            cr_assert(eq(int, strncmp(err.text, expected, strlen(expected)), 0),
                      "%zu: %s", cut, err.text);
        cr_assert(eq(int, err.kind, ERR_DATA));
        store_release(&store);
    }
    free(data);
}

/* No byte anywhere can do more than be told with its line. */
Test(record, any_byte_can_be_wrong)
{
    static const char wrong[] = {0, '\n', '"', '{', '9', '\x80', '\xff'};
    char *data = NULL, expected[16];
    size_t len = 0;

    write_sample(&data, &len);
    for (size_t at = 0; at < len; at++) {
        char right = data[at];
        struct store store;
        struct err err = {0};

        data[at] = wrong[at % sizeof wrong];
        store = (struct store){0};
        if (read_bytes(data, len, &store, &err) < 0) {
            unsigned line = line_of(data, at);
            char *end;
            unsigned long told = strtoul(err.text + 2, &end, 10);

            snprintf(expected, sizeof expected, "%.2s", err.text);
            cr_assert(eq(str, expected, "t:"));
            cr_assert(eq(int, err.kind, ERR_DATA));
            cr_assert(eq(int, *end, ':'), "%s", err.text);
            /* Unless it is a number or a name that later lines refute. */
            cr_assert(ge(ulong, told, line), "%zu: %s", at, err.text);
            cr_assert(le(ulong, told, line + 1), "%zu: %s", at, err.text);
        }
        store_release(&store);
        data[at] = right;
    }
    free(data);
}

Test(record, what_a_later_version_may_add_is_skipped)
{
    struct store store;
    struct err err = {0};
    int count;

    store = (struct store){0};
    count = read_all(
        "{\"seq\":0,\"event\":\"start\",\"format\":1,\"cpu\":{\"cores\":[2]},"
        "\"tid\":7,\"argv\":[],\"pid\":7,\"page_size\":4096,\"entry\":\"0x1\","
        "\"a\\u0001\":\"\\u0000\"}\n"
        "{\"seq\":1,\"event\":\"opinion\",\"of\":8}\n"
        "{\"seq\":2,\"event\":\"exit\",\"tid\":7,\"status\":3,\"usage\":1.5}\n"
        "{\"event\":\"verdict\",\"seq\":1}\n"
        "{\"verdict\":\"wx\"}",
        &store, &err);
    cr_assert(eq(int, count, 2), "%s", err.text);
    cr_assert(eq(int, store_event(&store, 1)->kind, EVENT_EXIT));
    cr_assert(eq(u64, store_event(&store, 1)->seq, 1));
    cr_assert(eq(u64, store_event(&store, 1)->exit.status.value, 3));
    store_release(&store);
}

Test(record, other_spellings_of_the_same_json_are_read)
{
    struct store store;
    struct err err = {0};
    int count;

    store = (struct store){0};
    count = read_all(
        " {\"entry\" : \"0x0001\", \"argv\" : [ \"\\u00fc\" ], \"tid\" : 7,"
        "\"pid\":7, \"page_size\":4096, \"event\":\"start\", \"seq\":0,"
        "\"format\":1 }\r\n"
        "{\"event\":\"exit\",\"seq\":1,\"tid\":-1,\"signal\":9}",
        &store, &err);
    cr_assert(eq(int, count, 2), "%s", err.text);
    cr_assert(eq(u64, store_event(&store, 0)->start.entry, 1));
    cr_assert(eq(str, (char *)store_event(&store, 0)->start.argv.list[0],
                 "\xc3\xbc"));
    cr_assert(eq(int, store_event(&store, 1)->tid, -1));
    store_release(&store);
}

Test(record, a_file_that_cannot_be_read_is_no_damaged_one)
{
    FILE *directory = fopen("/", "r");
    struct source *source = json_source_new(directory, "/");
    struct event event;
    struct err err = {0};

    cr_assert(eq(int, source_next(source, &event, &err), -1));
    cr_assert(eq(int, err.kind, ERR_NO_INPUT));
    cr_assert(eq(str, err.text, "cannot read /: Is a directory"));
    source_free(source);
    fclose(directory);
}

/* The documents say what the code does. */

/* A directory for the files of one test, and what the validator says. */
struct validation {
    char directory[32];
    struct buf output;
    int status;
};

static void open_validation(struct validation *run)
{
    *run = (struct validation){.directory = "/tmp/jittrace-test-XXXXXX"};
    cr_assert(ne(ptr, mkdtemp(run->directory), NULL));
}

static FILE *open_trace(const struct validation *run, unsigned number)
{
    char name[64];

    snprintf(name, sizeof name, "%s/%03u", run->directory, number);
    return fopen(name, "w");
}

/* Validates all files in the directory and removes them. */
static void validate(struct validation *run)
{
    struct buf command = {0};
    char line[512];
    FILE *output;

    buf_printf(&command,
               "/usr/bin/python3 tests/validate_trace.py "
               "docs/trace.schema.json %s/* </dev/null 2>&1",
               run->directory);
    output = popen(buf_text(&command), "r");
    while (fgets(line, sizeof line, output))
        buf_append_text(&run->output, line);
    run->status = pclose(output);
    buf_clear(&command);
    buf_printf(&command, "rm -r %s", run->directory);
    cr_assert(eq(int, system(buf_text(&command)), 0));
    buf_release(&command);
}

Test(record, the_schema_takes_what_is_written)
{
    struct event (*const samples[])(enum event_kind) = {full_event, bare_event};
    struct validation run;

    open_validation(&run);
    for (unsigned i = 0; i < COUNT(samples); i++) {
        struct event events[EVENT_KINDS];
        FILE *file = open_trace(&run, i);

        sample_trace(samples[i], events);
        write_events(file, events, EVENT_KINDS);
        fclose(file);
    }
    validate(&run);
    cr_expect(eq(str, (char *)buf_text(&run.output), ""));
    cr_expect(eq(int, run.status, 0));
    buf_release(&run.output);
}

/* A newer format is not damaged, and U+0000 is a matter of C only. */
static bool is_damaged_for_all(size_t i)
{
    return !strstr(damaged[i].message, "use a newer") &&
           !strstr(damaged[i].file, "\\u0000");
}

/* What the reader calls damaged, the validator does too. */
Test(record, the_schema_refuses_what_is_damaged)
{
    struct validation run;

    open_validation(&run);
    for (unsigned i = 0; i < COUNT(damaged); i++) {
        FILE *file = open_trace(&run, i);

        fputs(damaged[i].file, file);
        fclose(file);
    }
    validate(&run);
    cr_expect(ne(int, run.status, 0));
    for (unsigned i = 0; i < COUNT(damaged); i++) {
        char name[16];

        snprintf(name, sizeof name, "/%03u:", i);
        if (is_damaged_for_all(i))
            cr_expect(contains(buf_text(&run.output), name), "%s",
                      damaged[i].file);
    }
    buf_release(&run.output);
}

Test(record, the_schema_knows_every_field)
{
    json_error_t error;
    json_t *schema = json_load_file("docs/trace.schema.json", 0, &error);
    json_t *definitions = json_object_get(schema, "$defs");

    cr_assert(ne(ptr, definitions, NULL), "%s", error.text);
    for (unsigned kind = 0; kind < EVENT_KINDS; kind++) {
        const char *name = event_name((enum event_kind)kind);
        json_t *definition = json_object_get(definitions, name);
        json_t *properties = json_object_get(definition, "properties");
        size_t count;
        const struct event_field *fields =
            event_fields((enum event_kind)kind, &count);

        for (size_t i = 0; i < count; i++)
            cr_expect(
                ne(ptr, json_object_get(properties, fields[i].name), NULL),
                "%s.%s", name, fields[i].name);
    }
    json_decref(schema);
}

static void read_text_file(const char *name, struct buf *out)
{
    FILE *file = fopen(name, "r");
    char block[4096];
    size_t len;

    cr_assert(ne(ptr, file, NULL), "%s", name);
    while ((len = fread(block, 1, sizeof block, file)) > 0)
        buf_append(out, block, len);
    fclose(file);
}

/* The documentation's section on a kind is the table that begins with
 * "### `kind`" and has a row for each of its fields. */
Test(record, the_documentation_knows_every_field)
{
    struct buf page = {0};

    read_text_file("docs/trace-format.md", &page);
    for (unsigned kind = 0; kind < EVENT_KINDS; kind++) {
        const char *name = event_name((enum event_kind)kind);
        char heading[64];
        const char *found;
        char *section;
        size_t count;
        const struct event_field *fields =
            event_fields((enum event_kind)kind, &count);

        snprintf(heading, sizeof heading, "\n### `%s`\n", name);
        found = strstr(buf_text(&page), heading);
        cr_assert(true && found, "%s", name);
        section = strndup(found + 1, strcspn(found + 5, "#"));
        for (size_t i = 0; i < count; i++) {
            char row[64];

            snprintf(row, sizeof row, "\n| `%s` |", fields[i].name);
            cr_expect(contains(section, row), "%s.%s", name, fields[i].name);
        }
        free(section);
    }
    buf_release(&page);
}

Test(record, the_example_of_the_documentation_is_a_trace)
{
    static const char opening[] = "```json\n";
    struct buf page = {0};
    struct store store;
    struct err err = {0};
    const char *found;
    char *example;

    store = (struct store){0};
    read_text_file("docs/trace-format.md", &page);
    found = strstr(buf_text(&page), opening);
    cr_assert(true && found);
    found += strlen(opening);
    example = strndup(found, (size_t)(strstr(found, "```\n") - found));
    cr_assert(ge(int, read_all(example, &store, &err), 8), "%s", err.text);
    free(example);
    store_release(&store);
    buf_release(&page);
}

/* Raw bytes */

struct raw_case {
    const char *what;
    struct event event;
    const char *output;
};

#define CODE(text)                                \
    {                                             \
        (const uint8_t *)(text), sizeof(text) - 1 \
    }
#define TURNED(at, bits, bytes)             \
    {                                       \
        .kind = EVENT_PROTECT, .protect = { \
            .addr = (at),                   \
            .length = 4096,                 \
            .prot = (bits),                 \
            .code = bytes                   \
        }                                   \
    }
#define ENTERED(at, from, bytes)        \
    {                                   \
        .kind = EVENT_ENTER, .enter = { \
            .addr = (at),               \
            .offset = (from),           \
            .code = bytes               \
        }                               \
    }
#define UNMAPPED(at)                                                  \
    {                                                                 \
        .kind = EVENT_UNMAP, .unmap = {.addr = (at), .length = 4096 } \
    }
#define MAPPED(at)                                                \
    {                                                             \
        .kind = EVENT_MAP, .map = {.addr = (at), .length = 4096 } \
    }
#define NO_CODE \
    {           \
        NULL, 0 \
    }
#define RX (PROT_READ | PROT_EXEC)

static const struct raw_case raw_cases[] = {
    {"writable", TURNED(0x1000, PROT_READ, CODE("no")), ""},
    {"executable", TURNED(0x1000, RX, CODE("ab")), "ab"},
    {"entered", ENTERED(0x1000, 0, CODE("ab")), ""},
    {"entered further on", ENTERED(0x1001, 1, CODE("ab")), ""},
    {"nothing in it", ENTERED(0x3000, 0, NO_CODE), ""},
    {"another with the same", ENTERED(0x2004, 4, CODE("ab")), "ab"},
    {"longer", ENTERED(0x1000, 0, CODE("abc")), "abc"},
    {"changed", ENTERED(0x1000, 0, CODE("abd")), "abd"},
    {"changed back", TURNED(0x1000, RX, CODE("abc")), "abc"},
    {"the other goes", UNMAPPED(0x2000), ""},
    {"not this one", ENTERED(0x1000, 0, CODE("abc")), ""},
    {"the other again", ENTERED(0x2000, 0, CODE("ab")), "ab"},
    {"the page below goes", UNMAPPED(0), ""},
    {"not this one either", ENTERED(0x1000, 0, CODE("abc")), ""},
    {"mapped over", MAPPED(0x1000), ""},
    {"made again", TURNED(0x1000, RX, CODE("abc")), "abc"},
};

Test(record, raw_code_comes_once)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    struct sink *sink = raw_sink_new(out);
    struct err err;

    for (size_t i = 0; i < COUNT(raw_cases); i++) {
        const struct raw_case *one = &raw_cases[i];
        size_t before = len;

        cr_assert(eq(int, sink_emit(sink, &one->event, &err), 0));
        fflush(out);
        cr_expect(eq(str, text + before, (char *)one->output), "%s", one->what);
    }
    sink_free(sink);
    fclose(out);
    free(text);
}

Test(record, raw_code_at_another_offset_is_new)
{
    struct event event = ENTERED(0x1000, 0, CODE("ab"));
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    struct sink *sink = raw_sink_new(out);
    struct err err;

    sink_emit(sink, &event, &err);
    event.enter.code_offset = 16;
    sink_emit(sink, &event, &err);
    fflush(out);
    cr_assert(eq(str, text, "abab"));
    sink_free(sink);
    fclose(out);
    free(text);
}
