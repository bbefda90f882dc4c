/* SPDX-License-Identifier: MIT */
#include "target/stop.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "target/request.h"
#include "target/tracee.h"

/* How often the CPU is given away before a tracee counts as running on. */
#define YIELDS 4

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

    *stop = (struct stop){.tid = tid};
    if (WIFEXITED(status)) {
        stop->kind = STOP_EXITED;
        stop->status = WEXITSTATUS(status);
        return;
    }
    if (WIFSIGNALED(status)) {
        stop->kind = STOP_KILLED;
        stop->signal = WTERMSIG(status);
        return;
    }
    if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
        stop->kind = STOP_CALL; /* PTRACE_O_TRACESYSGOOD */
        return;
    }
    stop->signal = WSTOPSIG(status);
    if (event == 0)
        stop->kind = STOP_SIGNAL;
    else if (event == PTRACE_EVENT_STOP)
        stop->kind = stop->signal == SIGSTOP || stop->signal == SIGTSTP ||
                             stop->signal == SIGTTIN || stop->signal == SIGTTOU
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
