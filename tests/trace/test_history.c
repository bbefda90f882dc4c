/* SPDX-License-Identifier: MIT */
/*
 * A trace in memory: that packed events come back as they were, whatever their
 * values, how little they take, and that moving through a history shows the
 * same as folding all events from the start.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"
#include "support/equal.h"
#include "support/support.h"
#include "trace/history.h"
#include "trace/store.h"
#include "trace/pack.h"

TestSuite(history, .timeout = 60);

#define PAGE 4096u
#define BASE 0x7f1234560000u
#define RW   (PROT_READ | PROT_WRITE)
#define RX   (PROT_READ | PROT_EXEC)

/* --- random values ------------------------------------------------------- */

/* A generator of our own (xorshift64*): the same values everywhere. */
struct dice {
    uint64_t state;
};

static uint64_t roll(struct dice *dice)
{
    dice->state ^= dice->state >> 12;
    dice->state ^= dice->state << 25;
    dice->state ^= dice->state >> 27;
    return dice->state * 0x2545f4914f6cdd1d;
}

static uint64_t below(struct dice *dice, uint64_t limit)
{
    return roll(dice) % limit;
}

/* Of any size, and often at the border of one. */
static uint64_t any_value(struct dice *dice)
{
    unsigned bits = (unsigned)below(dice, 64);

    switch (below(dice, 4)) {
    case 0:
        return 1ull << bits;
    case 1:
        return (1ull << bits) - 1;
    case 2:
        return -(1ull << bits);
    default:
        return roll(dice) >> bits;
    }
}

/* --- random events ------------------------------------------------------- */

#define MOST 5u /* elements of a list */

/* What a random event borrows. */
struct borrowed {
    char text[64][24];
    uint8_t bytes[64][40];
    const char *texts[MOST];
    struct reg_change changes[MOST];
    struct vreg_change vregs[MOST];
    struct mem_access accesses[2][MOST];
    struct caller callers[MOST];
    struct line_row rows[MOST];
    unsigned text_count;
    unsigned bytes_count;
    unsigned access_lists;
};

static const char *any_text(struct dice *dice, struct borrowed *from)
{
    char *text = from->text[from->text_count++ % 64];
    size_t len = below(dice, sizeof *from->text);

    if (below(dice, 5) == 0)
        return NULL;
    for (size_t i = 0; i < len; i++)
        text[i] = (char)(1 + below(dice, 255));
    text[len] = 0;
    return text;
}

static struct bytes any_bytes(struct dice *dice, struct borrowed *from)
{
    uint8_t *data = from->bytes[from->bytes_count++ % 64];
    size_t len = below(dice, sizeof *from->bytes);

    if (below(dice, 5) == 0)
        return (struct bytes){NULL, 0};
    for (size_t i = 0; i < len; i++)
        data[i] = (uint8_t)roll(dice);
    return (struct bytes){data, len};
}

static struct reg_changes any_changes(struct dice *dice, struct borrowed *from)
{
    size_t count = below(dice, MOST + 1);

    for (size_t i = 0; i < count; i++)
        from->changes[i] = (struct reg_change){
            (enum reg)below(dice, REG_COUNT), any_value(dice), any_value(dice)};
    return (struct reg_changes){from->changes, count};
}

static struct vreg_changes any_vregs(struct dice *dice, struct borrowed *from)
{
    size_t count = below(dice, MOST + 1);

    for (size_t i = 0; i < count; i++)
        from->vregs[i] =
            (struct vreg_change){(enum vreg)below(dice, VREG_COUNT),
                                 any_bytes(dice, from), any_bytes(dice, from)};
    return (struct vreg_changes){from->vregs, count};
}

static struct mem_accesses any_accesses(struct dice *dice,
                                        struct borrowed *from)
{
    struct mem_access *list = from->accesses[from->access_lists++ % 2];
    size_t count = below(dice, MOST + 1);

    for (size_t i = 0; i < count; i++)
        list[i] = (struct mem_access){any_value(dice), any_bytes(dice, from),
                                      any_bytes(dice, from)};
    return (struct mem_accesses){list, count};
}

static struct opt_u64 any_opt(struct dice *dice)
{
    return (struct opt_u64){below(dice, 2), any_value(dice)};
}

static struct texts any_texts(struct dice *dice, struct borrowed *from)
{
    size_t count = below(dice, MOST + 1);

    for (size_t i = 0; i < count; i++)
        from->texts[i] = any_text(dice, from);
    return (struct texts){from->texts, count};
}

static struct callers any_callers(struct dice *dice, struct borrowed *from)
{
    size_t count = below(dice, MOST + 1);

    for (size_t i = 0; i < count; i++) {
        struct caller *caller = &from->callers[i];

        caller->source.file = any_text(dice, from);
        caller->source.line = (int)any_value(dice);
        caller->source.text = any_text(dice, from);
        caller->symbol = any_text(dice, from);
    }
    return (struct callers){from->callers, count};
}

static struct line_rows any_rows(struct dice *dice, struct borrowed *from)
{
    size_t count = below(dice, MOST + 1);

    for (size_t i = 0; i < count; i++)
        from->rows[i] = (struct line_row){any_value(dice), any_text(dice, from),
                                          (int)any_value(dice)};
    return (struct line_rows){from->rows, count};
}

static struct callee any_callee(struct dice *dice, struct borrowed *from)
{
    return (struct callee){.symbol = any_text(dice, from),
                           .module = any_text(dice, from),
                           .known_by = any_text(dice, from),
                           .params = any_texts(dice, from),
                           .result = any_text(dice, from)};
}

static void any_field(struct dice *dice, enum field_type type, void *field,
                      struct borrowed *from)
{
    switch (type) {
    case FIELD_TYPE_ADDR:
    case FIELD_TYPE_SIZE:
    case FIELD_TYPE_INT:
        *(uint64_t *)field = any_value(dice);
        break;
    case FIELD_TYPE_OPT:
    case FIELD_TYPE_OPTINT:
        *(struct opt_u64 *)field = any_opt(dice);
        break;
    case FIELD_TYPE_PROT:
        *(unsigned *)field = (unsigned)any_value(dice);
        break;
    case FIELD_TYPE_TEXT:
        *(const char **)field = any_text(dice, from);
        break;
    case FIELD_TYPE_TEXTS:
        *(struct texts *)field = any_texts(dice, from);
        break;
    case FIELD_TYPE_BYTES:
        *(struct bytes *)field = any_bytes(dice, from);
        break;
    case FIELD_TYPE_REGS:
        for (int reg = 0; reg < REG_COUNT; reg++)
            ((struct regs *)field)->value[reg] = any_value(dice);
        break;
    case FIELD_TYPE_OPTREGS:
        ((struct opt_regs *)field)->known = below(dice, 2);
        any_field(dice, FIELD_TYPE_REGS, &((struct opt_regs *)field)->value,
                  from);
        break;
    case FIELD_TYPE_CHANGES:
        *(struct reg_changes *)field = any_changes(dice, from);
        break;
    case FIELD_TYPE_VREGS:
    case FIELD_TYPE_VALUES:
        *(struct vreg_changes *)field = any_vregs(dice, from);
        break;
    case FIELD_TYPE_READS:
    case FIELD_TYPE_WRITES:
        *(struct mem_accesses *)field = any_accesses(dice, from);
        break;
    case FIELD_TYPE_CALLERS:
        *(struct callers *)field = any_callers(dice, from);
        break;
    case FIELD_TYPE_ROWS:
        *(struct line_rows *)field = any_rows(dice, from);
        break;
    case FIELD_TYPE_CALLEE:
        *(struct callee *)field = any_callee(dice, from);
        break;
    }
}

static struct event any_event(struct dice *dice, struct borrowed *from)
{
    struct event event = {.kind = (enum event_kind)below(dice, EVENT_KINDS)};
    size_t count;
    const struct event_field *fields = event_fields(event.kind, &count);

    memset(from, 0, sizeof *from);
    event.seq = any_value(dice);
    event.tid = (int)any_value(dice);
    event.source.file = any_text(dice, from);
    event.source.line = (int)any_value(dice);
    event.source.text = any_text(dice, from);
    event.source.excerpt = any_text(dice, from);
    event.source.excerpt_line = (int)any_value(dice);
    for (size_t i = 0; i < count; i++)
        any_field(dice, fields[i].type, (char *)&event + fields[i].offset,
                  from);
    /* There is no stack without its address. */
    if (event.kind == EVENT_ENTER && !event.enter.stack_at.known)
        event.enter.stack = (struct bytes){NULL, 0};
    if (event.kind == EVENT_STEP && !event.step.stack_at.known)
        event.step.stack = (struct bytes){NULL, 0};
    if (event.kind == EVENT_LEAVE && !event.leave.stack_at.known)
        event.leave.stack = (struct bytes){NULL, 0};
    return event;
}

/* --- the store ----------------------------------------------------------- */

/* In the order of a trace, then in one that is no order. */
Test(history, whatever_an_event_says_the_store_gives_it_back)
{
    enum { COUNT = 4000 };
    static struct event *copies[COUNT];
    struct dice dice = {20161};
    struct borrowed from;
    struct store store;

    store = (struct store){0};
    for (size_t i = 0; i < COUNT; i++) {
        struct event event = any_event(&dice, &from);

        copies[i] = event_keep(&event);
        store_append(&store, &event);
    }
    cr_assert(eq(sz, store.count, COUNT));
    for (size_t i = 0; i < 2 * COUNT; i++) {
        size_t seq = i < COUNT ? i : below(&dice, COUNT);

        cr_assert(
            eq(int, event_equal(store_event(&store, seq), copies[seq]), 1),
            "event %zu, %s", seq, event_name(copies[seq]->kind));
    }
    for (size_t i = 0; i < COUNT; i++)
        event_free(copies[i]);
    store_release(&store);
}

/* Appends the event and has it back at once. */
static const struct event *through(struct store *store, struct event event)
{
    store_append(store, &event);
    return store_event(store, store->count - 1);
}

Test(history, the_least_and_the_greatest_value_of_a_number)
{
    static const uint64_t values[] = {
        0, 1, 0x7f, 0x80, INT64_MAX, 1ull << 63, UINT64_MAX, UINT32_MAX};
    struct store store;

    store = (struct store){0};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        for (size_t j = 0; j < sizeof values / sizeof *values; j++) {
            struct reg_change change = {X86_R15, values[i], values[j]};
            struct event event = {.kind = EVENT_STEP, .tid = INT_MIN};
            const struct event *back;

            event.seq = values[j];
            event.step.addr = values[i];
            event.step.next = values[j];
            event.step.offset = values[i];
            event.step.regs = (struct reg_changes){&change, 1};
            back = through(&store, event);
            cr_assert(eq(int, event_equal(back, &event), 1), "%zu, %zu", i, j);
            event = (struct event){.kind = EVENT_SIGNAL, .tid = INT_MAX};
            event.signal.number = (int64_t)values[i];
            event.signal.code = (int64_t)values[j];
            event.signal.addr = (struct opt_u64){true, values[i]};
            back = through(&store, event);
            cr_assert(eq(int, event_equal(back, &event), 1), "%zu, %zu", i, j);
        }
    }
    store_release(&store);
}

Test(history, no_bytes_stay_apart_from_zero_bytes_and_no_text_from_an_empty_one)
{
    struct event event = {.kind = EVENT_WRITE};
    const struct event *back;
    struct store store;

    store = (struct store){0};
    event.write.new = (struct bytes){(const uint8_t *)"", 0};
    event.write.text = "";
    back = through(&store, event);
    cr_assert(eq(ptr, (void *)back->write.old.data, NULL));
    cr_assert(ne(ptr, (void *)back->write.new.data, NULL));
    cr_assert(eq(sz, back->write.new.len, 0));
    cr_assert(eq(str, (char *)back->write.text, ""));
    cr_assert(eq(ptr, (void *)back->write.by, NULL));
    store_release(&store);
}

Test(history, a_place_in_the_source_comes_back_in_every_part)
{
    struct event event = {.kind = EVENT_OUTPUT};
    struct store store;

    store = (struct store){0};
    event.source = (struct srcline){"a.c", INT_MAX, NULL, NULL, 0};
    cr_assert(eq(int, event_equal(through(&store, event), &event), 1));
    event.source = (struct srcline){"a.c", INT_MIN, "x", "\tx\n", INT_MIN};
    cr_assert(eq(int, event_equal(through(&store, event), &event), 1));
    event.source = (struct srcline){NULL, 0, NULL, "\tx\n", INT_MAX};
    cr_assert(eq(int, event_equal(through(&store, event), &event), 1));
    cr_assert(eq(int, through(&store, event)->source.excerpt_line, INT_MAX));
    store_release(&store);
}

/* Events larger than any chunk, and exactly as large as there is room for. */
Test(history, large_events_and_small_ones_in_turn)
{
    static uint8_t data[200000];
    struct store store;
    size_t count = 0;

    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 2654435761u >> 13);
    store = (struct store){0};
    for (size_t len = 65000; len < 65600; len += len < 65500 ? 500 : 1) {
        struct event event = {.kind = EVENT_OUTPUT, .seq = count++};

        event.output.bytes = (struct bytes){data, len};
        store_append(&store, &event);
        event.seq = count++;
        event.output.bytes.len = 1;
        store_append(&store, &event);
    }
    for (size_t i = 0; i < count; i++) {
        const struct event *event = store_event(&store, i);

        cr_assert(eq(u64, event->seq, i));
        cr_assert(eq(int, event->output.bytes.len > 1, i % 2 == 0));
        cr_assert(eq(mem, mem_of(event->output.bytes),
                     mem(data, event->output.bytes.len)));
    }
    store_release(&store);
}

Test(history, texts_and_bytes_stay_when_other_events_are_asked_for)
{
    struct event event = {.kind = EVENT_STEP, .step.text = "mov rax, -4"};
    struct store store;
    const char *text;
    struct bytes bytes;

    event.step.bytes = (struct bytes){(const uint8_t *)"abc", 3};
    store = (struct store){0};
    text = through(&store, event)->step.text;
    bytes = store_event(&store, 0)->step.bytes;
    for (int i = 0; i < 100000; i++) {
        char other[24];

        snprintf(other, sizeof other, "text %d", i);
        event.step.text = other;
        event.step.bytes = (struct bytes){(const uint8_t *)other, 7};
        through(&store, event);
    }
    cr_assert(eq(str, (char *)text, "mov rax, -4"));
    cr_assert(eq(mem, mem_of(bytes), mem("abc", 3)));
    store_release(&store);
}

Test(history, each_word_is_kept_once)
{
    struct words words = {0};
    char text[24];
    size_t memory;

    for (uint32_t i = 0; i < 20000; i++) {
        snprintf(text, sizeof text, "word %u", i);
        cr_assert(eq(u32, words_number(&words, text), i));
    }
    memory = words_memory(&words);
    for (uint32_t i = 0; i < 20000; i++) {
        snprintf(text, sizeof text, "word %u", i);
        cr_assert(eq(u32, words_number(&words, text), i));
        cr_assert(eq(str, (char *)words_text(&words, i), text));
    }
    cr_assert(eq(sz, words_memory(&words), memory));
    words_release(&words);
}

/* --- a program that never was -------------------------------------------- */

#define CODE_PAGES 16u
#define CODE_SIZE  (CODE_PAGES * PAGE)
#define THREADS    5

/* A source of events that could be those of a program. */
struct program {
    struct dice dice;
    uint64_t seq;
    struct reg_change changes[2];
    uint8_t bytes[64];
    char text[32];
    char maps[32];
    char lines[64];
    struct mem_access access;
};

static uint64_t any_place(struct program *program)
{
    return BASE + below(&program->dice, CODE_SIZE - 64);
}

static struct bytes some_bytes(struct program *program)
{
    size_t len = 1 + below(&program->dice, 15);

    for (size_t i = 0; i < len; i++)
        program->bytes[i] = (uint8_t)roll(&program->dice);
    return (struct bytes){program->bytes, len};
}

static void step(struct program *program, struct event *event)
{
    struct event_step *to = &event->step;
    uint64_t stack = 0x7ffc00000000 + below(&program->dice, 64) * 8;

    to->addr = any_place(program);
    to->offset = to->addr - BASE;
    to->bytes = some_bytes(program);
    to->next = to->addr + to->bytes.len;
    snprintf(program->text, sizeof program->text, "mov rax, [rsp+%llu]",
             (unsigned long long)below(&program->dice, 3000));
    to->text = program->text;
    for (int i = 0; i < 2; i++)
        program->changes[i] = (struct reg_change){
            (enum reg)below(&program->dice, REG_PC),
            0x7f1234000000 + below(&program->dice, 1 << 24),
            0x7f1234000000 + below(&program->dice, 1 << 24)};
    to->regs = (struct reg_changes){program->changes, 2};
    program->access =
        (struct mem_access){stack, {(uint8_t *)program->changes, 8}, {NULL, 0}};
    if (below(&program->dice, 4) != 0) {
        to->reads = (struct mem_accesses){&program->access, 1};
    } else {
        program->access.new_bytes = (struct bytes){program->bytes + 16, 8};
        to->writes = (struct mem_accesses){&program->access, 1};
    }
}

static void map(struct program *program, struct event *event)
{
    uint64_t first = below(&program->dice, CODE_PAGES);

    event->map.addr = BASE + first * PAGE;
    event->map.length = (1 + below(&program->dice, CODE_PAGES - first)) * PAGE;
    event->map.prot = RW;
    snprintf(program->maps, sizeof program->maps, "rw-p %llu",
             (unsigned long long)program->seq);
    event->map.maps = program->maps;
}

static void protect(struct program *program, struct event *event)
{
    event->protect.addr = BASE + below(&program->dice, CODE_PAGES) * PAGE;
    event->protect.length = PAGE;
    event->protect.prot = (unsigned)below(&program->dice, 8);
    event->protect.maps = "r-xp";
    event->protect.code = some_bytes(program);
    event->protect.code_offset = below(&program->dice, PAGE - 64);
}

static void store_bytes(struct program *program, struct event *event)
{
    event->write.addr = any_place(program);
    event->write.old = event->write.new = some_bytes(program);
    if (below(&program->dice, 2))
        return;
    event->source = (struct srcline){
        .file = "jit.c",
        .line = (int)below(&program->dice, 50),
        .text = "*p++ = byte;",
    };
    if (below(&program->dice, 20) == 0) {
        snprintf(program->lines, sizeof program->lines,
                 "\tline\n\t*p++ = %d;\nend\n", (int)program->seq);
        event->source.excerpt = program->lines;
        event->source.excerpt_line = event->source.line - 1;
    }
}

static void enter(struct program *program, struct event *event)
{
    event->enter.addr = any_place(program);
    event->enter.offset = event->enter.addr - BASE;
    event->enter.how = below(&program->dice, 2) ? "call" : "return";
    for (int reg = 0; reg < REG_COUNT; reg++)
        event->enter.regs.value[reg] = any_value(&program->dice);
    event->enter.code = some_bytes(program);
    event->enter.code_offset = below(&program->dice, CODE_SIZE - 64);
}

/* Most are steps, as in a program that computes. */
static enum event_kind next_kind(struct program *program)
{
    static const enum event_kind some[] = {
        EVENT_WRITE, EVENT_WRITE,  EVENT_WRITE,  EVENT_ENTER, EVENT_LEAVE,
        EVENT_ENTER, EVENT_OUTPUT, EVENT_OUTPUT, EVENT_WRITE, EVENT_WRITE,
    };
    static const enum event_kind seldom[] = {EVENT_MAP,   EVENT_PROTECT,
                                             EVENT_UNMAP, EVENT_SIGNAL,
                                             EVENT_LIMIT, EVENT_REFUSED};

    if (program->seq == 0)
        return EVENT_START;
    if (below(&program->dice, 2))
        return EVENT_STEP;
    if (below(&program->dice, 10))
        return some[below(&program->dice, sizeof some / sizeof *some)];
    return seldom[below(&program->dice, sizeof seldom / sizeof *seldom)];
}

/* The next event; what it points to is valid until the one after. */
static struct event next_event(struct program *program)
{
    struct event event = {.kind = next_kind(program)};

    event.tid = 30000 + (int)below(&program->dice, THREADS);
    switch (event.kind) {
    case EVENT_STEP:
        step(program, &event);
        break;
    case EVENT_MAP:
        map(program, &event);
        break;
    case EVENT_UNMAP:
        event.unmap.addr = BASE + below(&program->dice, CODE_PAGES) * PAGE;
        event.unmap.length = PAGE;
        break;
    case EVENT_PROTECT:
        protect(program, &event);
        break;
    case EVENT_WRITE:
        store_bytes(program, &event);
        break;
    case EVENT_ENTER:
        enter(program, &event);
        break;
    case EVENT_OUTPUT:
        event.output.fd = 1;
        event.output.bytes = some_bytes(program);
        break;
    case EVENT_LIMIT:
        event.limit.budget = below(&program->dice, 2) ? "steps" : "stores";
        break;
    default:
        break;
    }
    event.seq = program->seq++;
    return event;
}

/* --- views that are the same --------------------------------------------- */

static void same_text(const char *a, const char *b)
{
    cr_assert(eq(int, !a, !b));
    if (a)
        cr_assert(eq(str, (char *)a, (char *)b));
}

static void same_protection(const struct protection *a,
                            const struct protection *b)
{
    cr_assert(eq(int, !a, !b));
    if (!a)
        return;
    cr_assert(eq(u64, a->seq, b->seq));
    cr_assert(eq(int, a->line, b->line));
    same_text(a->maps, b->maps);
    same_text(a->call, b->call);
    same_text(a->file, b->file);
}

static void same_regions(const struct view *a, const struct view *b)
{
    cr_assert(eq(sz, a->regions.count, b->regions.count));
    for (size_t i = 0; i < a->regions.count; i++) {
        const struct region *one = &a->regions.list[i];
        const struct region *two = &b->regions.list[i];

        cr_assert(eq(u64, one->addr, two->addr));
        cr_assert(eq(u64, one->length, two->length));
        cr_assert(eq(u64, one->start, two->start));
        cr_assert(eq(uint, one->prot, two->prot));
        same_protection(view_protection(a, one->addr),
                        view_protection(b, two->addr));
    }
}

static void same_pages(const struct view *a, const struct view *b)
{
    static uint8_t one[CODE_SIZE], two[CODE_SIZE];
    size_t count, other;

    ranges_from(&a->pages.ranges, 0, &count);
    ranges_from(&b->pages.ranges, 0, &other);
    cr_assert(eq(sz, count, other));
    pages_read(&a->pages, BASE, CODE_SIZE, one);
    pages_read(&b->pages, BASE, CODE_SIZE, two);
    cr_assert(eq(int, memcmp(one, two, CODE_SIZE), 0));
    for (uint64_t addr = BASE; addr < BASE + CODE_SIZE; addr++)
        if (pages_written(&a->pages, addr) != pages_written(&b->pages, addr))
            cr_fatal("0x%llx is not written in both", (unsigned long long)addr);
}

static void same_regs(const struct regs *a, const struct regs *b)
{
    cr_assert(eq(mem, mem(a, sizeof *a), mem(b, sizeof *b)));
}

static void same_frames(const struct frame *a, const struct frame *b)
{
    for (; a && b; a = a->caller, b = b->caller) {
        cr_assert(eq(u64, a->depth, b->depth));
        cr_assert(eq(int, (int)a->kind, (int)b->kind));
        cr_assert(eq(int, a->outside, b->outside));
        cr_assert(eq(u64, a->seq, b->seq));
        cr_assert(eq(u64, a->addr, b->addr));
        cr_assert(eq(u64, a->return_to.value, b->return_to.value));
        same_regs(&a->regs, &b->regs);
    }
    cr_assert(eq(ptr, (void *)a, (void *)b)); /* both end */
}

static void same_threads(const struct view *a, const struct view *b)
{
    cr_assert(eq(sz, a->threads.count, b->threads.count));
    for (int tid = 30000 - 1; tid <= 30000 + THREADS; tid++) {
        const struct view_thread *one = view_thread(a, tid);
        const struct view_thread *two = view_thread(b, tid);

        cr_assert(eq(int, !one, !two));
        if (!one)
            continue;
        cr_assert(eq(int, one->tid, tid));
        cr_assert(eq(int, one->inside, two->inside));
        cr_assert(eq(int, one->regs_known, two->regs_known));
        same_regs(&one->regs, &two->regs);
        same_frames(one->frame, two->frame);
        same_frames(one->stepped, two->stepped);
    }
}

static void same_source(const struct view *a, const struct view *b)
{
    for (int line = -2; line < 55; line++) {
        struct bytes one = {NULL, 0}, two = {NULL, 0};

        cr_assert(eq(int, view_source_line(a, "jit.c", line, &one),
                     view_source_line(b, "jit.c", line, &two)));
        cr_assert(eq(mem, mem_of(one), mem_of(two)), "line %d", line);
    }
}

static void same_view(const struct view *a, const struct view *b)
{
    cr_assert(eq(u64, a->applied, b->applied));
    cr_assert(eq(int, (int)a->stage, (int)b->stage));
    cr_assert(eq(int, a->threads.last_tid, b->threads.last_tid));
    same_threads(a, b);
    cr_assert(eq(u64, a->calls, b->calls));
    cr_assert(eq(u64, a->output_total, b->output_total));
    cr_assert(eq(mem, mem(a->output.data, a->output.len),
                 mem(b->output.data, b->output.len)));
    cr_assert(eq(int, a->ended, b->ended));
    same_source(a, b);
    same_regions(a, b);
    same_pages(a, b);
}

/* --- the history --------------------------------------------------------- */

/* A history and, to compare with, a store of the same events. */
static struct history *make_history(uint64_t count, struct store *store)
{
    static struct program program;
    struct history *history = history_new();

    program = (struct program){.dice = {2016}};
    *store = (struct store){0};
    for (uint64_t i = 0; i < count; i++) {
        struct event event = next_event(&program);

        history_append(history, &event);
        store_append(store, &event);
    }
    cr_assert(eq(u64, history_count(history), count));
    return history;
}

static void check_moment(struct history *history, const struct store *store,
                         uint64_t seq)
{
    struct view expected = {0};

    view_advance(&expected, store, seq + 1);
    same_view(history_view(history, seq), &expected);
    cr_assert(
        eq(int,
           event_equal(history_event(history, seq), store_event(store, seq)),
           1),
        "event %d", (int)seq);
    view_release(&expected);
}

/* As a reader does: a step, a step back, a jump, to an end. */
static uint64_t wander(struct dice *dice, uint64_t seq, uint64_t count)
{
    switch (below(dice, 5)) {
    case 0:
        return seq + 1 < count ? seq + 1 : seq;
    case 1:
        return seq > 0 ? seq - 1 : 0;
    case 2:
        return below(dice, 8) ? below(dice, count) : count - 1;
    case 3:
        return seq - seq % 256; /* where a checkpoint may be */
    default:
        return below(dice, count);
    }
}

Test(history, every_moment_of_a_short_trace_back_and_forth)
{
    enum { COUNT = 700 };
    struct store store;
    struct history *history = make_history(COUNT, &store);

    for (uint64_t seq = 0; seq < COUNT; seq += 3)
        check_moment(history, &store, seq);
    for (uint64_t seq = COUNT; seq-- > 0;)
        if (seq % 7 == 0)
            check_moment(history, &store, seq);
    store_release(&store);
    history_free(history);
}

/* Long enough that checkpoints were dropped twice. */
Test(history, a_random_path_shows_what_a_fold_from_the_start_shows)
{
    enum { COUNT = 40000 };
    struct store store;
    struct history *history = make_history(COUNT, &store);
    struct dice dice = {11};
    uint64_t seq = 0;

    for (int move = 0; move < 120; move++) {
        for (uint64_t skipped = below(&dice, 8); skipped > 0; skipped--)
            history_view(history, seq = wander(&dice, seq, COUNT));
        seq = wander(&dice, seq, COUNT);
        check_moment(history, &store, seq);
    }
    store_release(&store);
    history_free(history);
}

/* A reader looks back while the program is paused, then it goes on. */
Test(history, it_grows_while_it_is_read)
{
    static struct program program;
    struct history *history = history_new();
    struct dice dice = {12};
    struct store store;

    program = (struct program){.dice = {2017}};
    store = (struct store){0};
    for (uint64_t i = 0; i < 1500; i++) {
        struct event event = next_event(&program);

        history_append(history, &event);
        store_append(&store, &event);
        if (below(&dice, 20) == 0)
            check_moment(history, &store, below(&dice, i + 1));
    }
    store_release(&store);
    history_free(history);
}

/* As in a recording of a version that knows more kinds of events. */
Test(history, events_are_numbered_as_they_come)
{
    struct history *history = history_new();

    for (uint64_t i = 0; i < 600; i++) {
        struct event event = {.kind = EVENT_STEP, .seq = 10 * i};

        history_append(history, &event);
    }
    cr_assert(eq(u64, history_count(history), 600));
    cr_assert(eq(u64, history_event(history, 300)->seq, 3000));
    cr_assert(eq(u64, history_view(history, 300)->applied, 301));
    cr_assert(eq(u64, history_chapter(history, 599), 0));
    cr_assert(eq(u64, history_next_chapter(history, 0), 600));
    history_free(history);
}

Test(history, an_event_stays_when_a_view_is_asked_for)
{
    struct store store;
    struct history *history = make_history(2000, &store);

    for (uint64_t seq = 0; seq < 2000; seq += 37) {
        const struct event *event = history_event(history, seq);

        history_view(history, 1999 - seq);
        cr_assert(eq(int, event_equal(event, store_event(&store, seq)), 1));
    }
    store_release(&store);
    history_free(history);
}

Test(history, a_chapter_is_a_run_of_events_in_one_stage)
{
    enum { COUNT = 3000 };
    static enum stage stage[COUNT];
    struct store store;
    struct history *history = make_history(COUNT, &store);
    struct view view = {0};

    for (uint64_t seq = 0; seq < COUNT; seq++) {
        view_apply(&view, store_event(&store, seq));
        stage[seq] = view.stage;
    }
    for (uint64_t seq = 0; seq < COUNT; seq++) {
        uint64_t first = seq, next = seq + 1;

        while (first > 0 && stage[first - 1] == stage[seq])
            first--;
        while (next < COUNT && stage[next] == stage[seq])
            next++;
        cr_assert(eq(u64, history_chapter(history, seq), first));
        cr_assert(eq(u64, history_next_chapter(history, seq), next));
    }
    view_release(&view);
    store_release(&store);
    history_free(history);
}

/* --- what it takes ------------------------------------------------------- */

/* Each step reads or writes memory and changes two registers to pointers. */
Test(history, a_million_recorded_steps_fit_in_100_million_bytes)
{
    enum { COUNT = 100000 };
    static struct program program;
    size_t before = memory_in_use();
    struct history *history = history_new();
    double each;

    program = (struct program){.dice = {2018}};
    for (uint64_t i = 0; i < COUNT; i++) {
        struct event event = {.kind = EVENT_STEP, .seq = i, .tid = 4000000};

        step(&program, &event);
        history_append(history, &event);
    }
    each = (double)(memory_in_use() - before) / COUNT;
    cr_assert(lt(dbl, 20, each));
    cr_assert(lt(dbl, each, 100));
    history_free(history);
}

/* A mebibyte of code, and steps for so long that all checkpoints are used. */
Test(history, checkpoints_share_the_pages_that_stay_the_same)
{
    enum { COUNT = 40000, SIZE = 1 << 20 };
    static struct program program;
    struct event event = {.kind = EVENT_WRITE};
    uint8_t *code = mem_alloc(SIZE);
    size_t begin = memory_in_use(), before;
    struct history *history = history_new();

    memset(code, 0x90, SIZE);
    event.write.addr = BASE;
    event.write.new = (struct bytes){code, SIZE};
    history_append(history, &event);
    before = memory_in_use();
    cr_assert(lt(sz, 2 * (size_t)SIZE, before - begin));
    program = (struct program){.dice = {2019}};
    for (uint64_t i = 1; i < COUNT; i++) {
        event = (struct event){.kind = EVENT_STEP, .seq = i};
        step(&program, &event);
        history_append(history, &event);
        if (i % 1000 == 0)
            history_view(history, below(&program.dice, i));
    }
    cr_assert(lt(sz, memory_in_use() - before, COUNT * 100));
    free(code);
    history_free(history);
}
