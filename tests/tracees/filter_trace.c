/* SPDX-License-Identifier: MIT */
/*
 * A program with a filter of its own that leaves calls to a tracer
 * (SECCOMP_RET_TRACE in seccomp(2)). It has none, as far as it knows, so these
 * calls fail with ENOSYS: one that jittrace stops at as well, also in a child,
 * and one that it does not stop at, also when made by generated code.
 *
 * prints:  getppid ENOSYS
 * prints:  mprotect ENOSYS
 * prints:  madvise ENOSYS
 * prints:  in generated code ENOSYS
 * prints:  in a child ENOSYS
 * prints:  5
 * ends:    status 0
 * reports: limit frozen
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int leave_to_tracer(uint32_t number)
{
    struct sock_filter insns[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof insns / sizeof *insns, insns};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

static void tell(const char *what, int error)
{
    printf("%s %s\n", what, error == ENOSYS ? "ENOSYS" : strerror(error));
    fflush(stdout);
}

int main(void)
{
    /* mov eax, 5; ret */
    static const uint8_t insns[] = {0xb8, 5, 0, 0, 0, 0xc3};
    /* mov eax, SYS_getppid; syscall; ret */
    static const uint8_t call[] = {0xb8, SYS_getppid, 0, 0, 0, 0x0f, 5, 0xc3};
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int (*fn)(void) = (int (*)(void))(uintptr_t)code;
    pid_t child;

    if (code == MAP_FAILED || leave_to_tracer(SYS_getppid) < 0 ||
        leave_to_tracer(SYS_mprotect) < 0 || leave_to_tracer(SYS_madvise) < 0)
        return 1;
    tell("getppid", syscall(SYS_getppid) < 0 ? errno : 0);
    tell("mprotect", mprotect(code, 4096, PROT_READ) < 0 ? errno : 0);
    tell("madvise", madvise(code, 4096, MADV_DONTNEED) < 0 ? errno : 0);
    memcpy(code, call, sizeof call);
    tell("in generated code", -fn());
    child = fork();
    if (child == 0) {
        tell("in a child", mprotect(code, 4096, PROT_READ) < 0 ? errno : 0);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    memcpy(code, insns, sizeof insns);
    printf("%d\n", fn());
    return 0;
}
