/* SPDX-License-Identifier: MIT */
/*
 * What the program has set for the signals that guards and steps raise, and how
 * it gets that back when the kernel has undone it (reset.h).
 *
 * The filter stops the program where it sets an action for one of them, so what
 * it has set is known. A mask is not: to stop wherever a program sets one
 * would cost too much. A thread that is stepped has a mask without SIGTRAP for
 * that moment (tracee_resume), so its steps undo nothing but that SIGTRAP is
 * ignored; that is set again before the program could see it.
 *
 * A handler is one for all threads. Where one of them blocks its signal, the
 * others could raise it in the moment in which it is not set, so such a program
 * is watched only while it has one thread.
 *
 * Only of the process that is watched is anything known, and of a child that it
 * has made before its entry point, until that gets there. A child of vfork has
 * actions of its own, and starts a program.
 */
#include <signal.h>
#include <sys/syscall.h>

#include "observe/reset.h"
#include "observe/state.h"
#include "target/proc.h"

enum { TRAP = 2 };
static const int signals[ACTIONS] = {SIGSEGV, SIGBUS, [TRAP] = SIGTRAP};

/* What is set for the signal; NULL if it is not known. */
static struct signal_action *action_of(const struct thread *thread, int signal)
{
    if (thread->space && thread->space->actions_of == thread->tracee.pid)
        for (size_t i = 0; i < ACTIONS; i++)
            if (signals[i] == signal)
                return &thread->space->actions[i];
    return NULL;
}

static enum disposition disposition_of(const struct signal_action *action)
{
    if (action->handler == (uintptr_t)SIG_DFL)
        return DISPOSITION_DEFAULT;
    return action->handler == (uintptr_t)SIG_IGN ? DISPOSITION_IGNORED
                                                 : DISPOSITION_HANDLED;
}

static enum disposition disposition_now(pid_t tid, int signal)
{
    struct proc_signals now;

    proc_signals(tid, &now);
    if (now.caught >> (signal - 1) & 1)
        return DISPOSITION_HANDLED;
    return now.ignored >> (signal - 1) & 1 ? DISPOSITION_IGNORED
                                           : DISPOSITION_DEFAULT;
}

void actions_inherited(struct thread *thread)
{
    if (thread->tracee.pid == thread->run->root)
        thread->space->actions_of = thread->run->root;
    for (size_t i = 0; i < ACTIONS; i++) {
        struct signal_action *action = action_of(thread, signals[i]);

        if (!action)
            return;
        *action = (struct signal_action){0};
        if (disposition_now(thread->tracee.tid, signals[i]) ==
            DISPOSITION_IGNORED)
            action->handler = (uintptr_t)SIG_IGN;
    }
}

/* The kernel sets it as it reads it, or refuses the size (rt_sigaction). */
void actions_set(struct thread *thread)
{
    const uint64_t *args = thread->call.args;
    struct signal_action *action, given;

    if (call_kind(&thread->call) != CALL_ACTION)
        return;
    action = action_of(thread, (int)args[0]);
    if (action && args[1] && args[3] == sizeof given.mask &&
        proc_read(thread->tracee.tid, args[1], &given, sizeof given) ==
            sizeof given)
        *action = given;
}

void actions_forced(struct thread *thread, int signal)
{
    const struct signal_action *action = action_of(thread, signal);
    enum disposition set = DISPOSITION_DEFAULT, now = DISPOSITION_DEFAULT;
    struct reset reset;
    uint64_t mask;

    if (action)
        set = disposition_of(action);
    if (set != DISPOSITION_DEFAULT)
        now = disposition_now(thread->tracee.tid, signal);
    if (tracee_mask(&thread->tracee, &mask) < 0)
        return;
    reset = reset_find(set, now, signal, mask, thread->space->users == 1);
    if (reset.mask) /* first, so that one that is pending stays so */
        tracee_block(&thread->tracee, signal, true);
    if (reset.action)
        tracee_set_action(&thread->tracee, signal, action);
    if (reset.action && set == DISPOSITION_HANDLED && thread->space->users > 1)
        guard_drop_all(thread, "handlers",
                       "a thread blocks a signal that others handle; its "
                       "faults at a guard would undo that for them, so "
                       "nothing is watched any more");
}

void actions_restore_trap(struct thread *thread)
{
    const struct signal_action *action = action_of(thread, SIGTRAP);

    if (action && disposition_of(action) == DISPOSITION_IGNORED &&
        thread->tracee.held_count == 0 && /* else it is done the next time */
        disposition_now(thread->tracee.tid, SIGTRAP) == DISPOSITION_DEFAULT)
        tracee_set_action(&thread->tracee, SIGTRAP, action);
}

bool actions_endangered(const struct thread *thread, int signal)
{
    const struct signal_action *action = action_of(thread, signal);

    return action && disposition_of(action) == DISPOSITION_HANDLED &&
           thread->space->users > 1 && !thread->space->frozen;
}

bool actions_lack(const struct thread *thread, int signal)
{
    const struct signal_action *action = action_of(thread, signal);

    return action && disposition_of(action) == DISPOSITION_HANDLED &&
           disposition_now(thread->tracee.tid, signal) == DISPOSITION_DEFAULT;
}

/* A signal can be delivered from the stop that another call ends in. */
void actions_restore(struct thread *thread, int signal)
{
    static const uint64_t none[6];
    int64_t ignored;

    if (actions_lack(thread, signal) &&
        tracee_set_action(&thread->tracee, signal, action_of(thread, signal)) ==
            0)
        tracee_inject(&thread->tracee, SYS_getpid, none, &ignored);
}

bool actions_ignore(const struct thread *thread, int signal)
{
    const struct signal_action *action = action_of(thread, signal);

    return action && disposition_of(action) == DISPOSITION_IGNORED;
}

/*
 * A handler may be for one time. What is ignored and forced upon the program
 * all the same ends it, by the default action.
 */
void actions_delivered(struct thread *thread, int signal, bool forced)
{
    struct signal_action *action = action_of(thread, signal);

    if (!action)
        return;
    if (disposition_of(action) == DISPOSITION_IGNORED
            ? forced
            : action->flags & (unsigned)SA_RESETHAND)
        action->handler = (uintptr_t)SIG_DFL;
}

void actions_copy(const struct space *parent, struct thread *child)
{
    for (size_t i = 0; i < ACTIONS; i++)
        child->space->actions[i] = parent->actions[i];
    child->space->actions_of = child->tracee.pid;
}

void actions_restore_copy(const struct space *space, struct thread *child)
{
    const struct signal_action *action = &space->actions[TRAP];

    if (disposition_of(action) == DISPOSITION_IGNORED)
        tracee_set_action(&child->tracee, SIGTRAP, action);
}
