/* SPDX-License-Identifier: MIT */
/*
 * The reasons are rules in one table: of which calls, with which error, and
 * what must hold besides. The first that holds is told. They stand in the order
 * in which the kernel looks at the arguments, as far as that can be seen.
 */
#include "target/refusal.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>

#include "cpu/regs.h"
#include "target/calls.h"
#include "target/proc.h"

struct refusal {
    const struct call *call;
    uint64_t addr, end; /* the pages that it names; end wraps as the sum does */
    uint64_t hole;      /* the first that is not mapped, or end */
    bool shared;        /* the first is shared memory or of a shared file */
};

static bool is_odd(uint64_t addr)
{
    return addr % ARCH_PAGE_SIZE != 0;
}

static bool always(const struct refusal *r)
{
    (void)r;
    return true;
}

/* mprotect(p, PROT_..., size) */
static bool is_swapped(const struct refusal *r)
{
    const uint64_t *args = r->call->args;

    return args[1] <= (PROT_READ | PROT_WRITE | PROT_EXEC) && args[2] &&
           !is_odd(args[2]);
}

static bool has_odd_address(const struct refusal *r)
{
    return is_odd(r->call->args[0]);
}

static bool has_unknown_protection(const struct refusal *r)
{
    return r->call->args[2] & ~(uint64_t)(PROT_READ | PROT_WRITE | PROT_EXEC |
                                          PROT_GROWSDOWN | PROT_GROWSUP);
}

static bool has_no_length(const struct refusal *r)
{
    return r->call->args[1] == 0;
}

static bool wraps(const struct refusal *r)
{
    return !has_no_length(r) && (r->end <= r->addr || r->end > ARCH_USER_END);
}

static bool has_hole(const struct refusal *r)
{
    return !wraps(r) && r->hole < r->end;
}

static bool has_odd_offset(const struct refusal *r)
{
    return is_odd(r->call->args[5]);
}

static bool is_fixed_and_odd(const struct refusal *r)
{
    return r->call->args[3] & MAP_FIXED && has_odd_address(r);
}

static bool has_no_type(const struct refusal *r)
{
    return (r->call->args[3] & MAP_TYPE) == 0;
}

static bool is_no_file(const struct refusal *r)
{
    return (int)r->call->args[4] < 0;
}

static bool is_anonymous(const struct refusal *r)
{
    return r->call->args[3] & MAP_ANONYMOUS;
}

static bool is_file(const struct refusal *r)
{
    return !is_anonymous(r);
}

static bool wants_writable_file(const struct refusal *r)
{
    return is_file(r) && (r->call->args[3] & MAP_TYPE) != MAP_PRIVATE &&
           r->call->args[2] & PROT_WRITE;
}

static bool is_fixed_and_low(const struct refusal *r)
{
    return r->call->args[3] & (MAP_FIXED | MAP_FIXED_NOREPLACE) &&
           r->call->args[0] <
               (uint64_t)proc_setting("/proc/sys/vm/mmap_min_addr", 0);
}

static bool is_longer_than_memory(const struct refusal *r)
{
    return r->call->args[1] >= ARCH_USER_END;
}

static bool wants_execution(const struct refusal *r)
{
    return r->call->args[2] & PROT_EXEC;
}

static bool wants_executable_file(const struct refusal *r)
{
    return is_file(r) && wants_execution(r);
}

static bool wants_executable_memory(const struct refusal *r)
{
    return is_anonymous(r) && wants_execution(r);
}

static bool is_shared(const struct refusal *r)
{
    return r->shared && r->call->args[2] & PROT_WRITE;
}

static bool has_no_new_length(const struct refusal *r)
{
    return r->call->args[2] == 0;
}

static bool is_fixed_and_cannot_move(const struct refusal *r)
{
    return r->call->args[3] & MREMAP_FIXED &&
           !(r->call->args[3] & MREMAP_MAYMOVE);
}

static bool goes_to_odd_address(const struct refusal *r)
{
    return r->call->args[3] & MREMAP_FIXED && is_odd(r->call->args[4]);
}

static bool goes_over_itself(const struct refusal *r)
{
    return r->call->args[3] & MREMAP_FIXED && r->call->args[4] < r->end &&
           r->addr < r->call->args[4] + r->call->args[2];
}

static bool cannot_move(const struct refusal *r)
{
    return !(r->call->args[3] & MREMAP_MAYMOVE);
}

#define OF(kind) (1u << CALL_##kind)
#define RANGES   (OF(PROTECT) | OF(MUNMAP) | OF(MREMAP) | OF(EMPTY))
#define ANY      (RANGES | OF(MMAP) | OF(ATTACH) | OF(DETACH))
#define FORBIDDEN                                                            \
    "memory may not become executable here: PR_SET_MDWE (prctl(2)), "        \
    "SELinux, PaX or a filter (seccomp(2)) forbids it, or its file lies on " \
    "a noexec mount; code can be written to a memfd that is mapped twice, "  \
    "where that is allowed"

static const struct rule {
    unsigned kinds;
    int error;
    bool (*holds)(const struct refusal *refusal);
    const char *words; /* %: the first hole */
} rules[] = {
    {OF(PROTECT), EINVAL, is_swapped,
     "its second and third argument look swapped: the length comes before the "
     "protection"},
    {OF(MMAP), EINVAL, has_odd_offset,
     "the offset in the file is not a multiple of the page size"},
    {OF(MMAP), EBADF, is_no_file,
     "there is no MAP_ANONYMOUS among its flags, and no such file is open"},
    {OF(MMAP), EBADF, always, "that descriptor is not open"},
    {OF(MMAP), EINVAL, has_no_length, "the length is 0"},
    {OF(MMAP), EINVAL, has_no_type,
     "neither MAP_PRIVATE nor MAP_SHARED is among its flags"},
    {OF(MMAP), EINVAL, is_fixed_and_odd,
     "with MAP_FIXED the address must be that of a page"},
    {OF(MMAP), EEXIST, always,
     "something is mapped there, and MAP_FIXED_NOREPLACE asks not to replace "
     "it"},
    {OF(MMAP), EPERM, is_fixed_and_low,
     "nothing may be mapped as low as that (vm.mmap_min_addr)"},
    {OF(MMAP), EPERM, wants_executable_file,
     "it may not be executed: the file lies on a noexec mount, or a seal of it "
     "or a filter (seccomp(2)) forbids it"},
    {OF(MMAP), EPERM, is_anonymous,
     "a filter (seccomp(2)) or a security module forbids it"},
    {OF(MMAP), EACCES, wants_writable_file,
     "what is stored there would go into the file, which was not opened for "
     "reading and writing"},
    {OF(MMAP), EACCES, wants_executable_memory, FORBIDDEN},
    {OF(MMAP), EACCES, is_file,
     "the file was not opened for reading, or is none that can be mapped so"},
    {OF(MMAP), ENODEV, always, "what is open there cannot be mapped"},
    {OF(MMAP) | OF(MREMAP), ENOMEM, is_longer_than_memory,
     "the length is more than there are addresses"},
    {OF(MREMAP), EINVAL, has_no_new_length, "the new length is 0"},
    {RANGES, EINVAL, has_odd_address, "its address is not that of a page"},
    {OF(MUNMAP), EINVAL, has_no_length, "the length is 0"},
    {OF(PROTECT), EINVAL, has_unknown_protection,
     "its third argument is no protection: PROT_READ, PROT_WRITE and PROT_EXEC "
     "make at most 7"},
    {OF(MREMAP), EINVAL, is_fixed_and_cannot_move,
     "MREMAP_FIXED needs MREMAP_MAYMOVE"},
    {OF(MREMAP), EINVAL, goes_to_odd_address,
     "the new address is not that of a page"},
    {OF(MREMAP), EINVAL, goes_over_itself, "the old and the new range overlap"},
    {RANGES, EINVAL, wraps, "the range goes beyond the last address"},
    {RANGES, ENOMEM, wraps, "the range goes beyond the last address"},
    {OF(PROTECT) | OF(EMPTY), ENOMEM, has_hole,
     "nothing is mapped at %, in this range"},
    {OF(MREMAP), EFAULT, has_hole, "nothing is mapped at %, in this range"},
    {OF(MREMAP), EFAULT, always, "the old range is more than one mapping"},
    {OF(MREMAP), ENOMEM, cannot_move,
     "there is no room behind it, and MREMAP_MAYMOVE is not among its flags"},
    {OF(PROTECT), EACCES, is_shared,
     "what is stored there would go into the file, which was not opened for "
     "writing"},
    {OF(PROTECT), EACCES, wants_execution, FORBIDDEN},
    {RANGES, EPERM, always,
     "the range is sealed (mseal(2)), or a filter (seccomp(2)) forbids the "
     "call"},
    {OF(MMAP) | OF(MREMAP), EAGAIN, always,
     "more memory would be locked than may be (RLIMIT_MEMLOCK)"},
    {ANY, ENOMEM, always,
     "there is no room: a limit on memory or addresses (RLIMIT_AS, "
     "RLIMIT_DATA, "
     "vm.overcommit_memory) or on mappings (vm.max_map_count) is reached"},
};

/* Looks for the first page that is not mapped. */
static void look(struct refusal *refusal, pid_t pid)
{
    struct maps_line line = {0};

    while (refusal->hole < refusal->end &&
           proc_maps_find(pid, refusal->hole, &line) &&
           line.start <= refusal->hole) {
        if (refusal->hole == refusal->addr)
            refusal->shared = line.shared;
        refusal->hole = line.end;
    }
}

void refusal_explain(const struct call *call, pid_t pid, struct buf *out)
{
    const unsigned kind = 1u << call_kind(call);
    const int error = (int)-call->result;
    const uint64_t addr = call->args[0];
    struct refusal refusal = {.call = call, .addr = addr, .hole = addr};
    const char *hole;

    refusal.end = (addr + call->args[1] + ARCH_PAGE_SIZE - 1) &
                  ~(uint64_t)(ARCH_PAGE_SIZE - 1);
    if (kind & RANGES)
        look(&refusal, pid);
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        const struct rule *rule = &rules[i];

        if (!(rule->kinds & kind) || rule->error != error ||
            !rule->holds(&refusal))
            continue;
        hole = strchrnul(rule->words, '%');
        buf_append(out, rule->words, (size_t)(hole - rule->words));
        if (*hole)
            buf_printf(out, "0x%" PRIx64 "%s", refusal.hole, hole + 1);
        return;
    }
    buf_append_text(out, strerror(error));
}

const char *refusal_error(const struct call *call)
{
    static const struct {
        int error;
        const char *name;
    } names[] = {
#define NAME(error) {error, #error}
        NAME(EINVAL),  NAME(ENOMEM), NAME(EACCES),     NAME(EPERM),
        NAME(EAGAIN),  NAME(EBADF),  NAME(EEXIST),     NAME(ENODEV),
        NAME(EBUSY),   NAME(EFAULT), NAME(ENFILE),     NAME(EOVERFLOW),
        NAME(ETXTBSY), NAME(ENOSYS), NAME(EIDRM),      NAME(EINTR),
        NAME(EIO),     NAME(ENOSPC), NAME(EOPNOTSUPP),
    };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].error == -call->result)
            return names[i].name;
    return NULL;
}
