/* SPDX-License-Identifier: MIT */
#include "step/driver.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

int driver_signals(struct err *err)
{
    static const int wanted[] = {SIGINT,  SIGQUIT, SIGTERM,  SIGHUP,
                                 SIGTSTP, SIGCONT, SIGWINCH, SIGCHLD};
    struct sigaction action;
    sigset_t set;
    int fd;

    sigemptyset(&set);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
        if (sigaction(wanted[i], NULL, &action) == 0 &&
            action.sa_handler != SIG_IGN)
            sigaddset(&set, wanted[i]);
    fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        return err_set(err, ERR_TRACING, "cannot listen for signals: %s",
                       strerror(errno));
    sigprocmask(SIG_BLOCK, &set, NULL);
    return fd;
}

unsigned driver_wait(struct driver *driver, unsigned wanted, int milliseconds)
{
    struct pollfd fds[] = {
        {wanted ? driver->input : -1, wanted & DRIVER_INPUT ? POLLIN : 0, 0},
        {driver->signals, POLLIN, 0},
        {driver->output, POLLIN, 0},
    };
    unsigned found = 0;
    char bytes[4096];

    if (poll(fds, 3, milliseconds) <= 0)
        return 0;
    /* What the program wrote is known from its trace; this makes room. */
    while (fds[2].revents && read(driver->output, bytes, sizeof bytes) > 0)
        continue;
    if (fds[0].revents & POLLIN)
        found |= DRIVER_INPUT;
    if (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL))
        found |= DRIVER_GONE;
    return found;
}

int driver_signal(struct driver *driver)
{
    struct signalfd_siginfo info;

    while (read(driver->signals, &info, sizeof info) == (ssize_t)sizeof info)
        if (info.ssi_signo != SIGCHLD)
            return (int)info.ssi_signo;
    return 0;
}

bool driver_is_end(int signal)
{
    return signal == SIGINT || signal == SIGQUIT || signal == SIGTERM ||
           signal == SIGHUP;
}

void driver_pause(const struct driver *driver)
{
    if (driver->pause)
        driver->pause(driver->program);
}

void driver_suspend(const struct driver *driver)
{
    sigset_t set;

    driver_pause(driver);
    sigemptyset(&set);
    sigaddset(&set, SIGTSTP);
    raise(SIGTSTP); /* and it waits until it is let through */
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

long driver_now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (long)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}
