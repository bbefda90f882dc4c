/* SPDX-License-Identifier: MIT */
/*
 * test_left_out.c - what a recording may leave out (docs/trace.schema.json) is
 * missed by no way to show it: of each recording of the fuzzer's corpus each
 * key is taken out of all lines.
 */
#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "check/check.h"
#include "diff/diff.h"
#include "format/format.h"
#include "support/support.h"

TestSuite(left_out, .timeout = 120);

#define CORPUS "tests/fuzz/corpus/recording/"

/* The lines as objects. */
static json_t *load(const char *name)
{
    struct buf path = {0}, text = {0};
    json_t *list = json_array();
    char *rest = NULL, *line;

    buf_printf(&path, CORPUS "%s", name);
    read_file(buf_text(&path), &text);
    line = strtok_r((char *)buf_text(&text), "\n", &rest);
    for (; line; line = strtok_r(NULL, "\n", &rest))
        json_array_append_new(list, json_loads(line, 0, NULL));
    buf_release(&path);
    buf_release(&text);
    return list;
}

/* Appends them again, without that key. */
static void write_without(const json_t *list, const char *key, struct buf *out)
{
    size_t index;
    json_t *object;

    json_array_foreach(list, index, object)
    {
        json_t *copy = json_copy(object);
        char *line;

        json_object_del(copy, key);
        line = json_dumps(copy, JSON_COMPACT);
        buf_printf(out, "%s\n", line);
        free(line);
        json_decref(copy);
    }
}

/* Returns whether it can be read, with verdicts. */
static bool read_events(struct buf *text, struct store *store,
                        struct history *history)
{
    FILE *in = fmemopen(text->data, text->len, "r");
    struct source *source = check_source_new(
        recording_new(in, "t"), &(struct check_options){.all = true});
    struct err err = {ERR_NONE, ""};
    struct event event;
    int more;

    while ((more = source_next(source, &event, &err)) > 0) {
        store_append(store, &event);
        history_append(history, &event);
    }
    source_free(source);
    fclose(in);
    return more == 0;
}

/* One way after the other, then NULL. */
static struct sink *sink_of(unsigned number, FILE *out)
{
    switch (number) {
    case 0:
        return text_sink_new(out, true);
    case 1:
        return brief_sink_new(out, false);
    case 2:
        return json_sink_new(out);
    case 3:
        return raw_sink_new(out);
    case 4:
        return html_sink_new(out, 20);
    case 5:
        return asciicast_sink_new(out, false);
    case 6:
        return dot_sink_new(out);
    case 7:
        return chrome_sink_new(out);
    case 8:
        return perf_map_sink_new(out);
    case 9:
        return quiz_sink_new(out, false, true);
    case 10:
        return who_sink_new(out, false, 0);
    case 11:
        return verdicts_sink_new(out, VERDICTS_TEXT, false);
    case 12:
        return verdicts_sink_new(out, VERDICTS_JUNIT, false);
    case 13:
        return verdicts_sink_new(out, VERDICTS_GITHUB, false);
    default:
        return NULL;
    }
}

static void show(const struct store *store, struct sink *sink)
{
    struct unpacked event = {0};
    struct err err = {ERR_NONE, ""};

    for (size_t i = 0; i < store->count; i++) {
        store_read(store, i, &event);
        sink_emit(sink, &event.event, &err);
    }
    sink_finish(sink, &err);
    sink_free(sink);
    unpacked_release(&event);
}

/* Returns 1 if it was shown. */
static size_t try_without(const json_t *list, const char *key,
                          struct history *whole)
{
    struct store store = {0};
    struct history *history = history_new();
    struct history *const both[] = {whole, history};
    struct buf text = {0};
    struct sink *sink;
    struct diff diff;
    struct err err = {ERR_NONE, ""};
    FILE *out = fopen("/dev/null", "we");
    size_t shown = 0;

    write_without(list, key, &text);
    if (read_events(&text, &store, history)) {
        for (unsigned i = 0; (sink = sink_of(i, out)); i++)
            show(&store, sink);
        diff_make(whole, history, &diff);
        cr_assert(eq(int, diff_write_json(out, both, &diff, &err), 0));
        diff_release(&diff);
        shown = 1;
    }
    fclose(out);
    store_release(&store);
    history_free(history);
    buf_release(&text);
    return shown;
}

/* Returns how many were shown. */
static size_t try_each(const char *name)
{
    json_t *list = load(name), *keys = json_object(), *value;
    struct history *whole = history_new();
    struct store store = {0};
    struct buf text = {0};
    size_t index, shown = 0;
    const char *key;

    json_array_foreach(list, index, value)
    {
        json_object_update(keys, value);
    }
    write_without(list, "", &text);
    cr_assert(eq(int, read_events(&text, &store, whole), 1));
    json_object_foreach(keys, key, value)
    {
        shown += try_without(list, key, whole);
    }
    json_decref(keys);
    json_decref(list);
    buf_release(&text);
    store_release(&store);
    history_free(whole);
    return shown;
}

Test(left_out, is_missed_by_no_view)
{
    DIR *corpus = opendir(CORPUS);
    struct dirent *entry;
    size_t shown = 0;

    cr_assert(ne(ptr, corpus, NULL));
    while ((entry = readdir(corpus))) {
        if (!strstr(entry->d_name, ".json"))
            continue;
        shown += try_each(entry->d_name);
    }
    closedir(corpus);
    cr_assert(lt(sz, 200, shown)); /* of some 16 recordings */
}
