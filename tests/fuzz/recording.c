/* SPDX-License-Identifier: MIT */
/*
 * recording.c - any bytes as a recording, and all that is shown of it.
 *
 * A recording that is refused must be refused with a sentence. One that is
 * read is judged and shown by every view, and compared with what a change makes
 * of it. Nothing that is printed may be more than text: no control character,
 * nothing that turns the direction of a line, no broken UTF-8. What is written
 * for other programs must be what they read.
 */
#include <dirent.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "check/check.h"
#include "diff/diff.h"
#include "format/format.h"
#include "fuzz.h"
#include "step/driver.h"
#include "screen/screen.h"
#include "step/session.h"
#include "trace/store.h"

#define MOST_EVENTS 200u /* a longer recording takes long and shows no more */
#define MOST_BYTES  (16u << 10) /* of the change of one */

static const char commands[] =
    "R\nx\nlast\nfirst\nsearch rax\n/0x7f\nwho 0\n>\n>\n<\nwriter\nstage\n"
    "stage\ng 3\nback\nwho 1000\n?\nfirst\n";

/* What is said to questions, and between them. */
static const char answers[] = "\n1\n\n-4\n\nyes\n\n0x7f\n\nback\n\n?\n0\n\n"
                              "99999999999999999999\n\nno\nlast\n\n";

/* --- reading -------------------------------------------------------------- */

static bool read_store(const uint8_t *data, size_t size, struct store *store)
{
    FILE *in = fmemopen((void *)data, size, "r");
    struct source *source = check_source_new(
        recording_new(in, "t"), &(struct check_options){.all = true});
    struct err err = {ERR_NONE, ""};
    struct event event;
    int more;

    while ((more = source_next(source, &event, &err)) > 0)
        store_append(store, &event);
    if (more < 0) {
        BUG_UNLESS(err.kind == ERR_DATA && strncmp(err.text, "t:", 2) == 0);
        fuzz_check_text(err.text, strlen(err.text), false);
    }
    source_free(source);
    fclose(in);
    return more == 0 && store->count <= MOST_EVENTS;
}

/* --- showing -------------------------------------------------------------- */

/* The ways to show a trace: VIEW(what, the sink). */
#define SINKS(VIEW)                                                  \
    VIEW(SHOWN_TEXT, text_sink_new(out, false))                      \
    VIEW(SHOWN_COLOR, text_sink_new(out, true))                      \
    VIEW(SHOWN_TEXT, brief_sink_new(out, false))                     \
    VIEW(SHOWN_TEXT, who_sink_new(out, false, 0))                    \
    VIEW(SHOWN_TEXT, who_sink_new(out, false, 0x7f0000000003))       \
    VIEW(SHOWN_BYTES, raw_sink_new(out))                             \
    VIEW(SHOWN_LINES, json_sink_new(out))                            \
    VIEW(SHOWN_LINES, asciicast_sink_new(out, true))                 \
    VIEW(SHOWN_OBJECT, chrome_sink_new(out))                         \
    VIEW(SHOWN_TEXT, dot_sink_new(out))                              \
    VIEW(SHOWN_TEXT, perf_map_sink_new(out))                         \
    VIEW(SHOWN_PAGE, html_sink_new(out, HTML_EVENTS))                \
    VIEW(SHOWN_PAGE, html_sink_new(out, 5))                          \
    VIEW(SHOWN_TEXT, quiz_sink_new(out, false, false))               \
    VIEW(SHOWN_TEXT, quiz_sink_new(out, false, true))                \
    VIEW(SHOWN_TEXT, verdicts_sink_new(out, VERDICTS_TEXT, false))   \
    VIEW(SHOWN_LINES, verdicts_sink_new(out, VERDICTS_JSON, false))  \
    VIEW(SHOWN_TEXT, verdicts_sink_new(out, VERDICTS_JUNIT, false))  \
    VIEW(SHOWN_TEXT, verdicts_sink_new(out, VERDICTS_GITHUB, false)) \
    VIEW(SHOWN_TEXT, split_sink_new(&(struct split_form){            \
                         make_text, .out = out, .prefix = true}))

enum shown {
    SHOWN_TEXT,
    SHOWN_COLOR,
    SHOWN_BYTES,
    SHOWN_LINES,  /* a value of JSON each */
    SHOWN_OBJECT, /* one */
    SHOWN_PAGE,
};

static struct sink *make_text(FILE *out, const void *context)
{
    (void)context;
    return text_sink_new(out, false);
}

static void check_json(const char *text, size_t len)
{
    json_t *value =
        json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);

    BUG_UNLESS(value);
    json_decref(value);
}

static void check_shown(enum shown shown, const char *text, size_t len)
{
    static const char end[] = "</html>\n";

    if (shown != SHOWN_BYTES)
        fuzz_check_text(text, len, shown == SHOWN_COLOR);
    if (shown == SHOWN_OBJECT)
        check_json(text, len);
    if (shown == SHOWN_PAGE && len > 0) /* once, and nothing behind it */
        BUG_UNLESS(strstr(text, end) == text + len - strlen(end));
    for (size_t at = 0, line; shown == SHOWN_LINES && at < len;
         at += line + 1) {
        line = strcspn(text + at, "\n");
        check_json(text + at, line);
    }
}

/* Hands the events to a sink, which is freed. */
static void fill(const struct store *store, struct sink *sink)
{
    struct err err = {ERR_NONE, ""};
    struct unpacked event = {0};

    for (size_t i = 0; i < store->count; i++) {
        store_read(store, i, &event);
        sink_emit(sink, &event.event, &err);
    }
    sink_finish(sink, &err);
    sink_free(sink);
    unpacked_release(&event);
    fuzz_check_text(err.text, strlen(err.text), false);
}

static void show(const struct store *store)
{
    FILE *out;
    char *text = NULL;
    size_t len = 0;

#define VIEW(shown, sink)              \
    out = open_memstream(&text, &len); \
    fill(store, sink);                 \
    fclose(out);                       \
    check_shown(shown, text, len);     \
    free(text);
    SINKS(VIEW)
#undef VIEW
}

/* --- files of code -------------------------------------------------------- */

static void check_file(const char *directory, const char *name)
{
    struct buf path = {0};
    char magic[4] = "";
    FILE *file;

    buf_printf(&path, "%s/%s", directory, name);
    file = fopen(buf_text(&path), "re");
    if (strstr(name, ".elf"))
        BUG_UNLESS(file && fread(magic, 1, sizeof magic, file) == 4 &&
                   memcmp(magic, "\177ELF", sizeof magic) == 0);
    if (file)
        fclose(file);
    unlink(buf_text(&path));
    buf_release(&path);
}

static void dump(const struct store *store)
{
    char name[] = "/tmp/jittrace-fuzz-XXXXXX";
    struct err err = {ERR_NONE, ""};
    struct dirent *entry;
    struct sink *sink;
    DIR *directory;

    BUG_UNLESS(mkdtemp(name) && (sink = dump_sink_new(name, true, &err)));
    fill(store, sink);
    directory = opendir(name);
    while (directory && (entry = readdir(directory)))
        if (entry->d_name[0] != '.')
            check_file(name, entry->d_name);
    if (directory)
        closedir(directory);
    rmdir(name);
}

/* --- comparing ------------------------------------------------------------ */

static struct history *history_of(const uint8_t *data, size_t size)
{
    struct history *history = history_new();
    struct unpacked event = {0};
    struct store store = {0};

    if (read_store(data, size, &store))
        for (size_t i = 0; i < store.count; i++) {
            store_read(&store, i, &event);
            history_append(history, &event.event);
        }
    unpacked_release(&event);
    store_release(&store);
    return history;
}

static void compare(struct history *a, struct history *b)
{
    static const char *const names[] = {"a", "b"};
    struct history *const both[] = {a, b};
    struct err err = {ERR_NONE, ""};
    FILE *out;
    char *text = NULL;
    size_t len = 0;
    struct diff diff;

    diff_make(a, b, &diff);
    BUG_UNLESS(diff_any(&diff) == (diff_earliest(&diff) != DIFFS));
    BUG_UNLESS(a != b || !diff_any(&diff));
    for (int json = 0; json < 2; json++) {
        out = open_memstream(&text, &len);
        if (json)
            diff_write_json(out, both, &diff, &err);
        else
            diff_write(out, false, names, both, &diff, &err);
        fclose(out);
        check_shown(json ? SHOWN_LINES : SHOWN_TEXT, text, len);
        free(text);
    }
    diff_release(&diff);
}

/* With itself, of which it must not differ, and with a change of it that can
 * be read. */
static void differ(const uint8_t *data, size_t size)
{
    struct history *history = history_of(data, size), *other = history_new();
    uint8_t *changed = mem_alloc(MOST_BYTES);
    size_t len;

    for (unsigned try = 0; try < 4 && history_count(other) == 0; try++) {
        len = size < MOST_BYTES ? size : MOST_BYTES;
        memcpy(changed, data, len);
        len = fuzz_change_recording(changed, len, MOST_BYTES,
                                    (unsigned)size * 4 + try);
        history_free(other);
        other = history_of(changed, len);
    }
    compare(history, history);
    if (history_count(other) > 0) {
        compare(history, other);
        compare(other, history);
    }
    history_free(history);
    history_free(other);
    free(changed);
}

/* --- stepping ------------------------------------------------------------- */

static int input_of(const char *text)
{
    int fd = memfd_create("commands", MFD_CLOEXEC);

    BUG_UNLESS(fd >= 0 &&
               write(fd, text, strlen(text)) == (ssize_t)strlen(text) &&
               lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

static void draw(struct session *session)
{
    static const struct {
        unsigned rows, columns;
    } sizes[] = {{24, 80}, {50, 160}, {3, 7}};
    struct history *history = session->history;
    uint64_t count = history_count(history);

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct grid grid;
        struct buf row = {0};

        grid_init(&grid, sizes[i].rows, sizes[i].columns);
        for (uint64_t seq = 0; seq < count; seq++)
            screen_draw(session_screen(session), history, seq, &grid);
        for (unsigned at = 0; count > 0 && at < grid.rows; at++)
            grid_row(&grid, at, &row);
        fuzz_check_text(buf_text(&row), row.len, false);
        buf_release(&row);
        grid_release(&grid);
    }
}

/* With questions or without. */
static void step(const uint8_t *data, size_t size, bool predicts)
{
    FILE *in = fmemopen((void *)data, size, "r");
    struct source *source = recording_new(in, "t");
    struct session *session = session_new(source);
    struct driver driver = {.signals = -1, .output = -1};
    struct predict predict = {0};
    struct err err = {ERR_NONE, ""};
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    if (predicts)
        session->predict = &predict;
    if (session_load(session, &err) == 0) {
        driver.input = input_of(predicts ? answers : commands);
        plain_run(session, &driver, out, false, &err);
        close(driver.input);
        if (!predicts)
            draw(session);
    }
    fclose(out);
    fuzz_check_text(text, len, false);
    free(text);
    predict_release(&predict);
    session_free(session);
    source_free(source);
    fclose(in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct store store;

    if (size == 0)
        return 0;
    store = (struct store){0};
    if (read_store(data, size, &store)) {
        show(&store);
        dump(&store);
        differ(data, size);
        step(data, size, false);
        step(data, size, true);
    }
    store_release(&store);
    return 0;
}

/* libFuzzer and our own driver call it. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most,
                               unsigned seed)
{
    return rand_r(&seed) % 8 == 0
               ? LLVMFuzzerMutate(data, size, most)
               : fuzz_change_recording(data, size, most, seed);
}
