/* SPDX-License-Identifier: MIT */
#include "cli/compared.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/show.h"
#include "diff/diff.h"
#include "format/format.h"
#include "observe/observe.h"

bool wants_comparison(const struct options *options)
{
    return options->choice.whatifs.count > 0 &&
           options->format == FORMAT_TEXT && !options->step && !options->who &&
           !options->dump && !options->last && !options->diff &&
           !options->choice.follow_forks;
}

int run_quietly(const struct options *options, struct history *history,
                struct err *err)
{
    const int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
    const struct launch launch = {
        .stdin_fd = nowhere, .stdout_fd = nowhere, .stderr_fd = nowhere};
    struct source *source;
    struct event event;
    int more = -1;

    if (nowhere < 0)
        return err_set(err, ERR_TRACING, "cannot open /dev/null: %s",
                       strerror(errno));
    source = start_program(options, &launch, err);
    if (source)
        handle_signals(observe_pid(source));
    while (source && (more = source_next(source, &event, err)) > 0)
        history_append(history, &event);
    source_free(source);
    close(nowhere);
    return more;
}

static int write_comparison(const struct options *options,
                            struct history *const histories[2], struct err *err)
{
    static const char *const names[] = {"as the program is", "with --inject"};
    FILE *out = options->output ? fopen(options->output, "ae") : stdout;
    struct diff diff;
    int result;

    if (!out)
        return err_set(err, ERR_CREATE, "cannot write to '%s': %s",
                       options->output, strerror(errno));
    diff_make(histories[0], histories[1], &diff);
    fprintf(out, "\nWhat came of --inject, beside a run without it:\n\n");
    result = diff_write(out, wants_color(options, out), names, histories, &diff,
                        err);
    diff_release(&diff);
    if (out != stdout)
        fclose(out);
    return result;
}

int show_compared(const struct options *options, struct err *err)
{
    struct history *histories[] = {history_new(), history_new()};
    struct options as_it_is = *options;
    int status;

    as_it_is.choice.whatifs.count = 0;
    if (run_quietly(&as_it_is, histories[0], err) < 0) {
        status = complain(err);
    } else {
        status = show_kept(options, histories[1], err);
        if (history_count(histories[1]) > 0 &&
            write_comparison(options, histories, err) < 0 &&
            err->kind != ERR_PIPE)
            status = complain(err);
    }
    history_free(histories[0]);
    history_free(histories[1]);
    return status;
}
