/* SPDX-License-Identifier: MIT */
/*
 * The moment as a paragraph: what the panes show, one thing below the other.
 *
 *     event 21, call: mov rax, -4
 *         babyjit.c:95  int result = fn(term);
 *         Executed mov rax, -4 at ...
 *         rax 0x1 -> 0xfffffffffffffffc
 *         Next: add rax, rdi
 */
#include "screen/screen.h"

#include "cpu/effect.h"
#include "tell/stack.h"
#include "tell/tell.h"

#define INDENT 4u

struct paragraph {
    const struct screen *screen;
    struct history *history;
    uint64_t seq;
    struct pen *pen;
};

static void write_value(const struct paragraph *p, enum role role, enum reg reg,
                        uint64_t value)
{
    struct pen *pen = p->pen;
    struct buf names = {0};

    if (reg != REG_FLAGS && p->screen->decimal)
        pen_print(pen, role, "%" PRId64, (int64_t)value);
    else
        pen_print(pen, role, "0x%" PRIx64, value);
    if (reg == REG_FLAGS) {
        flags_describe(value, &names);
        pen_print(pen, ROLE_NOTE, " (%s)", buf_text(&names));
        buf_release(&names);
    }
}

/* The same of the registers of cpu/vregs.h. */
static void write_vectors(const struct paragraph *p, const struct event *event)
{
    const struct vregs *vregs =
        view_vregs(history_view(p->history, p->seq), event->tid);
    const struct event_step *step = &event->step;
    struct pen *pen = p->pen;
    struct insn insn;
    bool decoded =
        event->kind == EVENT_STEP && step->bytes.data &&
        insn_decode(step->bytes.data, step->bytes.len, step->addr, &insn) > 0;

    for (size_t i = 0; event->kind == EVENT_STEP && i < step->vregs.count;
         i++) {
        struct buf text = {0};

        if (effect_change(decoded ? &insn : NULL, &step->vregs.list[i], vregs,
                          &text)) {
            pen_column(pen, INDENT);
            pen_text(pen, ROLE_CHANGED, buf_text(&text));
            pen_end(pen);
        }
        buf_release(&text);
    }
    for (int i = 0; vregs && p->screen->vectors && i < VREG_COUNT; i++) {
        struct buf text = {0};

        if (effect_register(vregs, (enum vreg)i, p->screen->decimal, &text)) {
            pen_column(pen, INDENT);
            pen_text(pen, ROLE_REGISTER, buf_text(&text));
            pen_end(pen);
        }
        buf_release(&text);
    }
}

/* The words of the stack, the highest at first; a mark at its top. */
static void write_stack(const struct paragraph *p)
{
    struct phrases phrases = {0};
    struct pen *pen = p->pen;
    struct stack_words stack;

    if (!p->screen->stack || !stack_find(p->history, p->seq, &stack))
        return;
    for (size_t n = stack.count; n-- > 0;) {
        const uint64_t addr = stack.addr + n * sizeof(uint64_t);
        const char *meaning = stack_meaning(&stack, n, NULL, &phrases);

        pen_column(pen, INDENT);
        pen_print(pen, ROLE_PLAIN, "0x%" PRIx64 " 0x%016" PRIx64 " %s%s", addr,
                  stack_word(&stack, n),
                  addr == stack.top               ? "top; "
                  : addr < stack.top && !*meaning ? "below the top"
                                                  : "",
                  meaning);
        pen_end(pen);
    }
    phrases_release(&phrases);
    stack_release(&stack);
}

/* Those that a step changed, and all of them if that is wanted. */
static void write_registers(const struct paragraph *p,
                            const struct event *event)
{
    const struct reg_changes *changes = &event->step.regs;
    const struct regs *regs = NULL;
    struct pen *pen = p->pen;
    int tid = event->tid;

    for (size_t i = 0; event->kind == EVENT_STEP && i < changes->count; i++) {
        const struct reg_change *change = &changes->list[i];

        pen_column(pen, INDENT);
        pen_print(pen, ROLE_REGISTER, "%s ", reg_name(change->reg));
        write_value(p, ROLE_PLAIN, change->reg, change->old_value);
        pen_text(pen, ROLE_PLAIN, " -> ");
        write_value(p, ROLE_CHANGED, change->reg, change->new_value);
        pen_end(pen);
    }
    write_vectors(p, event);
    write_stack(p);
    if (p->screen->all_registers)
        regs = view_regs(history_view(p->history, p->seq), tid);
    for (int i = 0; regs && i < REG_COUNT; i++) {
        pen_column(pen, INDENT);
        pen_print(pen, ROLE_REGISTER, "%s ", reg_name((enum reg)i));
        write_value(p, ROLE_PLAIN, (enum reg)i, regs->value[i]);
        pen_end(pen);
    }
}

/* The event told in that form, unless there is nothing to say. */
static void write_story(const struct paragraph *p, enum role role,
                        enum tell_form form)
{
    struct buf text = {0};

    tell_event(p->history, p->seq, form,
               form == TELL_SENTENCE && p->screen->decimal, &text);
    if (text.len > 0) {
        pen_column(p->pen, INDENT);
        pen_words(p->pen, role, INDENT, buf_text(&text));
    }
    buf_release(&text);
}

void screen_next(const struct screen *screen, struct history *history,
                 uint64_t seq, struct buf *out)
{
    const struct srcline *next = &screen->next;
    struct srcline here;
    bool is_same; /* the rest of that line, or the line once more */

    if (screen->asks)
        return;
    tell_event(history, seq, TELL_NEXT, false, out);
    if (out->len > 0 || screen->end != SCREEN_PAUSED || !next->file ||
        seq + 1 != history_count(history))
        return;
    here = history_event(history, seq)->source;
    is_same = here.file && here.line == next->line &&
              strcmp(here.file, next->file) == 0;
    buf_printf(out, "Next: %s:%d%s", next->file, next->line,
               is_same ? " goes on" : "");
    if (next->text)
        buf_printf(out, "%s  %s", is_same ? ":" : "", next->text);
}

void screen_tell(const struct screen *screen, struct history *history,
                 uint64_t seq, struct pen *pen)
{
    const struct paragraph p = {screen, history, seq, pen};
    struct explanation explanation = {0};
    const struct srcline *source;
    struct buf next = {0};
    bool is_explained;

    pen_print(pen, ROLE_HEADING, "event %" PRIu64, seq);
    pen_print(pen, ROLE_PLAIN,
              ", %s: ", stage_name(history_view(history, seq)->stage));
    write_story(&p, ROLE_PLAIN, TELL_TITLE);
    source = &history_event(history, seq)->source;
    if (source->file) {
        pen_column(pen, INDENT);
        pen_print(pen, ROLE_ADDRESS, "%s:%d", source->file, source->line);
        if (source->text) {
            pen_text(pen, ROLE_PLAIN, "  ");
            pen_cut(pen, ROLE_SOURCE, source->text);
        }
        pen_end(pen);
    }

    is_explained = tell_explain(history, seq, &explanation);
    if (!is_explained || history_event(history, seq)->kind != EVENT_SIGNAL)
        write_story(&p, ROLE_PLAIN, TELL_SENTENCE);
    if (is_explained)
        explanation_write(&explanation, pen, INDENT);
    explanation_release(&explanation);
    write_registers(&p, history_event(history, seq));
    screen_next(screen, history, seq, &next);
    if (next.len > 0) {
        pen_column(pen, INDENT);
        pen_words(pen, ROLE_NEXT, INDENT, buf_text(&next));
    }
    buf_release(&next);
}
