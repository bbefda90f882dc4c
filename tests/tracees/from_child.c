/* SPDX-License-Identifier: MIT */
/*
 * A child changes its parent's code through /proc/PID/mem.
 *
 * prints:  5 6
 * ends:    status 0
 * reports: protect rw- r-x b805000000c3
 * reports: enter +0 call
 * reports: leave return 5
 * reports: write +1 06 by elsewhere
 * reports: enter +0 call
 * reports: leave return 6
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static int change(const uint8_t *code)
{
    static const uint8_t six = 6;
    char name[32];
    int memory;

    snprintf(name, sizeof name, "/proc/%d/mem", (int)getppid());
    memory = open(name, O_RDWR);
    return pwrite(memory, &six, 1, (off_t)(uintptr_t)code + 1) == 1 ? 0 : 1;
}

int main(void)
{
    static const uint8_t insns[] = {0xb8, 5, 0, 0, 0, 0xc3};
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int (*fn)(void) = (int (*)(void))(uintptr_t)code;
    int first, status;
    pid_t child;

    if (code == MAP_FAILED)
        return 1;
    memcpy(code, insns, sizeof insns);
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    first = fn();
    child = fork();
    if (child == 0)
        _exit(change(code));
    if (waitpid(child, &status, 0) != child || status != 0)
        return 1;
    printf("%d %d\n", first, fn());
    return 0;
}
