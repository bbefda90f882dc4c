/* SPDX-License-Identifier: MIT */
#include "target/inject.h"

#include <elf.h>
#include <errno.h>
#include <sys/syscall.h>

#include "target/proc.h"
#include "target/registers.h"

const char *tryout_registers(struct tracee *tracee)
{
    uint64_t *const value = tracee_free_register(tracee);
    uint64_t before;
    bool kept;

    errno = 0;
    if (tracee_fetch(tracee) < 0 || tracee_pc(tracee) == 0)
        return "PTRACE_GETREGS";
    before = *value;
    *value ^= 1;
    if (tracee_store(tracee) < 0)
        return "PTRACE_SETREGS";
    tracee->fetched = false;
    errno = 0;
    kept = tracee_fetch(tracee) == 0 && *value == (before ^ 1);
    *value = before;
    return kept && tracee_store(tracee) == 0 ? NULL : "PTRACE_SETREGS";
}

const char *tryout_mask(const struct tracee *tracee)
{
    uint64_t before, now;

    errno = 0;
    if (tracee_get_mask(tracee, &before) < 0)
        return "PTRACE_GETSIGMASK";
    if (tracee_set_mask(tracee, before ^ SIGNAL_BIT(SIGUSR1)) < 0)
        return "PTRACE_SETSIGMASK";
    errno = 0;
    if (tracee_get_mask(tracee, &now) < 0 || now == before)
        return "PTRACE_SETSIGMASK";
    return tracee_set_mask(tracee, before) < 0 ? "PTRACE_SETSIGMASK" : NULL;
}

const char *tryout_memory(const struct tracee *tracee, uint64_t addr)
{
    uint64_t word, other, now;

    errno = 0;
    if (proc_read(tracee->tid, addr, &word, sizeof word) != sizeof word)
        return TRYOUT_READING;
    other = ~word;
    if (tracee_write(tracee, addr, &other, sizeof other) < 0)
        return "PTRACE_POKEDATA";
    errno = 0;
    return proc_read(tracee->tid, addr, &now, sizeof now) == sizeof now &&
                   now == other &&
                   tracee_write(tracee, addr, &word, sizeof word) == 0
               ? NULL
               : "PTRACE_POKEDATA";
}

/* --- all of it ------------------------------------------------------------ */

/* These have remedies of their own. */
static const char no_auxv[] = "/proc/PID/auxv cannot be read";
static const char no_call_info[] = "PTRACE_GET_SYSCALL_INFO fails";

static int is_missing(struct err *err, const char *what)
{
    if (errno == ESRCH) /* it was killed: whoever waits for it will tell */
        return 0;
    return err_set(
        err, ERR_TRACING, "this program cannot be traced: %s (%s); %s", what,
        errno ? strerror(errno) : "without an error",
        what == no_auxv
            ? "mount the /proc of this PID namespace (mount -t proc proc "
              "/proc), and make the program readable"
        : what == no_call_info
            ? "jittrace needs Linux 5.3 or newer, or a sandbox or container "
              "that does not forbid it"
            : "a sandbox or a container forbids it, or the CPU is emulated "
              "(qemu-user, valgrind, Rosetta): run jittrace outside of it, on "
              "a real x86-64 machine or a virtual one (docker run "
              "--cap-add=SYS_PTRACE --security-opt seccomp=unconfined)");
}

int tracee_fails_to_run(struct err *err)
{
    return is_missing(err, "it cannot be let go on (PTRACE_CONT)");
}

/* What of it does not work, or NULL. */
static const char *find_missing(struct tracee *tracee)
{
    const char *failed;
    int64_t result;
    struct call call;
    siginfo_t info;

    errno = 0;
    if (!proc_auxv(tracee->pid, AT_PAGESZ))
        return no_auxv;
    failed = tryout_registers(tracee);
    if (failed)
        return strcmp(failed, "PTRACE_GETREGS") == 0 ? "PTRACE_GETREGS fails"
                                                     : "PTRACE_SETREGS fails";
    failed = tryout_memory(tracee, tracee_stack(tracee));
    if (failed)
        return strcmp(failed, TRYOUT_READING) == 0
                   ? "its memory cannot be read (process_vm_readv, "
                     "/proc/PID/mem)"
                   : "its memory cannot be written to (PTRACE_POKEDATA)";
    if (tryout_mask(tracee))
        return "its signal mask cannot be set (PTRACE_SETSIGMASK)";
    if (tracee_finish_exec(tracee) < 0)
        return "it cannot be stopped at system calls (PTRACE_SYSCALL, waitid)";
    if (tracee_call(tracee, &call) < 0)
        return no_call_info;
    if (!tracee_find_syscall(tracee))
        return NULL; /* the observer does without, and says so */
    errno = 0;
    result = tracee_inject(tracee, SYS_getpid, 0, 0, 0);
    if (result == INJECT_FAILED)
        return "one instruction cannot be stepped (PTRACE_SINGLESTEP)";
    errno = 0;
    if (result != tracee->pid)
        return "a system call that it is made to do has no effect "
               "(PTRACE_SETREGS)";
    if (tracee_siginfo(tracee, &info) < 0 || info.si_signo != SIGTRAP)
        return "PTRACE_GETSIGINFO fails";
    return NULL;
}

int tracee_try(struct tracee *tracee, struct err *err)
{
    const char *missing = find_missing(tracee);

    return missing ? is_missing(err, missing) : 0;
}
