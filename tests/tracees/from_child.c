/* SPDX-License-Identifier: MIT */
/*
 * A child stores code into its parent: by process_vm_writev(2), then through
 * /proc/PID/mem while the page may be written, and again when it may not.
 *
 * prints:  5 6
 * ends:    status 0
 * reports: map rw- anonymous
 * reports: limit writer
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
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static const uint8_t insns[] = {0xb8, 5, 0, 0, 0, 0xc3};

static int by_call(uint8_t *code)
{
    uint8_t bytes[5];
    struct iovec from = {bytes, sizeof bytes}, to = {code, sizeof bytes};

    memcpy(bytes, insns, sizeof bytes);
    return process_vm_writev(getppid(), &from, 1, &to, 1, 0) == sizeof bytes;
}

static int by_file(uint8_t *code, uint8_t byte)
{
    char name[32];
    int memory;

    snprintf(name, sizeof name, "/proc/%d/mem", (int)getppid());
    memory = open(name, O_RDWR);
    return pwrite(memory, &byte, 1, (off_t)(uintptr_t)code) == 1;
}

/* What a child does; returns whether it could. */
static int child_does(int what, uint8_t *code)
{
    pid_t child = fork();
    int status;

    if (child == 0)
        _exit(!(what == 0   ? by_call(code)
                : what == 1 ? by_file(code + 5, 0xc3)
                            : by_file(code + 1, 6)));
    return waitpid(child, &status, 0) == child && status == 0;
}

int main(void)
{
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int (*fn)(void) = (int (*)(void))(uintptr_t)code;
    int first;

    if (code == MAP_FAILED)
        return 1;
    if (!child_does(0, code)) {
        puts("process_vm_writev failed");
        return 1;
    }
    if (!child_does(1, code)) {
        puts("/proc/PID/mem failed");
        return 1;
    }
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    first = fn();
    if (!child_does(2, code))
        return 1;
    printf("%d %d\n", first, fn());
    return 0;
}
