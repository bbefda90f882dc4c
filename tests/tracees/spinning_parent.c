/* SPDX-License-Identifier: MIT */
/*
 * A child stores code into its parent by process_vm_writev(2). Meanwhile the
 * parent makes no system call: it waits in a loop for the last byte.
 *
 * prints:  5
 * ends:    status 0
 * reports: map rw- anonymous
 * reports: write +0 b8
 * reports: limit fork
 * reports: limit writer
 * reports: protect rw- r-x b805000000c3
 * reports: enter +0 call
 * reports: leave return 5
 * never:   signal SIGSEGV*
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static int store_into_parent(uint8_t *code)
{
    uint8_t insns[] = {5, 0, 0, 0, 0xc3};
    struct iovec from = {insns, sizeof insns}, to = {code + 1, sizeof insns};

    return process_vm_writev(getppid(), &from, 1, &to, 1, 0) == sizeof insns;
}

int main(void)
{
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pid_t child;

    if (code == MAP_FAILED)
        return 1;
    code[0] = 0xb8;
    child = fork();
    if (child == 0) {
        if (store_into_parent(code))
            _exit(0);
        kill(getppid(), SIGKILL);
        _exit(1);
    }
    if (child < 0)
        return 1;
    while (((volatile uint8_t *)code)[5] != 0xc3)
        ;
    if (waitpid(child, NULL, 0) != child)
        return 1;
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    printf("%d\n", ((int (*)(void))(uintptr_t)code)());
    return 0;
}
