/* SPDX-License-Identifier: MIT */
/*
 * --dump-code: which files there are, what is in them, that objdump reads them,
 * and that a recording gives the same ones as the program.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "format/format.h"
#include "support/support.h"

TestSuite(dump, .timeout = 60);

#define BASE         0x7f0000000000u
#define PAGE         4096u
#define RW           (PROT_READ | PROT_WRITE)
#define RX           (PROT_READ | PROT_EXEC)
#define RWX          (PROT_READ | PROT_WRITE | PROT_EXEC)
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* --- a directory --------------------------------------------------------- */

/* One that is not there. */
static const char *new_dir(const char *suffix)
{
    const char *name = scratch(suffix);
    struct buf command = {0};

    buf_printf(&command, "rm -rf '%s'", name);
    cr_assert(eq(int, system(buf_text(&command)), 0));
    buf_release(&command);
    return name;
}

static const char *in_dir(const char *dir, const char *file)
{
    struct buf path = {0};

    buf_printf(&path, "%s/%s", dir, file);
    return buf_text(&path); /* never freed */
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* Its files but the index, as "NAME LENGTH, NAME LENGTH". */
static void list_dir(const char *dir, struct buf *out)
{
    struct dirent **list;
    int count = scandir(dir, &list, NULL, by_name);
    struct stat file;

    cr_assert(ge(int, count, 0), "%s", dir);
    for (int i = 0; i < count; i++) {
        const char *name = list[i]->d_name;

        if (name[0] == '.' || !strcmp(name, "index.txt"))
            continue;
        cr_assert(eq(int, stat(in_dir(dir, name), &file), 0));
        buf_printf(out, "%s%s %lld", out->len ? ", " : "", name,
                   (long long)file.st_size);
    }
}

static void expect_files(const char *dir, const char *expected)
{
    struct buf got = {0};

    list_dir(dir, &got);
    cr_expect(eq(str, (char *)buf_text(&got), (char *)expected));
    buf_release(&got);
}

static void expect_bytes(const char *dir, const char *file,
                         const char *expected)
{
    struct buf content = {0}, got = {0};

    read_file(in_dir(dir, file), &content);
    hex((struct bytes){content.data, content.len}, &got);
    cr_expect(eq(str, (char *)buf_text(&got), (char *)expected), "%s", file);
    buf_release(&content);
    buf_release(&got);
}

static bool index_has(const char *dir, const char *text)
{
    struct buf index = {0};
    bool has;

    read_file(in_dir(dir, "index.txt"), &index);
    has = strstr(buf_text(&index), text) != NULL;
    buf_release(&index);
    return has;
}

/* --- events -------------------------------------------------------------- */

static struct sink *begin(const char *dir)
{
    static const char *const argv[] = {"./a\033b", "1"};
    struct err err = {ERR_NONE, ""};
    struct sink *sink = dump_sink_new(dir, false, &err);
    struct event start = {.kind = EVENT_START, .start.argv = {argv, 2}};

    cr_assert(ne(ptr, sink, NULL), "%s", err.text);
    cr_assert(eq(int, sink_emit(sink, &start, &err), 0));
    return sink;
}

static void tell(struct sink *sink, struct event event)
{
    static uint64_t seq;
    struct err err = {ERR_NONE, ""};

    event.seq = ++seq;
    cr_assert(eq(int, sink_emit(sink, &event, &err), 0), "%s", err.text);
}

static void end(struct sink *sink)
{
    struct err err = {ERR_NONE, ""};

    cr_assert(eq(int, sink_finish(sink, &err), 0), "%s", err.text);
    sink_free(sink);
}

static void map(struct sink *sink, uint64_t addr, uint64_t length,
                unsigned prot)
{
    tell(sink,
         (struct event){.kind = EVENT_MAP,
                        .map = {.addr = addr, .length = length, .prot = prot}});
}

static void unmap(struct sink *sink, uint64_t addr, uint64_t length)
{
    tell(sink,
         (struct event){.kind = EVENT_UNMAP, .unmap = {addr, length, NULL}});
}

static void store(struct sink *sink, uint64_t addr, uint8_t byte)
{
    static uint8_t old;

    tell(sink,
         (struct event){
             .kind = EVENT_WRITE,
             .write = {.addr = addr, .old = {&old, 1}, .new = {&byte, 1}}});
}

static void protect(struct sink *sink, uint64_t addr, uint64_t length,
                    unsigned old, unsigned prot)
{
    tell(sink, (struct event){.kind = EVENT_PROTECT,
                              .protect = {.addr = addr,
                                          .length = length,
                                          .old_prot = old,
                                          .prot = prot}});
}

static void enter(struct sink *sink, uint64_t addr, struct bytes code)
{
    tell(sink,
         (struct event){.kind = EVENT_ENTER,
                        .enter = {.addr = addr, .how = "call", .code = code}});
}

static void name(struct sink *sink, uint64_t addr, uint64_t length,
                 const char *text)
{
    tell(sink, (struct event){
                   .kind = EVENT_NAME,
                   .name = {.addr = addr, .length = length, .name = text}});
}

Test(dump, one_file_for_each_generation)
{
    const char *dir = new_dir(".dump");
    struct sink *sink = begin(dir);

    map(sink, BASE, PAGE, RW);
    store(sink, BASE + 2, 0xc3);
    store(sink, BASE + 3, 0xcc);
    store(sink, BASE + 2, 0x90); /* nobody has used it yet */
    protect(sink, BASE, PAGE, RW, RX);
    protect(sink, BASE, PAGE, RX, RW);
    store(sink, BASE + 4, 0xc3);
    store(sink, BASE + 5, 0xc3);
    expect_files(dir, "0x7f0000000000-g1.bin 2");
    protect(sink, BASE, PAGE, RW, RX);
    enter(sink, BASE + 2, (struct bytes){NULL, 0});
    end(sink);
    expect_files(dir, "0x7f0000000000-g1.bin 2, 0x7f0000000000-g2.bin 4");
    expect_bytes(dir, "0x7f0000000000-g1.bin", "90 cc");
    expect_bytes(dir, "0x7f0000000000-g2.bin", "90 cc c3 c3");
    cr_assert(eq(int, index_has(dir, "./a\\x1bb 1\n"), 1));
    cr_assert(
        eq(int,
           index_has(dir, "\n    objdump -D -b binary -m i386:x86-64 -M intel "
                          "--adjust-vma=0x7f0000000002 "
                          "0x7f0000000000-g2.bin\n"),
           1));
    cr_assert(eq(int, index_has(dir, "generation 1, until it was changed"), 1));
    cr_assert(eq(int, index_has(dir, "generation 2, until the end"), 1));
    cr_assert(eq(int, index_has(dir, "not written"), 0));
}

Test(dump, what_never_was_executable_is_no_code)
{
    const char *dir = new_dir(".dump");
    struct sink *sink = begin(dir);

    map(sink, BASE, PAGE, RW);
    store(sink, BASE, 1);
    map(sink, BASE + PAGE, PAGE, RX); /* nothing was seen in it */
    unmap(sink, BASE, PAGE);
    map(sink, BASE, PAGE, RW);
    store(sink, BASE, 2);
    end(sink);
    expect_files(dir, "");
    cr_assert(eq(int, index_has(dir, "No generated code was seen."), 1));
}

/* A generation that is patched and never flipped back was no code. */
Test(dump, each_generation_must_have_been_executable)
{
    const char *dir = new_dir(".dump");
    struct sink *sink = begin(dir);

    map(sink, BASE, PAGE, RW);
    store(sink, BASE, 1);
    protect(sink, BASE, PAGE, RW, RX);
    protect(sink, BASE, PAGE, RX, RW);
    store(sink, BASE, 2);
    end(sink);
    expect_files(dir, "0x7f0000000000-g1.bin 1");
    expect_bytes(dir, "0x7f0000000000-g1.bin", "01");
}

Test(dump, code_that_is_changed_in_place)
{
    const char *dir = new_dir(".dump");
    struct sink *sink = begin(dir);

    map(sink, BASE, PAGE, RWX);
    store(sink, BASE, 1);
    enter(sink, BASE, (struct bytes){NULL, 0});
    store(sink, BASE, 1); /* as it was */
    store(sink, BASE, 2);
    store(sink, BASE, 3);
    enter(sink, BASE, (struct bytes){(const uint8_t *)"\4", 1}); /* found */
    end(sink);
    expect_files(dir, "0x7f0000000000-g1.bin 1, 0x7f0000000000-g2.bin 1");
    expect_bytes(dir, "0x7f0000000000-g1.bin", "01");
    expect_bytes(dir, "0x7f0000000000-g2.bin", "04");
}

Test(dump, memory_that_is_used_again)
{
    const char *dir = new_dir(".dump");
    struct sink *sink = begin(dir);

    for (uint8_t i = 1; i <= 3; i++) {
        map(sink, BASE, PAGE, RWX); /* once over what is there */
        store(sink, BASE, i);
        if (i == 2)
            unmap(sink, BASE, PAGE);
    }
    end(sink);
    expect_files(dir, "0x7f0000000000-g1-2.bin 1, 0x7f0000000000-g1-3.bin 1, "
                      "0x7f0000000000-g1.bin 1");
    expect_bytes(dir, "0x7f0000000000-g1.bin", "01");
    expect_bytes(dir, "0x7f0000000000-g1-2.bin", "02");
    expect_bytes(dir, "0x7f0000000000-g1-3.bin", "03");
    cr_assert(eq(int, index_has(dir, "until it was unmapped"), 1));
}

/* One file for all parts, without what another mapping has in between. */
Test(dump, a_mapping_in_parts)
{
    const char *dir = new_dir(".dump");
    struct sink *sink = begin(dir);

    map(sink, BASE, 3 * PAGE, RW);
    store(sink, BASE + PAGE - 1, 1);
    store(sink, BASE + PAGE, 9);
    store(sink, BASE + 2 * PAGE, 2);
    map(sink, BASE + PAGE, PAGE, RW); /* before anything is code */
    store(sink, BASE + PAGE + 1, 8);
    expect_files(dir, "");
    protect(sink, BASE, PAGE, RW, RX);
    end(sink);
    expect_files(dir, "0x7f0000000000-g1.bin 4098");
    {
        struct buf content = {0};

        read_file(in_dir(dir, "0x7f0000000000-g1.bin"), &content);
        for (size_t i = 0; i < content.len; i++)
            cr_assert(eq(u8, content.data[i],
                         i == 0          ? 1
                         : i == 1 + PAGE ? 2
                                         : 0),
                      "%zu", i);
        buf_release(&content);
    }
}

Test(dump, a_part_that_goes_away)
{
    const char *dir = new_dir(".dump");
    struct sink *sink = begin(dir);

    map(sink, BASE, 2 * PAGE, RWX);
    store(sink, BASE, 1);
    store(sink, BASE + PAGE, 2);
    unmap(sink, BASE + PAGE, PAGE);
    end(sink);
    expect_files(dir, "0x7f0000000000-g1-2.bin 1, 0x7f0000000000-g1.bin 4097");
    cr_assert(eq(int, index_has(dir, "until a part of it was unmapped"), 1));
}

Test(dump, a_large_mapping_takes_little_room)
{
    const char *dir = new_dir(".dump");
    struct sink *sink = begin(dir);
    uint64_t large = UINT64_C(1) << 32;
    struct stat file;

    map(sink, BASE, large, RWX);
    store(sink, BASE, 1);
    store(sink, BASE + large - 1, 2);
    end(sink);
    expect_files(dir, "0x7f0000000000-g1.bin 4294967296");
    cr_assert(eq(int, stat(in_dir(dir, "0x7f0000000000-g1.bin"), &file), 0));
    cr_assert(lt(i64, (int64_t)file.st_blocks * 512, 1 << 20));
    unlink(in_dir(dir, "0x7f0000000000-g1.bin"));
}

Test(dump, the_index_has_the_names_of_the_moment)
{
    const char *dir = new_dir(".dump");
    struct sink *sink = begin(dir);

    map(sink, BASE, PAGE, RWX);
    store(sink, BASE, 1);
    name(sink, BASE, 16, "first\033[2J");
    name(sink, BASE + 100, 16, "behind the code");
    enter(sink, BASE, (struct bytes){NULL, 0});
    store(sink, BASE, 2);
    name(sink, BASE, 16, "second");
    end(sink);
    cr_assert(eq(int,
                 index_has(dir, "g1.bin\n    0x7f0000000000     16  "
                                "first\\x1b[2J\n"),
                 1));
    cr_assert(eq(
        int, index_has(dir, "g2.bin\n    0x7f0000000000     16  second\n"), 1));
    cr_assert(eq(int, index_has(dir, "behind"), 0));
}

Test(dump, there_is_an_end_to_it)
{
    const char *dir = new_dir(".dump");
    struct sink *sink = begin(dir);
    struct stat file;

    map(sink, BASE, PAGE, RWX);
    store(sink, BASE, 0xff);
    for (unsigned i = 0; i < DUMP_FILES + 2; i++) {
        enter(sink, BASE, (struct bytes){NULL, 0});
        store(sink, BASE, (uint8_t)i);
    }
    end(sink);
    cr_assert(
        eq(int, stat(in_dir(dir, "0x7f0000000000-g10000.bin"), &file), 0));
    cr_assert(
        eq(int, stat(in_dir(dir, "0x7f0000000000-g10001.bin"), &file), -1));
    cr_assert(
        eq(int, index_has(dir, "\n3 generations more were not written"), 1));
    new_dir(".dump");
}

/* --- programs ------------------------------------------------------------ */

static void run_well(const char *const *argv, int status)
{
    struct result result;

    run(&(struct job){.argv = argv}, &result);
    cr_assert(eq(int, result.status, status), "%s", buf_text(&result.err));
    result_release(&result);
}

/* Two directories must be the same, or not. */
static void compare_dirs(const char *one, const char *other)
{
    run_well(ARGS("diff", "-r", one, other), 0);
}

Test(dump, a_recording_gives_the_same_files)
{
    const char *live = new_dir(".live"), *trace = scratch(".jsonl");
    static const char *const more[][2] = {
        {"--format=text", "-o/dev/null"},
        {"--format=json", "-o/dev/null"},
        {"--format=raw", "-o/dev/null"},
        {"--step", "--plain"},
    };
    struct buf files = {0};

    run_well(ARGS(JITTRACE, "--dump-code", live, "--format=json", "-o", trace,
                  "--", TRACEE("perf_map")),
             0);
    list_dir(live, &files);
    cr_assert(contains(buf_text(&files), "-g1.bin 18"));
    cr_assert(contains(buf_text(&files), "-g2.bin 18"));
    for (size_t i = 0; i < COUNT(more); i++) {
        const char *again = new_dir(".again");

        run_well(ARGS(JITTRACE, "--dump-code", again, more[i][0], more[i][1],
                      "--replay", trace),
                 0);
        compare_dirs(live, again);
    }
    buf_release(&files);
    unlink(trace);
    new_dir(".live");
    new_dir(".again");
}

/* The reader steps once and quits, and what there was is written. */
Test(dump, a_program_that_is_stepped)
{
    const char *dir = new_dir(".dump"), *keys = scratch(".keys");
    struct result result;

    write_file(keys, "stage\nstage\nstage\nstage\nquit\n", 29, 0644);
    run(&(struct job){.argv = ARGS(JITTRACE, "--step", "--plain", "--dump-code",
                                   dir, "-4"),
                      .in = keys},
        &result);
    cr_assert(eq(int, result.status, 0), "%s", buf_text(&result.err));
    /* The call was event 14; then came that the reader quit, and the end. */
    cr_assert(eq(int, index_has(dir, "11 bytes"), 1));
    cr_assert(eq(int, index_has(dir, "until the end (event 16)"), 1));
    unlink(keys);
    new_dir(".dump");
    result_release(&result);
}

/* Every command of the index, as a reader would use it. */
Test(dump, objdump_reads_it)
{
    const char *dir = new_dir(".dump");
    struct result result;
    const char *text;

    run_well(ARGS(JITTRACE, "--dump-code", dir, "-o", "/dev/null", "--",
                  TRACEE("perf_map")),
             0);
    run(&(struct job){.argv = ARGS("sh", "-ec",
                                   "grep '^    objdump' index.txt | sh -e"),
                      .dir = dir},
        &result);
    text = buf_text(&result.out);
    cr_assert(eq(int, result.status, 0), "%s", buf_text(&result.err));
    cr_assert(eq(str, (char *)buf_text(&result.err), ""));
    text = strstr(text, "000:\tb8 07 00 00 00       \tmov    eax,0x7");
    cr_assert(ne(ptr, (void *)text, NULL), "%s", buf_text(&result.out));
    text = strstr(text, "010:\teb ee                \tjmp    0x7");
    cr_assert(ne(ptr, (void *)text, NULL), "%s", buf_text(&result.out));
    text = strstr(text, "000:\tb8 08 00 00 00       \tmov    eax,0x8");
    cr_assert(ne(ptr, (void *)text, NULL), "%s", buf_text(&result.out));
    result_release(&result);
    new_dir(".dump");
}

/* --- what can go wrong --------------------------------------------------- */

/* One line of complaint; the program was not started. */
static void refused(const char *dir, const char *why)
{
    const char *started = scratch(".started");
    struct result result;

    unlink(started);
    run(&(struct job){.argv = ARGS(JITTRACE, "--dump-code", dir, "--", "touch",
                                   started)},
        &result);
    cr_assert(eq(int, result.status, EX_CANTCREAT));
    cr_assert(eq(str, (char *)buf_text(&result.out), ""));
    cr_assert(eq(sz, count_lines(buf_text(&result.err)), 1));
    cr_assert(contains(buf_text(&result.err), why), "%s",
              buf_text(&result.err));
    cr_assert(eq(int, access(started, F_OK), -1));
    result_release(&result);
}

Test(dump, a_directory_that_will_not_do)
{
    const char *dir = new_dir(".dump");

    refused(in_dir(dir, "below"), "No such file or directory");
    cr_assert(eq(int, mkdir(dir, 0777), 0));
    write_file(in_dir(dir, "mine"), "1", 1, 0600);
    refused(dir, "is not empty");
    refused(in_dir(dir, "mine"), "Not a directory");
    expect_files(dir, "mine 1");
    unlink(in_dir(dir, "mine"));
    run_well(ARGS(JITTRACE, "--dump-code", dir, "1"), 0); /* empty: welcome */
    cr_assert(eq(int, index_has(dir, "-g1.bin"), 1));
    new_dir(".dump");
}

Test(dump, nothing_is_left_of_a_program_that_cannot_be_started)
{
    const char *dir = new_dir(".dump");

    run_well(ARGS(JITTRACE, "--dump-code", dir, "--", "/no/such"), 127);
    cr_assert(eq(int, access(dir, F_OK), -1));
    cr_assert(eq(int, mkdir(dir, 0777), 0));
    run_well(ARGS(JITTRACE, "--dump-code", dir, "--", "/no/such"), 127);
    cr_assert(eq(int, access(dir, F_OK), 0)); /* it was there */
    new_dir(".dump");
}

/* No file may be longer than so much; pipes may. */
static int limit_files(rlim_t size)
{
    const struct rlimit limit = {size, size};

    return setrlimit(RLIMIT_FSIZE, &limit);
}

static int limit_all(void)
{
    return limit_files(0);
}

static int limit_code(void)
{
    return limit_files(1000);
}

Test(dump, a_disk_that_is_full)
{
    static int (*const limits[])(void) = {limit_all, limit_code};
    static const char *const files[] = {"index.txt", "-g1.bin"};

    for (size_t i = 0; i < COUNT(limits); i++) {
        const char *dir = new_dir(".dump");
        struct result result;
        struct buf why = {0};

        run(&(struct job){.argv = ARGS(JITTRACE, "--dump-code", dir,
                                       "--format=raw", "--", TRACEE("sparse")),
                          .prepare = limits[i]},
            &result);
        cr_expect(eq(int, result.status, EX_IOERR));
        cr_expect(eq(sz, result.out.len, 4099)); /* the trace is whole */
        cr_expect(eq(int, strncmp(buf_text(&result.err), "5\n", 2), 0), "%s",
                  buf_text(&result.err));
        cr_expect(eq(sz, count_lines(buf_text(&result.err)), 2));
        buf_printf(&why, "%s': File too large", files[i]);
        cr_expect(contains(buf_text(&result.err), buf_text(&why)), "%s",
                  buf_text(&result.err));
        buf_release(&why);
        result_release(&result);
    }
    new_dir(".dump");
}
