/* SPDX-License-Identifier: MIT */
/*
 * The reasons are rules in one table: of which calls, with which error, and
 * what must hold besides. The first that holds is told. They stand in the order
 * in which the kernel looks at the arguments, as far as that can be seen.
 */
#include "target/refusal.h"

#include <errno.h>
#include <sys/mman.h>

#include "cpu/regs.h"
#include "target/calls.h"
#include "target/proc.h"

static bool is_odd(uint64_t addr)
{
    return addr % ARCH_PAGE_SIZE != 0;
}

#define OF(kind) (1u << CALL_##kind)
#define RANGES   (OF(PROTECT) | OF(MUNMAP) | OF(MREMAP) | OF(EMPTY))
#define ANY      (RANGES | OF(MMAP) | OF(ATTACH) | OF(DETACH))
#define PROT_KNOWN \
    (PROT_READ | PROT_WRITE | PROT_EXEC | PROT_GROWSDOWN | PROT_GROWSUP)
#define FORBIDDEN                                                            \
    "memory may not become executable here: PR_SET_MDWE (prctl(2)), "        \
    "SELinux, PaX or a filter (seccomp(2)) forbids it, or its file lies on " \
    "a noexec mount; code can be written to a memfd that is mapped twice, "  \
    "where that is allowed"

/* Why it failed; %: the first page of [addr, end) that is not mapped, hole. */
static const char *reason(const struct call *call, uint64_t end, uint64_t hole,
                          bool shared)
{
    const unsigned kind = 1u << call_kind(call);
    const int error = (int)-call->result;
    const uint64_t *args = call->args, addr = args[0];
    const unsigned type = args[3] & MAP_TYPE;
    const bool anonymous = args[3] & MAP_ANONYMOUS;
    const bool fixed = args[3] & MREMAP_FIXED;
    const bool may_move = args[3] & MREMAP_MAYMOVE;
    const bool executes = args[2] & PROT_EXEC, writes = args[2] & PROT_WRITE;
    const bool wraps = args[1] && (end <= addr || end > ARCH_USER_END);
    const bool low =
        error == EPERM && args[3] & (MAP_FIXED | MAP_FIXED_NOREPLACE) &&
        addr < (uint64_t)proc_setting("/proc/sys/vm/mmap_min_addr", 0);
    const struct rule {
        unsigned kinds;
        int error;
        bool holds;
        const char *words;
    } rules[] = {
        {OF(PROTECT), EINVAL, args[1] <= 7 && args[2] && !is_odd(args[2]),
         "its second and third argument look swapped: the length comes before "
         "the protection"},
        {OF(MMAP), EINVAL, is_odd(args[5]),
         "the offset in the file is not a multiple of the page size"},
        {OF(MMAP), EBADF, (int)args[4] < 0,
         "there is no MAP_ANONYMOUS among its flags, and no such file is open"},
        {OF(MMAP), EBADF, true, "that descriptor is not open"},
        {OF(MMAP), EINVAL, args[1] == 0, "the length is 0"},
        {OF(MMAP), EINVAL, !type,
         "neither MAP_PRIVATE nor MAP_SHARED is among its flags"},
        {OF(MMAP), EINVAL, (args[3] & MAP_FIXED) && is_odd(addr),
         "with MAP_FIXED the address must be that of a page"},
        {OF(MMAP), EEXIST, true,
         "something is mapped there, and MAP_FIXED_NOREPLACE asks not to "
         "replace it"},
        {OF(MMAP), EPERM, low,
         "nothing may be mapped as low as that (vm.mmap_min_addr)"},
        {OF(MMAP), EPERM, !anonymous && executes,
         "it may not be executed: the file lies on a noexec mount, or a seal "
         "of it or a filter (seccomp(2)) forbids it"},
        {OF(MMAP), EPERM, anonymous,
         "a filter (seccomp(2)) or a security module forbids it"},
        {OF(MMAP), EACCES, !anonymous && writes && type != MAP_PRIVATE,
         "what is stored there would go into the file, which was not opened "
         "for reading and writing"},
        {OF(MMAP), EACCES, anonymous && executes, FORBIDDEN},
        {OF(MMAP), EACCES, !anonymous,
         "the file was not opened for reading, or is none that can be mapped "
         "so"},
        {OF(MMAP), ENODEV, true, "what is open there cannot be mapped"},
        {OF(MMAP) | OF(MREMAP), ENOMEM, args[1] >= ARCH_USER_END,
         "the length is more than there are addresses"},
        {OF(MREMAP), EINVAL, args[2] == 0, "the new length is 0"},
        {RANGES, EINVAL, is_odd(addr), "its address is not that of a page"},
        {OF(MUNMAP), EINVAL, args[1] == 0, "the length is 0"},
        {OF(PROTECT), EINVAL, args[2] & ~(uint64_t)(PROT_KNOWN),
         "its third argument is no protection: PROT_READ, PROT_WRITE and "
         "PROT_EXEC make at most 7"},
        {OF(MREMAP), EINVAL, fixed && !may_move,
         "MREMAP_FIXED needs MREMAP_MAYMOVE"},
        {OF(MREMAP), EINVAL, fixed && is_odd(args[4]),
         "the new address is not that of a page"},
        {OF(MREMAP), EINVAL, fixed && args[4] < end && addr < args[4] + args[2],
         "the old and the new range overlap"},
        {RANGES, EINVAL, wraps, "the range goes beyond the last address"},
        {RANGES, ENOMEM, wraps, "the range goes beyond the last address"},
        {OF(PROTECT) | OF(EMPTY), ENOMEM, !wraps && hole < end,
         "nothing is mapped at %, in this range"},
        {OF(MREMAP), EFAULT, !wraps && hole < end,
         "nothing is mapped at %, in this range"},
        {OF(MREMAP), EFAULT, true, "the old range is more than one mapping"},
        {OF(MREMAP), ENOMEM, !may_move,
         "there is no room behind it, and MREMAP_MAYMOVE is not among its "
         "flags"},
        {OF(PROTECT), EACCES, shared && writes,
         "what is stored there would go into the file, which was not opened "
         "for writing"},
        {OF(PROTECT), EACCES, executes, FORBIDDEN},
        {RANGES, EPERM, true,
         "the range is sealed (mseal(2)), or a filter (seccomp(2)) forbids the "
         "call"},
        {OF(MMAP) | OF(MREMAP), EAGAIN, true,
         "more memory would be locked than may be (RLIMIT_MEMLOCK)"},
        {ANY, ENOMEM, true,
         "there is no room: a limit on memory or addresses (RLIMIT_AS, "
         "RLIMIT_DATA, vm.overcommit_memory) or on mappings (vm.max_map_count) "
         "is reached"},
    };

    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (rules[i].kinds & kind && rules[i].error == error && rules[i].holds)
            return rules[i].words;
    return strerror(error);
}

void refusal_explain(const struct call *call, pid_t pid, struct buf *out)
{
    const uint64_t addr = call->args[0], length = call->args[1];
    const uint64_t end =
        (addr + length + ARCH_PAGE_SIZE - 1) & ~(uint64_t)(ARCH_PAGE_SIZE - 1);
    struct maps_line line = {0};
    uint64_t hole = addr;
    bool shared = false; /* the first page is of shared memory or such a file */
    const char *words, *rest;

    while ((1u << call_kind(call) & RANGES) && hole < end &&
           proc_maps_find(pid, hole, &line) && line.start <= hole) {
        if (hole == addr)
            shared = line.shared;
        hole = line.end;
    }
    words = reason(call, end, hole, shared);
    rest = strchrnul(words, '%');
    buf_append(out, words, (size_t)(rest - words));
    if (*rest)
        buf_printf(out, "0x%" PRIx64 "%s", hole, rest + 1);
}

static const struct {
    int error;
    const char *name;
} names[] = {
#define NAME(error)   \
    {                 \
        error, #error \
    }
    NAME(EINVAL),  NAME(ENOMEM), NAME(EACCES),     NAME(EPERM),
    NAME(EAGAIN),  NAME(EBADF),  NAME(EEXIST),     NAME(ENODEV),
    NAME(EBUSY),   NAME(EFAULT), NAME(ENFILE),     NAME(EOVERFLOW),
    NAME(ETXTBSY), NAME(ENOSYS), NAME(EIDRM),      NAME(EINTR),
    NAME(EIO),     NAME(ENOSPC), NAME(EOPNOTSUPP),
#undef NAME
};

const char *refusal_error(const struct call *call)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].error == -call->result)
            return names[i].name;
    return NULL;
}

int refusal_find(const char *name)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i].name, name) == 0)
            return names[i].error;
    return 0;
}
