/* SPDX-License-Identifier: MIT */
/*
 * The start, and memory: how it comes, goes, and changes its protection.
 */
#include <ctype.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "tell/tell_parts.h"

/* What comes next, where no call is known. */
#define CHANGE "a change of its memory"

#define ARG_SHOWN     200u /* bytes of an argument, in a paragraph */
#define ARGV_SENTENCE 60u  /* bytes of all, in a sentence */
#define ARGV_TITLE    45u

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

    if (form == TELL_TITLE)
        say(story, "start: %s", story_argv(story, ARGV_TITLE));
    else if (form == TELL_NEXT)
        say(story, "the program starts");
    else
        say(story,
            "%s was started as process %" PRId64
            " and is at its entry point 0x%" PRIx64 ". A page has %" PRIu64
            " bytes: AT_PAGESZ, which getpagesize() returns.",
            story_argv(story, ARGV_SENTENCE), start->pid, start->entry,
            start->page_size);
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
              phrase(phrases, "%" PRId64, start->pid));
    pen_entry(pen, "page size", ROLE_RESULT,
              phrase(phrases, "%" PRIu64 " bytes = 0x%" PRIx64,
                     start->page_size, start->page_size));
    pen_entry(pen, "", ROLE_NOTE,
              "The kernel hands it to every program as AT_PAGESZ, in the "
              "auxiliary vector: a list that it puts on the new stack next to "
              "the arguments. getpagesize() returns this number.");
}

const struct tell_kind kind_start = {start_words, start_paragraph, 0};

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

static void map_words(struct story *story, enum tell_form form)
{
    const struct event_map *map = &story->event->map;
    struct phrases *phrases = &story->phrases;
    const char *length = story_length(story, map->length);

    if (form == TELL_TITLE)
        say(story, "%s %s, %s", phrase_call(phrases, map->call, "memory"),
            phrase_prot(map->prot), length);
    if (form == TELL_NEXT)
        say(story, "%s", phrase_call(phrases, map->call, CHANGE));
    if (form != TELL_SENTENCE)
        return;
    if (map->call)
        say(story, "%s gave ", phrase_call(phrases, map->call, ""));
    else
        say(story, "No mmap was seen, but the program has ");
    say(story, "%s at 0x%" PRIx64 ": %s", length, map->addr,
        phrase_rights_short(map->prot));
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

/* Each of them with its meaning (mmap(2)) the first time. */
static void tell_flags(struct telling *telling, const char *flags)
{
    static const char *const known[][2] = {
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
            if (strcmp(line, known[i][0]) == 0) {
                line =
                    phrase(&telling->phrases, "%-13s  %s", line, known[i][1]);
                break;
            }
        pen_entry(&telling->pen, label, ROLE_PLAIN, line);
        label = "";
        flags += len + (flags[len] == '|');
    }
}

static void map_paragraph(struct telling *telling, const struct event *event)
{
    const struct event_map *map = &event->map;
    struct phrases *phrases = &telling->phrases;
    struct pen *pen = &telling->pen;
    /* What was asked for: the second argument of mmap(2), as strace has it. */
    const char *comma =
        is_call(map->call, "mmap") ? strchr(map->call, ',') : NULL;
    uint64_t asked = comma ? strtoull(comma + 1, NULL, 0) : 0;
    uint64_t pages = telling->page_size ? map->length / telling->page_size : 0;
    const char *what = "the program's already";
    struct buf length = {0};
    uint64_t first, last;
    char *end;

    pen_blank(pen);
    telling_forget(telling, map->addr, map->length);
    pen_source(pen, &event->source);
    if (event->source.file)
        pen_end(pen);
    if (map->call) {
        pen_column(pen, 2);
        pen_words(pen, ROLE_CALL, 5, map->call);
    } else { /* memory that the program had before */
        if (is_heap_or_stack(map))
            what = phrase(phrases, "part of the %s", map->backing);
        else if (map->backing && map->backing[0] == '/')
            what = phrase(phrases, "part of %s", map->backing);
        pen_text(pen, ROLE_NOTE, "No mmap was seen: this memory is ");
        pen_words(pen, ROLE_NOTE, 0,
                  phrase(phrases, "%s, and its content is from before.", what));
    }
    pen_entry(pen, "address", ROLE_ADDRESS, phrase_hex(phrases, map->addr));
    if (asked && asked != map->length)
        buf_printf(&length, "%" PRIu64 " bytes asked for, rounded up to ",
                   asked);
    buf_printf(&length, "%" PRIu64 " bytes", map->length);
    if (pages)
        buf_printf(&length, " = %" PRIu64 " page%s", pages,
                   pages == 1 ? "" : "s");
    pen_entry(pen, "length", ROLE_PLAIN, phrase_of(phrases, &length));
    pen_entry(pen, "protection", ROLE_PROTECTION,
              phrase(phrases, "%s  %s", phrase_prot(map->prot),
                     phrase_rights(map->prot)));
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
    if (!map->maps)
        return;
    pen_column(pen, 2);
    pen_line(pen, ROLE_NOTE,
             "its line of /proc/%" PRId64 "/maps:", telling->pid);
    pen_column(pen, 4);
    telling_maps(telling, map->maps);
    first = strtoull(map->maps, &end, 16);
    last = *end == '-' ? strtoull(end + 1, NULL, 16) : 0;
    if (last > first && last - first > map->length) {
        pen_column(pen, 4);
        pen_words(
            pen, ROLE_NOTE, 4,
            "(The kernel shows neighbours of the same kind as one line.)");
    }
}

const struct tell_kind kind_map = {map_words, map_paragraph,
                                   TELL_SEARCHED(map, call)};

static void unmap_words(struct story *story, enum tell_form form)
{
    const struct event_unmap *unmap = &story->event->unmap;
    const char *length = story_length(story, unmap->length);
    const char *call = unmap->call;
    struct phrases *phrases = &story->phrases;

    if (form == TELL_TITLE)
        say(story, "%s%s%s", phrase_call(phrases, call, "unmapped:"),
            call && !is_call(call, "munmap") ? " takes away " : " ", length);
    else if (form == TELL_NEXT)
        say(story, "%s", phrase_call(phrases, call, CHANGE));
    else
        say(story, "%s%s %s at 0x%" PRIx64 "%s",
            call ? phrase_call(phrases, call, "") : "The program",
            call ? " took away" : " no longer has", length, unmap->addr,
            is_call(call, "mremap") ? "." : ", and what was in it.");
}

static void unmap_paragraph(struct telling *telling, const struct event *event)
{
    struct pen *pen = &telling->pen;

    telling_forget(telling, event->unmap.addr, event->unmap.length);
    pen_blank(pen);
    pen_print(pen, ROLE_NOTE, "unmapped: %" PRIu64 " bytes at ",
              event->unmap.length);
    pen_hex(pen, ROLE_ADDRESS, event->unmap.addr);
    pen_gap(pen, 0);
    pen_source(pen, &event->source);
    pen_end(pen);
}

const struct tell_kind kind_unmap = {unmap_words, unmap_paragraph,
                                     TELL_SEARCHED(unmap, call)};

static void refused_words(struct story *story, enum tell_form form)
{
    const struct event_refused *refused = &story->event->refused;
    const char *call = refused->call, *why = refused->why;
    const char *name =
        call ? phrase(&story->phrases, "%.*s", (int)strcspn(call, "("), call)
             : "a call about memory";
    const char *error = refused->error ? refused->error : "an error";

    if (form == TELL_TITLE)
        say(story, "%s failed: %s", name, error);
    else if (form == TELL_NEXT)
        say(story, "%s, which fails", name);
    else
        say(story, "%s failed with %s%s%s.",
            call ? call : "A call about memory", error, why ? ": " : "",
            why ? why : "");
}

static void refused_paragraph(struct telling *telling,
                              const struct event *event)
{
    const struct event_refused *refused = &event->refused;
    const char *why = refused->why;
    struct pen *pen = &telling->pen;

    pen_blank(pen);
    pen_text(pen, ROLE_CHANGED, "refused: ");
    pen_cut(pen, ROLE_CALL,
            refused->call ? refused->call : "a call about memory");
    pen_end(pen);
    pen_column(pen, 2);
    if (event->source.file) {
        pen_source(pen, &event->source);
        pen_end(pen);
        pen_column(pen, 2);
    }
    pen_text(pen, ROLE_RESULT, refused->error ? refused->error : "an error");
    pen_words(pen, ROLE_PLAIN, 2,
              why ? phrase(&telling->phrases, ": %s.", why) : "");
}

const struct tell_kind kind_refused = {refused_words, refused_paragraph,
                                       TELL_SEARCHED(refused, call)};

static void injected_words(struct story *story, enum tell_form form)
{
    const struct event_injected *injected = &story->event->injected;
    const char *did = injected->did ? injected->did : "something is otherwise";
    const char *what = injected->what ? injected->what : "--inject";

    if (form == TELL_NEXT)
        say(story, "what --inject asks for");
    else
        say(story, WRITTEN_INJECTED "(%s)%s%s", what,
            form == TELL_TITLE ? " " : ": ", did);
    if (form == TELL_SENTENCE)
        say(story, ".");
}

static void injected_paragraph(struct telling *telling,
                               const struct event *event)
{
    const struct event_injected *injected = &event->injected;
    struct pen *pen = &telling->pen;

    pen_blank(pen);
    pen_print(pen, ROLE_WARNING, WRITTEN_INJECTED "(%s) ",
              injected->what ? injected->what : "--inject");
    pen_words(pen, ROLE_PLAIN, 2, injected->did ? injected->did : "");
}

const struct tell_kind kind_injected = {injected_words, injected_paragraph,
                                        TELL_SEARCHED(injected, did)};

static void protect_words(struct story *story, enum tell_form form)
{
    const struct event_protect *protect = &story->event->protect;
    struct phrases *phrases = &story->phrases;
    unsigned old = protect->old_prot, now = protect->prot;
    bool was_executable = old & PROT_EXEC, writable = now & PROT_WRITE;
    const char *from = phrase_prot(old);
    const char *to = phrase_prot(now);
    const struct bytes *code = &protect->code;

    if (form == TELL_TITLE)
        say(story, "%s %s -> %s",
            phrase_call(phrases, protect->call, "protection"), from, to);
    if (form == TELL_NEXT)
        say(story, "%s", phrase_call(phrases, protect->call, CHANGE));
    if (form != TELL_SENTENCE)
        return;
    if (protect->call)
        say(story, "%s changed ", phrase_call(phrases, protect->call, ""));
    else
        say(story, "The protection changed from ");
    say(story, "%s to %s: ", from, to);
    if (old == now)
        say(story, "as it was");
    else if (now & PROT_EXEC && writable)
        say(story, "writable and executable at the same time");
    else if (now & PROT_EXEC && was_executable)
        say(story, "still executable");
    else if (now & PROT_EXEC && code->data && code->len > 1 &&
             code->len <= ARCH_PAGE_SIZE)
        say(story, "the %zu bytes are code now", code->len);
    else if (now & PROT_EXEC)
        say(story, "%s is code now",
            code->data && code->len == 1 ? "the byte there" : "what is there");
    else if (!was_executable)
        say(story, "%s", phrase_rights_short(now));
    else if (!writable)
        say(story, "the code can no longer be executed");
    else
        say(story, old & PROT_WRITE
                       ? "the code can still be changed, but no longer be "
                         "executed"
                       : "the code can be changed again, but not be executed");
    if (old != now && now & PROT_EXEC && !writable && old & PROT_WRITE)
        say(story, ", %s cannot be changed until mprotect allows it again",
            was_executable ? "but it" : "and");
    say(story, ".");
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
    unsigned old = protect->old_prot, now = protect->prot;
    bool was_executable = old & PROT_EXEC;
    const char *meaning =
        now & PROT_EXEC
            ? now & PROT_WRITE   ? "writable and executable at the same time"
              : old & PROT_WRITE ? "executable from now on, no longer writable"
              : was_executable   ? "still executable"
                                 : "executable from now on"
        : !(now & PROT_WRITE) ? "not executable"
        : was_executable      ? "writable again, no longer executable"
                              : "writable, not executable";
    struct pen *pen = &telling->pen;

    pen_blank(pen);
    pen_source(pen, &event->source);
    if (event->source.file)
        pen_end(pen);
    if (protect->call) {
        pen_column(pen, 2);
        pen_words(pen, ROLE_CALL, 5, protect->call);
    }
    tell_entry(telling, "protection");
    pen_print(pen, ROLE_PROTECTION, "%s -> %s", phrase_prot(old),
              phrase_prot(now));
    pen_gap(pen, 0);
    pen_line(pen, ROLE_NOTE, "%s", meaning);
    if (telling->maps_before) {
        tell_entry(telling, "maps before");
        telling_maps(telling, telling->maps_before);
    }
    if (protect->maps) {
        tell_entry(telling, "maps after");
        telling_maps(telling, protect->maps);
    }
    if (!(now & PROT_EXEC) || was_executable)
        return;
    telling_area(telling, base)->executable = true;
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
