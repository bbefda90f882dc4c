/* SPDX-License-Identifier: MIT */
/*
 * Where control is: the line of source around an event, or the instructions
 * around it inside generated code. An event that says neither leaves on the
 * screen what an earlier one brought there, without marks.
 */
#include "screen/pane.h"

#include "base/mem.h"
#include "tell/tell.h"

#define LOOK_BACK 4096u /* events, for one that says where control was */
#define TAB       4u
#define TEXT      8u  /* column of the source text */
#define WIDE      64u /* columns from which on there is room for all */

struct place {
    enum {
        PLACE_UNKNOWN,
        PLACE_SOURCE,
        PLACE_CODE,
    } kind;
    bool current;  /* the event itself says it */
    char *file;    /* owned */
    int line;      /* of it */
    uint64_t addr; /* or the instruction to show */
};

/* The line of an event: of a store that of who names it, if its text is known,
 * for a helper's is the same for all of them. */
static const struct srcline *line_of(struct history *history,
                                     const struct view *view,
                                     const struct event *event,
                                     struct chain *chain)
{
    const struct srcline *source;
    struct bytes text;

    if (event->kind != EVENT_WRITE)
        return &event->source;
    chain_of(event, chain);
    emissions_name(history_emissions(history), chain);
    source = &chain->list[chain->named_by].source;
    return source->file &&
                   view_source_line(view, source->file, source->line, &text)
               ? source
               : &event->source;
}

static void place_of(struct history *history, const struct view *view,
                     const struct event *event, struct place *place)
{
    const struct srcline *source;
    struct chain chain;

    *place = (struct place){.kind = PLACE_CODE};
    if (event->kind == EVENT_STEP) {
        place->addr = event->step.addr;
    } else if (event->kind == EVENT_ENTER) {
        place->addr = event->enter.addr;
    } else if (event->kind == EVENT_SIGNAL && event->signal.pc.known &&
               view_region_at(view, event->signal.pc.value)) {
        place->addr = event->signal.pc.value;
    } else if (event->source.file) {
        place->kind = PLACE_SOURCE;
        source = line_of(history, view, event, &chain);
        place->file = mem_copy_text(source->file);
        place->line = source->line;
    } else {
        place->kind = PLACE_UNKNOWN;
    }
}

/* The line of an event, be it inside generated code or not: the line that the
 * code was made from, or the call. */
static void place_of_source(const struct event *event, struct place *place)
{
    *place = (struct place){.kind = PLACE_UNKNOWN};
    if (!event->source.file)
        return;
    place->kind = PLACE_SOURCE;
    place->file = mem_copy_text(event->source.file);
    place->line = event->source.line;
}

/* The current line stands in the upper half: what follows matters more. A
 * narrow pane has no room for indentation. */
static void show_source(const struct moment *moment, const struct place *place,
                        struct pane *pane)
{
    struct area body = pane->body;
    int before = body.rows > 1 ? (int)(body.rows - 1) / 3 + (body.rows < 4) : 0;
    int line = place->line > before ? place->line - before : 1;
    bool narrow = body.columns < WIDE;
    struct pen *pen = &pane->pen;

    pen_print(&pane->title, ROLE_HEADING, "%s:%d", place->file, place->line);
    for (unsigned row = 0; row < body.rows; row++, line++) {
        bool current = place->current && line == place->line;
        struct buf expanded = {0};
        struct bytes text;
        const char *shown;

        if (line == place->line)
            pane_cursor(moment->grid, body.row + row, body.column);
        if (!view_source_line(moment_view(moment), place->file, line, &text)) {
            pen_end(pen);
            continue;
        }
        for (size_t i = 0; i < text.len; i++)
            if (text.data[i] != '\t')
                buf_append(&expanded, text.data + i, 1);
            else
                buf_printf(&expanded, "%*s", (int)(TAB - expanded.len % TAB),
                           "");
        shown = buf_text(&expanded);
        pen_print(pen, current ? ROLE_CURRENT : ROLE_NOTE, "%c%*d",
                  current ? '>' : ' ', narrow ? 4 : 5, line);
        pen_column(pen, narrow ? TEXT - 2 : TEXT);
        pen_cut(pen, current ? ROLE_SOURCE : ROLE_PLAIN,
                narrow ? shown + strspn(shown, " ") : shown);
        pen_end(pen);
        buf_release(&expanded);
    }
}

void pane_source(const struct moment *moment, struct pane *pane)
{
    const struct event *event = moment->event;
    const struct view *view = moment_view(moment);
    /* What it has to show in words itself when its line is not known. */
    const char *words = pane_mapping(event) ? tell_searched(event) : NULL;
    struct place place;

    if (event->kind == EVENT_WRITE && !words)
        words = event->write.text;
    place_of(moment->history, view, event, &place);
    if (moment->two_columns && place.kind == PLACE_CODE)
        place_of_source(event, &place);
    place.current = place.kind != PLACE_UNKNOWN;
    if (place.current && moment->focus.kind == FOCUS_SIGNAL)
        place.addr = moment->focus.addr;
    for (uint64_t i = moment->seq; !words && place.kind == PLACE_UNKNOWN &&
                                   i-- > 0 && moment->seq - i <= LOOK_BACK;) {
        const struct event *before = history_event(moment->history, i);

        if (moment->two_columns && before->kind != EVENT_WRITE)
            place_of_source(before, &place);
        else
            place_of(moment->history, view, before, &place);
    }
    if (place.kind == PLACE_SOURCE)
        show_source(moment, &place, pane);
    if (place.kind == PLACE_CODE)
        pane_listing(moment, place.addr, place.current, pane);
    free(place.file);
    if (place.kind != PLACE_UNKNOWN)
        return;
    pen_text(&pane->title, ROLE_HEADING, "source");
    pane_cursor(moment->grid, pane->body.row, pane->body.column);
    if (!words) {
        pen_words(&pane->pen, ROLE_NOTE, 0, "No line of source is known here.");
        return;
    }
    pen_text(&pane->pen, ROLE_CURRENT, ">");
    pen_column(&pane->pen, 2);
    if (event->kind == EVENT_WRITE)
        pen_print(&pane->pen, ROLE_ADDRESS, "0x%" PRIx64 "  ", event->write.pc);
    pen_cut(&pane->pen, ROLE_MNEMONIC, words);
    pen_end(&pane->pen);
    pen_words(&pane->pen, ROLE_NOTE, 0,
              "The line of source is not known: the program has no debug info "
              "there.");
}
