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
#include "format/json.h"
#include "format/raw.h"
#include "format/dump.h"
#include "format/text.h"
#include "format/who_sink.h"
#include "trace/fan.h"

static int exit_status(enum err_kind kind)
{
    switch (kind) {
    case ERR_USAGE:
        return EX_USAGE;
    case ERR_NO_PROGRAM:
        return 127;
    case ERR_NOT_EXECUTABLE:
        return 126;
    case ERR_CREATE:
        return EX_CANTCREAT;
    case ERR_OUTPUT:
        return EX_IOERR;
    case ERR_NO_INPUT:
        return EX_NOINPUT;
    case ERR_DATA:
        return EX_DATAERR;
    default:
        return EX_OSERR;
    }
}

int complain(const struct err *err)
{
    fprintf(stderr, "jittrace: %s%s\n", err->text,
            err->kind == ERR_USAGE ? " (jittrace --help tells more)" : "");
    return exit_status(err->kind);
}

static bool is_set(const char *name)
{
    const char *value = getenv(name);

    return value && *value;
}

/* no-color.org: NO_COLOR counts when it is set and not empty. */
bool wants_color(const struct options *options, FILE *out)
{
    const char *term = getenv("TERM");

    if (options->color != WHEN_AUTO)
        return options->color == WHEN_ALWAYS;
    return !is_set("NO_COLOR") && isatty(fileno(out)) && term &&
           strcmp(term, "dumb") != 0;
}

/* The lesson's name and the operands, ended by NULL: free it. */
static char **lesson_argv(const struct options *options,
                          const struct lesson *lesson)
{
    size_t count = 0;
    char **argv;

    while (options->operands[count])
        count++;
    argv = mem_alloc((count + 3) * sizeof *argv);
    argv[0] = (char *)lesson_name(lesson);
    for (size_t i = 0; i <= count; i++)
        argv[i + 1] = options->operands[i];
    if (!options->lesson && count == 0) {
        argv[1] = "1"; /* the TERM that may be left out */
        argv[2] = NULL;
    }
    return argv;
}

static struct source *start_lesson(const struct options *options,
                                   const struct launch *launch, struct err *err)
{
    const struct lesson *lesson =
        lesson_find(options->lesson ? options->lesson : "babyjit");
    char **argv = lesson_argv(options, lesson);
    struct launch what = *launch;
    struct source *source;

    what.argv = argv;
    what.image = (struct bytes){lesson->program, lesson->program_len};
    source = observe_new(&what, &options->budget, err);
    if (source)
        observe_provide(source, lesson->source_name,
                        (struct bytes){lesson->source, lesson->source_len});
    free(argv);
    return source;
}

struct source *start_program(const struct options *options,
                             const struct launch *launch, struct err *err)
{
    struct launch what = *launch;

    if (!options->program)
        return start_lesson(options, launch, err);
    what.argv = options->program;
    return observe_new(&what, &options->budget, err);
}

FILE *open_recording(const struct options *options, struct err *err)
{
    FILE *in = fopen(options->replay, "re");

    if (!in)
        err_set(err, ERR_NO_INPUT, "cannot read '%s': %s", options->replay,
                strerror(errno));
    return in;
}

/* Writing to it would empty it, or go on for as long as it is read. */
static bool is_recording(const struct options *options)
{
    struct stat in, out;
    int found = options->output ? stat(options->output, &out)
                                : fstat(STDOUT_FILENO, &out);

    return options->replay && found == 0 && S_ISREG(out.st_mode) &&
           stat(options->replay, &in) == 0 && in.st_dev == out.st_dev &&
           in.st_ino == out.st_ino;
}

FILE *open_output(const struct options *options, struct err *err)
{
    FILE *out;

    if (is_recording(options)) {
        err_set(err, ERR_CREATE,
                "cannot write to '%s': it is the recording that is shown",
                options->output ? options->output : "standard output");
        return NULL;
    }
    if (!options->output)
        return stdout;
    out = fopen(options->output, "we");
    if (!out)
        err_set(err, ERR_CREATE, "cannot write to '%s': %s", options->output,
                strerror(errno));
    return out;
}

int open_dump(const struct options *options, struct sink *fan, struct err *err)
{
    struct sink *dump;

    if (!options->dump)
        return 0;
    dump = dump_sink_new(options->dump, err);
    if (!dump)
        return -1;
    fan_add(fan, dump);
    return 0;
}

struct sink *make_sink(const struct options *options, FILE *out)
{
    if (options->who)
        return who_sink_new(out, wants_color(options, out),
                            options->who_number);
    switch (options->format) {
    case FORMAT_JSON:
        return json_sink_new(out);
    case FORMAT_RAW:
        return raw_sink_new(out);
    default:
        return text_sink_new(out, wants_color(options, out));
    }
}
