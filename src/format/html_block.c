/* SPDX-License-Identifier: MIT */
/*
 * The events of a block, drawn: each pane in each form that a key leads to, and
 * in two widths. What is drawn is mostly what was drawn before, so that lines
 * and panes are numbers; the player looks them up and draws nothing itself.
 */
#include "format/html_parts.h"

#include "base/mem.h"
#include "base/utf8.h"
#include "screen/screen.h"
#include "tell/code.h"
#include "tell/focus.h"
#include "tell/tell.h"

#define WIDE   80u
#define NARROW 40u /* for telephones */

static const struct form {
    const char *name;
    enum pane_name pane;
    struct screen screen;
} forms[] = {
    {"source", PANE_SOURCE, {0}},
    {"page", PANE_PAGE, {0}},
    {"instruction", PANE_INSN, {0}},
    {"registers", PANE_REGS, {0}},
    {"registers decimal", PANE_REGS, {.decimal = true}},
    {"all", PANE_REGS, {.all_registers = true}},
    {"all decimal", PANE_REGS, {.all_registers = true, .decimal = true}},
    {"vectors", PANE_REGS, {.vectors = true}},
    {"vectors decimal", PANE_REGS, {.vectors = true, .decimal = true}},
    {"stack", PANE_REGS, {.stack = true}},
    {"story", PANE_STORY, {0}},
    {"story decimal", PANE_STORY, {.decimal = true}},
    {"output", PANE_OUTPUT, {0}},
};
#define FORMS (sizeof forms / sizeof *forms)

json_t *html_pane_names(void)
{
    json_t *names = json_array();

    for (size_t i = 0; i < FORMS; i++)
        json_array_append_new(names, json_string(forms[i].name));
    return names;
}

json_t *html_role_names(void)
{
    json_t *list = json_array();

    for (int i = 0; i < ROLES; i++)
        json_array_append_new(list, json_string(style_name((enum role)i)));
    return list;
}

/* --- texts, each once --------------------------------------------------- */

void once_init(struct texts_once *once)
{
    once->list = json_array();
    once->numbers = json_object();
}

void once_release(struct texts_once *once)
{
    json_decref(once->list);
    json_decref(once->numbers);
    *once = (struct texts_once){0};
}

json_int_t once_add(struct texts_once *once, const char *text)
{
    json_t *number = json_object_get(once->numbers, text);
    json_int_t next = (json_int_t)json_array_size(once->list);

    if (number)
        return json_integer_value(number);
    json_object_set_new(once->numbers, text, json_integer(next));
    json_array_append_new(once->list, json_string(text));
    return next;
}

/* --- an event ------------------------------------------------------------ */

struct block {
    struct texts_once lines;
    json_t *panes;                 /* arrays of numbers of lines */
    struct texts_once known;       /* the same as texts, to find them by */
    json_int_t numbers[2 * FORMS]; /* the panes of the latest event, ... */
    struct event *before;          /* ... which is this one, or NULL */
};

/* A row of a grid with its roles; blanks at its end have none. */
static void write_row(const struct grid *grid, unsigned row, struct buf *out)
{
    enum role role = ROLE_PLAIN;
    unsigned end = grid->columns;

    while (end > 0 && grid_cell(grid, row, end - 1)->rune == ' ' &&
           grid_cell(grid, row, end - 1)->role == ROLE_PLAIN)
        end--;
    for (unsigned column = 0; column < end; column++) {
        const struct cell *cell = grid_cell(grid, row, column);

        if (cell->role != role)
            utf8_append(ROLE_RUNE + (uint32_t)cell->role, out);
        role = cell->role;
        utf8_append(cell->rune, out);
    }
}

/* The number of what was drawn, among the panes of the block. */
static json_int_t add_pane(struct block *block, const struct grid *grid)
{
    json_t *lines = json_array();
    struct buf line = {0}, key = {0};
    unsigned rows = grid->rows;
    json_int_t number;

    for (bool blank = true; rows > 0 && blank; rows -= blank) {
        buf_clear(&line);
        grid_row(grid, rows - 1, &line);
        blank = line.len == 0;
    }
    for (unsigned row = 0; row < rows; row++) {
        buf_clear(&line);
        write_row(grid, row, &line);
        number = once_add(&block->lines, buf_text(&line));
        buf_printf(&key, "%lld,", (long long)number);
        json_array_append_new(lines, json_integer(number));
    }
    number = once_add(&block->known, buf_text(&key));
    if ((size_t)number == json_array_size(block->panes))
        json_array_append(block->panes, lines);
    json_decref(lines);
    buf_release(&line);
    buf_release(&key);
    return number;
}

static json_t *hex(uint64_t value)
{
    return json_sprintf("%" PRIx64, value);
}

/* Where the bytes of the page are. */
static json_t *bytes_of(const struct grid_bytes *bytes)
{
    return json_pack("{s:o, s:I, s:i, s:i, s:i, s:i}", "base", hex(bytes->base),
                     "offset", (json_int_t)bytes->offset, "row",
                     (int)bytes->row, "rows", (int)bytes->rows, "column",
                     (int)bytes->column, "width", (int)bytes->per_row);
}

/* The bytes of the instruction that the event is about: role and purpose. */
static json_t *fields_of(struct block *block, const struct focus *focus)
{
    json_t *list = json_array();
    struct buf text = {0};

    for (unsigned i = 0; i < focus->insn.length; i++) {
        const enum field_kind kind = fields_at(&focus->insn, i)->kind;

        if (focus->unwritten >> i & 1u)
            continue;
        buf_clear(&text);
        tell_purpose(&focus->insn, i, &text);
        json_array_append_new(
            list, json_pack("[i,i,I]", (int)i, (int)style_field(kind),
                            once_add(&block->lines, buf_text(&text))));
    }
    buf_release(&text);
    return list;
}

/* Whether the form shows what it showed of the event before: what costs most is
 * not drawn again for each step that leaves it alone. */
static bool stays(const struct form *form, const struct event *before,
                  const struct event *event)
{
    if (form->pane == PANE_OUTPUT)
        return event->kind == EVENT_STEP;
    return form->screen.vectors && before->kind == EVENT_STEP &&
           event->kind == EVENT_STEP && before->tid == event->tid &&
           before->step.vregs.count == 0 && event->step.vregs.count == 0;
}

/* Draws the panes of an event, or takes the numbers of those that stay. */
static void draw_panes(struct block *block, struct history *history,
                       uint64_t seq, json_t *event)
{
    struct event *now = event_keep(history_event(history, seq));
    struct pane_wish wishes[2 * FORMS];
    struct grid grids[2 * FORMS];
    size_t drawn[2 * FORMS], count = 0;

    for (size_t i = 0; i < 2 * FORMS; i++) {
        const struct form *form = &forms[i % FORMS];

        if (block->before && stays(form, block->before, now))
            continue;
        drawn[count] = i;
        wishes[count++] = (struct pane_wish){&form->screen, form->pane,
                                             i < FORMS ? WIDE : NARROW};
    }
    screen_draw_panes(history, seq, wishes, count, grids);
    for (size_t i = 0; i < count; i++) {
        block->numbers[drawn[i]] = add_pane(block, &grids[i]);
        if (wishes[i].pane == PANE_PAGE && grids[i].bytes.per_row)
            json_object_set_new(event, drawn[i] < FORMS ? "wide" : "narrow",
                                bytes_of(&grids[i].bytes));
        grid_release(&grids[i]);
    }
    event_free(block->before);
    block->before = now;
}

static json_t *draw_event(struct block *block, struct history *history,
                          uint64_t seq)
{
    json_t *event = json_object(), *panes = json_array();
    struct pen pen = {0};
    struct focus focus;

    draw_panes(block, history, seq, event);
    for (size_t i = 0; i < 2 * FORMS; i++)
        json_array_append_new(panes, json_integer(block->numbers[i]));
    json_object_set_new(event, "panes", panes);
    screen_tell(&forms[0].screen, history, seq, &pen);
    json_object_set_new(event, "words", json_string(buf_text(&pen.out)));
    pen_release(&pen);
    focus_find(history, seq, &focus);
    if (focus.kind != FOCUS_NONE)
        json_object_set_new(event, "at", hex(focus.addr));
    if (focus.kind != FOCUS_NONE && focus.state != INSN_UNKNOWN)
        json_object_set_new(event, "fields", fields_of(block, &focus));
    return event;
}

json_t *html_block(struct history *history, const struct kept *kept,
                   uint64_t place)
{
    const uint64_t count = kept_count(kept);
    json_t *events = json_array(), *result;
    struct block block = {.panes = json_array()};

    once_init(&block.lines);
    once_init(&block.known);
    for (uint64_t i = place; i < place + BLOCK_EVENTS && i < count; i++)
        json_array_append_new(events,
                              draw_event(&block, history, kept_seq(kept, i)));
    result = json_pack("{s:O, s:o, s:o}", "lines", block.lines.list, "panes",
                       block.panes, "events", events);
    once_release(&block.lines);
    once_release(&block.known);
    event_free(block.before);
    return result;
}
