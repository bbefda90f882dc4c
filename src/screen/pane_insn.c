/* SPDX-License-Identifier: MIT */
/*
 * The instruction of the focus: its bytes, and what they mean beneath them, as
 * far as is known while it is being written.
 */
#include "screen/pane.h"

#include "tell/code.h"

static const char *const doing[] = {
    [FOCUS_NONE] = "",
    [FOCUS_STORED] = "being written, ",
    [FOCUS_EXECUTED] = "executed, ",
    [FOCUS_NEXT] = "next, ",
    [FOCUS_SIGNAL] = "signal here, ",
    [FOCUS_REST] = "",
};

void pane_insn(const struct moment *moment, struct pane *pane)
{
    const struct focus *focus = &moment->focus;
    unsigned lines, rows = pane->body.rows;
    uint8_t bytes[INSN_MAX_LENGTH];
    struct pen *pen = &pane->pen;
    struct buf name = {0};
    bool beside;

    /* Code elsewhere than in the page that is shown is none to show. */
    if (focus->kind == FOCUS_NONE || pane_page_is_elsewhere(moment)) {
        pen_text(&pane->title, ROLE_HEADING, "instruction");
        pen_words(pen, ROLE_NOTE, 0,
                  focus->kind == FOCUS_NONE ? "There is no code."
                  : moment->event->kind == EVENT_UNMAP
                      ? "There is no code here any more."
                      : "There is no code here yet.");
        return;
    }

    if (focus->text_known)
        pen_cut(&pane->title, ROLE_MNEMONIC, focus->insn.text);
    else
        pen_text(&pane->title, ROLE_HEADING, "instruction");
    if (focus->text_known && focus->unwritten)
        pen_text(&pane->title, ROLE_NOTE, "  (so far)");
    buf_printf(&pane->right, "%s+%" PRIu64, doing[focus->kind],
               focus->addr - focus->base);
    if (labels_describe(&moment_view(moment)->labels, focus->addr, &name))
        buf_printf(&pane->right, " <%s>", buf_text(&name));
    buf_release(&name);
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
    beside = fields_write_partly(pen, &focus->insn, focus->unwritten);
    lines = pane_lines(pen);
    pane->from = !beside && lines > rows;
    pane->has_ellipsis = !beside && focus->insn.field_count > rows;
    if (!focus->text_known && lines < rows)
        pen_words(pen, ROLE_NOTE, 0, "The rest of it is still to come.");
}
