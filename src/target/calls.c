/* SPDX-License-Identifier: MIT */
#include "target/calls.h"

#include <fcntl.h>
#include <sys/shm.h>
#include <unistd.h>

#include "target/filter.h"
#include "target/proc.h"

struct flag {
    uint64_t bits;
    const char *name;
};

#define FLAG(name)  \
    {               \
        name, #name \
    }

static const struct flag prot_flags[] = {
    FLAG(PROT_READ),      FLAG(PROT_WRITE),   FLAG(PROT_EXEC),
    FLAG(PROT_GROWSDOWN), FLAG(PROT_GROWSUP), {0, NULL},
};

/* The type comes first: its values are not single bits. */
static const struct flag map_flags[] = {
    FLAG(MAP_FIXED),     FLAG(MAP_ANONYMOUS),       FLAG(MAP_32BIT),
    FLAG(MAP_GROWSDOWN), FLAG(MAP_LOCKED),          FLAG(MAP_NORESERVE),
    FLAG(MAP_POPULATE),  FLAG(MAP_NONBLOCK),        FLAG(MAP_STACK),
    FLAG(MAP_HUGETLB),   FLAG(MAP_FIXED_NOREPLACE), {0, NULL},
};

static const struct flag attach_flags[] = {
    FLAG(SHM_RDONLY), FLAG(SHM_RND), FLAG(SHM_REMAP), FLAG(SHM_EXEC), {0, NULL},
};

/* By which pages lose what they hold. Numbers, not bits; in this order each is
 * found before what it contains. */
static const struct flag advices[] = {
    FLAG(MADV_DONTNEED_LOCKED), FLAG(MADV_REMOVE), FLAG(MADV_FREE),
    FLAG(MADV_DONTNEED),        {0, NULL},
};

static void describe_flags(uint64_t value, const struct flag *flags,
                           const char *between, struct buf *out)
{
    for (; flags->name; flags++) {
        if ((value & flags->bits) != flags->bits)
            continue;
        buf_printf(out, "%s%s", between, flags->name);
        between = "|";
        value &= ~flags->bits;
    }
    if (value)
        buf_printf(out, "%s0x%" PRIx64, between, value);
}

void call_describe_map_flags(uint64_t flags, struct buf *out)
{
    static const char *const type[] = {
        [MAP_SHARED] = "MAP_SHARED",
        [MAP_PRIVATE] = "MAP_PRIVATE",
        [MAP_SHARED_VALIDATE] = "MAP_SHARED_VALIDATE",
    };
    uint64_t kind = flags & MAP_TYPE;

    if (kind >= MAP_SHARED && kind <= MAP_SHARED_VALIDATE)
        buf_append_text(out, type[kind]);
    else
        buf_printf(out, "0x%" PRIx64, kind);
    describe_flags(flags & ~(uint64_t)MAP_TYPE, map_flags, "|", out);
}

/*
 * The calls, and the arguments that the kernel may write through: all where
 * that is not known. What is behind the arguments of a call are left-overs,
 * which may point anywhere. VECTORS: the buffers are behind a second pointer.
 * ENTRIES: the length counts entries, of 16 bytes at most. UNSIZED: there is no
 * length, nor anything longer than a page.
 *
 * What changes mappings or writes to memory has its name, for readers.
 */
#define ARG(n)  (1u << (n))
#define ALL     0x3fu
#define VECTORS (ALL | ARG(7))
#define ENTRIES ARG(8)
#define UNSIZED ARG(9)

static const struct known {
    uint64_t number;
    const char *name;
    enum call_kind kind;
    unsigned written;
} known_calls[] = {
#define KNOWN(call, name, kind, written)       \
    {                                          \
        SYS_##call, name, CALL_##kind, written \
    }
#define NAMED(call, kind, written) KNOWN(call, #call, kind, written)
    NAMED(mmap, MMAP, ALL),
    NAMED(mprotect, PROTECT, ALL),
    NAMED(munmap, MUNMAP, ALL),
    NAMED(pkey_mprotect, PROTECT, ALL),
    NAMED(mremap, MREMAP, ALL),
    NAMED(write, OUTPUT, ALL),
    NAMED(writev, OUTPUT, ALL),
    NAMED(read, OTHER, ARG(1)),
    NAMED(pread64, OTHER, ARG(1)),
    NAMED(readv, OTHER, VECTORS),
    NAMED(recvfrom, OTHER, ARG(1) | ARG(4) | ARG(5)),
    NAMED(getrandom, OTHER, ARG(0)),
    NAMED(recvmsg, OTHER, VECTORS),
    NAMED(preadv, OTHER, VECTORS),
    NAMED(brk, BRK, ALL),
    NAMED(shmat, ATTACH, ALL),
    NAMED(shmdt, DETACH, ALL),
    NAMED(madvise, OTHER, ALL),
    NAMED(pwrite64, OTHER, 0),
    NAMED(pwritev, OTHER, 0),
    NAMED(pwritev2, OTHER, 0),
    NAMED(preadv2, OTHER, VECTORS),
    NAMED(process_vm_writev, POKE, VECTORS),
    NAMED(clock_gettime, OTHER, ARG(1) | UNSIZED),
    NAMED(epoll_pwait, OTHER, ARG(1) | ENTRIES),
    NAMED(epoll_wait, OTHER, ARG(1) | ENTRIES),
    NAMED(fstat, OTHER, ARG(1) | UNSIZED),
    NAMED(futex, OTHER, ARG(0) | ARG(4) | UNSIZED),
    NAMED(getcwd, OTHER, ARG(0)),
    NAMED(getdents64, OTHER, ARG(1)),
    NAMED(getrusage, OTHER, ARG(1) | UNSIZED),
    NAMED(gettimeofday, OTHER, ARG(0) | ARG(1) | UNSIZED),
    NAMED(ioctl, OTHER, VECTORS),
    NAMED(newfstatat, OTHER, ARG(2) | UNSIZED),
    NAMED(nanosleep, OTHER, ARG(1) | UNSIZED),
    NAMED(pipe2, OTHER, ARG(0) | UNSIZED),
    NAMED(poll, OTHER, ARG(0) | ENTRIES),
    NAMED(ppoll, OTHER, ARG(0) | ARG(2) | ENTRIES),
    NAMED(pselect6, OTHER, ALL),
    NAMED(readlink, OTHER, ARG(1)),
    NAMED(rt_sigaction, ACTION, ARG(2) | UNSIZED),
    NAMED(rt_sigprocmask, OTHER, ARG(2)),
    NAMED(rt_sigreturn, OTHER, 0),
    NAMED(select, OTHER, ALL),
    NAMED(statx, OTHER, ARG(4) | UNSIZED),
    NAMED(times, OTHER, ARG(0) | UNSIZED),
    NAMED(uname, OTHER, ARG(0) | UNSIZED),
    NAMED(vmsplice, OTHER, VECTORS),
    NAMED(wait4, OTHER, ARG(1) | ARG(3) | UNSIZED),
    KNOWN(sigaltstack, NULL, STACK, ARG(1) | UNSIZED),
    KNOWN(rseq, NULL, PLACE, ARG(0) | UNSIZED),
    KNOWN(set_tid_address, NULL, PLACE, 0),
    KNOWN(seccomp, NULL, FREEZE, ALL),
    KNOWN(mseal, NULL, FREEZE, ALL),
    KNOWN(openat2, NULL, OPEN, ALL),
    KNOWN(personality, NULL, DOMAIN, ALL),
    KNOWN(userfaultfd, NULL, UFFD, ALL),
    KNOWN(io_uring_setup, NULL, RING, ALL),
    KNOWN(sched_getaffinity, NULL, CPUS, ARG(2)),
    KNOWN(sched_setaffinity, NULL, CPUS, 0),
    KNOWN(clone, NULL, CPUS, 0),
    KNOWN(clone3, NULL, CPUS, 0),
    KNOWN(fork, NULL, CPUS, 0),
    KNOWN(vfork, NULL, CPUS, 0),
    KNOWN(execve, NULL, CPUS, 0),
    KNOWN(execveat, NULL, CPUS, 0),
    KNOWN(clock_nanosleep, NULL, OTHER, ARG(3) | UNSIZED),
    /* One of poll, nanosleep, clock_nanosleep and futex goes on. */
    KNOWN(restart_syscall, NULL, OTHER, ARG(0) | ARG(1) | ARG(3) | UNSIZED),
    KNOWN(recvmmsg, NULL, OTHER, VECTORS),
    KNOWN(process_vm_readv, NULL, OTHER, VECTORS),
    KNOWN(io_submit, NULL, OTHER, VECTORS),
    KNOWN(io_uring_enter, NULL, OTHER, VECTORS),
};

/* Of no interest, and the kernel writes nothing through their arguments. */
static const uint64_t quiet_calls[] = {
    SYS_access,
    SYS_alarm,
    SYS_chdir,
    SYS_close,
    SYS_dup,
    SYS_dup2,
    SYS_dup3,
    SYS_eventfd2,
    SYS_exit,
    SYS_exit_group,
    SYS_faccessat,
    SYS_fsync,
    SYS_ftruncate,
    SYS_getegid,
    SYS_geteuid,
    SYS_getgid,
    SYS_getpgid,
    SYS_getpgrp,
    SYS_getpid,
    SYS_getppid,
    SYS_gettid,
    SYS_getuid,
    SYS_kill,
    SYS_lseek,
    SYS_membarrier,
    SYS_memfd_create,
    SYS_mkdir,
    SYS_open,
    SYS_openat,
    SYS_pause,
    SYS_rt_sigqueueinfo,
    SYS_rt_sigsuspend,
    SYS_sched_yield,
    SYS_set_robust_list,
    SYS_setpgid,
    SYS_setsid,
    SYS_signalfd4,
    SYS_socket,
    SYS_tgkill,
    SYS_tkill,
    SYS_umask,
    SYS_unlink,
    SYS_unlinkat,
};

static const struct known *look_up(const struct call *call)
{
    static const struct known unknown = {.kind = CALL_OTHER, .written = ALL};
    static const struct known quiet = {.kind = CALL_OTHER};

    for (size_t i = 0; i < sizeof known_calls / sizeof *known_calls; i++)
        if (known_calls[i].number == call->number)
            return &known_calls[i];
    for (size_t i = 0; i < sizeof quiet_calls / sizeof *quiet_calls; i++)
        if (quiet_calls[i] == call->number)
            return &quiet;
    return &unknown;
}

bool call_find(const char *name, uint64_t *number)
{
    for (size_t i = 0; i < sizeof known_calls / sizeof *known_calls; i++) {
        const struct known *known = &known_calls[i];

        if (!known->name || strcmp(known->name, name) != 0 ||
            ((known->kind < CALL_MMAP || known->kind > CALL_EMPTY) &&
             known->number != SYS_madvise))
            continue;
        *number = known->number;
        return true;
    }
    return false;
}

enum call_kind call_kind(const struct call *call)
{
    const struct flag *advice = advices;
    const uint64_t *arg = call->args;

    switch (call->number) {
    case SYS_madvise:
        while (advice->name && advice->bits != (unsigned)arg[2])
            advice++;
        return advice->name ? CALL_EMPTY : CALL_OTHER;
    case SYS_open:
        return arg[1] & O_ACCMODE ? CALL_OPEN : CALL_OTHER;
    case SYS_openat:
        return arg[2] & O_ACCMODE ? CALL_OPEN : CALL_OTHER;
    case SYS_prctl: /* the kernel takes 32 bits of it */
        return (int)arg[0] == PR_SET_DUMPABLE ? CALL_HIDE
               : (int)arg[0] == PR_SET_SECCOMP || (int)arg[0] == PR_SET_MDWE
                   ? CALL_FREEZE
                   : CALL_OTHER;
    default:
        return look_up(call)->kind;
    }
}

/* Of linux/mman.h, which the C library's header leaves out. */
#ifndef PROT_SEM
#define PROT_SEM 0x8
#endif

/* Of mprotect; the first two say how far it reaches and exclude each other. */
#define GROWS      (PROT_GROWSDOWN | PROT_GROWSUP)
#define PROT_KNOWN (PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM | GROWS)

bool call_range(const struct call *call, uint64_t *addr, uint64_t *length)
{
    const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    const uint64_t prot =
        call_kind(call) == CALL_PROTECT ? call->args[2] : PROT_NONE;

    *addr = call->args[0];
    *length = (call->args[1] + page - 1) / page * page;
    return *addr % page == 0 && *length > 0 && *addr + *length > *addr &&
           !(prot & ~(uint64_t)PROT_KNOWN) && (prot & GROWS) != GROWS;
}

void call_name(const struct call *call, struct buf *out)
{
    const char *name = look_up(call)->name;

    if (name)
        buf_append_text(out, name);
    else
        buf_printf(out, "system call %" PRIu64, call->number);
}

void call_describe(const struct call *call, struct buf *out)
{
    const enum call_kind kind = call_kind(call);
    const uint64_t *arg = call->args;

    call_name(call, out);
    buf_append_text(out, "(");
    if (kind == CALL_ATTACH)
        buf_printf(out, "%d, ", (int)arg[0]);
    if (arg[kind == CALL_ATTACH])
        buf_printf(out, "0x%" PRIx64, arg[kind == CALL_ATTACH]);
    else
        buf_append_text(out, "NULL");
    if (kind != CALL_BRK && kind != CALL_DETACH && kind != CALL_ATTACH)
        buf_printf(out, ", %" PRIu64, arg[1]);
    switch (kind) {
    case CALL_ATTACH:
        if (arg[2])
            describe_flags(arg[2], attach_flags, ", ", out);
        else
            buf_append_text(out, ", 0");
        break;
    case CALL_EMPTY:
        buf_append_text(out, ", ");
        describe_flags(arg[2], advices, "", out);
        break;
    case CALL_MMAP:
    case CALL_PROTECT:
        buf_append_text(out, ", ");
        if (arg[2] == PROT_NONE)
            buf_append_text(out, "PROT_NONE");
        describe_flags(arg[2], prot_flags, "", out);
        if (kind == CALL_MMAP) {
            buf_append_text(out, ", ");
            call_describe_map_flags(arg[3], out);
            buf_printf(out, ", %d, %" PRIu64, (int)arg[4], arg[5]);
        }
        if (call->number == SYS_pkey_mprotect)
            buf_printf(out, ", %d", (int)arg[3]);
        break;
    case CALL_MREMAP:
        buf_printf(out, ", %" PRIu64 ", 0x%" PRIx64, arg[2], arg[3]);
        break;
    default:
        break;
    }
    buf_append_text(out, ")");
}

int call_written_fd(const struct call *call)
{
    const uint64_t n = call->number;

    return n == SYS_write || n == SYS_writev || n == SYS_pwrite64 ||
                   n == SYS_pwritev || n == SYS_pwritev2
               ? (int)call->args[0]
               : -1;
}

/* The first page is never mapped; nothing is longer than the address space. */
#define LARGEST_SIZE (UINT64_C(1) << 47)

bool call_may_write(const struct call *call, uint64_t addr, uint64_t length)
{
    const unsigned written = look_up(call)->written;

    if (call_kind(call) >= CALL_MMAP && call_kind(call) <= CALL_OUTPUT)
        return false; /* they read memory, or change mappings as a whole */
    for (int i = 0; i < 6; i++) {
        /* A length, where there is one, follows its pointer. */
        uint64_t size = i < 5 ? call->args[i + 1] : 0;

        if (!(written >> i & 1))
            continue;
        if (written & ENTRIES)
            size *= 16;
        if (written & UNSIZED)
            size = ARCH_PAGE_SIZE;
        if (call->args[i] < ARCH_PAGE_SIZE || size > LARGEST_SIZE)
            size = 0;
        if (call->args[i] - addr < length || addr - call->args[i] < size)
            return true;
    }
    return written == VECTORS;
}

bool call_ends_handler(pid_t pid, uint64_t addr)
{
    uint8_t code[2 * INSN_MAX_LENGTH];
    size_t len = proc_read(pid, addr, code, sizeof code);
    struct insn load, call;

    /* It sets the number, which is an immediate, and makes the call. */
    return insn_decode(code, len, addr, &load) == 1 &&
           load.operand_count >= 2 && load.operands[0].reg == REG_SYSCALL &&
           load.operands[1].kind == OPERAND_IMMEDIATE &&
           load.operands[1].immediate == SYS_rt_sigreturn &&
           insn_decode(code + load.length, len - load.length,
                       addr + load.length, &call) == 1 &&
           call.kind == INSN_SYSCALL;
}
