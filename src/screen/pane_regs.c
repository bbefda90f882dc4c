/* SPDX-License-Identifier: MIT */
/*
 * Registers: on the first line those that the event changed, old and new, then
 * the others on columns of their own.
 */
#include "screen/pane.h"

#include "cpu/calling.h"
#include "tell/insn_text.h"

#define NARROW      60u
#define SLOT        26u /* columns for a register with any value, and a gap */
#define NARROW_SLOT 20u /* with an address */

/* Flags have no value that a reader could use, but names. brief: what is longer
 * than an address as "0xffff…fffffc". */
static void append_value(const struct moment *moment, enum reg reg,
                         uint64_t value, bool brief, struct buf *out)
{
    if (reg == REG_FLAGS)
        flags_describe(value, out);
    else if (moment->screen->decimal)
        buf_printf(out, "%" PRId64, (int64_t)value);
    else if (brief && value >> 32)
        buf_printf(out, "0x%" PRIx64 "…%06" PRIx64,
                   value >> (value >> 48 ? 48 : 32), value & 0xffffff);
    else
        buf_printf(out, "0x%" PRIx64, value);
}

static const char *name_of(enum reg reg)
{
    return reg == REG_FLAGS ? "flags" : reg_name(reg);
}

/* A register of the instruction that the event is about has the role of the
 * bits there that name it. */
static enum role role_of(const struct moment *moment, enum reg reg,
                         enum role role)
{
    const struct focus *focus = &moment->focus;

    if (focus->kind != FOCUS_EXECUTED && focus->kind != FOCUS_NEXT)
        return role;
    return style_slot(
        focus->text_known ? insn_slot_of(&focus->insn, reg) : SLOT_NONE, role);
}

static void write_change(const struct moment *moment,
                         const struct reg_change *change, struct pen *pen)
{
    struct buf text = {0};

    for (int brief = 0; brief < 2; brief++) {
        buf_clear(&text);
        buf_printf(&text, "* %s ", name_of(change->reg));
        append_value(moment, change->reg, change->old_value, brief, &text);
        buf_append_text(&text, " → ");
        append_value(moment, change->reg, change->new_value, brief, &text);
        if (pen_width(buf_text(&text)) <= pen_line_width(pen))
            break;
    }
    pen_item(pen, 0, pen_width(buf_text(&text)));
    pen_text(pen, ROLE_CHANGED, "* ");
    pen_text(pen, role_of(moment, change->reg, ROLE_CHANGED),
             name_of(change->reg));
    pen_text(pen, ROLE_CHANGED,
             buf_text(&text) + 2 + strlen(name_of(change->reg)));
    buf_release(&text);
}

unsigned pane_regs_rows(unsigned columns)
{
    unsigned slot = columns < NARROW ? NARROW_SLOT : SLOT;
    unsigned in_row = columns < slot ? 1 : columns / slot;

    return 2 + (REG_COUNT + in_row - 1) / in_row;
}

void pane_regs(const struct moment *moment, struct pane *pane)
{
    const struct event *event = moment->event;
    struct reg_change list[REG_COUNT];
    struct reg_changes changes = moment_changes(moment, list);
    const struct view *view = moment_view(moment);
    const struct view_thread *thread = view_thread(view, event->tid);
    bool known = thread && thread->regs_known;
    const struct regs *regs = view_regs(view, event->tid);
    unsigned width = pane->body.columns;
    unsigned slot = width < NARROW ? NARROW_SLOT : SLOT;
    unsigned indent = width < NARROW ? 1 : 2;
    struct pen *pen = &pane->pen;
    struct buf text = {0};

    if (!regs) {
        pane_instead_of_registers(moment, pane);
        return;
    }
    pen_text(&pane->title, ROLE_HEADING, "registers");
    if (moment->screen->decimal)
        buf_append_text(&pane->right, "decimal");
    if (!known)
        changes.count = 0;
    for (size_t i = 0; i < changes.count; i++)
        write_change(moment, &changes.list[i], pen);
    if (changes.count == 0)
        pen_cut(pen, ROLE_NOTE,
                event->kind == EVENT_ENTER ? "  as the code finds them"
                : event->kind == EVENT_STEP && event->step.vregs.count > 0
                    ? "  no general register changed; V shows vector registers"
                : event->kind == EVENT_STEP ? "  no general register changed"
                : known && thread->inside   ? "  as last seen in generated code"
                                            : "  as generated code left them");
    pen_end(pen);
    /* The others, each on its column, or on the next line if it does not
     * fit. */
    for (int i = 0; i < REG_COUNT; i++) {
        enum reg reg = calling_interest[i];
        unsigned column = pen->column ? (pen->column + slot) / slot * slot : 0;
        bool is_changed = false;

        for (size_t k = 0; k < changes.count; k++)
            is_changed |= changes.list[k].reg == reg;
        if (is_changed)
            continue;
        buf_clear(&text);
        buf_printf(&text, "%s ", name_of(reg));
        append_value(moment, reg, regs->value[reg], false, &text);
        if (column + indent + text.len > width) {
            pen_end(pen);
            column = 0;
        }
        pen_column(pen, column + indent);
        pen_text(pen, role_of(moment, reg, ROLE_REGISTER), name_of(reg));
        pen_text(pen, ROLE_REGISTER, buf_text(&text) + strlen(name_of(reg)));
    }
    pen_end(pen);
    buf_release(&text);
    pane->has_ellipsis =
        moment->screen->all_registers && pane_lines(pen) > pane->body.rows;
}
