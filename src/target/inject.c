/* SPDX-License-Identifier: MIT */
/*
 * A call of ours is injected by pointing the tracee at the system call
 * instruction of its vdso with the registers of our call, stepping that one
 * instruction, and putting its registers back. Nothing is written to its memory
 * and no byte of its code is changed. Its signals are blocked meanwhile, so
 * that they stay in their order in the kernel; the few that cannot be are held.
 * If the tracee dies meanwhile, its status is left in the kernel, so that
 * wait_stop is the only place where deaths are learnt.
 */
#include "target/inject.h"

#include <elf.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "cpu/calling.h"
#include "cpu/trap.h"
#include "target/filter.h"
#include "target/proc.h"
#include "target/registers.h"
#include "target/request.h"

#define VDSO_SIZE 8192 /* bytes of it that are searched for an instruction */

/* Only asks personality(2) for the present domain. */
#define NO_DOMAIN 0xffffffffu

/* Stops after which a call of ours is given up; one or two are the rule. */
#define INJECT_TRIES 100

int tracee_deny(struct tracee *tracee)
{
    if (tracee_fetch(tracee) < 0)
        return -1;
    tracee_skip_call(tracee);
    return tracee_store(tracee);
}

int tracee_rewind(struct tracee *tracee)
{
    struct user_regs_struct saved;
    struct stop stop;

    if (tracee_fetch(tracee) < 0)
        return -1;
    saved = tracee->regs;
    tracee_skip_call(tracee);
    if (tracee_store(tracee) < 0)
        return -1;
    do {
        if (ptrace_request(PTRACE_SYSCALL, tracee->tid, 0, NULL) < 0 ||
            tracee_wait(tracee, &stop) < 0)
            return -1;
    } while (stop.kind != STOP_CALL);
    tracee->regs = saved;
    tracee_before_call(tracee);
    return tracee_store(tracee);
}

bool tracee_find_syscall(struct tracee *tracee)
{
    uint8_t vdso[VDSO_SIZE];
    uint64_t base = proc_auxv(tracee->tid, AT_SYSINFO_EHDR);
    size_t len = base ? proc_read(tracee->tid, base, vdso, sizeof vdso) : 0;
    const uint8_t *at = memmem(vdso, len, syscall_bytes, SYSCALL_LENGTH);

    tracee->syscall_insn = at ? base + (uint64_t)(at - vdso) : 0;
    return at != NULL;
}

/* --- one call ------------------------------------------------------------- */

/* Keeps the signal of a stop that came instead of the one that is awaited. */
static void hold_foreign(struct tracee *tracee, const struct stop *stop)
{
    siginfo_t info;

    if (stop->kind != STOP_SIGNAL || tracee_siginfo(tracee, &info) < 0 ||
        (info.si_signo == SIGTRAP && info.si_code > 0))
        return;
    for (size_t i = 0; i < tracee->held_count; i++)
        if (info.si_signo == SIGTRAP && tracee->held[i].si_signo == SIGTRAP)
            return; /* it does not queue (signal(7)) */
    tracee_hold(tracee, &info);
}

/* Lets it go on with the request, to its next stop, which is not its death. */
static int go_on(struct tracee *tracee, int op, int signal, struct stop *stop)
{
    tracee->fetched = false;
    if (ptrace_request(op, tracee->tid, 0, (void *)(uintptr_t)signal) < 0)
        return -1;
    return tracee_wait(tracee, stop);
}

/* How a call of ours is run, with the registers stored; they are fetched again
 * when it is over. Returns 0 or -1. */
typedef int run_function(struct tracee *tracee);

/*
 * Steps over the system call instruction and keeps the signals that come. The
 * one that is to go back goes with the first step; as it is blocked, the kernel
 * keeps it pending (ptrace_signal in kernel/signal.c).
 */
static int step_syscall(struct tracee *tracee)
{
    struct stop stop;

    for (int i = 0; i < INJECT_TRIES; i++) {
        int signal = tracee->going_back;

        tracee->going_back = 0;
        if (go_on(tracee, PTRACE_SINGLESTEP, signal, &stop) < 0)
            return -1;
        if (stop.kind == STOP_SIGNAL && stop.signal == SIGTRAP &&
            tracee_fetch(tracee) == 0 &&
            tracee_has_called(tracee, tracee->syscall_insn))
            return 0;
        hold_foreign(tracee, &stop);
    }
    return -1;
}

/* The same with the two stops of a system call: none of them is a signal. */
static int run_syscall(struct tracee *tracee)
{
    struct stop stop;
    int stops = 0;

    for (int i = 0; i < INJECT_TRIES && stops < 2; i++) {
        if (go_on(tracee, PTRACE_SYSCALL, 0, &stop) < 0)
            return -1;
        stops += stop.kind == STOP_CALL;
        hold_foreign(tracee, &stop);
    }
    return stops < 2 ? -1 : tracee_fetch(tracee);
}

/* To the trap of a step, which may come in front of the instruction. */
static int step_to_trap(struct tracee *tracee)
{
    struct stop stop;

    for (int i = 0; i < INJECT_TRIES; i++) {
        if (go_on(tracee, PTRACE_SINGLESTEP, 0, &stop) < 0 ||
            tracee_fetch(tracee) < 0)
            return -1;
        if (stop.kind == STOP_SIGNAL && stop.signal == SIGTRAP)
            return 0;
        hold_foreign(tracee, &stop);
    }
    return -1;
}

/*
 * Makes a call, with the signals that can wait blocked: but for SIGTRAP, which
 * a step forces, and SIGSEGV unless the program itself blocks that. *after, if
 * any, gets where the tracee was then.
 */
static int inject(struct tracee *tracee, uint64_t number,
                  const uint64_t args[6], int64_t *result, run_function *run,
                  uint64_t *after)
{
    struct user_regs_struct saved;
    uint64_t mask, ours = UINT64_MAX;
    int failed;

    if (!tracee->syscall_insn || tracee_fetch(tracee) < 0)
        return -1;
    saved = tracee->regs;
    tracee->injected = true;
    tracee_prepare_call(tracee, tracee->syscall_insn, number, args);
    if (tracee_get_mask(tracee, &mask) < 0)
        return -1;
    if (run != run_syscall)
        ours &= ~SIGNAL_BIT(SIGTRAP) & (mask | ~SIGNAL_BIT(SIGSEGV));
    if (tracee_set_mask(tracee, ours) < 0 || tracee_store(tracee) < 0)
        return -1;
    failed = run(tracee);
    tracee_set_mask(tracee, mask);
    if (failed)
        return -1;
    *result = tracee_result(tracee);
    if (after)
        *after = tracee_pc(tracee);
    tracee->regs = saved;
    return tracee_store(tracee);
}

int tracee_inject(struct tracee *tracee, uint64_t number,
                  const uint64_t args[6], int64_t *result)
{
    return inject(tracee, number, args, result, step_syscall, NULL);
}

/* --- what is done by calls ------------------------------------------------ */

/* A signal can go with the resume from a stop that a step ends in, so a call of
 * no consequence is made before the first, and one for each. */
void tracee_give_back(struct tracee *tracee)
{
    static const uint64_t none[6];
    int64_t ignored;
    siginfo_t info;

    for (size_t i = tracee->held_count; i > 0; i--) {
        if (!tracee_take(tracee, &info))
            return;
        if (info.si_signo == SIGTRAP || !tracee_blocks(tracee, info.si_signo)) {
            tracee_hold(tracee, &info); /* it keeps its place behind others */
            continue;
        }
        tracee_inject(tracee, SYS_getpid, none, &ignored);
        ptrace_request(PTRACE_SETSIGINFO, tracee->tid, 0, &info);
        tracee->going_back = info.si_signo;
        tracee_inject(tracee, SYS_getpid, none, &ignored);
    }
}

int tracee_mprotect(struct tracee *tracee, uint64_t addr, uint64_t length,
                    unsigned prot)
{
    const uint64_t args[6] = {addr, length, prot, 0, 0, FILTER_PASS};
    int64_t result;

    if (tracee_inject(tracee, SYS_mprotect, args, &result) < 0)
        return 1;
    return (int)result;
}

/* Sets the execution domain; returns the former one, or -1. */
static int64_t set_domain(struct tracee *tracee, uint64_t domain)
{
    const uint64_t args[6] = {domain, [5] = FILTER_PASS};
    int64_t result;

    return tracee_inject(tracee, SYS_personality, args, &result) < 0 ? -1
                                                                     : result;
}

int tracee_mprotect_exactly(struct tracee *tracee, uint64_t addr,
                            uint64_t length, unsigned prot)
{
    int64_t domain = set_domain(tracee, NO_DOMAIN);
    int result;

    if (domain < 0)
        return 1;
    set_domain(tracee, (uint64_t)domain & ~(uint64_t)READ_IMPLIES_EXEC);
    result = tracee_mprotect(tracee, addr, length, prot);
    set_domain(tracee, (uint64_t)domain);
    return result;
}

int64_t tracee_map_page(struct tracee *tracee)
{
    const uint64_t args[6] = {0,
                              (uint64_t)sysconf(_SC_PAGESIZE),
                              PROT_READ,
                              MAP_PRIVATE | MAP_ANONYMOUS,
                              (uint64_t)-1,
                              0};
    int64_t addr;

    return tracee_inject(tracee, SYS_mmap, args, &addr) < 0 ? -1 : addr;
}

/* Which the kernel forbids under PR_SET_MDWE (prctl(2)) and SELinux' execmem,
 * and a sandbox may, as systemd's MemoryDenyWriteExecute=. */
bool tracee_can_protect_again(struct tracee *tracee, unsigned prot)
{
    const uint64_t size = (uint64_t)sysconf(_SC_PAGESIZE);
    const int64_t addr = tracee_map_page(tracee);
    const uint64_t unmap[6] = {(uint64_t)addr, size, [5] = FILTER_PASS};
    int64_t ignored;
    bool can;

    if (addr < 0)
        return false;
    can = tracee_mprotect(tracee, unmap[0], size, prot) == 0;
    tracee_inject(tracee, SYS_munmap, unmap, &ignored);
    return can;
}

/* A step would force SIGTRAP, which may be the very signal that this is about;
 * so the call is run between its two stops. */
int tracee_set_action(struct tracee *tracee, int signal,
                      const struct signal_action *action)
{
    uint64_t args[6] = {(uint64_t)signal,    0, 0,
                        sizeof action->mask, 0, FILTER_PASS};
    uint8_t before[sizeof *action];
    int64_t result = -1;

    if (tracee_fetch(tracee) < 0 || tracee_awaits_restart(tracee))
        return -1;
    args[1] = (tracee_stack(tracee) - CALLING_RED_ZONE - sizeof *action) &
              ~UINT64_C(15);
    if (proc_read(tracee->tid, args[1], before, sizeof before) !=
            sizeof before ||
        tracee_write(tracee, args[1], action, sizeof *action) < 0)
        return -1;
    if (inject(tracee, SYS_rt_sigaction, args, &result, run_syscall, NULL) < 0)
        result = -1;
    tracee_write(tracee, args[1], before, sizeof before);
    return result == 0 ? 0 : -1;
}

int tracee_finish_exec(struct tracee *tracee)
{
    struct stop stop;

    do {
        if (go_on(tracee, PTRACE_SYSCALL, 0, &stop) < 0)
            return -1;
        hold_foreign(tracee, &stop);
    } while (stop.kind != STOP_CALL);
    return 0;
}

/* The instruction of a call of ours is stepped: one that stops the tracee in
 * front of it works. */
bool tracee_proves_break(struct tracee *tracee)
{
    static const uint64_t none[6];
    const uint64_t insn = tracee->syscall_insn;
    uint64_t at;
    int64_t ignored;
    bool stopped;

    if (!insn || tracee_break(tracee, insn) < 0)
        return false;
    stopped =
        inject(tracee, SYS_getpid, none, &ignored, step_to_trap, &at) == 0 &&
        at == insn;
    tracee_break(tracee, 0);
    return stopped;
}
