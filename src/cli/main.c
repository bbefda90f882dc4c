/* SPDX-License-Identifier: MIT */
/*
 * jittrace: a source of events, a sink for them, and a loop between the two.
 *
 * The program that is traced comes first. When the trace cannot be written any
 * more, the program still runs to its end; a Ctrl-C at the terminal is for the
 * program, and jittrace ends when it does. A signal that was sent to jittrace
 * and asks it to end is passed on to the program, and if that does not end by it
 * within five seconds it is killed, children and all. Signals that whoever
 * started jittrace wants ignored (nohup) stay ignored.
 */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cli/options.h"
#include "cli/wiring.h"
#include "observe/observe.h"
#include "trace/sink.h"
#include "trace/source.h"

#define GRACE_SECONDS 5

/* A pidfd of the process to pass signals on to (pidfd_open(2)), or -1. */
static volatile sig_atomic_t passed_on_to;
/* The signal that has asked us to end. */
static volatile sig_atomic_t asked_by;
/* How often the grace period is over. */
static volatile sig_atomic_t alarms;

/*
 * Descriptors 0 to 2 that are closed would be given to files of ours. They are
 * opened with FD_CLOEXEC, so that the program finds them closed, as it should.
 * Returns whether standard output was open.
 */
static bool fill_descriptors(void)
{
    bool has_stdout = fcntl(STDOUT_FILENO, F_GETFD) >= 0;
    int fd;

    do
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
    return has_stdout;
}

/*
 * Async-signal-safe, as a handler must be (signal-safety(7)). What a key of the
 * terminal makes comes from the kernel, and the program gets it as we do: it is
 * for all of the group in the foreground (termios(3), si_code in sigaction(2)).
 */
static void pass_on(int signal, siginfo_t *info, void *context)
{
    bool is_over = signal == SIGALRM;
    int error = errno;

    (void)context;
    if ((signal == SIGINT || signal == SIGQUIT) && info->si_code == SI_KERNEL)
        return;
    if (!asked_by)
        asked_by = signal;
    /* Whatever is still there now dies with us (PTRACE_O_EXITKILL). */
    if (passed_on_to < 0 || (is_over && ++alarms > 1))
        _exit(128 + asked_by);
    syscall(SYS_pidfd_send_signal, passed_on_to, is_over ? SIGKILL : signal,
            NULL, 0);
    alarm(is_over ? 1 : GRACE_SECONDS);
    errno = error;
}

/* Only now: the program was started with what we ignore. */
static void handle_signals(pid_t pid)
{
    static const int ignored[] = {SIGTSTP, SIGTTIN, SIGTTOU, SIGPIPE, SIGXFSZ};
    static const int passed[] = {SIGTERM, SIGHUP, SIGINT, SIGQUIT};
    struct sigaction action = {.sa_sigaction = pass_on,
                               .sa_flags = SA_RESTART | SA_SIGINFO};
    struct sigaction before;

    passed_on_to = (sig_atomic_t)syscall(SYS_pidfd_open, pid, 0);
    sigaction(SIGALRM, &action, NULL);
    for (size_t i = 0; i < sizeof passed / sizeof *passed; i++)
        if (sigaction(passed[i], NULL, &before) == 0 &&
            before.sa_handler != SIG_IGN)
            sigaction(passed[i], &action, NULL);
    for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
        signal(ignored[i], SIG_IGN);
}

/* Without --step. A recording that can be shown is a success, however its
 * program ended. */
static int run(const struct options *options, struct err *err)
{
    struct launch launch = {.stdin_fd = -1, .stdout_fd = -1, .stderr_fd = -1};
    int status = 0, more = -1, finished = 0;
    struct wiring wiring;
    struct event event;
    struct err lost;

    if (options->format != FORMAT_TEXT && !options->output)
        launch.stdout_fd = STDERR_FILENO;
    if (wiring_open(&wiring, options, err) == 0 &&
        wiring_start(&wiring, options, &launch, err) == 0) {
        if (options->replay) {
            signal(SIGPIPE, SIG_IGN);
            signal(SIGXFSZ, SIG_IGN);
        } else {
            handle_signals(observe_pid(wiring.source));
        }
        /* Only now: what cannot be started or read overwrites no old trace. */
        if (wiring_write(&wiring, options, err) == 0) {
            while ((more = source_next(wiring.source, &event, err)) > 0) {
                if (sink_emit(wiring.fan, &event, err) < 0) {
                    more = -1;
                    break;
                }
                if (event.kind == EVENT_EXIT && !options->replay)
                    status = event_exit_status(&event.exit);
            }
            finished = sink_finish(wiring.fan, &lost);
        }
    }
    wiring_close(&wiring);
    return more < 0 ? complain(err) : finished < 0 ? complain(&lost) : status;
}

int main(int argc, char **argv)
{
    bool has_stdout = fill_descriptors();
    struct options options;
    struct err err;

    setlocale(LC_CTYPE, ""); /* what characters a terminal can show */
    if (options_parse(argc, argv, &options, &err) < 0)
        return complain(&err);
    if (!has_stdout && (!options.output || options.step)) {
        err_set(&err, ERR_OUTPUT,
                "standard output is closed; -o FILE writes the trace to a "
                "file");
        return complain(&err);
    }
    if (options.help || options.version || options.list) {
        if (options.help)
            options_help(stdout);
        else if (options.list)
            options_list_lessons(stdout);
        else
            puts("jittrace " JITTRACE_VERSION);
        if (fflush(stdout) == 0)
            return 0;
        err_set(&err, ERR_OUTPUT, "cannot write to standard output: %s",
                strerror(errno));
        return complain(&err);
    }
    return (options.doctor ? doctor
            : options.step ? step
                           : run)(&options, &err);
}
