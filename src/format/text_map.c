/* SPDX-License-Identifier: MIT */
/*
 * Stages 1 and 2: the page size, and memory to put code into.
 */
#include "format/text_parts.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/utf8.h"

#define ARG_MAX_SHOWN 200u /* bytes */

/* Whether a text has nothing in it that a terminal would not show. */
static bool is_printable(const char *text)
{
    size_t len = strlen(text), used;

    for (size_t i = 0; i < len; i += used) {
        used = utf8_shown((const uint8_t *)text + i, len - i);
        if (used == 0)
            return false;
    }
    return true;
}

/* $'\x1b[m', as bash reads it back. */
static void append_escaped(const char *arg, size_t len, struct buf *out)
{
    buf_append_text(out, "$'");
    for (size_t i = 0; i < len; i++) {
        if (arg[i] == '\n' || arg[i] == '\t')
            buf_append_text(out, arg[i] == '\n' ? "\\n" : "\\t");
        else if (arg[i] == '\'' || arg[i] == '\\')
            buf_printf(out, "\\%c", arg[i]);
        else if (arg[i] >= 0x20 && arg[i] < 0x7f)
            buf_append(out, arg + i, 1);
        else
            buf_printf(out, "\\x%02x", (uint8_t)arg[i]);
    }
    buf_append_text(out, "'");
}

static void append_quoted(const char *arg, size_t len, struct buf *out)
{
    buf_append_text(out, "'");
    for (size_t i = 0; i < len; i++) {
        if (arg[i] == '\'')
            buf_append_text(out, "'\\''");
        else
            buf_append(out, arg + i, 1);
    }
    buf_append_text(out, "'");
}

static bool is_plain(const char *arg)
{
    for (; *arg; arg++)
        if (!isalnum((unsigned char)*arg) && !strchr("@%+=:,./-_", *arg) &&
            !(*arg & 0x80))
            return false;
    return true;
}

/* As a shell would read it back, but for what is cut. */
static void append_arg(const char *arg, bool first, struct buf *out)
{
    size_t len = strlen(arg);
    bool cut = len > ARG_MAX_SHOWN;

    if (cut)
        len =
            utf8_cut((struct bytes){(const uint8_t *)arg, len}, ARG_MAX_SHOWN);
    if (!is_printable(arg))
        append_escaped(arg, len, out);
    else if (*arg && is_plain(arg) && !(first && strchr(arg, '=')))
        buf_append(out, arg, len);
    else
        append_quoted(arg, len, out);
    if (cut)
        buf_append_text(out, "...");
}

static void append_argv(const struct texts *argv, struct buf *out)
{
    for (size_t i = 0; i < argv->count; i++) {
        buf_append_text(out, i ? " " : "");
        append_arg(argv->list[i], i == 0, out);
    }
}

void text_start(struct text *text, const struct event *event)
{
    const struct event_start *start = &event->start;
    struct buf line = {0};

    text->pid = start->pid;
    text->page_size = start->page_size;
    append_argv(&start->argv, &line);
    pen_entry(&text->pen, "program", ROLE_CALL, buf_text(&line));
    buf_clear(&line);
    buf_printf(&line, "%lld", (long long)start->pid);
    pen_entry(&text->pen, "process", ROLE_PLAIN, buf_text(&line));
    buf_clear(&line);
    buf_printf(&line, "%llu bytes = 0x%llx",
               (unsigned long long)start->page_size,
               (unsigned long long)start->page_size);
    pen_entry(&text->pen, "page size", ROLE_RESULT, buf_text(&line));
    pen_entry(&text->pen, "", ROLE_NOTE,
              "The kernel hands it to every program as AT_PAGESZ, in the "
              "auxiliary vector: a list that it puts on the new stack next to "
              "the arguments. getpagesize() returns this number.");
    buf_release(&line);
}

/* The length that an mmap(2) call, in the words of strace, asked for. */
static uint64_t asked_length(const char *call)
{
    const char *comma = call ? strchr(call, ',') : NULL;

    if (!comma || strncmp(call, "mmap(", 5) != 0)
        return 0;
    return strtoull(comma + 1, NULL, 0);
}

static void tell_length(struct text *text, const struct event_map *map)
{
    uint64_t asked = asked_length(map->call);
    uint64_t pages = text->page_size ? map->length / text->page_size : 0;
    struct buf line = {0};

    if (asked && asked != map->length)
        buf_printf(&line, "%llu bytes asked for, rounded up to ",
                   (unsigned long long)asked);
    buf_printf(&line, "%llu bytes", (unsigned long long)map->length);
    if (pages)
        buf_printf(&line, " = %llu page%s", (unsigned long long)pages,
                   pages == 1 ? "" : "s");
    pen_entry(&text->pen, "length", ROLE_PLAIN, buf_text(&line));
    buf_release(&line);
}

static void tell_protection(struct text *text, unsigned prot)
{
    struct buf line = {0};
    char letters[4];

    prot_text(prot, letters);
    buf_printf(&line, "%s  ", letters);
    text_rights(prot, &line);
    pen_entry(&text->pen, "protection", ROLE_PROTECTION, buf_text(&line));
    buf_release(&line);
}

/* mmap(2) */
static const struct {
    const char *name;
    const char *meaning;
} map_flag[] = {
    {"MAP_PRIVATE", "what is stored there stays in this process"},
    {"MAP_SHARED", "what is stored there is seen by all who map it"},
    {"MAP_ANONYMOUS", "no file behind it"},
    {"MAP_FIXED", "at exactly this address, replacing what was there"},
    {"MAP_FIXED_NOREPLACE", "at exactly this address, or not at all"},
    {"MAP_32BIT", "in the lowest 2 GiB of addresses"},
    {"MAP_NORESERVE", "no swap space is set aside for it"},
};

static const char *flag_meaning(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof map_flag / sizeof *map_flag; i++)
        if (strlen(map_flag[i].name) == len &&
            strncmp(map_flag[i].name, name, len) == 0)
            return map_flag[i].meaning;
    return "";
}

static void tell_each_flag(struct text *text, const char *flags)
{
    const char *label = "flags";

    while (*flags) {
        size_t len = strcspn(flags, "|");
        const char *meaning = flag_meaning(flags, len);
        struct buf line = {0};

        buf_printf(&line, *meaning ? "%-13.*s  %s" : "%.*s%s", (int)len, flags,
                   meaning);
        pen_entry(&text->pen, label, ROLE_PLAIN, buf_text(&line));
        buf_release(&line);
        label = "";
        flags += len + (flags[len] == '|');
    }
}

/* Whether it was asked for just now, so that the kernel cleared it. */
static bool is_fresh(const struct event_map *map)
{
    return map->call && strncmp(map->call, "mmap(", 5) == 0 && map->flags &&
           strstr(map->flags, "MAP_ANONYMOUS") &&
           word_is(map->backing, "anonymous");
}

/* Memory that the program had before. */
static void tell_found(struct text *text, const struct event_map *map)
{
    const char *part = map->backing ? map->backing : "";
    struct buf line = {0};

    if (strcmp(part, "heap") == 0 || strcmp(part, "stack") == 0)
        buf_printf(&line, "part of the %s", part);
    else if (part[0] == '/')
        buf_printf(&line, "part of %s", part);
    else
        buf_append_text(&line, "the program's already");
    pen_print(&text->pen, ROLE_NOTE, "No mmap was seen: this memory is ");
    buf_append_text(&line, ", and its content is from before.");
    pen_words(&text->pen, ROLE_NOTE, 0, buf_text(&line));
    buf_release(&line);
}

static void tell_backing(struct text *text, const struct event_map *map)
{
    bool one = map->length <= text->page_size;
    struct buf line = {0};

    buf_append_text(&line, map->backing);
    if (is_fresh(map) && text_first_time(text, TOPIC_ZEROS))
        buf_printf(&line, ": %s, every byte of %s 0",
                   one ? "a fresh page" : "fresh pages", one ? "it" : "them");
    pen_entry(&text->pen, "backing", ROLE_PLAIN, buf_text(&line));
    buf_release(&line);
}

/* Whether a line of maps covers more than the mapping. */
static bool is_joined(const struct event_map *map)
{
    char *end;
    uint64_t first = strtoull(map->maps, &end, 16);
    uint64_t last = *end == '-' ? strtoull(end + 1, NULL, 16) : 0;

    return last > first && last - first > map->length;
}

void text_maps_line(struct pen *pen, const char *maps)
{
    unsigned from = pen->column > pen->due ? pen->column : pen->due;
    char *line = mem_copy_text(maps), *to = line;

    if (from + pen_width(maps) > PEN_WIDTH) {
        for (const char *at = maps; *at; at++)
            if (*at != ' ' || at[1] != ' ')
                *to++ = *at;
        *to = 0;
    }
    pen_cut(pen, ROLE_ADDRESS, line);
    free(line);
}

static void tell_maps(struct text *text, const struct event_map *map)
{
    struct pen *pen = &text->pen;

    pen_column(pen, 2);
    pen_print(pen, ROLE_NOTE,
              "its line of /proc/%lld/maps:", (long long)text->pid);
    pen_end(pen);
    pen_column(pen, 4);
    text_maps_line(pen, map->maps);
    pen_end(pen);
    if (!is_joined(map))
        return;
    pen_column(pen, 4);
    pen_words(pen, ROLE_NOTE, 4,
              "(The kernel shows neighbours of the same kind as one line.)");
}

void text_map(struct text *text, const struct event *event)
{
    const struct event_map *map = &event->map;
    struct pen *pen = &text->pen;
    struct buf addr = {0};

    pen_blank(pen);
    text_forget(text, map->addr, map->length);
    if (event->source.file) {
        text_source(text, event);
        pen_end(pen);
    }
    if (map->call) {
        pen_column(pen, 2);
        pen_words(pen, ROLE_CALL, 5, map->call);
    } else {
        tell_found(text, map);
    }
    buf_printf(&addr, "0x%llx", (unsigned long long)map->addr);
    pen_entry(pen, "address", ROLE_ADDRESS, buf_text(&addr));
    buf_release(&addr);
    tell_length(text, map);
    tell_protection(text, map->prot);
    if (map->flags && text_first_time(text, TOPIC_MAP_FLAGS))
        tell_each_flag(text, map->flags);
    else if (map->flags)
        pen_entry(pen, "flags", ROLE_PLAIN, map->flags);
    if (map->backing)
        tell_backing(text, map);
    if (map->maps)
        tell_maps(text, map);
}

void text_unmap(struct text *text, const struct event *event)
{
    struct pen *pen = &text->pen;

    text_forget(text, event->unmap.addr, event->unmap.length);
    pen_blank(pen);
    pen_print(pen, ROLE_NOTE, "unmapped: %llu bytes at ",
              (unsigned long long)event->unmap.length);
    pen_print(pen, ROLE_ADDRESS, "0x%llx",
              (unsigned long long)event->unmap.addr);
    pen_gap(pen, 0);
    text_source(text, event);
    pen_end(pen);
}
