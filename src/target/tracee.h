/* SPDX-License-Identifier: MIT */
/*
 * target/tracee.h - one traced thread (ptrace(2)).
 *
 * A tracee runs until it stops; wait_stop turns the wait status into one enum
 * (each value says how to go on), and everything else works on a tracee that is
 * stopped: what is here, its registers (registers.h), and system calls of ours
 * (inject.h). SIGKILL may end a stopped tracee at any time, so every function
 * that talks to it may find it gone: it then returns -1, nothing is wrong, and
 * the next wait_stop reports the death.
 */
#ifndef JITTRACE_TARGET_TRACEE_H
#define JITTRACE_TARGET_TRACEE_H

#include <sched.h>
#include <signal.h>
#include <sys/user.h>

#include "base/err.h"
#include "cpu/insn.h"
#include "cpu/regs.h"

struct tracee {
    pid_t tid;
    pid_t pid;                    /* its thread group */
    struct user_regs_struct regs; /* as of the last tracee_fetch */
    bool fetched;                 /* they are those of the present stop */
    uint64_t syscall_insn;        /* a syscall instruction in its vdso, or 0 */
    siginfo_t *held;              /* signals to be delivered, oldest first */
    size_t held_count;
    size_t held_capacity;
    bool pinned;
    cpu_set_t own_cpus; /* while pinned: what the program had */
    int going_back;     /* a signal that is to be pending again, or 0 */
    bool mask_known;    /* own_mask is its signal mask, as the program set it */
    bool mask_changed;  /* for a step it has step_mask instead */
    uint64_t own_mask;
    uint64_t step_mask;
    bool undisturbed; /* the next step shall not be delayed by a signal */
    bool injected;    /* it has made a call of ours since its stop */
    bool substitutes; /* its call has arguments of ours instead of these: */
    uint64_t substituted[2];
    bool lends;        /* a stack pointer: see registers.h */
    bool lent;         /* its registers hold ours instead of own_stack */
    bool stepped_lent; /* they did until this stop */
    bool signalled;    /* a signal went with the last resume */
    uint64_t own_stack;
};

/* Takes over a running child of ours (PTRACE_SEIZE with EXITKILL and all the
 * events below). Returns 0, or -1 with err filled with cause and remedy. */
int tracee_seize(pid_t pid, struct err *err);

/* Why a tracee stopped. */
enum stop_kind {
    STOP_EXITED,  /* gone, with status; nothing to resume */
    STOP_KILLED,  /* gone, by signal; nothing to resume */
    STOP_SIGNAL,  /* about to get signal: resume with it, or with 0 */
    STOP_GROUP,   /* stopped as its group was: RESUME_LISTEN */
    STOP_STARTED, /* first stop of a new thread, or interrupted: resume */
    STOP_CALL,    /* at a system call's entry or exit: tracee_call tells */
    STOP_FILTER,  /* the filter caught a call before it began: the same */
    STOP_EXEC,    /* a new program is loaded, nothing of it has run */
    STOP_CLONE,   /* made a thread: child */
    STOP_VFORK,   /* made a process that shares its memory for a while: child */
    STOP_FORK,    /* made a process with a copy of its memory: child */
    STOP_OTHER,   /* of no interest: resume */
    STOP_NONE,    /* none came in time; the tracees run */
};

struct stop {
    enum stop_kind kind;
    pid_t tid;
    int status;  /* STOP_EXITED */
    int signal;  /* STOP_SIGNAL, STOP_KILLED, STOP_GROUP */
    pid_t child; /* STOP_CLONE, STOP_VFORK, STOP_FORK; STOP_EXEC: the ID of
                  * the thread that did it, which then becomes tid */
};

enum patience {
    WAIT_FOREVER,
    WAIT_SHORTLY, /* while tracees on our CPU use a time slice or two */
    WAIT_NOW,     /* not at all */
};

/* Waits for the next stop of any tracee; STOP_NONE says that none came in time.
 * Returns 1, 0 when no tracee is left, or -1 with err filled. Children that we
 * do not trace count as well, and their ends are told. */
int wait_stop(struct stop *stop, enum patience patience, struct err *err);

/* Whether there is any child of ours, tracee or not. A shell that has started
 * others may have become jittrace: sh -c 'make-terms | exec jittrace ...'. */
bool wait_has_children(void);

/* Waits for the next stop of this tracee alone. Its death stays for wait_stop
 * to find; then -1 is returned. And whether its stop is yet to be read. */
int tracee_wait(const struct tracee *tracee, struct stop *stop);
bool tracee_has_stopped(const struct tracee *tracee);

/* Turns a wait status into a stop, without asking anybody. */
void stop_classify(pid_t tid, int status, struct stop *stop);

enum resume {
    RESUME_RUN,     /* until something happens */
    RESUME_CALL,    /* also stop at the next system call's entry or exit */
    RESUME_STEP,    /* one instruction */
    RESUME_HANDLER, /* into the handler of the signal, before its first one */
    RESUME_LISTEN,  /* stay in the group-stop, and hear of its end */
};

/*
 * Lets the tracee go on; signal is delivered to it unless 0.
 *
 * The trap behind a step is forced upon a thread: where it blocks SIGTRAP the
 * kernel would unblock it and forget what the program has set for it. So the
 * mask has no SIGTRAP for a RESUME_STEP, which neither makes a system call nor
 * begins a handler, the two that could see it; with `undisturbed`, all signals
 * that can wait are blocked, too. Everything else finds the program's own mask.
 */
int tracee_resume(struct tracee *tracee, enum resume how, int signal);

/* Gives the program's mask back to a tracee that was stepped. */
void tracee_restore_mask(struct tracee *tracee);

/* Whether the program blocks the signal; and makes it so, or not so. */
bool tracee_blocks(struct tracee *tracee, int signal);
void tracee_block(struct tracee *tracee, int signal, bool block);

/* A signal in a mask, as the kernel has it. */
#define SIGNAL_BIT(signal) (UINT64_C(1) << ((signal)-1))

/* The signals that a program blocks, as in sigprocmask(2); and the mask that it
 * has at this moment, whoever has set it. */
int tracee_mask(struct tracee *tracee, uint64_t *mask);
int tracee_get_mask(const struct tracee *tracee, uint64_t *mask);
int tracee_set_mask(const struct tracee *tracee, uint64_t mask);

/* Makes a tracee that runs stop (STOP_STARTED); no signal is involved. */
int tracee_interrupt(const struct tracee *tracee);

/* What a signal-delivery-stop is about. */
int tracee_siginfo(const struct tracee *tracee, siginfo_t *info);

/* Keeps a signal for later: one that came while the tracee did something of
 * ours, or that we have to do something before; and takes the one that was held
 * first: the next tracee_resume is to deliver it, with this siginfo. Returns
 * false when none is held. */
void tracee_hold(struct tracee *tracee, const siginfo_t *info);
bool tracee_take(struct tracee *tracee, siginfo_t *info);

/* Writes to its memory, whatever the protection of the page says (ptrace(2),
 * PTRACE_POKEDATA). Returns 0, or -1 when some of it could not be written. */
int tracee_write(const struct tracee *tracee, uint64_t addr, const void *data,
                 size_t size);

/* A system call, as the kernel sees it. */
struct call {
    bool entering; /* at its entry (else at its exit) */
    bool denied;   /* by a filter of the program's, for who has no tracer */
    uint64_t number;
    uint64_t args[6];
    int64_t result; /* at the exit: the value, or -errno */
};

/* Reads the call at a STOP_CALL or STOP_FILTER. At an exit args are not set. */
int tracee_call(const struct tracee *tracee, struct call *call);

/* Whether it stands, at any stop, where a call is about to begin: there a call
 * of ours takes its place, unless it is undone first. */
bool tracee_enters_call(const struct tracee *tracee);

/* Frees what belongs to the struct; the process is left alone. Or, before that,
 * is ended and waited for. */
void tracee_release(struct tracee *tracee);
void tracee_kill(struct tracee *tracee);

/* Keeps the tracee on the CPU that jittrace runs on, where a stop costs a
 * quarter; and gives it the CPUs back that the program had. The latter also
 * works on a tracee that runs. */
void tracee_pin(struct tracee *tracee);
void tracee_unpin(struct tracee *tracee);

#endif
