/* SPDX-License-Identifier: MIT */
/*
 * An event in a few words, kind by kind.
 */
#include "tell/story_parts.h"

#include <string.h>

#define WIDTH 60u

void story_title_start(const struct story *story)
{
    say(story, "start: ");
    say_argv(story, WIDTH - 15);
}

void story_title_map(const struct story *story)
{
    char prot[4];

    prot_text(story->event->map.prot, prot);
    say_call_name(story, story->event->map.call, "memory");
    say(story, " %s, ", prot);
    say_length(story, story->event->map.length);
}

void story_title_write(const struct story *story)
{
    if (story->event->write.new.len == 0) {
        say(story, "a store of no bytes");
        return;
    }
    say_stored(story);
    if (event_is_elsewhere(&story->event->write)) {
        say(story, ", found changed");
    } else if (story->event->write.by) {
        say(story, " by ");
        say_call_name(story, story->event->write.by, "the kernel");
    }
}

void story_title_protect(const struct story *story)
{
    char old[4], new[4];

    prot_text(story->event->protect.old_prot, old);
    prot_text(story->event->protect.prot, new);
    say_call_name(story, story->event->protect.call, "protection");
    say(story, " %s -> %s", old, new);
}

void story_title_unmap(const struct story *story)
{
    const char *call = story->event->unmap.call;

    say_call_name(story, call, "unmapped:");
    say(story, call && strncmp(call, "munmap(", 7) != 0 ? " takes away " : " ");
    say_length(story, story->event->unmap.length);
}

void story_title_enter(const struct story *story)
{
    const char *how = story->event->enter.how;

    if (word_is(how, "call"))
        say(story, "call %llu to ",
            (unsigned long long)story_view(story)->calls);
    else
        say(story, "%s to ", how ? how : "control");
    say_place(story, story->event->enter.offset, 1);
    say_label(story, story->event->enter.addr);
}

void story_title_step(const struct story *story)
{
    const char *text = story->event->step.text;

    say(story, "%s", text ? text : "an instruction");
    say_label(story, story->event->step.addr);
}

void story_title_leave(const struct story *story)
{
    const struct event_leave *leave = &story->event->leave;

    say(story, "%s out of generated code", leave->how ? leave->how : "way");
    if (leave->value.known) {
        say(story, ", %s = ", reg_name(REG_RESULT));
        say_register(story, leave->value.value);
    }
}

void story_title_name(const struct story *story)
{
    const struct event_name *name = &story->event->name;

    say_where(story, name->addr);
    say(story, " is named %s", name->name ? name->name : "");
}

void story_title_output(const struct story *story)
{
    say(story, "output ");
    say_quoted(story, story->event->output.bytes, WIDTH - 20);
}

void story_title_signal(const struct story *story)
{
    say_signal_name(story, "signal");
}

void story_title_limit(const struct story *story)
{
    const char *budget = story->event->limit.budget;

    if (budget && strcmp(budget, "quit") == 0)
        say(story, "ended by jittrace");
    else
        say(story, "not watched: %s", budget ? budget : "something");
}

void story_title_exit(const struct story *story)
{
    say_end(story);
}
