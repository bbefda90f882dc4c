/* SPDX-License-Identifier: MIT */
#include "trace/signal_name.h"

#include <signal.h>
#include <stddef.h>

#define NAME(signal) [signal] = #signal

static const char *const names[] = {
    NAME(SIGHUP),   NAME(SIGINT),  NAME(SIGQUIT), NAME(SIGILL),
    NAME(SIGTRAP),  NAME(SIGABRT), NAME(SIGBUS),  NAME(SIGFPE),
    NAME(SIGKILL),  NAME(SIGUSR1), NAME(SIGSEGV), NAME(SIGUSR2),
    NAME(SIGPIPE),  NAME(SIGALRM), NAME(SIGTERM), NAME(SIGSTKFLT),
    NAME(SIGCHLD),  NAME(SIGCONT), NAME(SIGSTOP), NAME(SIGTSTP),
    NAME(SIGTTIN),  NAME(SIGTTOU), NAME(SIGURG),  NAME(SIGXCPU),
    NAME(SIGXFSZ),  NAME(SIGPROF), NAME(SIGPOLL), NAME(SIGVTALRM),
    NAME(SIGWINCH), NAME(SIGPWR),  NAME(SIGSYS),
};

const char *signal_name(int number)
{
    if (number < 0 || (size_t)number >= sizeof names / sizeof *names)
        return NULL;
    return names[number];
}
