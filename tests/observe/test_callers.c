/* SPDX-License-Identifier: MIT */
/*
 * Who has called whom: the callers of stores, the names of places outside of
 * generated code, and what is known of functions that it calls.
 */
#include "support/support.h"

TestSuite(callers, .timeout = 60);

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The number of the first line of a source file that has the words. */
static int line_of(const char *path, const char *words)
{
    struct buf text = {0};
    int line = 1;

    read_file(path, &text);
    buf_append(&text, "", 1);
    for (const char *at = (const char *)text.data; *at; at++, line++) {
        const char *end = strchr(at, '\n'), *found = strstr(at, words);

        if (found && found < end) {
            buf_release(&text);
            return line;
        }
        at = end;
    }
    cr_fatal("%s has no %s", path, words);
    return 0;
}

/* "mul:88 main:40": functions and lines, of a call that was inlined only the
 * line; 0: it is not known. */
static void describe(const struct callers *via, struct buf *out)
{
    for (size_t i = 0; i < via->count; i++) {
        const char *symbol = via->list[i].symbol ? via->list[i].symbol : "?";

        buf_printf(out, "%s%.*s:%d", i ? " " : "", (int)strcspn(symbol, "+"),
                   symbol, via->list[i].source.line);
    }
}

#define SOURCE "tests/tracees/callers.c"

/* What the stores of the tracee say, and where else their lines are. */
static const struct {
    uint64_t offset;
    const char *inlined;
    const char *via[4]; /* function, and what its line has in it */
} stores[] = {
    {0, NULL, {"mov_eax:emit(0xb8)", "main:mov_eax(42)"}},
    {1,
     NULL,
     {"emit32:emit(value >>", "mov_eax:emit32(value)", "main:mov_eax(42)"}},
    {4,
     NULL,
     {"emit32:emit(value >>", "mov_eax:emit32(value)", "main:mov_eax(42)"}},
    {5, "emit_inlined", {"nops:emit_inlined(0x90)", "main:nops()"}},
    {7, NULL, {"main:emit(0xc3)"}},
    {8, NULL, {"main:store_framed(at"}},
    {9, NULL, {NULL}},
    {10, NULL, {NULL}},
    {11, NULL, {NULL}},
    {12,
     NULL,
     {"recurse:emit(0x90);", "recurse:recurse(depth - 1)",
      "recurse:recurse(depth - 1)", "recurse:recurse(depth - 1)"}},
    {13, NULL, {"main:memcpy(at"}},
};

Test(callers, each_store_says_who_called)
{
    struct result result;
    struct store store;

    trace(&(struct job){.argv = ARGS("--", TRACEE("callers"))}, &store,
          &result);
    for (size_t i = 0; i < COUNT(stores); i++) {
        const struct event *event = nth(&store, EVENT_WRITE, 0);
        struct buf expected = {0}, got = {0};

        for (unsigned n = 1; event && event->write.offset != stores[i].offset;)
            event = nth(&store, EVENT_WRITE, n++);
        cr_assert(ne(ptr, (void *)event, NULL), "+%d", (int)stores[i].offset);
        for (size_t k = 0; k < 4 && stores[i].via[k]; k++) {
            const char *words = strchr(stores[i].via[k], ':') + 1;

            buf_printf(&expected, "%s%.*s%d", k ? " " : "",
                       (int)(words - stores[i].via[k]), stores[i].via[k],
                       line_of(SOURCE, words));
        }
        describe(&event->write.via, &got);
        cr_expect(eq(str, (char *)buf_text(&got), (char *)buf_text(&expected)),
                  "+%d", (int)stores[i].offset);
        cr_expect(eq(str,
                     (char *)(event->write.inlined ? event->write.inlined : ""),
                     (char *)(stores[i].inlined ? stores[i].inlined : "")),
                  "+%d", (int)stores[i].offset);
        buf_release(&expected);
        buf_release(&got);
    }
    store_release(&store);
    result_release(&result);
}

Test(callers, a_budget_ends_them)
{
    struct result result;
    struct store store;

    trace(
        &(struct job){.argv = ARGS("--max-callers=2", "--", TRACEE("callers"))},
        &store, &result);
    cr_assert(
        eq(str, (char *)nth(&store, EVENT_LIMIT, 0)->limit.budget, "callers"));
    cr_assert(eq(sz, nth(&store, EVENT_WRITE, 1)->write.via.count, 3));
    for (unsigned i = 2; i < count(&store, EVENT_WRITE); i++) {
        cr_assert(eq(sz, nth(&store, EVENT_WRITE, i)->write.via.count, 0));
        cr_assert(
            ne(ptr, (void *)nth(&store, EVENT_WRITE, i)->write.symbol, NULL));
    }
    store_release(&store);
    result_release(&result);
    trace(
        &(struct job){.argv = ARGS("--max-callers=0", "--", TRACEE("callers"))},
        &store, &result);
    cr_assert(eq(sz, nth(&store, EVENT_WRITE, 0)->write.via.count, 0));
    cr_assert(eq(uint, count(&store, EVENT_LIMIT), 1));
    store_release(&store);
    result_release(&result);
}

/* Whatever is on a stack, only what follows a call is taken for a caller. */
Test(callers, a_broken_stack_tells_none)
{
    struct result result;
    struct store store;

    trace(&(struct job){.argv = ARGS("--", TRACEE("broken_stacks"))}, &store,
          &result);
    cr_assert(eq(int, result.status, 0));
    for (unsigned i = 0; i < count(&store, EVENT_WRITE); i++) {
        const struct callers *via = &nth(&store, EVENT_WRITE, i)->write.via;

        cr_assert(lt(sz, via->count, 2));
        if (via->count > 0)
            cr_assert(contains(via->list[0].symbol, "any_word+"));
    }
    store_release(&store);
    result_release(&result);
}

Test(callers, functions_have_their_types)
{
    static const struct {
        const char *symbol;
        const char *types; /* as in the source; NULL: not known */
    } rows[] = {
        {"nothing", "i64 (void)"},
        {"narrow", "bool (bool, i8, u16, i32)"},
        {"floating", "f64 (f64, f32, f80, pointer)"},
        {"large", "memory (memory, struct, pointer)"},
        {"small", "struct (other)"},
        {"variadic", "void (pointer, ...)"},
        {"old_style", NULL},
        {"printf", "i32 (pointer, ...)"},
    };
    struct result result;
    struct store store;
    unsigned n = 0;

    trace(&(struct job){.argv = ARGS("--", TRACEE("prototypes"))}, &store,
          &result);
    for (size_t i = 0; i < COUNT(rows); i++, n += 2) {
        const struct event_leave *leave = &nth(&store, EVENT_LEAVE, n)->leave;
        const struct callee *callee = &leave->callee;
        struct buf types = {0};

        cr_assert(eq(str, (char *)leave->how, "call"));
        cr_assert(ne(ptr, (void *)callee->symbol, NULL), "%s", rows[i].symbol);
        cr_expect(eq(str, (char *)callee->symbol, (char *)rows[i].symbol));
        cr_expect(contains(leave->to_symbol, rows[i].symbol));
        if (!rows[i].types) {
            cr_expect(eq(ptr, (void *)callee->known_by, NULL));
            continue;
        }
        buf_printf(&types, "%s (", callee->result);
        for (size_t k = 0; k < callee->params.count; k++)
            buf_printf(&types, "%s%s", k ? ", " : "", callee->params.list[k]);
        buf_append_text(&types, ")");
        cr_expect(eq(str, (char *)buf_text(&types), (char *)rows[i].types),
                  "%s", rows[i].symbol);
        cr_expect(eq(str, (char *)callee->known_by,
                     strcmp(rows[i].symbol, "printf") ? "debug info" : "name"));
        cr_expect(contains(callee->module, strcmp(rows[i].symbol, "printf")
                                               ? "prototypes"
                                               : "libc."));
        buf_release(&types);
    }
    /* The middle of a function is no function. */
    cr_expect(eq(ptr, (void *)nth(&store, EVENT_LEAVE, n)->leave.callee.symbol,
                 NULL));
    cr_expect(eq(str, (char *)nth(&store, EVENT_LEAVE, n)->leave.to_symbol,
                 "middle+0x1"));
    store_release(&store);
    result_release(&result);
}

/* The stub by which a program calls a function of a library has its name. */
Test(callers, a_stub_has_the_name_of_what_it_calls)
{
    const struct event_leave *leave;
    struct result result;
    struct store store;

    trace(&(struct job){.argv = ARGS("--", TRACEE("plt"))}, &store, &result);
    leave = &nth(&store, EVENT_LEAVE, 0)->leave;
    cr_assert(ne(ptr, (void *)leave->callee.symbol, NULL));
    cr_expect(eq(str, (char *)leave->callee.symbol, "puts@plt"));
    cr_expect(eq(str, (char *)leave->callee.module, "plt"));
    store_release(&store);
    result_release(&result);
}

/* It crashed in a function that generated code has called. */
Test(callers, a_crash_elsewhere_has_a_place)
{
    struct result result;
    struct store store;
    const struct event_signal *signal;

    trace(&(struct job){.argv = ARGS("--", TRACEE("die_callee"))}, &store,
          &result);
    signal = &nth(&store, EVENT_SIGNAL, 0)->signal;
    cr_assert(ne(ptr, (void *)signal->symbol, NULL));
    cr_assert(lt(sz, 0, signal->via.count));
    cr_expect(eq(
        int, strncmp(signal->via.list[signal->via.count - 1].symbol, "0x", 2),
        0));
    store_release(&store);
    result_release(&result);
}

/* --- in words ------------------------------------------------------------- */

/* What jittrace prints for these arguments has, with any blanks as one, each of
 * the words. */
static void expect_words(const char *const *argv, const char *const *words)
{
    struct result result;
    struct buf text = {0};

    run(&(struct job){.argv = argv}, &result);
    buf_append(&result.out, "", 1);
    for (const char *at = (const char *)result.out.data; *at; at++)
        if (!strchr(" \n", *at))
            buf_append(&text, at, 1);
        else if (text.len > 0 && text.data[text.len - 1] != ' ')
            buf_append(&text, " ", 1);
    for (; *words; words++)
        cr_expect(contains(buf_text(&text), *words), "%s in %s", *words,
                  buf_text(&text));
    buf_release(&text);
    result_release(&result);
}

/* "callers.c:35" of the line with these words */
static const char *at_line(char (*room)[32], const char *words)
{
    snprintf(*room, sizeof *room, "callers.c:%d", line_of(SOURCE, words));
    return *room;
}

Test(callers, the_first_one_outside_of_the_helpers_is_named)
{
    char at[5][32], words[3][160];

    at_line(&at[0], "*at++ = ");
    at_line(&at[1], "emit(0xb8)");
    at_line(&at[2], "emit(value >>");
    at_line(&at[3], "    emit_inlined(0x90)");
    snprintf(words[0], sizeof *words,
             "code[0] = 0xb8 00 -> b8 %s emit(0xb8); "
             "in mov_eax(), through emit() at %s",
             at[1], at[0]);
    snprintf(words[1], sizeof *words, "%s in emit32(), through emit() at %s",
             at[2], at[0]);
    snprintf(words[2], sizeof *words,
             "%s in nops(), through emit_inlined() at callers.c", at[3]);
    expect_words(ARGS(JITTRACE, "--", TRACEE("callers")), ARGS(words[0]));
    expect_words(ARGS(JITTRACE, "--who=1", "--", TRACEE("callers")),
                 ARGS(words[1]));
    expect_words(ARGS(JITTRACE, "--who=5", "--", TRACEE("callers")),
                 ARGS(words[2]));
}

Test(callers, what_is_called_and_returned_to_is_named)
{
    expect_words(ARGS(JITTRACE, "--", TRACEE("prototypes")),
                 ARGS(" calls printf, libc.so.6, at 0x", " calls narrow at 0x",
                      " in call()"));
    expect_words(ARGS(JITTRACE, "--", TRACEE("die_callee")),
                 ARGS("; called from generated code, to return to code["));
}
