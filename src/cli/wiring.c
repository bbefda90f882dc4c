/* SPDX-License-Identifier: MIT */
#include "cli/wiring.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/lesson.h"
#include "observe/observe.h"
#include "format/format.h"
#include "trace/sink.h"

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

/* no-color.org: NO_COLOR counts when it is set and not empty. */
bool wants_color(const struct options *options, FILE *out)
{
    const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");

    if (options->color != WHEN_AUTO)
        return options->color == WHEN_ALWAYS;
    return !(no_color && *no_color) && isatty(fileno(out)) && term &&
           strcmp(term, "dumb") != 0;
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
        return observe_new(&what, &options->budget, err);
    }
    while (options->operands[count])
        count++;
    what.argv = argv = mem_alloc((count + 3) * sizeof *argv);
    argv[0] = (char *)lesson->name;
    memcpy(argv + 1, options->operands, count * sizeof *argv);
    if (!options->lesson && count == 0)
        argv[1] = "1"; /* the TERM that may be left out */
    what.image = (struct bytes){lesson->program, lesson->program_len};
    source = observe_new(&what, &options->budget, err);
    if (source)
        observe_provide(source, lesson->source_name,
                        (struct bytes){lesson->source, lesson->source_len});
    free(argv);
    return source;
}

FILE *open_output(const struct options *options, struct err *err)
{
    struct stat in, output;
    FILE *out = stdout;

    /* Writing to it would empty it, or go on for as long as it is read. */
    if (options->replay &&
        (options->output ? stat(options->output, &output)
                         : fstat(STDOUT_FILENO, &output)) == 0 &&
        S_ISREG(output.st_mode) && stat(options->replay, &in) == 0 &&
        in.st_dev == output.st_dev && in.st_ino == output.st_ino) {
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

int wiring_open(struct wiring *wiring, const struct options *options,
                struct err *err)
{
    struct sink *dump;

    *wiring = (struct wiring){.fan = fan_new()};
    if (!options->dump)
        return 0;
    dump = dump_sink_new(options->dump, err);
    if (dump)
        fan_add(wiring->fan, dump);
    return dump ? 0 : -1;
}

int wiring_start(struct wiring *wiring, const struct options *options,
                 const struct launch *launch, struct err *err)
{
    if (!options->replay) {
        wiring->source = start_program(options, launch, err);
        return wiring->source ? 0 : -1;
    }
    wiring->in = fopen(options->replay, "re");
    if (!wiring->in)
        return err_set(err, ERR_NO_INPUT, "cannot read '%s': %s",
                       options->replay, strerror(errno));
    wiring->source = recording_new(wiring->in, options->replay);
    return 0;
}

int wiring_write(struct wiring *wiring, const struct options *options,
                 struct err *err)
{
    FILE *out = open_output(options, err);
    bool color;

    if (!out)
        return -1;
    color = wants_color(options, out);
    fan_add(wiring->fan,
            options->who ? who_sink_new(out, color, options->who_number)
            : options->format == FORMAT_JSON ? json_sink_new(out)
            : options->format == FORMAT_RAW  ? raw_sink_new(out)
                                             : text_sink_new(out, color));
    wiring->out = out;
    return 0;
}

void wiring_close(struct wiring *wiring)
{
    if (wiring->out && wiring->out != stdout)
        fclose(wiring->out);
    source_free(wiring->source);
    if (wiring->in)
        fclose(wiring->in);
    sink_free(wiring->fan);
}
