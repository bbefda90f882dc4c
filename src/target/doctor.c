/* SPDX-License-Identifier: MIT */
/*
 * One function for each mechanism of doctor.def, in its order. Where a call is
 * accepted and nothing happens, that is told as well as an error is: errno is 0
 * then.
 */
#include "target/doctor.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include "target/breakpoint.h"
#include "target/filter.h"
#include "target/inject.h"
#include "target/proc.h"
#include "target/registers.h"

/* Newer than the C library's headers may be. */
#ifndef PR_GET_MDWE
#define PR_GET_MDWE 66
#endif

/* A mechanism that does not answer within that time, twice, does not work; one
 * that does takes a thousandth of it. */
#define PATIENCE_MS 2000

#define NEEDS(id) (UINT64_C(1) << MECHANISM_##id)

const struct mechanism doctor_mechanisms[MECHANISMS] = {
#define MECHANISM(id, name, needs, instead, remedy) \
    {name, needs, instead, remedy},
#include "target/doctor.def"
};

/* What a mechanism is tried on. */
struct attempt {
    const struct launch *what;
    int which;
    struct tracee tracee; /* at its STOP_EXEC, or behind it (CALL_STOPS) */
    struct err err;       /* what is to be said of it; else it is: */
    const char *failed;   /* with errno; its name if it is nothing else */
    siginfo_t info;
    struct call call;
};

static bool fails(struct attempt *attempt, const char *what)
{
    attempt->failed = what;
    return false;
}

#define SAY(attempt, ...) err_set(&(attempt)->err, ERR_TRACING, __VA_ARGS__)

/* For those that are tried by what others do, or by one call. */
#define TRY(id, works)                            \
    static bool try_##id(struct attempt *attempt) \
    {                                             \
        struct tracee *tracee = &attempt->tracee; \
                                                  \
        (void)tracee;                             \
        return works;                             \
    }

/* --- what launch takes --------------------------------------------------- */

TRY(PROC, launch_try_proc(getpid(), &attempt->err) == 0)
TRY(DESCRIPTORS, launch_try_descriptors(&attempt->err) == 0)
TRY(STACK, launch_try_stack(&attempt->err) == 0)

/* On a child that waits. */
static bool try_PTRACE(struct attempt *attempt)
{
    pid_t pid = fork();
    bool works;

    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (;;)
            pause();
    }
    if (pid < 0)
        return fails(attempt, "fork");
    works = tracee_seize(pid, &attempt->err) == 0;
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
    bool works = filter_install() == 0;

    if (works) {
        errno = 0;
        works = syscall(SYS_mremap, 0, 0, 0, 0) < 0 && errno == ENOSYS;
        errno = 0;
    }
    return works || fails(attempt, "seccomp");
}

static bool try_FILE(struct attempt *attempt)
{
    const char *where;

    if (launch_try_file(attempt->what, &where) < 0)
        return fails(attempt, "in TMPDIR, /tmp, /var/tmp and this directory");
    SAY(attempt, "in %s", where);
    return true;
}

/* --- on a program at its exec -------------------------------------------- */

TRY(START, true) /* it is there */

/* Whether that is where the program has been started from. */
static bool try_MEMFD(struct attempt *attempt)
{
    const int level = proc_setting("/proc/sys/vm/memfd_noexec", 0);
    char exe[64] = "";

    if (proc_exe(attempt->tracee.pid, exe, sizeof exe) &&
        strncmp(exe, "/memfd:", 7) == 0)
        return true;
    if (level > 0)
        return SAY(attempt, "vm.memfd_noexec is %d", level) == 0;
    return memfd_create("jittrace", MFD_CLOEXEC) >= 0 &&
           SAY(attempt, "what is in one may not be executed") == 0;
}

TRY(AUXV, proc_auxv(tracee->pid, AT_PAGESZ) || fails(attempt, "/proc/PID/auxv"))

/* The last word but one of the program's stack; an address that cannot be read
 * where /proc/PID/maps does not tell of a stack. */
static uint64_t top_of_stack(pid_t pid)
{
    struct buf text = {0};
    struct maps_line line;
    uint64_t end = 0;
    const char *at;

    proc_maps_text(pid, &text);
    for (at = buf_text(&text); maps_next(&at, &line);)
        if (strcmp(line.name, "[stack]") == 0)
            end = line.end;
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
    return process_vm_readv(pid, &ours, 1, &theirs, 1, 0) == sizeof word;
}

static bool try_MEM(struct attempt *attempt)
{
    const off_t at = (off_t)top_of_stack(attempt->tracee.pid);
    char path[64];
    long word;
    int fd;

    snprintf(path, sizeof path, "/proc/%d/mem", (int)attempt->tracee.pid);
    errno = 0;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd >= 0 && pread(fd, &word, sizeof word, at) == sizeof word;
}

/* Each says what it is that fails. */
TRY(WRITE,
    !(attempt->failed = tryout_memory(tracee, top_of_stack(tracee->pid))))
TRY(REGISTERS, !(attempt->failed = tryout_registers(tracee)))
TRY(MASK, !(attempt->failed = tryout_mask(tracee)))

TRY(SIGINFO, (tracee_siginfo(tracee, &attempt->info) == 0 &&
              attempt->info.si_signo == SIGTRAP) ||
                 fails(attempt, "PTRACE_GETSIGINFO"))
TRY(WAITID, wait_has_children())

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
TRY(INTERRUPT, tracee_interrupt(tracee) == 0 &&
                   comes_to(tracee, RESUME_RUN, 0, STOP_STARTED))

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
    return tracee_resume(tracee, RESUME_LISTEN, 0) == 0 &&
           kill(tracee->pid, SIGCONT) == 0 && tracee_wait(tracee, &stop) == 0 &&
           stop.kind == STOP_STARTED;
}

/* --- on a program at the end of its exec --------------------------------- */

TRY(CALL_STOPS, true) /* it is there */

TRY(CALL_INFO,
    tracee_call(tracee, &attempt->call) == 0 && !attempt->call.entering)

/* The first instruction of the dynamic loader. */
static bool try_STEP(struct attempt *attempt)
{
    struct tracee *tracee = &attempt->tracee;
    uint64_t before = tracee_fetch(tracee) == 0 ? tracee_pc(tracee) : 0;

    return (comes_to(tracee, RESUME_STEP, 0, STOP_SIGNAL) &&
            tracee_fetch(tracee) == 0 && tracee_pc(tracee) != before) ||
           fails(attempt, "PTRACE_SINGLESTEP");
}

/* --- by calls that the program is made to do ----------------------------- */

#define NO_VDSO "the program has no vdso with a syscall instruction in it"

/* Makes a call. errno is that of its result, or 0. */
static int64_t call(struct attempt *attempt, uint64_t number, uint64_t first,
                    uint64_t second)
{
    int64_t result = tracee_inject(&attempt->tracee, number, first, second, 0);

    errno = result < 0 && result != INJECT_FAILED ? (int)-result : 0;
    return result;
}

TRY(INJECT, !tracee->syscall_insn
                ? SAY(attempt, NO_VDSO) == 0
                : call(attempt, SYS_getpid, 0, 0) == tracee->pid ||
                      fails(attempt, "getpid"))

/* Sets the protection of the page; the kernel must show it then. */
static bool protects(struct attempt *attempt, uint64_t page, unsigned prot)
{
    struct maps_line line;
    int result = tracee_mprotect(&attempt->tracee, page,
                                 (uint64_t)sysconf(_SC_PAGESIZE), prot, false);

    errno = result < 0 ? -result : 0;
    return (result == 0 && proc_maps_find(attempt->tracee.pid, page, &line) &&
            line.start <= page && line.prot == prot) ||
           fails(attempt, "mprotect");
}

/* A new page of the program that may be read, and is given that protection;
 * or 0. */
static uint64_t make_page(struct attempt *attempt, unsigned prot)
{
    int64_t page = tracee_map_page(&attempt->tracee);

    errno = 0;
    if (page <= 0)
        return fails(attempt, "mmap");
    return protects(attempt, (uint64_t)page, prot) ? (uint64_t)page : 0;
}

static bool try_EXECUTE(struct attempt *attempt)
{
    const bool mdwe = prctl(PR_GET_MDWE, 0, 0, 0, 0) > 0;
    uint64_t page = make_page(attempt, PROT_READ | PROT_EXEC);
    bool works = page && protects(attempt, page, PROT_READ) &&
                 protects(attempt, page, PROT_READ | PROT_EXEC);

    return works || (mdwe && SAY(attempt, "PR_SET_MDWE is in force") == 0);
}

/* A call that stores into a page fails where that is protected. */
static bool try_UFFD(struct attempt *attempt)
{
    const uint64_t size = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t page = make_page(attempt, PROT_READ | PROT_WRITE);
    int fd;

    if (!page)
        return false;
    fd = uffd_open(&attempt->tracee);
    if (fd < 0 && prctl(PR_GET_SECCOMP) != 0)
        return SAY(attempt, "jittrace runs under a seccomp filter, which might "
                            "kill who asks for one") == 0;
    errno = 0;
    if (fd < 0 && syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY) < 0)
        return fails(attempt, "userfaultfd");
    if (fd < 0)
        return SAY(attempt, "this kernel has no UFFD_FEATURE_WP_UNPOPULATED, "
                            "or it has no pidfd_getfd") == 0;
    return (uffd_register(fd, page, size) == 0 &&
            uffd_protect(fd, page, size, true) == 0 &&
            call(attempt, SYS_uname, page, 0) == -EFAULT &&
            uffd_protect(fd, page, size, false) == 0 &&
            call(attempt, SYS_uname, page, 0) == 0) ||
           fails(attempt, "UFFDIO_WRITEPROTECT");
}

TRY(DEBUG, tracee_break(tracee, tracee->syscall_insn) < 0
               ? fails(attempt, "PTRACE_POKEUSER")
               : tracee_proves_break(tracee) ||
                     SAY(attempt, "one is accepted, and never stops the "
                                  "program") == 0)

/* In the place of the first instruction of the dynamic loader. */
static bool try_BREAKPOINT(struct attempt *attempt)
{
    struct tracee *tracee = &attempt->tracee;
    struct breakpoint here;
    siginfo_t info;

    return tracee_fetch(tracee) == 0 &&
           !breakpoint_set(&here, BREAKPOINT_INSN, tracee, tracee_pc(tracee)) &&
           comes_to(tracee, RESUME_RUN, 0, STOP_SIGNAL) &&
           tracee_fetch(tracee) == 0 && tracee_siginfo(tracee, &info) == 0 &&
           breakpoint_is_hit(&here, tracee, &info);
}

static bool try_ACTION(struct attempt *attempt)
{
    const struct signal_action ignore = {.handler = (uintptr_t)SIG_IGN};
    struct proc_signals set;

    if (!attempt->tracee.syscall_insn)
        return SAY(attempt, NO_VDSO) == 0;
    return (tracee_set_action(&attempt->tracee, SIGUSR1, &ignore) == 0 &&
            proc_signals(attempt->tracee.pid, &set) &&
            set.ignored & SIGNAL_BIT(SIGUSR1)) ||
           fails(attempt, "rt_sigaction");
}

/* ADDR_NO_RANDOMIZE is without effect on a program that is loaded. */
static bool try_PERSONALITY(struct attempt *attempt)
{
    const uint64_t ask = 0xffffffff, flag = 0x0040000;
    const int64_t before = call(attempt, SYS_personality, ask, 0);
    const int64_t after = before ^ (int64_t)flag;

    return before >= 0 &&
           call(attempt, SYS_personality, (uint64_t)after, 0) >= 0 &&
           call(attempt, SYS_personality, ask, 0) == after;
}

/* --- beside the program -------------------------------------------------- */

/* On one CPU, as while it is stepped, and on all again. */
static bool try_AFFINITY(struct attempt *attempt)
{
    pid_t tid = attempt->tracee.tid;
    cpu_set_t set, one, now;
    unsigned cpu = 0;

    tracee_unpin(&attempt->tracee);
    errno = 0;
    if (sched_getaffinity(tid, sizeof set, &set) < 0)
        return fails(attempt, "sched_getaffinity");
    while (cpu < CPU_SETSIZE - 1 && !CPU_ISSET(cpu, &set))
        cpu++;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    return sched_setaffinity(tid, sizeof one, &one) == 0 &&
           sched_getaffinity(tid, sizeof now, &now) == 0 &&
           CPU_EQUAL(&now, &one) &&
           sched_setaffinity(tid, sizeof set, &set) == 0;
}

TRY(QUERY, proc_can_query_maps(getpid()) || fails(attempt, "ioctl"))

static bool try_PIDFD(struct attempt *attempt)
{
    int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);

    (void)attempt;
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

    (void)attempt;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return fd >= 0 && raise(SIGUSR1) == 0 &&
           read(fd, &info, sizeof info) == (ssize_t)sizeof info &&
           info.ssi_signo == SIGUSR1;
}

/* What is written to one end comes out of the other. */
static bool try_TERMINAL(struct attempt *attempt)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), slave;
    const char *name;
    char byte = 0;

    (void)attempt;
    if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0 ||
        !(name = ptsname(master)))
        return fails(attempt, "/dev/ptmx");
    slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    return (slave >= 0 && write(slave, "x", 1) == 1 &&
            read(master, &byte, 1) == 1 && byte == 'x') ||
           fails(attempt, name);
}

/* --- all of them --------------------------------------------------------- */

int doctor_apart(void (*try)(const void *argument, void *out),
                 const void *argument, void *out, size_t size, int milliseconds)
{
    struct pollfd ready = {.events = POLLIN};
    int ends[2], readable, error = 0;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    pid = fork();
    if (pid < 0)
        error = errno;
    if (pid == 0) {
        ssize_t ignored;

        prctl(PR_SET_PDEATHSIG, SIGTERM); /* launch may have it wait */
        close(ends[0]);
        try(argument, out);
        ignored = write(ends[1], out, size);
        (void)ignored;
        _exit(0);
    }
    close(ends[1]);
    ready.fd = ends[0];
    if (pid > 0) {
        readable = TEMP_FAILURE_RETRY(poll(&ready, 1, milliseconds));
        if (readable <= 0)
            error = readable ? errno : ETIMEDOUT;
        else if (read(ends[0], out, size) != (ssize_t)size)
            error = EPIPE;
        tracee_kill(&(struct tracee){.pid = pid});
    }
    close(ends[0]);
    errno = error;
    return error ? -1 : 0;
}

static void answer(const void *argument, void *out)
{
    static bool (*const try[])(struct attempt *) = {
#define MECHANISM(id, name, needs, instead, remedy) try_##id,
#include "target/doctor.def"
    };
    struct attempt attempt = *(const struct attempt *)argument;
    struct finding *finding = out;
    struct tracee *tracee = &attempt.tracee;
    uint64_t needs = UINT64_C(1) << attempt.which;
    bool launched, works;

    /* Directly or by what it takes. */
    for (int i = attempt.which; i >= 0; i--)
        if (needs >> i & 1)
            needs |= doctor_mechanisms[i].needs;
    attempt.failed = doctor_mechanisms[attempt.which].name;
    launched =
        needs & NEEDS(START) && launch(attempt.what, tracee, &attempt.err) == 0;
    works = launched || !(needs & NEEDS(START));
    if (launched && needs & NEEDS(CALL_STOPS)) {
        errno = 0;
        attempt.err.kind = ERR_NONE;
        works = tracee_finish_exec(tracee) == 0 ||
                fails(&attempt, "PTRACE_SYSCALL");
        if (works)
            tracee_find_syscall(tracee);
    }
    if (works) {
        errno = 0;
        attempt.err.kind = ERR_NONE;
        works = try[attempt.which](&attempt);
    }
    if (!works && !attempt.err.kind)
        SAY(&attempt, "%s: %s", attempt.failed,
            errno ? strerror(errno) : "accepted, and without effect");
    if (launched)
        tracee_kill(tracee);
    *finding = (struct finding){works ? FINDING_WORKS : FINDING_MISSING, ""};
    if (attempt.err.kind)
        strcpy(finding->text, attempt.err.text);
}

void doctor_examine(const struct launch *launch, struct finding out[MECHANISMS])
{
    for (int i = 0; i < MECHANISMS; i++) {
        const struct attempt attempt = {.what = launch, .which = i};
        const uint64_t needs = doctor_mechanisms[i].needs;
        const size_t size = sizeof out[i].text;
        int lacks = 0, result = -1;

        while (lacks < i &&
               (!(needs >> lacks & 1) || out[lacks].state == FINDING_WORKS))
            lacks++;
        if (lacks < i) {
            out[i] = out[lacks];
            out[i].state = FINDING_NOT_TRIED;
            if (out[lacks].state == FINDING_MISSING)
                snprintf(out[i].text, size, "%s",
                         doctor_mechanisms[lacks].name);
            continue;
        }
        /* On a busy machine one that works may be late once. */
        for (int n = 0; result < 0 && (!n || (n == 1 && errno == ETIMEDOUT));
             n++)
            result = doctor_apart(answer, &attempt, &out[i], sizeof out[i],
                                  PATIENCE_MS);
        if (result == 0)
            continue;
        out[i].state = FINDING_MISSING;
        if (errno == ETIMEDOUT)
            snprintf(out[i].text, size, "it does not answer within %d seconds",
                     PATIENCE_MS / 1000);
        else if (errno == EPIPE)
            snprintf(out[i].text, size,
                     "the process that tried it has ended without an answer");
        else
            snprintf(out[i].text, size, "it could not be tried: %s",
                     strerror(errno));
    }
}
