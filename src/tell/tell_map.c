/* SPDX-License-Identifier: MIT */
/*
 * The start, and memory: how it comes, goes, and changes its protection.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/utf8.h"
#include "tell/tell_parts.h"

/* What comes next, where no call is known. */
#define CHANGE "a change of its memory"

#define ARG_SHOWN     200u /* bytes of an argument, in a paragraph */
#define ARGV_SENTENCE 60u  /* bytes of all, in a sentence */
#define ARGV_TITLE    45u

/* --- start --------------------------------------------------------------- */

/* The arguments of a start event, up to so many bytes. */
static const char *story_argv(struct story *story, unsigned limit)
{
    const struct texts *argv = &story->event->start.argv;
    struct buf text = {0};

    if (argv->count == 0)
        buf_append_text(&text, "The program");
    for (size_t i = 0; i < argv->count; i++) {
        const char *arg = argv->list[i];

        if (text.len + strlen(arg) > limit) {
            buf_append_text(&text, i ? " ..." : "The program...");
            break;
        }
        buf_printf(&text, "%s%s", i ? " " : "", *arg ? arg : "''");
    }
    return phrase_of(&story->phrases, &text);
}

static void start_words(struct story *story, enum tell_form form)
{
    const struct event_start *start = &story->event->start;

    switch (form) {
    case TELL_TITLE:
        say(story, "start: %s", story_argv(story, ARGV_TITLE));
        break;
    case TELL_SENTENCE:
        say(story,
            "%s was started as process %lld and is at its entry point 0x%llx. "
            "A page has %llu bytes: AT_PAGESZ, which getpagesize() returns.",
            story_argv(story, ARGV_SENTENCE), (long long)start->pid,
            (unsigned long long)start->entry,
            (unsigned long long)start->page_size);
        break;
    case TELL_NEXT:
        say(story, "the program starts");
        break;
    }
}

/* As a shell would read it back, but for what is cut; where it takes more than
 * quotes as bash does: $'\x1b[m'. */
static void append_arg(const char *arg, bool first, struct buf *out)
{
    size_t len = strlen(arg), shown = len, used;
    bool quoted = !*arg || (first && strchr(arg, '='));
    bool printable = true; /* nothing that a terminal would not show */

    for (size_t i = 0; i < len && printable; i += used) {
        used = utf8_shown((const uint8_t *)arg + i, len - i);
        printable = used > 0;
        quoted |= !printable || (used == 1 && !isalnum((unsigned char)arg[i]) &&
                                 !strchr("@%+=:,./-_", arg[i]));
    }
    if (len > ARG_SHOWN)
        shown = utf8_cut((struct bytes){(const uint8_t *)arg, len}, ARG_SHOWN);
    buf_append_text(out, !printable ? "$'" : quoted ? "'" : "");
    for (size_t i = 0; i < shown; i++) {
        if (printable && arg[i] == '\'')
            buf_append_text(out, "'\\''");
        else if (!printable && (arg[i] == '\n' || arg[i] == '\t'))
            buf_append_text(out, arg[i] == '\n' ? "\\n" : "\\t");
        else if (!printable && (arg[i] == '\'' || arg[i] == '\\'))
            buf_printf(out, "\\%c", arg[i]);
        else if (!printable && (arg[i] < 0x20 || arg[i] >= 0x7f))
            buf_printf(out, "\\x%02x", (uint8_t)arg[i]);
        else
            buf_append(out, arg + i, 1);
    }
    buf_append_text(out, quoted ? "'" : "");
    buf_append_text(out, len > ARG_SHOWN ? "..." : "");
}

static void start_paragraph(struct telling *telling, const struct event *event)
{
    const struct event_start *start = &event->start;
    struct phrases *phrases = &telling->phrases;
    unsigned long long size = start->page_size;
    struct pen *pen = &telling->pen;
    struct buf line = {0};

    telling->pid = start->pid;
    telling->page_size = start->page_size;
    for (size_t i = 0; i < start->argv.count; i++) {
        buf_append_text(&line, i ? " " : "");
        append_arg(start->argv.list[i], i == 0, &line);
    }
    pen_entry(pen, "program", ROLE_CALL, phrase_of(phrases, &line));
    pen_entry(pen, "process", ROLE_PLAIN,
              phrase(phrases, "%lld", (long long)start->pid));
    pen_entry(pen, "page size", ROLE_RESULT,
              phrase(phrases, "%llu bytes = 0x%llx", size, size));
    pen_entry(pen, "", ROLE_NOTE,
              "The kernel hands it to every program as AT_PAGESZ, in the "
              "auxiliary vector: a list that it puts on the new stack next to "
              "the arguments. getpagesize() returns this number.");
}

const struct tell_kind kind_start = {start_words, start_paragraph, 0};

/* --- map ----------------------------------------------------------------- */

static bool is_call(const char *call, const char *name)
{
    size_t len = strlen(name);

    return call && strncmp(call, name, len) == 0 && call[len] == '(';
}

/* Whether it was asked for just now, so that the kernel cleared it. */
static bool is_zeros(const struct event_map *map)
{
    return is_call(map->call, "mmap") && map->flags &&
           strstr(map->flags, "MAP_ANONYMOUS") &&
           word_is(map->backing, "anonymous");
}

static bool is_heap_or_stack(const struct event_map *map)
{
    return word_is(map->backing, "heap") || word_is(map->backing, "stack");
}

static void map_sentence(struct story *story)
{
    const struct event_map *map = &story->event->map;
    struct phrases *phrases = &story->phrases;

    if (map->call)
        say(story, "%s gave ", phrase_call(phrases, map->call, ""));
    else
        say(story, "No mmap was seen, but the program has ");
    say(story, "%s at 0x%llx: %s", story_length(story, map->length),
        (unsigned long long)map->addr, phrase_rights_short(phrases, map->prot));
    if (is_zeros(map))
        say(story, "; every byte is 0");
    else if (is_call(map->call, "mremap"))
        say(story, "; its content came along");
    else if (is_heap_or_stack(map))
        say(story, "; it is part of the %s", map->backing);
    else if (map->backing && !word_is(map->backing, "anonymous"))
        say(story, "; behind it is %s", map->backing);
    say(story, map->call ? "." : ". Its content is from before.");
}

static void map_words(struct story *story, enum tell_form form)
{
    const struct event_map *map = &story->event->map;
    struct phrases *phrases = &story->phrases;

    switch (form) {
    case TELL_TITLE:
        say(story, "%s %s, %s", phrase_call(phrases, map->call, "memory"),
            phrase_prot(phrases, map->prot), story_length(story, map->length));
        break;
    case TELL_SENTENCE:
        map_sentence(story);
        break;
    case TELL_NEXT:
        say(story, "%s", phrase_call(phrases, map->call, CHANGE));
        break;
    }
}

/* The length; and what was asked for, where that is not the same: the second
 * argument of mmap(2) in the words of strace. */
static void tell_length(struct telling *telling, const struct event_map *map)
{
    const char *comma =
        is_call(map->call, "mmap") ? strchr(map->call, ',') : NULL;
    unsigned long long asked = comma ? strtoull(comma + 1, NULL, 0) : 0;
    uint64_t pages = telling->page_size ? map->length / telling->page_size : 0;
    struct buf line = {0};

    if (asked && asked != map->length)
        buf_printf(&line, "%llu bytes asked for, rounded up to ", asked);
    buf_printf(&line, "%llu bytes", (unsigned long long)map->length);
    if (pages)
        buf_printf(&line, " = %llu page%s", (unsigned long long)pages,
                   pages == 1 ? "" : "s");
    pen_entry(&telling->pen, "length", ROLE_PLAIN,
              phrase_of(&telling->phrases, &line));
}

/* Each of them with its meaning (mmap(2)) the first time. */
static void tell_flags(struct telling *telling, const char *flags)
{
    static const struct {
        const char *name;
        const char *meaning;
    } known[] = {
        {"MAP_PRIVATE", "what is stored there stays in this process"},
        {"MAP_SHARED", "what is stored there is seen by all who map it"},
        {"MAP_ANONYMOUS", "no file behind it"},
        {"MAP_FIXED", "at exactly this address, replacing what was there"},
        {"MAP_FIXED_NOREPLACE", "at exactly this address, or not at all"},
        {"MAP_32BIT", "in the lowest 2 GiB of addresses"},
        {"MAP_NORESERVE", "no swap space is set aside for it"},
    };
    const char *label = "flags";

    if (!telling_first_time(telling, TOPIC_MAP_FLAGS)) {
        pen_entry(&telling->pen, label, ROLE_PLAIN, flags);
        return;
    }
    while (*flags) {
        int len = (int)strcspn(flags, "|");
        const char *line = phrase(&telling->phrases, "%.*s", len, flags);

        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            if (strcmp(line, known[i].name) == 0) {
                line = phrase(&telling->phrases, "%-13s  %s", line,
                              known[i].meaning);
                break;
            }
        pen_entry(&telling->pen, label, ROLE_PLAIN, line);
        label = "";
        flags += len + (flags[len] == '|');
    }
}

static void tell_maps(struct telling *telling, const struct event_map *map)
{
    struct pen *pen = &telling->pen;
    char *end;
    uint64_t first = strtoull(map->maps, &end, 16);
    uint64_t last = *end == '-' ? strtoull(end + 1, NULL, 16) : 0;

    pen_column(pen, 2);
    pen_line(pen, ROLE_NOTE,
             "its line of /proc/%lld/maps:", (long long)telling->pid);
    pen_column(pen, 4);
    telling_maps(telling, map->maps);
    if (last <= first || last - first <= map->length)
        return;
    pen_column(pen, 4);
    pen_words(pen, ROLE_NOTE, 4,
              "(The kernel shows neighbours of the same kind as one line.)");
}

static void map_paragraph(struct telling *telling, const struct event *event)
{
    const struct event_map *map = &event->map;
    struct phrases *phrases = &telling->phrases;
    struct pen *pen = &telling->pen;
    const char *what;

    pen_blank(pen);
    telling_forget(telling, map->addr, map->length);
    if (event->source.file) {
        telling_source(telling, event);
        pen_end(pen);
    }
    if (map->call) {
        pen_column(pen, 2);
        pen_words(pen, ROLE_CALL, 5, map->call);
    } else { /* memory that the program had before */
        what = is_heap_or_stack(map)
                   ? phrase(phrases, "part of the %s", map->backing)
               : map->backing && map->backing[0] == '/'
                   ? phrase(phrases, "part of %s", map->backing)
                   : "the program's already";
        pen_print(pen, ROLE_NOTE, "No mmap was seen: this memory is ");
        pen_words(pen, ROLE_NOTE, 0,
                  phrase(phrases, "%s, and its content is from before.", what));
    }
    pen_entry(pen, "address", ROLE_ADDRESS, phrase_hex(phrases, map->addr));
    tell_length(telling, map);
    pen_entry(pen, "protection", ROLE_PROTECTION,
              phrase(phrases, "%s  %s", phrase_prot(phrases, map->prot),
                     phrase_rights(phrases, map->prot)));
    if (map->flags)
        tell_flags(telling, map->flags);
    if (map->backing) {
        what = "";
        if (is_zeros(map) && telling_first_time(telling, TOPIC_ZEROS))
            what = map->length <= telling->page_size
                       ? ": a fresh page, every byte of it 0"
                       : ": fresh pages, every byte of them 0";
        pen_entry(pen, "backing", ROLE_PLAIN,
                  phrase(phrases, "%s%s", map->backing, what));
    }
    if (map->maps)
        tell_maps(telling, map);
}

const struct tell_kind kind_map = {map_words, map_paragraph,
                                   TELL_SEARCHED(map, call)};

/* --- unmap --------------------------------------------------------------- */

static void unmap_words(struct story *story, enum tell_form form)
{
    const struct event_unmap *unmap = &story->event->unmap;
    const char *length = story_length(story, unmap->length);
    struct phrases *phrases = &story->phrases;

    switch (form) {
    case TELL_TITLE:
        say(story, "%s%s%s", phrase_call(phrases, unmap->call, "unmapped:"),
            unmap->call && !is_call(unmap->call, "munmap") ? " takes away "
                                                           : " ",
            length);
        break;
    case TELL_SENTENCE:
        say(story, "%s %s at 0x%llx%s",
            unmap->call ? phrase(phrases, "%s took away",
                                 phrase_call(phrases, unmap->call, ""))
                        : "The program no longer has",
            length, (unsigned long long)unmap->addr,
            is_call(unmap->call, "mremap") ? "." : ", and what was in it.");
        break;
    case TELL_NEXT:
        say(story, "%s", phrase_call(phrases, unmap->call, CHANGE));
        break;
    }
}

static void unmap_paragraph(struct telling *telling, const struct event *event)
{
    struct pen *pen = &telling->pen;

    telling_forget(telling, event->unmap.addr, event->unmap.length);
    pen_blank(pen);
    pen_print(pen, ROLE_NOTE, "unmapped: %llu bytes at ",
              (unsigned long long)event->unmap.length);
    pen_print(pen, ROLE_ADDRESS, "0x%llx",
              (unsigned long long)event->unmap.addr);
    pen_gap(pen, 0);
    telling_source(telling, event);
    pen_end(pen);
}

const struct tell_kind kind_unmap = {unmap_words, unmap_paragraph,
                                     TELL_SEARCHED(unmap, call)};

/* --- protect ------------------------------------------------------------- */

/* What the change means where the code stays or becomes executable. */
static void say_executable(struct story *story)
{
    const struct event_protect *protect = &story->event->protect;
    const struct bytes *code = &protect->code;
    bool was_writable = protect->old_prot & PROT_WRITE;
    bool was_executable = protect->old_prot & PROT_EXEC;

    if (protect->prot & PROT_WRITE)
        say(story, "writable and executable at the same time");
    else if (was_executable)
        say(story, "still executable%s",
            was_writable ? ", but it cannot be changed until mprotect allows "
                           "it again"
                         : "");
    else if (code->data && code->len > 1 && code->len <= ARCH_PAGE_SIZE)
        say(story, "the %zu bytes are code now", code->len);
    else
        say(story, "%s is code now",
            code->data && code->len == 1 ? "the byte there" : "what is there");
    if (!(protect->prot & PROT_WRITE) && !was_executable && was_writable)
        say(story, ", and cannot be changed until mprotect allows it again");
}

static void protect_sentence(struct story *story)
{
    const struct event_protect *protect = &story->event->protect;
    struct phrases *phrases = &story->phrases;
    unsigned old = protect->old_prot, new = protect->prot;
    const char *flip = phrase(phrases, "%s to %s", phrase_prot(phrases, old),
                              phrase_prot(phrases, new));

    if (protect->call)
        say(story, "%s changed %s: ", phrase_call(phrases, protect->call, ""),
            flip);
    else
        say(story, "The protection changed from %s: ", flip);
    if (old == new)
        say(story, "as it was");
    else if (new &PROT_EXEC)
        say_executable(story);
    else if (!(old & PROT_EXEC))
        say(story, "%s", phrase_rights_short(phrases, new));
    else if (!(new &PROT_WRITE))
        say(story, "the code can no longer be executed");
    else
        say(story, old & PROT_WRITE
                       ? "the code can still be changed, but no longer be "
                         "executed"
                       : "the code can be changed again, but not be executed");
    say(story, ".");
}

static void protect_words(struct story *story, enum tell_form form)
{
    const struct event_protect *protect = &story->event->protect;
    struct phrases *phrases = &story->phrases;

    switch (form) {
    case TELL_TITLE:
        say(story, "%s %s -> %s",
            phrase_call(phrases, protect->call, "protection"),
            phrase_prot(phrases, protect->old_prot),
            phrase_prot(phrases, protect->prot));
        break;
    case TELL_SENTENCE:
        protect_sentence(story);
        break;
    case TELL_NEXT:
        say(story, "%s", phrase_call(phrases, protect->call, CHANGE));
        break;
    }
}

static const char *meaning_of(unsigned old, unsigned new)
{
    bool was_writable = old & PROT_WRITE, was_executable = old & PROT_EXEC;

    if (new &PROT_EXEC)
        return new &PROT_WRITE  ? "writable and executable at the same time"
               : was_writable   ? "executable from now on, no longer writable"
               : was_executable ? "still executable"
                                : "executable from now on";
    if (new &PROT_WRITE)
        return was_executable ? "writable again, no longer executable"
                              : "writable, not executable";
    return "not executable";
}

/* An entry of a paragraph's table, in a line of its own. */
static void tell_entry(struct telling *telling, const char *name)
{
    pen_column(&telling->pen, 2);
    pen_text(&telling->pen, ROLE_NOTE, name);
    pen_column(&telling->pen, 14);
}

static void protect_paragraph(struct telling *telling,
                              const struct event *event)
{
    const struct event_protect *protect = &event->protect;
    uint64_t base = telling_base(telling, protect->addr, 0);
    unsigned old = protect->old_prot, new = protect->prot;
    struct phrases *phrases = &telling->phrases;
    struct pen *pen = &telling->pen;

    pen_blank(pen);
    if (event->source.file) {
        telling_source(telling, event);
        pen_end(pen);
    }
    if (protect->call) {
        pen_column(pen, 2);
        pen_words(pen, ROLE_CALL, 5, protect->call);
    }
    tell_entry(telling, "protection");
    pen_print(pen, ROLE_PROTECTION, "%s -> %s", phrase_prot(phrases, old),
              phrase_prot(phrases, new));
    pen_gap(pen, 0);
    pen_line(pen, ROLE_NOTE, "%s", meaning_of(old, new));
    if (telling->maps_before) {
        tell_entry(telling, "maps before");
        telling_maps(telling, telling->maps_before);
    }
    if (protect->maps) {
        tell_entry(telling, "maps after");
        telling_maps(telling, protect->maps);
    }
    if (!(new &PROT_EXEC) || old & PROT_EXEC)
        return;
    telling_area(telling, base)->flipped = true;
    if (telling_show_code(telling, base, protect->addr + protect->code_offset,
                          protect->code))
        return;
    pen_column(pen, 2);
    pen_line(pen, ROLE_NOTE, "%s",
             protect->code.data ? "No byte there changed since it was shown."
                                : "No store into it was seen.");
}

const struct tell_kind kind_protect = {protect_words, protect_paragraph,
                                       TELL_SEARCHED(protect, call)};
