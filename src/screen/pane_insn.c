/* SPDX-License-Identifier: MIT */
/*
 * The instruction that an event is about: its bytes, the fields beneath them,
 * and what a field that the reader has chosen means.
 */
#include "screen/pane.h"

#include "tell/code.h"
#include "tell/glossary.h"
#include "tell/insn_text.h"

/* Whether the pages that are shown are of another mapping than the focus. */
static bool is_elsewhere(const struct moment *moment)
{
    const struct view *view = moment_view(moment);
    const uint64_t *named = pane_mapping(moment->event);
    const struct region *shown, *focus;

    if (moment->focus.kind != FOCUS_REST || !named)
        return false;
    shown = view_region_at(view, *named);
    focus = view_region_at(view, moment->focus.addr);
    return !shown || !focus || shown->start != focus->start;
}

static const char *const doing[] = {
    [FOCUS_NONE] = "",
    [FOCUS_STORED] = "being written, ",
    [FOCUS_EXECUTED] = "executed, ",
    [FOCUS_NEXT] = "next, ",
    [FOCUS_SIGNAL] = "signal here, ",
    [FOCUS_REST] = "",
};

/* What the program calls the code there, now or later. */
static void write_name(const struct moment *moment, struct buf *out)
{
    const struct labels *labels = &moment_view(moment)->labels;
    uint64_t addr = moment->focus.addr;
    struct labels later = {0};
    struct buf name = {0};
    struct srcline line;

    if (!ranges_at(&labels->ranges, addr)) {
        history_named_later(moment->history, moment->seq, addr, &later);
        labels = &later;
    }
    if (labels_describe(labels, addr, &name))
        buf_printf(out, " <%s>%s", buf_text(&name),
                   labels == &later ? " named later" : "");
    if (labels_line(labels, addr, &line, NULL))
        buf_printf(out, " %s:%d", line.file, line.line);
    buf_release(&name);
    ranges_release(&later.ranges);
}

/* Its bytes, and what they mean beneath them, as far as is known while it is
 * being written. */
void pane_insn(const struct moment *moment, struct pane *pane)
{
    const struct focus *focus = &moment->focus;
    unsigned lines, rows = pane->body.rows;
    uint8_t bytes[INSN_MAX_LENGTH];
    struct pen *pen = &pane->pen;
    bool beside;

    /* Code elsewhere than in the page that is shown is none to show. */
    if (focus->kind == FOCUS_NONE || is_elsewhere(moment)) {
        pane_call(moment, pane);
        return;
    }

    if (focus->text_known)
        insn_write_text(&pane->title, ROLE_MNEMONIC, &focus->insn);
    else
        pen_text(&pane->title, ROLE_HEADING, "instruction");
    if (focus->text_known && focus->unwritten)
        pen_text(&pane->title, ROLE_NOTE, "  (so far)");
    buf_printf(&pane->right, "%s+%" PRIu64, doing[focus->kind],
               focus->addr - focus->base);
    write_name(moment, &pane->right);
    if (focus->state == INSN_UNKNOWN) {
        pages_read(&moment_view(moment)->pages, focus->addr, focus->length,
                   bytes);
        for (unsigned i = 0; i < focus->length; i++)
            pen_print(pen, ROLE_BYTE, i ? " %02x" : "%02x", bytes[i]);
        pen_end(pen);
        pen_words(pen, ROLE_NOTE, 0, "These bytes are no instruction so far.");
        return;
    }
    /* Where the fields stand one below the other, each with its bytes, the line
     * of all bytes goes first when there are too few rows. */
    beside = fields_write_named(pen, &focus->insn, focus->unwritten,
                                moment->screen->field);
    lines = pane_lines(pen);
    pane->from = !beside && lines > rows;
    pane->has_ellipsis = !beside && focus->insn.field_count > rows;
    moment->grid->fields = pane->body;
    moment->grid->fields_from = pane->from;
    if (!focus->text_known && lines < rows)
        pen_words(pen, ROLE_NOTE, 0, "The rest of it is still to come.");
}

/* --- a field of it -------------------------------------------------------- */

unsigned pane_fields(const struct moment *moment)
{
    const struct focus *focus = &moment->focus;

    return focus->kind == FOCUS_NONE || focus->state == INSN_UNKNOWN ||
                   is_elsewhere(moment)
               ? 0
               : fields_shown(&focus->insn, focus->unwritten);
}

/* A field is where its bytes and bits have the looks of the current one. */
unsigned pane_field_at(const struct moment *moment, const struct grid *grid,
                       unsigned row, unsigned column)
{
    const struct area *area = &grid->fields;
    struct area all = {0, 0, area->rows, area->columns};
    unsigned count = pane_fields(moment), found = 0;

    row -= area->row;
    column -= area->column;
    if (row >= area->rows || column >= area->columns)
        return 0;
    for (unsigned field = 1; field <= count && !found; field++) {
        struct pen pen = {.keep_roles = true, .width = area->columns};
        struct grid drawn;

        grid_init(&drawn, area->rows, area->columns);
        fields_write_named(&pen, &moment->focus.insn, moment->focus.unwritten,
                           field);
        grid_put_pen(&drawn, all, &pen, grid->fields_from);
        if (grid_cell(&drawn, row, column)->role == ROLE_CURRENT)
            found = field;
        pen_release(&pen);
        grid_release(&drawn);
    }
    return found;
}

static void write_term(unsigned term, struct pen *pen)
{
    struct buf text = {0};
    char *rest = NULL;

    glossary_text(term, &text);
    for (char *line = strtok_r((char *)buf_text(&text), "\n", &rest); line;
         line = strtok_r(NULL, "\n", &rest))
        pen_words(pen, ROLE_PLAIN, 0, line);
    buf_release(&text);
}

void screen_tell_term(unsigned term, struct pen *pen)
{
    struct buf text = {0};

    glossary_term(term, &text);
    pen_words(pen, ROLE_HEADING, 0, buf_text(&text));
    write_term(term, pen);
    buf_release(&text);
}

void pane_explain(const struct moment *moment, struct pen *title,
                  struct pen *pen)
{
    const struct screen *screen = moment->screen;
    const struct focus *focus = &moment->focus;
    struct buf text = {0};
    unsigned term = screen->term;
    size_t name;

    if (!term) {
        name = fields_explain(&focus->insn, focus->unwritten, screen->field,
                              &text);
        pen_words(pen, ROLE_HEADING, 0, buf_text(&text));
        text.len = name;
        term = glossary_find(buf_text(&text));
        buf_clear(&text);
    }
    if (term) {
        glossary_term(term, &text);
        pen_print(title, ROLE_HEADING, "what is: %s", buf_text(&text));
        write_term(term, pen);
    }
    buf_release(&text);
}
