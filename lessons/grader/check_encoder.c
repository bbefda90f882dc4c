/* SPDX-License-Identifier: MIT */
/*
 * check_encoder.c - aims the test-suite at somebody's own encoder.
 *
 *     check-encoder [OPTION]... ENCODER
 *
 * ENCODER is a C file or a shared object with
 *
 *     size_t encode_adder(uint8_t *code, int32_t term);
 *
 * It is run with a few terms under the observer (watched.h), then with very many
 * at full speed (many.h); one that is wrong there is run under the observer
 * again. What is right and wrong is judged in encoder.c. docs/encoder.md is the
 * manual.
 */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/mem.h"
#include "grader/adder.h"
#include "grader/encoding.h"
#include "grader/many.h"
#include "grader/report.h"
#include "grader/versions.h"
#include "grader/watched.h"
#include "tell/explain.h"

#define SECONDS 10u

enum format {
    FORMAT_TEXT,
    FORMAT_JSON,
    FORMAT_JUNIT,
};

struct options {
    enum encoder_level level;
    enum format format;
    unsigned seconds;
    bool few;           /* no more terms than those that are watched */
    const char *output; /* a file, or NULL */
    const char *encoder;
    const char *against; /* another version, or NULL */
    const char *host;
};

struct session {
    struct options options;
    char dir[64];      /* where the shared object is made; empty: nowhere */
    char object[4096]; /* the shared object */
    struct watched watched;
    struct many many;
    cpu_set_t cpus; /* that we may use: the observer keeps to one of them */
};

/* --- the command line ---------------------------------------------------- */

static void help(void)
{
    printf(
        "Usage: check-encoder [OPTION]... ENCODER\n"
        "Check the encoder in ENCODER, a C file or a shared object with\n"
        "  size_t encode_adder(uint8_t *code, int32_t term);\n"
        "which must store mov rax, term; add rax, rdi; ret, and return how\n"
        "many bytes that are.\n\n"
        "      --level=LEVEL    exact (the default): byte by byte as the baby\n"
        "                       JIT; behaviour: any code that does the same\n"
        "      --format=FORMAT  text (the default), json or junit\n"
        "  -o, --output=FILE    write that to FILE, and the text as well to\n"
        "                       standard output\n"
        "      --terms=TERMS    behind those: many (the default), 3 million;\n"
        "                       all, which takes a minute or two; none\n"
        "      --seed=N         which ones of many are random (1)\n"
        "      --seconds=N      give it so long (%u)\n"
        "      --against=OTHER  compare it with another version: the first\n"
        "                       term for which they make other code, and\n"
        "                       what differs; status 1 if they do\n"
        "      --help           show this help\n\n"
        "Exit status: 0 passed; 1 failed; 64 wrong command line; 65 it does\n"
        "not compile, cannot be loaded, or has no encode_adder; 66 there is\n"
        "no such file; 71 the system does not allow tracing; 73 FILE cannot\n"
        "be written; 130 interrupted.\n",
        SECONDS);
}

static int usage(const char *what, const char *value)
{
    fprintf(stderr, "check-encoder: %s%s (check-encoder --help tells more)\n",
            what, value);
    return EX_USAGE;
}

/* The index of value in names, which NULL ends, or -1. */
static int choice(const char *value, const char *const *names)
{
    for (int i = 0; names[i]; i++)
        if (strcmp(value, names[i]) == 0)
            return i;
    return -1;
}

/* Returns -1 if there is something to do, else an exit status. */
static int take_option(struct session *session, int option)
{
    struct options *options = &session->options;
    static const char *const levels[] = {"exact", "behaviour", NULL};
    static const char *const formats[] = {"text", "json", "junit", NULL};
    static const char *const terms[] = {"many", "all", "none", NULL};
    char *end;
    int found = 0;

    switch (option) {
    case 'l':
        found = choice(optarg, levels);
        options->level = (enum encoder_level)found;
        return found < 0
                   ? usage("the level is exact or behaviour, not ", optarg)
                   : -1;
    case 'f':
        found = choice(optarg, formats);
        options->format = (enum format)found;
        return found < 0
                   ? usage("the format is text, json or junit, not ", optarg)
                   : -1;
    case 'o':
        options->output = optarg;
        return -1;
    case 's':
        options->seconds = (unsigned)strtoul(optarg, NULL, 10);
        return options->seconds < 1 || options->seconds > 3600
                   ? usage("give it 1 to 3600 seconds, not ", optarg)
                   : -1;
    case 't':
        found = choice(optarg, terms);
        session->many.all = found == 1;
        options->few = found == 2;
        return found < 0
                   ? usage("the terms are many, all or none, not ", optarg)
                   : -1;
    case 'r':
        session->many.seed = strtoull(optarg, &end, 10);
        return *optarg < '0' || *optarg > '9' || *end
                   ? usage("the seed is a number, not ", optarg)
                   : -1;
    case 'a':
        options->against = optarg;
        return -1;
    case 'h':
        help();
        return 0;
    default:
        return usage("that is no option of mine", "");
    }
}

static int read_options(int argc, char **argv, struct session *session)
{
    struct options *options = &session->options;
    static const struct option known[] = {
        {"level", required_argument, NULL, 'l'},
        {"format", required_argument, NULL, 'f'},
        {"output", required_argument, NULL, 'o'},
        {"seconds", required_argument, NULL, 's'},
        {"terms", required_argument, NULL, 't'},
        {"seed", required_argument, NULL, 'r'},
        {"against", required_argument, NULL, 'a'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option, status = -1;

    *options = (struct options){.seconds = SECONDS, .host = ENCODER_HOST};
    opterr = 0;
    while (status < 0 &&
           (option = getopt_long(argc, argv, "o:", known, NULL)) >= 0)
        status = take_option(session, option);
    if (status >= 0)
        return status;
    if (optind != argc - 1 || !*argv[optind])
        return usage("give one encoder, for example my.c", "");
    if (options->against && (options->output || options->format))
        return usage("two versions are compared as text on standard output",
                     "");
    options->encoder = argv[optind];
    return -1;
}

/* --- compiling ----------------------------------------------------------- */

static bool ends_in(const char *name, const char *end)
{
    size_t length = strlen(name), want = strlen(end);

    return length > want && strcmp(name + length - want, end) == 0;
}

static int run_compiler(char *const *argv)
{
    extern char **environ;
    pid_t pid;
    int status;

    if (posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ) != 0)
        return -1;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* What the compiler complains of goes to standard error, as it is. */
static int compile(struct session *session)
{
    char *name = (char *)session->options.encoder;
    char *argv[] = {
        "gcc",           "-std=gnu11", "-g",      "-O0",         "-Wall",
        "-Wextra",       "-fPIC",      "-shared", "-Wl,-z,defs", "-o",
        session->object, name,         NULL};
    const char *tmp = getenv("TMPDIR");

    snprintf(session->dir, sizeof session->dir, "%s/encoder-XXXXXX",
             tmp && strlen(tmp) < 40 ? tmp : "/tmp");
    if (!mkdtemp(session->dir)) {
        perror("check-encoder: cannot make a directory for the shared object");
        session->dir[0] = '\0';
        return EX_CANTCREAT;
    }
    snprintf(session->object, sizeof session->object, "%s/encoder.so",
             session->dir);
    switch (run_compiler(argv)) {
    case 0:
        return 0;
    case -1:
        fprintf(stderr, "check-encoder: gcc cannot be run\n");
        return EX_OSERR;
    default:
        fprintf(stderr,
                "check-encoder: %s does not compile; gcc says why above\n",
                name);
        return EX_DATAERR;
    }
}

static int find_object(struct session *session)
{
    const char *name = session->options.encoder;

    if (access(name, R_OK) < 0) {
        fprintf(stderr, "check-encoder: cannot read %s: %s\n", name,
                strerror(errno));
        return EX_NOINPUT;
    }
    if (ends_in(name, ".c"))
        return compile(session);
    if (!ends_in(name, ".so"))
        return usage("an encoder is a file NAME.c or NAME.so, unlike ", name);
    if (!realpath(name, session->object))
        return EX_NOINPUT;
    return 0;
}

/* --- the verdict --------------------------------------------------------- */

static const struct event *event_at(void *from, uint64_t index)
{
    return store_event(from, index);
}

/* What, where and why, if it died and we did not end it. What to do next would
 * be an invitation to trace the host, which is nobody's program. */
static void explain(struct session *session, struct buf *out)
{
    struct past past = {.event = event_at,
                        .from = &session->watched.store,
                        .count = session->watched.store.count};
    struct explanation explanation = {0};
    struct pen pen = {0};
    struct view view = {0};
    const char *next;

    if (past.count == 0 || session->watched.run.seconds)
        return;
    view_advance(&view, &session->watched.store, past.count);
    if (explain_event(&past, &view, past.count - 1, &explanation)) {
        explanation_write(&explanation, &pen, 4);
        next = strstr(buf_text(&pen.out), "\n    next ");
        BUG_UNLESS(next);
        buf_append(out, pen.out.data,
                   (size_t)(next + 1 - (char *)pen.out.data));
    }
    explanation_release(&explanation);
    pen_release(&pen);
    view_release(&view);
}

static int write_to(const char *name, struct buf *text)
{
    FILE *out = name ? fopen(name, "we") : stdout;

    if (out && fwrite(text->data, 1, text->len, out) == text->len &&
        (name ? fclose(out) : fflush(out)) == 0)
        return 0;
    fprintf(stderr, "check-encoder: cannot write to %s: %s\n",
            name ? name : "standard output", strerror(errno));
    return EX_CANTCREAT;
}

static int tell(const struct session *session, const struct report *report)
{
    static void (*const reports[])(const struct report *, struct buf *) = {
        report_text, report_json, report_junit};
    const char *file = session->options.output;
    struct buf text = {0};
    int status;

    reports[session->options.format](report, &text);
    status = write_to(file, &text);
    if (file && status == 0) {
        buf_clear(&text);
        report_text(report, &text);
        status = write_to(NULL, &text);
    }
    buf_release(&text);
    return status;
}

/* --- all ------------------------------------------------------------------ */

static int run_watched(struct session *session, const int32_t *terms,
                       size_t count, struct encoder_verdict *verdict)
{
    struct watched *watched = &session->watched;
    int status;

    watched_release(watched);
    watched->terms = terms;
    watched->term_count = count;
    status = watched_run(watched);
    if (status == 0) {
        encoder_verdict_release(verdict);
        *verdict = (struct encoder_verdict){0};
        encoder_judge(&watched->run, session->options.level, verdict);
    }
    return status;
}

/* It was wrong for a term that it is right for when that is tried alone, or
 * behind the usual ones. */
static void tell_fickle(const struct many *many, struct check_verdict *verdict)
{
    struct bytes code = {many->code, sizeof many->code};

    verdict->state = CHECK_FAILED;
    buf_printf(&verdict->what,
               "term %d was wrong among many others, and is right when it is "
               "tried alone: what comes of a term depends on those before it",
               many->term);
    if (many->length == UINT64_MAX) {
        buf_append_text(&verdict->details,
                        "it did not come back: a crash, or an endless loop\n");
        return;
    }
    buf_printf(&verdict->details, "length  %" PRIu64 "\ncode    ",
               many->length);
    encoding_hex(code, &verdict->details);
    buf_append_text(&verdict->details, "\n");
}

/* Tries the many terms, and one that is wrong again, watched, so that it can be
 * said why. */
static int try_many(struct session *session, struct encoder_verdict *verdict)
{
    struct many *many = &session->many;
    const struct encoder_run *run = &session->watched.run;
    int32_t terms[64];
    size_t count = adder_term_count, longest = 0;
    struct err err;
    int status = 0;

    BUG_UNLESS(count + 2 <= sizeof terms / sizeof *terms);
    for (size_t i = 0; i < run->trial_count; i++)
        if (run->trials[i].length > longest)
            longest = run->trials[i].length;
    many->host = session->options.host;
    many->object = session->object;
    many->exact = session->options.level == LEVEL_EXACT;
    many->seconds = session->options.seconds;
    many->shows_progress = isatty(STDERR_FILENO) && isatty(STDOUT_FILENO);
    many->slot = many->exact                 ? SLOT_EXACT
                 : longest <= SLOT_SHORT / 2 ? SLOT_SHORT
                                             : SLOT_PAGE;
    sched_setaffinity(0, sizeof session->cpus, &session->cpus);
    if (many_try(many, &err) < 0) {
        fprintf(stderr, "check-encoder: %s\n", err.text);
        return many->all ? EX_OSERR : 0;
    }
    if (many->interrupted) {
        fprintf(stderr,
                "check-encoder: interrupted after %" PRIu64
                " terms, of which none was wrong\n",
                many->tried);
        return 128 + SIGINT;
    }
    if (!many->failed) {
        verdict->check[CHECK_TERMS].state = CHECK_PASSED;
        return 0;
    }
    memcpy(terms, adder_terms, count * sizeof *terms);
    terms[count++] = many->term;
    terms[count++] = (int32_t)((uint32_t)many->term + 1);
    status = run_watched(session, terms, count, verdict);
    if (status == 0 && encoder_failed(verdict) == ENCODER_CHECKS)
        tell_fickle(many, &verdict->check[CHECK_TERMS]);
    return status;
}

/* Has the terms encoded that are watched. */
static int prepare(struct session *session, struct encoder_verdict *verdict)
{
    int status = find_object(session);

    session->watched.encoder = session->options.encoder;
    session->watched.object = session->object;
    session->watched.host = session->options.host;
    session->watched.seconds = session->options.seconds;
    return status
               ? status
               : run_watched(session, adder_terms, adder_term_count, verdict);
}

static int compare(struct session *session, struct session *before)
{
    struct encoder_verdict verdict = {0};
    struct buf text = {0};
    int status, differ;

    before->options = session->options;
    before->options.encoder = session->options.against;
    status = prepare(before, &verdict);
    if (status == 0)
        status = prepare(session, &verdict);
    if (status == 0) {
        buf_printf(&text, "%s, and %s is what is expected\n\n",
                   session->options.encoder, session->options.against);
        differ = versions_compare(&before->watched.run, &session->watched.run,
                                  &text);
        status = write_to(NULL, &text);
        status = status ? status : differ;
    }
    buf_release(&text);
    encoder_verdict_release(&verdict);
    return status;
}

static int check(struct session *session)
{
    struct encoder_verdict verdict = {0};
    struct report report = {.encoder = session->options.encoder,
                            .run = &session->watched.run,
                            .many = &session->many,
                            .verdict = &verdict};
    int status = prepare(session, &verdict);

    if (status == 0 && encoder_failed(&verdict) == ENCODER_CHECKS &&
        !session->options.few)
        status = try_many(session, &verdict);
    if (status == 0) {
        if (!session->watched.run.finished)
            explain(session, &report.crash);
        status = tell(session, &report);
        if (status == 0)
            status = encoder_failed(&verdict) != ENCODER_CHECKS;
    }
    buf_release(&report.crash);
    encoder_verdict_release(&verdict);
    return status;
}

static void clean(struct session *session)
{
    if (session->dir[0]) {
        unlink(session->object);
        rmdir(session->dir);
    }
    watched_release(&session->watched);
}

int main(int argc, char **argv)
{
    struct session session = {.many.seed = 1}, before = {0};
    int status = read_options(argc, argv, &session);

    if (status >= 0)
        return status;
    sched_getaffinity(0, sizeof session.cpus, &session.cpus);
    /* What we were left is none of the encoder's business. */
    syscall(SYS_close_range, 3, ~0u, CLOSE_RANGE_CLOEXEC);
    status =
        session.options.against ? compare(&session, &before) : check(&session);
    clean(&session);
    clean(&before);
    return status;
}
