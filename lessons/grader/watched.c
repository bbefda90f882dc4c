/* SPDX-License-Identifier: MIT */
#include "grader/watched.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"
#include "grader/adder.h"
#include "observe/observe.h"

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
static int read_events(struct watched *watched, struct watch *watch,
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
                store_append(&watched->store, &event);
        }
        if (more > 0)
            look_at_clock(watch);
    }
    return more;
}

/* The host's arguments; all of them are kept until we end. */
static char **host_arguments(const struct watched *watched, int report)
{
    size_t n = 0, most = watched->term_count + adder_argument_count + 8;
    char **argv = mem_alloc(most * sizeof *argv);
    struct buf text[64] = {0};

    BUG_UNLESS(most < sizeof text / sizeof *text);
    argv[n++] = (char *)watched->host;
    buf_printf(&text[n], "%d", report);
    argv[n] = (char *)buf_text(&text[n]);
    n++;
    argv[n++] = (char *)watched->object;
    for (size_t i = 0; i < watched->term_count; i++, n++) {
        buf_printf(&text[n], "%d", (int)watched->terms[i]);
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
static void provide(struct watched *watched, struct source *source)
{
    const char *name = watched->encoder;
    const char *slash = strrchr(name, '/'), *dot = strrchr(name, '.');
    FILE *file = dot && strcmp(dot, ".c") == 0 ? fopen(name, "re") : NULL;
    char bytes[4096];
    size_t got;

    if (!file)
        return;
    while ((got = fread(bytes, 1, sizeof bytes, file)) > 0)
        buf_append(&watched->source, bytes, got);
    fclose(file);
    observe_provide(source, slash ? slash + 1 : name,
                    (struct bytes){watched->source.data, watched->source.len});
}

/* Watches the host from start to end. */
static int observe_host(struct watched *watched, struct err *err)
{
    struct launch launch = {.stdin_fd = open("/dev/null", O_RDWR | O_CLOEXEC)};
    int report = memfd_create("report", 0), result;
    struct watch watch = {.deadline = now() + watched->seconds};

    launch.stdout_fd = launch.stderr_fd = launch.stdin_fd;
    launch.argv = host_arguments(watched, report);
    watch.source = observe_new(&launch, &observe_default_budget, NULL, err);
    if (!watch.source)
        return -1;
    watch.host = (int)syscall(SYS_pidfd_open, observe_pid(watch.source), 0);
    provide(watched, watch.source);
    result = read_events(watched, &watch, err);
    if (watch.is_over)
        watched->run.seconds = watched->seconds;
    source_free(watch.source);
    read_report(report, &watched->said);
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

static void add_trial(struct encoder_run *run, int32_t term, uint64_t code)
{
    run->trials =
        mem_resize(run->trials, run->trial_count + 1, sizeof *run->trials);
    run->trials[run->trial_count++] =
        (struct trial){.term = term, .code = code};
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
static int take_line(struct watched *watched, const char *line)
{
    struct encoder_run *run = &watched->run;
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
                watched->encoder);
        return EX_DATAERR;
    }
    if (sscanf(line, "encode %zu %llx", &n, &value) == 2 &&
        n == run->trial_count && n < watched->term_count) {
        add_trial(run, watched->terms[n], value);
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
               run->trial_count == watched->term_count &&
               run->trials[run->trial_count - 1].came_back) {
        run->finished = true;
    }
    return 0;
}

static int take_report(struct watched *watched)
{
    char *rest = (char *)buf_text(&watched->said), *line;
    int status = 0;

    for (size_t i = 0; i < watched->said.len; i++)
        if (rest[i] == '\0')
            rest[i] = '?';
    while (status == 0 && (line = strsep(&rest, "\n")))
        status = take_line(watched, line);
    return status;
}

int watched_run(struct watched *watched)
{
    struct err err;

    watched->run.store = &watched->store;
    if (observe_host(watched, &err) < 0) {
        fprintf(stderr, "check-encoder: %s\n", err.text);
        return EX_OSERR;
    }
    return take_report(watched);
}

void watched_release(struct watched *watched)
{
    buf_release(&watched->source);
    buf_release(&watched->said);
    free(watched->run.trials);
    free(watched->run.calls);
    store_release(&watched->store);
    watched->run = (struct encoder_run){0};
    watched->store = (struct store){0};
}
