/* SPDX-License-Identifier: MIT */
#include "screen/pane.h"

#include "tell/fields.h"

static void write_title(const struct focus *focus, struct pen *title)
{
    if (focus->text_known) {
        pen_cut(title, ROLE_MNEMONIC, focus->insn.text);
        if (focus->unwritten)
            pen_text(title, ROLE_NOTE, "  (so far)");
    } else {
        pen_text(title, ROLE_HEADING, "instruction");
    }
}

/* "executed, +7 <fib+0x7>" */
static void append_where(const struct moment *moment, struct buf *out)
{
    const struct focus *focus = &moment->focus;
    struct buf name = {0};
    static const char *const words[] = {
        [FOCUS_NONE] = "",
        [FOCUS_STORED] = "being written, ",
        [FOCUS_EXECUTED] = "executed, ",
        [FOCUS_NEXT] = "next, ",
        [FOCUS_SIGNAL] = "signal here, ",
        [FOCUS_REST] = "",
    };

    buf_printf(out, "%s+%llu", words[focus->kind],
               (unsigned long long)(focus->addr - focus->base));
    if (labels_describe(&moment_view(moment)->labels, focus->addr, &name))
        buf_printf(out, " <%s>", buf_text(&name));
    buf_release(&name);
}

/* Bytes of which nothing is known. */
static void write_bytes(const struct moment *moment, struct pen *pen)
{
    const struct focus *focus = &moment->focus;
    const struct pages *pages = &moment_view(moment)->pages;

    for (unsigned i = 0; i < focus->length; i++) {
        uint8_t byte;

        pages_read(pages, focus->addr + i, 1, &byte);
        pen_print(pen, ROLE_BYTE, i ? " %02x" : "%02x", byte);
    }
    pen_end(pen);
}

/* Code elsewhere than in the page that is shown is none to show. */
static bool is_none(const struct moment *moment)
{
    return moment->focus.kind == FOCUS_NONE || pane_page_is_elsewhere(moment);
}

static const char *words_on_none(const struct moment *moment)
{
    if (moment->focus.kind == FOCUS_NONE)
        return "There is no code.";
    return moment->event->kind == EVENT_UNMAP
               ? "There is no code here any more."
               : "There is no code here yet.";
}

/* What there is in place of fields. */
static void write_words(const struct moment *moment, struct pen *pen)
{
    if (is_none(moment)) {
        pen_words(pen, ROLE_NOTE, 0, words_on_none(moment));
    } else {
        write_bytes(moment, pen);
        pen_words(pen, ROLE_NOTE, 0, "These bytes are no instruction so far.");
    }
}

/*
 * The fields, and if there is room for it that there is more to come. Where the
 * fields stand one below the other, each with its bytes, the line of all bytes
 * goes first when there are too few rows.
 */
static void put_fields(const struct moment *moment, struct area body,
                       struct pen *pen)
{
    const struct focus *focus = &moment->focus;
    bool beside = fields_write_partly(pen, &focus->insn, focus->unwritten);
    unsigned lines = grid_put_pen(moment->grid, (struct area){0}, pen, 0);

    unsigned first = !beside && lines > body.rows;

    if (!focus->text_known && lines < body.rows)
        pen_words(pen, ROLE_NOTE, 0, "The rest of it is still to come.");
    grid_put_pen(moment->grid, body, pen, first);
    if (!beside && focus->insn.field_count > body.rows)
        pane_ellipsis(moment->grid, body);
}

void pane_insn(const struct moment *moment, struct area area)
{
    struct area body = pane_body(area);
    struct pen title = pane_pen(area), pen = pane_pen(body);
    struct buf where = {0};

    if (area.rows == 0)
        return;
    if (is_none(moment))
        pen_text(&title, ROLE_HEADING, "instruction");
    else
        write_title(&moment->focus, &title);
    if (!is_none(moment))
        append_where(moment, &where);
    pane_rule(moment->grid, area, &title, where.len ? buf_text(&where) : NULL);
    if (is_none(moment) || moment->focus.state == INSN_UNKNOWN) {
        write_words(moment, &pen);
        grid_put_pen(moment->grid, body, &pen, 0);
    } else {
        put_fields(moment, body, &pen);
    }
    pen_release(&pen);
    buf_release(&where);
}
