/* SPDX-License-Identifier: MIT */
/*
 * The order matters:
 *
 *      jittrace                        child
 *      clone ----------------------->  waits on the gate
 *      PTRACE_SEIZE
 *      opens the gate -------------->  installs the filter, exec
 *      waits for STOP_EXEC  <--------
 *
 * The child must not stop itself before it is seized: a stop from before
 * becomes a group-stop that later forks inherit. What goes wrong in the child
 * comes back as a struct err through a pipe that exec closes.
 *
 * The child has jittrace's memory until its exec, as that of posix_spawn(3) has,
 * and a stack of its own: to copy the memory takes an eighth of a short run. So
 * it does only what is async-signal-safe, and jittrace meanwhile waits in system
 * calls that do not fail: both have one errno.
 */
#include "target/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "target/filter.h"
#include "target/inject.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x10u /* since Linux 6.3 */
#endif

/* How many descriptors must be free. A trace was complete with 7 and lacked
 * stores with 6, and with --dump-code it took 10; the rest is for libraries and
 * perf maps. */
#define DESCRIPTORS 16

/* Bytes of stack that jittrace has at least. Reading debug information (libdw)
 * was seen to take between 160 and 192 KiB. */
#define STACK (1024u * 1024)

/* Bytes of stack that the child has until its exec. */
#define CHILD_STACK (64u * 1024)

/* What the child becomes. */
struct start {
    const struct launch *launch;
    const char *path;    /* of the file, and what messages call it */
    int image;           /* or the program in memory, else -1 */
    struct rlimit stack; /* its limit; ours is another if it is below STACK */
    sigset_t mask;       /* its signal mask, where ours may be another */
};

/* --- what it takes -------------------------------------------------------- */

/* Later, what could not be opened would only be missing in the trace. */
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

/* The kernel kills who comes to the limit. The hard one is raised too, where we
 * may do that. */
int launch_try_stack(struct err *err)
{
    struct rlimit limit, more = {STACK, STACK};

    if (getrlimit(RLIMIT_STACK, &limit) < 0 || limit.rlim_cur >= STACK)
        return 0;
    if (limit.rlim_max > STACK)
        more.rlim_max = limit.rlim_max;
    if (setrlimit(RLIMIT_STACK, &more) == 0)
        return 0;
    return err_set(err, ERR_TRACING,
                   "tracing takes a stack of %u KiB, and RLIMIT_STACK allows "
                   "%llu (%s); raise that limit: ulimit -s 8192",
                   STACK / 1024, (unsigned long long)limit.rlim_max / 1024,
                   strerror(errno));
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

/* It may be missing (chroot), or be that of another PID namespace. */
int launch_try_proc(pid_t pid, struct err *err)
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

static int has_no_filter(struct err *err)
{
    return err_set(err, ERR_TRACING,
                   "the system does not let jittrace install its system "
                   "call filter (seccomp: %s): run it outside of the "
                   "sandbox%s",
                   strerror(errno),
                   errno == ENOSYS
                       ? ", and on a real CPU (valgrind and qemu-user "
                         "emulate one without it)"
                       : "");
}

/* --- the child ------------------------------------------------------------ */

/* What the child is told, and what it reports. */
struct child {
    const struct start *start;
    int gate[2], report[2]; /* pipes */
    struct err err;
};

/* Returns only if it fails, with err filled. No other thread holds a lock:
 * there are none. */
static int become_program(const struct start *start, struct err *err)
{
    const struct launch *launch = start->launch;
    int from[] = {launch->stdin_fd, launch->stdout_fd, launch->stderr_fd};
    const int count = sizeof from / sizeof *from;
    const char *path = start->path;
    bool placed = true;

    /* One that lies in the place of another is moved out of the way first; dup2
     * onto itself would leave FD_CLOEXEC set. */
    for (int to = 0; to < count && placed; to++)
        if (from[to] >= 0 && from[to] < count && from[to] != to)
            placed = (from[to] = fcntl(from[to], F_DUPFD_CLOEXEC, count)) >= 0;
    for (int to = 0; to < count && placed; to++)
        if (from[to] >= 0)
            placed = (from[to] == to ? fcntl(to, F_SETFD, 0)
                                     : dup2(from[to], to)) >= 0;
    if (!placed)
        return err_set(err, ERR_TRACING,
                       "cannot give '%s' its standard streams: %s", path,
                       strerror(errno));
    if (launch->own_terminal &&
        (setsid() < 0 || ioctl(STDOUT_FILENO, TIOCSCTTY, 0) < 0))
        return err_set(err, ERR_TRACING, "cannot give '%s' its terminal: %s",
                       path, strerror(errno));
    if (start->stack.rlim_cur < STACK &&
        setrlimit(RLIMIT_STACK, &start->stack) < 0)
        return err_set(err, ERR_TRACING,
                       "cannot give '%s' the stack limit that it has without "
                       "jittrace (setrlimit: %s); raise it: ulimit -s 8192",
                       path, strerror(errno));
    if (filter_install() < 0)
        return has_no_filter(err);
    sigprocmask(SIG_SETMASK, &start->mask, NULL);
    if (start->image >= 0)
        fexecve(start->image, launch->argv, environ);
    else
        execv(path, launch->argv);
    if (errno == ENOENT)
        return err_set(err, ERR_NO_PROGRAM,
                       "cannot start '%s': its interpreter (in the #! line, or "
                       "the dynamic loader) does not exist",
                       path);
    return err_set(err, ERR_NOT_EXECUTABLE, "cannot start '%s': %s", path,
                   strerror(errno));
}

static int run_child(void *data)
{
    struct child *child = data;
    ssize_t got;
    char go;

    close(child->gate[1]);
    got = TEMP_FAILURE_RETRY(read(child->gate[0], &go, 1));
    if (got == 1) { /* else jittrace is gone or has failed */
        become_program(child->start, &child->err);
        got = write(child->report[1], &child->err, sizeof child->err);
        (void)got;
    }
    _exit(127);
}

/* --- jittrace ------------------------------------------------------------- */

/* Waits until the program is loaded, or has failed to be. */
static int wait_for_exec(const char *path, int report, struct tracee *tracee,
                         struct err *err)
{
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
    if (read(report, err, sizeof *err) == (ssize_t)sizeof *err)
        return -1;
    return err_set(err, ERR_TRACING,
                   "'%s' was killed before it started (signal %d)", path,
                   stop.signal);
}

/* Starts the program, takes it over and stops it when it is loaded. What is not
 * open is -1, and is closed as well. */
static int start_child(const struct start *start, struct tracee *tracee,
                       struct err *err)
{
    struct child child = {start, {-1, -1}, {-1, -1}, {0}};
    static _Alignas(16) char stack[CHILD_STACK];
    int result = -1;
    pid_t pid = -1;

    if (filter_try() < 0)
        has_no_filter(err);
    else if (pipe2(child.gate, O_CLOEXEC) < 0 ||
             pipe2(child.report, O_CLOEXEC) < 0)
        err_set(err, ERR_TRACING, "cannot make a pipe: %s", strerror(errno));
    else if ((pid = clone(run_child, stack + sizeof stack, CLONE_VM | SIGCHLD,
                          &child)) < 0)
        err_set(err, ERR_TRACING,
                "cannot start a process: %s (ulimit -u and the container set "
                "how many there may be)",
                strerror(errno));
    close(child.gate[0]);
    close(child.report[1]);
    if (pid > 0) {
        *tracee = (struct tracee){.tid = pid, .pid = pid};
        result = launch_try_proc(pid, err);
        if (result == 0)
            result = tracee_seize(pid, err);
        tracee_pin(tracee);
        if (result == 0 && write(child.gate[1], "", 1) != 1)
            result = err_set(err, ERR_TRACING, "cannot start the program: %s",
                             strerror(errno));
        if (result < 0)
            tracee_kill(tracee);
    }
    close(child.gate[1]);
    if (result == 0)
        result = wait_for_exec(start->path, child.report[0], tracee, err);
    close(child.report[0]);
    return result;
}

/* --- a program that is only bytes ----------------------------------------- */

/* Writes all of it. Returns fd; or -1 with errno, and fd is closed. */
static int fill(int fd, struct bytes bytes)
{
    ssize_t got;
    int error;

    while (fd >= 0 && bytes.len > 0 &&
           (got = write(fd, bytes.data, bytes.len)) > 0) {
        bytes.data += got;
        bytes.len -= (size_t)got;
    }
    if (fd < 0 || bytes.len == 0)
        return fd;
    error = errno;
    close(fd);
    errno = error;
    return -1;
}

static void remove_unpacked(char *path)
{
    unlink(path);
    *strrchr(path, '/') = 0;
    rmdir(path);
}

/* Unpacks the image into a directory of its own below `where`, under its name,
 * which becomes that of the process. The file is closed again: one that
 * somebody may write is not executed (ETXTBSY). And it must be executable in
 * truth: not so where that is mounted noexec. Returns 0; or -1 with errno, and
 * nothing is left behind then. */
static int unpack(const struct launch *launch, const char *where,
                  char path[PATH_MAX])
{
    const char *name = launch->argv[0];
    char *slash;
    int fd, error;

    if (snprintf(path, PATH_MAX, "%s/jittrace-XXXXXX/%s", where, name) >=
        PATH_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    slash = path + strlen(path) - strlen(name) - 1;
    *slash = 0;
    if (!mkdtemp(path))
        return -1;
    *slash = '/';

    fd = fill(open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700),
              launch->image);
    if (fd >= 0 && close(fd) == 0 && chmod(path, 0700) == 0 &&
        access(path, X_OK) == 0)
        return 0;
    error = errno;
    remove_unpacked(path);
    errno = error;
    return -1;
}

/* Unpacks the image, starts it if there is a tracee, and removes what was
 * unpacked: in the first directory where that is possible; *where is it.
 * Signals that would end us wait until it is removed, and end us then. Returns
 * 0 or -1: with err filled or, where its kind is ERR_NOT_EXECUTABLE, errno. */
static int start_unpacked(struct start *start, struct tracee *tracee,
                          const char **where, struct err *err)
{
    const char *const places[] = {getenv("TMPDIR"), "/tmp", "/var/tmp", "."};
    sigset_t all, mask;
    int error = 0;

    sigfillset(&all);
    err->kind = ERR_NOT_EXECUTABLE;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char path[PATH_MAX];
        int result, why = EACCES;

        *where = places[i];
        if (!places[i] || !*places[i])
            continue;
        sigprocmask(SIG_BLOCK, &all, &mask);
        result = unpack(start->launch, places[i], path);
        if (result < 0) {
            why = errno;
        } else {
            start->path = path;
            if (tracee)
                result = start_child(start, tracee, err);
            start->path = places[i];
            remove_unpacked(path);
        }
        sigprocmask(SIG_SETMASK, &mask, NULL);
        if (result == 0 || err->kind != ERR_NOT_EXECUTABLE)
            return result;
        error = error ? error : why;
    }
    errno = error;
    return -1;
}

int launch_try_file(const struct launch *launch, const char **where)
{
    struct start start = {.launch = launch};
    struct err ignored;

    if (check_size(launch, &ignored) == 0)
        return start_unpacked(&start, NULL, where, &ignored);
    errno = EFBIG;
    return -1;
}

/* In a file without a name (memfd_create(2)): Linux before 6.3 does not know
 * MFD_EXEC, and needs none. Some systems do not let programs be made, or
 * executed, in memory. */
static int start_image(struct start *start, struct tracee *tracee,
                       struct err *err)
{
    const struct launch *launch = start->launch;
    char cause[128] = "it may not be executed there";
    const char *where;
    int result;

    start->image = memfd_create(launch->argv[0], MFD_CLOEXEC | MFD_EXEC);
    if (start->image < 0 && errno == EINVAL)
        start->image = memfd_create(launch->argv[0], MFD_CLOEXEC);
    start->image = fill(start->image, launch->image);
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
    result = start_unpacked(start, tracee, &where, err);
    if (result == 0 || err->kind != ERR_NOT_EXECUTABLE)
        return result;
    return err_set(err, ERR_TRACING,
                   "cannot unpack the bundled program: not in memory (%s), nor "
                   "in TMPDIR, /tmp, /var/tmp or this directory (%s); set "
                   "TMPDIR to a directory where programs may be written and "
                   "executed, or compile one and trace that: jittrace -- "
                   "./my-babyjit",
                   cause, strerror(errno));
}

int launch(const struct launch *launch, struct tracee *tracee, struct err *err)
{
    char path[PATH_MAX];
    struct start start = {.launch = launch, .path = path, .image = -1};

    start.stack.rlim_cur = RLIM_INFINITY;
    sigprocmask(SIG_SETMASK, NULL, &start.mask);
    getrlimit(RLIMIT_STACK, &start.stack);
    if (!launch->image.data && program_find(launch->argv[0], path, err) < 0)
        return -1;
    if (launch_try_proc(getpid(), err) < 0 || launch_try_descriptors(err) < 0 ||
        launch_try_stack(err) < 0 || check_size(launch, err) < 0)
        return -1;
    return launch->image.data ? start_image(&start, tracee, err)
                              : start_child(&start, tracee, err);
}
