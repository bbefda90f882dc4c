/* SPDX-License-Identifier: MIT */
/*
 * The words that the sentences on events are made of.
 */
#include "tell/story_parts.h"

#include <string.h>
#include <sys/mman.h>

#include "base/utf8.h"
#include "cpu/effect.h"

void say(const struct story *story, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    buf_vprintf(story->out, format, args);
    va_end(args);
}

const struct view *story_view(const struct story *story)
{
    return history_view(story->history, story->seq);
}

void say_address(const struct story *story, uint64_t addr)
{
    say(story, "0x%llx", (unsigned long long)addr);
}

void say_place(const struct story *story, uint64_t offset, uint64_t length)
{
    say(story, "code[%llu", (unsigned long long)offset);
    if (length > 1)
        say(story, "..%llu", (unsigned long long)(offset + length - 1));
    say(story, "]");
}

void say_where(const struct story *story, uint64_t addr)
{
    const struct region *region = view_region_at(story_view(story), addr);

    if (region)
        say_place(story, addr - region->start, 1);
    else
        say_address(story, addr);
}

void say_label(const struct story *story, uint64_t addr)
{
    struct buf name = {0};

    if (labels_describe(&story_view(story)->labels, addr, &name))
        say(story, " <%s>", buf_text(&name));
    buf_release(&name);
}

void say_call_name(const struct story *story, const char *call,
                   const char *other)
{
    if (call && *call)
        say(story, "%.*s", (int)strcspn(call, "("), call);
    else
        say(story, "%s", other);
}

void say_length(const struct story *story, uint64_t length)
{
    const struct event *start = history_event(story->history, 0);
    uint64_t size = start->kind == EVENT_START ? start->start.page_size : 0;

    if (size == 0 || length % size != 0 || length == 0)
        say(story, "%llu bytes", (unsigned long long)length);
    else if (length == size)
        say(story, "one page");
    else
        say(story, "%llu pages", (unsigned long long)(length / size));
}

void say_register(const struct story *story, uint64_t value)
{
    if (story->decimal)
        say(story, "%lld", (long long)value);
    else
        value_describe(value, 64, story->out);
}

void say_rights(const struct story *story, unsigned prot)
{
    static const struct {
        unsigned prot;
        const char *words;
    } rights[] = {
        {PROT_NONE, "nothing allowed"},
        {PROT_READ, "reading allowed, writing and executing not"},
        {PROT_WRITE, "writing allowed, reading and executing not"},
        {PROT_EXEC, "executing allowed, reading and writing not"},
        {PROT_READ | PROT_WRITE, "reading and writing allowed, executing not"},
        {PROT_READ | PROT_EXEC, "reading and executing allowed, writing not"},
        {PROT_WRITE | PROT_EXEC, "writing and executing allowed, reading not"},
        {PROT_READ | PROT_WRITE | PROT_EXEC,
         "reading, writing and executing allowed"},
    };

    prot &= PROT_READ | PROT_WRITE | PROT_EXEC;
    for (size_t i = 0; i < sizeof rights / sizeof *rights; i++)
        if (rights[i].prot == prot)
            say(story, "%s", rights[i].words);
}

void say_quoted(const struct story *story, struct bytes text, unsigned limit)
{
    size_t start = story->out->len, used = 1;
    unsigned columns;

    say(story, "\"");
    for (size_t i = 0; i < text.len; i += used, used = 1) {
        if (story->out->len - start > limit) {
            say(story, "...");
            break;
        }
        if (text.data[i] == '\n' || text.data[i] == '\t')
            say(story, text.data[i] == '\n' ? "\\n" : "\\t");
        else if (text.data[i] == '"' || text.data[i] == '\\')
            say(story, "\\%c", text.data[i]);
        else
            used = utf8_show(text.data + i, text.len - i, story->out, &columns);
    }
    say(story, "\"");
}

bool story_decode(const struct view *view, uint64_t addr, struct insn *insn)
{
    uint8_t bytes[INSN_MAX_LENGTH];
    uint64_t first, last;

    if (!pages_extent(&view->pages, addr, sizeof bytes, &first, &last))
        return false;
    pages_read(&view->pages, addr, sizeof bytes, bytes);
    return insn_decode(bytes, sizeof bytes, addr, insn) > 0;
}

void say_argv(const struct story *story, unsigned limit)
{
    const struct texts *argv = &story->event->start.argv;
    size_t start = story->out->len;

    if (argv->count == 0)
        say(story, "The program");
    for (size_t i = 0; i < argv->count; i++) {
        if (story->out->len - start + strlen(argv->list[i]) > limit) {
            say(story, "%s...", i ? " " : "The program");
            return;
        }
        say(story, *argv->list[i] ? "%s%s" : "%s''", i ? " " : "",
            argv->list[i]);
    }
}
