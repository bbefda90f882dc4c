/* SPDX-License-Identifier: MIT */
/*
 * The words are those of tell/: a step is told as in any trace, and a crash is
 * explained as one. Only how a line ended is the playground's own.
 */
#include "play/show.h"

#include <sys/syscall.h>

#include "cpu/effect.h"
#include "tell/code.h"
#include "tell/paragraph.h"
#include "tell/tell.h"

/* Of more steps only the first and the last ones are told. */
#define FIRST_STEPS 24u
#define LAST_STEPS  8u

void show_fields(struct pen *pen, struct bytes code)
{
    struct insn insn;
    int found;

    for (size_t at = 0; at<code.len; at += found> 0 ? insn.length : 1) {
        found =
            insn_decode(code.data + at, code.len - at, PLAY_CODE + at, &insn);
        if (found > 0) {
            fields_write(pen, &insn, at);
            continue;
        }
        pen_print(pen, ROLE_ADDRESS, "+%zu", at);
        pen_column(pen, 5);
        pen_print(pen, ROLE_BYTE, "%02x", code.data[at]);
        pen_text(pen, ROLE_NOTE,
                 found < 0 ? "  begins no instruction of 64-bit mode"
                           : "  begins an instruction that is not all there");
        pen_end(pen);
    }
}

/* Takes " (event 9)" out: there is no event to look at. */
static void drop_numbers(struct buf *text)
{
    static const char mark[] = " (event ";
    const char *from, *to;

    while ((from = strstr(buf_text(text), mark)) && (to = strchr(from, ')'))) {
        memmove(text->data + (from - buf_text(text)), to + 1, strlen(to));
        text->len -= (size_t)(to + 1 - from);
    }
}

/* Tells the events of a run, of many steps the first and the last ones. */
static void show_steps(struct pen *pen, const struct run *run)
{
    const uint64_t count = history_count(run->history);
    struct telling telling;
    struct buf lines = {0};
    uint64_t steps = 0, nth = 0, left_out = 0;

    for (uint64_t i = 0; i < count; i++)
        steps += history_event(run->history, i)->kind == EVENT_STEP;
    if (steps > FIRST_STEPS + LAST_STEPS)
        left_out = steps - FIRST_STEPS - LAST_STEPS;
    telling_init(&telling);
    telling.pen.color = pen->color;
    for (uint64_t i = 0; i < count; i++) {
        const struct event *event = history_event(run->history, i);
        const bool is_step = event->kind == EVENT_STEP;
        bool is_told = event->kind == EVENT_LEAVE && run->end == RUN_LEFT;

        if (is_step && ++nth == FIRST_STEPS + 1 && left_out > 0)
            buf_printf(&lines, "...  %" PRIu64 " more instructions\n",
                       left_out);
        is_told |=
            is_step && (nth <= FIRST_STEPS || nth > FIRST_STEPS + left_out);
        telling_take(&telling, event);
        /* An entry only lets the telling know the registers. */
        if (is_told || event->kind == EVENT_ENTER)
            telling_event(&telling, event);
        else
            telling_pass(&telling, event);
        if (is_told)
            buf_append(&lines, telling.pen.out.data, telling.pen.out.len);
        buf_clear(&telling.pen.out);
    }
    pen_lines(pen, &lines);
    buf_release(&lines);
    telling_release(&telling);
}

static void show_explanation(struct pen *pen, const struct run *run)
{
    const uint64_t count = history_count(run->history);
    struct past past = history_past(run->history, false);
    struct explanation explanation = {0};

    past.stays = true;
    for (uint64_t seq = count; seq-- > 0;)
        if (explain_event(&past, history_view(run->history, seq), seq,
                          &explanation)) {
            for (int i = 0; i < EXPLAIN_LINES; i++)
                drop_numbers(&explanation.line[i]);
            explanation_write(&explanation, pen, 0);
            break;
        }
    explanation_release(&explanation);
}

/* The name of a system call that is refused, " fork", of those that one may try
 * first; else nothing. */
static const char *call_name(const struct run *run)
{
    static const struct {
        uint64_t number;
        const char *name;
    } names[] = {
        {SYS_fork, " fork"},     {SYS_vfork, " vfork"},
        {SYS_clone, " clone"},   {SYS_clone3, " clone3"},
        {SYS_execve, " execve"}, {SYS_open, " open"},
        {SYS_openat, " openat"}, {SYS_creat, " creat"},
        {SYS_unlink, " unlink"}, {SYS_rename, " rename"},
        {SYS_kill, " kill"},     {SYS_tgkill, " tgkill"},
        {SYS_ioctl, " ioctl"},   {SYS_socket, " socket"},
        {SYS_ptrace, " ptrace"}, {SYS_reboot, " reboot"},
    };

    for (size_t i = 0; run->by_syscall && i < sizeof names / sizeof *names; i++)
        if (names[i].number == run->call)
            return names[i].name;
    return "";
}

static void show_end(struct pen *pen, const struct run *run)
{
    const struct event *last =
        history_event(run->history, history_count(run->history) - 1);
    const struct regs *regs = view_regs(
        history_view(run->history, history_count(run->history) - 1), last->tid);
    struct phrases phrases = {0};

    switch (run->end) {
    case RUN_DONE:
        return;
    case RUN_RETURNED:
        pen_words(pen, ROLE_NOTE, 0,
                  phrase(&phrases,
                         "It returned to its caller with %s = %s, the result "
                         "if it has one. Only %s is put back, so that there is "
                         "a caller again.",
                         reg_name(REG_RESULT),
                         phrase_value(&phrases, regs->value[REG_RESULT]),
                         reg_name(REG_STACK)));
        phrases_release(&phrases);
        return;
    case RUN_CALLS:
        pen_words(pen, ROLE_WARNING, 0,
                  phrase(&phrases,
                         "stopped before the system call%s (%s = %" PRIu64
                         "): it may change more than its own process, and what "
                         "is typed here must not.",
                         call_name(run), reg_name(REG_SYSCALL), run->call));
        break;
    case RUN_LEFT:
        pen_words(pen, ROLE_WARNING, 0,
                  "stopped where it went to code that is not its own.");
        break;
    case RUN_STEPPED:
        pen_words(
            pen, ROLE_WARNING, 0,
            phrase(&phrases, "stopped after %d instructions.", RUN_STEPS));
        break;
    case RUN_UNWATCHED:
        pen_words(pen, ROLE_WARNING, 0,
                  phrase(&phrases, "stopped: %s.", last->limit.text));
        break;
    case RUN_SLOW:
        pen_words(
            pen, ROLE_WARNING, 0,
            phrase(&phrases, "stopped after %d seconds.", RUN_TIME / 1000));
        break;
    case RUN_ASKED:
        pen_words(pen, ROLE_WARNING, 0, "stopped, as you asked.");
        break;
    case RUN_TRAPS:
        pen_words(pen, ROLE_WARNING, 0,
                  "The trap flag (TF) is set: behind the next instruction the "
                  "CPU would raise a debug exception, which is the signal "
                  "SIGTRAP.");
        break;
    case RUN_ENDED:
        if (last->exit.status.known)
            pen_words(pen, ROLE_WARNING, 0,
                      phrase(&phrases, "The process has %s.",
                             phrase_end(&phrases, &last->exit)));
        break;
    }
    show_explanation(pen, run);
    pen_words(pen, ROLE_NOTE, 0, "All is as it was before this line.");
    phrases_release(&phrases);
}

/* What it has written to its descriptors 1 and 2. */
static void show_output(struct pen *pen, const struct run *run)
{
    const struct view *view =
        history_view(run->history, history_count(run->history) - 1);
    const char *at = (const char *)view->output.data, *end, *newline;

    if (view->output.len == 0)
        return;
    end = at + view->output.len;
    pen_words(pen, ROLE_NOTE, 0, "printed");
    for (; at < end; at = newline + 1) {
        newline = memchr(at, '\n', (size_t)(end - at));
        if (!newline)
            newline = end;
        pen_column(pen, 4);
        pen_cut_bytes(
            pen, ROLE_RESULT,
            (struct bytes){(const uint8_t *)at, (size_t)(newline - at)});
        pen_end(pen);
    }
}

void show_run(struct pen *pen, const struct run *run)
{
    show_steps(pen, run);
    show_output(pen, run);
    show_end(pen, run);
}

void show_state(struct pen *pen, const struct play_state *state)
{
    struct buf text = {0};

    for (int i = 0; i < REG_GENERAL; i++) {
        buf_clear(&text);
        buf_printf(&text, "%s = ", reg_name((enum reg)i));
        if (state->regs.value[i] - PLAY_CODE <
            PLAY_STACK + PLAY_STACK_SIZE - PLAY_CODE)
            buf_printf(&text, "0x%" PRIx64, state->regs.value[i]);
        else
            value_describe(state->regs.value[i], 64, &text);
        pen_item(pen, 0, text.len);
        pen_text(pen, ROLE_REGISTER, buf_text(&text));
    }
    buf_clear(&text);
    buf_append_text(&text, "flags ");
    flags_describe(state->regs.value[REG_FLAGS] & play_flags(), &text);
    pen_item(pen, 0, text.len);
    pen_text(pen, ROLE_REGISTER, buf_text(&text));
    pen_end(pen);
    for (int i = 0; i < 16; i++) {
        buf_clear(&text);
        if (effect_register(&state->vregs, (enum vreg)(VREG_VECTOR + i), true,
                            &text)) {
            pen_text(pen, ROLE_REGISTER, buf_text(&text));
            pen_end(pen);
        }
    }
    buf_release(&text);
}
