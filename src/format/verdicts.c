/* SPDX-License-Identifier: MIT */
/*
 * verdicts.c - the report of a check. What a verdict says in words is told
 * elsewhere (tell/paragraph.h); for machines it is the same sentence, escaped
 * as their format wants it.
 */
#include "format/format.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "tell/paragraph.h"

struct verdicts_sink {
    struct sink sink;
    FILE *out;
    enum verdicts_form form;
    struct telling telling; /* for words */
    struct event *end;      /* the exit event, or NULL */
    struct buf body;        /* what is written at the end */
    unsigned count, failures, skipped;
    int pid; /* of the latest verdict */
};

/* Appends a text as it may stand in a line, each character that is listed in
 * from as its entry of to. */
static void escape(struct buf *out, const char *text, const char *from,
                   const char *const *to)
{
    struct buf shown = {0};
    unsigned columns;
    size_t len = text ? strlen(text) : 0;

    for (size_t i = 0; i < len;)
        i += utf8_show((const uint8_t *)text + i, len - i, &shown, &columns);
    for (size_t i = 0; i < shown.len; i++) {
        const char *at = strchr(from, shown.data[i]);

        if (at && *at)
            buf_append_text(out, to[at - from]);
        else
            buf_append(out, &shown.data[i], 1);
    }
    buf_release(&shown);
}

static void escape_xml(struct buf *out, const char *text)
{
    static const char *const to[] = {"&amp;", "&lt;", "&gt;", "&quot;"};

    escape(out, text, "&<>\"", to);
}

/* In a property of a command two characters more mean something. */
static void escape_github(struct buf *out, const char *text, bool property)
{
    static const char *const to[] = {"%25", "%3A", "%2C"};

    escape(out, text, property ? "%:," : "%", to);
}

/* The line that emitted the instruction. */
static struct srcline emitted_by(const struct event *event)
{
    struct chain chain;

    chain_of_verdict(event, &chain);
    return chain.list[chain.named_by].source;
}

/* The place and the sentence: "code[0x3]  mov rbx, rdi: rbx is ..." */
static void append_sentence(struct buf *out,
                            const struct event_verdict *verdict)
{
    if (verdict->offset.known)
        buf_printf(out, "code[%" PRIu64 "] ", verdict->offset.value);
    if (verdict->text)
        buf_printf(out, "%s", verdict->text);
    if (verdict->offset.known)
        buf_append_text(out, ": ");
    if (verdict->detail)
        buf_append_text(out, verdict->detail);
}

static void add_junit(struct verdicts_sink *sink, const struct event *event)
{
    const struct event_verdict *verdict = &event->verdict;
    bool broken = word_is(verdict->verdict, VERDICT_BROKEN);
    bool skipped = word_is(verdict->verdict, VERDICT_NOT_SEEN);
    const struct srcline source = emitted_by(event);
    struct buf *out = &sink->body, sentence = {0};

    sink->count++;
    sink->failures += broken;
    sink->skipped += skipped;
    append_sentence(&sentence, verdict);
    buf_append_text(out, "  <testcase classname=\"jittrace\" name=\"");
    escape_xml(out, verdict->rule);
    if (verdict->offset.known)
        buf_printf(out, " code[%" PRIu64 "]", verdict->offset.value);
    buf_append_text(out, "\"");
    if (source.file) {
        buf_append_text(out, " file=\"");
        escape_xml(out, source.file);
        buf_printf(out, "\" line=\"%d\"", source.line);
    }
    buf_append_text(out, sentence.len ? ">\n    " : "/>\n");
    if (sentence.len > 0) {
        const char *tag = broken    ? "failure"
                          : skipped ? "skipped"
                                    : "system-out";

        buf_printf(out, broken || skipped ? "<%s message=\"" : "<%s>", tag);
        escape_xml(out, buf_text(&sentence));
        if (broken || skipped)
            buf_append_text(out, "\"/>");
        else
            buf_printf(out, "</%s>", tag);
        buf_append_text(out, "\n  </testcase>\n");
    }
    buf_release(&sentence);
}

static void add_github(struct verdicts_sink *sink, const struct event *event)
{
    const struct event_verdict *verdict = &event->verdict;
    bool broken = word_is(verdict->verdict, VERDICT_BROKEN);
    const struct srcline source = emitted_by(event);
    struct buf *out = &sink->body, sentence = {0};

    if (!broken && !word_is(verdict->verdict, VERDICT_NOTE))
        return;
    buf_append_text(out, broken ? "::error " : "::notice ");
    if (source.file) {
        buf_append_text(out, "file=");
        escape_github(out, source.file, true);
        buf_printf(out, ",line=%d,", source.line);
    }
    buf_append_text(out, "title=");
    escape_github(out, verdict->rule, true);
    buf_append_text(out, "::");
    append_sentence(&sentence, verdict);
    escape_github(out, buf_text(&sentence), false);
    buf_append_text(out, "\n");
    buf_release(&sentence);
}

static int emit(struct sink *base, const struct event *event, struct err *err)
{
    struct verdicts_sink *sink = (struct verdicts_sink *)base;

    (void)err;
    if (event->kind == EVENT_EXIT) { /* the last one is the program's */
        event_free(sink->end);
        sink->end = event_keep(event);
    }
    if (sink->form == VERDICTS_JSON &&
        (event->kind == EVENT_EXIT || event->kind == EVENT_VERDICT))
        json_write(event, &sink->body);
    if (event->kind != EVENT_VERDICT)
        return 0;
    if (sink->form == VERDICTS_TEXT && event->pid != sink->pid) {
        pen_blank(&sink->telling.pen);
        pen_line(&sink->telling.pen, ROLE_NOTE, "process %d:", event->pid);
    }
    sink->pid = event->pid;
    if (sink->form == VERDICTS_TEXT)
        telling_event(&sink->telling, event);
    else if (sink->form == VERDICTS_JUNIT)
        add_junit(sink, event);
    else if (sink->form == VERDICTS_GITHUB)
        add_github(sink, event);
    return 0;
}

static void write_junit(struct verdicts_sink *sink, struct buf *out,
                        const char *how)
{
    buf_printf(out,
               "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
               "<testsuite name=\"jittrace\" tests=\"%u\" failures=\"%u\" "
               "skipped=\"%u\" errors=\"0\">\n"
               "  <properties>\n"
               "    <property name=\"program\" value=\"%s\"/>\n"
               "  </properties>\n",
               sink->count, sink->failures, sink->skipped, how);
    buf_append(out, sink->body.data, sink->body.len);
    buf_append_text(out, "</testsuite>\n");
}

/* All at once: the program's own output is not torn apart by it. */
static int finish(struct sink *base, struct err *err)
{
    struct verdicts_sink *sink = (struct verdicts_sink *)base;
    struct pen *pen = &sink->telling.pen;
    struct buf out = {0};
    const char *how = sink->end
                          ? phrase_end(&sink->telling.phrases, &sink->end->exit)
                          : "was not watched to its end";
    int status;

    if (sink->form == VERDICTS_JUNIT) {
        write_junit(sink, &out, how);
    } else if (sink->form == VERDICTS_TEXT) {
        pen_blank(pen);
        pen_line(pen, ROLE_NOTE, "The program %s%s.",
                 sink->end && sink->end->exit.signal.known ? "was " : "", how);
        buf_append(&out, pen->out.data, pen->out.len);
    } else {
        buf_append(&out, sink->body.data, sink->body.len);
        if (sink->form == VERDICTS_GITHUB)
            buf_printf(&out, "The program %s.\n", how);
    }
    status = sink_write(sink->out, out.data, out.len, err);
    buf_release(&out);
    return status;
}

static void free_sink(struct sink *base)
{
    struct verdicts_sink *sink = (struct verdicts_sink *)base;

    event_free(sink->end);
    buf_release(&sink->body);
    telling_release(&sink->telling);
    free(sink);
}

struct sink *verdicts_sink_new(FILE *out, enum verdicts_form form, bool color)
{
    struct verdicts_sink *sink = mem_alloc(sizeof *sink);

    telling_init(&sink->telling);
    sink->telling.pen.color = color;
    sink->sink = (struct sink){emit, finish, free_sink};
    sink->out = out;
    sink->form = form;
    return &sink->sink;
}
