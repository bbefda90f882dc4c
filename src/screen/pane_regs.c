/* SPDX-License-Identifier: MIT */
/*
 * Registers: on the first line those that the event changed, old and new, then
 * the others on columns of their own.
 */
#include "screen/pane.h"

#include <string.h>

#define NARROW      60u
#define SLOT        26u /* columns for a register with any value, and a gap */
#define NARROW_SLOT 20u /* with an address */

/* In the order of a reader's interest: result, arguments, stack. */
static const enum reg order[] = {
    X86_RAX, X86_RDI, X86_RSP, X86_RFLAGS, X86_RSI,     X86_RDX,     X86_RCX,
    X86_R8,  X86_R9,  X86_RBP, X86_RBX,    X86_R10,     X86_R11,     X86_R12,
    X86_R13, X86_R14, X86_R15, X86_RIP,    X86_FS_BASE, X86_GS_BASE,
};
#define ORDERED (sizeof order / sizeof *order)

/* What an event tells of registers. */
struct known {
    const struct regs *regs;
    struct reg_changes changes;
    bool inside;
};

/* "0xffff…fffffc" for what is longer than an address. */
static void append_hex(uint64_t value, bool brief, struct buf *out)
{
    if (brief && value >> 32)
        buf_printf(out, "0x%llx…%06llx",
                   (unsigned long long)(value >> (value >> 48 ? 48 : 32)),
                   (unsigned long long)(value & 0xffffff));
    else
        buf_printf(out, "0x%llx", (unsigned long long)value);
}

/* Flags have no value that a reader could use, but names. */
static void append_value(const struct moment *moment, enum reg reg,
                         uint64_t value, bool brief, struct buf *out)
{
    if (reg == REG_FLAGS)
        flags_describe(value, out);
    else if (moment->screen->decimal)
        buf_printf(out, "%lld", (long long)value);
    else
        append_hex(value, brief, out);
}

static const char *name_of(enum reg reg)
{
    return reg == REG_FLAGS ? "flags" : reg_name(reg);
}

static bool is_changed(const struct known *known, enum reg reg)
{
    for (size_t i = 0; i < known->changes.count; i++)
        if (known->changes.list[i].reg == reg)
            return true;
    return false;
}

static void append_change(const struct moment *moment,
                          const struct reg_change *change, bool brief,
                          struct buf *out)
{
    buf_clear(out);
    buf_printf(out, "* %s ", name_of(change->reg));
    append_value(moment, change->reg, change->old_value, brief, out);
    buf_append_text(out, " → ");
    append_value(moment, change->reg, change->new_value, brief, out);
}

/* What to say of registers of which none is known to have changed. */
static const char *words_on_none(const struct moment *moment,
                                 const struct known *known)
{
    const struct event *event = moment->event;

    if (event->kind == EVENT_ENTER)
        return "  as the code finds them";
    if (event->kind != EVENT_STEP)
        return known->inside ? "  as last seen in generated code"
                             : "  as generated code left them";
    /* mm, xmm, ymm, zmm */
    if (event->step.text && strstr(event->step.text, "mm"))
        return "  no general register changed; vector registers are not shown";
    return "  no general register changed";
}

static void write_changes(const struct moment *moment,
                          const struct known *known, struct pen *pen)
{
    struct buf text = {0};

    for (size_t i = 0; i < known->changes.count; i++) {
        const struct reg_change *change = &known->changes.list[i];

        append_change(moment, change, false, &text);
        if (pen_width(buf_text(&text)) > pen_line_width(pen))
            append_change(moment, change, true, &text);
        pen_item(pen, 0, pen_width(buf_text(&text)));
        pen_text(pen, ROLE_CHANGED, buf_text(&text));
    }
    if (known->changes.count == 0)
        pen_cut(pen, ROLE_NOTE, words_on_none(moment, known));
    pen_end(pen);
    buf_release(&text);
}

/* One register on its column, or on the next line if it does not fit. */
static void write_one(const struct moment *moment, const struct known *known,
                      struct pen *pen, enum reg reg)
{
    bool narrow = pen_line_width(pen) < NARROW;
    unsigned slot = narrow ? NARROW_SLOT : SLOT;
    unsigned column = pen->column ? (pen->column + slot) / slot * slot : 0;
    struct buf text = {0};

    buf_printf(&text, "%s%s ", narrow ? " " : "  ", name_of(reg));
    append_value(moment, reg, known->regs->value[reg], false, &text);
    if (column + text.len > pen_line_width(pen)) {
        pen_end(pen);
        column = 0;
    }
    pen_column(pen, column);
    pen_text(pen, ROLE_REGISTER, buf_text(&text));
    buf_release(&text);
}

/* Those that changed were just told. */
static void write_values(const struct moment *moment, const struct known *known,
                         struct pen *pen)
{
    for (size_t i = 0; i < ORDERED; i++)
        if (!is_changed(known, order[i]))
            write_one(moment, known, pen, order[i]);
    pen_end(pen);
}

static bool find_known(const struct moment *moment, struct known *known)
{
    const struct view *view = moment_view(moment);
    const struct view_thread *thread = view_thread(view, moment->event->tid);

    *known = (struct known){0};
    if (!thread || !thread->regs_known) {
        known->regs = view_regs(view, moment->event->tid);
        return known->regs != NULL;
    }
    known->regs = &thread->regs;
    known->inside = thread->inside;
    if (moment->event->kind == EVENT_STEP)
        known->changes = moment->event->step.regs;
    return true;
}

unsigned pane_regs_rows(unsigned columns)
{
    unsigned slot = columns < NARROW ? NARROW_SLOT : SLOT;
    unsigned in_row = columns < slot ? 1 : columns / slot;

    return 2 + ((unsigned)ORDERED + in_row - 1) / in_row;
}

void pane_regs(const struct moment *moment, struct area area)
{
    struct area body = pane_body(area);
    struct pen title = pane_pen(area), pen = pane_pen(body);
    struct known known;
    unsigned lines;

    if (area.rows == 0)
        return;
    pen_text(&title, ROLE_HEADING, "registers");
    pane_rule(moment->grid, area, &title,
              moment->screen->decimal ? "decimal" : NULL);
    if (find_known(moment, &known)) {
        write_changes(moment, &known, &pen);
        write_values(moment, &known, &pen);
    } else {
        pen_words(&pen, ROLE_NOTE, 2,
                  "  not known yet: they are read when control enters "
                  "generated code");
    }
    lines = grid_put_pen(moment->grid, body, &pen, 0);
    if (lines > body.rows && moment->screen->all_registers)
        pane_ellipsis(moment->grid, body);
    pen_release(&pen);
}
