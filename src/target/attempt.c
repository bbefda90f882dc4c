/* SPDX-License-Identifier: MIT */
/*
 * One function for each mechanism of doctor.def, in its order. Where a call is
 * accepted and nothing happens, that is told as well as an error is: errno is 0
 * then.
 */
#include "target/attempt.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "target/breakpoint.h"
#include "target/filter.h"
#include "target/inject.h"
#include "target/proc.h"
#include "target/registers.h"
#include "target/tryout.h"
#include "target/uffd.h"

/* Newer than the C library's headers may be. */
#ifndef PR_GET_MDWE
#define PR_GET_MDWE 66
#endif

#define SAY(attempt, ...)                                              \
    snprintf((attempt)->finding->text, sizeof(attempt)->finding->text, \
             __VA_ARGS__)

/* Says why it does not work: the error of what was called, or that there was
 * none. Returns false. */
static bool fails(struct attempt *attempt, const char *what)
{
    SAY(attempt, "%s: %s", what,
        errno ? strerror(errno) : "accepted, and without effect");
    return false;
}

bool attempt_is_told(struct attempt *attempt, int result, const struct err *err)
{
    if (result < 0)
        SAY(attempt, "%s", err->text);
    return result == 0;
}

/* --- what launch takes --------------------------------------------------- */

#define TRY_BY(id, function)                                   \
    static bool try_##id(struct attempt *attempt)              \
    {                                                          \
        struct err err;                                        \
                                                               \
        return attempt_is_told(attempt, function(&err), &err); \
    }
TRY_BY(PROC, launch_try_proc)
TRY_BY(DESCRIPTORS, launch_try_descriptors)
TRY_BY(STACK, launch_try_stack)

/* On a child that waits. */
static bool try_PTRACE(struct attempt *attempt)
{
    pid_t pid = fork();
    struct err err;
    bool works;

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            pause();
    }
    if (pid < 0)
        return fails(attempt, "fork");
    works = attempt_is_told(attempt, tracee_seize(pid, &err), &err);
    errno = 0;
    if (works && proc_parent(pid) == getpid() && proc_tracer(pid) != getpid())
        works = fails(attempt, "PTRACE_SEIZE");
    if (works && proc_yama_scope() >= 0)
        SAY(attempt, "kernel.yama.ptrace_scope is %d", proc_yama_scope());
    tracee_kill(&(struct tracee){.pid = pid});
    return works;
}

/* In this process, which has no tracer: then a call that the filter stops at
 * fails with ENOSYS (seccomp(2)). */
static bool try_FILTER(struct attempt *attempt)
{
    if (filter_install() < 0)
        return fails(attempt, "seccomp");
    errno = 0;
    if (syscall(SYS_mremap, 0, 0, 0, 0) < 0 && errno == ENOSYS)
        return true;
    errno = 0;
    return fails(attempt, "seccomp");
}

static bool try_FILE(struct attempt *attempt)
{
    char where[256];

    if (launch_try_file(attempt->what, where, sizeof where) < 0)
        return fails(attempt, "in TMPDIR, /tmp, /var/tmp and this directory");
    SAY(attempt, "in %s", where);
    return true;
}

/* --- on a program at its exec -------------------------------------------- */

static bool try_START(struct attempt *attempt)
{
    (void)attempt; /* it is there */
    return true;
}

/* Whether that is where the program has been started from. */
static bool try_MEMFD(struct attempt *attempt)
{
    const int level = proc_setting("/proc/sys/vm/memfd_noexec", 0);
    char exe[64] = "";
    int fd;

    if (proc_exe(attempt->tracee.pid, exe, sizeof exe) &&
        strncmp(exe, "/memfd:", 7) == 0)
        return true;
    if (level > 0) {
        SAY(attempt, "vm.memfd_noexec is %d", level);
        return false;
    }
    fd = memfd_create("jittrace", MFD_CLOEXEC);
    if (fd < 0)
        return fails(attempt, "memfd_create");
    close(fd);
    SAY(attempt, "what is in one may not be executed");
    return false;
}

static bool try_AUXV(struct attempt *attempt)
{
    errno = 0;
    return proc_auxv(attempt->tracee.pid, AT_PAGESZ) != 0 ||
           fails(attempt, "/proc/PID/auxv");
}

/* The last word but one of the program's stack; an address that cannot be read
 * where /proc/PID/maps does not tell of a stack. */
static uint64_t top_of_stack(pid_t pid)
{
    struct buf text = {0};
    struct maps_line line;
    uint64_t end = 0, addr = 0;

    proc_maps_text(pid, &text);
    while (!end && maps_find(buf_text(&text), addr, &line)) {
        addr = line.end;
        if (strcmp(line.name, "[stack]") == 0)
            end = line.end;
    }
    buf_release(&text);
    return end - 2 * sizeof(uint64_t);
}

static bool try_READV(struct attempt *attempt)
{
    pid_t pid = attempt->tracee.pid;
    long word;
    struct iovec ours = {&word, sizeof word};
    struct iovec theirs = {(void *)top_of_stack(pid), sizeof word};

    errno = 0;
    return process_vm_readv(pid, &ours, 1, &theirs, 1, 0) == sizeof word ||
           fails(attempt, "process_vm_readv");
}

static bool try_MEM(struct attempt *attempt)
{
    pid_t pid = attempt->tracee.pid;
    char path[64];
    ssize_t got = -1;
    long word;
    int fd;

    snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
    errno = 0;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        got = pread(fd, &word, sizeof word, (off_t)top_of_stack(pid));
        close(fd);
    }
    return got == sizeof word || fails(attempt, "/proc/PID/mem");
}

/* Says what a tryout has found to fail, if any. */
static bool has_passed(struct attempt *attempt, const char *failed)
{
    return !failed || fails(attempt, failed);
}

static bool try_WRITE(struct attempt *attempt)
{
    return has_passed(
        attempt,
        tryout_memory(&attempt->tracee, top_of_stack(attempt->tracee.pid)));
}

static bool try_REGISTERS(struct attempt *attempt)
{
    return has_passed(attempt, tryout_registers(&attempt->tracee));
}

static bool try_MASK(struct attempt *attempt)
{
    return has_passed(attempt, tryout_mask(&attempt->tracee));
}

static bool try_SIGINFO(struct attempt *attempt)
{
    siginfo_t info = {0};

    errno = 0;
    return (tracee_siginfo(&attempt->tracee, &info) == 0 &&
            info.si_signo == SIGTRAP) ||
           fails(attempt, "PTRACE_GETSIGINFO");
}

static bool try_WAITID(struct attempt *attempt)
{
    errno = 0;
    return wait_has_children() || fails(attempt, "waitid");
}

/* Lets it go on; it must make a stop of that kind next. */
static bool comes_to(struct tracee *tracee, enum resume how, int signal,
                     enum stop_kind kind)
{
    struct stop stop;

    errno = 0;
    return tracee_resume(tracee, how, signal) == 0 &&
           tracee_wait(tracee, &stop) == 0 && stop.kind == kind;
}

/* The stop comes before any instruction. */
static bool try_INTERRUPT(struct attempt *attempt)
{
    struct tracee *tracee = &attempt->tracee;

    errno = 0;
    return (tracee_interrupt(tracee) == 0 &&
            comes_to(tracee, RESUME_RUN, 0, STOP_STARTED)) ||
           fails(attempt, "PTRACE_INTERRUPT");
}

/* It is stopped and let go on, by others, before any instruction. */
static bool try_LISTEN(struct attempt *attempt)
{
    struct tracee *tracee = &attempt->tracee;
    struct stop stop;

    kill(tracee->pid, SIGSTOP);
    if (!comes_to(tracee, RESUME_RUN, 0, STOP_SIGNAL) ||
        !comes_to(tracee, RESUME_RUN, SIGSTOP, STOP_GROUP))
        return fails(attempt, "group-stop");
    errno = 0;
    if (tracee_resume(tracee, RESUME_LISTEN, 0) < 0)
        return fails(attempt, "PTRACE_LISTEN");
    kill(tracee->pid, SIGCONT);
    return (tracee_wait(tracee, &stop) == 0 && stop.kind == STOP_STARTED) ||
           fails(attempt, "PTRACE_LISTEN");
}

/* Gets the program to the end of its exec. */
static bool try_CALL_STOPS(struct attempt *attempt)
{
    errno = 0;
    return tracee_finish_exec(&attempt->tracee) == 0 ||
           fails(attempt, "PTRACE_SYSCALL");
}

static bool try_CALL_INFO(struct attempt *attempt)
{
    struct call call;

    if (!try_CALL_STOPS(attempt))
        return false;
    errno = 0;
    return (tracee_call(&attempt->tracee, &call) == 0 && !call.entering) ||
           fails(attempt, "PTRACE_GET_SYSCALL_INFO");
}

/* The first instruction of the dynamic loader. */
static bool try_STEP(struct attempt *attempt)
{
    struct tracee *tracee = &attempt->tracee;
    uint64_t before;

    if (!try_CALL_STOPS(attempt) || tracee_fetch(tracee) < 0)
        return false;
    before = tracee_pc(tracee);
    return (comes_to(tracee, RESUME_STEP, 0, STOP_SIGNAL) &&
            tracee_fetch(tracee) == 0 && tracee_pc(tracee) != before) ||
           fails(attempt, "PTRACE_SINGLESTEP");
}

/* --- by calls that the program is made to do ----------------------------- */

/* Makes it ready for that. */
static bool takes_calls(struct attempt *attempt)
{
    if (!try_CALL_STOPS(attempt))
        return false;
    if (tracee_find_syscall(&attempt->tracee))
        return true;
    SAY(attempt, "the program has no vdso with a syscall instruction in it");
    return false;
}

/* Makes a call. Returns its result, or -1 with errno 0: it was not made. */
static int64_t call(struct attempt *attempt, uint64_t number, uint64_t first,
                    uint64_t second)
{
    const uint64_t args[6] = {first, second, [5] = FILTER_PASS};
    int64_t result;

    errno = 0;
    if (tracee_inject(&attempt->tracee, number, args, &result) < 0)
        return -1;
    errno = result < 0 ? (int)-result : 0;
    return result;
}

static bool try_INJECT(struct attempt *attempt)
{
    return takes_calls(attempt) &&
           (call(attempt, SYS_getpid, 0, 0) == attempt->tracee.pid ||
            fails(attempt, "getpid"));
}

/* A new page of the program that it may read, or 0. */
static uint64_t make_page(struct attempt *attempt)
{
    int64_t addr = tracee_map_page(&attempt->tracee);

    errno = 0;
    if (addr > 0)
        return (uint64_t)addr;
    fails(attempt, "mmap");
    return 0;
}

/* Sets the protection of the page; the kernel must show it then. */
static bool protects(struct attempt *attempt, uint64_t page, unsigned prot)
{
    struct maps_line line;
    int result = tracee_mprotect(&attempt->tracee, page,
                                 (uint64_t)sysconf(_SC_PAGESIZE), prot);

    errno = result < 0 ? -result : 0;
    return (result == 0 && proc_maps_find(attempt->tracee.pid, page, &line) &&
            line.start <= page && line.prot == prot) ||
           fails(attempt, "mprotect");
}

static bool try_EXECUTE(struct attempt *attempt)
{
    uint64_t page = takes_calls(attempt) ? make_page(attempt) : 0;

    if (page && protects(attempt, page, PROT_READ | PROT_EXEC) &&
        protects(attempt, page, PROT_READ) &&
        protects(attempt, page, PROT_READ | PROT_EXEC))
        return true;
    if (prctl(PR_GET_MDWE, 0, 0, 0, 0) > 0)
        SAY(attempt, "PR_SET_MDWE is in force");
    return false;
}

/* Why uffd_open found none. */
static bool has_no_uffd(struct attempt *attempt)
{
    int fd;

    if (prctl(PR_GET_SECCOMP) != 0) {
        SAY(attempt, "jittrace runs under a seccomp filter, which might kill "
                     "who asks for one");
        return false;
    }
    fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
    if (fd < 0)
        return fails(attempt, "userfaultfd");
    close(fd);
    SAY(attempt, "this kernel has no UFFD_FEATURE_WP_UNPOPULATED, or it has no "
                 "pidfd_getfd");
    return false;
}

/* A call that stores into a page fails where that is protected. */
static bool try_UFFD(struct attempt *attempt)
{
    uint64_t size = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t page = takes_calls(attempt) ? make_page(attempt) : 0;
    int fd;

    if (!page || !protects(attempt, page, PROT_READ | PROT_WRITE))
        return false;
    fd = uffd_open(&attempt->tracee);
    if (fd < 0)
        return has_no_uffd(attempt);
    errno = 0;
    if (uffd_register(fd, page, size) < 0 ||
        uffd_protect(fd, page, size, true) < 0)
        return fails(attempt, "UFFDIO_WRITEPROTECT");
    if (call(attempt, SYS_uname, page, 0) != -EFAULT)
        return fails(attempt, "UFFDIO_WRITEPROTECT");
    errno = 0;
    return (uffd_protect(fd, page, size, false) == 0 &&
            call(attempt, SYS_uname, page, 0) == 0) ||
           fails(attempt, "UFFDIO_WRITEPROTECT");
}

static bool try_DEBUG(struct attempt *attempt)
{
    struct tracee *tracee = &attempt->tracee;

    if (!takes_calls(attempt))
        return false;
    errno = 0;
    if (tracee_break(tracee, tracee->syscall_insn) < 0)
        return fails(attempt, "PTRACE_POKEUSER");
    if (tracee_proves_break(tracee))
        return true;
    SAY(attempt, "one is accepted, and never stops the program");
    return false;
}

/* In the place of the first instruction of the dynamic loader. */
static bool try_BREAKPOINT(struct attempt *attempt)
{
    struct tracee *tracee = &attempt->tracee;
    struct breakpoint here;
    siginfo_t info;

    if (!try_CALL_STOPS(attempt))
        return false;
    errno = 0;
    return (tracee_fetch(tracee) == 0 &&
            breakpoint_set_insn(&here, tracee, tracee_pc(tracee)) == 0 &&
            comes_to(tracee, RESUME_RUN, 0, STOP_SIGNAL) &&
            tracee_fetch(tracee) == 0 && tracee_siginfo(tracee, &info) == 0 &&
            breakpoint_is_hit(&here, tracee, &info)) ||
           fails(attempt, "int3");
}

static bool try_ACTION(struct attempt *attempt)
{
    const struct signal_action ignore = {.handler = (uintptr_t)SIG_IGN};
    struct proc_signals set;

    if (!takes_calls(attempt))
        return false;
    errno = 0;
    return (tracee_set_action(&attempt->tracee, SIGUSR1, &ignore) == 0 &&
            proc_signals(attempt->tracee.pid, &set) &&
            (set.ignored >> (SIGUSR1 - 1) & 1)) ||
           fails(attempt, "rt_sigaction");
}

/* ADDR_NO_RANDOMIZE is without effect on a program that is loaded. */
static bool try_PERSONALITY(struct attempt *attempt)
{
    const uint64_t ask = 0xffffffff, flag = 0x0040000;
    int64_t before;

    if (!takes_calls(attempt))
        return false;
    before = call(attempt, SYS_personality, ask, 0);
    return (before >= 0 &&
            call(attempt, SYS_personality, (uint64_t)before ^ flag, 0) >= 0 &&
            call(attempt, SYS_personality, ask, 0) ==
                (before ^ (int64_t)flag)) ||
           fails(attempt, "personality");
}

/* --- beside the program -------------------------------------------------- */

/* On one CPU, as while it is stepped, and on all again. */
static bool try_AFFINITY(struct attempt *attempt)
{
    pid_t tid = attempt->tracee.tid;
    cpu_set_t set, one, now;
    int cpu = 0;

    tracee_unpin(&attempt->tracee);
    errno = 0;
    if (sched_getaffinity(tid, sizeof set, &set) < 0)
        return fails(attempt, "sched_getaffinity");
    while (cpu < CPU_SETSIZE - 1 && !CPU_ISSET((unsigned)cpu, &set))
        cpu++;
    CPU_ZERO(&one);
    CPU_SET((unsigned)cpu, &one);
    return (sched_setaffinity(tid, sizeof one, &one) == 0 &&
            sched_getaffinity(tid, sizeof now, &now) == 0 &&
            CPU_EQUAL(&now, &one) &&
            sched_setaffinity(tid, sizeof set, &set) == 0) ||
           fails(attempt, "sched_setaffinity");
}

static bool try_QUERY(struct attempt *attempt)
{
    errno = 0;
    return proc_can_query_maps(getpid()) || fails(attempt, "ioctl");
}

static bool try_PIDFD(struct attempt *attempt)
{
    int fd;

    errno = 0;
    fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
    if (fd < 0)
        return fails(attempt, "pidfd_open");
    return syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0) == 0 ||
           fails(attempt, "pidfd_send_signal");
}

static bool try_SIGNALFD(struct attempt *attempt)
{
    struct signalfd_siginfo info = {0};
    sigset_t set;
    int fd;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    errno = 0;
    fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        return fails(attempt, "signalfd");
    raise(SIGUSR1);
    return (read(fd, &info, sizeof info) == (ssize_t)sizeof info &&
            info.ssi_signo == SIGUSR1) ||
           fails(attempt, "signalfd");
}

/* What is written to one end comes out of the other. */
static bool try_TERMINAL(struct attempt *attempt)
{
    char name[64], byte = 0;
    int master, slave;

    errno = 0;
    master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0 ||
        ptsname_r(master, name, sizeof name) != 0)
        return fails(attempt, "/dev/ptmx");
    slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    return (slave >= 0 && write(slave, "x", 1) == 1 &&
            read(master, &byte, 1) == 1 && byte == 'x') ||
           fails(attempt, name);
}

/* --- all of them --------------------------------------------------------- */

const struct attempt_kind attempt_kinds[MECHANISMS] = {
#define MECHANISM(id, name, needs, all_need, instead, remedy) {needs, try_##id},
#include "target/doctor.def"
};
