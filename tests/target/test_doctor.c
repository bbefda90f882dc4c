/* SPDX-License-Identifier: MIT */
/*
 * jittrace --doctor: a line for each mechanism that tells the truth, also where
 * one is taken away for real (refuse.h); and a last line that says what a trace
 * here shows.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support/refuse.h"
#include "support/support.h"
#include "target/doctor.h"
#include "target/filter.h"

TestSuite(doctor, .timeout = 250);

#define SMALL_STACK 65536

/* PROCMAP_QUERY of linux/fs.h, since Linux 6.11. */
#define MAP_QUERY _IOC(_IOC_READ | _IOC_WRITE, 'f', 17, 104)

static const char *const machine[] = {"jittrace", "kernel", "CPU", "libraries"};

/* The line that begins with that name, or NULL. */
static const char *line_of(const char *text, const char *name)
{
    for (; text; text = strchr(text, '\n'), text += text != NULL)
        if (strncmp(text, name, strlen(name)) == 0 && text[strlen(name)] == ' ')
            return text;
    return NULL;
}

/* What the line of that name says, in *words without the breaks. */
static void find_words(const struct result *result, const char *name,
                       struct buf *words)
{
    struct buf all = result->out;
    const char *line = line_of(buf_text(&all), name);
    bool blank = true;

    cr_assert(ne(ptr, (void *)(uintptr_t)line, NULL), "no line '%s' in:\n%s",
              name, buf_text(&all));
    for (line += strlen(name); *line; line++) {
        bool is_blank = *line == ' ' || *line == '\n';

        if (*line == '\n' && line[1] != ' ')
            break;
        if (!is_blank || !blank)
            buf_append(words, is_blank ? " " : line, 1);
        blank = is_blank;
    }
}

static size_t count_events(struct buf *trace, const char *kind)
{
    const char *at = buf_text(trace);
    char key[40];
    size_t n = 0;

    snprintf(key, sizeof key, "\"event\":\"%s\"", kind);
    while ((at = strstr(at, key)) != NULL) {
        at += strlen(key);
        n++;
    }
    return n;
}

/* Whether all of the baby JIT is seen under that absence, by a real trace. */
static bool is_seen_in_full(int (*absence)(void))
{
    struct result result;
    bool full;

    run(&(struct job){.argv = ARGS(JITTRACE, "--format=json", "1"),
                      .prepare = absence},
        &result);
    full = result.status == 0 && count_events(&result.out, "write") == 11 &&
           count_events(&result.out, "enter") == 3 &&
           count_events(&result.out, "step") == 9 &&
           count_events(&result.out, "limit") == 0;
    result_release(&result);
    return full;
}

static void check_width(struct buf *text)
{
    for (const char *at = buf_text(text); *at; at += *at == '\n') {
        size_t len = strcspn(at, "\n");

        cr_assert(le(sz, len, 80), "%.*s", (int)len, at);
        at += len;
    }
}

/* One absence: the line of that name says `missing`, and then all of `parts`;
 * the status is what a real trace says. */
static void misses(int (*absence)(void), const char *name,
                   const char *const *parts)
{
    struct result result;
    struct buf words = {0};

    run(&(struct job){.argv = ARGS(JITTRACE, "--doctor"),
                      .prepare = absence,
                      .seconds = 100},
        &result);
    find_words(&result, name, &words);
    cr_assert(eq(int, strncmp(buf_text(&words), "missing", 7), 0), "%s: %s",
              name, buf_text(&result.out));
    for (; *parts; parts++)
        cr_assert(contains(buf_text(&words), *parts), "no '%s' in %s: %s",
                  *parts, name, buf_text(&words));
    cr_assert(eq(int, result.status, is_seen_in_full(absence) ? 0 : 71),
              "%s\n%s", name, buf_text(&result.out));
    cr_assert(eq(sz, result.err.len, 0), "%s", buf_text(&result.err));
    check_width(&result.out);
    buf_release(&words);
    result_release(&result);
}

Test(doctor, all_that_there_is_has_a_line)
{
    struct result result;

    run(&(struct job){.argv = ARGS(JITTRACE, "--doctor")}, &result);
    cr_assert(eq(int, result.status, 0), "%s", buf_text(&result.out));
    for (size_t n = 0; n < sizeof machine / sizeof *machine; n++)
        cr_assert(
            ne(ptr,
               (void *)(uintptr_t)line_of(buf_text(&result.out), machine[n]),
               NULL),
            "%s", machine[n]);
    for (int n = 0; n < MECHANISMS; n++)
        cr_assert(ne(ptr,
                     (void *)(uintptr_t)line_of(buf_text(&result.out),
                                                doctor_mechanisms[n].name),
                     NULL),
                  "%s", doctor_mechanisms[n].name);
    cr_assert(contains(buf_text(&result.out), "in full"));
    cr_assert(lacks(buf_text(&result.out), "2 3 4"));
    cr_assert(lacks(buf_text(&result.out), "not tried"));
    cr_assert(lacks(buf_text(&result.out), "not answer"));
    check_width(&result.out);
    result_release(&result);
}

/* --- what is taken away --------------------------------------------------- */

#define NO_REQUEST(name, request, error)                                   \
    static int name(void)                                                  \
    {                                                                      \
        return refuse_if(SYS_ptrace, 0, (uint32_t)(request), true, error); \
    }
#define NO_CALL(name, number, error)  \
    static int name(void)             \
    {                                 \
        return refuse(number, error); \
    }
#define NO_CALL_IF(name, number, argument, value, error)                    \
    static int name(void)                                                   \
    {                                                                       \
        return refuse_if(number, argument, (uint32_t)(value), true, error); \
    }

/* What is refused, and (silent) what is accepted and does nothing. */
NO_REQUEST(seize, PTRACE_SEIZE, EPERM)
NO_REQUEST(seize_silent, PTRACE_SEIZE, 0)
NO_CALL(any_ptrace, SYS_ptrace, ENOSYS)
NO_CALL(seccomp, SYS_seccomp, ENOSYS)
NO_CALL(seccomp_silent, SYS_seccomp, 0)
NO_CALL(directories, SYS_mkdir, EROFS)
NO_CALL(memfd, SYS_memfd_create, ENOSYS)
NO_CALL(execution_of_memfd, SYS_execveat, EPERM)
NO_CALL(vm_readv, SYS_process_vm_readv, EPERM)
NO_CALL(vm_readv_silent, SYS_process_vm_readv, 0)
/* Of 8 bytes: the dynamic loader reads more. */
NO_CALL_IF(read_of_mem, SYS_pread64, 2, 8, EIO)
NO_REQUEST(poke, PTRACE_POKEDATA, EIO)
NO_REQUEST(poke_silent, PTRACE_POKEDATA, 0)
NO_REQUEST(getregs, PTRACE_GETREGS, EIO)
NO_REQUEST(getregs_silent, PTRACE_GETREGS, 0)
NO_REQUEST(setregs, PTRACE_SETREGS, EIO)
NO_REQUEST(setregs_silent, PTRACE_SETREGS, 0)
NO_REQUEST(getsigmask, PTRACE_GETSIGMASK, EIO)
NO_REQUEST(setsigmask, PTRACE_SETSIGMASK, EIO)
NO_REQUEST(setsigmask_silent, PTRACE_SETSIGMASK, 0)
NO_REQUEST(getsiginfo, PTRACE_GETSIGINFO, EIO)
NO_REQUEST(getsiginfo_silent, PTRACE_GETSIGINFO, 0)
NO_CALL(waitid_call, SYS_waitid, ENOSYS)
NO_REQUEST(interrupt, PTRACE_INTERRUPT, EIO)
NO_REQUEST(interrupt_silent, PTRACE_INTERRUPT, 0)
NO_REQUEST(listen_request, PTRACE_LISTEN, EIO)
NO_REQUEST(call_stops, PTRACE_SYSCALL, EIO)
NO_REQUEST(call_info, PTRACE_GET_SYSCALL_INFO, EIO)
NO_REQUEST(call_info_silent, PTRACE_GET_SYSCALL_INFO, 0)
NO_REQUEST(step, PTRACE_SINGLESTEP, EIO)
NO_CALL_IF(execution, SYS_mprotect, 5, FILTER_PASS, EACCES)
NO_CALL_IF(execution_silent, SYS_mprotect, 5, FILTER_PASS, 0)
NO_REQUEST(debug, PTRACE_POKEUSER, EIO)
NO_REQUEST(debug_silent, PTRACE_POKEUSER, 0)
NO_CALL_IF(action, SYS_rt_sigaction, 5, FILTER_PASS, EPERM)
NO_CALL_IF(action_silent, SYS_rt_sigaction, 5, FILTER_PASS, 0)
NO_CALL_IF(domain, SYS_personality, 5, FILTER_PASS, EPERM)
NO_CALL_IF(domain_silent, SYS_personality, 5, FILTER_PASS, 0)
NO_CALL(affinity, SYS_sched_setaffinity, EPERM)
NO_CALL(affinity_silent, SYS_sched_setaffinity, 0)
NO_CALL_IF(map_query, SYS_ioctl, 1, MAP_QUERY, ENOTTY)
NO_CALL(pidfd, SYS_pidfd_open, ENOSYS)
NO_CALL(signalfd_call, SYS_signalfd4, ENOSYS)
NO_CALL(signalfd_silent, SYS_signalfd4, 0)
NO_CALL_IF(terminals, SYS_ioctl, 1, TIOCSPTLCK, EIO)

static int any_start(void)
{
    return directories() < 0 ? -1 : execution_of_memfd();
}

static int descriptors(void)
{
    const struct rlimit few = {12, 12};

    return setrlimit(RLIMIT_NOFILE, &few);
}

#define SANDBOX "outside of the sandbox"

/* The absence, the name of the line, what it says. */
#define TRACING(X)                                                        \
    X(seize, "ptrace", "Operation not permitted", "--cap-add=SYS_PTRACE") \
    X(seize_silent, "ptrace", "without effect")                           \
    X(any_ptrace, "ptrace", "emulated CPU", "x86-64 machine")             \
    X(seccomp, "seccomp filter", "seccomp: Function not", "qemu-user")    \
    X(seccomp_silent, "seccomp filter", "without effect", SANDBOX)        \
    X(descriptors, "descriptors", "RLIMIT_NOFILE", "ulimit -n 256")       \
    X(any_start, "stop at exec", "Read-only file system", "set TMPDIR")
#define FILES(X)                                                       \
    X(directories, "temporary file", "Read-only", "set TMPDIR")        \
    X(memfd, "memfd_create", "Function not implemented",               \
      "instead: a temporary file", "vm.memfd_noexec=0")                \
    X(execution_of_memfd, "memfd_create", "may not be executed")       \
    X(map_query, "PROCMAP_QUERY", "Inappropriate ioctl", "Linux 6.11") \
    X(pidfd, "pidfd_open", "SIGTERM", "Linux 5.3")                     \
    X(signalfd_call, "signalfd", "--step does not work", SANDBOX)      \
    X(signalfd_silent, "signalfd", "signalfd: ")                       \
    X(terminals, "pseudoterminal", "--plain", "mount -t devpts")
#define MEMORY(X)                                                        \
    X(vm_readv, "process_vm_readv", "instead: /proc/PID/mem",            \
      "seccomp=unconfined")                                              \
    X(vm_readv_silent, "process_vm_readv", "without effect")             \
    X(read_of_mem, "/proc/PID/mem", "instead: process_vm_readv", "proc") \
    X(poke, "writing memory", "PTRACE_POKEDATA: Input", SANDBOX)         \
    X(poke_silent, "writing memory", "without effect")
#define THREAD(X)                                                        \
    X(getregs, "registers", "PTRACE_GETREGS: Input", SANDBOX)            \
    X(getregs_silent, "registers", "without effect")                     \
    X(setregs, "registers", "PTRACE_SETREGS: Input", SANDBOX)            \
    X(setregs_silent, "registers", "without effect")                     \
    X(getsigmask, "signal mask", "PTRACE_GETSIGMASK: Input", SANDBOX)    \
    X(setsigmask, "signal mask", "PTRACE_SETSIGMASK: Input", SANDBOX)    \
    X(setsigmask_silent, "signal mask", "without effect")                \
    X(getsiginfo, "signal information", "PTRACE_GETSIGINFO: I", SANDBOX) \
    X(getsiginfo_silent, "signal information", "without effect")
#define STOPS(X)                                                         \
    X(waitid_call, "waitid", "Function not implemented", SANDBOX)        \
    X(interrupt, "PTRACE_INTERRUPT", "Input", "--step", SANDBOX)         \
    X(interrupt_silent, "PTRACE_INTERRUPT", "without effect")            \
    X(listen_request, "PTRACE_LISTEN", "Input", "Ctrl-Z", SANDBOX)       \
    X(call_stops, "system-call stops", "PTRACE_SYSCALL: Input", SANDBOX) \
    X(call_info, "PTRACE_GET_SYSCALL_INFO", "Input", "Linux 5.3")        \
    X(call_info_silent, "PTRACE_GET_SYSCALL_INFO", "without effect")     \
    X(step, "single step", "PTRACE_SINGLESTEP: Input", SANDBOX)          \
    X(debug, "debug registers", "PTRACE_POKEUSER", "instead: an int3")   \
    X(debug_silent, "debug registers", "never stops", "virtual machine")
#define CALLS(X)                                                             \
    X(execution, "execution given back", "mprotect: Permission", "not seen", \
      "MemoryDenyWriteExecute=", "deny_execmem 0")                           \
    X(execution_silent, "execution given back", "without effect")            \
    X(execution, "userfaultfd write-protect", "mprotect: Permission",        \
      "instead: mprotect", "Linux 6.4")                                      \
    X(affinity, "userfaultfd write-protect", "under a seccomp filter",       \
      "seccomp=unconfined", "vm.unprivileged_userfaultfd")                   \
    X(action, "rt_sigaction, injected", "SIGSEGV", SANDBOX)                  \
    X(action_silent, "rt_sigaction, injected", "without effect")             \
    X(domain, "personality", "Operation not permitted", "READ_IMPLIES")      \
    X(domain_silent, "personality", "without effect")                        \
    X(affinity, "sched_setaffinity", "four times", "--cap-add=SYS_NICE")     \
    X(affinity_silent, "sched_setaffinity", "without effect")

#define MISSES(absence, name, ...) misses(absence, name, ARGS(__VA_ARGS__));

#define GROUP(test, list) \
    Test(doctor, test)    \
    {                     \
        list(MISSES)      \
    }
GROUP(nothing_can_be_traced, TRACING)
GROUP(files_and_terminals, FILES)
GROUP(memory, MEMORY)
GROUP(a_thread, THREAD)
GROUP(stops, STOPS)
GROUP(calls_that_are_injected, CALLS)

/* What takes the missing one is said not to be tried, and for what. */
Test(doctor, what_takes_the_missing_one_is_not_tried)
{
    struct result result;
    struct buf words = {0};

    run(&(struct job){.argv = ARGS(JITTRACE, "--doctor"), .prepare = seize},
        &result);
    find_words(&result, "execution given back", &words);
    cr_assert(
        eq(str, (char *)buf_text(&words), "not tried, for it takes: ptrace"));
    cr_assert(contains(buf_text(&result.out), "Nothing can be traced"));
    buf_release(&words);
    result_release(&result);
}

/* What is accepted and never comes is given up. */
NO_REQUEST(call_stops_silent, PTRACE_SYSCALL, 0)
NO_REQUEST(continue_silent, PTRACE_CONT, 0)

Test(doctor, a_mechanism_that_hangs)
{
    static int (*const absences[])(void) = {call_stops_silent, continue_silent};
    static const char *const names[] = {"system-call stops", "stop at exec"};

    for (size_t i = 0; i < 2; i++) {
        struct running running;
        struct result result;
        struct buf words = {0};

        run_begin(&(struct job){.argv = ARGS(JITTRACE, "--doctor"),
                                .prepare = absences[i]},
                  &running);
        run_end(&running, &result);
        find_words(&result, names[i], &words);
        cr_assert(eq(int, strncmp(buf_text(&words), "missing", 7), 0), "%s",
                  buf_text(&result.out));
        cr_assert(contains(buf_text(&words), "does not answer"), "%s",
                  buf_text(&words));
        cr_assert(eq(int, result.status, 71));
        cr_assert(lt(dbl, result.took, 10));
        while (kill(-running.pid, 0) == 0)
            cr_assert(eq(int, wait_a_moment(running.since, 10 * SLOWNESS), 1),
                      "somebody is left");
        buf_release(&words);
        result_release(&result);
    }
}

/* --- what no filter can take away ----------------------------------------- */

static int mount_empty(const char *where)
{
    if (unshare(CLONE_NEWNS) < 0 ||
        mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return -1;
    return mount("none", where, "tmpfs", 0, NULL);
}

#ifndef __SANITIZE_ADDRESS__ /* which needs /proc itself */
static int proc(void)
{
    return mount_empty("/proc");
}

Test(doctor, no_proc)
{
    if (!can(proc))
        cr_skip_test("to mount a file system takes root");
    misses(proc, "/proc",
           ARGS("there is no /proc", "mount -t proc proc /proc"));
}
#endif

static int ptmx(void)
{
    return mount_empty("/dev");
}

Test(doctor, no_terminals)
{
    if (!can(ptmx))
        cr_skip_test("to mount a file system takes root");
    misses(ptmx, "pseudoterminal", ARGS("/dev/ptmx: No such file", "devpts"));
}

/* A machine on which Yama lets only root trace, as far as can be told apart:
 * there is that file, and the kernel refuses. */
static int yama(void)
{
    int fd;

    if (mount_empty("/proc/sys/kernel") < 0 ||
        mkdir("/proc/sys/kernel/yama", 0755) < 0)
        return -1;
    fd = open("/proc/sys/kernel/yama/ptrace_scope",
              O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0 || write(fd, "2\n", 2) != 2 || close(fd) < 0)
        return -1;
    return seize();
}

Test(doctor, yama)
{
    if (!can(yama))
        cr_skip_test("to mount a file system takes root");
    misses(yama, "ptrace",
           ARGS("kernel.yama.ptrace_scope is 2", "Operation not permitted",
                "sysctl kernel.yama.ptrace_scope=1", "--cap-add=SYS_PTRACE"));
}

/* Nor may root raise it. */
static int stack(void)
{
    const struct rlimit small = {SMALL_STACK, SMALL_STACK};

    if (geteuid() == 0 && prctl(PR_CAPBSET_DROP, CAP_SYS_RESOURCE) < 0)
        return -1;
    return setrlimit(RLIMIT_STACK, &small);
}

Test(doctor, a_small_stack)
{
    if (!can(stack))
        cr_skip_test("no program starts with a stack of 64 KiB here");
    misses(stack, "stack", ARGS("RLIMIT_STACK allows 64", "ulimit -s 8192"));
}

/* Linux 6.3 and newer have it. */
static int mdwe(void)
{
    return prctl(PR_SET_MDWE, 1, 0, 0, 0);
}

static int small_files(void)
{
    return setrlimit(RLIMIT_FSIZE, &(struct rlimit){100, 100});
}

Test(doctor, small_files)
{
    misses(small_files, "temporary file", ARGS("File too large"));
}

Test(doctor, mdwe)
{
    if (!can(mdwe))
        cr_skip_test("PR_SET_MDWE takes Linux 6.3");
    misses(mdwe, "execution given back", ARGS("PR_SET_MDWE is in force"));
}

/* --- the command ---------------------------------------------------------- */

Test(doctor, the_page_has_a_row_for_each)
{
    struct buf page = {0};
    char row[64];

    read_file("docs/machines.md", &page);
    for (int i = 0; i < MECHANISMS; i++) {
        snprintf(row, sizeof row, "\n| %s |", doctor_mechanisms[i].name);
        cr_assert(contains(buf_text(&page), row), "%s", row);
    }
    buf_release(&page);
}

Test(doctor, there_is_nothing_to_trace_with_it)
{
    struct result result;

    run(&(struct job){.argv = ARGS(JITTRACE, "--doctor", "1")}, &result);
    cr_assert(eq(int, result.status, 64));
    cr_assert(eq(sz, result.out.len, 0));
    result_release(&result);
}
