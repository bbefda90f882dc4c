/* SPDX-License-Identifier: MIT */
#include "cli/diff.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "cli/show.h"
#include "diff/diff.h"
#include "format/format.h"
#include "observe/observe.h"
#include "step/sides.h"
#include "step/terminal.h"

/* What diff(1) ends with. */
#define EQUAL     0
#define DIFFERENT 1
#define TROUBLE   2

int check_diff(const struct options *o, struct err *err)
{
    const bool is_traced = o->lesson || o->operands[0] || o->program;
    const struct {
        bool is_wrong;
        const char *what; /* the %s of: */
        const char *why;
    } rules[] = {
        {o->diff && (o->who || o->check || o->brief || o->dump || o->replay ||
                     o->doctor || o->last),
         NULL,
         "--diff compares two; what is about one cannot be there with it"},
        {o->diff && o->step &&
             (o->predict || o->go_to || o->input || o->output),
         o->predict ? "predict"
         : o->go_to ? "goto"
         : o->input ? "stdin"
                    : "output",
         "--step --diff shows two traces side by side; --%s is for one"},
        {o->check && o->choice.whatifs.count > 0, NULL,
         "--check judges the program as it is; --inject makes it another one"},
        {o->sweep && (o->step || o->who || o->check || o->brief || o->dump ||
                      o->replay || o->doctor || o->last || o->diff ||
                      o->choice.whatifs.count > 0 || o->choice.follow_forks),
         NULL,
         "--sweep runs the program once for each bit, and tells that alone"},
        {o->sweep && o->format != FORMAT_TEXT && o->format != FORMAT_JSON, NULL,
         "--sweep writes text or json"},
        {o->diff && o->format != FORMAT_TEXT && o->format != FORMAT_JSON, NULL,
         "--diff writes text or json"},
        {o->diff && !is_traced && !o->other, o->diff,
         "--diff takes two recordings, or '%s' and a program to run, behind "
         "--"},
        {o->other && (o->program || o->operands[1]),
         o->program ? *o->program : o->operands[1],
         "--diff compares two; '%s' is too much"},
        {o->other && (o->chosen || o->choice.after_output || o->limited),
         o->limited  ? "max-..."
         : o->chosen ? o->chosen
                     : "after-output",
         "--diff shows what was recorded; --%s is for a program that runs"},
    };

    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (rules[i].is_wrong)
            return err_set(err, ERR_USAGE, rules[i].why, rules[i].what);
    return 0;
}

/* Reads all events of a source, which may be NULL. Which process of one trace
 * is to be compared with which of the other nobody can tell. Returns 0, or -1
 * with err filled. */
static int load(struct source *source, const char *name,
                struct history *history, struct err *err)
{
    struct event event;
    int more = source ? 0 : -1;

    while (source && (more = source_next(source, &event, err)) > 0)
        history_append(history, &event);
    source_free(source);
    if (more == 0 && history_lineage(history)->has_children)
        return err_set(err, ERR_USAGE,
                       "%s is of several processes, and --diff compares one; "
                       "-ff -o FILE makes a trace of each, also with --replay",
                       name);
    return more;
}

static int load_file(const char *name, struct history *history, struct err *err)
{
    FILE *in = fopen(name, "re");
    int result;

    if (!in)
        return err_set(err, ERR_NO_INPUT, "cannot read '%s': %s", name,
                       strerror(errno));
    result = load(recording_new(in, name), name, history, err);
    fclose(in);
    return result;
}

static int load_run(const struct options *options, struct history *history,
                    struct err *err)
{
    const int nothing =
        options->step ? open("/dev/null", O_RDONLY | O_CLOEXEC) : -1;
    struct launch launch = {
        .stdin_fd = nothing, /* with --step the reader types to us */
        .stdout_fd =
            options->format != FORMAT_TEXT && !options->output ? 2 : -1,
        .stderr_fd = -1,
    };
    struct source *source = start_program(options, &launch, err);

    if (nothing >= 0)
        close(nothing);
    /* The screen that comes is to be stopped by Ctrl-Z, and ended. */
    if (source && !options->step)
        handle_signals(observe_pid(source));
    signal(SIGPIPE, SIG_IGN);
    return load(source, "the run", history, err);
}

static int write_diff(const struct options *options,
                      struct history *const histories[2],
                      const struct diff *diff, struct err *err)
{
    const char *const names[] = {options->diff,
                                 options->other ? options->other : "the run"};
    FILE *out = open_output(options, err);
    int result;

    if (!out)
        return -1;
    result = options->format == FORMAT_JSON
                 ? diff_write_json(out, histories, diff, err)
                 : diff_write(out, wants_color(options, out), names, histories,
                              diff, err);
    if (out != stdout)
        fclose(out);
    return result < 0 && err->kind != ERR_PIPE ? -1 : 0;
}

static int step_diff(const struct options *options,
                     struct history *const histories[2],
                     const struct diff *diff, struct err *err)
{
    const bool color = wants_color(options, stdout);
    struct driver driver = {
        .input = STDIN_FILENO, .signals = driver_signals(err), .output = -1};
    struct sides sides = {
        .names = {options->diff, options->other ? options->other : "the run"},
        .histories = {histories[0], histories[1]},
        .diff = diff,
    };
    int result;

    if (driver.signals < 0)
        return -1;
    result = !options->plain && terminal_is_usable()
                 ? sides_fullscreen(&sides, &driver,
                                    color ? wanted_theme(options) : NULL, err)
                 : sides_plain(&sides, &driver, stdout, color, err);
    close(driver.signals);
    return result < 0 && err->kind == ERR_PIPE ? 0 : result;
}

int show_diff(const struct options *options, struct err *err)
{
    struct history *histories[] = {history_new(), history_new()};
    int result = load_file(options->diff, histories[0], err);
    int status = TROUBLE;
    struct diff diff;

    if (result == 0)
        result = options->other ? load_file(options->other, histories[1], err)
                                : load_run(options, histories[1], err);
    if (result == 0) {
        diff_make(histories[0], histories[1], &diff);
        result = (options->step ? step_diff : write_diff)(options, histories,
                                                          &diff, err);
        status = result > 0                           ? 128 + result
                 : diff_any(&diff)                    ? DIFFERENT
                 : diff.limited[0] || diff.limited[1] ? TROUBLE
                                                      : EQUAL;
        diff_release(&diff);
    }
    history_free(histories[0]);
    history_free(histories[1]);
    if (result >= 0)
        return status;
    complain(err);
    return TROUBLE;
}
