/* SPDX-License-Identifier: MIT */
/*
 * test_recording.c - recordings that contradict themselves are refused, and
 * those that only leave something out are shown.
 *
 * That no true one is refused is seen elsewhere: all recordings that the tests
 * make are read in the same way (support.c).
 */
#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/mem.h"
#include "format/format.h"
#include "step/driver.h"
#include "step/session.h"
#include "support/support.h"

TestSuite(recording, .timeout = 20);

#define CORPUS "tests/fuzz/corpus/recording"

/* --- contradictions ------------------------------------------------------- */

#define REGS_AT(pc)                                                       \
    "{\"rax\":\"0x5\",\"rbx\":\"0x0\",\"rcx\":\"0x0\",\"rdx\":\"0x0\","   \
    "\"rsi\":\"0x0\",\"rdi\":\"0x0\",\"rbp\":\"0x0\",\"rsp\":\"0x8000\"," \
    "\"r8\":\"0x0\",\"r9\":\"0x0\",\"r10\":\"0x0\",\"r11\":\"0x0\","      \
    "\"r12\":\"0x0\",\"r13\":\"0x0\",\"r14\":\"0x0\",\"r15\":\"0x0\","    \
    "\"rip\":\"" pc "\",\"rflags\":\"0x202\",\"fs_base\":\"0x0\","        \
    "\"gs_base\":\"0x0\"}"

#define RANGE(addr, length) "\"addr\":\"" addr "\",\"length\":" length
#define MAP(addr, length, prot)                                               \
    "\"event\":\"map\"," RANGE(addr,                                          \
                               length) ",\"prot\":\"" prot "\","              \
                                       "\"flags\":\"MAP_PRIVATE|MAP_"         \
                                       "ANONYMOUS\",\"call\":\"mmap(NULL)\"," \
                                       "\"backing\":\"anonymous\""
#define PAGE      MAP("0x10000", "4096", "rw-")
#define CODE_PAGE MAP("0x10000", "4096", "rwx")
#define WRITE(addr, offset, old, new)                                  \
    "\"event\":\"write\",\"addr\":\"" addr "\",\"offset\":" offset "," \
    "\"old\":\"" old "\",\"new\":\"" new "\",\"pc\":\"0x1\""
#define STORED WRITE("0x10000", "0", "0000", "90c3")
#define PROTECT(addr, length, old, new)                                       \
    "\"event\":\"protect\"," RANGE(addr, length) ",\"old_prot\":\"" old "\"," \
                                                 "\"prot\":\"" new "\""
#define ENTER(addr, offset)                                            \
    "\"event\":\"enter\",\"addr\":\"" addr "\",\"offset\":" offset "," \
    "\"how\":\"call\",\"regs\":" REGS_AT(addr)
#define STEP_(addr, offset, bytes, regs, next, more)                  \
    "\"event\":\"step\",\"addr\":\"" addr "\",\"offset\":" offset "," \
    "\"bytes\":\"" bytes "\",\"regs\":" regs "," more ",\"next\":\"" next "\""
#define NO_ACCESS "\"reads\":[],\"writes\":[]"
#define STEP(addr, offset, bytes, regs, next) \
    STEP_(addr, offset, bytes, regs, next, NO_ACCESS)
#define NOP STEP("0x10000", "0", "90", "{}", "0x10001")
#define LEAVE(how, to) \
    "\"event\":\"leave\",\"how\":\"" how "\",\"to\":\"" to "\""
#define UNMAP(addr, length) "\"event\":\"unmap\"," RANGE(addr, length)
#define LIMIT(budget)       "\"event\":\"limit\",\"budget\":\"" budget "\""
#define OTHER               "\"tid\":8,"
#define EXIT                "\"event\":\"exit\",\"status\":0"

/* A recording is "start", these, and an exit unless the last one is. */
struct told {
    const char *message; /* "LINE: ...", or NULL if nothing is wrong */
    const char *events[10];
};

static const struct told contradictions[] = {
    /* ranges */
    {"2: the \"length\" is 0, but no mapping is empty",
     {MAP("0x10000", "0", "rw-")}},
    {"2: \"addr\" and \"length\" must be of whole pages of 4096 bytes, as all "
     "mappings are",
     {MAP("0x10001", "4096", "rw-")}},
    {"2: \"addr\" and \"length\" must be of whole pages of 4096 bytes, as all "
     "mappings are",
     {MAP("0x10000", "1", "rw-")}},
    {"2: 8192 bytes at 0xfffffffffffff000 are more than the memory that a "
     "program can have",
     {MAP("0xfffffffffffff000", "8192", "rw-")}},
    {"2: 9007199254736896 bytes at 0xff000000000000 are more than the memory "
     "that a program can have",
     {MAP("0xff000000000000", "9007199254736896", "rw-")}},
    {"3: the \"length\" is 0, but no mapping is empty",
     {PAGE, UNMAP("0x10000", "0")}},
    {"3: the \"length\" is 0, but no mapping is empty",
     {PAGE, PROTECT("0x10000", "0", "rw-", "r-x")}},
    {"3: the \"code\" is not all in the pages whose protection changed",
     {PAGE, PROTECT("0x10000", "4096", "rw-",
                    "r-x\",\"code_offset\":4095,\"code\":\"90c3")}},
    {"5: 16 bytes at 0xfffffffffffffff8 of \"reads\" go beyond the last "
     "address",
     {CODE_PAGE, STORED, ENTER("0x10000", "0"),
      STEP_("0x10000", "0", "90", "{}", "0x10001",
            "\"reads\":[{\"addr\":\"0xfffffffffffffff8\",\"bytes\":"
            "\"00000000000000000000000000000000\"}],\"writes\":[]")}},
    {"2: the field \"number\" is 2147483648, but it must be from 1 to 64",
     {"\"event\":\"signal\",\"number\":2147483648,\"code\":0"}},
    {"2: the field \"number\" is -1, but it must be from 1 to 64",
     {"\"event\":\"signal\",\"number\":-1,\"code\":0"}},
    {"2: the field \"fd\" is 3, but it must be from 1 to 2",
     {"\"event\":\"output\",\"fd\":3"}},
    {"2: the field \"signal\" is 2147483648, but it must be from 1 to 64",
     {"\"event\":\"exit\",\"signal\":2147483648"}},
    {"2: the field \"status\" is 256, but it must be from 0 to 255",
     {"\"event\":\"exit\",\"status\":256"}},

    /* places */
    {"2: 2 bytes at 0x10000 are not all in a mapping that came before",
     {STORED}},
    {"3: 2 bytes at 0x10fff are not all in a mapping that came before",
     {PAGE, WRITE("0x10fff", "4095", "0000", "90c3")}},
    {"4: 2 bytes at 0x10000 are not all in a mapping that came before",
     {PAGE, UNMAP("0x10000", "4096"), STORED}},
    {"3: the \"offset\" of 0x10000 is 1, but its mapping begins at 0x10000",
     {PAGE, WRITE("0x10000", "1", "00", "90")}},
    {"3: 2 bytes at 0x9000 are not all in a mapping that came before",
     {PAGE, STORED ",\"also\":\"0x9000\""}},
    {"2: nothing is mapped at 0x10000 by what came before",
     {PROTECT("0x10000", "4096", "rw-", "r-x")}},
    {"3: the protection at 0x10000 is rw- by what came before, but "
     "\"old_prot\" says r-x",
     {PAGE, PROTECT("0x10000", "4096", "r-x", "rw-")}},
    {"2: 1 bytes at 0x10000 are not all in a mapping that came before",
     {ENTER("0x10000", "0")}},
    {"3: the \"offset\" of 0x10000 is 4, but its mapping begins at 0x10000",
     {CODE_PAGE, ENTER("0x10000", "4")}},
    {"3: 2 bytes at 0x10fff are not all in a mapping that came before",
     {CODE_PAGE,
      ENTER("0x10000", "0") ",\"code\":\"9090\",\"code_offset\":4095"}},

    /* bytes */
    {"3: the byte at 0x10000 is 00 by what came before, but \"old\" says 77",
     {PAGE, WRITE("0x10000", "0", "77", "90")}},
    {"4: the byte at 0x10001 is c3 by what came before, but \"old\" says 00",
     {PAGE, STORED, WRITE("0x10001", "1", "00", "90")}},
    {"4: the byte at 0x10000 is 90 by what came before, but \"code\" says cc",
     {PAGE, STORED,
      PROTECT("0x10000", "4096", "rw-",
              "r-x\",\"code_offset\":0,\"code\":\"ccc3")}},
    {"4: the byte at 0x10001 is c3 by what came before, but \"code\" says cc",
     {CODE_PAGE, STORED,
      ENTER("0x10000", "0") ",\"code\":\"cc\",\"code_offset\":1"}},
    {"5: the byte at 0x10000 is 90 by what came before, but \"bytes\" says cc",
     {CODE_PAGE, STORED, ENTER("0x10000", "0"),
      STEP("0x10000", "0", "cc", "{}", "0x10001")}},
    {"5: the field \"bytes\" is 16, but it must be from 1 to 15",
     {CODE_PAGE, STORED, ENTER("0x10000", "0"),
      STEP("0x10000", "0", "90c30000000000000000000000000000", "{}",
           "0x10001")}},
    {"6: the byte at 0x10001 is c3 by what came before, but \"bytes\" says 90",
     {CODE_PAGE, STORED, ENTER("0x10000", "0"), NOP,
      STEP("0x10001", "1", "90", "{}", "0x10002")}},

    /* threads and registers */
    {"4: thread 7 makes a step, but no \"enter\" event has brought it into "
     "generated code",
     {CODE_PAGE, STORED, NOP}},
    {"6: thread 7 makes a step, but no \"enter\" event has brought it into "
     "generated code",
     {CODE_PAGE, STORED, ENTER("0x10000", "0"), LEAVE("signal", "0x1"), NOP}},
    {"5: thread 8 makes a step, but no \"enter\" event has brought it into "
     "generated code",
     {CODE_PAGE, STORED, ENTER("0x10000", "0"), OTHER NOP}},
    {"5: rip is 0x10000 by what came before, but this event says 0x10001",
     {CODE_PAGE, STORED, ENTER("0x10000", "0"),
      STEP("0x10001", "1", "c3", "{}", "0x1")}},
    {"5: rax is 0x5 by what came before, but this event says 0x6",
     {CODE_PAGE, STORED, ENTER("0x10000", "0"),
      STEP("0x10000", "0", "90", "{\"rax\":[\"0x6\",\"0x7\"]}", "0x10001")}},
    {"5: rip is 0x9 by what came before, but this event says 0x10001",
     {CODE_PAGE, STORED, ENTER("0x10000", "0"),
      STEP("0x10000", "0", "90", "{\"rip\":[\"0x10000\",\"0x9\"]}",
           "0x10001")}},
    {"6: rip is 0x10001 by what came before, but this event says 0x10005",
     {CODE_PAGE, STORED, ENTER("0x10000", "0"), NOP, LEAVE("jump", "0x10005")}},
    {"6: rax is 0x5 by what came before, but this event says 0x6",
     {CODE_PAGE, STORED, ENTER("0x10000", "0"), NOP,
      LEAVE("return", "0x10001") ",\"value\":\"0x6\""}},
    {"2: rip is 0x1 by what came before, but this event says 0x2",
     {"\"event\":\"signal\",\"number\":11,\"code\":1,\"pc\":\"0x1\","
      "\"regs\":" REGS_AT("0x2")}},
};

/* What may be, though it may look like a contradiction. */
static const struct told possible[] = {
    {NULL, {MAP("0xfffffffffff000", "4096", "rw-")}},
    {NULL, {LEAVE("return", "0x1000")}},
    {NULL, {"\"event\":\"limit\""}},
    {NULL, {"\"event\":\"exit\",\"status\":255"}},
    {NULL, {"\"event\":\"exit\",\"signal\":64"}},
    /* a write across two mappings that are side by side */
    {NULL,
     {PAGE, MAP("0x11000", "4096", "rw-"),
      WRITE("0x10fff", "4095", "0000", "90c3")}},
    /* an offset counts from the start of the mapping that is left */
    {NULL,
     {MAP("0x10000", "8192", "rw-"), UNMAP("0x10000", "4096"),
      WRITE("0x11000", "4096", "00", "90")}},
    /* what a limit says is not watched */
    {NULL, {PAGE, LIMIT("stores"), WRITE("0x10000", "0", "77", "90")}},
    {NULL,
     {PAGE, LIMIT("stores") ",\"addr\":\"0x10000\"",
      WRITE("0x10000", "0", "77", "90")}},
    /* memory that was there before, and memory that others have */
    {NULL,
     {"\"event\":\"map\"," RANGE("0x10000", "4096") ",\"prot\":\"rw-\"",
      WRITE("0x10000", "0", "77", "90")}},
    {NULL,
     {"\"event\":\"map\"," RANGE(
          "0x10000", "4096") ",\"prot\":\"rw-\","
                             "\"call\":\"mmap()\",\"flags\":\"MAP_SHARED\"",
      WRITE("0x10000", "0", "77", "90"), WRITE("0x10000", "0", "78", "91")}},
    /* mapped anew, it is clear again */
    {NULL, {PAGE, STORED, PAGE, STORED}},
    /* another thread stores what this one executes; not seen is which */
    {NULL,
     {CODE_PAGE, STORED, ENTER("0x10000", "0"),
      OTHER WRITE("0x10000", "0", "90", "91"), NOP}},
    /* each thread has its own registers */
    {NULL,
     {CODE_PAGE, STORED, ENTER("0x10000", "0"), OTHER ENTER("0x10001", "1"),
      STEP("0x10000", "0", "90", "{\"rax\":[\"0x5\",\"0x6\"]}", "0x10001"),
      OTHER STEP("0x10001", "1", "c3", "{\"rax\":[\"0x5\",\"0x7\"]}", "0x1"),
      OTHER LEAVE("return", "0x1") ",\"value\":\"0x7\"",
      STEP("0x10001", "1", "c3", "{}", "0x1"),
      LEAVE("return", "0x1") ",\"value\":\"0x6\""}},
    /* a signal sends a thread elsewhere; without steps nothing is known */
    {NULL, {CODE_PAGE, ENTER("0x10000", "0"), LEAVE("signal", "0x400000")}},
    {NULL,
     {CODE_PAGE, ENTER("0x10000", "0"), LIMIT("something new"),
      LEAVE("return", "0x1") ",\"value\":\"0x9\""}},
    {NULL,
     {CODE_PAGE, LIMIT("steps"), ENTER("0x10000", "0"),
      LEAVE("return", "0x1") ",\"value\":\"0x9\""}},
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* A later "tid" than the first would be a second key: OTHER comes first. */
static void write_told(const struct told *told, FILE *out)
{
    size_t n = 0;

    fprintf(out, "{\"seq\":0,\"event\":\"start\",\"tid\":7,\"format\":1,"
                 "\"argv\":[],\"pid\":7,\"page_size\":4096,"
                 "\"entry\":\"0x1\"}\n");
    for (; n < COUNT(told->events) && told->events[n]; n++)
        fprintf(out, "{\"seq\":%zu,%s%s}\n", n + 1,
                strncmp(told->events[n], OTHER, strlen(OTHER)) ? "\"tid\":7,"
                                                               : "",
                told->events[n]);
    if (!strstr(told->events[n - 1], "\"exit\""))
        fprintf(out, "{\"seq\":%zu,\"tid\":7," EXIT "}\n", n + 1);
    rewind(out);
}

/* Reads all of a file into the store. Returns 0, or -1 with err filled. */
static int read_all(FILE *in, struct store *store, struct err *err)
{
    struct source *source = recording_new(in, "t");
    struct event event;
    int more;

    *err = (struct err){ERR_NONE, ""};
    *store = (struct store){0};
    while ((more = source_next(source, &event, err)) > 0)
        store_append(store, &event);
    source_free(source);
    return more;
}

static void expect_told(const struct told *told)
{
    FILE *file = tmpfile();
    struct buf message = {0};
    struct store store;
    struct err err;
    int result;

    write_told(told, file);
    result = read_all(file, &store, &err);
    if (told->message)
        buf_printf(&message, "t:%s", told->message);
    cr_expect(eq(str, err.text, (char *)buf_text(&message)));
    cr_expect(eq(int, result, told->message ? -1 : 0));
    cr_expect(eq(int, err.kind, told->message ? ERR_DATA : ERR_NONE));
    store_release(&store);
    buf_release(&message);
    fclose(file);
}

Test(recording, a_contradiction_is_named)
{
    for (size_t i = 0; i < COUNT(contradictions); i++)
        expect_told(&contradictions[i]);
}

Test(recording, what_may_be_is_read)
{
    for (size_t i = 0; i < COUNT(possible); i++)
        expect_told(&possible[i]);
}

Test(recording, a_lie_ends_with_the_status_of_bad_data)
{
    const char *file = scratch(".jsonl");
    struct result result;
    FILE *out = fopen(file, "we");

    write_told(&contradictions[0], out);
    fclose(out);
    run(&(struct job){.argv = ARGS(JITTRACE, "--replay", file)}, &result);
    cr_assert(eq(int, result.status, EX_DATAERR));
    cr_assert(contains(buf_text(&result.err), ":2: the \"length\" is 0"));
    result_release(&result);
    unlink(file);
}

/* A device gives no line ever; that is found before memory is filled. */
Test(recording, a_line_without_end_is_refused)
{
    FILE *zero = fopen("/dev/zero", "re");
    struct store store;
    struct err err;

    cr_assert(eq(int, read_all(zero, &store, &err), -1));
    cr_assert(eq(str, err.text,
                 "t:1: the line is longer than 268435456 bytes, which no line "
                 "of a trace is"));
    store_release(&store);
    fclose(zero);
}

/* --- what is left out ----------------------------------------------------- */

/* All that can be shown of the trace; that nothing dies is what is tested. */
static void show_all(const struct store *store)
{
    FILE *out = fopen("/dev/null", "we");
    struct sink *sinks[] = {text_sink_new(out, true), raw_sink_new(out),
                            who_sink_new(out, false, 0)};
    struct unpacked event = {0};
    struct err err;

    for (size_t i = 0; i < store->count; i++) {
        store_read(store, i, &event);
        for (size_t s = 0; s < COUNT(sinks); s++)
            sink_emit(sinks[s], &event.event, &err);
    }
    unpacked_release(&event);
    for (size_t s = 0; s < COUNT(sinks); s++) {
        sink_finish(sinks[s], &err);
        sink_free(sinks[s]);
    }
    fclose(out);
}

static void step_all(FILE *in)
{
    struct source *source = recording_new(in, "t");
    struct session *session = session_new(source);
    FILE *out = fopen("/dev/null", "w+e");
    struct driver driver = {.signals = -1, .output = -1};
    struct err err;

    cr_assert(eq(int, session_load(session, &err), 0), "%s", err.text);
    driver.input = fileno(out); /* where reading ends at once */
    cr_assert(eq(int, plain_run(session, &driver, out, true, &err), 0));
    session_free(session);
    source_free(source);
    fclose(out);
}

/* Returns whether the lines could be read; then they could be shown. */
static bool can_be_shown(const json_t *lines, struct err *err)
{
    FILE *file = tmpfile();
    struct store store;
    size_t index;
    json_t *line;
    int result;

    json_array_foreach((json_t *)lines, index, line)
    {
        json_dumpf(line, file, JSON_COMPACT);
        fputc('\n', file);
    }
    rewind(file);
    result = read_all(file, &store, err);
    if (result == 0) {
        show_all(&store);
        rewind(file);
        step_all(file);
    }
    store_release(&store);
    fclose(file);
    return result == 0;
}

static json_t *read_lines(const char *name)
{
    json_t *lines = json_array();
    FILE *in = fopen(name, "re");
    char *line = NULL;
    size_t size = 0;

    cr_assert(ne(ptr, in, NULL), "%s", name);
    while (getline(&line, &size, in) > 0)
        json_array_append_new(lines, json_loads(line, 0, NULL));
    free(line);
    fclose(in);
    return lines;
}

/*
 * Leaves out each key of an object that was not tried for its kind of event:
 * alone, or, if all, with those before it. Returns how often that was shown.
 */
static unsigned leave_out(json_t *lines, size_t index, json_t *object,
                          json_t *tried, bool all)
{
    const char *kind = json_string_value(
        json_object_get(json_array_get(lines, index), "event"));
    json_t *keys = json_array(), *key;
    unsigned shown = 0;
    const char *name;
    json_t *value;
    size_t i;

    json_object_foreach(object, name, value)
        json_array_append_new(keys, json_string(name));
    json_array_foreach(keys, i, key)
    {
        char what[128];
        struct err err;

        name = json_string_value(key);
        snprintf(what, sizeof what, "%s.%s%s", kind, name, all ? "..." : "");
        if (json_object_get(tried, what))
            continue;
        json_object_set_new(tried, what, json_true());
        value = json_incref(json_object_get(object, name));
        json_object_del(object, name);
        if (can_be_shown(lines, &err)) {
            shown++;
            if (all) {
                json_decref(value);
                continue;
            }
        } else {
            cr_expect(contains(err.text, " must "), "without %s: %s", what,
                      err.text);
        }
        json_object_set_new(object, name, value);
    }
    json_decref(keys);
    return shown;
}

Test(recording, what_the_schema_lets_out_need_not_be_there)
{
    DIR *corpus = opendir(CORPUS);
    json_t *tried = json_object();
    struct dirent *entry;
    unsigned shown = 0;

    cr_assert(ne(ptr, corpus, NULL));
    while ((entry = readdir(corpus))) {
        char name[512];
        struct err err;
        json_t *lines;

        if (entry->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, CORPUS "/%s", entry->d_name);
        lines = read_lines(name);
        cr_assert(eq(int, can_be_shown(lines, &err), 1), "%s: %s", name,
                  err.text);
        for (size_t i = 0; i < json_array_size(lines); i++)
            shown +=
                leave_out(lines, i, json_array_get(lines, i), tried, false);
        for (size_t i = 0; i < json_array_size(lines); i++)
            leave_out(lines, i, json_array_get(lines, i), tried, true);
        json_decref(lines);
    }
    closedir(corpus);
    json_decref(tried);
    cr_assert(lt(uint, 40, shown)); /* keys; a corpus without them is none */
}

/* A mapping as large as all memory costs no more than what is known of it. */
Test(recording, a_huge_mapping_is_shown_soon)
{
    static const struct told huge = {
        NULL,
        {MAP("0x10000", "140733193322496", "rwx"),
         WRITE("0x10000", "0", "00", "90"),
         WRITE("0x7ffeffffffff", "140733193322495", "00", "c3"),
         PROTECT("0x10000", "140733193322496", "rwx", "r-x"),
         ENTER("0x10000", "0"), NOP, LEAVE("jump", "0x10001")}};
    FILE *file = tmpfile();
    struct store store;
    struct err err;

    write_told(&huge, file);
    cr_assert(eq(int, read_all(file, &store, &err), 0), "%s", err.text);
    show_all(&store);
    rewind(file);
    step_all(file);
    store_release(&store);
    fclose(file);
}

/* --- threads -------------------------------------------------------------- */

/* One is in generated code while another stores, and has other registers. */
static const struct told two_threads = {
    NULL,
    {CODE_PAGE, STORED, ENTER("0x10000", "0"), OTHER ENTER("0x10001", "1"),
     STEP("0x10000", "0", "90", "{\"rax\":[\"0x5\",\"0x6\"]}", "0x10001"),
     OTHER LEAVE("signal", "0x400000"), OTHER WRITE("0x10008", "8", "00", "c3"),
     LEAVE("signal", "0x400000")}};

static void run_told(const struct told *told, const char *const *options,
                     const char *typed, struct result *result)
{
    const char *file = scratch(".jsonl"), *input = scratch(".txt");
    const char *argv[16] = {JITTRACE, "--replay", file};
    FILE *out = fopen(file, "we");

    write_told(told, out);
    fclose(out);
    write_file(input, typed, strlen(typed), 0644);
    for (size_t i = 0; options[i]; i++)
        argv[3 + i] = options[i];
    run(&(struct job){.argv = argv, .in = input}, result);
    cr_assert(eq(int, result->status, 0), "%s", buf_text(&result->err));
    unlink(file);
    unlink(input);
}

static size_t times(struct buf *out, const char *part)
{
    size_t count = 0;

    for (const char *at = buf_text(out); (at = strstr(at, part)); at++)
        count++;
    return count;
}

Test(recording, what_a_thread_stores_outside_is_told_as_such)
{
    struct result result;

    run_told(&two_threads, ARGS("--color=never"), "", &result);
    cr_assert(eq(sz, times(&result.out, "byte writes\n"), 2), "%s",
              buf_text(&result.out));
    result_release(&result);
}

Test(recording, registers_are_those_of_the_thread)
{
    struct result result;

    run_told(&two_threads, ARGS("--step", "--plain"), "R\ngoto 7\nq\n",
             &result);
    cr_assert(eq(sz, times(&result.out, "    rax 0x5\n"), 1), "%s",
              buf_text(&result.out));
    cr_assert(eq(sz, times(&result.out, "    rax 0x6\n"), 0));
    result_release(&result);
    run_told(&two_threads, ARGS("--step", "--plain"), "R\ngoto 5\nq\n",
             &result);
    cr_assert(eq(sz, times(&result.out, "    rax 0x6\n"), 1), "%s",
              buf_text(&result.out));
    result_release(&result);
}
