/* SPDX-License-Identifier: MIT */
/*
 * What a session needs around it:
 *
 *      program --> observe --> session <--> full screen or lines
 *         |                       |                |
 *         +-- its own terminal    +--> fan         +-- driver
 *             (full screen)            (-o, --dump-code)
 *
 * The full screen gives the program a terminal of its own (pty(7)), for what it
 * writes must not disturb the screen; nothing is changed on its way (no OPOST).
 * In both modes the reader types to us, so the program reads a file or nothing.
 */
#include "cli/wiring.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "observe/observe.h"
#include "step/driver.h"
#include "step/session.h"
#include "step/terminal.h"
#include "trace/sink.h"

/* Milliseconds for a killed program to be gone, children and all. */
#define LAST_EVENTS 2000
#define LAST_LOOK   50 /* and until that is looked at again */

/* Makes a terminal for the program: pty[0] is our end, and pty[1] is its own,
 * which stays open: then the other never hangs up. */
static int open_terminal(int pty[2], struct err *err)
{
    struct termios modes;
    struct winsize size;
    char name[64];

    pty[0] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (pty[0] < 0 || grantpt(pty[0]) < 0 || unlockpt(pty[0]) < 0 ||
        ptsname_r(pty[0], name, sizeof name) != 0 ||
        (pty[1] = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC)) < 0 ||
        tcgetattr(pty[1], &modes) < 0)
        return err_set(err, ERR_TRACING,
                       "cannot make a terminal for the program (%s); --plain "
                       "needs none",
                       strerror(errno));
    modes.c_oflag &= ~(tcflag_t)OPOST;
    tcsetattr(pty[1], TCSANOW, &modes);
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        ioctl(pty[0], TIOCSWINSZ, &size);
    return 0;
}

/* Opens what the program reads. Returns a descriptor, or -1. */
static int open_input(const char *name, struct err *err)
{
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    struct stat file;

    if (fd >= 0 && fstat(fd, &file) == 0 && S_ISDIR(file.st_mode)) {
        close(fd);
        fd = -1;
        errno = EISDIR;
    }
    if (fd < 0)
        err_set(err, ERR_NO_INPUT, "cannot read '%s': %s", name,
                strerror(errno));
    return fd;
}

/*
 * The program is over, whatever it was about to do. What can still be observed
 * of that makes a recording complete.
 */
static void end_program(struct wiring *wiring, struct driver *driver,
                        bool recorded)
{
    long limit = driver_now() + LAST_EVENTS;
    struct event event;
    struct err ignored;
    int more = 1;

    observe_end(wiring->source);
    while (recorded && more >= 0 && driver_now() < limit) {
        more = source_ready(wiring->source, &ignored);
        if (more > 0 && source_next(wiring->source, &event, &ignored) <= 0)
            return;
        if (more > 0)
            sink_emit(wiring->fan, &event, &ignored);
        if (more == 0 && driver_wait(driver, 0, LAST_LOOK) == 0)
            driver_signal(driver);
    }
}

static int step_through(const struct options *options, struct wiring *wiring,
                        int output, bool fullscreen, struct err *err)
{
    struct driver driver = {.input = STDIN_FILENO,
                            .signals = driver_signals(err),
                            .output = output,
                            .pause = options->replay ? NULL : observe_pause,
                            .program = wiring->source};
    struct session *session = session_new(wiring->source);
    int result = driver.signals < 0 ? -1 : 0, finished, status = 0;
    bool color = wants_color(options, stdout);
    struct err lost;

    session->sink = wiring->fan;
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    if (result == 0 && options->replay)
        result = session_load(session, err);
    if (result == 0)
        result = fullscreen ? fullscreen_run(session, &driver, color, err)
                            : plain_run(session, &driver, stdout, color, err);
    if (!options->replay)
        end_program(wiring, &driver, options->output || options->dump);
    finished = sink_finish(wiring->fan, &lost);

    /* The screen is gone, and what was done can be said. */
    if (result < 0 && err->kind != ERR_PIPE)
        status = complain(err);
    else if (finished < 0)
        status = complain(&lost);
    else if (result > 0)
        status = 128 + result;
    else if (!options->replay && session->exited)
        status = session->status;
    if (driver.signals >= 0)
        close(driver.signals);
    session_free(session);
    return status;
}

int step(const struct options *options, struct err *err)
{
    bool fullscreen = !options->plain && terminal_is_usable();
    struct launch launch = {.stdin_fd = -1, .own_terminal = fullscreen};
    int pty[] = {-1, -1}, status;
    struct wiring wiring;
    int result = wiring_open(&wiring, options, err);

    if (result == 0 && !options->replay) {
        launch.stdin_fd =
            open_input(options->input ? options->input : "/dev/null", err);
        result = launch.stdin_fd < 0 ? -1
                 : fullscreen        ? open_terminal(pty, err)
                                     : 0;
    }
    launch.stdout_fd = launch.stderr_fd = pty[1];
    if (result == 0)
        result = wiring_start(&wiring, options, &launch, err);
    /* Only now: what cannot be started overwrites no old trace. */
    if (result == 0 && options->output)
        result = wiring_write(&wiring, options, err);
    status = result < 0
                 ? complain(err)
                 : step_through(options, &wiring, pty[0], fullscreen, err);
    wiring_close(&wiring);
    if (launch.stdin_fd >= 0)
        close(launch.stdin_fd);
    for (int i = 0; i < 2; i++)
        if (pty[i] >= 0)
            close(pty[i]);
    return status;
}
