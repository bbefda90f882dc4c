/* SPDX-License-Identifier: MIT */
/*
 * Every ptrace(2) and waitpid(2) of jittrace is in this file.
 *
 * A call of ours is injected by pointing the tracee at the syscall instruction
 * of its vdso with the registers of our call, stepping that one instruction,
 * and putting its registers back. Nothing is written to its memory and no byte
 * of its code is changed. Its signals are blocked meanwhile, so that they stay
 * in their order in the kernel; the few that cannot be are held. If the tracee
 * dies meanwhile, its status is left in the kernel, so that wait_stop is the
 * only place where deaths are learnt.
 */
#include "target/tracee.h"

#include <elf.h>
#include <errno.h>
#include <linux/audit.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/ucontext.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "base/mem.h"
#include "cpu/trap.h"
#include "target/filter.h"
#include "target/proc.h"

#define SYSCALL_INSN_LENGTH 2 /* 0f 05 (Intel SDM vol. 2, SYSCALL) */

#define VDSO_SIZE 8192 /* bytes of it that are searched for one */

#define TRAP_FLAG      0x100u /* Intel SDM vol. 1, 3.4.3.3 */
#define DIRECTION_FLAG 0x400u

/* The CPU sets it in what a fault saves, so that the instruction is not caught
 * twice; no program ever sees it (Intel SDM vol. 3, 18.3.1.1). */
#define RESUME_FLAG 0x10000u

/* Only asks personality(2) for the present domain. */
#define NO_DOMAIN 0xffffffffu

/* Bytes below the stack pointer that belong to the function that runs (psABI
 * 3.2.2). */
#define RED_ZONE 128

/* What the kernel puts into rax of a call that it will make anew, and is never
 * seen by a program: -ERESTARTSYS to -ERESTART_RESTARTBLOCK. */
#define RESTART_FIRST (-512)
#define RESTART_LAST  (-516)

/* The number of no system call. */
#define NO_CALL UINT64_MAX

/* A signal in the mask of sigprocmask(2), as the kernel has it. */
#define SIGNAL_BIT(signal) (UINT64_C(1) << ((signal)-1))

/* How often the CPU is given away before a tracee counts as running on. */
#define YIELDS 4

/* Steps after which an injected call is given up; one is the rule. */
#define INJECT_TRIES 100

static long request(int op, pid_t tid, uintptr_t addr, const void *data)
{
    return ptrace(op, tid, (void *)addr, (void *)(uintptr_t)data);
}

static bool is_stop_signal(int signal)
{
    return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN ||
           signal == SIGTTOU;
}

static enum stop_kind classify_event(int event, int signal)
{
    switch (event) {
    case PTRACE_EVENT_SECCOMP:
        return STOP_FILTER;
    case PTRACE_EVENT_EXEC:
        return STOP_EXEC;
    case PTRACE_EVENT_CLONE:
        return STOP_CLONE;
    case PTRACE_EVENT_VFORK:
        return STOP_VFORK;
    case PTRACE_EVENT_FORK:
        return STOP_FORK;
    case PTRACE_EVENT_STOP:
        return is_stop_signal(signal) ? STOP_GROUP : STOP_STARTED;
    default:
        return STOP_OTHER;
    }
}

void stop_classify(pid_t tid, int status, struct stop *stop)
{
    *stop = (struct stop){.tid = tid};
    if (WIFEXITED(status)) {
        stop->kind = STOP_EXITED;
        stop->status = WEXITSTATUS(status);
    } else if (WIFSIGNALED(status)) {
        stop->kind = STOP_KILLED;
        stop->signal = WTERMSIG(status);
    } else if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
        stop->kind = STOP_CALL; /* PTRACE_O_TRACESYSGOOD */
    } else if (status >> 16) {
        stop->signal = WSTOPSIG(status);
        stop->kind = classify_event(status >> 16, stop->signal);
    } else {
        stop->kind = STOP_SIGNAL;
        stop->signal = WSTOPSIG(status);
    }
}

/* Gives the CPU to a tracee that shares it, a few times if need be. */
static pid_t wait_shortly(int *status)
{
    pid_t tid = 0;

    for (int i = 0; tid == 0 && i < YIELDS; i++) {
        sched_yield();
        tid = waitpid(-1, status, __WALL | WNOHANG);
    }
    return tid;
}

static pid_t wait_with(enum patience patience, int *status)
{
    if (patience == WAIT_SHORTLY)
        return wait_shortly(status);
    return waitpid(-1, status,
                   patience == WAIT_NOW ? __WALL | WNOHANG : __WALL);
}

/* With some stops the kernel has the ID of another thread to tell. */
static void read_message(struct stop *stop)
{
    unsigned long message = 0;

    switch (stop->kind) {
    case STOP_CLONE:
    case STOP_VFORK:
    case STOP_FORK:
    case STOP_EXEC:
        if (request(PTRACE_GETEVENTMSG, stop->tid, 0, &message) == 0)
            stop->child = (pid_t)message;
        break;
    default:
        break;
    }
}

int wait_stop(struct stop *stop, enum patience patience, struct err *err)
{
    int status;
    pid_t tid;

    do
        tid = wait_with(patience, &status);
    while (tid < 0 && errno == EINTR);
    if (tid < 0 && errno == ECHILD)
        return 0;
    if (tid == 0) {
        *stop = (struct stop){.kind = STOP_NONE};
        return 1;
    }
    if (tid < 0)
        return err_set(err, ERR_TRACING, "cannot wait for the program: %s",
                       strerror(errno));
    stop_classify(tid, status, stop);
    read_message(stop);
    return 1;
}

bool wait_has_children(void)
{
    siginfo_t info;

    return waitid(P_ALL, 0, &info,
                  WEXITED | WSTOPPED | WNOHANG | WNOWAIT | __WALL) == 0;
}

int tracee_seize(pid_t pid, struct err *err)
{
    const uintptr_t options = PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD |
                              PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
                              PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC |
                              PTRACE_O_TRACESECCOMP;

    int error, other;

    if (ptrace(PTRACE_SEIZE, pid, NULL, (void *)options) == 0)
        return 0;
    error = errno;
    other = proc_tracer(pid);
    if (other)
        return err_set(err, ERR_TRACING,
                       "another tracer, process %d, traces the program "
                       "already, and there can be one only: run jittrace "
                       "without it, or let it not follow children (strace "
                       "without -f)",
                       other);
    if (proc_yama_scope() >= 2)
        return err_set(
            err, ERR_TRACING,
            "kernel.yama.ptrace_scope is %d on this machine, which lets %s "
            "trace a program (ptrace: %s): %s",
            proc_yama_scope(), proc_yama_scope() == 2 ? "only root" : "nobody",
            strerror(error),
            proc_yama_scope() == 2
                ? "run jittrace as root (in a container: with "
                  "--cap-add=SYS_PTRACE), or sysctl kernel.yama.ptrace_scope=1"
                : "it can be changed at boot only (/etc/sysctl.d), to 1");
    if (error == ENOSYS) /* never the kernel's own answer */
        return err_set(
            err, ERR_TRACING,
            "there is no tracing here (ptrace: %s): an emulated CPU "
            "(qemu-user, Rosetta, an x86-64 container on an ARM machine) or a "
            "sandbox has none; run jittrace outside of it, on an x86-64 "
            "machine or in a virtual one",
            strerror(error));
    if (error != ESRCH)
        return err_set(
            err, ERR_TRACING,
            "the system does not let jittrace trace its own child (ptrace: "
            "%s); a sandbox, a container without CAP_SYS_PTRACE or another "
            "tracer is in the way: run jittrace outside of it (docker run "
            "--cap-add=SYS_PTRACE)",
            strerror(error));
    return err_set(err, ERR_TRACING, "cannot trace the program: %s",
                   strerror(error));
}

/* --- the signal mask ----------------------------------------------------- */

/* Signals that an instruction raises itself; they cannot wait. */
#define SYNCHRONOUS                                                  \
    (SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGILL) | \
     SIGNAL_BIT(SIGFPE) | SIGNAL_BIT(SIGTRAP) | SIGNAL_BIT(SIGSYS))

static int get_mask(const struct tracee *tracee, uint64_t *mask)
{
    return (int)request(PTRACE_GETSIGMASK, tracee->tid, sizeof *mask, mask);
}

static int set_mask(const struct tracee *tracee, uint64_t mask)
{
    return (int)request(PTRACE_SETSIGMASK, tracee->tid, sizeof mask, &mask);
}

/* What a forced signal has unblocked meanwhile is not blocked again. */
void tracee_restore_mask(struct tracee *tracee)
{
    uint64_t now;

    if (tracee->mask_changed && get_mask(tracee, &now) == 0)
        set_mask(tracee, tracee->own_mask & ~(tracee->step_mask & ~now));
    tracee->mask_changed = tracee->mask_known = false;
}

int tracee_mask(struct tracee *tracee, uint64_t *mask)
{
    if (!tracee->mask_known && get_mask(tracee, &tracee->own_mask) < 0)
        return -1;
    tracee->mask_known = true;
    *mask = tracee->own_mask;
    return 0;
}

bool tracee_blocks(struct tracee *tracee, int signal)
{
    uint64_t mask;

    return tracee_mask(tracee, &mask) == 0 && (mask & SIGNAL_BIT(signal));
}

void tracee_block(struct tracee *tracee, int signal, bool block)
{
    uint64_t mask;

    tracee_restore_mask(tracee);
    if (get_mask(tracee, &mask) == 0)
        set_mask(tracee, block ? mask | SIGNAL_BIT(signal)
                               : mask & ~SIGNAL_BIT(signal));
}

static void set_step_mask(struct tracee *tracee)
{
    uint64_t own, wanted;

    if (tracee_mask(tracee, &own) < 0)
        return;
    wanted = own & ~SIGNAL_BIT(SIGTRAP);
    if (tracee->undisturbed)
        wanted |= ~SYNCHRONOUS;
    if (wanted == (tracee->mask_changed ? tracee->step_mask : own))
        return;
    set_mask(tracee, wanted);
    tracee->step_mask = wanted;
    tracee->mask_changed = true;
}

/* --- going on ------------------------------------------------------------ */

int tracee_resume(struct tracee *tracee, enum resume how, int signal)
{
    static const int request_of[] = {
        [RESUME_RUN] = PTRACE_CONT,        [RESUME_CALL] = PTRACE_SYSCALL,
        [RESUME_STEP] = PTRACE_SINGLESTEP, [RESUME_HANDLER] = PTRACE_SINGLESTEP,
        [RESUME_LISTEN] = PTRACE_LISTEN,
    };

    if (how == RESUME_STEP)
        set_step_mask(tracee);
    else
        tracee_restore_mask(tracee);
    tracee->undisturbed = tracee->injected = false;
    tracee->fetched = false;
    return (int)ptrace(request_of[how], tracee->tid, NULL,
                       (void *)(uintptr_t)signal);
}

int tracee_interrupt(const struct tracee *tracee)
{
    return (int)request(PTRACE_INTERRUPT, tracee->tid, 0, NULL);
}

int tracee_siginfo(const struct tracee *tracee, siginfo_t *info)
{
    *info = (siginfo_t){0}; /* there are systems that only say they fill it */
    return (int)request(PTRACE_GETSIGINFO, tracee->tid, 0, info);
}

void tracee_hold(struct tracee *tracee, const siginfo_t *info)
{
    tracee->held = mem_grow(tracee->held, tracee->held_count,
                            &tracee->held_capacity, sizeof *tracee->held);
    tracee->held[tracee->held_count++] = *info;
}

bool tracee_take(struct tracee *tracee, siginfo_t *info)
{
    if (tracee->held_count == 0)
        return false;
    *info = tracee->held[0];
    tracee->held_count--;
    memmove(&tracee->held[0], &tracee->held[1],
            tracee->held_count * sizeof tracee->held[0]);
    request(PTRACE_SETSIGINFO, tracee->tid, 0, info);
    return true;
}

void tracee_release(struct tracee *tracee)
{
    free(tracee->held);
    tracee->held = NULL;
}

int tracee_fetch(struct tracee *tracee)
{
    if (!tracee->fetched)
        tracee->fetched =
            request(PTRACE_GETREGS, tracee->tid, 0, &tracee->regs) == 0;
    return tracee->fetched ? 0 : -1;
}

/* Whether the kernel refuses to set a selector of that value. */
static bool is_refused(uint64_t selector)
{
    return selector != 0 && (selector & 3) != 3;
}

/*
 * The kernel sets them in the order of the struct and stops at a selector that
 * is not of the user's privilege level (set_segment_reg in
 * arch/x86/kernel/ptrace.c). Those of data come last. On some virtual machines
 * a program can have such a one; it stays as it is.
 */
int tracee_store(const struct tracee *tracee)
{
    const struct user_regs_struct *regs = &tracee->regs;

    if (request(PTRACE_SETREGS, tracee->tid, 0, regs) == 0)
        return 0;
    return errno == EIO && !is_refused(regs->cs) && !is_refused(regs->ss) &&
                   (is_refused(regs->ds) || is_refused(regs->es) ||
                    is_refused(regs->fs) || is_refused(regs->gs))
               ? 0
               : -1;
}

/* PTRACE_POKEDATA takes 8 bytes, and no notice of the page's protection. */
int tracee_write(const struct tracee *tracee, uint64_t addr, const void *data,
                 size_t size)
{
    uint64_t word;

    for (size_t i = 0; i < size; i += sizeof word) {
        size_t part = size - i < sizeof word ? size - i : sizeof word;

        errno = 0;
        word = part < sizeof word
                   ? (uint64_t)request(PTRACE_PEEKDATA, tracee->tid, addr + i,
                                       NULL)
                   : 0;
        if (errno != 0)
            return -1;
        memcpy(&word, (const char *)data + i, part);
        if (ptrace(PTRACE_POKEDATA, tracee->tid, (void *)(addr + i),
                   (void *)word) < 0)
            return -1;
    }
    return 0;
}

/* The kernel's selector for code of 64 bits (__USER_CS). */
#define CODE_64 0x33

bool tracee_is_64bit(const struct tracee *tracee)
{
    return tracee->regs.cs == CODE_64;
}

uint64_t tracee_pc(const struct tracee *tracee)
{
    return tracee->regs.rip;
}

int tracee_go_to(struct tracee *tracee, uint64_t pc)
{
    tracee->regs.rip = pc;
    return tracee_store(tracee);
}

uint64_t tracee_stack(const struct tracee *tracee)
{
    return tracee->regs.rsp;
}

/* The kernel keeps the flag that PTRACE_SINGLESTEP sets out of the registers,
 * behind a popf too (get_flags in arch/x86/kernel/ptrace.c). */
bool tracee_traps_itself(const struct tracee *tracee)
{
    return tracee->regs.eflags & TRAP_FLAG;
}

/* A flag that is set by its tracer is the tracee's own (set_flags there). */
void tracee_keep_trap(struct tracee *tracee)
{
    tracee->regs.eflags |= TRAP_FLAG;
    tracee_store(tracee);
}

bool tracee_loads_flags(const uint8_t *code, size_t len)
{
    return trap_loads_flags(code, len);
}

/* Clears the trap flag in flags that lie in memory. */
static void clean_flags(const struct tracee *tracee, uint64_t addr)
{
    uint64_t flags;

    errno = 0;
    flags = (uint64_t)request(PTRACE_PEEKDATA, tracee->tid, addr, NULL);
    flags &= ~(uint64_t)TRAP_FLAG;
    if (errno == 0)
        tracee_write(tracee, addr, &flags, sizeof flags);
}

/* In front of a popf the kernel takes the flag for the program's own, whether
 * it is executed or not (enable_single_step in arch/x86/kernel/step.c). */
void tracee_hide_stepping(struct tracee *tracee, enum insn_kind next)
{
    if (next != INSN_LOADS_FLAGS || !(tracee->regs.eflags & TRAP_FLAG))
        return;
    tracee->regs.eflags &= ~(uint64_t)TRAP_FLAG;
    tracee_store(tracee);
}

/* On the stack: the address to return to, and a ucontext_t (struct
 * rt_sigframe in arch/x86/include/asm/sigframe.h). */
void tracee_hide_in_frame(const struct tracee *tracee, enum insn_kind next)
{
    if (next == INSN_LOADS_FLAGS)
        clean_flags(tracee,
                    tracee->regs.rsp + sizeof(uint64_t) +
                        offsetof(ucontext_t, uc_mcontext.gregs[REG_EFL]));
}

/*
 * Single-stepping shows in three places: pushf stores the trap flag, popf keeps
 * it, syscall copies it to r11 (Intel SDM vol. 1, 3.4.3.3; vol. 2, SYSCALL).
 */
void tracee_hide_step(struct tracee *tracee, enum insn_kind executed)
{
    switch (executed) {
    case INSN_SAVES_FLAGS:
        clean_flags(tracee, tracee->regs.rsp);
        break;
    case INSN_LOADS_FLAGS:
        tracee->regs.eflags &= ~(uint64_t)TRAP_FLAG;
        tracee_store(tracee);
        break;
    case INSN_SYSCALL:
        tracee->regs.r11 &= ~(uint64_t)TRAP_FLAG;
        tracee_store(tracee);
        break;
    default:
        break;
    }
}

void tracee_regs(const struct tracee *tracee, struct regs *out)
{
    const struct user_regs_struct *from = &tracee->regs;

    *out = (struct regs){{
        [X86_RAX] = from->rax,
        [X86_RBX] = from->rbx,
        [X86_RCX] = from->rcx,
        [X86_RDX] = from->rdx,
        [X86_RSI] = from->rsi,
        [X86_RDI] = from->rdi,
        [X86_RBP] = from->rbp,
        [X86_RSP] = from->rsp,
        [X86_R8] = from->r8,
        [X86_R9] = from->r9,
        [X86_R10] = from->r10,
        [X86_R11] = from->r11,
        [X86_R12] = from->r12,
        [X86_R13] = from->r13,
        [X86_R14] = from->r14,
        [X86_R15] = from->r15,
        [X86_RIP] = from->rip,
        [X86_RFLAGS] = from->eflags & ~(uint64_t)RESUME_FLAG,
        [X86_FS_BASE] = from->fs_base,
        [X86_GS_BASE] = from->gs_base,
    }};
}

/* The frame begins with a return address, then comes a struct ucontext
 * (arch/x86/include/asm/sigframe.h), whose general registers are those of
 * ucontext_t (sys/ucontext.h). */
int tracee_interrupted(const struct tracee *tracee, struct regs *out)
{
    uint64_t at = tracee->regs.rsp + sizeof at;
    struct tracee before = *tracee;
    gregset_t saved;

    at += offsetof(ucontext_t, uc_mcontext.gregs);
    if (proc_read(tracee->tid, at, saved, sizeof saved) != sizeof saved)
        return -1;
    before.regs.r8 = (uint64_t)saved[REG_R8];
    before.regs.r9 = (uint64_t)saved[REG_R9];
    before.regs.r10 = (uint64_t)saved[REG_R10];
    before.regs.r11 = (uint64_t)saved[REG_R11];
    before.regs.r12 = (uint64_t)saved[REG_R12];
    before.regs.r13 = (uint64_t)saved[REG_R13];
    before.regs.r14 = (uint64_t)saved[REG_R14];
    before.regs.r15 = (uint64_t)saved[REG_R15];
    before.regs.rdi = (uint64_t)saved[REG_RDI];
    before.regs.rsi = (uint64_t)saved[REG_RSI];
    before.regs.rbp = (uint64_t)saved[REG_RBP];
    before.regs.rbx = (uint64_t)saved[REG_RBX];
    before.regs.rdx = (uint64_t)saved[REG_RDX];
    before.regs.rax = (uint64_t)saved[REG_RAX];
    before.regs.rcx = (uint64_t)saved[REG_RCX];
    before.regs.rsp = (uint64_t)saved[REG_RSP];
    before.regs.rip = (uint64_t)saved[REG_RIP];
    before.regs.eflags = (uint64_t)saved[REG_EFL];
    tracee_regs(&before, out);
    return 0;
}

int tracee_call(const struct tracee *tracee, struct call *call)
{
    struct __ptrace_syscall_info info = {0};

    if (request(PTRACE_GET_SYSCALL_INFO, tracee->tid, sizeof info, &info) < 0)
        return -1;
    call->entering = info.op != PTRACE_SYSCALL_INFO_EXIT;
    call->denied = info.op == PTRACE_SYSCALL_INFO_SECCOMP &&
                   info.seccomp.ret_data != FILTER_DATA;
    if (!call->entering) {
        call->result = info.exit.rval;
        return 0;
    }
    /* Entry and seccomp share the layout of number and arguments. Numbers of
     * int 0x80 mean other calls. */
    call->number = info.arch == AUDIT_ARCH_X86_64 ? info.entry.nr : NO_CALL;
    for (int i = 0; i < 6; i++)
        call->args[i] = info.entry.args[i];
    return 0;
}

bool tracee_enters_call(const struct tracee *tracee)
{
    struct __ptrace_syscall_info info = {0};

    return request(PTRACE_GET_SYSCALL_INFO, tracee->tid, sizeof info, &info) >=
               0 &&
           (info.op == PTRACE_SYSCALL_INFO_ENTRY ||
            info.op == PTRACE_SYSCALL_INFO_SECCOMP);
}

bool tracee_has_stopped(const struct tracee *tracee)
{
    siginfo_t info = {0};

    return waitid(P_PID, (id_t)tracee->tid, &info,
                  WSTOPPED | WNOHANG | WNOWAIT | __WALL) == 0 &&
           info.si_pid == tracee->tid;
}

int tracee_wait(const struct tracee *tracee, struct stop *stop)
{
    siginfo_t info;
    int status;

    if (waitid(P_PID, (id_t)tracee->tid, &info,
               WEXITED | WSTOPPED | WNOWAIT | __WALL) < 0)
        return -1;
    if (info.si_code == CLD_EXITED || info.si_code == CLD_KILLED ||
        info.si_code == CLD_DUMPED)
        return -1;
    if (waitpid(tracee->tid, &status, __WALL) != tracee->tid)
        return -1;
    stop_classify(tracee->tid, status, stop);
    read_message(stop);
    return 0;
}

/* A call of the number -1 is skipped, and leaves rax as it is (__seccomp_filter
 * in kernel/seccomp.c). */
int tracee_deny(struct tracee *tracee)
{
    if (tracee_fetch(tracee) < 0)
        return -1;
    tracee->regs.rax = (uint64_t)-ENOSYS;
    tracee->regs.orig_rax = (uint64_t)-1;
    return tracee_store(tracee);
}

int tracee_rewind(struct tracee *tracee)
{
    struct user_regs_struct saved;
    struct stop stop;

    if (tracee_fetch(tracee) < 0)
        return -1;
    saved = tracee->regs;
    tracee->regs.orig_rax = (uint64_t)-1; /* no such call: it is skipped */
    if (tracee_store(tracee) < 0)
        return -1;
    do {
        if (request(PTRACE_SYSCALL, tracee->tid, 0, NULL) < 0 ||
            tracee_wait(tracee, &stop) < 0)
            return -1;
    } while (stop.kind != STOP_CALL);
    tracee->regs = saved;
    tracee->regs.rip -= SYSCALL_INSN_LENGTH;
    tracee->regs.rax = saved.orig_rax;
    tracee->regs.orig_rax = (uint64_t)-1;
    return tracee_store(tracee);
}

bool tracee_find_syscall(struct tracee *tracee)
{
    static const uint8_t insn[SYSCALL_INSN_LENGTH] = {0x0f, 0x05};
    uint8_t vdso[VDSO_SIZE];
    uint64_t base = proc_auxv(tracee->tid, AT_SYSINFO_EHDR);
    size_t len = base ? proc_read(tracee->tid, base, vdso, sizeof vdso) : 0;
    const uint8_t *at = memmem(vdso, len, insn, sizeof insn);

    tracee->syscall_insn = at ? base + (uint64_t)(at - vdso) : 0;
    return at != NULL;
}

/* Whether a stop is the trap behind the one instruction that we stepped. */
static bool is_done(struct tracee *tracee, const struct stop *stop)
{
    return stop->kind == STOP_SIGNAL && stop->signal == SIGTRAP &&
           tracee_fetch(tracee) == 0 &&
           tracee->regs.rip == tracee->syscall_insn + SYSCALL_INSN_LENGTH;
}

/* Keeps the signal of a stop that came instead of the one that is awaited. */
static void hold_foreign(struct tracee *tracee, const struct stop *stop)
{
    siginfo_t info;

    if (stop->kind != STOP_SIGNAL || tracee_siginfo(tracee, &info) < 0 ||
        (info.si_signo == SIGTRAP && info.si_code > 0))
        return;
    for (size_t i = 0; i < tracee->held_count; i++)
        if (info.si_signo == SIGTRAP && tracee->held[i].si_signo == SIGTRAP)
            return; /* it does not queue (signal(7)) */
    tracee_hold(tracee, &info);
}

/*
 * Steps over the syscall instruction and keeps the signals that come. The one
 * that is to go back goes with the first step; as it is blocked, the kernel
 * keeps it pending (ptrace_signal in kernel/signal.c).
 */
static int step_syscall(struct tracee *tracee)
{
    struct stop stop;

    for (int i = 0; i < INJECT_TRIES; i++) {
        uintptr_t signal = (uintptr_t)tracee->going_back;

        tracee->fetched = false;
        tracee->going_back = 0;
        if (request(PTRACE_SINGLESTEP, tracee->tid, 0, (void *)signal) < 0 ||
            tracee_wait(tracee, &stop) < 0)
            return -1;
        if (is_done(tracee, &stop))
            return 0;
        hold_foreign(tracee, &stop);
    }
    return -1;
}

/* The same with the two stops of a system call: none of them is a signal. */
static int run_syscall(struct tracee *tracee)
{
    struct stop stop;
    int stops = 0;

    for (int i = 0; i < INJECT_TRIES && stops < 2; i++) {
        tracee->fetched = false;
        if (request(PTRACE_SYSCALL, tracee->tid, 0, NULL) < 0 ||
            tracee_wait(tracee, &stop) < 0)
            return -1;
        stops += stop.kind == STOP_CALL;
        hold_foreign(tracee, &stop);
    }
    return stops < 2 ? -1 : tracee_fetch(tracee);
}

/* Makes the call that tracee->regs asks for, with its signals kept waiting. */
static int make_call(struct tracee *tracee, int (*how)(struct tracee *tracee))
{
    uint64_t mask, ours = UINT64_MAX;
    int result;

    if (get_mask(tracee, &mask) < 0)
        return -1;
    if (how != run_syscall)
        ours &= ~SIGNAL_BIT(SIGTRAP) & (mask | ~SIGNAL_BIT(SIGSEGV));
    if (set_mask(tracee, ours) < 0 || tracee_store(tracee) < 0)
        return -1;
    result = how(tracee);
    set_mask(tracee, mask);
    return result;
}

/*
 * A call needs no stack. But with an rsp that is no address an AMD CPU raises a
 * fault where the tracee is to go on, at the call.
 */
static int inject(struct tracee *tracee, uint64_t number,
                  const uint64_t args[6], int64_t *result,
                  int (*how)(struct tracee *tracee))
{
    struct user_regs_struct saved;

    if (!tracee->syscall_insn || tracee_fetch(tracee) < 0)
        return -1;
    saved = tracee->regs;
    tracee->injected = true;
    tracee->regs.rax = number;
    tracee->regs.rdi = args[0];
    tracee->regs.rsi = args[1];
    tracee->regs.rdx = args[2];
    tracee->regs.r10 = args[3];
    tracee->regs.r8 = args[4];
    tracee->regs.r9 = args[5];
    tracee->regs.rip = tracee->syscall_insn;
    tracee->regs.rsp = tracee->syscall_insn; /* any that is an address */
    tracee->regs.orig_rax = (uint64_t)-1;    /* nothing to restart */
    tracee->regs.eflags &= ~(uint64_t)(TRAP_FLAG | DIRECTION_FLAG);
    if (make_call(tracee, how) < 0)
        return -1;
    *result = (int64_t)tracee->regs.rax;
    tracee->regs = saved;
    return tracee_store(tracee);
}

int tracee_inject(struct tracee *tracee, uint64_t number,
                  const uint64_t args[6], int64_t *result)
{
    return inject(tracee, number, args, result, step_syscall);
}

/* A signal can go with the resume from a stop that a step ends in, so a call of
 * no consequence is made before the first, and one for each. */
void tracee_give_back(struct tracee *tracee)
{
    static const uint64_t none[6];
    int64_t ignored;
    siginfo_t info;

    for (size_t i = tracee->held_count; i > 0; i--) {
        if (!tracee_take(tracee, &info))
            return;
        if (info.si_signo == SIGTRAP || !tracee_blocks(tracee, info.si_signo)) {
            tracee_hold(tracee, &info); /* it keeps its place behind others */
            continue;
        }
        tracee_inject(tracee, SYS_getpid, none, &ignored);
        request(PTRACE_SETSIGINFO, tracee->tid, 0, &info);
        tracee->going_back = info.si_signo;
        tracee_inject(tracee, SYS_getpid, none, &ignored);
    }
}

int tracee_mprotect(struct tracee *tracee, uint64_t addr, uint64_t length,
                    unsigned prot)
{
    const uint64_t args[6] = {addr, length, prot, 0, 0, FILTER_PASS};
    int64_t result;

    if (tracee_inject(tracee, SYS_mprotect, args, &result) < 0)
        return 1;
    return (int)result;
}

/* Sets the execution domain; returns the former one, or -1. */
static int64_t set_domain(struct tracee *tracee, uint64_t domain)
{
    const uint64_t args[6] = {domain, [5] = FILTER_PASS};
    int64_t result;

    return tracee_inject(tracee, SYS_personality, args, &result) < 0 ? -1
                                                                     : result;
}

int tracee_mprotect_exactly(struct tracee *tracee, uint64_t addr,
                            uint64_t length, unsigned prot)
{
    int64_t domain = set_domain(tracee, NO_DOMAIN);
    int result;

    if (domain < 0)
        return 1;
    set_domain(tracee, (uint64_t)domain & ~(uint64_t)READ_IMPLIES_EXEC);
    result = tracee_mprotect(tracee, addr, length, prot);
    set_domain(tracee, (uint64_t)domain);
    return result;
}

/* Which the kernel forbids under PR_SET_MDWE (prctl(2)) and SELinux' execmem,
 * and a sandbox may, as systemd's MemoryDenyWriteExecute=. */
bool tracee_can_protect_again(struct tracee *tracee, unsigned prot)
{
    const uint64_t size = (uint64_t)sysconf(_SC_PAGESIZE);
    const uint64_t map[6] = {
        0, size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, (uint64_t)-1, 0};
    uint64_t unmap[6] = {0, size, 0, 0, 0, FILTER_PASS};
    int64_t addr, ignored;
    bool can;

    if (tracee_inject(tracee, SYS_mmap, map, &addr) < 0 || addr < 0)
        return false;
    unmap[0] = (uint64_t)addr;
    can = tracee_mprotect(tracee, unmap[0], size, prot) == 0;
    tracee_inject(tracee, SYS_munmap, unmap, &ignored);
    return can;
}

static bool awaits_restart(const struct tracee *tracee)
{
    int64_t result = (int64_t)tracee->regs.rax;

    return (int64_t)tracee->regs.orig_rax >= 0 && result <= RESTART_FIRST &&
           result >= RESTART_LAST;
}

/* A step would force SIGTRAP, which may be the very signal that this is about;
 * so the call is run between its two stops. */
int tracee_set_action(struct tracee *tracee, int signal,
                      const struct signal_action *action)
{
    uint64_t args[6] = {(uint64_t)signal,    0, 0,
                        sizeof action->mask, 0, FILTER_PASS};
    uint8_t before[sizeof *action];
    int64_t result = -1;

    if (tracee_fetch(tracee) < 0 || awaits_restart(tracee))
        return -1;
    args[1] = (tracee->regs.rsp - RED_ZONE - sizeof *action) & ~UINT64_C(15);
    if (proc_read(tracee->tid, args[1], before, sizeof before) !=
            sizeof before ||
        tracee_write(tracee, args[1], action, sizeof *action) < 0)
        return -1;
    if (inject(tracee, SYS_rt_sigaction, args, &result, run_syscall) < 0)
        result = -1;
    tracee_write(tracee, args[1], before, sizeof before);
    return result == 0 ? 0 : -1;
}

int tracee_finish_exec(struct tracee *tracee)
{
    struct stop stop;

    do {
        tracee->fetched = false;
        if (request(PTRACE_SYSCALL, tracee->tid, 0, NULL) < 0 ||
            tracee_wait(tracee, &stop) < 0)
            return -1;
        hold_foreign(tracee, &stop);
    } while (stop.kind != STOP_CALL);
    return 0;
}

/* --- what this machine can do -------------------------------------------- */

#define NEEDS_LINUX_5_3                                                  \
    "jittrace needs Linux 5.3 or newer, or a sandbox or container that " \
    "does not forbid it"
#define ALLOW_PTRACE                                                     \
    "a sandbox or a container forbids it, or the CPU is emulated (qemu-" \
    "user, valgrind, Rosetta): run jittrace outside of it, on a real "   \
    "x86-64 machine or a virtual one (docker run --cap-add=SYS_PTRACE "  \
    "--security-opt seccomp=unconfined)"

static int is_missing(struct err *err, const char *what, const char *remedy)
{
    if (errno == ESRCH) /* it was killed: whoever waits for it will tell */
        return 0;
    return err_set(err, ERR_TRACING,
                   "this program cannot be traced: %s (%s); %s", what,
                   errno ? strerror(errno) : "without an error", remedy);
}

/* Whether what is written to a register stands there then. */
static bool try_registers(struct tracee *tracee)
{
    struct user_regs_struct before = tracee->regs;
    bool kept;

    tracee->regs.r15 ^= 1;
    kept = tracee_store(tracee) == 0;
    tracee->fetched = false;
    if (kept)
        errno = 0;
    kept = kept && tracee_fetch(tracee) == 0 && tracee->regs.r15 != before.r15;
    tracee->regs = before;
    return kept && tracee_store(tracee) == 0;
}

/* The same for its signal mask, and for a word of its memory, which was read. */
static bool try_mask(const struct tracee *tracee)
{
    uint64_t before, now;

    if (get_mask(tracee, &before) < 0 ||
        set_mask(tracee, before ^ SIGNAL_BIT(SIGUSR1)) < 0)
        return false;
    errno = 0;
    return get_mask(tracee, &now) == 0 && now != before &&
           set_mask(tracee, before) == 0;
}

static bool try_write(const struct tracee *tracee, uint64_t word)
{
    const uint64_t addr = tracee_stack(tracee), other = ~word;
    uint64_t now;

    if (tracee_write(tracee, addr, &other, sizeof other) < 0)
        return false;
    errno = 0;
    return proc_read(tracee->tid, addr, &now, sizeof now) == sizeof now &&
           now == other && tracee_write(tracee, addr, &word, sizeof word) == 0;
}

/* A call of ours that has a known result, by the one step that makes it. */
static int try_step(struct tracee *tracee, struct err *err)
{
    static const uint64_t none[6];
    int64_t result = 0;
    siginfo_t info;

    if (!tracee_find_syscall(tracee))
        return 0; /* the observer does without, and says so */
    errno = 0;
    if (tracee_inject(tracee, SYS_getpid, none, &result) < 0)
        return is_missing(err,
                          "one instruction cannot be stepped "
                          "(PTRACE_SINGLESTEP)",
                          ALLOW_PTRACE);
    errno = 0;
    if (result != tracee->pid)
        return is_missing(err,
                          "a system call that it is made to do has no "
                          "effect (PTRACE_SETREGS)",
                          ALLOW_PTRACE);
    errno = 0;
    if (tracee_siginfo(tracee, &info) < 0 || info.si_signo != SIGTRAP)
        return is_missing(err, "PTRACE_GETSIGINFO fails", ALLOW_PTRACE);
    return 0;
}

int tracee_fails_to_run(struct err *err)
{
    return is_missing(err, "it cannot be let go on (PTRACE_CONT)",
                      ALLOW_PTRACE);
}

int tracee_try(struct tracee *tracee, struct err *err)
{
    struct call call;
    uint64_t word;

    errno = 0;
    if (!proc_auxv(tracee->pid, AT_PAGESZ))
        return is_missing(err, "/proc/PID/auxv cannot be read",
                          "mount the /proc of this PID namespace (mount -t "
                          "proc proc /proc), and make the program readable");
    if (tracee_fetch(tracee) < 0)
        return is_missing(err, "PTRACE_GETREGS fails", ALLOW_PTRACE);
    if (!try_registers(tracee))
        return is_missing(err, "PTRACE_SETREGS fails", ALLOW_PTRACE);
    errno = 0;
    if (proc_read(tracee->tid, tracee_stack(tracee), &word, sizeof word) !=
        sizeof word)
        return is_missing(err,
                          "its memory cannot be read (process_vm_readv, "
                          "/proc/PID/mem)",
                          ALLOW_PTRACE);
    errno = 0;
    if (!try_write(tracee, word))
        return is_missing(err,
                          "its memory cannot be written to "
                          "(PTRACE_POKEDATA)",
                          ALLOW_PTRACE);
    errno = 0;
    if (!try_mask(tracee))
        return is_missing(err,
                          "its signal mask cannot be set "
                          "(PTRACE_SETSIGMASK)",
                          ALLOW_PTRACE);
    if (tracee_finish_exec(tracee) < 0)
        return is_missing(err,
                          "it cannot be stopped at system calls "
                          "(PTRACE_SYSCALL, waitid)",
                          ALLOW_PTRACE);
    if (tracee_call(tracee, &call) < 0)
        return is_missing(err, "PTRACE_GET_SYSCALL_INFO fails",
                          NEEDS_LINUX_5_3);
    return try_step(tracee, err);
}

void tracee_kill(struct tracee *tracee)
{
    int status;

    kill(tracee->pid, SIGKILL);
    while (waitpid(tracee->pid, &status, __WALL) == tracee->pid &&
           !WIFEXITED(status) && !WIFSIGNALED(status))
        continue;
    tracee_release(tracee);
}

static int set_debug_register(const struct tracee *tracee, unsigned n,
                              uint64_t value)
{
    return (int)ptrace(
        PTRACE_POKEUSER, tracee->tid,
        (void *)(offsetof(struct user, u_debugreg) + n * sizeof(long)),
        (void *)value);
}

/* DR0 holds the address, bit 0 of DR7 enables it; the type bits 0 mean
 * execution (Intel SDM vol. 3, 18.2). */
int tracee_break(const struct tracee *tracee, uint64_t addr)
{
    if (set_debug_register(tracee, 7, 0) < 0 ||
        set_debug_register(tracee, 0, addr) < 0)
        return -1;
    return addr ? set_debug_register(tracee, 7, 1) : 0;
}

/* Steps the syscall instruction, and leaves in rax whether a debug register
 * stopped it in front of that. */
static int step_at_break(struct tracee *tracee)
{
    struct stop stop;

    for (int i = 0; i < INJECT_TRIES; i++) {
        tracee->fetched = false;
        if (request(PTRACE_SINGLESTEP, tracee->tid, 0, NULL) < 0 ||
            tracee_wait(tracee, &stop) < 0 || tracee_fetch(tracee) < 0)
            return -1;
        if (stop.kind == STOP_SIGNAL && stop.signal == SIGTRAP) {
            tracee->regs.rax = tracee->regs.rip == tracee->syscall_insn;
            return 0;
        }
        hold_foreign(tracee, &stop);
    }
    return -1;
}

bool tracee_proves_break(struct tracee *tracee)
{
    static const uint64_t none[6];
    int64_t stopped = 0;

    if (!tracee->syscall_insn || tracee_break(tracee, tracee->syscall_insn) < 0)
        return false;
    if (inject(tracee, SYS_getpid, none, &stopped, step_at_break) < 0)
        stopped = 0;
    tracee_break(tracee, 0);
    return stopped;
}

/* The CPU that jittrace stays on from now on, or -1. */
static int own_cpu(void)
{
    cpu_set_t set;
    int cpu = sched_getcpu();

    if (cpu < 0 || sched_getaffinity(0, sizeof set, &set) < 0)
        return -1;
    if (CPU_COUNT(&set) == 1)
        return cpu;
    CPU_ZERO(&set);
    CPU_SET((unsigned)cpu, &set);
    return sched_setaffinity(0, sizeof set, &set) < 0 ? -1 : cpu;
}

void tracee_pin(struct tracee *tracee)
{
    cpu_set_t set;
    int cpu = tracee->pinned ? -1 : own_cpu();

    if (cpu < 0 || sched_getaffinity(tracee->tid, sizeof tracee->own_cpus,
                                     &tracee->own_cpus) < 0)
        return;
    if (!CPU_ISSET((unsigned)cpu, &tracee->own_cpus))
        return;
    CPU_ZERO(&set);
    CPU_SET((unsigned)cpu, &set);
    tracee->pinned = sched_setaffinity(tracee->tid, sizeof set, &set) == 0;
}

void tracee_unpin(struct tracee *tracee)
{
    if (tracee->pinned)
        sched_setaffinity(tracee->tid, sizeof tracee->own_cpus,
                          &tracee->own_cpus);
    tracee->pinned = false;
}
