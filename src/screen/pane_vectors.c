/* SPDX-License-Identifier: MIT */
/*
 * The registers beside the general ones, in place of those: on the first lines
 * what the event changed, as numbers where the instruction has such; then all
 * that hold something.
 */
#include "screen/pane.h"

#include "cpu/effect.h"

#define SLOT   40u /* columns for one of 16 bytes, and a gap */
#define WANTED 12u /* rows, for what most programs have in them */

unsigned pane_vectors_rows(void)
{
    return WANTED;
}

static void write_changes(const struct moment *moment,
                          const struct vreg_changes *changes,
                          const struct vregs *now, struct pen *pen)
{
    const struct event_step *step = &moment->event->step;
    struct insn insn;
    bool decoded =
        moment->event->kind == EVENT_STEP && step->bytes.data &&
        insn_decode(step->bytes.data, step->bytes.len, step->addr, &insn) > 0;

    for (size_t i = 0; i < changes->count; i++) {
        struct buf text = {0};

        buf_append_text(&text, "* ");
        if (effect_change(decoded ? &insn : NULL, &changes->list[i], now,
                          &text)) {
            pen_cut(pen, ROLE_CHANGED, buf_text(&text));
            pen_end(pen);
        }
        buf_release(&text);
    }
}

void pane_vectors(const struct moment *moment, struct pane *pane)
{
    const struct event *event = moment->event;
    struct vregs before, after;
    struct vreg_change wide[VREG_COUNT];
    const struct vreg_changes changes =
        moment_vregs(moment, &before, &after, wide);
    const struct vregs *vregs = view_vregs(moment_view(moment), event->tid);
    const unsigned width = pane->body.columns;
    struct pen *pen = &pane->pen;
    struct buf text = {0};

    pen_text(&pane->title, ROLE_HEADING, "vector registers");
    if (moment->screen->decimal)
        buf_append_text(&pane->right, "as doubles");
    if (!vregs) {
        pen_words(pen, ROLE_NOTE, 2,
                  "  not known yet: they are read when control enters "
                  "generated code");
        return;
    }
    write_changes(moment, &changes, vregs, pen);
    for (int i = 0; i < VREG_COUNT; i++) {
        unsigned column = pen->column ? (pen->column + SLOT) / SLOT * SLOT : 0;

        buf_clear(&text);
        buf_append_text(&text, "  ");
        if (!effect_register(vregs, (enum vreg)i, moment->screen->decimal,
                             &text))
            continue;
        if (pen->column && column + text.len > width) {
            pen_end(pen);
            column = 0;
        }
        pen_column(pen, column);
        pen_cut(pen, ROLE_REGISTER, buf_text(&text));
    }
    pen_end(pen);
    pen_line(pen, ROLE_NOTE, "  the others are 0");
    buf_release(&text);
    pane->has_ellipsis = pane_lines(pen) > pane->body.rows;
}
