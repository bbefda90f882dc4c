/* SPDX-License-Identifier: MIT */
#include "target/tracee.h"

#include <errno.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "base/mem.h"
#include "target/filter.h"
#include "target/machine.h"
#include "target/proc.h"
#include "target/registers.h"

/* How often the CPU is given away before a tracee counts as running on. */
#define YIELDS 4

/* The number of no system call. */
#define NO_CALL UINT64_MAX

long ptrace_request(int op, pid_t tid, uintptr_t addr, const void *data)
{
    return ptrace(op, tid, (void *)addr, (void *)(uintptr_t)data);
}

int tracee_seize(pid_t pid, struct err *err)
{
    const uintptr_t options = PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD |
                              PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
                              PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC |
                              PTRACE_O_TRACESECCOMP;
    int error, other;

    if (ptrace_request(PTRACE_SEIZE, pid, 0, (void *)options) == 0)
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

/* --- its stops ----------------------------------------------------------- */

void stop_classify(pid_t tid, int status, struct stop *stop)
{
    static const enum stop_kind kind_of_event[] = {
        [PTRACE_EVENT_FORK] = STOP_FORK,
        [PTRACE_EVENT_VFORK] = STOP_VFORK,
        [PTRACE_EVENT_CLONE] = STOP_CLONE,
        [PTRACE_EVENT_EXEC] = STOP_EXEC,
        [PTRACE_EVENT_VFORK_DONE] = STOP_OTHER,
        [PTRACE_EVENT_EXIT] = STOP_OTHER,
        [PTRACE_EVENT_SECCOMP] = STOP_FILTER,
    };
    const unsigned event = (unsigned)status >> 16;
    const int signal = WSTOPSIG(status);

    *stop = (struct stop){.tid = tid, .signal = signal};
    if (WIFEXITED(status))
        *stop = (struct stop){
            .kind = STOP_EXITED, .tid = tid, .status = WEXITSTATUS(status)};
    else if (WIFSIGNALED(status))
        *stop = (struct stop){
            .kind = STOP_KILLED, .tid = tid, .signal = WTERMSIG(status)};
    else if (signal == (SIGTRAP | 0x80)) /* PTRACE_O_TRACESYSGOOD */
        *stop = (struct stop){.kind = STOP_CALL, .tid = tid};
    else if (event == 0)
        stop->kind = STOP_SIGNAL;
    else if (event == PTRACE_EVENT_STOP)
        stop->kind = signal == SIGSTOP || signal == SIGTSTP ||
                             signal == SIGTTIN || signal == SIGTTOU
                         ? STOP_GROUP
                         : STOP_STARTED;
    else
        stop->kind = event < sizeof kind_of_event / sizeof *kind_of_event
                         ? kind_of_event[event]
                         : STOP_OTHER;
}

/* With some stops the kernel has the ID of another thread to tell. */
static void read_message(struct stop *stop)
{
    unsigned long message = 0;

    if ((stop->kind == STOP_CLONE || stop->kind == STOP_VFORK ||
         stop->kind == STOP_FORK || stop->kind == STOP_EXEC) &&
        ptrace_request(PTRACE_GETEVENTMSG, stop->tid, 0, &message) == 0)
        stop->child = (pid_t)message;
}

int wait_stop(struct stop *stop, enum patience patience, struct err *err)
{
    const int options = patience == WAIT_FOREVER ? __WALL : __WALL | WNOHANG;
    int yields = patience == WAIT_SHORTLY ? YIELDS : 0;
    int status;
    pid_t tid;

    do {
        /* A tracee that shares our CPU gets it, a few times if need be. */
        if (yields > 0)
            sched_yield();
        tid = waitpid(-1, &status, options);
    } while ((tid < 0 && errno == EINTR) || (tid == 0 && --yields > 0));
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
               WEXITED | WSTOPPED | WNOWAIT | __WALL) < 0 ||
        info.si_code == CLD_EXITED || info.si_code == CLD_KILLED ||
        info.si_code == CLD_DUMPED)
        return -1;
    if (waitpid(tracee->tid, &status, __WALL) != tracee->tid)
        return -1;
    stop_classify(tracee->tid, status, stop);
    read_message(stop);
    return 0;
}

/* --- the signal mask ----------------------------------------------------- */

/* Signals that an instruction raises itself; they cannot wait. */
#define SYNCHRONOUS                                                  \
    (SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGILL) | \
     SIGNAL_BIT(SIGFPE) | SIGNAL_BIT(SIGTRAP) | SIGNAL_BIT(SIGSYS))

int tracee_get_mask(const struct tracee *tracee, uint64_t *mask)
{
    return (int)ptrace_request(PTRACE_GETSIGMASK, tracee->tid, sizeof *mask,
                               mask);
}

int tracee_set_mask(const struct tracee *tracee, uint64_t mask)
{
    return (int)ptrace_request(PTRACE_SETSIGMASK, tracee->tid, sizeof mask,
                               &mask);
}

/* What a forced signal has unblocked meanwhile is not blocked again. */
void tracee_restore_mask(struct tracee *tracee)
{
    uint64_t now;

    if (tracee->mask_changed && tracee_get_mask(tracee, &now) == 0)
        tracee_set_mask(tracee, tracee->own_mask & ~(tracee->step_mask & ~now));
    tracee->mask_changed = tracee->mask_known = false;
}

int tracee_mask(struct tracee *tracee, uint64_t *mask)
{
    if (!tracee->mask_known && tracee_get_mask(tracee, &tracee->own_mask) < 0)
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
    if (tracee_get_mask(tracee, &mask) == 0)
        tracee_set_mask(tracee, block ? mask | SIGNAL_BIT(signal)
                                      : mask & ~SIGNAL_BIT(signal));
}

/* --- going on ------------------------------------------------------------ */

int tracee_resume(struct tracee *tracee, enum resume how, int signal)
{
    static const int request_of[] = {
        [RESUME_RUN] = PTRACE_CONT,        [RESUME_CALL] = PTRACE_SYSCALL,
        [RESUME_STEP] = PTRACE_SINGLESTEP, [RESUME_HANDLER] = PTRACE_SINGLESTEP,
        [RESUME_LISTEN] = PTRACE_LISTEN,
    };
    uint64_t own, wanted;

    tracee->signalled = signal != 0;
    tracee->stepped_lent = false;
    if (how <= RESUME_STEP && !signal && tracee_lend_stack(tracee))
        how = RESUME_STEP;
    if (how != RESUME_STEP) {
        tracee_restore_mask(tracee);
    } else if (tracee_mask(tracee, &own) == 0) {
        wanted = own & ~SIGNAL_BIT(SIGTRAP);
        if (tracee->undisturbed)
            wanted |= ~SYNCHRONOUS;
        if (wanted != (tracee->mask_changed ? tracee->step_mask : own)) {
            tracee_set_mask(tracee, wanted);
            tracee->step_mask = wanted;
            tracee->mask_changed = true;
        }
    }
    tracee->undisturbed = tracee->injected = false;
    tracee->fetched = false;
    return (int)ptrace_request(request_of[how], tracee->tid, 0,
                               (void *)(uintptr_t)signal);
}

int tracee_interrupt(const struct tracee *tracee)
{
    return (int)ptrace_request(PTRACE_INTERRUPT, tracee->tid, 0, NULL);
}

int tracee_siginfo(const struct tracee *tracee, siginfo_t *info)
{
    *info = (siginfo_t){0}; /* there are systems that only say they fill it */
    return (int)ptrace_request(PTRACE_GETSIGINFO, tracee->tid, 0, info);
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
    ptrace_request(PTRACE_SETSIGINFO, tracee->tid, 0, info);
    return true;
}

void tracee_release(struct tracee *tracee)
{
    free(tracee->held);
    tracee->held = NULL;
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
                   ? (uint64_t)ptrace_request(PTRACE_PEEKDATA, tracee->tid,
                                              addr + i, NULL)
                   : 0;
        if (errno != 0)
            return -1;
        memcpy(&word, (const char *)data + i, part);
        if (ptrace_request(PTRACE_POKEDATA, tracee->tid, addr + i,
                           (void *)word) < 0)
            return -1;
    }
    return 0;
}

int tracee_call(const struct tracee *tracee, struct call *call)
{
    struct __ptrace_syscall_info info = {0};

    if (ptrace_request(PTRACE_GET_SYSCALL_INFO, tracee->tid, sizeof info,
                       &info) < 0)
        return -1;
    call->entering = info.op != PTRACE_SYSCALL_INFO_EXIT;
    call->denied = info.op == PTRACE_SYSCALL_INFO_SECCOMP &&
                   info.seccomp.ret_data != FILTER_DATA;
    if (!call->entering) {
        call->result = info.exit.rval;
        return 0;
    }
    /* Entry and seccomp share the layout of number and arguments. Those of
     * another architecture mean other calls. */
    call->number = info.arch == MACHINE_AUDIT ? info.entry.nr : NO_CALL;
    for (int i = 0; i < 6; i++)
        call->args[i] = info.entry.args[i];
    return 0;
}

bool tracee_enters_call(const struct tracee *tracee)
{
    struct __ptrace_syscall_info info = {0};

    return ptrace_request(PTRACE_GET_SYSCALL_INFO, tracee->tid, sizeof info,
                          &info) >= 0 &&
           (info.op == PTRACE_SYSCALL_INFO_ENTRY ||
            info.op == PTRACE_SYSCALL_INFO_SECCOMP);
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

/* jittrace stays on its CPU from now on. */
void tracee_pin(struct tracee *tracee)
{
    cpu_set_t ours, one;
    int cpu = tracee->pinned ? -1 : sched_getcpu();

    if (cpu < 0 || sched_getaffinity(0, sizeof ours, &ours) < 0)
        return;
    CPU_ZERO(&one);
    CPU_SET((unsigned)cpu, &one);
    if ((CPU_COUNT(&ours) > 1 && sched_setaffinity(0, sizeof one, &one) < 0) ||
        sched_getaffinity(tracee->tid, sizeof tracee->own_cpus,
                          &tracee->own_cpus) < 0 ||
        !CPU_ISSET((unsigned)cpu, &tracee->own_cpus))
        return;
    tracee->pinned = sched_setaffinity(tracee->tid, sizeof one, &one) == 0;
}

void tracee_unpin(struct tracee *tracee)
{
    if (tracee->pinned)
        sched_setaffinity(tracee->tid, sizeof tracee->own_cpus,
                          &tracee->own_cpus);
    tracee->pinned = false;
}
