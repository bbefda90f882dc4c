/* SPDX-License-Identifier: MIT */
/*
 * recording.c - any bytes as a recording, and all that is shown of it.
 *
 * A recording that is refused must be refused with a sentence. One that is
 * read is shown by every view, and nothing that they print may be more than
 * text: no control character, nothing that turns the direction of a line, no
 * broken UTF-8.
 *
 * Bytes changed at random are hardly ever a recording. So an input is also
 * changed as the list of objects that it is: LLVMFuzzerCustomMutator.
 */
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"
#include "fuzz.h"
#include "format/format.h"
#include "step/driver.h"
#include "screen/screen.h"
#include "step/session.h"
#include "trace/store.h"

#define MOST_EVENTS 200u /* a longer recording takes long and shows no more */

static const char commands[] =
    "R\nx\nlast\nfirst\nsearch rax\n/0x7f\nwho 0\n>\n>\n<\nwriter\nstage\n"
    "stage\ng 3\nback\nwho 1000\n?\nfirst\n";

/* --- reading -------------------------------------------------------------- */

static bool read_store(const uint8_t *data, size_t size, struct store *store)
{
    FILE *in = fmemopen((void *)data, size, "r");
    struct source *source = recording_new(in, "t");
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

enum shown {
    VIEW_TEXT,
    VIEW_COLOR,
    VIEW_WHO,
    VIEW_RAW,
    VIEW_JSON,
    VIEWS,
};

static struct sink *sink_of(enum shown view, FILE *out, uint64_t number)
{
    switch (view) {
    case VIEW_TEXT:
        return text_sink_new(out, false);
    case VIEW_COLOR:
        return text_sink_new(out, true);
    case VIEW_WHO:
        return who_sink_new(out, false, number);
    case VIEW_RAW:
        return raw_sink_new(out);
    default:
        return json_sink_new(out);
    }
}

static void show(const struct store *store, enum shown view, uint64_t number)
{
    struct err err = {ERR_NONE, ""};
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    struct sink *sink = sink_of(view, out, number);
    struct unpacked event = {0};

    for (size_t i = 0; i < store->count; i++) {
        store_read(store, i, &event);
        sink_emit(sink, &event.event, &err);
    }
    sink_finish(sink, &err);
    sink_free(sink);
    unpacked_release(&event);
    fclose(out);
    if (view != VIEW_RAW)
        fuzz_check_text(text, len, view == VIEW_COLOR);
    fuzz_check_text(err.text, strlen(err.text), false);
    free(text);
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

static void step(const uint8_t *data, size_t size)
{
    FILE *in = fmemopen((void *)data, size, "r");
    struct source *source = recording_new(in, "t");
    struct session *session = session_new(source);
    struct driver driver = {.signals = -1, .output = -1};
    struct err err = {ERR_NONE, ""};
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    if (session_load(session, &err) == 0) {
        driver.input = input_of(commands);
        plain_run(session, &driver, out, false, &err);
        close(driver.input);
        draw(session);
    }
    fclose(out);
    fuzz_check_text(text, len, false);
    free(text);
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
        for (unsigned view = 0; view < VIEWS; view++)
            show(&store, (enum shown)view, 0);
        show(&store, VIEW_WHO, 0x7f0000000003);
        step(data, size);
    }
    store_release(&store);
    return 0;
}

/* --- changing a recording ------------------------------------------------- */

static const char *const texts[] = {
    "",
    "0x0",
    "0xfff",
    "0x1000",
    "0x10000",
    "0x7fffffffffff",
    "0xffffffffffffffff",
    "0xfffffffffffff000",
    "00",
    "c3",
    "ffffffffffffffffffffffffffffff",
    "---",
    "rwx",
    "call",
    "jump",
    "return",
    "signal",
    "elsewhere",
    "steps",
    "call-steps",
    "mmap(",
    "mmap(NULL, 1",
    "MAP_PRIVATE|MAP_ANONYMOUS",
    "|||",
    "anonymous",
    "heap",
    "/",
    "read",
    "write",
    "execute",
    "\xe2\x80\xae\xc2\x9b\x1b[31m\t\n\x7f",
    "\xd8\x9c\xe2\x81\xa6",
    "1-2",
    "7f0000000000-ffffffffffffffff rwxp",
    "mov rax, -4",
    "a+0x",
    "libc.so.6:memcpy+0x12",
};

static const json_int_t numbers[] = {-1,
                                     0,
                                     1,
                                     2,
                                     9,
                                     11,
                                     64,
                                     65,
                                     255,
                                     4096,
                                     2147483647,
                                     2147483648,
                                     9007199254740991};

/* What stands at a random place of the value, or a new value in its place. */
static json_t *other_value(unsigned *seed, const json_t *value)
{
    size_t many = sizeof texts / sizeof *texts;
    size_t count = sizeof numbers / sizeof *numbers;
    const char *text;
    json_t *other;

    if (json_is_integer(value) && rand_r(seed) % 8)
        return rand_r(seed) % 2
                   ? json_integer(numbers[(size_t)rand_r(seed) % count])
                   : json_integer(json_integer_value(value) + rand_r(seed) % 9 -
                                  4);
    if (!json_is_string(value) || rand_r(seed) % 3 == 0)
        return json_string(texts[(size_t)rand_r(seed) % many]);
    text = json_string_value(value);
    if (*text && rand_r(seed) % 2) { /* another character */
        char *copy = mem_copy_text(text);

        copy[(size_t)rand_r(seed) % strlen(copy)] =
            "0123456789abcdefx+-|,( /"[rand_r(seed) % 24];
        other = json_string(copy);
        free(copy);
        return other ? other : json_string("");
    }
    return json_stringn(text, (size_t)rand_r(seed) % (strlen(text) + 1));
}

static void change_object(unsigned *seed, json_t *object)
{
    size_t count = json_object_size(object), at;
    const char *key;
    json_t *value;
    void *each;

    if (count == 0)
        return;
    each = json_object_iter(object);
    for (at = (size_t)rand_r(seed) % count; at > 0; at--)
        each = json_object_iter_next(object, each);
    key = json_object_iter_key(each);
    value = json_object_iter_value(each);
    if (json_is_object(value) && rand_r(seed) % 4) {
        change_object(seed, value);
    } else if (json_is_array(value) && json_array_size(value) &&
               rand_r(seed) % 4) {
        at = (size_t)rand_r(seed) % json_array_size(value);
        if (json_is_object(json_array_get(value, at)))
            change_object(seed, json_array_get(value, at));
        else
            json_array_set_new(value, at,
                               other_value(seed, json_array_get(value, at)));
    } else if (rand_r(seed) % 2) {
        json_object_del(object, key);
    } else {
        json_t *other = other_value(seed, value);

        if (other)
            json_object_set_new(object, key, other);
    }
}

static void change_list(unsigned *seed, json_t *list)
{
    size_t count = json_array_size(list);
    size_t from = (size_t)rand_r(seed) % count;
    size_t to = (size_t)rand_r(seed) % count;

    switch (rand_r(seed) % 8) {
    case 0:
        json_array_remove(list, from);
        break;
    case 1:
        json_array_insert_new(list, to,
                              json_deep_copy(json_array_get(list, from)));
        break;
    case 2:
        while (count > 3 && json_array_size(list) > to + 1)
            json_array_remove(list, json_array_size(list) - 2);
        break;
    default:
        change_object(seed, json_array_get(list, from));
    }
}

/* The lines that are objects. */
static json_t *list_of(const uint8_t *data, size_t size)
{
    json_t *list = json_array();

    while (size > 0) {
        const uint8_t *end = memchr(data, '\n', size);
        size_t len = end ? (size_t)(end - data) : size;
        json_t *object =
            json_loadb((const char *)data, len, JSON_REJECT_DUPLICATES, NULL);

        if (json_is_object(object))
            json_array_append_new(list, object);
        else
            json_decref(object);
        data += len + (end != NULL);
        size -= len + (end != NULL);
    }
    return list;
}

static size_t write_list(const json_t *list, uint8_t *data, size_t most)
{
    size_t used = 0, index;
    json_t *object;

    json_array_foreach(list, index, object)
    {
        size_t len;

        if (json_object_get(object, "seq"))
            json_object_set_new(object, "seq", json_integer((long)index));
        len =
            json_dumpb(object, (char *)data + used, most - used, JSON_COMPACT);
        if (len + 1 > most - used)
            break;
        used += len;
        data[used++] = '\n';
    }
    return used;
}

/*
 * Changes an input in place; libFuzzer and our own driver call it. What is no
 * list of objects is changed as bytes.
 */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most,
                               unsigned seed)
{
    json_t *list;
    size_t len = 0;

    if (rand_r(&seed) % 8 == 0)
        return LLVMFuzzerMutate(data, size, most);
    list = list_of(data, size);
    for (int i = rand_r(&seed) % 4; i >= 0 && json_array_size(list); i--)
        change_list(&seed, list);
    if (json_array_size(list) > 0)
        len = write_list(list, data, most);
    json_decref(list);
    return len > 0 ? len : LLVMFuzzerMutate(data, size, most);
}
