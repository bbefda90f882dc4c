/* SPDX-License-Identifier: MIT */
#include "observe/actions.h"

#include <signal.h>
#include <sys/syscall.h>

#include "observe/guard.h"
#include "observe/reset.h"
#include "target/calls.h"
#include "target/inject.h"
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

/* What happens at the signal as the program has set it, if that is known. */
static enum disposition disposition(const struct signal_action *action)
{
    if (!action || action->handler == (uintptr_t)SIG_DFL)
        return DISPOSITION_DEFAULT;
    return action->handler == (uintptr_t)SIG_IGN ? DISPOSITION_IGNORED
                                                 : DISPOSITION_HANDLED;
}

/* The same as the kernel says. */
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
    struct space *space = thread->space;

    if (thread->tracee.pid == thread->run->root)
        space->actions_of = thread->run->root;
    if (space->actions_of != thread->tracee.pid)
        return;
    for (size_t i = 0; i < ACTIONS; i++) {
        space->actions[i] = (struct signal_action){0};
        if (disposition_now(thread->tracee.tid, signals[i]) ==
            DISPOSITION_IGNORED)
            space->actions[i].handler = (uintptr_t)SIG_IGN;
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

void actions_copy(const struct space *parent, struct thread *child)
{
    for (size_t i = 0; i < ACTIONS; i++)
        child->space->actions[i] = parent->actions[i];
    child->space->actions_of = child->tracee.pid;
}

void actions_forced(struct thread *thread, int signal)
{
    const struct signal_action *action = action_of(thread, signal);
    enum disposition set = disposition(action), now = DISPOSITION_DEFAULT;
    struct reset reset;
    uint64_t mask;

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

    if (disposition(action) == DISPOSITION_IGNORED &&
        thread->tracee.held_count == 0 && /* else it is done the next time */
        disposition_now(thread->tracee.tid, SIGTRAP) == DISPOSITION_DEFAULT)
        tracee_set_action(&thread->tracee, SIGTRAP, action);
}

void actions_restore_copy(const struct space *space, struct thread *child)
{
    const struct signal_action *action = &space->actions[TRAP];

    if (disposition(action) == DISPOSITION_IGNORED)
        tracee_set_action(&child->tracee, SIGTRAP, action);
}

bool actions_endangered(const struct thread *thread, int signal)
{
    return disposition(action_of(thread, signal)) == DISPOSITION_HANDLED &&
           thread->space->users > 1 && !thread->space->frozen;
}

bool actions_lack(const struct thread *thread, int signal)
{
    return disposition(action_of(thread, signal)) == DISPOSITION_HANDLED &&
           disposition_now(thread->tracee.tid, signal) == DISPOSITION_DEFAULT;
}

/* A signal can be delivered from the stop that another call ends in. */
void actions_restore(struct thread *thread, int signal)
{
    if (actions_lack(thread, signal) &&
        tracee_set_action(&thread->tracee, signal, action_of(thread, signal)) ==
            0)
        tracee_inject(&thread->tracee, SYS_getpid, 0, 0, 0);
}

bool actions_ignore(const struct thread *thread, int signal)
{
    return disposition(action_of(thread, signal)) == DISPOSITION_IGNORED;
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
    if (disposition(action) == DISPOSITION_IGNORED
            ? forced
            : action->flags & (unsigned)SA_RESETHAND)
        action->handler = (uintptr_t)SIG_DFL;
}
