/* SPDX-License-Identifier: MIT */
/*
 * What a session needs around it:
 *
 *      program --> observe --> tee --> session <--> full screen or lines
 *         |                     |                          |
 *         +-- its own terminal  +--> the file of -o        +-- driver
 *             (full screen)
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

#include "base/mem.h"
#include "cli/wiring.h"
#include "observe/observe.h"
#include "format/recording.h"
#include "step/driver.h"
#include "step/fullscreen.h"
#include "step/plain.h"
#include "step/session.h"
#include "step/terminal.h"
#include "trace/fan.h"

/* Milliseconds for a killed program to be gone, children and all. */
#define LAST_EVENTS 2000
#define LAST_LOOK   50 /* and until that is looked at again */

/* --- the tee ------------------------------------------------------------- */

/* A source that gives its events to a sink as well, which never fails: a fan. */
struct tee {
    struct source source;
    struct source *inner;
    struct sink *fan;
    FILE *out; /* of -o, or NULL */
};

static int tee_next(struct source *source, struct event *event, struct err *err)
{
    struct tee *tee = (struct tee *)source;
    int more = source_next(tee->inner, event, err);

    if (more > 0)
        sink_emit(tee->fan, event, err);
    return more;
}

static int tee_ready(struct source *source, struct err *err)
{
    return source_ready(((struct tee *)source)->inner, err);
}

static int tee_open(struct tee *tee, const struct options *options,
                    struct source *inner, struct sink *fan, struct err *err)
{
    *tee = (struct tee){.source = {.next = tee_next, .ready = tee_ready},
                        .inner = inner,
                        .fan = fan};
    if (!options->output)
        return 0;
    tee->out = open_output(options, err);
    if (!tee->out)
        return -1;
    fan_add(fan, make_sink(options, tee->out));
    return 0;
}

static void tee_close(struct tee *tee)
{
    if (tee->out)
        fclose(tee->out);
}

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

static int surround(struct surroundings *around, const struct options *options,
                    bool fullscreen, struct err *err)
{
    const char *input = options->input ? options->input : "/dev/null";
    struct stat file;

    *around = (struct surroundings){-1, -1, -1};
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

static void clear_away(struct surroundings *around)
{
    int fds[] = {around->input, around->master, around->slave};

    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

/* --- running ------------------------------------------------------------- */

static void pause_program(void *source)
{
    observe_pause(source);
}

/* After it the screen is gone, and what was done can be said. */
static int drive(const struct options *options, struct session *session,
                 struct driver *driver, bool fullscreen, struct err *err)
{
    bool color = wants_color(options, stdout);

    return fullscreen ? fullscreen_run(session, driver, color, err)
                      : plain_run(session, driver, stdout, color, err);
}

/*
 * The program is over, whatever it was about to do. What can still be observed
 * of that makes the recording complete.
 */
static void finish(const struct options *options, struct tee *tee,
                   struct driver *driver)
{
    long limit = driver_now() + LAST_EVENTS;
    struct event event;
    struct err ignored;
    int more = 1;

    observe_end(tee->inner);
    while ((options->output || options->dump) && more >= 0 &&
           driver_now() < limit) {
        more = source_ready(&tee->source, &ignored);
        if (more > 0 && source_next(&tee->source, &event, &ignored) <= 0)
            return;
        if (more == 0 && driver_wait(driver, 0, LAST_LOOK) == 0)
            driver_signal(driver);
    }
}

/* result is what drive returned. */
static int conclude(struct session *session, struct tee *tee, int result,
                    const struct err *err)
{
    struct err lost;
    int finished = sink_finish(tee->fan, &lost), status = 0;

    if (result < 0 && err->kind != ERR_PIPE)
        return complain(err);
    if (finished < 0)
        return complain(&lost);
    if (result > 0)
        return 128 + result;
    session_exit_status(session, &status);
    return status;
}

static int step_through(const struct options *options, struct tee *tee,
                        struct driver *driver, bool fullscreen, struct err *err)
{
    struct session *session = session_new(&tee->source);
    int result = 0, status;

    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    driver->input = STDIN_FILENO;
    driver->signals = driver_signals(err);
    if (driver->signals < 0)
        result = -1;
    if (result == 0 && options->replay)
        result = session_load(session, err);
    if (result == 0)
        result = drive(options, session, driver, fullscreen, err);
    if (!options->replay)
        finish(options, tee, driver);
    status = conclude(session, tee, result, err);
    if (driver->signals >= 0)
        close(driver->signals);
    session_free(session);
    return options->replay && result == 0 ? 0 : status;
}

static int step_recording(const struct options *options, struct sink *fan,
                          bool fullscreen, struct err *err)
{
    struct driver driver = {.output = -1};
    FILE *in = open_recording(options, err);
    struct source *source;
    struct tee tee;
    int status;

    if (!in)
        return complain(err);
    source = recording_new(in, options->replay);
    if (tee_open(&tee, options, source, fan, err) < 0)
        status = complain(err);
    else
        status = step_through(options, &tee, &driver, fullscreen, err);
    tee_close(&tee);
    source_free(source);
    fclose(in);
    return status;
}

static int step_program(const struct options *options, struct sink *fan,
                        struct surroundings *around, struct err *err)
{
    bool fullscreen = around->master >= 0;
    struct launch launch = {.stdin_fd = around->input,
                            .stdout_fd = around->slave,
                            .stderr_fd = around->slave,
                            .own_terminal = fullscreen};
    struct source *source = start_program(options, &launch, err);
    struct driver driver = {
        .output = around->master, .pause = pause_program, .argument = source};
    struct tee tee;
    int status;

    if (!source)
        return complain(err);
    /* Only now: what cannot be started overwrites no old trace. */
    if (tee_open(&tee, options, source, fan, err) < 0)
        status = complain(err);
    else
        status = step_through(options, &tee, &driver, fullscreen, err);
    tee_close(&tee);
    source_free(source);
    return status;
}

/* Steps through what there is; events go to fan, too. */
static int step_with(const struct options *options, struct sink *fan,
                     struct err *err)
{
    bool fullscreen = !options->plain && terminal_is_usable();
    struct surroundings around;
    int status;

    if (options->replay)
        return step_recording(options, fan, fullscreen, err);
    if (surround(&around, options, fullscreen, err) < 0)
        status = complain(err);
    else
        status = step_program(options, fan, &around, err);
    clear_away(&around);
    return status;
}

int step(const struct options *options, struct err *err)
{
    struct sink *fan = fan_new();
    int status;

    if (open_dump(options, fan, err) < 0)
        status = complain(err);
    else
        status = step_with(options, fan, err);
    sink_free(fan);
    return status;
}
