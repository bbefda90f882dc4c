/* SPDX-License-Identifier: MIT */
/*
 * A running program as a source of events: it stands still while the reader
 * looks at an event, it can be asked without waiting, nothing of it is left
 * when the source is freed; and how it is started, with which streams.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "observe/observe.h"
#include "observe/thread.h"
#include "support/support.h"
#include "target/proc.h"
#include "trace/view.h"

TestSuite(live, .timeout = 30);

#define BABYJIT      BUILD_DIR "/lessons/06-babyjit/babyjit"
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Starts it with its output going nowhere, and reads the start event. */
static struct source *begin(const char *const *argv)
{
    int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
    struct launch launch = {.argv = (char *const *)argv,
                            .stdin_fd = nowhere,
                            .stdout_fd = nowhere,
                            .stderr_fd = nowhere};
    struct err err = {0};
    struct source *source =
        observe_new(&launch, &observe_default_budget, NULL, &err);
    struct event event;

    close(nowhere);
    cr_assert(ne(ptr, source, NULL), "%s", err.text);
    cr_assert(eq(int, source_next(source, &event, &err), 1), "%s", err.text);
    cr_assert(eq(int, event.kind, EVENT_START));
    return source;
}

/* The next event; false at the end. */
static bool next(struct source *source, struct event *event)
{
    struct err err = {0};
    int more = source_next(source, event, &err);

    cr_assert(ge(int, more, 0), "%s", err.text);
    return more > 0;
}

static void next_of_kind(struct source *source, enum event_kind kind,
                         struct event *event)
{
    do
        cr_assert(eq(int, next(source, event), 1), "no %s", event_name(kind));
    while (event->kind != kind);
}

/* The letter of its state in /proc/TID/stat: 't' is a stop for the tracer. */
static char state(pid_t tid)
{
    char name[64], text[512] = "";
    FILE *file;

    snprintf(name, sizeof name, "/proc/%d/stat", (int)tid);
    file = fopen(name, "r");
    if (!file)
        return 0;
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    fclose(file);
    return strrchr(text, ')')[2];
}

static void expect_nobody_left(void)
{
    cr_assert(eq(int, waitpid(-1, NULL, __WALL | WNOHANG), -1));
    cr_assert(eq(int, errno, ECHILD));
}

/* Runs it to its end. */
static void finish(struct source *source)
{
    struct event event;

    while (next(source, &event))
        if (event.kind == EVENT_EXIT) {
            cr_assert(eq(int, event.exit.status.known, 1));
            cr_assert(eq(u64, event.exit.status.value, 0));
        }
    source_free(source);
    expect_nobody_left();
}

/* A view of a live trace holds no second copy of the code. */
Test(live, a_view_shares_the_bytes_that_the_observer_knows)
{
    struct source *source = begin(ARGS(BABYJIT, "1"));
    struct view shared = {0}, apart = {0};
    struct event event;
    size_t before, taken;

    do {
        cr_assert(eq(int, next(source, &event), 1));
        view_apply(&shared, &event);
        event.pages = NULL;
        view_apply(&apart, &event);
    } while (event.kind != EVENT_ENTER);
    before = memory_in_use();
    view_release(&apart);
    taken = before - memory_in_use();
    cr_assert(lt(sz, 4096, taken));
    before = memory_in_use();
    view_release(&shared);
    cr_assert(lt(sz, before - memory_in_use() + 2048, taken));
    finish(source);
}

/* --- the program stands still -------------------------------------------- */

/* The two counters of effects.c. */
struct effects {
    volatile uint64_t *counters;
    const char *file;
};

/* In an ordinary file: stores into shared memory that has no name are watched,
 * and here the program is to count by itself. */
static void open_effects(struct effects *effects)
{
    static const uint8_t zero[4096];
    int fd;

    effects->file = scratch(".effects");
    write_file(effects->file, zero, sizeof zero, 0600);
    fd = open(effects->file, O_RDWR);
    effects->counters =
        mmap(NULL, sizeof zero, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
}

static bool counts(const struct effects *effects, double seconds)
{
    uint64_t before = effects->counters[1];
    double since = now();

    while (effects->counters[1] == before)
        if (!wait_a_moment(since, seconds))
            return false;
    return true;
}

Test(live, what_follows_an_event_has_not_happened_yet)
{
    struct effects effects;
    struct source *source;
    struct event event;

    open_effects(&effects);
    source = begin(ARGS(TRACEE("effects"), effects.file));
    for (uint64_t i = 0; i < 10; i++) {
        next_of_kind(source, EVENT_OUTPUT, &event);
        usleep(2000);
        cr_assert(eq(chr, state(event.tid), 't'));
        cr_assert(eq(u64, effects.counters[0], i));
    }
    next_of_kind(source, EVENT_EXIT, &event);
    cr_assert(eq(u64, effects.counters[0], 10));
    source_free(source);
    unlink(effects.file);
    expect_nobody_left();
}

Test(live, every_event_stops_the_program)
{
    struct source *source = begin(ARGS(BABYJIT, "1"));
    uint64_t written = 0;
    struct event event;

    cr_assert(eq(chr, state(observe_pid(source)), 't'));
    while (next(source, &event) && event.kind != EVENT_EXIT) {
        uint8_t after = 0;

        cr_assert(eq(chr, state(event.tid), 't'), "%s", event_name(event.kind));
        if (event.kind != EVENT_WRITE)
            continue;
        /* The byte behind it is the next to be stored. */
        usleep(500);
        proc_read(event.tid, event.write.addr + event.write.new.len, &after, 1);
        cr_assert(eq(u8, after, 0));
        written++;
    }
    cr_assert(eq(u64, written, 11));
    source_free(source);
    expect_nobody_left();
}

Test(live, other_threads_are_stopped_on_demand)
{
    struct effects effects;
    struct source *source;
    struct event event;

    open_effects(&effects);
    source = begin(ARGS(TRACEE("effects"), effects.file));
    next_of_kind(source, EVENT_OUTPUT, &event);
    for (int i = 0; i < 5; i++) {
        cr_assert(eq(int, counts(&effects, 5), 1), "it runs beside");
        observe_pause(source);
        usleep(2000);
        cr_assert(eq(int, counts(&effects, 0.02), 0), "it was stopped");
        cr_assert(eq(u64, effects.counters[0], (uint64_t)i));
        next_of_kind(source, EVENT_OUTPUT, &event);
    }
    observe_pause(source);
    while (next(source, &event))
        continue;
    cr_assert(eq(u64, event.exit.status.value, 0));
    cr_assert(eq(u64, effects.counters[0], 10));
    source_free(source);
    unlink(effects.file);
    expect_nobody_left();
}

Test(live, who_sleeps_is_not_woken)
{
    struct source *source = begin(ARGS(TRACEE("sleepers")));
    struct event event;

    for (int i = 0; i < 10; i++) {
        next_of_kind(source, EVENT_OUTPUT, &event);
        observe_pause(source);
        usleep(1000);
    }
    next_of_kind(source, EVENT_EXIT, &event);
    cr_assert(eq(int, event.exit.status.known, 1));
    cr_assert(eq(u64, event.exit.status.value, 0));
    source_free(source);
}

static void replace_stopped_thread(void)
{
    struct source *source = begin(ARGS(TRACEE("thread_exec"), BABYJIT));
    struct store store;
    struct event event;

    store = (struct store){0};
    do {
        cr_assert(eq(int, next(source, &event), 1));
        store_append(&store, &event);
        if (event.kind == EVENT_OUTPUT)
            usleep(2000);
        if (event.kind == EVENT_MAP) /* of the new program */
            cr_assert(eq(sz, ((struct run *)source)->thread_count, 1));
    } while (event.kind != EVENT_EXIT);
    cr_assert(eq(sz, count(&store, EVENT_WRITE), 11));
    cr_assert(eq(sz, count(&store, EVENT_ENTER), 3));
    cr_assert(eq(u64, event.exit.status.value, 0));
    store_release(&store);
    source_free(source);
    expect_nobody_left();
}

/*
 * The second thread takes the place of the first, which in many of these runs
 * is kept stopped at that moment.
 */
Test(live, a_stopped_thread_may_be_replaced)
{
    for (int i = 0; i < 20; i++)
        replace_stopped_thread();
}

/* --- asking without waiting ---------------------------------------------- */

static int ready(struct source *source)
{
    struct err err = {0};
    int result = source_ready(source, &err);

    cr_assert(ge(int, result, 0), "%s", err.text);
    return result;
}

Test(live, a_program_that_sleeps_can_be_asked)
{
    struct source *source = begin(ARGS("sleep", "0.5"));
    double since = now(), longest = 0;
    struct event event;
    int asked = 0;

    for (double before = now(); !ready(source); before = now()) {
        if (now() - before > longest)
            longest = now() - before;
        asked++;
        usleep(1000);
    }
    cr_assert(ge(dbl, now() - since, 0.4));
    cr_assert(le(dbl, longest, 0.2));
    cr_assert(ge(int, asked, 10));
    cr_assert(eq(int, next(source, &event), 1));
    cr_assert(eq(int, event.kind, EVENT_EXIT));
    cr_assert(eq(int, ready(source), 1));
    cr_assert(eq(int, next(source, &event), 0));
    cr_assert(eq(int, ready(source), 1));
    source_free(source);
    expect_nobody_left();
}

/* Its next stop is always there before the last one was read. */
Test(live, a_program_that_stops_all_the_time_can_be_asked)
{
    struct source *source = begin(ARGS(TRACEE("busy")));

    for (int i = 0; i < 20; i++) {
        double since = now();

        cr_assert(eq(int, ready(source), 0));
        cr_assert(le(dbl, now() - since, 0.5));
    }
    /* It runs on when the question is over, so that a stop can wake us. */
    for (int i = 0; i < 20; i++) {
        siginfo_t info;

        cr_assert(eq(int, ready(source), 0));
        cr_assert(eq(int,
                     waitid(P_PID, (id_t)observe_pid(source), &info,
                            WSTOPPED | WNOWAIT | __WALL),
                     0));
    }
    source_free(source);
    expect_nobody_left();
}

/* It was kept on one CPU until then, where it is traced faster. */
Test(live, a_program_that_is_asked_has_its_cpus_back)
{
    cpu_set_t own, given;
    struct source *source;

    cr_assert(eq(int, sched_getaffinity(0, sizeof own, &own), 0));
    source = begin(ARGS("sleep", "10"));
    for (int i = 0; i < 20; i++) {
        cr_assert(eq(int, ready(source), 0));
        usleep(1000);
    }
    cr_assert(eq(
        int, sched_getaffinity(observe_pid(source), sizeof given, &given), 0));
    cr_assert(eq(int, CPU_EQUAL(&own, &given), 1));
    source_free(source);
    expect_nobody_left();
}

Test(live, asking_changes_no_trace)
{
    struct source *source = begin(ARGS(BABYJIT, "1"));
    struct store store;
    struct event event;
    int in_vain = 0;

    store = (struct store){0};
    do {
        for (; !ready(source); in_vain++)
            usleep(1000);
        cr_assert(eq(int, ready(source), 1));
        cr_assert(eq(int, next(source, &event), 1));
        store_append(&store, &event);
    } while (event.kind != EVENT_EXIT);
    expect_kinds(&store,
                 "map 11*write protect enter 3*step leave enter 3*step leave "
                 "enter 3*step leave output unmap exit");
    cr_assert(le(int, in_vain, 25), "a step takes no second question");
    store_release(&store);
    source_free(source);
    expect_nobody_left();
}

/* --- the end ------------------------------------------------------------- */

/* Freed after any event, with threads due, waiting or just made. */
Test(live, nothing_is_left_when_it_is_freed)
{
    static const char *const files[] = {
        TRACEE("threads"), TRACEE("fork"),     TRACEE("spawn"),
        TRACEE("clone"),   TRACEE("handler"),  TRACEE("sleepers"),
        TRACEE("stopped"), TRACEE("children"), BABYJIT,
    };

    for (size_t i = 0; i < COUNT(files); i++)
        for (int events = 0; events < 12; events++) {
            struct source *source = begin(ARGS(files[i]));
            pid_t pid = observe_pid(source);
            struct event event;

            for (int n = 0; n < events && next(source, &event); n++)
                continue;
            if (events % 3 == 1)
                observe_pause(source);
            if (events % 3 == 2)
                ready(source);
            source_free(source);
            expect_nobody_left();
            cr_assert(eq(int, kill(pid, 0), -1), "%s", files[i]);
        }
}

/* A child of the test that is none of the program's. */
/* As it was made: with the end told, and nobody left. */
static void end_after(const char *const *argv, int events)
{
    struct source *source = begin(argv);
    bool ended = false, said = false;
    struct event event;
    int n;

    for (n = 0; n < events && !ended && next(source, &event); n++)
        ended = event.kind == EVENT_EXIT;
    if (events % 3 == 1)
        observe_pause(source);
    if (events % 3 == 2)
        ready(source);
    observe_end(source);
    observe_end(source);
    while (next(source, &event)) {
        cr_assert(eq(int, ended, 0), "nothing comes after the exit");
        ended = event.kind == EVENT_EXIT;
        if (event.kind == EVENT_LIMIT && !strcmp(event.limit.budget, "quit"))
            said = true;
        /* It may have come to its own end in that very moment. */
        if (ended && said && !event.exit.status.known)
            cr_assert(eq(u64, event.exit.signal.value, SIGKILL));
        if (ended && said && event.exit.status.known)
            cr_assert(eq(u64, event.exit.status.value, 0));
    }
    cr_assert(eq(int, ended, 1), "%s: no exit", argv[0]);
    expect_nobody_left();
    source_free(source);
}

Test(live, a_program_that_is_ended_tells_of_its_exit)
{
    static const char *const files[] = {
        TRACEE("threads"), TRACEE("fork"),     TRACEE("spawn"),
        TRACEE("clone"),   TRACEE("handler"),  TRACEE("sleepers"),
        TRACEE("stopped"), TRACEE("children"), BABYJIT,
    };

    for (size_t i = 0; i < COUNT(files); i++)
        for (int events = 0; events < 12; events++)
            end_after(ARGS(files[i]), events);
}

/* Its child sleeps, or is just being made. */
Test(live, children_are_ended_as_well)
{
    for (int wait = 0; wait < 40; wait++) {
        struct source *source =
            begin(ARGS("sh", "-c", "sleep 1000 & sleep 1000 & wait"));
        struct event event;
        int kinds = 0;

        for (int i = 0; i < wait; i++) {
            usleep(500);
            ready(source);
        }
        observe_end(source);
        while (next(source, &event))
            kinds = kinds % 100 * 100 + (int)event.kind;
        cr_assert(eq(int, kinds, EVENT_LIMIT * 100 + EVENT_EXIT));
        expect_nobody_left();
        source_free(source);
    }
}

static pid_t make_stranger(bool stays)
{
    pid_t pid = fork();

    if (pid == 0)
        prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (pid == 0) {
        if (!stays)
            _exit(3);
        pause();
    }
    return pid;
}

/* As when a shell has started another command, and then become jittrace. */
Test(live, children_of_others_are_not_waited_for)
{
    pid_t stays = make_stranger(true);
    struct source *source = begin(ARGS(TRACEE("children")));
    struct event event;
    int status;

    do
        cr_assert(eq(int, next(source, &event), 1));
    while (event.kind != EVENT_EXIT);
    cr_assert(eq(int, next(source, &event), 0));
    cr_assert(eq(u64, event.exit.status.value, 0));
    source_free(source);
    for (int events = 0; events < 10; events++) {
        source = begin(ARGS(TRACEE("children")));
        for (int n = 0; n < events; n++)
            next(source, &event);
        source_free(source);
    }
    cr_assert(eq(int, waitpid(-1, &status, __WALL | WNOHANG), 0));
    kill(stays, SIGKILL);
    cr_assert(eq(int, waitpid(-1, &status, __WALL), stays));
    expect_nobody_left();
}

Test(live, children_of_others_may_end_at_any_time)
{
    for (int i = 0; i < 50; i++) {
        pid_t stranger = make_stranger(false);
        struct source *source = begin(ARGS(BABYJIT, "1"));
        struct event event;

        while (next(source, &event))
            continue;
        cr_assert(eq(u64, event.exit.status.value, 0));
        source_free(source);
        waitpid(stranger, NULL, __WALL); /* unless it has ended meanwhile */
        expect_nobody_left();
    }
}

/* --- streams and terminal ------------------------------------------------ */

static int temporary(const char *text)
{
    int fd = memfd_create("stream", MFD_CLOEXEC);

    cr_assert(eq(sz, (size_t)write(fd, text, strlen(text)), strlen(text)));
    lseek(fd, 0, SEEK_SET);
    return fd;
}

static void expect_content(int fd, const char *expected)
{
    char text[256];
    ssize_t got = pread(fd, text, sizeof text - 1, 0);

    cr_assert(ge(int, (int)got, 0));
    text[got] = 0;
    cr_assert(eq(str, text, (char *)expected));
}

/*
 * Our descriptors 0 to 2 are, in this order, files that become the program's
 * streams in another one; all of them have FD_CLOEXEC.
 */
static void run_with_streams(const int *place)
{
    static char *argv[] = {
        "/bin/sh", "-c", "read x; echo \"out $x\"; echo \"err $x\" >&2", NULL};
    int files[3] = {temporary("word\n"), temporary(""), temporary("")};
    struct launch launch = {argv,     {NULL, 0}, place[0],
                            place[1], place[2],  false};
    struct source *source;
    struct err err = {0};
    int saved[3];

    for (int fd = 0; fd < 3; fd++)
        saved[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 10);
    for (int i = 0; i < 3; i++)
        if (place[i] >= 0)
            dup3(files[i], place[i], O_CLOEXEC);
        else
            dup2(files[i], i);
    source = observe_new(&launch, &observe_default_budget, NULL, &err);
    for (int fd = 0; fd < 3; fd++) {
        dup2(saved[fd], fd);
        close(saved[fd]);
    }
    cr_assert(ne(ptr, source, NULL), "%s", err.text);
    finish(source);
    expect_content(files[1], "out word\n");
    expect_content(files[2], "err word\n");
    for (int i = 0; i < 3; i++)
        close(files[i]);
}

Test(live, streams_come_from_any_descriptor)
{
    static const int places[][3] = {
        {0, 1, 2},    {0, 2, 1},    {1, 0, 2},    {1, 2, 0},    {2, 0, 1},
        {2, 1, 0},    {57, 58, 59}, {57, 0, 1},   {1, 57, 0},   {2, 0, 57},
        {-1, 57, 58}, {57, -1, 58}, {57, 58, -1}, {-1, -1, -1}, {-1, 2, 1},
    };

    for (size_t i = 0; i < COUNT(places); i++)
        run_with_streams(places[i]);
}

Test(live, one_file_can_be_both_outputs)
{
    static char *argv[] = {"/bin/sh", "-c", "echo a; echo b >&2; echo c", NULL};
    int file = temporary("");
    struct launch launch = {argv, {NULL, 0}, -1, file, file, false};
    struct err err = {0};
    struct source *source =
        observe_new(&launch, &observe_default_budget, NULL, &err);

    cr_assert(ne(ptr, source, NULL), "%s", err.text);
    finish(source);
    expect_content(file, "a\nb\nc\n");
    close(file);
}

static void start_on_terminal(char **argv, int slave, bool own,
                              struct source **source)
{
    struct launch launch = {argv, {NULL, 0}, slave, slave, slave, own};
    struct err err = {0};

    *source = observe_new(&launch, &observe_default_budget, NULL, &err);
    cr_assert(ne(ptr, *source, NULL), "%s", err.text);
}

/* What was written to a terminal arrives at its other end a little later. */
static void read_exactly(int fd, char *text, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t got = read(fd, text + done, len - done);

        cr_assert(lt(int, 0, (int)got));
        done += (size_t)got;
    }
    text[len] = 0;
}

Test(live, a_program_can_have_a_terminal_of_its_own)
{
    static char *argv[] = {"/bin/sh", "-c", "tty; echo hello >/dev/tty", NULL};
    char name[64], expected[128], text[128];
    int master, slave;
    struct source *source;

    cr_assert(eq(int, openpty(&master, &slave, name, NULL, NULL), 0));
    fcntl(master, F_SETFD, FD_CLOEXEC);
    fcntl(slave, F_SETFD, FD_CLOEXEC);
    start_on_terminal(argv, slave, true, &source);
    cr_assert(eq(int, getsid(observe_pid(source)), observe_pid(source)));
    cr_assert(eq(int, tcgetpgrp(master), observe_pid(source)));
    cr_assert(eq(int, proc_parent(observe_pid(source)), getpid()));
    finish(source);
    snprintf(expected, sizeof expected, "%s\r\nhello\r\n", name);
    read_exactly(master, text, strlen(expected));
    cr_assert(eq(str, text, expected));

    start_on_terminal(argv, slave, false, &source);
    cr_assert(eq(int, getsid(observe_pid(source)), getsid(0)));
    source_free(source);
    close(slave);
    close(master);
}

Test(live, what_is_no_terminal_cannot_be_one)
{
    static char *argv[] = {"/bin/true", NULL};
    int file = temporary("");
    struct launch launch = {argv, {NULL, 0}, -1, file, -1, true};
    struct err err = {0};

    cr_assert(eq(ptr, observe_new(&launch, &observe_default_budget, NULL, &err),
                 NULL));
    cr_assert(eq(int, (int)err.kind, ERR_TRACING));
    cr_assert(eq(str, err.text,
                 "cannot give '/bin/true' its terminal: Inappropriate ioctl "
                 "for device"));
    expect_nobody_left();
    launch.own_terminal = false;
    launch.stdout_fd = 999;
    cr_assert(eq(ptr, observe_new(&launch, &observe_default_budget, NULL, &err),
                 NULL));
    cr_assert(eq(str, err.text,
                 "cannot give '/bin/true' its standard streams: Bad file "
                 "descriptor"));
    expect_nobody_left();
    close(file);
}

/* --- excerpts of the source ---------------------------------------------- */

/* What far.c is said to be: 450 lines, the last one without its newline. */
static void make_far_source(struct buf *out)
{
    for (int i = 1; i <= 450; i++) {
        buf_printf(out, "\tline %d", i);
        for (int n = 0; n < 150 && i == 120; n++)
            buf_append_text(out, "\xc3\xbc");
        if (i < 450)
            buf_append_text(out, "\n");
    }
}

static void make_excerpt(int first, int last, struct buf *out)
{
    for (int i = first; i <= last; i++) {
        buf_printf(out, "\tline %d", i);
        /* 9 bytes of ASCII, so that 240 are in the middle of a character */
        for (int n = 0; n < 115 && i == 120; n++)
            buf_append_text(out, "\xc3\xbc");
        buf_append_text(out, "\n");
    }
}

Test(live, the_source_around_a_line_is_told_once)
{
    static const struct {
        int line;
        int first; /* 0: no excerpt */
        int last;
    } expected[] = {
        {100, 36, 164}, {148, 0, 0},     {149, 85, 213},
        {3, 1, 67},     {450, 386, 450}, {451, 0, 0},
    };
    struct source *source = begin(ARGS(TRACEE("far")));
    struct buf text = {0}, excerpt = {0};
    struct event event;

    make_far_source(&text);
    observe_provide(source, "far.c", (struct bytes){text.data, text.len});
    for (size_t i = 0; i < COUNT(expected); i++) {
        cr_assert(eq(int, next(source, &event), 1));
        cr_assert(eq(str, (char *)event.source.file, "far.c"));
        cr_assert(eq(int, event.source.line, expected[i].line));
        cr_assert(eq(int, event.source.text != NULL, i < 5));
        cr_assert(eq(int, event.source.excerpt != NULL, expected[i].first > 0),
                  "line %d", expected[i].line);
        if (!event.source.excerpt)
            continue;
        buf_clear(&excerpt);
        make_excerpt(expected[i].first, expected[i].last, &excerpt);
        cr_assert(eq(int, event.source.excerpt_line, expected[i].first));
        cr_assert(
            eq(str, (char *)event.source.excerpt, (char *)buf_text(&excerpt)));
    }
    finish(source);
    buf_release(&excerpt);
    buf_release(&text);
}
