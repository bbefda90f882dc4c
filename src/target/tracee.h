/* SPDX-License-Identifier: MIT */
/*
 * target/tracee.h - one traced thread, and the stops it makes (ptrace(2)).
 *
 * A tracee runs until it stops; wait_stop turns the wait status into one enum
 * (each value says how to go on), and everything else here works on a tracee
 * that is stopped. SIGKILL may end a stopped tracee at any time, so every
 * function that talks to it may find it gone: it then returns -1, nothing is
 * wrong, and the next wait_stop reports the death.
 */
#ifndef JITTRACE_TARGET_TRACEE_H
#define JITTRACE_TARGET_TRACEE_H

#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
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
    bool undisturbed; /* the next step shall not be put off by a signal */
    bool injected;    /* it has made a call of ours since its stop */
};

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

/*
 * Waits for the next stop of any tracee; STOP_NONE says that none came in time.
 * Returns 1, 0 when no tracee is left, or -1 with err filled. Children that we
 * do not trace count as well, and their ends are told.
 */
int wait_stop(struct stop *stop, enum patience patience, struct err *err);

/*
 * Whether there is any child of ours, tracee or not. A shell that has started
 * others may have become jittrace: sh -c 'make-terms | exec jittrace ...'.
 */
bool wait_has_children(void);

/* Whether it has stopped, and its stop is yet to be read. */
bool tracee_has_stopped(const struct tracee *tracee);

/*
 * Waits for the next stop of this tracee alone. Its death stays for wait_stop
 * to find; then -1 is returned.
 */
int tracee_wait(const struct tracee *tracee, struct stop *stop);

/* Turns a wait status into a stop, without asking anybody. */
void stop_classify(pid_t tid, int status, struct stop *stop);

/*
 * Takes over a running child of ours (PTRACE_SEIZE with EXITKILL and all the
 * events above). Returns 0, or -1 with err filled with cause and remedy.
 */
int tracee_seize(pid_t pid, struct err *err);

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

/* The signals that a program blocks, as in sigprocmask(2). */
int tracee_mask(struct tracee *tracee, uint64_t *mask);

/* What a program has set for a signal, as the kernel takes it (rt_sigaction in
 * sigaction(2)). */
struct signal_action {
    uint64_t handler; /* or SIG_DFL or SIG_IGN */
    uint64_t flags;   /* SA_* */
    uint64_t restorer;
    uint64_t mask;
};

/*
 * Makes the tracee set that for the signal. 32 bytes far below its stack
 * pointer are used for it and put back. Signals are not held but stay pending,
 * so the stop may not be one whose signal is still to be delivered. Returns 0,
 * or -1 when that is not possible here.
 */
int tracee_set_action(struct tracee *tracee, int signal,
                      const struct signal_action *action);

/* Makes a tracee that runs stop (STOP_STARTED); no signal is involved. */
int tracee_interrupt(const struct tracee *tracee);

/* What a signal-delivery-stop is about. */
int tracee_siginfo(const struct tracee *tracee, siginfo_t *info);

/*
 * Keeps a signal for later: one that came while the tracee did something of
 * ours, or that we have to do something before. Nothing is delivered until it
 * is taken.
 */
void tracee_hold(struct tracee *tracee, const siginfo_t *info);

/*
 * Takes the signal that was held first: the next tracee_resume is to deliver
 * it, with this siginfo. Returns false when none is held.
 */
bool tracee_take(struct tracee *tracee, siginfo_t *info);

/*
 * Several signals are held, some of which the program blocks: these go back to
 * the kernel, where they are pending, but for SIGTRAP. Not during a call.
 */
void tracee_give_back(struct tracee *tracee);

/* Frees what belongs to the struct; the process is left alone. */
void tracee_release(struct tracee *tracee);

/* Whether it runs a program of 64 bits (by the registers fetched). */
bool tracee_is_64bit(const struct tracee *tracee);

/* Reads the registers into tracee->regs, or writes them back. */
int tracee_fetch(struct tracee *tracee);
int tracee_store(const struct tracee *tracee);

/*
 * Whether a page of the tracee that can only be read can be given that
 * protection: tried with one of its own, which goes away again.
 */
bool tracee_can_protect_again(struct tracee *tracee, unsigned prot);

/*
 * Writes to its memory, whatever the protection of the page says (ptrace(2),
 * PTRACE_POKEDATA). Returns 0, or -1 when some of it could not be written.
 */
int tracee_write(const struct tracee *tracee, uint64_t addr, const void *data,
                 size_t size);

/* Where the fetched registers say that the tracee is, and its stack. */
uint64_t tracee_pc(const struct tracee *tracee);
int tracee_go_to(struct tracee *tracee, uint64_t pc);
uint64_t tracee_stack(const struct tracee *tracee);

/*
 * Whether the program itself has set the trap flag: it wants the trap behind
 * each instruction. Call it with the registers fetched, before a step is hidden.
 */
bool tracee_traps_itself(const struct tracee *tracee);

/* Makes that so, where the kernel takes the flag for that of a step. */
void tracee_keep_trap(struct tracee *tracee);

/*
 * The same where that instruction has not been executed, because a signal came
 * before it; and in what the kernel has saved for the return from its handler,
 * which has just begun.
 */
void tracee_hide_stepping(struct tracee *tracee, enum insn_kind next);
void tracee_hide_in_frame(const struct tracee *tracee, enum insn_kind next);

/*
 * Hides that the tracee was stepped where the instruction that was executed has
 * made it visible; call it with the registers fetched after that.
 */
void tracee_hide_step(struct tracee *tracee, enum insn_kind executed);

/*
 * Whether the kernel takes bytes for an instruction that loads the flags. It
 * looks at prefixes and opcode only, so also for a "lock popf", which is none
 * (is_setting_trap_flag in arch/x86/kernel/step.c).
 */
bool tracee_loads_flags(const uint8_t *code, size_t len);

/* tracee->regs as the other rooms know registers. */
void tracee_regs(const struct tracee *tracee, struct regs *out);

/*
 * The registers that a signal handler will give back when it returns, read from
 * the frame that the kernel has made: for a tracee that stands at the first
 * instruction of the handler. Returns -1 if there is none.
 */
int tracee_interrupted(const struct tracee *tracee, struct regs *out);

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

/*
 * At the STOP_FILTER of a call that is denied: lets it fail with ENOSYS as it
 * does where there is no tracer (SECCOMP_RET_TRACE in seccomp(2)). Returns 0,
 * or -1 when the tracee is gone.
 */
int tracee_deny(struct tracee *tracee);

/*
 * Whether it stands, at any stop, where a call is about to begin: there a call
 * of ours takes its place, unless it is undone first.
 */
bool tracee_enters_call(const struct tracee *tracee);

/*
 * Undoes the entry into a system call: afterwards the tracee stands in front
 * of the syscall instruction again and can be made to do other calls.
 */
int tracee_rewind(struct tracee *tracee);

/*
 * Finds the syscall instruction for calls of ours, in the vdso that the kernel
 * maps for everybody; once for each program. Returns false without a vdso.
 */
bool tracee_find_syscall(struct tracee *tracee);

/*
 * Makes the tracee do a system call of ours, outside of any call of its own,
 * and puts its registers back. Signals that come meanwhile are held. Returns 0
 * with the call's value or -errno in *result, or -1 when the tracee or its vdso
 * is gone. A
 * call that the filter stops at cannot be made.
 */
int tracee_inject(struct tracee *tracee, uint64_t number,
                  const uint64_t args[6], int64_t *result);

/*
 * The same for a mprotect, which the filter lets pass. Returns the call's
 * result (0 or -errno), or 1 when the tracee is gone.
 */
int tracee_mprotect(struct tracee *tracee, uint64_t addr, uint64_t length,
                    unsigned prot);

/*
 * The same in a process to which whatever it may read is executable
 * (READ_IMPLIES_EXEC, personality(2)): that is not added to prot.
 */
int tracee_mprotect_exactly(struct tracee *tracee, uint64_t addr,
                            uint64_t length, unsigned prot);

/*
 * Gets a tracee from its STOP_EXEC to the end of that call: it has executed
 * nothing yet, and calls of ours have results (before, the exec puts its own
 * into rax). Returns 0, or -1 when it is gone.
 */
int tracee_finish_exec(struct tracee *tracee);

/*
 * Tries out what tracing needs, on a tracee that was loaded and has executed
 * nothing: reading its memory, its registers and its mask and writing them
 * back, telling a system call's exit, one step, and a call of ours. Leaves it
 * at the end of the exec, as tracee_finish_exec does. Returns 0, also
 * when the tracee is gone, or -1 with err filled with cause and remedy.
 */
int tracee_try(struct tracee *tracee, struct err *err);

/*
 * After tracee_resume failed for a tracee that has executed nothing: fills err
 * with the cause, which is in errno, and a remedy, and returns -1. Returns 0
 * when the tracee is gone.
 */
int tracee_fails_to_run(struct err *err);

/* Ends the process, waits for that and frees what belongs to the struct. */
void tracee_kill(struct tracee *tracee);

/* Stops at addr when it is executed (a hardware breakpoint); 0 removes it. */
int tracee_break(const struct tracee *tracee, uint64_t addr);

/*
 * Whether such a breakpoint works on this machine: there are some that accept
 * one and never stop at it. A call of ours is made to find out.
 */
bool tracee_proves_break(struct tracee *tracee);

/*
 * Keeps the tracee on the CPU that jittrace runs on, where a stop costs a
 * quarter; and gives it the CPUs back that the program had. The latter also
 * works on a tracee that runs.
 */
void tracee_pin(struct tracee *tracee);
void tracee_unpin(struct tracee *tracee);

#endif
