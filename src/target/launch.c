/* SPDX-License-Identifier: MIT */
/*
 * The order matters:
 *
 *      jittrace                        child
 *      fork ------------------------>  waits on the gate
 *      PTRACE_SEIZE
 *      opens the gate -------------->  installs the filter, exec
 *      waits for STOP_EXEC  <--------
 *
 * The child must not stop itself before it is seized: a stop from before
 * becomes a group-stop that later forks inherit. What goes wrong in the child
 * comes back as a struct failure through a pipe that exec closes.
 */
#include "target/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "target/filter.h"
#include "target/image.h"
#include "target/program.h"
#include "target/tryout.h"

/* How many descriptors must be free. A trace was complete with 7 and lacked
 * stores with 6, and with --dump-code it took 10; the rest is for libraries and
 * perf maps. */
#define DESCRIPTORS 16

/* Bytes of stack that jittrace has at least. Reading debug information (libdw)
 * was seen to take between 160 and 192 KiB. */
#define STACK (1024u * 1024)

/* What the child could not do. */
enum duty {
    DUTY_STREAMS,
    DUTY_TERMINAL,
    DUTY_STACK,
    DUTY_FILTER,
    DUTY_EXEC,
};

struct failure {
    enum duty duty;
    int error; /* errno */
};

/* What the child becomes. */
struct start {
    const struct launch *launch;
    const char *path;    /* of the file, and what messages call it */
    int image;           /* or the program in memory, else -1 */
    struct rlimit stack; /* its limit, where ours is another; else all 0 */
    sigset_t mask;       /* its signal mask, where ours may be another */
};

/*
 * Tries whether as many files can be opened as tracing needs: later, what could
 * not be opened would only be missing in the trace.
 */
int launch_try_descriptors(struct err *err)
{
    int fds[DESCRIPTORS], opened = 0, error;
    struct rlimit limit = {0};

    while (opened < DESCRIPTORS &&
           (fds[opened] = open("/", O_PATH | O_CLOEXEC)) >= 0)
        opened++;
    error = errno;
    for (int i = 0; i < opened; i++)
        close(fds[i]);
    if (opened == DESCRIPTORS || (error != EMFILE && error != ENFILE))
        return 0;
    getrlimit(RLIMIT_NOFILE, &limit);
    return err_set(err, ERR_TRACING,
                   "tracing takes %d descriptors, and only %d can be opened "
                   "(%s; RLIMIT_NOFILE is %llu); raise that limit: ulimit -n "
                   "256",
                   DESCRIPTORS, opened, strerror(error),
                   (unsigned long long)limit.rlim_cur);
}

/*
 * Raises our own limit where it is too low: the kernel kills who comes to it.
 * The hard limit is raised too, where we may do that. Then *former is what it
 * was.
 */
static int raise_stack(struct rlimit *former, struct err *err)
{
    struct rlimit limit, more;

    if (getrlimit(RLIMIT_STACK, &limit) < 0 || limit.rlim_cur >= STACK)
        return 0;
    more.rlim_cur = STACK;
    more.rlim_max = limit.rlim_max < STACK ? STACK : limit.rlim_max;
    if (setrlimit(RLIMIT_STACK, &more) == 0) {
        *former = limit;
        return 0;
    }
    return err_set(err, ERR_TRACING,
                   "tracing takes a stack of %u KiB, and RLIMIT_STACK allows "
                   "%llu (%s); raise that limit: ulimit -s 8192",
                   STACK / 1024, (unsigned long long)limit.rlim_max / 1024,
                   strerror(errno));
}

int launch_try_stack(struct err *err)
{
    struct rlimit former;

    return raise_stack(&former, err);
}

/* The kernel ends who writes a larger file (SIGXFSZ in setrlimit(2)). */
static int check_size(const struct launch *launch, struct err *err)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_FSIZE, &limit) < 0 ||
        launch->image.len <= limit.rlim_cur)
        return 0;
    return err_set(err, ERR_TRACING,
                   "the bundled program is a file of %zu bytes, and "
                   "RLIMIT_FSIZE allows %llu; raise that limit: ulimit -f "
                   "unlimited",
                   launch->image.len, (unsigned long long)limit.rlim_cur);
}

/*
 * Tells whether /proc shows our processes: this one, and one that we started.
 * It may be missing (chroot), or be that of another PID namespace.
 */
static int check_proc(pid_t pid, struct err *err)
{
    char path[64], self[32];
    ssize_t len = readlink("/proc/self", self, sizeof self - 1);

    self[len < 0 ? 0 : len] = 0;
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    if (len > 0 && atoi(self) == getpid() && access(path, F_OK) == 0)
        return 0;
    return err_set(err, ERR_TRACING,
                   "%s; jittrace reads there what memory a program has: mount "
                   "it (mount -t proc proc /proc)",
                   len < 0 ? "there is no /proc"
                           : "/proc shows the processes of another PID "
                             "namespace, not those of this one");
}

int launch_try_proc(struct err *err)
{
    return check_proc(getpid(), err);
}

static void close_if_open(int fd)
{
    if (fd >= 0)
        close(fd);
}

_Noreturn static void fail_child(int report, enum duty duty)
{
    struct failure failure = {duty, errno};
    ssize_t ignored = write(report, &failure, sizeof failure);

    (void)ignored;
    _exit(127);
}

/*
 * Puts the streams that the caller chose in their places. One that lies in the
 * place of another is moved out of the way first.
 */
static int place_streams(const struct launch *launch)
{
    int from[] = {launch->stdin_fd, launch->stdout_fd, launch->stderr_fd};
    const int count = sizeof from / sizeof *from;

    for (int to = 0; to < count; to++) {
        if (from[to] < 0 || from[to] >= count || from[to] == to)
            continue;
        from[to] = fcntl(from[to], F_DUPFD_CLOEXEC, count);
        if (from[to] < 0)
            return -1;
    }
    for (int to = 0; to < count; to++) {
        /* dup2 onto itself would leave FD_CLOEXEC set. */
        int result = from[to] == to ? fcntl(to, F_SETFD, 0)
                     : from[to] < 0 ? 0
                                    : dup2(from[to], to);

        if (result < 0)
            return -1;
    }
    return 0;
}

/* Only async-signal-safe calls: this is between fork and exec. */
_Noreturn static void run_child(const struct start *start, int gate, int report)
{
    const struct launch *launch = start->launch;
    ssize_t got;
    char go;

    do
        got = read(gate, &go, 1);
    while (got < 0 && errno == EINTR);
    if (got != 1)
        _exit(127); /* jittrace is gone or has failed */
    if (place_streams(launch) < 0)
        fail_child(report, DUTY_STREAMS);
    if (launch->own_terminal &&
        (setsid() < 0 || ioctl(STDOUT_FILENO, TIOCSCTTY, 0) < 0))
        fail_child(report, DUTY_TERMINAL);
    if (start->stack.rlim_max && setrlimit(RLIMIT_STACK, &start->stack) < 0)
        fail_child(report, DUTY_STACK);
    if (filter_install() < 0)
        fail_child(report, DUTY_FILTER);
    sigprocmask(SIG_SETMASK, &start->mask, NULL);
    if (start->image >= 0)
        fexecve(start->image, launch->argv, environ);
    else
        execv(start->path, launch->argv);
    fail_child(report, DUTY_EXEC);
}

static int describe_failure(const char *path, const struct failure *failure,
                            struct err *err)
{
    if (failure->duty == DUTY_STREAMS || failure->duty == DUTY_TERMINAL)
        return err_set(err, ERR_TRACING, "cannot give '%s' its %s: %s", path,
                       failure->duty == DUTY_STREAMS ? "standard streams"
                                                     : "terminal",
                       strerror(failure->error));
    if (failure->duty == DUTY_STACK)
        return err_set(err, ERR_TRACING,
                       "cannot give '%s' the stack limit that it has without "
                       "jittrace (setrlimit: %s); raise it: ulimit -s 8192",
                       path, strerror(failure->error));
    if (failure->duty == DUTY_FILTER)
        return err_set(err, ERR_TRACING,
                       "the system does not let jittrace install its system "
                       "call filter (seccomp: %s): run it outside of the "
                       "sandbox%s",
                       strerror(failure->error),
                       failure->error == ENOSYS
                           ? ", and on a real CPU (valgrind and qemu-user "
                             "emulate one without it)"
                           : "");
    if (failure->error == ENOENT)
        return err_set(err, ERR_NO_PROGRAM,
                       "cannot start '%s': its interpreter (in the #! line, or "
                       "the dynamic loader) does not exist",
                       path);
    return err_set(err, ERR_NOT_EXECUTABLE, "cannot start '%s': %s", path,
                   strerror(failure->error));
}

/* Waits until the program is loaded, or has failed to be. */
static int wait_for_exec(const char *path, int report, struct tracee *tracee,
                         struct err *err)
{
    struct failure failure;
    struct stop stop = {.kind = STOP_NONE};
    int more;

    while ((more = wait_stop(&stop, WAIT_FOREVER, err)) > 0) {
        if (stop.tid != tracee->tid) /* a child that we did not start */
            continue;
        if (stop.kind == STOP_EXEC)
            return 0;
        if (stop.kind == STOP_EXITED || stop.kind == STOP_KILLED)
            break;
        if (tracee_resume(tracee, RESUME_RUN,
                          stop.kind == STOP_SIGNAL ? stop.signal : 0) < 0 &&
            tracee_fails_to_run(err) < 0) {
            tracee_kill(tracee);
            return -1;
        }
    }
    if (more < 0)
        return -1;
    if (read(report, &failure, sizeof failure) == (ssize_t)sizeof failure)
        return describe_failure(path, &failure, err);
    return err_set(err, ERR_TRACING,
                   "'%s' was killed before it started (signal %d)", path,
                   stop.signal);
}

/* Takes the child over and opens the gate. */
static int take_over(pid_t pid, int gate, const char *path, int report,
                     struct tracee *tracee, struct err *err)
{
    struct stop stop;
    struct err ignored;
    int result;

    *tracee = (struct tracee){.tid = pid, .pid = pid};
    result = check_proc(pid, err);
    if (result == 0)
        result = tracee_seize(pid, err);
    tracee_pin(tracee);
    if (result == 0 && write(gate, "", 1) != 1)
        result = err_set(err, ERR_TRACING, "cannot start the program: %s",
                         strerror(errno));
    if (result < 0)
        kill(pid, SIGKILL);
    close(gate);
    if (result == 0)
        return wait_for_exec(path, report, tracee, err);
    while (wait_stop(&stop, WAIT_FOREVER, &ignored) > 0 && stop.tid != pid)
        continue;
    return result;
}

/* Starts the program and stops it when it is loaded. */
static int start_child(const struct start *start, struct tracee *tracee,
                       struct err *err)
{
    int gate[2] = {-1, -1}, report[2] = {-1, -1}, result = -1;
    pid_t pid = -1;

    if (pipe2(gate, O_CLOEXEC) < 0 || pipe2(report, O_CLOEXEC) < 0)
        err_set(err, ERR_TRACING, "cannot make a pipe: %s", strerror(errno));
    else if ((pid = fork()) < 0)
        err_set(err, ERR_TRACING,
                "cannot start a process: %s (ulimit -u and the container set "
                "how many there may be)",
                strerror(errno));
    if (pid == 0) {
        close(gate[1]);
        run_child(start, gate[0], report[1]);
    }
    close_if_open(gate[0]);
    close_if_open(report[1]);
    if (pid > 0)
        result = take_over(pid, gate[1], start->path, report[0], tracee, err);
    else
        close_if_open(gate[1]);
    close_if_open(report[0]);
    return result;
}

/* Those that would end us wait as long as there is a file to be removed. */
static void block_signals(sigset_t *before)
{
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, before);
}

int launch_try_file(const struct launch *launch, char *where, size_t size)
{
    int error = 0, result = -1;
    const char *place;
    struct err ignored;

    if (check_size(launch, &ignored) < 0) {
        errno = EFBIG;
        return -1;
    }
    for (unsigned n = 0; result < 0 && (place = image_place(n)) != NULL; n++) {
        struct image_file file;
        sigset_t mask;

        block_signals(&mask);
        result = image_unpack(place, launch->argv[0], launch->image, &file);
        error = result < 0 && !error ? errno : error;
        if (result == 0)
            image_remove(&file);
        sigprocmask(SIG_SETMASK, &mask, NULL);
        snprintf(where, size, "%s", place);
    }
    errno = error;
    return result;
}

/*
 * Unpacks the image, starts it, and removes what was unpacked: in the first
 * directory where that is possible. Signals that would end us wait until it is
 * removed, and end us then. memory says why it could not be done without a
 * file.
 */
static int start_unpacked(struct start *start, const char *memory,
                          struct tracee *tracee, struct err *err)
{
    const struct launch *launch = start->launch;
    const char *place;
    int error = 0;

    for (unsigned n = 0; (place = image_place(n)) != NULL; n++) {
        struct image_file file;
        sigset_t mask;
        int result, why = EACCES;

        err->kind = ERR_NOT_EXECUTABLE;
        block_signals(&mask);
        result = image_unpack(place, launch->argv[0], launch->image, &file);
        if (result < 0) {
            why = errno;
        } else {
            start->path = file.path;
            result = start_child(start, tracee, err);
            image_remove(&file);
        }
        sigprocmask(SIG_SETMASK, &mask, NULL);
        if (result == 0 || err->kind != ERR_NOT_EXECUTABLE)
            return result;
        error = error ? error : why;
    }
    return err_set(err, ERR_TRACING,
                   "cannot unpack the bundled program: not in memory (%s), nor "
                   "in TMPDIR, /tmp, /var/tmp or this directory (%s); set "
                   "TMPDIR to a directory where programs may be written and "
                   "executed, or compile one and trace that: jittrace -- "
                   "./my-babyjit",
                   memory, strerror(error));
}

/* Some systems do not let programs be made, or executed, in memory. */
static int start_image(struct start *start, struct tracee *tracee,
                       struct err *err)
{
    char cause[128] = "it may not be executed there";
    int result;

    start->image =
        image_in_memory(start->launch->argv[0], start->launch->image);
    start->path = "the bundled program";
    if (start->image >= 0) {
        result = start_child(start, tracee, err);
        close(start->image);
        start->image = -1;
        if (result == 0 || err->kind == ERR_TRACING)
            return result;
    } else {
        snprintf(cause, sizeof cause, "memfd_create: %s", strerror(errno));
    }
    return start_unpacked(start, cause, tracee, err);
}

int launch(const struct launch *launch, struct tracee *tracee, struct err *err)
{
    char path[PATH_MAX];
    struct start start = {.launch = launch, .path = path, .image = -1};

    sigprocmask(SIG_SETMASK, NULL, &start.mask);
    if (!launch->image.data && (program_find(launch->argv[0], path, err) < 0 ||
                                program_check(path, err) < 0))
        return -1;
    if (check_proc(getpid(), err) < 0 || launch_try_descriptors(err) < 0 ||
        raise_stack(&start.stack, err) < 0 || check_size(launch, err) < 0)
        return -1;
    return launch->image.data ? start_image(&start, tracee, err)
                              : start_child(&start, tracee, err);
}
