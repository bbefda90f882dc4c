/* SPDX-License-Identifier: MIT */
#include "target/calls.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "target/filter.h"
#include "target/proc.h"

struct flag {
    uint64_t bits;
    const char *name;
};

static const struct flag prot_flags[] = {
    {PROT_READ, "PROT_READ"},       {PROT_WRITE, "PROT_WRITE"},
    {PROT_EXEC, "PROT_EXEC"},       {PROT_GROWSDOWN, "PROT_GROWSDOWN"},
    {PROT_GROWSUP, "PROT_GROWSUP"}, {0, NULL},
};

/* The type comes first: its values are not single bits. */
static const struct flag map_flags[] = {
    {MAP_FIXED, "MAP_FIXED"},
    {MAP_ANONYMOUS, "MAP_ANONYMOUS"},
    {MAP_32BIT, "MAP_32BIT"},
    {MAP_GROWSDOWN, "MAP_GROWSDOWN"},
    {MAP_LOCKED, "MAP_LOCKED"},
    {MAP_NORESERVE, "MAP_NORESERVE"},
    {MAP_POPULATE, "MAP_POPULATE"},
    {MAP_NONBLOCK, "MAP_NONBLOCK"},
    {MAP_STACK, "MAP_STACK"},
    {MAP_HUGETLB, "MAP_HUGETLB"},
    {MAP_FIXED_NOREPLACE, "MAP_FIXED_NOREPLACE"},
    {0, NULL},
};

static const struct flag attach_flags[] = {
    {SHM_RDONLY, "SHM_RDONLY"},
    {SHM_RND, "SHM_RND"},
    {SHM_REMAP, "SHM_REMAP"},
    {SHM_EXEC, "SHM_EXEC"},
    {0, NULL},
};

/* Numbers, not bits; in this order each is found before what it contains. */
static const struct flag advices[] = {
    {MADV_DONTNEED_LOCKED, "MADV_DONTNEED_LOCKED"},
    {MADV_REMOVE, "MADV_REMOVE"},
    {MADV_FREE, "MADV_FREE"},
    {MADV_DONTNEED, "MADV_DONTNEED"},
    {0, NULL},
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

/* "PROT_READ|PROT_EXEC", "PROT_NONE" */
static void describe_prot(uint64_t prot, struct buf *out)
{
    if (prot == PROT_NONE)
        buf_append_text(out, "PROT_NONE");
    describe_flags(prot, prot_flags, "", out);
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

/* Which the kernel takes 32 bits of. */
static enum call_kind kind_of_prctl(int option)
{
    if (option == PR_SET_DUMPABLE)
        return CALL_HIDE;
    return option == PR_SET_SECCOMP || option == PR_SET_MDWE ? CALL_FREEZE
                                                             : CALL_OTHER;
}

enum call_kind call_kind(const struct call *call)
{
    switch (call->number) {
    case SYS_mmap:
        return CALL_MMAP;
    case SYS_mprotect:
    case SYS_pkey_mprotect:
        return CALL_PROTECT;
    case SYS_munmap:
        return CALL_MUNMAP;
    case SYS_mremap:
        return CALL_MREMAP;
    case SYS_brk:
        return CALL_BRK;
    case SYS_shmat:
        return CALL_ATTACH;
    case SYS_shmdt:
        return CALL_DETACH;
    case SYS_madvise:
        return filter_empties((unsigned)call->args[2]) ? CALL_EMPTY
                                                       : CALL_OTHER;
    case SYS_write:
    case SYS_writev:
        return CALL_OUTPUT;
    case SYS_sigaltstack:
        return CALL_STACK;
    case SYS_rseq:
    case SYS_set_tid_address:
        return CALL_PLACE;
    case SYS_rt_sigaction:
        return CALL_ACTION;
    case SYS_seccomp:
    case SYS_mseal:
        return CALL_FREEZE;
    case SYS_prctl:
        return kind_of_prctl((int)call->args[0]);
    case SYS_process_vm_writev:
        return CALL_POKE;
    case SYS_open:
        return call->args[1] & O_ACCMODE ? CALL_OPEN : CALL_OTHER;
    case SYS_openat:
        return call->args[2] & O_ACCMODE ? CALL_OPEN : CALL_OTHER;
    case SYS_openat2: /* how is in memory */
        return CALL_OPEN;
    case SYS_personality:
        return CALL_DOMAIN;
    case SYS_userfaultfd:
        return CALL_UFFD;
    case SYS_io_uring_setup:
        return CALL_RING;
    case SYS_sched_getaffinity:
    case SYS_sched_setaffinity:
    case SYS_clone:
    case SYS_clone3:
    case SYS_fork:
    case SYS_vfork:
    case SYS_execve:
    case SYS_execveat:
        return CALL_CPUS;
    default:
        return CALL_OTHER;
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

/* Calls that change mappings or write to memory, by name. */
#define NAMED(name)       \
    {                     \
        SYS_##name, #name \
    }

static const struct {
    uint64_t number;
    const char *name;
} call_names[] = {
    NAMED(mmap),
    NAMED(mprotect),
    NAMED(munmap),
    NAMED(pkey_mprotect),
    NAMED(mremap),
    NAMED(write),
    NAMED(writev),
    NAMED(read),
    NAMED(pread64),
    NAMED(readv),
    NAMED(recvfrom),
    NAMED(getrandom),
    NAMED(recvmsg),
    NAMED(preadv),
    NAMED(brk),
    NAMED(shmat),
    NAMED(shmdt),
    NAMED(madvise),
    NAMED(pwrite64),
    NAMED(pwritev),
    NAMED(pwritev2),
    NAMED(preadv2),
    NAMED(process_vm_writev),
    NAMED(clock_gettime),
    NAMED(epoll_pwait),
    NAMED(epoll_wait),
    NAMED(fstat),
    NAMED(futex),
    NAMED(getcwd),
    NAMED(getdents64),
    NAMED(getrusage),
    NAMED(gettimeofday),
    NAMED(ioctl),
    NAMED(newfstatat),
    NAMED(nanosleep),
    NAMED(pipe2),
    NAMED(poll),
    NAMED(ppoll),
    NAMED(pselect6),
    NAMED(readlink),
    NAMED(rt_sigaction),
    NAMED(rt_sigprocmask),
    NAMED(rt_sigreturn),
    NAMED(select),
    NAMED(statx),
    NAMED(times),
    NAMED(uname),
    NAMED(vmsplice),
    NAMED(wait4),
};

void call_name(const struct call *call, struct buf *out)
{
    for (size_t i = 0; i < sizeof call_names / sizeof *call_names; i++) {
        if (call_names[i].number == call->number) {
            buf_append_text(out, call_names[i].name);
            return;
        }
    }
    buf_printf(out, "system call %" PRIu64, call->number);
}

static void describe_address(uint64_t addr, struct buf *out)
{
    if (addr)
        buf_printf(out, "0x%" PRIx64, addr);
    else
        buf_append_text(out, "NULL");
}

/* "brk(0x...)", "shmdt(0x...)", "shmat(3, NULL, SHM_EXEC)" */
static bool describe_attachment(const struct call *call, struct buf *out)
{
    switch (call_kind(call)) {
    case CALL_BRK:
    case CALL_DETACH:
        describe_address(call->args[0], out);
        return true;
    case CALL_ATTACH:
        buf_printf(out, "%d, ", (int)call->args[0]);
        describe_address(call->args[1], out);
        if (call->args[2])
            describe_flags(call->args[2], attach_flags, ", ", out);
        else
            buf_append_text(out, ", 0");
        return true;
    default:
        return false;
    }
}

void call_describe(const struct call *call, struct buf *out)
{
    const uint64_t *arg = call->args;

    call_name(call, out);
    buf_append_text(out, "(");
    if (describe_attachment(call, out)) {
        buf_append_text(out, ")");
        return;
    }
    describe_address(arg[0], out);
    buf_printf(out, ", %" PRIu64, arg[1]);
    switch (call_kind(call)) {
    case CALL_EMPTY:
        buf_append_text(out, ", ");
        describe_flags(arg[2], advices, "", out);
        break;
    case CALL_MMAP:
        buf_append_text(out, ", ");
        describe_prot(arg[2], out);
        buf_append_text(out, ", ");
        call_describe_map_flags(arg[3], out);
        buf_printf(out, ", %d, %" PRIu64, (int)arg[4], arg[5]);
        break;
    case CALL_PROTECT:
        buf_append_text(out, ", ");
        describe_prot(arg[2], out);
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

/* Calls whose buffers are behind a second pointer. */
static bool takes_vectors(uint64_t number)
{
    switch (number) {
    case SYS_readv:
    case SYS_preadv:
    case SYS_preadv2:
    case SYS_recvmsg:
    case SYS_recvmmsg:
    case SYS_process_vm_readv:
    case SYS_process_vm_writev:
    case SYS_io_submit:
    case SYS_io_uring_enter:
    case SYS_ioctl:
    case SYS_vmsplice:
        return true;
    default:
        return false;
    }
}

int call_written_fd(const struct call *call)
{
    switch (call->number) {
    case SYS_write:
    case SYS_writev:
    case SYS_pwrite64:
    case SYS_pwritev:
    case SYS_pwritev2:
        return (int)call->args[0];
    default:
        return -1;
    }
}

uint64_t call_opened_path(const struct call *call)
{
    return call->args[call->number == SYS_open ? 0 : 1];
}

/*
 * The arguments that the kernel may write through, a bit for each: all where
 * that is not known. What is behind the arguments of a call are left-overs,
 * which may point anywhere.
 */
static unsigned written_arguments(uint64_t number)
{
    switch (number) {
    case SYS_futex:
        return 1u << 0 | 1u << 4;
    case SYS_read:
    case SYS_pread64:
    case SYS_nanosleep:
        return 1u << 1;
    case SYS_rt_sigaction:
    case SYS_rt_sigprocmask:
        return 1u << 2;
    case SYS_clock_nanosleep:
        return 1u << 3;
    case SYS_close:
    case SYS_exit:
    case SYS_exit_group:
    case SYS_getpid:
    case SYS_gettid:
    case SYS_lseek:
    case SYS_rt_sigreturn:
    case SYS_sched_yield:
    case SYS_tgkill:
        return 0;
    default:
        return 0x3f;
    }
}

/* The first page is never mapped; nothing is longer than the address space. */
#define LOWEST_POINTER 4096u
#define LARGEST_SIZE   (UINT64_C(1) << 47)

bool call_may_write(const struct call *call, uint64_t addr, uint64_t length)
{
    unsigned written = written_arguments(call->number);

    if (call_kind(call) >= CALL_MMAP && call_kind(call) <= CALL_OUTPUT)
        return false; /* they read memory, or change mappings as a whole */
    switch (call->number) {
    case SYS_execve:
    case SYS_execveat:
    case SYS_fork:
    case SYS_vfork: /* a child runs on in the caller's memory meanwhile */
        return false;
    case SYS_clone: /* the same; its other arguments are no buffers */
        return call->args[2] - addr < length || call->args[3] - addr < length;
    default:
        break;
    }
    for (int i = 0; i < 6; i++) {
        /* A length, where there is one, follows its pointer. */
        uint64_t size = i < 5 ? call->args[i + 1] : 0;

        if (!(written >> i & 1))
            continue;
        if (call->args[i] < LOWEST_POINTER || size > LARGEST_SIZE)
            size = 0;
        if (call->args[i] - addr < length || addr - call->args[i] < size)
            return true;
    }
    return takes_vectors(call->number);
}

bool call_ends_handler(pid_t pid, uint64_t addr)
{
    uint8_t code[2 * INSN_MAX_LENGTH];
    size_t len = proc_read(pid, addr, code, sizeof code);
    struct insn load, call;

    /* It sets the number, which is an immediate, and makes the call. */
    return insn_decode(code, len, addr, &load) == 1 &&
           load.operand_count >= 2 && load.operands[0].reg == X86_RAX &&
           load.operands[1].kind == OPERAND_IMMEDIATE &&
           load.operands[1].immediate == SYS_rt_sigreturn &&
           insn_decode(code + load.length, len - load.length,
                       addr + load.length, &call) == 1 &&
           call.kind == INSN_SYSCALL;
}
