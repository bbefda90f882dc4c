/* SPDX-License-Identifier: MIT */
/*
 * What an event did, kind by kind: one or two sentences each. A field that is
 * absent is left out. What a store means is in story_store.c.
 */
#include "tell/story_parts.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "tell/explain.h"
#include "tell/focus.h"
#include "trace/signal_name.h"
#include "cpu/effect.h"

#define ARGV_SHOWN   60u
#define OUTPUT_SHOWN 80u
#define LOOK_BACK    4096u /* events */

void story_happened_start(const struct story *story)
{
    const struct event_start *start = &story->event->start;

    say_argv(story, ARGV_SHOWN);
    say(story, " was started as process %lld and is at its entry point ",
        (long long)start->pid);
    say_address(story, start->entry);
    say(story,
        ". A page has %llu bytes: AT_PAGESZ, which getpagesize() "
        "returns.",
        (unsigned long long)start->page_size);
}

/* Whether it was asked for just now, so that the kernel cleared it. */
static bool is_fresh(const struct event_map *map)
{
    return map->call && strncmp(map->call, "mmap(", 5) == 0 && map->flags &&
           strstr(map->flags, "MAP_ANONYMOUS") &&
           word_is(map->backing, "anonymous");
}

void story_happened_map(const struct story *story)
{
    const struct event_map *map = &story->event->map;

    if (map->call) {
        say_call_name(story, map->call, "");
        say(story, " gave ");
    } else {
        say(story, "No mmap was seen, but the program has ");
    }
    say_length(story, map->length);
    say(story, " at ");
    say_address(story, map->addr);
    say(story, ": ");
    say_rights(story, map->prot);
    if (is_fresh(map))
        say(story, "; every byte is 0");
    else if (map->call && strncmp(map->call, "mremap(", 7) == 0)
        say(story, "; its content came along");
    else if (word_is(map->backing, "heap") || word_is(map->backing, "stack"))
        say(story, "; it is part of the %s", map->backing);
    else if (map->backing && !word_is(map->backing, "anonymous"))
        say(story, "; behind it is %s", map->backing);
    say(story, map->call ? "." : ". Its content is from before.");
}

void story_happened_write(const struct story *story)
{
    if (story->event->write.new.len > 0)
        say_write(story);
    else
        say(story, "A store of no bytes.");
}

/* What the change means where the code stays or becomes executable. */
static void say_executable(const struct story *story, unsigned old,
                           unsigned prot)
{
    const struct event_protect *protect = &story->event->protect;

    if (prot & PROT_WRITE) {
        say(story, "writable and executable at the same time");
    } else if (old & PROT_EXEC) {
        say(story, old & PROT_WRITE
                       ? "still executable, but it cannot be changed until "
                         "mprotect allows it again"
                       : "still executable");
    } else {
        if (protect->code.data && protect->code.len == 1)
            say(story, "the byte there is code now");
        else if (protect->code.data && protect->code.len <= PAGES_SIZE)
            say(story, "the %zu bytes are code now", protect->code.len);
        else
            say(story, "what is there is code now");
        if (old & PROT_WRITE)
            say(story, ", and cannot be changed until mprotect allows it "
                       "again");
    }
}

static void say_flip(const struct story *story, unsigned old, unsigned prot)
{
    if (old == prot)
        say(story, "as it was");
    else if (prot & PROT_EXEC)
        say_executable(story, old, prot);
    else if (old & PROT_EXEC && prot & PROT_WRITE)
        say(story, old & PROT_WRITE
                       ? "the code can still be changed, but no longer be "
                         "executed"
                       : "the code can be changed again, but not be executed");
    else if (old & PROT_EXEC)
        say(story, "the code can no longer be executed");
    else
        say_rights(story, prot);
}

void story_happened_protect(const struct story *story)
{
    const struct event_protect *protect = &story->event->protect;
    char old[4], new[4];

    prot_text(protect->old_prot, old);
    prot_text(protect->prot, new);
    if (protect->call) {
        say_call_name(story, protect->call, "");
        say(story, " changed %s to %s: ", old, new);
    } else {
        say(story, "The protection changed from %s to %s: ", old, new);
    }
    say_flip(story, protect->old_prot, protect->prot);
    say(story, ".");
}

void story_happened_unmap(const struct story *story)
{
    const struct event_unmap *unmap = &story->event->unmap;
    bool moved = unmap->call && strncmp(unmap->call, "mremap(", 7) == 0;

    if (unmap->call) {
        say_call_name(story, unmap->call, "");
        say(story, " took away ");
    } else {
        say(story, "The program no longer has ");
    }
    say_length(story, unmap->length);
    say(story, " at ");
    say_address(story, unmap->addr);
    say(story, moved ? "." : ", and what was in it.");
}

static void say_source(const struct story *story)
{
    const struct srcline *source = &story->event->source;

    if (source->file)
        say(story, " (%s:%d)", source->file, source->line);
}

/* The code that is entered; by its address, too, if there is other code. */
static void say_entry(const struct story *story)
{
    const struct event_enter *enter = &story->event->enter;
    const struct regions *regions = &story_view(story)->regions;

    say_place(story, enter->offset, 1);
    say_label(story, enter->addr);
    for (size_t i = 0; i < regions->count; i++) {
        if (regions->list[i].start == enter->addr - enter->offset)
            continue;
        say(story, " at ");
        say_address(story, enter->addr);
        break;
    }
    say_source(story);
}

/* Why the thread left generated code the last time, or NULL. */
static const char *last_leave(const struct story *story)
{
    for (uint64_t i = story->seq; i-- > 0 && story->seq - i < LOOK_BACK;) {
        const struct event *event = history_event(story->history, i);

        if (event->kind == EVENT_LEAVE && event->tid == story->event->tid)
            return event->leave.how;
    }
    return NULL;
}

static void say_comeback(const struct story *story)
{
    const char *left = last_leave(story);

    say(story, "Control comes back to ");
    say_entry(story);
    if (word_is(left, "call") || word_is(left, "jump")) {
        say(story, ". %s = ", reg_name(REG_RESULT));
        say_register(story, story->event->enter.regs.value[REG_RESULT]);
        say(story, " is the result of what was called, if there is one");
    } else if (word_is(left, "signal")) {
        say(story, ", from which a signal had taken it");
    }
    say(story, ".");
}

void story_happened_enter(const struct story *story)
{
    const struct event_enter *enter = &story->event->enter;

    if (word_is(enter->how, "return")) {
        say_comeback(story);
        return;
    }
    if (word_is(enter->how, "call"))
        say(story, "The program calls ");
    else if (word_is(enter->how, "jump"))
        say(story, "The program jumps to ");
    else if (word_is(enter->how, "signal"))
        say(story, "To handle a signal, the kernel starts ");
    else
        say(story, "Control enters ");
    say_entry(story);
    say(story, ": %s = ", reg_name(reg_argument[0]));
    say_register(story, enter->regs.value[reg_argument[0]]);
    say(story, " is the first argument, if it takes one.");
    if (!enter->return_to.known)
        return;
    say(story, " It will return to ");
    say_address(story, enter->return_to.value);
    say(story, ".");
}

/* The registers around a step: what it says itself wins over what is known. */
static void around(const struct story *story, struct regs *before,
                   struct regs *after)
{
    const struct event_step *step = &story->event->step;
    const struct view_thread *thread = NULL;

    if (story->seq > 0)
        thread = view_thread(history_view(story->history, story->seq - 1),
                             story->event->tid);
    *before = thread ? thread->regs : (struct regs){0};
    before->value[REG_PC] = step->addr;
    for (size_t i = 0; i < step->regs.count; i++)
        before->value[step->regs.list[i].reg] = step->regs.list[i].old_value;
    *after = *before;
    after->value[REG_PC] = step->next;
    for (size_t i = 0; i < step->regs.count; i++)
        after->value[step->regs.list[i].reg] = step->regs.list[i].new_value;
}

/* Whether an effect begins with a verb that wants a subject: "returns to". */
static bool wants_subject(const char *effect)
{
    size_t len = strspn(effect, "abcdefghijklmnopqrstuvwxyz");

    return len > 3 && effect[len - 1] == 's' && effect[len] == ' ' &&
           effect[len + 1] != '=' && strncmp(effect, "flags ", 6) != 0;
}

/* Says a place in known code, that an effect ends with, by its offset. */
static void say_effect(const struct story *story, struct buf *effect)
{
    uint64_t next = story->event->step.next;
    struct buf end = {0};
    size_t len;

    buf_printf(&end, "s to 0x%llx", (unsigned long long)next);
    len = end.len - strlen("s to ");
    if (effect->len >= end.len && view_region_at(story_view(story), next) &&
        !memcmp(effect->data + effect->len - end.len, end.data, end.len)) {
        effect->len -= len;
        say(story, "%s", buf_text(effect));
        say_where(story, next);
    } else {
        say(story, "%s", buf_text(effect));
    }
    buf_release(&end);
}

void story_happened_step(const struct story *story)
{
    const struct event_step *step = &story->event->step;
    struct regs before, after;
    struct buf effect = {0};
    struct insn insn;

    around(story, &before, &after);
    if (step->bytes.data &&
        insn_decode(step->bytes.data, step->bytes.len, step->addr, &insn) > 0)
        effect_describe(&insn, &before, &after, step->reads.list,
                        step->reads.count, step->writes.list,
                        step->writes.count, &effect);
    say(story, "%s was executed", step->text ? step->text : "An instruction");
    if (labels_at(&story_view(story)->labels, step->addr))
        say(story, " at");
    say_label(story, step->addr);
    if (effect.len > 0) {
        say(story, wants_subject(buf_text(&effect)) ? ": it " : ": ");
        say_effect(story, &effect);
    }
    say(story, ".");
    buf_release(&effect);
}

/* Whether a step ran off the end of its mapping. */
static bool ran_past_the_end(const struct story *story)
{
    const struct event *last =
        story->seq > 0 ? history_event(story->history, story->seq - 1) : NULL;
    const struct view *view = story_view(story);
    uint64_t to = story->event->leave.to;

    return last && last->kind == EVENT_STEP && last->tid == story->event->tid &&
           word_is(story->event->leave.how, "jump") &&
           last->step.addr + last->step.bytes.len == to &&
           view_region_at(view, last->step.addr) && !view_region_at(view, to);
}

static void say_result(const struct story *story, uint64_t value)
{
    int64_t as_long = (int64_t)value;
    int32_t as_int = (int32_t)value;

    say(story, " %s = ", reg_name(REG_RESULT));
    if (!story->decimal && value >= 10)
        say(story, "0x%llx = ", (unsigned long long)value);
    say(story, "%lld", (long long)as_long);
    if (as_int != as_long)
        say(story, " (as a 32-bit int %d)", as_int);
    say(story, " is the result, if there is one.");
}

void story_happened_leave(const struct story *story)
{
    const struct event_leave *leave = &story->event->leave;

    if (ran_past_the_end(story))
        say(story, "The CPU runs past the end of the mapping to ");
    else if (word_is(leave->how, "return"))
        say(story, "The generated code has returned to ");
    else if (word_is(leave->how, "call"))
        say(story, "The generated code calls what is not generated, at ");
    else if (word_is(leave->how, "signal"))
        say(story, "A signal takes control out of the generated code, to ");
    else
        say(story, "Control leaves the generated code%s%s to ",
            leave->how ? " by a " : "", leave->how ? leave->how : "");
    say_address(story, leave->to);
    if (word_is(leave->how, "return"))
        say_source(story);
    say(story, ".");
    if (leave->value.known)
        say_result(story, leave->value.value);
}

void story_happened_name(const struct story *story)
{
    const struct event_name *name = &story->event->name;

    say(story, "The program gave ");
    say_length(story, name->length);
    say(story, " of its code, at ");
    say_where(story, name->addr);
    say(story, ", the name %s (a line in /tmp/perf-PID.map).",
        name->name ? name->name : "that is not known");
}

void story_happened_output(const struct story *story)
{
    const struct event_output *output = &story->event->output;

    say(story, "The program printed ");
    say_quoted(story, output->bytes, OUTPUT_SHOWN);
    say(story, ": %zu byte%s to ", output->bytes.len,
        output->bytes.len == 1 ? "" : "s");
    if (output->fd == 1 || output->fd == 2)
        say(story, "standard %s.", output->fd == 1 ? "output" : "error");
    else
        say(story, "descriptor %lld.", (long long)output->fd);
}

void say_signal_name(const struct story *story, const char *word)
{
    const struct event_signal *signal = &story->event->signal;

    say(story, "%s %lld%s%s", word, (long long)signal->number,
        signal->name ? " " : "", signal->name ? signal->name : "");
}

void story_happened_signal(const struct story *story)
{
    const struct event_signal *signal = &story->event->signal;
    const struct insn *insn = NULL;
    struct focus focus = {0};

    if (signal->pc.known && explain_is_fault(signal))
        focus_find(story->history, story->seq, &focus);
    if (focus.state == INSN_DECODED &&
        signal->pc.value - focus.addr <= (signal->number == SIGTRAP))
        insn = &focus.insn;
    say_signal_name(story, "Signal");
    if (signal->pc.known) {
        say(story, " at ");
        say_where(story, signal->pc.value);
    }
    if (insn)
        say(story, ", %s", insn->text);
    if (!explain_is_fault(signal)) {
        say(story, " was delivered to the program.");
        return;
    }
    say(story, ": ");
    explain_fault(story_view(story), signal, story->out);
    say(story, ".");
}

/* The reader's leaving is no limit of ours; its sentence says all. */
static bool is_quit(const struct event_limit *limit)
{
    return limit->budget && strcmp(limit->budget, "quit") == 0;
}

void story_happened_limit(const struct story *story)
{
    const struct event_limit *limit = &story->event->limit;
    const char *text = limit->text ? limit->text : limit->budget;
    size_t len = text ? strlen(text) : 0;

    say(story, "%s%s%s",
        is_quit(limit) ? "" : "Not watched: ", len ? text : "something",
        len && text[len - 1] == '.' ? "" : ".");
}

void say_end(const struct story *story)
{
    const struct event_exit *end = &story->event->exit;
    const char *name;

    if (end->signal.known) {
        name = signal_name((int)end->signal.value);
        say(story, "killed by signal %llu%s%s",
            (unsigned long long)end->signal.value, name ? " " : "",
            name ? name : "");
    } else if (end->status.known) {
        say(story, "ended with status %llu",
            (unsigned long long)end->status.value);
    } else {
        say(story, "ended");
    }
}

void story_happened_exit(const struct story *story)
{
    uint64_t calls = story_view(story)->calls;

    say(story,
        story->event->exit.signal.known ? "The program was " : "The program ");
    say_end(story);
    say(story, ".");
    if (calls > 0)
        say(story, " %llu call%s into generated code %s seen.",
            (unsigned long long)calls, calls == 1 ? "" : "s",
            calls == 1 ? "was" : "were");
}
