/* SPDX-License-Identifier: MIT */
#include "observe/asked.h"

#include <inttypes.h>

#include "observe/candidates.h"
#include "observe/guard.h"
#include "observe/names.h"

/* --- places --------------------------------------------------------------- */

uint64_t asked_code(struct space *space, const struct region *region)
{
    while (region->guard.code && region->guard.number == 0) {
        uint64_t oldest = UINT64_MAX;

        for_each_region (one, space)
            if (one->guard.code && one->guard.number == 0 &&
                one->mapping < oldest)
                oldest = one->mapping;
        space->codes++;
        for_each_region (one, space)
            if (one->mapping == oldest)
                one->guard.number = space->codes;
    }
    return region->guard.number;
}

static bool is_in(const struct choice_places *places, struct thread *thread,
                  const struct region *region, uint64_t pc)
{
    return choice_covers(places, pc, 1, region->start,
                         asked_code(thread->space, region)) ||
           (choice_has_names(places) &&
            choice_names(places, names_label(thread, pc)));
}

static bool is_excepted(struct thread *thread, const struct region *region,
                        uint64_t pc)
{
    const struct choice_places *except = &thread->run->choice.except;

    return except->count && is_in(except, thread, region, pc);
}

/* Whether pc is in one of the places, or nothing but all is. */
static bool is_place(struct thread *thread, const struct region *region,
                     uint64_t pc)
{
    const struct choice_places *only = &thread->run->choice.only;

    return (only->count == 0 || is_in(only, thread, region, pc)) &&
           !is_excepted(thread, region, pc);
}

/* Whether the function that has called has one of the names. */
static bool is_caller(struct thread *thread)
{
    const struct choice *choice = &thread->run->choice;
    struct asked *asked = &thread->asked;

    if (!thread->back.pc || !choice_has_names(&choice->only))
        return false;
    if (asked->caller != thread->back.pc) {
        asked->caller = thread->back.pc;
        asked->is_caller =
            choice_names(&choice->only, lines_symbol(thread->space->lines,
                                                     thread->back.pc - 1));
    }
    return asked->is_caller;
}

/* Whether a region has one of the places in it, so that control may come there
 * by itself. */
static bool has_place(struct thread *thread, const struct region *region)
{
    const struct choice_places *only = &thread->run->choice.only;
    struct asked *asked = &thread->asked;
    const struct names *names = &thread->space->names;

    if (only->count == 0)
        return false;
    if (choice_covers(only, region->addr, region->length, region->start,
                      asked_code(thread->space, region)))
        return true;
    if (!choice_has_names(only))
        return false;
    if (asked->looked_at != region->addr || asked->looked_for != names->count) {
        asked->looked_at = region->addr;
        asked->looked_for = names->count;
        asked->has_place =
            names_fit(thread, region->addr, region->length, only);
    }
    return asked->has_place;
}

/* --- a call --------------------------------------------------------------- */

/* Whether no thread will show anything any more. */
static bool is_enough(const struct run *run)
{
    if (!run->choice.last || run->spent.counted < run->choice.last)
        return false;
    for_each_thread (thread, run)
        if (thread->asked.on)
            return false;
    return true;
}

static void end_call(struct thread *thread)
{
    struct asked *asked = &thread->asked;

    asked->number = 0;
    asked->on = asked->by_jump = false;
    asked->depth = asked->hidden = 0;
    thread->run->spent.enough = is_enough(thread->run);
}

/* What is over with that stack pointer. */
static void settle(struct thread *thread, uint64_t sp)
{
    struct asked *asked = &thread->asked;

    while (asked->depth && sp >= asked->deeper[asked->depth - 1])
        asked->depth--;
    if (asked->number && sp > asked->floor)
        end_call(thread);
}

/* Control has arrived, and no call is under way: one begins, if it is at one of
 * the places. */
static void begin_call(struct thread *thread, uint64_t pc, uint64_t sp,
                       bool is_call)
{
    struct run *run = thread->run;
    const struct choice *choice = &run->choice;
    struct asked *asked = &thread->asked;
    bool by_name = choice->only.count == 0 ||
                   choice_names(&choice->only, names_label(thread, pc));

    asked->number = ++run->spent.counted;
    asked->floor = sp;
    asked->begun = true;
    asked->whole = is_call && by_name;
    asked->depth = asked->hidden = 0;
    asked->on = asked->number >= choice->first &&
                (!choice->last || asked->number <= choice->last);
    if (thread->space->users > 1 || thread->tracee.pid != run->root)
        run->spent.uncounted = true;
}

/* Whether what runs at pc is hidden: it, or what has called it, is excepted. */
static bool is_hidden(struct thread *thread, const struct region *region,
                      uint64_t pc)
{
    struct asked *asked = &thread->asked;
    bool excepted = is_excepted(thread, region, pc);

    if (asked->hidden > asked->depth + 1 ||
        (asked->hidden == asked->depth + 1 && !excepted))
        asked->hidden = 0;
    if (excepted && !asked->hidden)
        asked->hidden = asked->depth + 1;
    return asked->hidden;
}

/* Steps that are made in search, for each that may be told. */
#define SEEK_STEPS 10

static bool may_seek(struct thread *thread)
{
    struct run *run = thread->run;
    uint64_t most = run->spent.max.steps * SEEK_STEPS;

    if (most / SEEK_STEPS != run->spent.max.steps)
        most = UINT64_MAX;
    if (run->spent.sought < most)
        return true;
    if (run->spent.sought++ == most) {
        run->spent.uncounted = true;
        thread_limit(thread, "sought", 0,
                     "%" PRIu64 " instructions were stepped in search of what "
                     "was asked for; from here on it is seen only where it "
                     "is entered from outside",
                     most);
    }
    return false;
}

/* What is to be done at pc, with the call that is under way, if any; is_stay:
 * that has begun where the stay has. */
static enum asked_for judge(struct thread *thread, const struct region *region,
                            uint64_t pc, bool is_stay)
{
    const struct run *run = thread->run;
    struct asked *asked = &thread->asked;

    if (!choice_is_some(&run->choice))
        return ASKED_SHOW;
    if (run->spent.enough)
        return ASKED_NOT;
    if (asked->on && !is_hidden(thread, region, pc) &&
        (!run->choice.depth || asked->depth < run->choice.depth))
        return ASKED_SHOW;
    if (!asked->on &&
        (asked->number ? asked->whole && is_stay : !has_place(thread, region)))
        return ASKED_NOT;
    return may_seek(thread) ? ASKED_SEEK : ASKED_NOT;
}

/* Whether control is out of what began at no call, or is a range. */
static void look_beside(struct thread *thread, const struct region *region,
                        uint64_t pc)
{
    const struct asked *asked = &thread->asked;

    if (asked->number && !asked->whole && asked->depth == 0 &&
        !is_place(thread, region, pc))
        end_call(thread);
}

/* Notes what there is where nothing fits; see asked_tell_missing. */
static void note_other(struct thread *thread, const struct region *region,
                       uint64_t pc)
{
    struct buf *others = &thread->run->others;
    const char *label = names_label(thread, pc);
    struct buf text = {0};

    if (!thread->run->choice.only.count || others->len > 200)
        return;
    if (label)
        buf_printf(&text, "%.60s", label);
    else
        buf_printf(&text, "code%" PRIu64 "+0x%" PRIx64,
                   asked_code(thread->space, region), pc - region->start);
    buf_append_text(&text, ", ");
    if (!strstr(buf_text(others), buf_text(&text)))
        buf_append_text(others, buf_text(&text));
    buf_release(&text);
}

enum asked_for asked_enter(struct thread *thread, struct region *region,
                           const struct regs *regs, const char *how)
{
    const uint64_t pc = regs->value[REG_PC], sp = regs->value[REG_STACK];
    const struct choice *choice = &thread->run->choice;
    struct asked *asked = &thread->asked;
    bool is_call = strcmp(how, "call") == 0 || strcmp(how, "signal") == 0;

    asked->quiet = 0;
    asked->begun = false;
    if (choice_has_names(&choice->only) || choice_has_names(&choice->except))
        names_read(thread);
    settle(thread, sp);
    if (asked->number && is_call && sp >= asked->floor)
        end_call(thread); /* its end was not seen */
    if (asked->number && asked->by_jump && is_call)
        thread->run->spent.uncounted = true; /* it may be over */
    look_beside(thread, region, pc);
    if (!asked->number && strcmp(how, "return") != 0) {
        bool by_caller =
            is_call && is_caller(thread) && !is_excepted(thread, region, pc);

        if (by_caller || is_place(thread, region, pc)) {
            begin_call(thread, pc, sp, is_call);
            asked->whole |= by_caller;
        } else {
            note_other(thread, region, pc);
        }
    }
    return judge(thread, region, pc, true);
}

enum asked_for asked_step(struct thread *thread, enum insn_kind kind,
                          const struct regs *before, const struct regs *after)
{
    const uint64_t pc = after->value[REG_PC], sp = after->value[REG_STACK];
    struct region *region = regions_at(&thread->space->regions, pc);
    struct asked *asked = &thread->asked;

    asked->begun = false;
    settle(thread, sp);
    if (kind == INSN_CALL && asked->number && asked->depth < MAX_DEEPER)
        asked->deeper[asked->depth++] = before->value[REG_STACK];
    if (!region || region->start != thread->stay.start)
        return ASKED_NOT;
    look_beside(thread, region, pc);
    if (!asked->number && choice_is_some(&thread->run->choice) &&
        thread->run->choice.only.count && is_place(thread, region, pc))
        begin_call(thread, pc, sp, kind == INSN_CALL);
    if (!asked->shown) {
        thread->run->spent.sought++;
        if (++asked->quiet >= thread->run->spent.max.call_steps) {
            thread->run->spent.uncounted = true;
            return ASKED_NOT;
        }
    }
    return judge(thread, region, pc, false);
}

void asked_left(struct thread *thread, const char *how, const struct regs *regs)
{
    struct asked *asked = &thread->asked;
    bool is_jump = strcmp(how, "jump") == 0;

    settle(thread, regs->value[REG_STACK]);
    if (asked->number && asked->depth == 0 && is_jump && !asked->whole)
        end_call(thread);
    asked->by_jump = asked->number && asked->depth == 0 && is_jump;
}

struct opt_u64 asked_number(const struct thread *thread)
{
    return (struct opt_u64){thread->asked.number &&
                                !thread->run->spent.uncounted,
                            thread->asked.number};
}

/* --- output, and the end -------------------------------------------------- */

void asked_output(struct thread *thread, struct bytes text)
{
    struct run *run = thread->run;
    const char *awaited = run->choice.after_output;
    size_t size = awaited ? strlen(awaited) : 0;

    if (run->has_printed)
        return;
    buf_append(&run->printed, text.data, text.len);
    if (memmem(run->printed.data, run->printed.len, awaited, size)) {
        run->has_printed = true;
        for_each_thread (other, run)
            if (other->space && other->space->watched)
                for_each_region (region, other->space)
                    region->guard.wanted |=
                        candidate_wanted(other, region, false);
        guard_close_all(thread);
    } else if (run->printed.len > size) { /* it may begin in the last bytes */
        memmove(run->printed.data, run->printed.data + run->printed.len - size,
                size);
        run->printed.len = size;
    }
}

void asked_tell(struct thread *thread)
{
    struct buf text = {0};

    if (choice_is_some(&thread->run->choice)) {
        choice_describe(&thread->run->choice, &text);
        thread_limit(thread, "only", 0, "what was not asked for (%s)",
                     buf_text(&text));
    }
    buf_release(&text);
}

void asked_tell_missing(struct thread *thread)
{
    struct run *run = thread->run;
    const struct choice *choice = &run->choice;
    uint64_t counted = run->spent.counted;
    uint64_t wanted = choice->last ? choice->last : choice->first;
    bool is_sure = !run->spent.uncounted && budget_counts_calls(&run->spent);
    const char *seen = is_sure ? "were made" : "were seen";
    struct buf text = {0};

    if (choice->after_output && !run->has_printed) {
        thread_limit(thread, "unmatched", 0,
                     "the program has never printed '%s'; so nothing is shown",
                     choice->after_output);
    } else if (choice->only.count && counted == 0) {
        choice_describe(&(struct choice){.only = choice->only}, &text);
        if (run->others.len)
            thread_limit(thread, "unmatched", 0,
                         "no call led to %s; there were: %.*s%s",
                         buf_text(&text), (int)run->others.len - 2,
                         buf_text(&run->others),
                         run->others.len > 200 ? " and others" : "");
        else
            thread_limit(thread, "unmatched", 0,
                         "no call led to %s, nor to any other generated code",
                         buf_text(&text));
    } else if (wanted > counted) {
        thread_limit(thread, "unmatched", 0,
                     "there is no call %" PRIu64 "; %" PRIu64 " %s%s", wanted,
                     counted, seen,
                     choice->only.count ? " of what --only names" : "");
    }
    buf_release(&text);
}
