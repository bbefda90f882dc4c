/* SPDX-License-Identifier: MIT */
/*
 * What a program calls its code: the lines of a perf map, the file that they
 * come from, and which name an address has in the end.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/support.h"
#include "target/perfmap.h"
#include "trace/labels.h"

TestSuite(names, .timeout = 60);

#define COUNT(array) (sizeof(array) / sizeof *(array))

static struct bytes bytes_of(const char *text)
{
    return (struct bytes){(const uint8_t *)text, strlen(text)};
}

/* --- lines --------------------------------------------------------------- */

Test(names, lines_of_a_perf_map)
{
    static const struct {
        const char *line;
        uint64_t addr;
        uint64_t length; /* 0: it is no line */
        const char *name;
    } rows[] = {
        {"7f0000001000 10 fib", 0x7f0000001000, 16, "fib"},
        {"1 1 a", 1, 1, "a"},
        {"0 ff f", 0, 255, "f"},
        {"ABCdef A x", 0xabcdef, 10, "x"},
        {"0x1000 0x20 fib", 0x1000, 32, "fib"},
        {"0000000000001000 00000020 fib", 0x1000, 32, "fib"},
        {"ffffffffffffffff 0 x", 0, 0, ""},
        {"fffffffffffffff0 f last", 0xfffffffffffffff0, 15, "last"},
        {"fffffffffffffff0 10 wraps", 0, 0, ""},
        {"fffffffffffffff0 11 wraps", 0, 0, ""},
        {"10000000000000000 1 too large", 0, 0, ""},
        {"1 10000000000000000 too large", 0, 0, ""},
        {"1000 20 JS:*hot [eval]:1:13", 0x1000, 32, "JS:*hot [eval]:1:13"},
        {"1000 20  two blanks ", 0x1000, 32, " two blanks "},
        {"1000 20 \xff\x1b[31m", 0x1000, 32, "\xff\x1b[31m"},
        {"", 0, 0, ""},
        {" ", 0, 0, ""},
        {"1000", 0, 0, ""},
        {"1000 ", 0, 0, ""},
        {"1000 20", 0, 0, ""},
        {"1000 20 ", 0, 0, ""},
        {"1000 0 empty", 0, 0, ""},
        {"1000  20 x", 0, 0, ""},
        {" 1000 20 x", 0, 0, ""},
        {"1000\t20\tx", 0, 0, ""},
        {"-1000 20 x", 0, 0, ""},
        {"0x 20 x", 0, 0, ""},
        {"1000h 20 x", 0, 0, ""},
        {"fib 1000 20", 0, 0, ""},
    };
    struct perfmap_line line;

    for (size_t i = 0; i < COUNT(rows); i++) {
        bool is = perfmap_parse(bytes_of(rows[i].line), &line);

        cr_expect(eq(int, is, rows[i].length > 0), "'%s'", rows[i].line);
        if (!is || rows[i].length == 0)
            continue;
        cr_expect(eq(u64, line.addr, rows[i].addr), "'%s'", rows[i].line);
        cr_expect(eq(u64, line.length, rows[i].length), "'%s'", rows[i].line);
        cr_expect(eq(str, line.name, (char *)rows[i].name), "'%s'",
                  rows[i].line);
    }
    cr_expect(
        eq(int,
           perfmap_parse((struct bytes){(const uint8_t *)"1 2 a\0b", 7}, &line),
           0));
}

/* A long name is cut, not in the middle of a character. */
Test(names, a_name_of_any_length)
{
    struct perfmap_line line;
    char text[2 * NAMING_NAME];

    for (size_t before = 0; before < 8; before++) {
        size_t len = (size_t)snprintf(text, sizeof text, "1 1 ");

        memset(text + len, 'n', NAMING_NAME - before);
        len += NAMING_NAME - before;
        for (int i = 0; i < 4; i++, len += 3)
            memcpy(text + len, "\xe2\x82\xac", 3);
        text[len] = 0;
        cr_assert(eq(int, perfmap_parse(bytes_of(text), &line), 1));
        cr_assert(
            eq(sz, strlen(line.name), NAMING_NAME - before + before / 3 * 3),
            "%zu", before);
    }
    memset(text, 0x80, sizeof text); /* no character begins anywhere */
    memcpy(text, "1 1 ", 4);
    cr_assert(eq(
        int, perfmap_parse((struct bytes){(uint8_t *)text, sizeof text}, &line),
        1));
    cr_assert(eq(sz, strlen(line.name), NAMING_NAME));
}

/* --- the file ------------------------------------------------------------ */

static char map_name[64];

static void name_map(void)
{
    snprintf(map_name, sizeof map_name, "/tmp/perf-%d.map", (int)getpid());
    unlink(map_name);
}

static void put(const char *mode, const char *text)
{
    FILE *file = fopen(map_name, mode);

    cr_assert(ne(ptr, file, NULL));
    fputs(text, file);
    fclose(file);
}

/* What a look at the map gives, as "name name ". */
static void expect_names(struct perfmap *map, const char *expected)
{
    struct naming naming;
    struct buf got = {0};

    perfmap_read(map);
    while (perfmap_next(map, &naming))
        if (naming.kind == NAMING_NAME_GIVEN)
            buf_printf(&got, "%s ", naming.name.name);
        else
            buf_printf(&got, "(%s) ", strstr(naming.flaw, ".map ") + 5);
    cr_expect(eq(str, (char *)buf_text(&got), (char *)expected));
    buf_release(&got);
}

/* Whoever wrote to a pipe would find a reader, if it were but opened. */
Test(names, a_pipe_is_not_opened)
{
    struct perfmap map;
    char opened[sizeof(struct inotify_event) + 256];
    int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

    name_map();
    perfmap_init(&map, getpid());
    cr_assert(eq(int, mkfifo(map_name, 0600), 0));
    cr_assert(ge(int, inotify_add_watch(watch, map_name, IN_OPEN), 0));
    expect_names(&map, "(is no regular file, and is not read) ");
    expect_names(&map, "");
    cr_assert(lt(long, read(watch, opened, sizeof opened), 0));
    unlink(map_name);
    put("w", "1 1 a\n");
    expect_names(&map, "a ");
    close(watch);
    perfmap_release(&map);
    unlink(map_name);
}

/* Another process, which had the same number, may have left it. */
Test(names, a_pipe_that_was_there_before)
{
    struct perfmap map;

    name_map();
    cr_assert(eq(int, mkfifo(map_name, 0600), 0));
    perfmap_init(&map, getpid());
    expect_names(&map, "");
    perfmap_release(&map);
    unlink(map_name);
}

Test(names, a_line_without_an_end)
{
    struct perfmap map;
    char text[4096] = {0};

    name_map();
    perfmap_init(&map, getpid());
    put("w", "1 1 a\n2 1 b");
    expect_names(&map, "a ");
    perfmap_end(&map); /* perf takes it, too */
    perfmap_end(&map);
    expect_names(&map, "b ");
    perfmap_release(&map);
    name_map();
    perfmap_init(&map, getpid());
    memset(text, 'b', sizeof text - 1);
    for (unsigned i = 0; i <= PERFMAP_LINE / sizeof text + 1; i++)
        put("a", text);
    expect_names(&map, "(has 1056510 bytes and no end) ");
    expect_names(&map, "");
    put("a", "\n6 1 c\n");
    expect_names(&map,
                 "(does not begin with two numbers in hex and blanks) c ");
    perfmap_release(&map);
    unlink(map_name);
}

Test(names, only_what_is_new_is_read)
{
    struct perfmap map;

    name_map();
    perfmap_init(&map, getpid());
    expect_names(&map, "");
    put("w", "1 1 a\n2 1 b\n");
    expect_names(&map, "a b ");
    expect_names(&map, "");
    put("a", "3 1 c\n4 1");
    expect_names(&map, "c ");
    put("a", " d");
    expect_names(&map, "");
    put("a", "d\n");
    expect_names(&map, "dd ");
    expect_names(&map, "");
    perfmap_release(&map);
    unlink(map_name);
}

/* Truncated, grown longer than before meanwhile, or replaced. */
Test(names, a_file_that_is_begun_anew)
{
    struct perfmap map;
    struct buf long_one = {0};

    name_map();
    perfmap_init(&map, getpid());
    put("w", "1 1 a\n2 1 b\n");
    expect_names(&map, "a b ");
    put("w", "3 1 c\n");
    expect_names(&map, "c ");
    put("w", "3 1 d\n"); /* as long */
    expect_names(&map, "d ");
    for (int i = 0; i < 3; i++)
        buf_printf(&long_one, "%x 1 e%d\n", i, i);
    put("w", buf_text(&long_one));
    expect_names(&map, "e0 e1 e2 ");
    unlink(map_name);
    put("w", "1 1 f\n");
    expect_names(&map, ""); /* still the old one, whose end is read first */
    expect_names(&map, "f ");
    unlink(map_name);
    expect_names(&map, "");
    expect_names(&map, "");
    buf_release(&long_one);
    perfmap_release(&map);
}

/* Another process had the number before and left its names. */
Test(names, what_was_there_before_is_not_read)
{
    struct perfmap map;

    name_map();
    put("w", "1 1 old\n2 1 older\n");
    perfmap_init(&map, getpid());
    expect_names(&map, "");
    put("a", "3 1 new\n");
    expect_names(&map, "new ");
    perfmap_release(&map);
    put("w", "1 1 old\n2 1 older\n");
    perfmap_init(&map, getpid());
    put("w", "1 1 very new\n2 1 newer still\n");
    expect_names(&map, "very new newer still ");
    perfmap_release(&map);
    unlink(map_name);
}

/* Anybody may make a file of that name in /tmp. */
Test(names, what_the_program_did_not_write_is_not_read)
{
    const char *other = scratch(".names");
    struct perfmap map;
    char target[4096];

    name_map();
    write_file(other, "1 1 linked\n", 11, 0644);
    cr_assert(ne(ptr, realpath(other, target), NULL));
    perfmap_init(&map, getpid());
    cr_assert(eq(int, symlink(target, map_name), 0));
    expect_names(&map, "(is no regular file, and is not read) ");
    unlink(map_name);
    cr_assert(eq(int, mkfifo(map_name, 0644), 0));
    expect_names(&map, ""); /* and does not wait for a writer */
    unlink(map_name);
    cr_assert(eq(int, mkdir(map_name, 0755), 0));
    expect_names(&map, "");
    rmdir(map_name);
    put("w", "1 1 foreign\n");
    if (geteuid() == 0) { /* nobody else can give a file away */
        cr_assert(eq(int, chown(map_name, 12345, 12345), 0));
        expect_names(&map, "");
    }
    unlink(map_name);
    put("w", "1 1 own\n");
    expect_names(&map, "own ");
    perfmap_release(&map);
    unlink(map_name);
    unlink(other);
}

Test(names, a_file_without_end)
{
    struct perfmap map;
    struct naming naming;
    char block[4096];
    size_t lines = 0;
    FILE *file;

    name_map();
    perfmap_init(&map, getpid());
    memset(block, 'x', sizeof block);
    memcpy(block, "1 1 ", 4);
    block[sizeof block - 1] = '\n';
    file = fopen(map_name, "w");
    cr_assert(ne(ptr, file, NULL));
    for (size_t i = 0; i < PERFMAP_BYTES / sizeof block + 100; i++)
        cr_assert(eq(sz, fwrite(block, sizeof block, 1, file), 1));
    fclose(file);
    perfmap_read(&map);
    cr_assert(eq(int, map.full, 1));
    while (perfmap_next(&map, &naming))
        lines++;
    cr_assert(le(sz, lines, PERFMAP_BYTES / sizeof block));
    cr_assert(ge(sz, lines, PERFMAP_BYTES / sizeof block - 20));
    expect_names(&map, "");
    perfmap_release(&map);
    unlink(map_name);
}

/* --- labels ------------------------------------------------------------- */

/* Returns whether it is news. */
static bool add(struct labels *labels, uint64_t addr, uint64_t length,
                const char *name)
{
    const struct event_name event = {
        .addr = addr, .length = length, .name = name};

    return labels_add(labels, &event) != NULL;
}

static void expect_at(const struct labels *labels, uint64_t addr,
                      const char *expected)
{
    struct buf got = {0};

    labels_describe(labels, addr, &got);
    cr_expect(eq(str, (char *)buf_text(&got), (char *)expected), "at %llu",
              (unsigned long long)addr);
    buf_release(&got);
}

Test(names, the_latest_name_counts)
{
    struct labels labels = {0}, before = {0};

    expect_at(&labels, 100, "");
    cr_assert(eq(int, add(&labels, 100, 100, "all"), 1));
    cr_assert(eq(int, add(&labels, 100, 100, "all"), 0));
    ranges_copy(&before.ranges, &labels.ranges);
    cr_assert(eq(int, add(&labels, 120, 10, "part"), 1));
    expect_at(&labels, 99, "");
    expect_at(&labels, 100, "all");
    expect_at(&labels, 119, "all+0x13");
    expect_at(&labels, 120, "part");
    expect_at(&labels, 129, "part+0x9");
    expect_at(&labels, 130, "all+0x1e");
    expect_at(&labels, 199, "all+0x63");
    expect_at(&labels, 200, "");
    expect_at(&before, 125, "all+0x19");
    cr_assert(eq(int, add(&labels, 100, 100, "all"), 1));
    expect_at(&labels, 125, "all+0x19");
    ranges_forget(&labels.ranges, 150, 150 + 10);
    expect_at(&labels, 149, "all+0x31");
    expect_at(&labels, 150, "");
    expect_at(&labels, 160, "all+0x3c");
    ranges_release(&before.ranges);
    ranges_release(&labels.ranges);
}

Test(names, a_long_name_is_shown_in_short)
{
    struct labels labels = {0};

    add(&labels, 0, 1, "0123456789012345678901234567890123456789");
    add(&labels, 1, 1, "01234567890123456789012345678901234567890");
    add(&labels, 2, 2,
        "012345678901234567890123456789012345\xe2\x82\xac"
        "6789");
    expect_at(&labels, 0, "0123456789012345678901234567890123456789");
    expect_at(&labels, 1, "0123456789012345678901234567890123456...");
    expect_at(&labels, 3, "012345678901234567890123456789012345...+0x1");
    ranges_release(&labels.ranges);
}

/* The slow model: a name for each address. */
#define SPACE 64

struct model {
    const char *name[SPACE];
    unsigned begin[SPACE];
};

static void check_model(const struct labels *labels, const struct model *model)
{
    for (unsigned i = 0; i < SPACE; i++) {
        const struct label *label = ranges_at(&labels->ranges, i);

        cr_assert(eq(int, label != NULL, model->name[i] != NULL), "%u", i);
        if (!label)
            continue;
        cr_assert(eq(str, (char *)label->name, (char *)model->name[i]));
        cr_assert(eq(u64, label->addr, model->begin[i]));
    }
}

/* Forgets a label of the model, wherever it still is. */
static void drop(struct labels *labels, struct model *model, unsigned at)
{
    struct label *label = ranges_at(&labels->ranges, at);
    unsigned begin = model->begin[at];
    const char *name = model->name[at];

    if (!name)
        return;
    for (unsigned i = 0; i < SPACE; i++)
        if (model->name[i] == name && model->begin[i] == begin)
            model->name[i] = NULL;
    labels_drop(labels, label);
}

Test(names, random_names_against_a_slow_model)
{
    static const char *const names[] = {"a", "b", "c", "d"};
    static char unique[20000][8];
    struct labels labels = {0}, copy = {0};
    struct model model = {0}, copied = {0};

    srand(1);
    for (unsigned round = 0; round < COUNT(unique); round++) {
        unsigned at = (unsigned)rand() % SPACE;
        unsigned length = 1 + (unsigned)rand() % (SPACE - at);
        int what = rand() % 8;

        snprintf(unique[round], sizeof *unique, "%s%u", names[round % 4],
                 round);
        if (what == 0) {
            ranges_forget(&labels.ranges, at, at + length);
            for (unsigned i = at; i < at + length; i++)
                model.name[i] = NULL;
        } else if (what == 1) {
            drop(&labels, &model, at);
        } else if (what == 2) {
            ranges_release(&copy.ranges);
            ranges_copy(&copy.ranges, &labels.ranges);
            copied = model;
        } else {
            length = 1 + length % 16;
            if (at + length > SPACE)
                length = SPACE - at;
            add(&labels, at, length, unique[round]);
            for (unsigned i = at; i < at + length; i++) {
                model.name[i] = unique[round];
                model.begin[i] = at;
            }
        }
        check_model(&labels, &model);
        check_model(&copy, &copied);
    }
    ranges_release(&labels.ranges);
    ranges_release(&copy.ranges);
}

/* --- a program ----------------------------------------------------------- */

/* A line that comes again is no news. */
Test(names, each_name_is_told_once)
{
    static const char *const names[] = {"all",   "seven", "jump to seven",
                                        "eight", "jump",  "elsewhere"};
    struct result result;
    struct store store;

    trace(&(struct job){.argv = ARGS("--", TRACEE("perf_map"))}, &store,
          &result);
    cr_assert(eq(sz, count(&store, EVENT_NAME), COUNT(names)));
    for (size_t i = 0; i < COUNT(names); i++)
        cr_assert(eq(str, (char *)nth(&store, EVENT_NAME, i)->name.name,
                     (char *)names[i]));
    result_release(&result);
    store_release(&store);
}

/* Some write their map only when they end; the file is left alone. */
Test(names, a_map_that_is_written_at_the_end)
{
    struct result result;
    struct store store;
    struct buf left = {0};
    const struct event *name;

    trace(&(struct job){.argv = ARGS("--", TRACEE("late_names"))}, &store,
          &result);
    snprintf(map_name, sizeof map_name, "/tmp/perf-%d.map",
             atoi(buf_text(&result.out)));
    read_file(map_name, &left);
    unlink(map_name);
    cr_assert(eq(int, result.status, 0));
    cr_assert(eq(sz, count(&store, EVENT_NAME), 1));
    name = nth(&store, EVENT_NAME, 0);
    cr_assert(eq(str, (char *)name->name.name, "five"));
    cr_assert(eq(u64, name->name.addr, nth(&store, EVENT_MAP, 0)->map.addr));
    cr_assert(eq(u64, name->name.length, 6));
    cr_assert(eq(u64, name->seq, store.count - 2)); /* in front of the exit */
    cr_assert(contains(buf_text(&left), " 6 five\n"));
    buf_release(&left);
    result_release(&result);
    store_release(&store);
}

/* What was recorded of a jitdump is shown when the dump is gone: the names, the
 * lines that they have, and nothing else than when it was there. */
Test(names, a_replay_of_a_jitdump)
{
    const char *file = scratch(".jsonl"), *again = scratch(".again");
    struct buf first = {0}, second = {0};
    struct result result;

    run(&(struct job){.argv = ARGS(JITTRACE, "--format=json", "-o", file, "--",
                                   TRACEE("jitdump"))},
        &result);
    cr_assert(eq(int, result.status, 0));
    result_release(&result);
    run(&(struct job){.argv = ARGS(JITTRACE, "--replay", file, "--format=json",
                                   "-o", again)},
        &result);
    result_release(&result);
    read_file(file, &first);
    read_file(again, &second);
    cr_assert(eq(str, (char *)buf_text(&second), (char *)buf_text(&first)));
    run(&(struct job){.argv = ARGS(JITTRACE, "--replay", file)}, &result);
    cr_assert(contains(buf_text(&result.out), "named seven (jitdump.c:57)"));
    cr_assert(contains(buf_text(&result.out), "code[0] <seven> jitdump.c:57"));
    cr_assert(contains(buf_text(&result.out), "jitdump.c:58"));
    cr_assert(contains(buf_text(&result.out), "has no name any more"));
    result_release(&result);
    buf_release(&first);
    buf_release(&second);
}
