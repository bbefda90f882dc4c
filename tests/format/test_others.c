/* SPDX-License-Identifier: MIT */
/*
 * Forms that other tools read: what each must hold, and that a recording and
 * the text say the same. tests/formats.sh gives them to the tools themselves.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <inttypes.h>
#include <jansson.h>
#include <string.h>
#include <sys/mman.h>
#include <sysexits.h>

#include "format/format.h"
#include "support/support.h"

TestSuite(others, .timeout = 60);

/* What is shown of a recording in that form. */
static void show(const char *recording, const char *form, struct result *result)
{
    run(&(struct job){.argv = ARGS(JITTRACE, "--replay", recording, "--format",
                                   form)},
        result);
    cr_assert(eq(int, result->status, 0));
    cr_assert(eq(str, (char *)buf_text(&result->err), (char *)""));
}

/* A recording of a lesson. */
static const char *record(const char *lesson)
{
    const char *file = scratch("recording.json");
    struct result result;

    run(&(struct job){.argv = ARGS(JITTRACE, "--format=json", "-o", file,
                                   "--lesson", lesson, "5")},
        &result);
    cr_assert(eq(int, result.status, 0));
    result_release(&result);
    return file;
}

Test(others, asciicast_is_the_text)
{
    static const char *const stages[] = {"getpagesize", "mmap", "byte writes",
                                         "mprotect", "call"};
    const char *file = record("babyjit");
    struct result text, cast;
    struct buf said = {0}, expected = {0};
    size_t marks = 0;
    double now = 0;
    char *line, *rest;

    show(file, "text", &text);
    show(file, "asciicast", &cast);
    line = strtok_r((char *)buf_text(&cast.out), "\n", &rest);
    cr_assert(contains(line, "\"version\":2"));
    while ((line = strtok_r(NULL, "\n", &rest)) != NULL) {
        json_t *row = json_loads(line, 0, NULL);
        const char *kind, *data;
        double at;

        cr_assert(ne(ptr, row, NULL), "%s", line);
        cr_assert(eq(int, json_unpack(row, "[F,s,s]", &at, &kind, &data), 0));
        cr_assert(ge(dbl, at, now));
        now = at;
        if (*kind == 'm') {
            cr_assert(lt(sz, marks, 5));
            cr_assert(eq(str, (char *)data, (char *)stages[marks++]));
        } else {
            buf_append_text(&said, data);
        }
        json_decref(row);
    }
    cr_assert(eq(sz, marks, 5));
    for (const char *c = buf_text(&text.out); *c; c++)
        buf_append(&expected, *c == '\n' ? "\r\n" : c, *c == '\n' ? 2 : 1);
    cr_assert(eq(str, (char *)buf_text(&said), (char *)buf_text(&expected)));
    buf_release(&said);
    buf_release(&expected);
    result_release(&text);
    result_release(&cast);
}

Test(others, chrome_has_a_bar_for_each_call)
{
    struct result result;
    json_t *all, *object;
    size_t i, begun = 0, ended = 0;
    json_int_t stored = 0;

    show(record("babyjit"), "chrome", &result);
    all = json_loads(buf_text(&result.out), 0, NULL);
    cr_assert(ne(ptr, all, NULL));
    json_array_foreach(all, i, object)
    {
        const char *phase = NULL;

        json_unpack(object, "{s:s}", "ph", &phase);
        cr_assert(ne(ptr, (void *)phase, NULL));
        begun += *phase == 'B';
        ended += *phase == 'E';
        cr_assert(le(sz, ended, begun));
        if (*phase == 'C')
            json_unpack(object, "{s:{s:I}}", "args", "bytes", &stored);
    }
    cr_assert(eq(sz, begun, 3));
    cr_assert(eq(sz, ended, 3));
    cr_assert(eq(i64, stored, 11));
    json_decref(all);
    result_release(&result);
}

Test(others, dot_counts_the_rounds)
{
    struct result result;

    show(record("babyjit"), "dot", &result);
    cr_assert(contains(buf_text(&result.out), "3 times"));
    cr_assert(contains(buf_text(&result.out),
                       "+0   48 c7 c0 05 00 00 00  mov rax, 5\\l"
                       "+7   48 01 f8  add rax, rdi\\l+10  c3  ret\\l"));
    result_release(&result);
    /* A loop: an edge that is gone as often as it is. */
    show(record("loops"), "dot", &result);
    cr_assert(contains(buf_text(&result.out), "n4 -> n2 [label=\"5\"]"));
    cr_assert(contains(buf_text(&result.out),
                       "5 times\\l+11  48 01 f8  add rax, rdi"));
    result_release(&result);
}

Test(others, perf_map_names_all_that_ran)
{
    uint64_t start, size, again;
    struct result result;

    show(record("babyjit"), "perf-map", &result);
    cr_assert(eq(int,
                 sscanf(buf_text(&result.out),
                        "%" SCNx64 " %" SCNx64 " code@0x%" SCNx64 "\n", &start,
                        &size, &again),
                 3));
    cr_assert(eq(u64, start, again));
    cr_assert(eq(u64, size, 11));
    cr_assert(eq(sz, count_lines(buf_text(&result.out)), 1));
    result_release(&result);
}

/* Children have code of their own, perhaps at the same addresses. */
Test(others, each_process_has_its_own)
{
    const char *file = scratch("recording.json");
    struct result text, dot, chrome, cast;
    struct buf said = {0}, expected = {0};
    size_t processes = 0, i;
    json_t *all, *object;
    char *line, *rest;

    run(&(struct job){.argv = ARGS(JITTRACE, "--format=json", "-f", "-o", file,
                                   "--", TRACEE("follow_fork"))},
        &text);
    cr_assert(eq(int, text.status, 0));
    result_release(&text);

    show(file, "dot", &dot);
    for (line = (char *)buf_text(&dot.out);
         (line = strstr(line, "label=\"process ")) != NULL; line++)
        processes++;
    cr_assert(le(sz, 2, processes), "%s", buf_text(&dot.out));
    result_release(&dot);

    show(file, "chrome", &chrome);
    all = json_loads(buf_text(&chrome.out), 0, NULL);
    cr_assert(ne(ptr, all, NULL));
    json_array_foreach(all, i, object)
    {
        json_int_t pid = 0, first = 0;

        json_unpack(object, "{s:I}", "pid", &pid);
        json_unpack(json_array_get(all, 0), "{s:I}", "pid", &first);
        if (pid != first)
            break;
    }
    cr_assert(lt(sz, i, json_array_size(all)), "one process has all");
    json_decref(all);
    result_release(&chrome);

    show(file, "text", &text);
    show(file, "asciicast", &cast);
    strtok_r((char *)buf_text(&cast.out), "\n", &rest);
    while ((line = strtok_r(NULL, "\n", &rest)) != NULL) {
        const char *kind, *data;
        double at;

        object = json_loads(line, 0, NULL);
        cr_assert(
            eq(int, json_unpack(object, "[F,s,s]", &at, &kind, &data), 0));
        if (*kind == 'o')
            buf_append_text(&said, data);
        json_decref(object);
    }
    for (const char *c = buf_text(&text.out); *c; c++)
        buf_append(&expected, *c == '\n' ? "\r\n" : c, *c == '\n' ? 2 : 1);
    cr_assert(eq(str, (char *)buf_text(&said), (char *)buf_text(&expected)));
    buf_release(&said);
    buf_release(&expected);
    result_release(&text);
    result_release(&cast);

    run(&(struct job){.argv = ARGS(JITTRACE, "-f", "--format=perf-map", "1")},
        &text);
    cr_assert(eq(int, text.status, EX_USAGE));
    cr_assert(contains(buf_text(&text.err), "-ff -o FILE"));
    result_release(&text);
}

/* Names are whatever a program calls its code. */
Test(others, names_stay_text)
{
    const char name[] = "a\"b\\l\nf 0 x\033[2J";
    const uint64_t addr = 0x7f0000001000;
    struct sink *(*const sinks[])(FILE *) = {dot_sink_new, chrome_sink_new,
                                             perf_map_sink_new};
    static uint8_t ret[] = {0xc3};
    const struct event events[] = {
        {.kind = EVENT_START, .tid = 7, .start = {.pid = 7, .exe = "/a"}},
        {.kind = EVENT_MAP,
         .tid = 7,
         .map = {.addr = addr,
                 .length = 4096,
                 .prot = PROT_READ | PROT_WRITE | PROT_EXEC}},
        {.kind = EVENT_WRITE,
         .tid = 7,
         .write = {.addr = addr, .old = {ret, 1}, .new = {ret, 1}}},
        {.kind = EVENT_NAME,
         .tid = 7,
         .name = {.addr = addr, .length = 1, .name = name, .by = "perf map"}},
        {.kind = EVENT_ENTER, .tid = 7, .enter = {.addr = addr, .how = "call"}},
        {.kind = EVENT_STEP,
         .tid = 7,
         .step = {.addr = addr, .bytes = {ret, 1}, .text = "ret"}},
        {.kind = EVENT_LEAVE, .tid = 7, .leave = {.how = "return"}},
        {.kind = EVENT_EXIT, .tid = 7},
    };

    for (size_t i = 0; i < sizeof sinks / sizeof *sinks; i++) {
        char *text;
        size_t len;
        FILE *out = open_memstream(&text, &len);
        struct sink *sink = sinks[i](out);
        struct err err;

        for (size_t k = 0; k < sizeof events / sizeof *events; k++)
            cr_assert(eq(int, sink_emit(sink, &events[k], &err), 0));
        cr_assert(eq(int, sink_finish(sink, &err), 0));
        sink_free(sink);
        fclose(out);
        cr_assert(lacks(text, "\033"));
        cr_assert(lacks(text, "\nf 0 x"));
        if (sinks[i] == chrome_sink_new) {
            json_t *all = json_loads(text, 0, NULL);

            cr_assert(ne(ptr, all, NULL));
            json_decref(all);
        } else if (sinks[i] == dot_sink_new) {
            cr_assert(contains(text, "a\\\"b\\\\l\\\\x0a"));
        }
        free(text);
    }
}

Test(others, elf_is_beside_the_bytes)
{
    const char *dir = scratch("elf");
    struct buf command = {0};
    struct result result;

    run(&(struct job){.argv = ARGS("rm", "-rf", dir)}, &result);
    result_release(&result);
    run(&(struct job){.argv =
                          ARGS(JITTRACE, "--dump-code", dir, "--elf", "-4")},
        &result);
    cr_assert(eq(int, result.status, 0));
    result_release(&result);
    buf_printf(&command, "objdump -d -M intel %s/*.elf", dir);
    run(&(struct job){.argv = ARGS("sh", "-c", buf_text(&command))}, &result);
    cr_assert(eq(int, result.status, 0));
    cr_assert(contains(buf_text(&result.out), "<code_0x"));
    cr_assert(contains(buf_text(&result.out), "48 c7 c0 fc ff ff ff"));
    cr_assert(contains(buf_text(&result.out), "add    rax,rdi"));
    result_release(&result);
    buf_release(&command);

    run(&(struct job){.argv = ARGS(JITTRACE, "--elf", "1")}, &result);
    cr_assert(eq(int, result.status, EX_USAGE));
    cr_assert(contains(buf_text(&result.err), "--dump-code"));
    result_release(&result);
}
