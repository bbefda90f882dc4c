/* SPDX-License-Identifier: MIT */
/*
 * tell_name.c - what the program calls its code, as it says itself.
 */
#include <string.h>

#include "tell/tell_parts.h"
#include "trace/labels.h"

#define NAME_LINES 8u /* names that a paragraph has */

/* Where the program has said so, as a clause. */
static const char *named_by(const struct event_name *name)
{
    static const char *const ways[][2] = {
        {NAMED_BY_JITDUMP, "a record of its jitdump"},
        {NAMED_BY_GDB, "an object file in its list for debuggers"},
    };

    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (word_is(name->by, ways[i][0]))
            return ways[i][1];
    return "a line in /tmp/perf-PID.map";
}

/* " (fib.lua:3)", the line of its first instruction, or "". */
static const char *first_line(struct phrases *phrases,
                              const struct event_name *name)
{
    const struct line_row *row = name->lines.list;

    return name->lines.count == 0
               ? ""
               : phrase(phrases, " (%s:%d)", basename(row->file), row->line);
}

static void name_words(struct story *story, enum tell_form form)
{
    const struct event_name *name = &story->event->name;
    const char *where = story_where(story, name->addr);
    const char *line = first_line(&story->phrases, name);

    if (form == TELL_NEXT)
        say(story, "a name for %s", where);
    else if (form == TELL_TITLE && name->name)
        say(story, "%s is named %s%s", where, name->name, line);
    else if (form == TELL_TITLE)
        say(story, "%s has no name any more", where);
    else if (name->name)
        say(story,
            "The program gave %s of its code, at %s, the name %s%s (%s).",
            story_length(story, name->length), where, name->name, line,
            named_by(name));
    else
        say(story,
            "The program took back what %s of its code, at %s, were "
            "called (%s).",
            story_length(story, name->length), where, named_by(name));
}

/* Of many names the rest is told where that code runs. */
static void name_paragraph(struct telling *telling, const struct event *event)
{
    const struct event_name *name = &event->name;
    const struct region *region = view_region_at(&telling->view, name->addr);
    struct phrases *phrases = &telling->phrases;
    struct pen *pen = &telling->pen;

    if (++telling->names_given > NAME_LINES)
        return;
    pen_text(
        pen, ROLE_NOTE,
        region ? phrase_place(phrases, name->addr - region->start, name->length)
               : phrase_hex(phrases, name->addr));
    pen_text(pen, ROLE_NOTE,
             name->name ? " is named "
                        : " has no name any "
                          "more");
    if (name->name)
        pen_cut(pen, ROLE_HEADING, name->name);
    pen_cut(pen, ROLE_SOURCE, first_line(phrases, name));
    pen_end(pen);
    if (telling->names_given == NAME_LINES)
        pen_words(pen, ROLE_NOTE, 0,
                  "Further names are told where that code runs.");
}

const struct tell_kind kind_name = {name_words, name_paragraph,
                                    TELL_SEARCHED(name, name)};
