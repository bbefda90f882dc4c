/* SPDX-License-Identifier: MIT */
/*
 * Machines, sandboxes and containers that lack something jittrace uses: each
 * absence is made for real, by a filter that the system call meets (refuse.h),
 * so that every fallback runs on every machine. As jittrace asks for no
 * userfaultfd below a filter, that is absent in all of them; without a filter
 * it is used, by all other tests.
 *
 * A program must do what it does untraced, and where there is a fallback the
 * trace must be the one that nothing is missing for.
 */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>

#include "support/refuse.h"
#include "support/support.h"
#include "target/filter.h"

TestSuite(absent, .timeout = 60);

/* Newer than the headers of some C libraries. */
#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#endif

/* Criterion takes what it compares for changeable. */
static char *text_of(struct buf *buf)
{
    return (char *)(uintptr_t)buf_text(buf);
}

static int no_ptrace_request(int request, int error)
{
    return refuse_if(SYS_ptrace, 0, (uint32_t)request, true, error);
}

/* --- what there is a fallback for ----------------------------------------- */

/* They are accepted and never act: what is set there goes nowhere. */
static int debug_registers(void)
{
    return no_ptrace_request(PTRACE_POKEUSER, 0);
}

static int debug_registers_at_all(void)
{
    return no_ptrace_request(PTRACE_POKEUSER, EIO);
}

static int process_vm_readv_call(void)
{
    return refuse(SYS_process_vm_readv, ENOSYS);
}

static int process_vm_readv_right(void)
{
    return refuse(SYS_process_vm_readv, EPERM);
}

/* As some sandboxes have it. */
static int process_vm_readv_access(void)
{
    return refuse(SYS_process_vm_readv, EACCES);
}

static int userfaultfd(void)
{
    return refuse(SYS_userfaultfd, ENOSYS);
}

static int pidfd(void)
{
    return refuse(SYS_pidfd_open, ENOSYS) < 0 ? -1
                                              : refuse(SYS_pidfd_getfd, ENOSYS);
}

static int affinity(void)
{
    return refuse(SYS_sched_setaffinity, EPERM);
}

/* What is traced, and with which options. */
static const char *const *const runs[] = {
    ARGS("--", TRACEE("babyjit-O0"), "1"),
    ARGS("--", TRACEE("babyjit-O2"), "-4"),
    ARGS("--", TRACEE("babyjit-static"), "1"),
    ARGS("--", TRACEE("babyjit-no-pie"), "1"),
    ARGS("--max-call-steps=1", "--", TRACEE("rest_calls")),
    ARGS("--max-call-steps=20", "--", TRACEE("rest_fib")),
    ARGS("--max-call-steps=1", "--", TRACEE("rest_regions")),
    ARGS("--", TRACEE("constructor")),
    ARGS("--", TRACEE("callback")),
    ARGS("--", TRACEE("recursion")),
    ARGS("--", TRACEE("rwx")),
    ARGS("--", TRACEE("store_to_itself")),
    ARGS("--", TRACEE("two_regions_back")),
    ARGS("--", TRACEE("longjmp")),
    ARGS("--", TRACEE("patched")),
    ARGS("--", TRACEE("read_into")),
    ARGS("--", TRACEE("effects")),
    ARGS("--", TRACEE("write_only")),
    ARGS("--", TRACEE("spinning_parent")),
    ARGS("--", TRACEE("robust")),
    ARGS("--", TRACEE("calling_parent")),
};

/* Where the program begins in a run's arguments. */
static const char *const *program_of(const char *const *argv)
{
    while (strcmp(*argv, "--") != 0)
        argv++;
    return argv + 1;
}

/* Runs everything, with and without that absence, and compares. */
static void falls_back(int (*absence)(void))
{
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        struct buf whole = {0}, without = {0};
        struct result untraced, result;
        struct store store;

        trace(&(struct job){.argv = runs[i]}, &store, &result);
        kinds(&store, &whole);
        result_release(&result);
        store_release(&store);
        run(&(struct job){.argv = program_of(runs[i]), .prepare = absence},
            &untraced);
        trace(&(struct job){.argv = runs[i], .prepare = absence}, &store,
              &result);
        kinds(&store, &without);
        cr_assert(eq(int, result.status, untraced.status), "%s",
                  *program_of(runs[i]));
        cr_assert(eq(str, text_of(&result.out), text_of(&untraced.out)), "%s",
                  *program_of(runs[i]));
        cr_assert(eq(str, text_of(&without), text_of(&whole)), "%s",
                  *program_of(runs[i]));
        result_release(&result);
        result_release(&untraced);
        store_release(&store);
        buf_release(&whole);
        buf_release(&without);
    }
}

#define FALLBACKS(X)           \
    X(debug_registers)         \
    X(debug_registers_at_all)  \
    X(process_vm_readv_call)   \
    X(process_vm_readv_right)  \
    X(process_vm_readv_access) \
    X(userfaultfd)             \
    X(pidfd)                   \
    X(affinity)
#define FALLBACK(absence)    \
    Test(absent, absence)    \
    {                        \
        falls_back(absence); \
    }
FALLBACKS(FALLBACK)

/* --- what there is none for ----------------------------------------------- */

static int getregs(void)
{
    return no_ptrace_request(PTRACE_GETREGS, EIO);
}

static int cont(void)
{
    return no_ptrace_request(PTRACE_CONT, EIO);
}

static int seize(void)
{
    return no_ptrace_request(PTRACE_SEIZE, EIO);
}

static int setregs(void)
{
    return no_ptrace_request(PTRACE_SETREGS, EIO);
}

/* It is taken, and has no effect. */
static int setregs_silently(void)
{
    return no_ptrace_request(PTRACE_SETREGS, 0);
}

static int setsigmask(void)
{
    return no_ptrace_request(PTRACE_SETSIGMASK, EIO);
}

static int setsigmask_silently(void)
{
    return no_ptrace_request(PTRACE_SETSIGMASK, 0);
}

static int getsiginfo(void)
{
    return no_ptrace_request(PTRACE_GETSIGINFO, EIO);
}

static int syscall_info(void)
{
    return no_ptrace_request(PTRACE_GET_SYSCALL_INFO, EIO);
}

static int singlestep(void)
{
    return no_ptrace_request(PTRACE_SINGLESTEP, EIO);
}

static int syscall_stops(void)
{
    return no_ptrace_request(PTRACE_SYSCALL, EIO);
}

static int waitid_call(void)
{
    return refuse(SYS_waitid, ENOSYS);
}

static int poke(void)
{
    return no_ptrace_request(PTRACE_POKEDATA, EIO);
}

static int poke_silently(void)
{
    return no_ptrace_request(PTRACE_POKEDATA, 0);
}

/* Status 71, what is missing, a remedy; within a second, and nothing has run. */
static void is_refused(int (*absence)(void), const char *cause,
                       const char *remedy)
{
    const char *const *const argvs[] = {
        ARGS(JITTRACE, "1"),
        ARGS(JITTRACE, "--", TRACEE("babyjit-static"), "1"),
    };

    for (size_t i = 0; i < 2; i++) {
        double quickest = 5;
        struct result result;

        for (int try = 0; try < 3 && quickest >= 1; try++) {
            run(&(struct job){.argv = argvs[i],
                              .prepare = absence,
                              .seconds = 5},
                &result);
            if (result.took < quickest)
                quickest = result.took;
            cr_assert(eq(int, result.status, 71));
            cr_assert(eq(str, text_of(&result.out), (char *)""));
            cr_assert(eq(sz, count_lines(buf_text(&result.err)), 1), "%s",
                      buf_text(&result.err));
            cr_assert(contains(buf_text(&result.err), cause), "%s",
                      buf_text(&result.err));
            cr_assert(contains(buf_text(&result.err), remedy), "%s",
                      buf_text(&result.err));
            result_release(&result);
        }
        cr_assert(lt(dbl, quickest, 1.0));
    }
}

#define REFUSALS(X)                                         \
    X(getregs, "PTRACE_GETREGS", "emulated")                \
    X(cont, "PTRACE_CONT", "sandbox")                       \
    X(seize, "ptrace: Input/output error", "outside")       \
    X(setregs, "PTRACE_SETREGS fails (Input", "emulated")   \
    X(setregs_silently, "PTRACE_SETREGS", "emulated")       \
    X(setsigmask, "PTRACE_SETSIGMASK", "sandbox")           \
    X(setsigmask_silently, "PTRACE_SETSIGMASK", "sandbox")  \
    X(getsiginfo, "PTRACE_GETSIGINFO", "sandbox")           \
    X(syscall_info, "PTRACE_GET_SYSCALL_INFO", "Linux 5.3") \
    X(singlestep, "PTRACE_SINGLESTEP", "sandbox")           \
    X(syscall_stops, "PTRACE_SYSCALL", "sandbox")           \
    X(waitid_call, "waitid", "sandbox")                     \
    X(poke, "PTRACE_POKEDATA", "sandbox")                   \
    X(poke_silently, "PTRACE_POKEDATA", "sandbox")
#define REFUSAL(absence, cause, remedy)     \
    Test(absent, absence)                   \
    {                                       \
        is_refused(absence, cause, remedy); \
    }
REFUSALS(REFUSAL)

/* --- where the trace shows less ------------------------------------------- */

/* An int3 waits for the return of a call then. It goes away before a fork, so
 * that return is not seen, and the child finds none of it. */
Test(absent, a_call_that_forks_returns_without_debug_registers)
{
    const char *const *argv =
        ARGS("--max-call-steps=1", "--", TRACEE("rest_fork"));
    struct result untraced, result;
    struct store store;

    run(&(struct job){.argv = program_of(argv)}, &untraced);
    trace(&(struct job){.argv = argv, .prepare = debug_registers}, &store,
          &result);
    cr_assert(eq(int, result.status, 0));
    cr_assert(eq(int, untraced.status, 0));
    cr_assert(eq(str, text_of(&result.out), text_of(&untraced.out)));
    cr_assert(eq(sz, count(&store, EVENT_LEAVE), 0));
    result_release(&result);
    result_release(&untraced);
    store_release(&store);
}

/* --- execution that cannot be given back ---------------------------------- */

static int inherited_mdwe(void)
{
    return prctl(PR_SET_MDWE, 1, 0, 0, 0);
}

/* What jittrace asks for alone. */
static int our_mprotect(void)
{
    return refuse_if(SYS_mprotect, 5, (uint32_t)FILTER_PASS, true, EACCES);
}

static void runs_unharmed(int (*absence)(void))
{
    const char *const *argv = ARGS("--", TRACEE("twin_threads"));
    struct result untraced, result;
    struct store store;
    int told = 0;

    run(&(struct job){.argv = argv + 1, .prepare = absence}, &untraced);
    trace(&(struct job){.argv = argv, .prepare = absence}, &store, &result);
    cr_assert(eq(int, result.status, 0));
    cr_assert(eq(int, untraced.status, 0));
    cr_assert(eq(str, text_of(&result.out), text_of(&untraced.out)));
    cr_assert(eq(sz, count(&store, EVENT_ENTER), 0));
    cr_assert(eq(sz, count(&store, EVENT_SIGNAL), 0));
    for (size_t i = 0; i < count(&store, EVENT_LIMIT); i++)
        told += !strcmp(nth(&store, EVENT_LIMIT, i)->limit.budget, "execute");
    cr_assert(eq(int, told, 1));
    result_release(&result);
    result_release(&untraced);
    store_release(&store);
}

Test(absent, execution_is_not_given_back)
{
    runs_unharmed(our_mprotect);
}

/* --- writes that cannot be given back ------------------------------------- */

/* Which is asked for by jittrace alone here. */
static int mprotect_to_write(void)
{
    return refuse_if(SYS_mprotect, 2, PROT_READ | PROT_WRITE, true, EACCES);
}

Test(absent, writes_are_not_given_back)
{
    const char *const *argv = ARGS("--", TRACEE("babyjit-O0"), "1");
    struct result result;
    struct store store;

    trace(&(struct job){.argv = argv, .prepare = mprotect_to_write}, &store,
          &result);
    cr_assert(eq(int, result.status, 0));
    cr_assert(eq(str, text_of(&result.out), (char *)"2 3 4\n"));
    cr_assert(eq(sz, count(&store, EVENT_LIMIT), 1));
    cr_assert(eq(str, (char *)nth(&store, EVENT_LIMIT, 0)->limit.budget,
                 (char *)"write"));
    cr_assert(eq(sz, count(&store, EVENT_WRITE), 0));
    cr_assert(eq(sz, count(&store, EVENT_ENTER), 3));
    result_release(&result);
    store_release(&store);
}

/* Linux 6.3 and newer have it. */
Test(absent, mdwe_is_inherited)
{
    if (prctl(PR_SET_MDWE, 0, 0, 0, 0) < 0 && errno == EINVAL &&
        prctl(66 /* PR_GET_MDWE */, 0, 0, 0, 0) < 0)
        cr_skip("this kernel has no PR_SET_MDWE (Linux 6.3 has)");
    runs_unharmed(inherited_mdwe);
}
