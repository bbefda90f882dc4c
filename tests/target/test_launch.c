/* SPDX-License-Identifier: MIT */
/*
 * Starting a program where the system is in the way: what is started all the
 * same, and what is refused, before the program runs, with cause and remedy.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sysexits.h>
#include <unistd.h>

#include "support/refuse.h"
#include "support/support.h"

TestSuite(launch, .timeout = 20);

#define NOT_EXECUTABLE 126
#define NOT_FOUND      127
#define NOBODY         65534
#define SMALL_STACK    65536

static bool has(struct buf *buf, const char *part)
{
    return strstr(buf_text(buf), part) != NULL;
}

/* One line on standard error, with all of these parts; nothing was printed. */
static void refused(const struct job *command, int status,
                    const char *const *parts)
{
    struct result result;

    run(command, &result);
    cr_assert(eq(int, result.status, status), "%s", buf_text(&result.err));
    cr_assert(eq(str, (char *)buf_text(&result.out), ""));
    cr_assert(eq(sz, count_lines(buf_text(&result.err)), 1), "%s",
              buf_text(&result.err));
    for (; *parts; parts++)
        cr_assert(eq(int, has(&result.err, *parts), 1), "no '%s' in: %s",
                  *parts, buf_text(&result.err));
    result_release(&result);
}

/* An empty directory for temporary files, and that it is one again. */
static const char *make_directory(void)
{
    const char *name = scratch(".d");

    cr_assert(eq(int, mkdir(name, 0755), 0));
    return name;
}

static void expect_empty(const char *directory)
{
    cr_assert(eq(int, rmdir(directory), 0), "something was left in %s",
              directory);
}

static int without_memfd(void)
{
    return refuse(SYS_memfd_create, ENOSYS);
}

static int with_memfd_forbidden(void)
{
    return refuse(SYS_memfd_create, EPERM);
}

static int without_execveat(void)
{
    return refuse(SYS_execveat, EPERM);
}

static int without_any_file(void)
{
    return without_memfd() < 0 ? -1 : refuse(SYS_mkdir, EROFS);
}

/* TMPDIR=directory; never freed. */
static const char *tmpdir(const char *directory)
{
    char *set;

    cr_assert(ge(int, asprintf(&set, "TMPDIR=%s", directory), 0));
    return set;
}

/* The trace from a file is that from memory, but for the name. */
static void traced_from_a_file(int (*prepare)(void))
{
    const char *directory = make_directory();
    struct buf expected = {0}, got = {0};
    struct result result;
    struct store store;
    const char *exe;

    trace(&(struct job){.argv = ARGS("1")}, &store, &result);
    kinds(&store, &expected);
    store_release(&store);
    result_release(&result);
    trace(&(struct job){.argv = ARGS("1"),
                        .prepare = prepare,
                        .env = ARGS(tmpdir(directory))},
          &store, &result);
    kinds(&store, &got);
    exe = nth(&store, EVENT_START, 0)->start.exe;
    cr_assert(eq(int, result.status, 0), "%s", buf_text(&result.err));
    cr_assert(eq(str, (char *)buf_text(&result.out), "2 3 4\n"));
    cr_assert(eq(str, (char *)buf_text(&got), (char *)buf_text(&expected)));
    cr_assert(eq(int, strstr(exe, "/babyjit (deleted)") != NULL, 1), "%s", exe);
    cr_assert(eq(int, strstr(exe, directory) != NULL, 1), "%s", exe);
    expect_empty(directory);
    buf_release(&expected);
    buf_release(&got);
    store_release(&store);
    result_release(&result);
}

Test(launch, no_memfd)
{
    traced_from_a_file(without_memfd);
    traced_from_a_file(with_memfd_forbidden);
}

Test(launch, a_memfd_that_may_not_be_executed)
{
    traced_from_a_file(without_execveat);
}

/* The process has the program's name, as a user sees it in ps. */
Test(launch, no_memfd_and_no_tmpdir)
{
    struct result result;

    run(&(struct job){.argv = ARGS(JITTRACE, "-o", "/dev/null", "1"),
                      .prepare = without_memfd,
                      .env = ARGS("TMPDIR=/nonexistent")},
        &result);
    cr_assert(eq(int, result.status, 0), "%s", buf_text(&result.err));
    cr_assert(eq(str, (char *)buf_text(&result.out), "2 3 4\n"));
    result_release(&result);
}

/*
 * Whatever ends jittrace while there is a file: it is gone, and so is who was
 * to execute it. The signal is sent as soon as something is seen there.
 */
static void ended_while_unpacked(const char *const *argv, bool group,
                                 int signal)
{
    const char *directory = make_directory();
    int watch = inotify_init1(IN_CLOEXEC);
    char bytes[4096];
    struct running running;
    struct result result;
    int ended = 0; /* by the signal; a late one finds it at its end */

    cr_assert(ge(int, watch, 0));
    cr_assert(ge(int, inotify_add_watch(watch, directory, IN_CREATE), 0));
    for (int i = 0; i < 5; i++) {
        run_begin(&(struct job){.argv = argv,
                                .prepare = without_memfd,
                                .env = ARGS(tmpdir(directory))},
                  &running);
        cr_assert(lt(i64, 0, read(watch, bytes, sizeof bytes)));
        kill(group ? -running.pid : running.pid, signal);
        run_end(&running, &result);
        ended += result.status == 128 + signal;
        while (kill(-running.pid, 0) == 0)
            cr_assert(eq(int, wait_a_moment(running.since, 5 * SLOWNESS), 1),
                      "somebody is left");
        cr_assert(eq(int, rmdir(directory), 0), "left after signal %d", signal);
        cr_assert(eq(int, mkdir(directory, 0755), 0));
        cr_assert(ge(int, inotify_add_watch(watch, directory, IN_CREATE), 0));
        result_release(&result);
    }
    cr_assert(lt(int, 0, ended));
    close(watch);
    expect_empty(directory);
}

Test(launch, ended_while_the_program_is_unpacked, .timeout = 60)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};

    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        ended_while_unpacked(ARGS(JITTRACE, "-o", "/dev/null", "1"), false,
                             signals[i]);
        ended_while_unpacked(ARGS(JITTRACE, "--doctor"), false, signals[i]);
        ended_while_unpacked(ARGS(JITTRACE, "--doctor"), true, signals[i]);
    }
}

Test(launch, no_memfd_and_no_file)
{
    refused(
        &(struct job){.argv = ARGS(JITTRACE, "1"), .prepare = without_any_file},
        EX_OSERR,
        ARGS("memfd_create: Function not implemented", "Read-only file system",
             "set TMPDIR", "jittrace -- ./my-babyjit"));
}

/* vm.memfd_noexec belongs to a PID namespace; it can only be raised there. */
static void started_with_memfd_noexec(const char *level)
{
    static const char script[] =
        "echo $1 >/proc/sys/vm/memfd_noexec || exit 99; $0 -o /dev/null 1";
    struct result result;

    run(&(struct job){.argv = ARGS("unshare", "--pid", "--fork", "--mount-proc",
                                   "sh", "-c", script, JITTRACE, level)},
        &result);
    if (has(&result.err, "unshare") || result.status == 99)
        cr_skip_test("vm.memfd_noexec takes Linux 6.3, and root");
    cr_assert(eq(int, result.status, 0), "%s", buf_text(&result.err));
    cr_assert(eq(str, (char *)buf_text(&result.out), "2 3 4\n"));
    result_release(&result);
}

Test(launch, memfd_noexec_may_be_overruled)
{
    started_with_memfd_noexec("1");
}

Test(launch, memfd_noexec_is_enforced)
{
    started_with_memfd_noexec("2");
}

/* --- a program that may not be executed, or not be read ------------------ */

/* Mounts an empty file system, for this process alone. */
static int mount_empty(const char *where, unsigned long flags)
{
    if (unshare(CLONE_NEWNS) < 0 ||
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return -1;
    return mount("none", where, "tmpfs", flags, NULL);
}

static const char *mounted; /* where, for who is a prepare function */

static int with_noexec(void)
{
    int fd;

    if (mount_empty(mounted, 0) < 0 || chdir(mounted) < 0 ||
        mkdir("below", 0755) < 0)
        return -1;
    fd = open("below/program", O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
    if (fd < 0 || dprintf(fd, "#!/bin/sh\necho ran\n") < 0 || close(fd) < 0)
        return -1;
    return mount("none", mounted, NULL, MS_REMOUNT | MS_NOEXEC, NULL);
}

Test(launch, a_program_on_a_noexec_mount)
{
    char program[512], place[512], remedy[640];

    mounted = realpath(make_directory(), NULL);
    if (!can(with_noexec))
        cr_skip_test("to mount a file system takes root");
    snprintf(program, sizeof program, "%s/below/program", mounted);
    snprintf(place, sizeof place, "mounted on '%s'", mounted);
    snprintf(remedy, sizeof remedy, "mount -o remount,exec %s", mounted);
    refused(&(struct job){.argv = ARGS(JITTRACE, "--", program),
                          .prepare = with_noexec},
            NOT_EXECUTABLE, ARGS("noexec", place, "copy it", remedy));
    expect_empty(mounted);
}

/* --- a program by its name ----------------------------------------------- */

/* Directories for PATH: one has what is no program by these names, the other a
 * program by one of them. */
static int make_path(void)
{
    static const char *const directories[] = {"bad", "bad/folder", "good"};
    static const char script[] = "#!/bin/sh\necho ran\n";

    for (size_t i = 0; i < sizeof directories / sizeof *directories; i++)
        if (mkdir(directories[i], 0755) < 0)
            return -1;
    write_file("bad/locked", script, sizeof script - 1, 0644);
    write_file("bad/both", script, sizeof script - 1, 0644);
    write_file("good/both", script, sizeof script - 1, 0755);
    return mkfifo("bad/fifo", 0755);
}

static void remove_path(void)
{
    static const char *const files[] = {"bad/locked", "bad/both", "good/both",
                                        "bad/fifo"};
    static const char *const directories[] = {"bad/folder", "bad", "good"};

    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        unlink(files[i]);
    for (size_t i = 0; i < sizeof directories / sizeof *directories; i++)
        rmdir(directories[i]);
}

/* As execvp(3) does: what is there and cannot be executed was found. */
Test(launch, a_name_that_stands_for_no_program)
{
    const char *directory = make_directory(), *here = getcwd(NULL, 0);
    char bad[600], fifo[600];
    struct result result;

    cr_assert(eq(int, chdir(directory), 0));
    cr_assert(eq(int, make_path(), 0));
    snprintf(bad, sizeof bad, "PATH=%s/%s/bad:%s/%s/good", here, directory,
             here, directory);
    snprintf(fifo, sizeof fifo, "%s/%s/bad/fifo", here, directory);
#define BY_NAME(name) \
    .argv = ARGS(JITTRACE, "--", name), .env = ARGS(bad), .seconds = 5
    refused(&(struct job){BY_NAME("locked")}, NOT_EXECUTABLE,
            ARGS("bad/locked' may not be executed", "chmod +x"));
    refused(&(struct job){BY_NAME("folder")}, NOT_EXECUTABLE,
            ARGS("bad/folder' is a directory"));
    refused(&(struct job){BY_NAME("fifo")}, NOT_EXECUTABLE,
            ARGS("bad/fifo' is no file but a FIFO"));
    refused(&(struct job){.argv = ARGS(JITTRACE, "--", fifo), .seconds = 5},
            NOT_EXECUTABLE, ARGS("bad/fifo' is no file but a FIFO"));
    refused(&(struct job){BY_NAME("nothing")}, NOT_FOUND,
            ARGS("cannot find the program 'nothing' in PATH"));
    run(&(struct job){BY_NAME("both")}, &result);
    cr_assert(eq(int, has(&result.out, "ran\n"), 1), "%s",
              buf_text(&result.err));
    result_release(&result);
    /* An empty part of PATH is the directory that one is in. */
    for (size_t i = 0; i < 3; i++) {
        static const char *const paths[] = {
            "PATH=", "PATH=/bin:", "PATH=:/bin"};

        run(&(struct job){.argv = ARGS(JITTRACE, "--", "both"),
                          .env = ARGS(paths[i]),
                          .dir = "good"},
            &result);
        cr_assert(eq(int, has(&result.out, "ran\n"), 1), "%s: %s", paths[i],
                  buf_text(&result.err));
        result_release(&result);
    }
    remove_path();
    cr_assert(eq(int, chdir(here), 0));
    expect_empty(directory);
}

/* In PATH, too, the mount is what is named. */
static const char *noexec_path;

static int with_noexec_in_path(void)
{
    return with_noexec() < 0 ? -1 : putenv((char *)(uintptr_t)noexec_path);
}

Test(launch, a_name_on_a_noexec_mount)
{
    char path[600], place[512];

    mounted = realpath(make_directory(), NULL);
    snprintf(path, sizeof path, "PATH=%s/below", mounted);
    snprintf(place, sizeof place, "mounted on '%s'", mounted);
    noexec_path = path;
    if (!can(with_noexec))
        cr_skip_test("to mount a file system takes root");
    refused(&(struct job){.argv = ARGS(JITTRACE, "--", "program"),
                          .prepare = with_noexec_in_path},
            NOT_EXECUTABLE, ARGS("noexec", place, "copy it"));
    expect_empty(mounted);
}

/* Only root is somebody else's user. */
static int as_nobody(void)
{
    if (geteuid() != 0)
        return 0;
    return setgroups(0, NULL) < 0 || setgid(NOBODY) < 0 ? -1 : setuid(NOBODY);
}

/* A copy that every user can reach, or the path to here may be closed. */
static void copy(const char *from, const char *to, mode_t mode)
{
    struct buf bytes = {0};

    read_file(from, &bytes);
    write_file(to, bytes.data, bytes.len, mode);
    cr_assert(eq(int, chmod(to, mode), 0));
    buf_release(&bytes);
}

Test(launch, a_program_that_may_not_be_read)
{
    char directory[] = "/tmp/test-launch-XXXXXX", ours[64], program[64];
    struct result result;
    bool reached;

    cr_assert(ne(ptr, mkdtemp(directory), NULL));
    cr_assert(eq(int, chmod(directory, 0755), 0));
    snprintf(ours, sizeof ours, "%s/jittrace", directory);
    snprintf(program, sizeof program, "%s/program", directory);
    copy(JITTRACE, ours, 0755);
    copy(TRACEE("babyjit-O0"), program, geteuid() == 0 ? 0711 : 0111);
    run(&(struct job){.argv = ARGS(ours, "--version"), .prepare = as_nobody},
        &result);
    reached = result.status == 0;
    result_release(&result);
    if (reached)
        refused(&(struct job){.argv = ARGS(ours, "--", program, "1"),
                              .prepare = as_nobody},
                NOT_EXECUTABLE,
                ARGS("executed but not read", "chmod a+r", "as root"));
    if (geteuid() == 0) { /* may read all files */
        run(&(struct job){.argv = ARGS(ours, "-o", "/dev/null", "--", program,
                                       "1")},
            &result);
        cr_assert(eq(int, result.status, 0), "%s", buf_text(&result.err));
        result_release(&result);
    }
    unlink(ours);
    unlink(program);
    expect_empty(directory);
    if (!reached)
        cr_skip_test("another user cannot run programs in /tmp");
}

/* --- what tracing needs -------------------------------------------------- */

static int with_descriptors(rlim_t count)
{
    const struct rlimit few = {count, count};

    return setrlimit(RLIMIT_NOFILE, &few);
}

static int with_8_descriptors(void)
{
    return with_descriptors(8);
}

static int with_12_descriptors(void)
{
    return with_descriptors(12);
}

static int with_32_descriptors(void)
{
    return with_descriptors(32);
}

Test(launch, too_few_descriptors)
{
    const char *const *parts =
        ARGS("RLIMIT_NOFILE", "Too many open files", "ulimit -n");

    refused(&(struct job){.argv = ARGS(JITTRACE, "1"),
                          .prepare = with_8_descriptors},
            EX_OSERR, parts);
    refused(&(struct job){.argv = ARGS(JITTRACE, "--", "echo", "ran"),
                          .prepare = with_12_descriptors},
            EX_OSERR, parts);
}

/* The program has the limit that it has without jittrace. */
Test(launch, just_enough_descriptors)
{
    struct result result;

    run(&(struct job){.argv = ARGS(JITTRACE, "-o", "/dev/null", "--", "sh",
                                   "-c", "ulimit -n"),
                      .prepare = with_32_descriptors},
        &result);
    cr_assert(eq(int, result.status, 0), "%s", buf_text(&result.err));
    cr_assert(eq(str, (char *)buf_text(&result.out), "32\n"));
    result_release(&result);
}

static int with_small_stack(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_STACK, &limit) < 0)
        return -1;
    limit.rlim_cur = SMALL_STACK;
    return setrlimit(RLIMIT_STACK, &limit);
}

/* Nor may root raise it. */
static int with_small_stack_for_good(void)
{
    const struct rlimit small = {SMALL_STACK, SMALL_STACK};

    if (geteuid() == 0 && prctl(PR_CAPBSET_DROP, CAP_SYS_RESOURCE) < 0)
        return -1;
    return setrlimit(RLIMIT_STACK, &small);
}

/* That is too small for jittrace, not for the program, which has it still. */
Test(launch, a_small_stack)
{
    const char *const *limits = ARGS("sh", "-c", "ulimit -Ss; ulimit -Hs");
    struct result result, untraced;

    run(&(struct job){.argv = ARGS(JITTRACE, "-o", "/dev/null", "1"),
                      .prepare = with_small_stack},
        &result);
    cr_assert(eq(int, result.status, 0), "%s", buf_text(&result.err));
    cr_assert(eq(str, (char *)buf_text(&result.out), "2 3 4\n"));
    result_release(&result);
    run(&(struct job){.argv = limits, .prepare = with_small_stack}, &untraced);
    run(&(struct job){.argv = ARGS(JITTRACE, "-o", "/dev/null", "--", limits[0],
                                   limits[1], limits[2]),
                      .prepare = with_small_stack},
        &result);
    cr_assert(eq(int, has(&result.out, "64\n"), 1));
    cr_assert(eq(str, (char *)buf_text(&result.out),
                 (char *)buf_text(&untraced.out)));
    result_release(&result);
    result_release(&untraced);
}

Test(launch, a_small_stack_that_may_not_grow)
{
    if (!can(with_small_stack_for_good))
        cr_skip_test("no program starts with a stack of 64 KiB here");
    refused(&(struct job){.argv = ARGS(JITTRACE, "1"),
                          .prepare = with_small_stack_for_good},
            EX_OSERR, ARGS("RLIMIT_STACK allows 64", "ulimit -s 8192"));
}

/* The kernel ends who writes a larger one. */
static int with_small_files(void)
{
    return setrlimit(RLIMIT_FSIZE, &(struct rlimit){100, 100});
}

Test(launch, a_file_that_may_not_be_that_large)
{
    refused(
        &(struct job){.argv = ARGS(JITTRACE, "1"), .prepare = with_small_files},
        EX_OSERR, ARGS("RLIMIT_FSIZE allows 100", "ulimit -f unlimited"));
}

#ifndef __SANITIZE_ADDRESS__ /* which needs /proc itself */
static int without_proc(void)
{
    return mount_empty("/proc", 0);
}

Test(launch, no_proc)
{
    if (!can(without_proc))
        cr_skip_test("to mount a file system takes root");
    refused(&(struct job){.argv = ARGS(JITTRACE, "--", "echo", "ran"),
                          .prepare = without_proc},
            EX_OSERR, ARGS("there is no /proc", "mount -t proc proc /proc"));
}
#endif

/* What is started from here on is in another namespace than this /proc. */
static int in_a_namespace(void)
{
    return unshare(CLONE_NEWPID);
}

Test(launch, the_proc_of_another_namespace)
{
    if (!can(in_a_namespace))
        cr_skip_test("to make a PID namespace takes root");
    refused(&(struct job){.argv = ARGS("sh", "-c", "\"$0\" -- echo ran; exit",
                                       JITTRACE),
                          .prepare = in_a_namespace},
            EX_OSERR,
            ARGS("another PID namespace", "mount -t proc proc /proc"));
}

/* As qemu-user answers. */
static int without_ptrace(void)
{
    return refuse(SYS_ptrace, ENOSYS);
}

static int without_seccomp(void)
{
    return refuse(SYS_seccomp, ENOSYS);
}

Test(launch, an_emulated_cpu)
{
    refused(
        &(struct job){.argv = ARGS(JITTRACE, "1"), .prepare = without_ptrace},
        EX_OSERR,
        ARGS("ptrace: Function not implemented", "emulated", "qemu-user",
             "x86-64 machine"));
    refused(
        &(struct job){.argv = ARGS(JITTRACE, "1"), .prepare = without_seccomp},
        EX_OSERR, ARGS("seccomp", "outside", "real CPU"));
}
