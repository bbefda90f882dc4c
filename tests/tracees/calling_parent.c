/* SPDX-License-Identifier: MIT */
/*
 * A child stores code into its parent by process_vm_writev(2). Meanwhile the
 * parent makes one system call after the other, and more children: none may be
 * lost. What it does first has no chance to go wrong twice, so it is done anew
 * in one program after the other.
 *
 * prints:  5
 * ends:    status 0
 * reports: start
 * reports: limit writer
 * reports: enter +0 call
 * reports: leave return 5
 * reports: exit status 0
 * never:   signal *
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAMS 10
#define CHILDREN 3 /* the first one stores */

/* As fork(2), but the child's end sends no signal. */
static pid_t fork_quietly(void)
{
    return (pid_t)syscall(SYS_clone, 0UL, NULL, NULL, NULL, 0UL);
}

static int store_into_parent(uint8_t *code)
{
    uint8_t insns[] = {5, 0, 0, 0, 0xc3};
    struct iovec from = {insns, sizeof insns}, to = {code + 1, sizeof insns};

    return process_vm_writev(getppid(), &from, 1, &to, 1, 0) == sizeof insns;
}

int main(int argc, char **argv)
{
    int left = argc > 1 ? atoi(argv[1]) : PROGRAMS;
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pid_t parent = getppid();
    int lost = 0, result;
    char next[16];

    if (code == MAP_FAILED)
        return 1;
    code[0] = 0xb8;
    for (int i = 0; i < CHILDREN; i++) {
        pid_t child = fork_quietly();

        lost += child < 0;
        if (child == 0 && i == 0 && !store_into_parent(code))
            kill(getppid(), SIGKILL);
        if (child == 0)
            _exit(0);
    }
    while (((volatile uint8_t *)code)[5] != 0xc3)
        lost += getppid() != parent;
    for (int i = 0; i < CHILDREN; i++)
        lost += waitpid(-1, NULL, __WALL) <= 0;
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    result = ((int (*)(void))(uintptr_t)code)();
    if (lost != 0) {
        printf("%d calls were lost\n", lost);
        return 1;
    }
    if (left <= 1) {
        printf("%d\n", result);
        return 0;
    }
    snprintf(next, sizeof next, "%d", left - 1);
    execl(argv[0], argv[0], next, (char *)NULL);
    return 1;
}
