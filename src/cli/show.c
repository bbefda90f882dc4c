/* SPDX-License-Identifier: MIT */
/*
 * A source of events, a sink for them, and between the two a loop, or a reader
 * who steps:
 *
 *      program or recording --> session, if stepped --> fan --> -o or standard
 *         |                        |                            output,
 *         |                     full screen or lines            --dump-code
 *         |                        |
 *         +-- its own terminal --- driver
 *             (full screen)
 *
 * The program that is traced comes first. When the trace cannot be written any
 * more, the program still runs to its end; a Ctrl-C at the terminal is for the
 * program, and jittrace ends when it does. A signal that was sent to jittrace
 * and asks it to end is passed on to the program, which is killed, children and
 * all, if it does not end by that within five seconds. Signals that whoever
 * started jittrace wants ignored (nohup) stay ignored.
 *
 * With --step the reader types to us, so the program reads a file or nothing.
 * The full screen gives it a terminal of its own (pty(7)), for what it writes
 * must not disturb the screen; nothing is changed on its way (no OPOST).
 */
#include "cli/show.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sysexits.h>
#include <termios.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/lesson.h"
#include "check/check.h"
#include "observe/observe.h"
#include "format/format.h"
#include "step/driver.h"
#include "step/session.h"
#include "step/terminal.h"
#include "trace/last.h"

#define GRACE_SECONDS 5

/* Milliseconds for a killed program to be gone, children and all. */
#define LAST_EVENTS 2000
#define LAST_LOOK   50 /* and until that is looked at again */

int complain(const struct err *err)
{
    static const int statuses[] = {
        [ERR_NONE] = EX_OSERR,       [ERR_USAGE] = EX_USAGE,
        [ERR_NO_PROGRAM] = 127,      [ERR_NOT_EXECUTABLE] = 126,
        [ERR_TRACING] = EX_OSERR,    [ERR_CREATE] = EX_CANTCREAT,
        [ERR_OUTPUT] = EX_IOERR,     [ERR_PIPE] = EX_OSERR,
        [ERR_NO_INPUT] = EX_NOINPUT, [ERR_DATA] = EX_DATAERR,
    };

    fprintf(stderr, "jittrace: %s%s\n", err->text,
            err->kind == ERR_USAGE ? " (jittrace --help tells more)" : "");
    return statuses[err->kind];
}

bool wants_color(const struct options *options, FILE *out)
{
    const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");

    if (options->color != WHEN_AUTO)
        return options->color == WHEN_ALWAYS;
    return !(no_color && *no_color) && isatty(fileno(out)) && term &&
           strcmp(term, "dumb") != 0;
}

/* What the option asks for, else the environment, as far as it is one. */
const struct theme *wanted_theme(const struct options *options)
{
    const char *name = getenv("JITTRACE_THEME");

    if (options->theme)
        name = options->theme;
    return name && theme_find(name) ? theme_find(name) : theme_find(NULL);
}

struct source *start_program(const struct options *options,
                             const struct launch *launch, struct err *err)
{
    const struct lesson *lesson =
        lesson_find(options->lesson ? options->lesson : "babyjit");
    struct launch what = *launch;
    struct source *source;
    size_t count = 0;
    char **argv;

    if (options->program) {
        what.argv = options->program;
        return observe_new(&what, &options->budget, &options->choice, err);
    }
    while (options->operands[count])
        count++;
    what.argv = argv = mem_alloc((count + 3) * sizeof *argv);
    argv[0] = (char *)lesson->name;
    memcpy(argv + 1, options->operands, count * sizeof *argv);
    if (lesson == lesson_find("babyjit") && count == 0)
        argv[1] = "1"; /* the TERM that may be left out */
    what.image = (struct bytes){lesson->program, lesson->program_len};
    source = observe_new(&what, &options->budget, &options->choice, err);
    if (source)
        observe_provide(source, lesson->source_name,
                        (struct bytes){lesson->source, lesson->source_len});
    free(argv);
    return source;
}

FILE *open_output(const struct options *options, struct err *err)
{
    const char *const read[] = {options->replay, options->diff, options->other};
    struct stat in, output;
    FILE *out = stdout;

    /* Writing to it would empty it, or go on for as long as it is read. */
    for (size_t i = 0; i < sizeof read / sizeof *read; i++) {
        if (!read[i] ||
            (options->output ? stat(options->output, &output)
                             : fstat(STDOUT_FILENO, &output)) < 0 ||
            !S_ISREG(output.st_mode) || stat(read[i], &in) < 0 ||
            in.st_dev != output.st_dev || in.st_ino != output.st_ino)
            continue;
        err_set(err, ERR_CREATE,
                "cannot write to '%s': it is the recording that is shown",
                options->output ? options->output : "standard output");
        return NULL;
    }
    if (options->output)
        out = fopen(options->output, "we");
    if (!out)
        err_set(err, ERR_CREATE, "cannot write to '%s': %s", options->output,
                strerror(errno));
    return out;
}

/* --- signals -------------------------------------------------------------- */

/* A pidfd of the process to pass signals on to (pidfd_open(2)), or -1. */
static volatile sig_atomic_t passed_on_to;
/* The signal that has asked us to end. */
static volatile sig_atomic_t asked_by;
/* How often the grace period is over. */
static volatile sig_atomic_t alarms;

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

void handle_signals(pid_t pid)
{
    static const int ignored[] = {SIGTSTP, SIGTTIN, SIGTTOU};
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

/* --- stepping ------------------------------------------------------------- */

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

/* The program is over, whatever it was about to do. What can still be observed
 * of that makes a recording complete. */
static void end_program(struct source *source, struct sink *fan,
                        struct source *events, struct driver *driver,
                        bool recorded)
{
    long limit = driver_now() + LAST_EVENTS;
    struct event event;
    struct err ignored;
    int more = 1;

    observe_end(source);
    while (recorded && more >= 0 && driver_now() < limit) {
        more = source_ready(events, &ignored);
        if (more > 0 && source_next(events, &event, &ignored) <= 0)
            return;
        if (more > 0)
            sink_emit(fan, &event, &ignored);
        if (more == 0 && driver_wait(driver, 0, LAST_LOOK) == 0)
            driver_signal(driver);
    }
}

/* Appends a word as a shell takes it (POSIX, Shell Command Language, 2.2). */
static void append_quoted(const char *word, struct buf *out)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyz"
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                               "_@%+=:,./-";

    if (*word && !word[strspn(word, safe)]) {
        buf_append_text(out, word);
        return;
    }
    buf_append_text(out, "'");
    for (; *word; word++)
        buf_append_text(out, *word == '\'' ? "'\\''" : (char[]){*word, 0});
    buf_append_text(out, "'");
}

/* What was typed behind the name of jittrace, but for where to open. */
static void append_arguments(const struct options *options, struct buf *out)
{
    for (size_t i = 1; options->typed[i]; i++) {
        const char *word = options->typed[i];

        if (i < options->typed_count && !strcmp(word, "--goto") &&
            options->typed[i + 1]) {
            i++;
        } else if (i >= options->typed_count ||
                   strncmp(word, "--goto=", 7) != 0) {
            buf_append_text(out, " ");
            append_quoted(word, out);
        }
    }
}

/* Lets the reader step through the events of the source. output is our end of
 * the program's terminal, or -1. Returns 0, or the signal that asked us to end,
 * or -1 with err filled; the program's exit status, if it came that far, is in
 * *status. */
static int step(const struct options *options, struct source *source,
                struct source *events, struct sink *fan, int output,
                bool fullscreen, int *status, struct err *err)
{
    struct driver driver = {.input = STDIN_FILENO,
                            .signals = driver_signals(err),
                            .output = output,
                            .pause = options->replay ? NULL : observe_pause,
                            .program = source};
    struct session *session = session_new(events);
    int result = driver.signals < 0 ? -1 : 0;
    bool color = wants_color(options, stdout);
    struct predict predict = {0};
    struct buf score = {0}, command = {0}, arguments = {0};

    append_quoted(options->typed[0], &command);
    append_arguments(options, &arguments);
    session->command = buf_text(&command);
    session->arguments = buf_text(&arguments);
    session->opens_at =
        (struct opt_u64){options->go_to != NULL, options->go_to_number};
    session->sink = fan;
    session->next_line = options->replay ? NULL : observe_next_line;
    session->program = source;
    session->predict = options->predict ? &predict : NULL;
    session->screen.asks = options->predict;
    if (result == 0 && options->replay)
        result = session_load(session, err);
    if (result == 0)
        result = fullscreen
                     ? fullscreen_run(session, &driver,
                                      color ? wanted_theme(options) : NULL, err)
                     : plain_run(session, &driver, stdout, color, err);
    if (!options->replay)
        end_program(source, fan, events, &driver,
                    options->output || options->dump);
    if (result >= 0 && predict.answered > 0) {
        predict_score(&predict, &score);
        printf("%s\n", buf_text(&score));
        fflush(stdout);
    }
    buf_release(&score);
    buf_release(&command);
    buf_release(&arguments);
    predict_release(&predict);
    *status = session->status;
    if (driver.signals >= 0)
        close(driver.signals);
    session_free(session);
    return result;
}

/* --- all of it ----------------------------------------------------------- */

/* What --check ends with. */
struct outcome {
    bool broken;    /* some rule was */
    bool unwatched; /* from somewhere on */
};

/* The loop of all that is not stepped through; returns and fills as step(). */
static int pump(struct source *source, struct sink *fan, int *status,
                struct outcome *outcome, struct err *err)
{
    struct event event;
    int more;

    while ((more = source_next(source, &event, err)) > 0) {
        if (sink_emit(fan, &event, err) < 0)
            return -1;
        if (event.kind == EVENT_EXIT)
            *status = event_exit_status(&event.exit);
        if (event.kind == EVENT_LIMIT)
            outcome->unwatched |= event_ends_watching(&event.limit);
        if (event.kind == EVENT_VERDICT)
            outcome->broken |= word_is(event.verdict.verdict, VERDICT_BROKEN);
    }
    return more;
}

static enum verdicts_form report_form(enum format format)
{
    static const enum verdicts_form forms[] = {
        [FORMAT_TEXT] = VERDICTS_TEXT,
        [FORMAT_JSON] = VERDICTS_JSON,
        [FORMAT_JUNIT] = VERDICTS_JUNIT,
        [FORMAT_GITHUB] = VERDICTS_GITHUB,
    };

    return forms[format];
}

static bool is_quiz(enum format format)
{
    return format == FORMAT_QUESTIONS || format == FORMAT_ANSWERS;
}

/* What is shown of one process. */
struct shown {
    const struct options *options;
    bool color;
};

static struct sink *make_shown(FILE *out, const void *context)
{
    const struct shown *shown = context;
    const struct options *options = shown->options;

    switch (options->format) {
    case FORMAT_JSON:
        return json_sink_new(out);
    case FORMAT_RAW:
        return raw_sink_new(out);
    case FORMAT_HTML:
        return html_sink_new(out, options->page_events ? options->page_events
                                                       : HTML_EVENTS);
    case FORMAT_ASCIICAST:
        return asciicast_sink_new(out, shown->color);
    case FORMAT_DOT:
        return dot_sink_new(out);
    case FORMAT_CHROME:
        return chrome_sink_new(out);
    case FORMAT_PERF_MAP:
        return perf_map_sink_new(out);
    case FORMAT_QUESTIONS:
    case FORMAT_ANSWERS:
        return quiz_sink_new(out, shown->color,
                             options->format == FORMAT_ANSWERS);
    case FORMAT_JUNIT:
    case FORMAT_GITHUB: /* those of --check */
    case FORMAT_TEXT:
        break;
    }
    return options->brief ? brief_sink_new(out, shown->color)
                          : text_sink_new(out, shown->color);
}

/* Adds the sink that the options name. Returns what it writes to, or NULL. The
 * fan and what is shown are as long-lived as each other. */
static FILE *add_output(struct sink *fan, const struct options *options,
                        struct shown *shown, struct err *err)
{
    FILE *out = options->split ? stdout : open_output(options, err);
    struct split_form form = {make_shown, .context = shown, .out = out,
                              .read = options->replay};

    if (!out)
        return NULL;
    *shown = (struct shown){options, wants_color(options, out)};
    if (options->split)
        form.name = options->output;
    form.prefix = !form.name && options->format == FORMAT_TEXT;
    form.whole = form.name && options->format == FORMAT_JSON;
    if (options->check)
        fan_add(fan, verdicts_sink_new(out, report_form(options->format),
                                       shown->color));
    else if (options->who)
        fan_add(fan, who_sink_new(out, shown->color, options->who_number));
    else if (form.name || ((options->choice.follow_forks || options->replay) &&
                           (options->format == FORMAT_TEXT ||
                            options->format == FORMAT_RAW)))
        fan_add(fan, split_sink_new(&form));
    else
        fan_add(fan, make_shown(out, shown));
    return out;
}

/* Keeps all events. */
struct keeper {
    struct sink sink;
    struct history *history;
};

static int keep(struct sink *sink, const struct event *event, struct err *err)
{
    (void)err;
    history_append(((struct keeper *)sink)->history, event);
    return 0;
}

static void let_go(struct sink *sink)
{
    free(sink);
}

static struct sink *keeper_new(struct history *history)
{
    struct keeper *keeper = mem_alloc(sizeof *keeper);

    *keeper = (struct keeper){{.emit = keep, .free = let_go}, history};
    return &keeper->sink;
}

int show(const struct options *options, struct err *err)
{
    return show_kept(options, NULL, err);
}

int show_kept(const struct options *options, struct history *history,
              struct err *err)
{
    const bool fullscreen =
        options->step && !options->plain && terminal_is_usable();
    const bool lives = !options->replay;
    const bool writes = !options->step || options->output;
    const bool judges = /* what else is made of the events tells no verdict */
        options->step || (!options->who && options->format != FORMAT_RAW &&
                          !is_quiz(options->format));
    struct launch launch = {.stdin_fd = -1,
                            .stdout_fd = -1,
                            .stderr_fd = -1,
                            .own_terminal = fullscreen};
    int pty[] = {-1, -1}, result = 0, finished = 0, status = 0;
    FILE *in = NULL, *out = NULL;
    struct sink *fan = fan_new(), *dump;
    struct source *source = NULL, *events = NULL;
    struct check_options rules = options->rules;
    struct outcome outcome = {0};
    struct shown shown;
    struct err lost;

    /* What must be known before anything is started. */
    if (options->dump) {
        dump = dump_sink_new(options->dump, options->elf, err);
        if (dump)
            fan_add(fan, dump);
        result = dump ? 0 : -1;
    }
    if (result == 0 && options->step && lives) {
        launch.stdin_fd =
            open_input(options->input ? options->input : "/dev/null", err);
        result = launch.stdin_fd < 0 ? -1
                 : fullscreen        ? open_terminal(pty, err)
                                     : 0;
        launch.stdout_fd = launch.stderr_fd = pty[1];
    } else if (options->format != FORMAT_TEXT && !options->output) {
        launch.stdout_fd = STDERR_FILENO;
    }

    if (result == 0 && lives) {
        source = start_program(options, &launch, err);
    } else if (result == 0) {
        in = fopen(options->replay, "re");
        if (in)
            source = recording_new(in, options->replay);
        else
            err_set(err, ERR_NO_INPUT, "cannot read '%s': %s", options->replay,
                    strerror(errno));
    }
    if (source && lives && !options->step)
        handle_signals(observe_pid(source));
    if (source) {
        signal(SIGPIPE, SIG_IGN);
        signal(SIGXFSZ, SIG_IGN);
    }
    /* Only now: what cannot be started or read overwrites no old trace. */
    if (source && writes)
        out = add_output(fan, options, &shown, err);
    if (history)
        fan_add(fan, keeper_new(history));
    if (source && options->last)
        source = last_source_new(source, options->last);
    if (source && judges) {
        rules.all = options->check;
        events = check_source_new(source, &rules);
    }
    if (!source || (writes && !out)) {
        result = -1;
    } else {
        result = options->step ? step(options, source, events, fan, pty[0],
                                      fullscreen, &status, err)
                               : pump(judges ? events : source, fan, &status,
                                      &outcome, err);
        finished = sink_finish(fan, &lost);
    }

    if (out && out != stdout)
        fclose(out);
    source_free(events ? events : source);
    if (in)
        fclose(in);
    sink_free(fan);
    if (launch.stdin_fd >= 0)
        close(launch.stdin_fd);
    for (int i = 0; i < 2; i++)
        if (pty[i] >= 0)
            close(pty[i]);

    if (result < 0 && err->kind != ERR_PIPE)
        return complain(err);
    if (finished < 0)
        return complain(&lost);
    if (options->check)
        return outcome.broken ? 1 : outcome.unwatched ? EX_OSERR : 0;
    return result > 0 ? 128 + result : lives ? status : 0;
}
