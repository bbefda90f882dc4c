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
 * It is run by another program, host.c, under the observer, so that whatever it
 * does is seen, nothing of it is done to us, and a crash can be explained. What
 * is right and wrong with it is judged in encoder.c; here it is only started,
 * timed and told of. docs/encoder.md is the manual.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "grader/adder.h"
#include "grader/encoder.h"
#include "observe/observe.h"
#include "tell/explain.h"
#include "grader/report.h"

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
    const char *output; /* a file, or NULL */
    const char *encoder;
    const char *host;
};

/* Everything about one run. */
struct session {
    struct options options;
    char dir[64];       /* where the shared object is made; empty: nowhere */
    char object[4096];  /* the shared object */
    struct store store; /* the events */
    struct buf source;  /* the C file's text, if it is one */
    struct buf said;    /* by the host */
    struct encoder_run run;
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
        "      --seconds=N      give it so long (%u)\n"
        "      --help           show this help\n\n"
        "Exit status: 0 passed; 1 failed; 64 wrong command line; 65 it does\n"
        "not compile, cannot be loaded, or has no encode_adder; 66 there is\n"
        "no such file; 71 the system does not allow tracing; 73 FILE cannot\n"
        "be written.\n",
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
static int take_option(struct options *options, int option)
{
    static const char *const levels[] = {"exact", "behaviour", NULL};
    static const char *const formats[] = {"text", "json", "junit", NULL};
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
    case 'h':
        help();
        return 0;
    default:
        return usage("that is no option of mine", "");
    }
}

static int read_options(int argc, char **argv, struct options *options)
{
    static const struct option known[] = {
        {"level", required_argument, NULL, 'l'},
        {"format", required_argument, NULL, 'f'},
        {"output", required_argument, NULL, 'o'},
        {"seconds", required_argument, NULL, 's'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option, status = -1;

    *options = (struct options){.seconds = SECONDS, .host = ENCODER_HOST};
    opterr = 0;
    while (status < 0 &&
           (option = getopt_long(argc, argv, "o:", known, NULL)) >= 0)
        status = take_option(options, option);
    if (status >= 0)
        return status;
    if (optind != argc - 1 || !*argv[optind])
        return usage("give one encoder, for example my.c", "");
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

/* --- running it ---------------------------------------------------------- */

/* Seconds of the clock that nobody sets. */
static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* Who is watched, and for how long. */
struct watch {
    struct source *source;
    int host;        /* a pidfd of it */
    double deadline; /* then all of it is ended */
    bool is_over;    /* the deadline was reached while the host ran */
};

static bool has_ended(int pidfd)
{
    return poll(&(struct pollfd){pidfd, POLLIN, 0}, 1, 0) > 0;
}

/* Ends what runs for too long, and what the host has left running behind it. */
static void look_at_clock(struct watch *watch)
{
    bool ended = has_ended(watch->host);

    if (ended && watch->deadline > now() + 0.3)
        watch->deadline = now() + 0.3;
    if (now() < watch->deadline)
        return;
    watch->is_over |= !ended;
    observe_end(watch->source);
}

/* Reads all events. SIGCHLD comes when there may be more. */
static int read_events(struct session *session, struct watch *watch,
                       struct err *err)
{
    const struct timespec moment = {0, 50000000};
    struct event event;
    sigset_t child;
    int more = 1;

    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child, NULL);
    while (more > 0) {
        more = source_ready(watch->source, err);
        if (more == 0) {
            sigtimedwait(&child, NULL, &moment);
            more = 1;
        } else if (more > 0) {
            more = source_next(watch->source, &event, err);
            if (more > 0)
                store_append(&session->store, &event);
        }
        if (more > 0)
            look_at_clock(watch);
    }
    return more;
}

/* The host's arguments; all of them are kept until we end. */
static char **host_arguments(const struct session *session, int report)
{
    size_t n = 0, most = adder_term_count + adder_argument_count + 8;
    char **argv = mem_alloc(most * sizeof *argv);
    struct buf text[64] = {0};

    BUG_UNLESS(most < sizeof text / sizeof *text);
    argv[n++] = (char *)session->options.host;
    buf_printf(&text[n], "%d", report);
    argv[n] = (char *)buf_text(&text[n]);
    n++;
    argv[n++] = (char *)session->object;
    for (size_t i = 0; i < adder_term_count; i++, n++) {
        buf_printf(&text[n], "%d", (int)adder_terms[i]);
        argv[n] = (char *)buf_text(&text[n]);
    }
    argv[n++] = "--";
    for (size_t i = 0; i < adder_argument_count; i++, n++) {
        buf_printf(&text[n], "%lld", (long long)adder_arguments[i]);
        argv[n] = (char *)buf_text(&text[n]);
    }
    return argv;
}

static void read_report(int report, struct buf *said)
{
    char bytes[4096];
    ssize_t got;

    for (off_t at = 0; (got = pread(report, bytes, sizeof bytes, at)) > 0;
         at += got)
        buf_append(said, bytes, (size_t)got);
}

/* The encoder's own lines, for messages. It is as new as its program, which the
 * observer, who knows the host only, has no way to see. */
static void provide(struct session *session, struct source *source)
{
    const char *name = session->options.encoder;
    const char *slash = strrchr(name, '/');
    FILE *file = ends_in(name, ".c") ? fopen(name, "re") : NULL;
    char bytes[4096];
    size_t got;

    if (!file)
        return;
    while ((got = fread(bytes, 1, sizeof bytes, file)) > 0)
        buf_append(&session->source, bytes, got);
    fclose(file);
    observe_provide(source, slash ? slash + 1 : name,
                    (struct bytes){session->source.data, session->source.len});
}

/* Watches the host from start to end. */
static int observe(struct session *session, struct err *err)
{
    struct launch launch = {.stdin_fd = open("/dev/null", O_RDWR | O_CLOEXEC)};
    int report = memfd_create("report", 0), result;
    struct watch watch = {.deadline = now() + session->options.seconds};

    launch.stdout_fd = launch.stderr_fd = launch.stdin_fd;
    launch.argv = host_arguments(session, report);
    watch.source = observe_new(&launch, &observe_default_budget, err);
    if (!watch.source)
        return -1;
    watch.host = (int)syscall(SYS_pidfd_open, observe_pid(watch.source), 0);
    provide(session, watch.source);
    result = read_events(session, &watch, err);
    if (watch.is_over)
        session->run.seconds = session->options.seconds;
    source_free(watch.source);
    read_report(report, &session->said);
    close(watch.host);
    close(report);
    return result;
}

/* --- what the host said -------------------------------------------------- */

static struct trial_call *add_call(struct encoder_run *run, size_t trial,
                                   size_t argument)
{
    run->calls =
        mem_resize(run->calls, run->call_count + 1, sizeof *run->calls);
    run->calls[run->call_count] = (struct trial_call){
        .trial = trial, .argument = adder_arguments[argument]};
    return &run->calls[run->call_count++];
}

static void add_trial(struct encoder_run *run, size_t n, uint64_t code)
{
    run->trials =
        mem_resize(run->trials, run->trial_count + 1, sizeof *run->trials);
    run->trials[run->trial_count++] =
        (struct trial){.term = adder_terms[n], .code = code};
}

static void end_call(struct trial_call *call, const char *numbers)
{
    char *end = (char *)numbers;

    call->came_back = true;
    call->result = strtoull(end, &end, 16);
    call->stack = (int64_t)strtoull(end, &end, 16);
    call->flags = strtoull(end, &end, 16);
    for (unsigned i = 0; i < TRIAL_KEPT; i++) {
        call->kept[i] = strtoull(end, &end, 16);
        call->kept_before[i] = 0x5afe000000000000 + i;
    }
}

/* Takes one line, if it is the one that comes next: what runs there may write
 * into the report, too. Returns an exit status, or 0. */
static int take_line(struct session *session, const char *line)
{
    struct encoder_run *run = &session->run;
    struct trial_call *call =
        run->call_count ? &run->calls[run->call_count - 1] : NULL;
    unsigned long long value;
    size_t n, k;
    int at = 0;

    if (strncmp(line, "broken ", 7) == 0) {
        fprintf(stderr, "check-encoder: %s\n", line + 7);
        return EX_DATAERR;
    }
    if (strcmp(line, "nothing") == 0) {
        fprintf(stderr,
                "check-encoder: there is no encode_adder in %s; is it static, "
                "or has it another name?\n",
                session->options.encoder);
        return EX_DATAERR;
    }
    if (sscanf(line, "encode %zu %llx", &n, &value) == 2 &&
        n == run->trial_count && n < adder_term_count) {
        add_trial(run, n, value);
    } else if (sscanf(line, "encoded %zu %llu", &n, &value) == 2 &&
               n + 1 == run->trial_count) {
        run->trials[n].came_back = true;
        run->trials[n].length = value;
    } else if (sscanf(line, "run %zu %zu", &n, &k) == 2 &&
               n < run->trial_count && k < adder_argument_count) {
        add_call(run, n, k);
    } else if (sscanf(line, "ran %zu %zu %n", &n, &k, &at) == 2 && call &&
               at > 0 && call->trial == n) {
        end_call(call, line + at);
    } else if (strcmp(line, "end") == 0 &&
               run->trial_count == adder_term_count &&
               run->trials[run->trial_count - 1].came_back) {
        run->finished = true;
    }
    return 0;
}

static int take_report(struct session *session)
{
    char *rest = (char *)buf_text(&session->said), *line;
    int status = 0;

    for (size_t i = 0; i < session->said.len; i++)
        if (rest[i] == '\0')
            rest[i] = '?';
    while (status == 0 && (line = strsep(&rest, "\n")))
        status = take_line(session, line);
    return status;
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
                        .from = &session->store,
                        .count = session->store.count};
    struct explanation explanation = {0};
    struct pen pen = {0};
    struct view view = {0};
    const char *next;

    if (past.count == 0 || session->run.seconds)
        return;
    view_advance(&view, &session->store, past.count);
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

static int judge(struct session *session)
{
    struct encoder_verdict verdict = {0};
    struct report report = {.encoder = session->options.encoder,
                            .run = &session->run,
                            .verdict = &verdict};
    int status;

    encoder_judge(&session->run, session->options.level, &verdict);
    if (!session->run.finished)
        explain(session, &report.crash);
    status = tell(session, &report);
    if (status == 0)
        status = encoder_failed(&verdict) != ENCODER_CHECKS;
    buf_release(&report.crash);
    encoder_verdict_release(&verdict);
    return status;
}

static int check(struct session *session)
{
    struct err err;
    int status = find_object(session);

    if (status == 0 && observe(session, &err) < 0) {
        fprintf(stderr, "check-encoder: %s\n", err.text);
        status = EX_OSERR;
    }
    if (status == 0)
        status = take_report(session);
    if (status == 0)
        status = judge(session);
    return status;
}

static void clean(struct session *session)
{
    if (session->dir[0]) {
        unlink(session->object);
        rmdir(session->dir);
    }
    buf_release(&session->source);
    buf_release(&session->said);
    free(session->run.trials);
    free(session->run.calls);
    store_release(&session->store);
}

int main(int argc, char **argv)
{
    struct session session = {0};
    int status = read_options(argc, argv, &session.options);

    if (status >= 0)
        return status;
    /* What we were left is none of the encoder's business. */
    syscall(SYS_close_range, 3, ~0u, CLOSE_RANGE_CLOEXEC);
    session.store = (struct store){0};
    session.run.store = &session.store;
    status = check(&session);
    clean(&session);
    return status;
}
