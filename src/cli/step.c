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
#include "cli/step.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "cli/wiring.h"
#include "observe/observe.h"
#include "step/driver.h"
#include "step/session.h"
#include "step/terminal.h"
#include "trace/sink.h"

/* Milliseconds for a killed program to be gone, children and all. */
#define LAST_EVENTS 2000
#define LAST_LOOK   50 /* and until that is looked at again */

/* --- the program's surroundings ------------------------------------------ */

struct surroundings {
    int input;  /* what the program reads */
    int master; /* our end of its terminal, or -1 */
    int slave;  /* its end, which stays open: then the other never hangs up */
};

static int open_terminal(struct surroundings *around, struct err *err)
{
    struct termios modes;
    struct winsize size;
    char name[64];

    around->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (around->master < 0 || grantpt(around->master) < 0 ||
        unlockpt(around->master) < 0 ||
        ptsname_r(around->master, name, sizeof name) != 0 ||
        (around->slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC)) < 0 ||
        tcgetattr(around->slave, &modes) < 0)
        return err_set(err, ERR_TRACING,
                       "cannot make a terminal for the program (%s); --plain "
                       "needs none",
                       strerror(errno));
    modes.c_oflag &= ~(tcflag_t)OPOST;
    tcsetattr(around->slave, TCSANOW, &modes);
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        ioctl(around->master, TIOCSWINSZ, &size);
    return 0;
}

/* Fills *around, of which all is -1 so far. */
static int surround(struct surroundings *around, const struct options *options,
                    bool fullscreen, struct err *err)
{
    const char *input = options->input ? options->input : "/dev/null";
    struct stat file;

    around->input = open(input, O_RDONLY | O_CLOEXEC);
    if (around->input >= 0 && fstat(around->input, &file) == 0 &&
        S_ISDIR(file.st_mode)) {
        close(around->input);
        around->input = -1;
        errno = EISDIR;
    }
    if (around->input < 0)
        return err_set(err, ERR_NO_INPUT, "cannot read '%s': %s", input,
                       strerror(errno));
    return fullscreen ? open_terminal(around, err) : 0;
}

/* --- running ------------------------------------------------------------- */

static void pause_program(void *source)
{
    observe_pause(source);
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
                            .pause = options->replay ? NULL : pause_program,
                            .argument = wiring->source};
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
    struct surroundings around = {-1, -1, -1};
    struct launch launch = {.own_terminal = fullscreen};
    struct wiring wiring;
    int result = wiring_open(&wiring, options, err), status;

    if (result == 0 && !options->replay)
        result = surround(&around, options, fullscreen, err);
    launch.stdin_fd = around.input;
    launch.stdout_fd = launch.stderr_fd = around.slave;
    if (result == 0)
        result = wiring_start(&wiring, options, &launch, err);
    /* Only now: what cannot be started overwrites no old trace. */
    if (result == 0 && options->output)
        result = wiring_write(&wiring, options, err);
    status = result < 0 ? complain(err)
                        : step_through(options, &wiring, around.master,
                                       fullscreen, err);
    wiring_close(&wiring);
    if (around.input >= 0)
        close(around.input);
    if (around.slave >= 0)
        close(around.slave);
    if (around.master >= 0)
        close(around.master);
    return status;
}
