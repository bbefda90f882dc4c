/* SPDX-License-Identifier: MIT */
/*
 * Generated code makes a system call that a filter of the program forbids.
 *
 * ends:    signal SIGSYS
 * reports: signal SIGSYS*
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "code.h"

int main(void)
{
    static const uint8_t insns[] = {
        0xb8, SYS_getppid, 0x00, 0x00, 0x00, /* mov eax, SYS_getppid */
        0x0f, 0x05,                          /* syscall */
        0xc3,                                /* ret */
    };
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    uint8_t *code = code_new(insns, sizeof insns);

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
        return 99;
    ((void (*)(void))(uintptr_t)code)();
    return 0;
}
