/* SPDX-License-Identifier: MIT */
/*
 * The filter is a classic BPF program over struct seccomp_data. It reads 32
 * bits at a time; the low half of a 64-bit argument comes first on this CPU.
 *
 * Jumps in BPF are relative and forward only. To keep them readable, each test
 * below is a block of its own that ends by stopping or falls through to the
 * next one; the last instruction lets the call pass.
 */
#include "target/filter.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <unistd.h>

#include "target/machine.h"

#define LOAD(member) \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))
#define LOAD_HIGH(member)              \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, \
             offsetof(struct seccomp_data, member) + 4)
#define PASS BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define STOP BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE | FILTER_DATA)

/* Goes on with the next instruction if equal, else skips `skip` of them. */
#define UNLESS_EQUAL(value, skip) \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(value), 0, skip)
/* The same if any of the bits is set. */
#define UNLESS_ANY(bits, skip) \
    BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (uint32_t)(bits), 0, skip)

#define STOP_IF(value)    UNLESS_EQUAL(value, 1), STOP
#define STOP_IF_ANY(bits) UNLESS_ANY(bits, 1), STOP

/* Lets pass what is our own: 5 instructions. */
#define PASS_OURS                                             \
    LOAD(args[5]), UNLESS_EQUAL(FILTER_PASS & 0xffffffff, 3), \
        LOAD_HIGH(args[5]), UNLESS_EQUAL(FILTER_PASS >> 32, 1), PASS

/* Stops at every call of that number; at every one that is not our own. */
#define STOP_AT(number) LOAD(nr), UNLESS_EQUAL(number, 1), STOP
#define STOP_AT_THEIRS(number) \
    LOAD(nr), UNLESS_EQUAL(number, 6), PASS_OURS, STOP

/* Stops at a call of that number on descriptor 1 or 2. */
#define STOP_AT_OUTPUT(number)                                                \
    LOAD(nr), UNLESS_EQUAL(number, 5), LOAD(args[0]), STOP_IF(STDOUT_FILENO), \
        STOP_IF(STDERR_FILENO)

/* Stops when a file is opened for writing that must exist. */
#define STOP_AT_REOPENING(number, flags)                  \
    LOAD(nr), UNLESS_EQUAL(number, 5), LOAD(args[flags]), \
        UNLESS_ANY(O_ACCMODE, 3), UNLESS_ANY(O_CREAT, 1), PASS, STOP

int filter_try(void)
{
    uint32_t action = SECCOMP_RET_TRACE;

    return (int)syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action);
}

int filter_install(void)
{
    struct sock_filter filter[] = {
        /* Other architectures' numbers mean other calls. */
        LOAD(arch),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, MACHINE_AUDIT, 1, 0),
        PASS,
        STOP_AT_THEIRS(SYS_mprotect),
        STOP_AT_THEIRS(SYS_personality),
        STOP_AT_THEIRS(SYS_userfaultfd),
        /* mmap: what can be executed, what may lie over something else, and
         * what is writable and anonymous or shared, and what is neither
         * anonymous nor a file. */
        LOAD(nr),
        UNLESS_EQUAL(SYS_mmap, 15),
        LOAD(args[2]),
        STOP_IF_ANY(PROT_EXEC),
        LOAD(args[3]),
        STOP_IF_ANY(MAP_FIXED),
        UNLESS_ANY(MAP_ANONYMOUS | MAP_SHARED, 3),
        LOAD(args[2]),
        STOP_IF_ANY(PROT_WRITE),
        LOAD(args[3]),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, MAP_ANONYMOUS, 3, 0),
        LOAD(args[4]),
        UNLESS_EQUAL((uint32_t)-1, 1),
        STOP,
        /* rt_sigaction: of the signals that guards and steps raise, unless it
         * is our own. */
        LOAD(nr),
        UNLESS_EQUAL(SYS_rt_sigaction, 12),
        PASS_OURS,
        LOAD(args[0]),
        STOP_IF(SIGTRAP),
        STOP_IF(SIGBUS),
        STOP_IF(SIGSEGV),
        STOP_AT(SYS_pkey_mprotect),
        STOP_AT_THEIRS(SYS_munmap),
        STOP_AT(SYS_mremap),
        STOP_AT(SYS_shmat),
        STOP_AT(SYS_shmdt),
        LOAD(nr),
        UNLESS_EQUAL(SYS_madvise, 9),
        LOAD(args[2]),
        STOP_IF(MADV_DONTNEED),
        STOP_IF(MADV_FREE),
        STOP_IF(MADV_REMOVE),
        STOP_IF(MADV_DONTNEED_LOCKED),
        STOP_AT(SYS_io_uring_setup),
        /* What may write to the memory of another process: the file that is
         * opened could be that. It exists; most that are opened for writing
         * are to be made if they do not. */
        STOP_AT(SYS_process_vm_writev),
        STOP_AT(SYS_openat2),
        STOP_AT_REOPENING(SYS_openat, 2),
        STOP_AT_REOPENING(SYS_open, 1),
        /* Calls that show, set or hand on the CPUs of a thread: it may be kept
         * on one CPU for the time being. */
        STOP_AT(SYS_sched_getaffinity),
        STOP_AT(SYS_sched_setaffinity),
        STOP_AT(SYS_clone),
        STOP_AT(SYS_clone3),
        STOP_AT(SYS_fork),
        STOP_AT(SYS_vfork),
        STOP_AT(SYS_execve),
        STOP_AT(SYS_execveat),
        /* Calls after which a guard could kill the program. */
        STOP_AT(SYS_sigaltstack),
        STOP_AT(SYS_seccomp),
        STOP_AT(SYS_mseal),
        LOAD(nr),
        UNLESS_EQUAL(SYS_prctl, 7),
        LOAD(args[0]),
        STOP_IF(PR_SET_DUMPABLE),
        STOP_IF(PR_SET_SECCOMP),
        STOP_IF(PR_SET_MDWE),
        STOP_AT_OUTPUT(SYS_write),
        STOP_AT_OUTPUT(SYS_writev),
        PASS,
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -1;
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}
