/* SPDX-License-Identifier: MIT */
/*
 * Who wrote a byte: the names of those who store, the history of a byte from
 * events made by hand and from programs, and what --who makes of it.
 */
#include "support.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

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
    cr_assert(begins(write_at(&store, 0)->write.symbol, "libc.so.6:read+0x"),
              "%s", write_at(&store, 0)->write.symbol);
    store_release(&store);
}
