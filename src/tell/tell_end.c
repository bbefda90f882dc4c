/* SPDX-License-Identifier: MIT */
/*
 * What may happen at any time, and the end.
 */
#include <signal.h>

#include "base/utf8.h"
#include "tell/tell_parts.h"

#define OUTPUT_SENTENCE 80u /* bytes */
#define OUTPUT_TITLE    40u
#define OUTPUT_LINES    8u
#define HANDLED         3u /* faults that a program handled are explained */

static void output_words(struct story *story, enum tell_form form)
{
    const struct event_output *output = &story->event->output;
    unsigned limit = form == TELL_TITLE ? OUTPUT_TITLE : OUTPUT_SENTENCE;
    struct bytes text = output->bytes;
    struct buf quoted = {0}; /* as in C, up to so many bytes */
    size_t used = 1;
    unsigned columns;

    if (form == TELL_NEXT) {
        say(story, "output of the program");
        return;
    }
    for (size_t i = 0; i < text.len; i += used, used = 1) {
        uint8_t byte = text.data[i];

        if (quoted.len >= limit) {
            buf_append_text(&quoted, "...");
            break;
        }
        if (byte == '\n' || byte == '\t')
            buf_append_text(&quoted, byte == '\n' ? "\\n" : "\\t");
        else if (byte == '"' || byte == '\\')
            buf_printf(&quoted, "\\%c", byte);
        else
            used = utf8_show(text.data + i, text.len - i, &quoted, &columns);
    }
    if (form == TELL_TITLE)
        say(story, "output \"%s\"", buf_text(&quoted));
    else
        say(story, "The program printed \"%s\": %zu byte%s to ",
            buf_text(&quoted), text.len, text.len == 1 ? "" : "s");
    buf_release(&quoted);
    if (form == TELL_SENTENCE && (output->fd == 1 || output->fd == 2))
        say(story, "standard %s.", output->fd == 1 ? "output" : "error");
    else if (form == TELL_SENTENCE)
        say(story, "descriptor %" PRId64 ".", output->fd);
}

/* The first line of a text, with its newline if that is there. */
static size_t line_length(struct bytes text)
{
    const uint8_t *end = text.len ? memchr(text.data, '\n', text.len) : NULL;

    return end ? (size_t)(end - text.data) + 1 : text.len;
}

/* Output is told at the end; the program writes it itself when it does. Only so
 * much of it is kept as will be told: the first lines. */
static void output_paragraph(struct telling *telling, const struct event *event)
{
    struct bytes rest = event->output.bytes;

    telling->output_total += rest.len;
    while (rest.len > 0 && telling->output_lines < OUTPUT_LINES) {
        size_t len = line_length(rest);

        telling->output_lines += rest.data[len - 1] == '\n';
        buf_append(&telling->output, rest.data, len);
        rest.data += len;
        rest.len -= len;
    }
}

const struct tell_kind kind_output = {output_words, output_paragraph, 0};

/* Explains an event. Returns whether it needed it. */
static bool tell_explanation(struct telling *telling, uint64_t index)
{
    struct past past = recent_past(&telling->recent, &telling->emissions);
    struct explanation explanation = {0};
    bool found = explain_event(&past, &telling->view, index, &explanation);

    if (found)
        explanation_write(&explanation, &telling->pen, 0);
    explanation_release(&explanation);
    return found;
}

void telling_behind(struct telling *telling, const struct event *event)
{
    if (!telling->fault || event->kind == EVENT_LIMIT ||
        event->kind == EVENT_VERDICT ||
        (event->tid != telling->fault_tid && event->kind != EVENT_EXIT))
        return;
    if (!(event->kind == EVENT_EXIT && event->exit.signal.known))
        telling->handled_told += tell_explanation(telling, telling->fault - 1);
    telling->fault = 0;
}

static void signal_words(struct story *story, enum tell_form form)
{
    const struct event_signal *signal = &story->event->signal;
    const char *name =
        phrase_signal(&story->phrases, signal->number, signal->name);
    bool is_fault = explain_is_fault(signal);
    struct focus focus = {0};

    if (form != TELL_SENTENCE) {
        say(story, "signal %s", name);
        return;
    }
    if (signal->pc.known && is_fault)
        focus_find(story->history, story->seq, &focus);
    say(story, "Signal %s", name);
    if (signal->pc.known)
        say(story, " at %s", story_where(story, signal->pc.value));
    if (signal->symbol)
        say(story, ", %s", signal->symbol);
    if (focus.state == INSN_DECODED &&
        signal->pc.value - focus.addr <= (signal->number == SIGTRAP))
        say(story, ", %s", focus.insn.text);
    say(story, "%s%s.", is_fault ? ": " : " was delivered to the program",
        explain_fault(&story->phrases, story_view(story), signal));
}

static void signal_paragraph(struct telling *telling, const struct event *event)
{
    const struct event_signal *signal = &event->signal;
    struct phrases *phrases = &telling->phrases;
    const char *verdict = word_is(signal->access, "execute")
                              ? "is not fetched"
                              : "does not complete";
    struct pen *pen = &telling->pen;
    struct insn insn;

    pen_print(pen, ROLE_WARNING, "signal %s",
              phrase_signal(phrases, signal->number, signal->name));
    if (signal->pc.known)
        pen_print(pen, ROLE_NOTE, " at 0x%" PRIx64, signal->pc.value);
    if (signal->symbol)
        pen_print(pen, ROLE_NOTE, ", %s", signal->symbol);
    pen_gap(pen, 0);
    pen_source(pen, &event->source);
    pen_end(pen);
    if (explain_ends_child(signal) && telling->handled_told < HANDLED) {
        telling->handled_told +=
            tell_explanation(telling, telling->recent.count - 1);
        return;
    }
    if (!explain_is_fault(signal))
        return;
    if (signal->pc.known && signal->number != SIGTRAP &&
        view_region_at(&telling->view, signal->pc.value) &&
        telling_decode(telling, signal->pc.value, &insn)) {
        /* What did not run, in the form of a step. */
        telling_insn(telling, insn.addr - telling_base(telling, insn.addr, 0),
                     (struct bytes){insn.bytes, insn.length}, insn.text);
        pen_item(pen, 5, strlen(verdict));
        pen_line(pen, ROLE_WARNING, "%s", verdict);
    }
    pen_column(pen, 5);
    pen_words(pen, ROLE_WARNING, 5,
              explain_fault(phrases, &telling->view, signal));
    if (telling->handled_told < HANDLED) {
        telling->fault = telling->recent.count;
        telling->fault_tid = event->tid;
    }
}

const struct tell_kind kind_signal = {signal_words, signal_paragraph,
                                      TELL_SEARCHED(signal, name)};

static void fork_words(struct story *story, enum tell_form form)
{
    const struct event_fork *fork = &story->event->fork;
    const char *call = fork->call ? fork->call : "fork";

    if (form == TELL_NEXT)
        say(story, "another process");
    else if (form == TELL_TITLE)
        say(story, "%s: process %" PRId64, call, fork->child);
    else
        say(story, "%s made process %" PRId64 ", which %s.", call, fork->child,
            word_is(fork->memory, "shared")
                ? "shares the memory until it runs another program"
                : "has a copy of the memory");
}

static void fork_paragraph(struct telling *telling, const struct event *event)
{
    const struct event_fork *fork = &event->fork;

    pen_line(&telling->pen, ROLE_NOTE, "%s() makes process %" PRId64 ", %s",
             fork->call ? fork->call : "fork", fork->child,
             word_is(fork->memory, "shared")
                 ? "which shares the memory until it runs another program"
                 : "which has a copy of the memory");
}

const struct tell_kind kind_fork = {fork_words, fork_paragraph,
                                    TELL_SEARCHED(fork, call)};

static void append_command(const struct event_exec *exec, struct buf *out)
{
    for (size_t i = 0; i < exec->argv.count; i++)
        buf_printf(out, "%s%s", i ? " " : "", exec->argv.list[i]);
}

static void exec_words(struct story *story, enum tell_form form)
{
    const struct event_exec *exec = &story->event->exec;
    const char *exe = exec->exe ? exec->exe : "another program";
    struct buf command = {0};

    append_command(exec, &command);
    if (form == TELL_NEXT)
        say(story, "another program in this process");
    else if (form == TELL_TITLE)
        say(story, "execve: %s", buf_text(&command));
    else
        say(story, "The process runs %s from now on, as `%s`.", exe,
            buf_text(&command));
    buf_release(&command);
}

static void exec_paragraph(struct telling *telling, const struct event *event)
{
    struct pen *pen = &telling->pen;
    struct buf command = {0};

    append_command(&event->exec, &command);
    pen_print(pen, ROLE_NOTE, "execve() runs ");
    pen_cut_bytes(pen, ROLE_NOTE, (struct bytes){command.data, command.len});
    pen_end(pen);
    buf_release(&command);
}

const struct tell_kind kind_exec = {exec_words, exec_paragraph,
                                    TELL_SEARCHED(exec, exe)};

/* The reader's leaving is no limit of ours, nor is what he asked for and is not
 * there: the sentence says all. */
static bool says_all(const struct event_limit *limit)
{
    return word_is(limit->budget, "quit") ||
           word_is(limit->budget, "unmatched");
}

static void limit_words(struct story *story, enum tell_form form)
{
    const struct event_limit *limit = &story->event->limit;
    bool is_quit = word_is(limit->budget, "quit");
    bool is_all = says_all(limit);
    const char *text = limit->text ? limit->text : limit->budget;
    size_t len = text ? strlen(text) : 0;

    if (form == TELL_NEXT)
        say(story, "a note on what is not watched");
    else if (form == TELL_SENTENCE)
        say(story, "%s%s%s",
            is_all ? "" : "Not watched: ", len ? text : "something",
            len && text[len - 1] == '.' ? "" : ".");
    else if (is_quit)
        say(story, "ended by jittrace");
    else if (is_all)
        say(story, "not there: what was asked for");
    else
        say(story, "not watched: %s",
            limit->budget ? limit->budget : "something");
}

static void limit_paragraph(struct telling *telling, const struct event *event)
{
    const struct event_limit *limit = &event->limit;
    const char *why = limit->text ? limit->text : limit->budget;

    if (!says_all(limit))
        pen_text(&telling->pen, ROLE_WARNING, "not watched: ");
    telling->chosen |= word_is(limit->budget, "only");
    pen_words(&telling->pen, ROLE_WARNING, 5, why ? why : "something");
    telling->unwatched |= event_ends_watching(limit);
    telling->left_out |= word_is(limit->budget, "last");
    tell_explanation(telling, telling->recent.count - 1);
}

const struct tell_kind kind_limit = {limit_words, limit_paragraph, 0};

static void exit_words(struct story *story, enum tell_form form)
{
    const struct event_exit *end = &story->event->exit;
    const char *how = phrase_end(&story->phrases, end);
    uint64_t calls = story_view(story)->calls;

    if (form == TELL_TITLE)
        say(story, "%s", how);
    if (form == TELL_NEXT)
        say(story, "the program ends");
    if (form != TELL_SENTENCE)
        return;
    say(story, "The program %s%s.", end->signal.known ? "was " : "", how);
    if (calls > 0)
        say(story, " %" PRIu64 " call%s into generated code %s seen.", calls,
            calls == 1 ? "" : "s", calls == 1 ? "was" : "were");
}

static void exit_paragraph(struct telling *telling, const struct event *event)
{
    struct bytes rest = {telling->output.data, telling->output.len};
    const struct event_exit *end = &event->exit;
    uint64_t stores = telling->untold_stores;
    bool one = telling->untold == 1;
    struct pen *pen = &telling->pen;
    struct buf text = {0};

    pen_blank(pen);
    if (telling->unwatched)
        pen_words(pen, ROLE_WARNING, 0,
                  "The program was not watched to its end, for the reason "
                  "given above: it may have done more than is shown here.");
    else if (telling->entries == 0 && !telling->left_out)
        pen_line(pen, ROLE_NOTE, "%s",
                 telling->chosen ? "Nothing ran of what was asked for."
                                 : "No generated code was seen to run.");
    buf_printf(&text, "%" PRIu64 " %smapping%s never held code",
               telling->untold, telling->some_code ? "other " : "",
               one ? "" : "s");
    if (stores > 0) {
        buf_printf(&text, ": %" PRIu64 " store%s into %s", stores,
                   stores == 1 ? "" : "s", one ? "it" : "them");
        one = stores == 1;
    }
    buf_printf(&text, "%s %s not shown here (--format=json has %s).",
               stores > 0 ? "" : " and", one ? "is" : "are",
               one ? "it" : "them");
    if (telling->untold > 0)
        pen_words(pen, ROLE_NOTE, 0, buf_text(&text));
    buf_release(&text);
    if (telling->output_total > 0)
        pen_line(pen, ROLE_NOTE, "What the program printed, %s:",
                 telling->left_out ? "in these events" : "all together");
    else if (!telling->unwatched && !telling->left_out)
        pen_line(pen, ROLE_NOTE, "The program itself printed nothing.");
    while (rest.len > 0) { /* its first lines, each cut to the width */
        size_t len = line_length(rest);

        pen_column(pen, 4);
        pen_cut_bytes(
            pen, ROLE_RESULT,
            (struct bytes){rest.data, len - (rest.data[len - 1] == '\n')});
        pen_end(pen);
        rest.data += len;
        rest.len -= len;
    }
    if (telling->output_total > telling->output.len) {
        pen_column(pen, 4);
        pen_line(pen, ROLE_NOTE, "... and %" PRIu64 " bytes more",
                 telling->output_total - telling->output.len);
    }
    pen_line(pen, end->signal.known ? ROLE_WARNING : ROLE_NOTE, "It %s%s.",
             end->signal.known ? "was " : "",
             phrase_end(&telling->phrases, end));
    tell_explanation(telling, telling->recent.count - 1);
}

const struct tell_kind kind_exit = {exit_words, exit_paragraph, 0};
