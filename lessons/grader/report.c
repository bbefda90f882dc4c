/* SPDX-License-Identifier: MIT */
#include "grader/report.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "tell/pen.h"

static const char *level_name(enum encoder_level level)
{
    return level == LEVEL_EXACT ? "exact" : "behaviour";
}

/* The text of a buffer that stays as it is. */
static const char *text_of(const struct buf *buf)
{
    return buf->len ? buf_text((struct buf *)buf) : "";
}

/* The crash, if this check failed by it. */
static struct buf crash_of(const struct report *report, unsigned check)
{
    const struct check_verdict *checks = report->verdict->check;
    bool is_it =
        check == CHECK_RETURNS || check == CHECK_RUNS ||
        (check == CHECK_INSIDE && checks[CHECK_RETURNS].state == CHECK_NOT_RUN);

    return is_it && checks[check].state == CHECK_FAILED ? report->crash
                                                        : (struct buf){0};
}

/* --- for a person -------------------------------------------------------- */

static const char *const states[] = {"-", "ok", "FAILED"};

static void tell_check(const struct report *report, unsigned check,
                       const char *mark, struct pen *pen)
{
    const struct check_verdict *verdict = &report->verdict->check[check];
    char *copy = strdup(text_of(&verdict->details)), *rest = copy, *line;
    struct buf crash = crash_of(report, check);

    pen_blank(pen);
    pen_text(pen, ROLE_NOTE, mark);
    pen_text(pen, ROLE_NOTE, ": ");
    pen_words(pen, ROLE_NOTE, 4, text_of(&verdict->what));
    while ((line = strsep(&rest, "\n")) && rest) {
        pen_column(pen, 4);
        pen_text(pen, ROLE_NOTE, line);
        pen_end(pen);
    }
    free(copy);
    if (crash.len)
        pen_lines(pen, &crash);
}

void report_text(const struct report *report, struct buf *out)
{
    const struct encoder_verdict *verdict = report->verdict;
    bool passed = encoder_failed(verdict) == ENCODER_CHECKS;
    struct pen pen = {0};

    pen_print(&pen, ROLE_NOTE,
              "%s, level %s: %zu times encoded, %zu times called",
              report->encoder, level_name(verdict->level),
              report->run->trial_count, report->run->call_count);
    pen_end(&pen);
    if (report->many->tried > 0) {
        pen_print(&pen, ROLE_NOTE, "and %" PRIu64 " more terms",
                  report->many->tried);
        if (!report->many->all)
            pen_print(&pen, ROLE_NOTE, ", seed %" PRIu64, report->many->seed);
        pen_end(&pen);
    }
    for (unsigned i = 0; i < ENCODER_CHECKS; i++) {
        pen_print(&pen, ROLE_NOTE, "  %-6s  %s",
                  states[verdict->check[i].state], encoder_check_what(i));
        pen_end(&pen);
    }
    for (unsigned i = 0; i < ENCODER_CHECKS; i++)
        if (verdict->check[i].state == CHECK_FAILED)
            tell_check(report, i, "FAILED", &pen);
    if (verdict->check[CHECK_BYTES].state == CHECK_NOT_RUN &&
        verdict->check[CHECK_BYTES].what.len)
        tell_check(report, CHECK_BYTES, "accepted at this level", &pen);
    pen_blank(&pen);
    pen_print(&pen, ROLE_NOTE, "%s %s.", report->encoder,
              passed ? "passed" : "failed");
    pen_end(&pen);
    buf_append(out, pen.out.data, pen.out.len);
    pen_release(&pen);
}

/* --- for a program ------------------------------------------------------- */

/* A text, or nothing if it is empty; a learner's bytes may be anything. */
static void set_text(json_t *object, const char *key, const char *text)
{
    json_t *string = json_string(text);

    if (!string)
        string = json_string("(not UTF-8)");
    if (*text)
        json_object_set_new(object, key, string);
    else
        json_decref(string);
}

static json_t *lines_of(const char *text)
{
    json_t *list = json_array();
    char *copy = strdup(text), *rest = copy, *line;

    while ((line = strsep(&rest, "\n")) && rest) {
        json_t *string = json_string(line);

        json_array_append_new(list,
                              string ? string : json_string("(not UTF-8)"));
    }
    free(copy);
    return list;
}

static json_t *check_object(const struct report *report, unsigned i)
{
    static const char *const names[] = {"skipped", "passed", "failed"};
    const struct check_verdict *verdict = &report->verdict->check[i];
    struct buf crash = crash_of(report, i);
    json_t *object = json_object();

    set_text(object, "check", encoder_check_word(i));
    set_text(object, "what", encoder_check_what(i));
    set_text(object, "status", names[verdict->state]);
    set_text(object, "message", text_of(&verdict->what));
    if (verdict->details.len)
        json_object_set_new(object, "details",
                            lines_of(text_of(&verdict->details)));
    if (crash.len)
        json_object_set_new(object, "crash", lines_of(text_of(&crash)));
    return object;
}

void report_json(const struct report *report, struct buf *out)
{
    const struct encoder_verdict *verdict = report->verdict;
    enum encoder_check failed = encoder_failed(verdict);
    json_t *object = json_object(), *checks = json_array();
    char *text;

    set_text(object, "encoder", report->encoder);
    set_text(object, "level", level_name(verdict->level));
    json_object_set_new(object, "passed",
                        json_boolean(failed == ENCODER_CHECKS));
    if (failed != ENCODER_CHECKS) {
        set_text(object, "failed", encoder_check_word(failed));
        set_text(object, "message", text_of(&verdict->check[failed].what));
    }
    json_object_set_new(object, "terms",
                        json_integer((json_int_t)report->many->tried));
    if (!report->many->all)
        json_object_set_new(object, "seed",
                            json_integer((json_int_t)report->many->seed));
    for (unsigned i = 0; i < ENCODER_CHECKS; i++)
        json_array_append_new(checks, check_object(report, i));
    json_object_set_new(object, "checks", checks);
    text = json_dumps(object, JSON_INDENT(2));
    buf_printf(out, "%s\n", text);
    free(text);
    json_decref(object);
}

/* --- for a build server -------------------------------------------------- */

/* XML 1.0 has no way to write most control characters. */
static void append_xml(const char *text, struct buf *out)
{
    for (; *text; text++)
        switch (*text) {
        case '<':
            buf_append_text(out, "&lt;");
            break;
        case '>':
            buf_append_text(out, "&gt;");
            break;
        case '&':
            buf_append_text(out, "&amp;");
            break;
        case '"':
            buf_append_text(out, "&quot;");
            break;
        default:
            if ((unsigned char)*text >= ' ' && (unsigned char)*text < 0x7f)
                buf_append(out, text, 1);
            else
                buf_append_text(out, *text == '\n' ? "\n" : "?");
        }
}

static void append_case(const struct report *report, unsigned i,
                        struct buf *out)
{
    const struct check_verdict *verdict = &report->verdict->check[i];
    struct buf crash = crash_of(report, i);

    buf_printf(out, "  <testcase classname=\"encode_adder\" name=\"%s\"",
               encoder_check_word(i));
    if (verdict->state == CHECK_PASSED) {
        buf_append_text(out, "/>\n");
        return;
    }
    if (verdict->state == CHECK_NOT_RUN) {
        buf_append_text(out, "><skipped/></testcase>\n");
        return;
    }
    buf_append_text(out, ">\n    <failure message=\"");
    append_xml(text_of(&verdict->what), out);
    buf_append_text(out, "\">");
    append_xml(text_of(&verdict->details), out);
    append_xml(text_of(&crash), out);
    buf_append_text(out, "</failure>\n  </testcase>\n");
}

void report_junit(const struct report *report, struct buf *out)
{
    const struct encoder_verdict *verdict = report->verdict;
    unsigned failures = 0, skipped = 0;

    for (unsigned i = 0; i < ENCODER_CHECKS; i++) {
        failures += verdict->check[i].state == CHECK_FAILED;
        skipped += verdict->check[i].state == CHECK_NOT_RUN;
    }
    buf_append_text(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                         "<testsuite name=\"");
    append_xml(report->encoder, out);
    buf_printf(out,
               "\" tests=\"%d\" failures=\"%u\" errors=\"0\" skipped=\"%u\">\n",
               ENCODER_CHECKS, failures, skipped);
    for (unsigned i = 0; i < ENCODER_CHECKS; i++)
        append_case(report, i, out);
    buf_append_text(out, "</testsuite>\n");
}
