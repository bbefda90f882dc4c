/* SPDX-License-Identifier: MIT */
#include "support/summary.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "cpu/effect.h"

static void say_hex(struct buf *out, struct bytes bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        buf_printf(out, "%02x", bytes.data[i]);
}

/* A text that may be missing, with a blank in front. */
static void say_more(struct buf *out, const char *before, const char *text)
{
    if (text)
        buf_printf(out, " %s%s", before, text);
}

static void say_map(struct buf *out, const struct event_map *map)
{
    char prot[4];

    prot_text(map->prot, prot);
    buf_printf(out, " %s", prot);
    say_more(out, "", map->backing);
}

static void say_write(struct buf *out, const struct event_write *write)
{
    buf_printf(out, " +%" PRIu64 " ", write->offset);
    say_hex(out, write->new);
    say_more(out, "by ", write->by);
    say_more(out, "", write->also.known ? "also" : NULL);
    say_more(out, "by ", write->process.known ? "process" : NULL);
}

static void say_protect(struct buf *out, const struct event_protect *protect)
{
    char old_prot[4], prot[4];

    prot_text(protect->old_prot, old_prot);
    prot_text(protect->prot, prot);
    buf_printf(out, " %s %s", old_prot, prot);
    if (!protect->code.data)
        return;
    buf_append_text(out, " ");
    say_hex(out, protect->code);
}

static void say_output(struct buf *out, const struct event_output *output)
{
    buf_printf(out, " %" PRId64 " ", output->fd);
    for (size_t i = 0; i < output->bytes.len; i++) {
        uint8_t byte = output->bytes.data[i];

        if (byte == '\n')
            buf_append_text(out, "\\n");
        else if (isprint(byte) && byte != '\\')
            buf_append(out, &byte, 1);
        else
            buf_printf(out, "\\x%02x", byte);
    }
}

static void say_leave(struct buf *out, const struct event_leave *leave)
{
    say_more(out, "", leave->how);
    if (leave->value.known)
        buf_printf(out, " %" PRId64, (int64_t)leave->value.value);
}

static void say_exit(struct buf *out, const struct event_exit *exit)
{
    if (exit->status.known)
        buf_printf(out, " status %" PRIu64, exit->status.value);
    if (exit->signal.known)
        buf_printf(out, " signal %" PRIu64, exit->signal.value);
}

static void say_signal(struct buf *out, const struct event_signal *signal)
{
    say_more(out, "", signal->name);
    say_more(out, "", signal->access);
}

/* " xmm0 2.5 -> 6.25" */
static void say_vregs(struct buf *out, const struct event_step *step)
{
    struct insn insn;
    bool known =
        step->bytes.data &&
        insn_decode(step->bytes.data, step->bytes.len, step->addr, &insn) > 0;

    for (size_t i = 0; i < step->vregs.count; i++) {
        struct buf text = {0};
        struct vregs after;

        vregs_init(&after);
        *after.ftw = 0xff;
        if (effect_change(known ? &insn : NULL, &step->vregs.list[i], &after,
                          &text))
            buf_printf(out, " %s", buf_text(&text));
        buf_release(&text);
    }
}

void summary(const struct event *event, struct buf *out)
{
    buf_append_text(out, event_name(event->kind));
    switch (event->kind) {
    case EVENT_MAP:
        say_map(out, &event->map);
        break;
    case EVENT_WRITE:
        say_write(out, &event->write);
        break;
    case EVENT_PROTECT:
        say_protect(out, &event->protect);
        break;
    case EVENT_UNMAP:
        buf_printf(out, " %" PRIu64, event->unmap.length);
        break;
    case EVENT_INJECTED:
        say_more(out, "", event->injected.what);
        say_more(out, "", event->injected.did);
        break;
    case EVENT_REFUSED:
        buf_printf(out, " %.*s", (int)strcspn(event->refused.call, "("),
                   event->refused.call);
        say_more(out, "", event->refused.error);
        say_more(out, "", event->refused.why);
        break;
    case EVENT_ENTER:
        buf_printf(out, " +%" PRIu64, event->enter.offset);
        say_more(out, "", event->enter.how);
        break;
    case EVENT_STEP:
        buf_printf(out, " +%" PRIu64, event->step.offset);
        say_more(out, "", event->step.text);
        if (event->source.file)
            buf_printf(out, " %s:%d", event->source.file, event->source.line);
        say_vregs(out, &event->step);
        break;
    case EVENT_LEAVE:
        say_leave(out, &event->leave);
        break;
    case EVENT_NAME:
        say_more(out, "", event->name.name);
        if (event->name.lines.count > 0)
            buf_printf(out, " %s:%d", basename(event->name.lines.list[0].file),
                       event->name.lines.list[0].line);
        break;
    case EVENT_FORK:
        say_more(out, "", event->fork.memory);
        break;
    case EVENT_EXEC:
        say_more(out, "", basename(event->exec.exe));
        break;
    case EVENT_OUTPUT:
        say_output(out, &event->output);
        break;
    case EVENT_SIGNAL:
        say_signal(out, &event->signal);
        break;
    case EVENT_LIMIT:
        say_more(out, "", event->limit.budget);
        break;
    case EVENT_EXIT:
        say_exit(out, &event->exit);
        break;
    case EVENT_VERDICT:
        say_more(out, "", event->verdict.rule);
        say_more(out, "", event->verdict.verdict);
        if (event->verdict.offset.known)
            buf_printf(out, " +%" PRIu64, event->verdict.offset.value);
        break;
    case EVENT_START:
    case EVENT_KINDS:
        break;
    }
}
