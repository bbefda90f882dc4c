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

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "target/filter.h"

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

#define SCRIPT_LINE 256 /* bytes of it that the kernel reads (execve(2)) */

static const char *machine_name(unsigned machine)
{
    switch (machine) {
    case EM_386:
        return "32-bit x86";
    case EM_AARCH64:
        return "AArch64";
    case EM_ARM:
        return "32-bit ARM";
    case EM_RISCV:
        return "RISC-V";
    case EM_PPC64:
        return "PowerPC";
    case EM_S390:
        return "S/390";
    default:
        return "another CPU";
    }
}

static int check_elf(const char *name, const Elf64_Ehdr *header,
                     struct err *err)
{
    if (header->e_ident[EI_DATA] != ELFDATA2LSB ||
        header->e_machine != EM_X86_64)
        return err_set(err, ERR_NOT_EXECUTABLE,
                       "'%s' is a program for %s; jittrace traces programs "
                       "for x86-64",
                       name,
                       header->e_ident[EI_DATA] == ELFDATA2LSB
                           ? machine_name(header->e_machine)
                           : "another CPU");
    if (header->e_ident[EI_CLASS] != ELFCLASS64)
        return err_set(err, ERR_NOT_EXECUTABLE,
                       "'%s' is an x32 program, with 32-bit pointers; jittrace "
                       "traces 64-bit programs",
                       name);
    if (header->e_type != ET_EXEC && header->e_type != ET_DYN)
        return err_set(err, ERR_NOT_EXECUTABLE,
                       "'%s' is an object file, not a program; link it first "
                       "(gcc -o program %s)",
                       name, name);
    return 0;
}

int launch_check_image(const char *name, struct bytes head, struct err *err)
{
    Elf64_Ehdr header = {0};

    if (head.len >= 2 && !memcmp(head.data, "#!", 2))
        return 0;
    if (head.len < SELFMAG || memcmp(head.data, ELFMAG, SELFMAG) != 0)
        return err_set(err, ERR_NOT_EXECUTABLE,
                       "'%s' is not a program: it is no ELF file, and a script "
                       "must begin with #! and its interpreter",
                       name);
    memcpy(&header, head.data,
           head.len < sizeof header ? head.len : sizeof header);
    return check_elf(name, &header, err);
}

/*
 * A program that gets rights from its file does not get them when it is traced
 * (execve(2)), and would do something else then.
 */
static int check_rights(const char *path, const struct stat *status,
                        struct err *err)
{
    bool by_user = (status->st_mode & S_ISUID) && status->st_uid != geteuid();
    bool by_group = (status->st_mode & S_ISGID) &&
                    (status->st_mode & S_IXGRP) && status->st_gid != getegid();
    bool by_capability =
        geteuid() != 0 && getxattr(path, "security.capability", NULL, 0) > 0;
    struct statvfs mount;

    if (!by_user && !by_group && !by_capability)
        return 0;
    if ((statvfs(path, &mount) == 0 && (mount.f_flag & ST_NOSUID)) ||
        prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
        return 0; /* nor would it get them without us */
    return err_set(err, ERR_NOT_EXECUTABLE,
                   "'%s' has rights of its own (%s), which the kernel does not "
                   "give to a program that is traced; run jittrace as %s, or "
                   "trace a copy of it",
                   path,
                   by_user    ? "setuid"
                   : by_group ? "setgid"
                              : "capabilities",
                   by_user    ? "the user who owns it"
                   : by_group ? "a user of its group"
                              : "root");
}

/* The directory at which the file system of the file is mounted with the flag:
 * the topmost above it that is the same. */
static void find_mount(const char *path, unsigned long flag, char *mount)
{
    char above[PATH_MAX];
    struct stat file, status;
    struct statvfs flags;
    char *slash;

    if (!realpath(path, above) || stat(path, &file) < 0)
        strcpy(above, "/");
    strcpy(mount, "/");
    while ((slash = strrchr(above, '/')) && above[1]) {
        slash[slash == above] = 0;
        if (stat(above, &status) < 0 || status.st_dev != file.st_dev ||
            statvfs(above, &flags) < 0 || !(flags.f_flag & flag))
            return;
        strcpy(mount, above);
    }
}

static int check_executable(const char *path, struct err *err)
{
    char mount[PATH_MAX];
    struct statvfs flags;
    int error;

    if (access(path, X_OK) == 0)
        return 0;
    error = errno;
    if (statvfs(path, &flags) < 0 || !(flags.f_flag & ST_NOEXEC))
        return err_set(err, ERR_NOT_EXECUTABLE,
                       "'%s' may not be executed: %s (chmod +x allows it)",
                       path, strerror(error));
    find_mount(path, ST_NOEXEC, mount);
    return err_set(err, ERR_NOT_EXECUTABLE,
                   "'%s' may not be executed: no program may in the file "
                   "system mounted on '%s' (noexec); copy it to another one, "
                   "or allow it as root: mount -o remount,exec %s",
                   path, mount, mount);
}

/* The kernel hides the memory of a program that its user may not read. */
static int check_readable(const char *path, struct err *err)
{
    if (errno != EACCES && errno != EPERM)
        return 0; /* exec will tell */
    return err_set(err, ERR_NOT_EXECUTABLE,
                   "'%s' may be executed but not read (%s), and jittrace can "
                   "trace only what it may read; allow it (chmod a+r), or run "
                   "jittrace as root",
                   path, strerror(errno));
}

#define MAX_SCRIPTS 5 /* that start each other: execve(2) */

static int check_file(const char *path, unsigned depth, struct err *err);

/* A script is what its interpreter is. The line is cut at 255 bytes. */
static int check_script(const char *path, const char *line, unsigned depth,
                        struct err *err)
{
    const char *name = line + strspn(line, " \t");
    char interpreter[SCRIPT_LINE];
    size_t len = strcspn(name, " \t\n");
    struct stat status;

    if (len == 0 || depth == MAX_SCRIPTS)
        return 0; /* exec will tell */
    memcpy(interpreter, name, len);
    interpreter[len] = 0;
    if (stat(interpreter, &status) < 0 && errno == ENOENT) {
        bool carriage_return = interpreter[len - 1] == '\r';

        interpreter[len - carriage_return] = 0;
        return err_set(err, ERR_NO_PROGRAM,
                       "cannot start '%s': its interpreter '%s' (in the #! "
                       "line) does not exist%s",
                       path, interpreter,
                       carriage_return ? "; the line ends with a carriage "
                                         "return, which counts as part of it"
                                       : "");
    }
    return check_file(interpreter, depth + 1, err);
}

/* Checks what can be known of a file before anything is started. */
static int check_file(const char *path, unsigned depth, struct err *err)
{
    char head[SCRIPT_LINE] = "";
    struct stat status;
    ssize_t got;
    int fd;

    if (stat(path, &status) < 0)
        return err_set(err,
                       errno == ENOENT || errno == ENOTDIR ? ERR_NO_PROGRAM
                                                           : ERR_NOT_EXECUTABLE,
                       "cannot find the program '%s': %s", path,
                       strerror(errno));
    if (S_ISDIR(status.st_mode))
        return err_set(err, ERR_NOT_EXECUTABLE,
                       "'%s' is a directory; name a program in it", path);
    if (!S_ISREG(status.st_mode)) /* to open a FIFO could take for ever */
        return err_set(err, ERR_NOT_EXECUTABLE,
                       "'%s' is no file but a %s, and cannot be executed", path,
                       S_ISFIFO(status.st_mode)   ? "FIFO"
                       : S_ISSOCK(status.st_mode) ? "socket"
                                                  : "device");
    if (check_executable(path, err) < 0 || check_rights(path, &status, err) < 0)
        return -1;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return check_readable(path, err);
    got = read(fd, head, sizeof head - 1);
    close(fd);
    if (got >= 2 && memcmp(head, "#!", 2) == 0)
        return check_script(path, head + 2, depth, err);
    return launch_check_image(
        path, (struct bytes){(uint8_t *)head, got > 0 ? (size_t)got : 0}, err);
}

/* What a name in PATH can mean, from the worst to the best. */
enum candidate {
    NOT_THERE,
    NO_FILE, /* a directory, or another thing that is no program */
    NOT_EXECUTABLE,
    EXECUTABLE,
};

static enum candidate look_at(const char *path)
{
    struct stat status;

    if (stat(path, &status) < 0)
        return NOT_THERE;
    if (!S_ISREG(status.st_mode))
        return NO_FILE;
    return access(path, X_OK) == 0 ? EXECUTABLE : NOT_EXECUTABLE;
}

/*
 * Finds name in PATH, as execvp(3) does; names with a slash stay. What cannot
 * be executed is passed over, but it is what was found if there is nothing
 * better: check_file then says why not.
 */
static int find_program(const char *name, char *path, struct err *err)
{
    const char *search = getenv("PATH");
    enum candidate best = NOT_THERE;
    char here[PATH_MAX];

    if (strlen(name) >= PATH_MAX || !*name)
        return err_set(err, ERR_NO_PROGRAM,
                       "the name of the program is empty or too long");
    strcpy(path, name);
    if (strchr(name, '/'))
        return 0;
    search = search ? search : "/bin:/usr/bin";
    for (bool more = true; more && best != EXECUTABLE;) {
        size_t len = strcspn(search, ":");

        if (len + strlen(name) + 2 < PATH_MAX) {
            enum candidate found;

            memcpy(here, search, len);
            strcpy(here + len, len ? "/" : "");
            strcat(here, name);
            found = look_at(here);
            if (found > best)
                strcpy(path, here);
            best = found > best ? found : best;
        }
        more = search[len] == ':';
        search += len + 1;
    }
    if (best != NOT_THERE)
        return 0;
    return err_set(err, ERR_NO_PROGRAM,
                   "cannot find the program '%s' in PATH; one in this "
                   "directory is written ./%s",
                   name, name);
}

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

/* Returns 0, or -1 with errno. */
static int write_all(int fd, struct bytes bytes)
{
    for (size_t done = 0; done < bytes.len;) {
        ssize_t got = write(fd, bytes.data + done, bytes.len - done);

        if (got <= 0)
            return -1;
        done += (size_t)got;
    }
    return 0;
}

#ifndef MFD_EXEC
#define MFD_EXEC 0x10u /* since Linux 6.3 */
#endif

/* Puts the image into a file without a name. Returns its descriptor, or -1 with
 * errno. Linux before 6.3 does not know MFD_EXEC, and needs none. */
static int make_memfd(const struct launch *launch)
{
    int fd = memfd_create(launch->argv[0], MFD_CLOEXEC | MFD_EXEC);
    int error;

    if (fd < 0 && errno == EINVAL)
        fd = memfd_create(launch->argv[0], MFD_CLOEXEC);
    if (fd < 0 || write_all(fd, launch->image) == 0)
        return fd;
    error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* The image in a file that has a name. */
struct unpacked {
    char directory[PATH_MAX]; /* made for it alone */
    char path[PATH_MAX];
};

static void remove_unpacked(const struct unpacked *file)
{
    unlink(file->path);
    rmdir(file->directory);
}

/* Makes the file. It is closed again: one that somebody may write is not
 * executed (ETXTBSY). Returns 0, or -1 with errno. */
static int write_unpacked(const struct unpacked *file, struct bytes image)
{
    int fd = open(file->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
    int error;

    if (fd < 0)
        return -1;
    if (fchmod(fd, 0700) < 0 || write_all(fd, image) < 0) {
        error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    return close(fd) < 0 ? -1 : access(file->path, X_OK); /* noexec? */
}

/*
 * Unpacks the image below that directory. The file has the program's name,
 * which becomes that of the process. Returns 0; or -1 with errno, and nothing
 * is left behind then.
 */
static int unpack(const char *where, const struct launch *launch,
                  struct unpacked *file)
{
    int error;

    if (snprintf(file->directory, sizeof file->directory, "%s/jittrace-XXXXXX",
                 where) >= (int)sizeof file->directory ||
        strlen(file->directory) + strlen(launch->argv[0]) + 2 > PATH_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (!mkdtemp(file->directory))
        return -1;
    strcpy(file->path, file->directory);
    strcat(strcat(file->path, "/"), launch->argv[0]);
    if (write_unpacked(file, launch->image) == 0)
        return 0;
    error = errno;
    remove_unpacked(file);
    errno = error;
    return -1;
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

#define PLACES 4

/* The directories to unpack in, the first ones first; NULL or "": none. */
static void find_places(const char *places[PLACES])
{
    places[0] = getenv("TMPDIR");
    places[1] = "/tmp";
    places[2] = "/var/tmp";
    places[3] = ".";
}

int launch_try_file(const struct launch *launch, char *where, size_t size)
{
    const char *places[PLACES];
    int error = 0, result = -1;
    struct err ignored;

    if (check_size(launch, &ignored) < 0) {
        errno = EFBIG;
        return -1;
    }
    find_places(places);
    for (size_t i = 0; i < PLACES && result < 0; i++) {
        struct unpacked file;
        sigset_t mask;

        if (!places[i] || !*places[i])
            continue;
        block_signals(&mask);
        result = unpack(places[i], launch, &file);
        error = result < 0 && !error ? errno : error;
        if (result == 0)
            remove_unpacked(&file);
        sigprocmask(SIG_SETMASK, &mask, NULL);
        snprintf(where, size, "%s", places[i]);
    }
    errno = error;
    return result;
}

/*
 * Unpacks the image there, starts it, and removes what was unpacked. Signals
 * that would end us wait until that is done, and end us then. Returns 0; or -1
 * with err filled, or with its kind ERR_NONE and errno: it cannot be unpacked.
 */
static int start_in(const char *where, struct start *start,
                    struct tracee *tracee, struct err *err)
{
    struct unpacked file;
    sigset_t mask;
    int result, error;

    err->kind = ERR_NONE;
    block_signals(&mask);
    result = unpack(where, start->launch, &file);
    error = errno;
    if (result == 0) {
        start->path = file.path;
        result = start_child(start, tracee, err);
        remove_unpacked(&file);
    }
    sigprocmask(SIG_SETMASK, &mask, NULL);
    errno = error;
    return result;
}

/* Starts the image from a file, in the first directory where that is possible.
 * memory says why it could not be done without one. */
static int start_unpacked(struct start *start, const char *memory,
                          struct tracee *tracee, struct err *err)
{
    const char *places[PLACES];
    int error = 0, result;

    find_places(places);

    for (size_t i = 0; i < PLACES; i++) {
        if (!places[i] || !*places[i])
            continue;
        result = start_in(places[i], start, tracee, err);
        if (result == 0 ||
            (err->kind != ERR_NONE && err->kind != ERR_NOT_EXECUTABLE))
            return result;
        error = error ? error : err->kind == ERR_NONE ? errno : EACCES;
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

    start->image = make_memfd(start->launch);
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
    if (!launch->image.data && (find_program(launch->argv[0], path, err) < 0 ||
                                check_file(path, 0, err) < 0))
        return -1;
    if (check_proc(getpid(), err) < 0 || launch_try_descriptors(err) < 0 ||
        raise_stack(&start.stack, err) < 0 || check_size(launch, err) < 0)
        return -1;
    return launch->image.data ? start_image(&start, tracee, err)
                              : start_child(&start, tracee, err);
}
