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
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/ptrace.h>
#include <unistd.h>

#include "cpu/calling.h"
#include "target/filter.h"
#include "target/machine.h"
#include "target/proc.h"
#include "target/registers.h"

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

int tracee_substitute(struct tracee *tracee, uint64_t first, uint64_t second)
{
    if (tracee_fetch(tracee) < 0)
        return -1;
    tracee->substituted[0] = first;
    tracee->substituted[1] = second;
    tracee_exchange_args(tracee, tracee->substituted);
    tracee->substitutes = tracee_store(tracee) == 0;
    return tracee->substitutes ? 0 : -1;
}

int tracee_put_back(struct tracee *tracee)
{
    if (!tracee->substitutes)
        return 0;
    tracee->substitutes = false;
    if (tracee_fetch(tracee) < 0)
        return -1;
    tracee_exchange_args(tracee, tracee->substituted);
    return tracee_store(tracee);
}

int tracee_rewind(struct tracee *tracee)
{
    struct user_regs_struct saved;
    struct stop stop;

    if (tracee_fetch(tracee) < 0 || tracee_put_back(tracee) < 0)
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

/* How a call of ours is run. */
enum way {
    BY_STEP,       /* over the system call instruction */
    BY_TRAP,       /* to the trap of a step, which may come in front of it */
    BETWEEN_STOPS, /* of a system call: none of them is a signal */
};

/*
 * Makes a call, with the signals that can wait blocked: but for SIGTRAP, which
 * a step forces, and SIGSEGV unless the program itself blocks that. Those that
 * come are held. The one that is to go back goes with the first step; as it is
 * blocked, the kernel keeps it pending (ptrace_signal in kernel/signal.c).
 * Returns the result or, BY_TRAP, where the tracee was then; or INJECT_FAILED.
 */
static int64_t inject(struct tracee *tracee, enum way way, uint64_t number,
                      const uint64_t args[6])
{
    const int op = way == BETWEEN_STOPS ? PTRACE_SYSCALL : PTRACE_SINGLESTEP;
    struct user_regs_struct saved;
    uint64_t mask, ours = UINT64_MAX;
    struct stop stop;
    int stops = 0, signal;
    bool over = false;
    int64_t result;

    if (!tracee->syscall_insn || tracee_fetch(tracee) < 0)
        return INJECT_FAILED;
    saved = tracee->regs;
    tracee->injected = true;
    tracee_prepare_call(tracee, tracee->syscall_insn, number, args);
    if (tracee_get_mask(tracee, &mask) < 0)
        return INJECT_FAILED;
    if (way != BETWEEN_STOPS)
        ours &= ~SIGNAL_BIT(SIGTRAP) & (mask | ~SIGNAL_BIT(SIGSEGV));
    if (tracee_set_mask(tracee, ours) < 0 || tracee_store(tracee) < 0)
        return INJECT_FAILED;
    for (int i = 0; i < INJECT_TRIES && !over; i++) {
        signal = tracee->going_back;
        tracee->going_back = 0;
        if (go_on(tracee, op, signal, &stop) < 0)
            break;
        stops += stop.kind == STOP_CALL;
        over = way == BETWEEN_STOPS
                   ? stops == 2
                   : stop.kind == STOP_SIGNAL && stop.signal == SIGTRAP &&
                         tracee_fetch(tracee) == 0 &&
                         (way == BY_TRAP ||
                          tracee_has_called(tracee, tracee->syscall_insn));
        if (!over)
            hold_foreign(tracee, &stop);
    }
    tracee_set_mask(tracee, mask);
    if (!over || tracee_fetch(tracee) < 0)
        return INJECT_FAILED;
    result =
        way == BY_TRAP ? (int64_t)tracee_pc(tracee) : tracee_result(tracee);
    tracee->regs = saved;
    return tracee_store(tracee) < 0 ? INJECT_FAILED : result;
}

int64_t tracee_inject(struct tracee *tracee, uint64_t number, uint64_t first,
                      uint64_t second, uint64_t third)
{
    const uint64_t args[6] = {first, second, third, [5] = FILTER_PASS};

    return inject(tracee, BY_STEP, number, args);
}

/* --- what is done by calls ------------------------------------------------ */

/* A signal can go with the resume from a stop that a step ends in, so a call of
 * no consequence is made before the first, and one for each. */
void tracee_give_back(struct tracee *tracee)
{
    siginfo_t info;

    for (size_t i = tracee->held_count; i > 0; i--) {
        if (!tracee_take(tracee, &info))
            return;
        if (info.si_signo == SIGTRAP || !tracee_blocks(tracee, info.si_signo)) {
            tracee_hold(tracee, &info); /* it keeps its place behind others */
            continue;
        }
        tracee_inject(tracee, SYS_getpid, 0, 0, 0);
        ptrace_request(PTRACE_SETSIGINFO, tracee->tid, 0, &info);
        tracee->going_back = info.si_signo;
        tracee_inject(tracee, SYS_getpid, 0, 0, 0);
    }
}

int tracee_mprotect(struct tracee *tracee, uint64_t addr, uint64_t length,
                    unsigned prot, bool exactly)
{
    int64_t result, domain = 0;

    if (exactly) {
        domain = tracee_inject(tracee, SYS_personality, NO_DOMAIN, 0, 0);
        if (domain < 0)
            return 1;
        tracee_inject(tracee, SYS_personality,
                      (uint64_t)domain & ~(uint64_t)READ_IMPLIES_EXEC, 0, 0);
    }
    result = tracee_inject(tracee, SYS_mprotect, addr, length, prot);
    if (exactly)
        tracee_inject(tracee, SYS_personality, (uint64_t)domain, 0, 0);
    return result == INJECT_FAILED ? 1 : (int)result;
}

int64_t tracee_map_page(struct tracee *tracee)
{
    const uint64_t args[6] = {[1] = (uint64_t)sysconf(_SC_PAGESIZE),
                              [2] = PROT_READ,
                              [3] = MAP_PRIVATE | MAP_ANONYMOUS,
                              [4] = (uint64_t)-1};

    return inject(tracee, BY_STEP, SYS_mmap, args);
}

/* Which the kernel forbids under PR_SET_MDWE (prctl(2)) and SELinux' execmem,
 * and a sandbox may, as systemd's MemoryDenyWriteExecute=. */
bool tracee_can_protect_again(struct tracee *tracee, unsigned prot)
{
    const uint64_t size = (uint64_t)sysconf(_SC_PAGESIZE);
    const int64_t addr = tracee_map_page(tracee);
    bool can;

    if (addr < 0)
        return false;
    can = tracee_mprotect(tracee, (uint64_t)addr, size, prot, false) == 0;
    tracee_inject(tracee, SYS_munmap, (uint64_t)addr, size, 0);
    return can;
}

/* A step would force SIGTRAP, which may be the very signal that this is about;
 * so the calls are run between their two stops. Where the stack pointer leads
 * to no memory, a page is mapped for the action. */
int tracee_set_action(struct tracee *tracee, int signal,
                      const struct signal_action *action)
{
    const uint64_t size = (uint64_t)sysconf(_SC_PAGESIZE);
    const uint64_t of_page[6] = {[1] = size,
                                 [2] = PROT_READ,
                                 [3] = MAP_PRIVATE | MAP_ANONYMOUS,
                                 [4] = (uint64_t)-1};
    uint64_t args[6] = {(uint64_t)signal,    0, 0,
                        sizeof action->mask, 0, FILTER_PASS};
    uint8_t before[sizeof *action];
    int64_t result = 0, page = 0;

    if (tracee_fetch(tracee) < 0 || tracee_awaits_restart(tracee))
        return -1;
    args[1] = (tracee_stack(tracee) - CALLING_RED_ZONE - sizeof *action) &
              ~UINT64_C(15);
    if (proc_read(tracee->tid, args[1], before, sizeof before) !=
        sizeof before) {
        page = inject(tracee, BETWEEN_STOPS, SYS_mmap, of_page);
        if (page < 0)
            return -1;
        args[1] = (uint64_t)page;
    }
    result = tracee_write(tracee, args[1], action, sizeof *action);
    if (result == 0)
        result = inject(tracee, BETWEEN_STOPS, SYS_rt_sigaction, args);
    if (page > 0)
        inject(tracee, BETWEEN_STOPS, SYS_munmap,
               (const uint64_t[6]){(uint64_t)page, size, [5] = FILTER_PASS});
    else
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
    const uint64_t insn = tracee->syscall_insn;
    int64_t at;

    if (!insn || tracee_break(tracee, insn) < 0)
        return false;
    at = inject(tracee, BY_TRAP, SYS_getpid, (const uint64_t[6]){0});
    tracee_break(tracee, 0);
    return at == (int64_t)insn;
}

/* --- write protection that the program cannot see ------------------------- */

/* Newer than the C library's headers may be (linux/userfaultfd.h of 6.4). */
#ifndef UFFD_FEATURE_WP_UNPOPULATED
#define UFFD_FEATURE_WP_UNPOPULATED (1 << 13)
#endif

int uffd_open(struct tracee *tracee)
{
    /* Stores fault, with a signal, also in pages that were never touched. */
    struct uffdio_api api = {
        .api = UFFD_API,
        .features = UFFD_FEATURE_PAGEFAULT_FLAG_WP | UFFD_FEATURE_SIGBUS |
                    UFFD_FEATURE_WP_UNPOPULATED,
    };
    int64_t theirs;
    int fd;

    if (prctl(PR_GET_SECCOMP) != 0)
        return -1;
    /* Faults of the kernel are not for us: that takes no privilege. */
    theirs = tracee_inject(tracee, SYS_userfaultfd,
                           O_CLOEXEC | UFFD_USER_MODE_ONLY, 0, 0);
    if (theirs < 0)
        return -1;
    fd = proc_take_fd(tracee->pid, (int)theirs);
    tracee_inject(tracee, SYS_close, (uint64_t)theirs, 0, 0);
    if (fd >= 0 && ioctl(fd, UFFDIO_API, &api) < 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

int uffd_register(int fd, uint64_t addr, uint64_t length)
{
    struct uffdio_register range = {
        .range = {addr, length},
        .mode = UFFDIO_REGISTER_MODE_WP,
    };

    return ioctl(fd, UFFDIO_REGISTER, &range);
}

int uffd_protect(int fd, uint64_t addr, uint64_t length, bool protect)
{
    struct uffdio_writeprotect range = {
        .range = {addr, length},
        .mode = protect ? UFFDIO_WRITEPROTECT_MODE_WP : 0,
    };

    return ioctl(fd, UFFDIO_WRITEPROTECT, &range);
}
