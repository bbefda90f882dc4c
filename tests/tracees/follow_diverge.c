/* SPDX-License-Identifier: MIT */
/*
 * The same byte of two processes: code is made, then a child is forked. The
 * parent changes the code, executes it and runs another program. Only after
 * that the child changes and executes its copy, which is still the old one.
 *
 * prints:  parent 9
 * prints:  child 5 7
 * ends:    status 0
 * options: -f
 * reports: write +0 b8*
 * reports: fork copied
 * reports: write +1 09
 * reports: step +0 mov eax, 9
 * reports: leave return 9
 * reports: output 1 parent 9\\n
 * reports: exec follow_diverge
 * reports: step +0 mov eax, 5
 * reports: leave return 5
 * reports: write +1 07
 * reports: step +0 mov eax, 7
 * reports: leave return 7
 * reports: exit status 0
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "code.h"

static uint8_t *code;

static int call(void)
{
    return ((int (*)(void))(uintptr_t)code)();
}

/* Returns what the code returns with that byte in it. */
static int changed(uint8_t byte)
{
    if (mprotect(code, 4096, PROT_READ | PROT_WRITE) < 0)
        return -1;
    code[1] = byte;
    if (mprotect(code, 4096, PROT_READ | PROT_EXEC) < 0)
        return -1;
    return call();
}

int main(int argc, char **argv)
{
    static const uint8_t insns[] = {
        0xb8, 0x05, 0x00, 0x00, 0x00, /* mov eax, 5 */
        0xc3,                         /* ret */
    };
    int ends[2], status, first;
    char byte;

    if (argc > 1) /* the other program, whose child it is */
        return wait(&status) < 0 ? 99 : WEXITSTATUS(status);
    code = code_new(insns, sizeof insns);
    if (pipe2(ends, O_CLOEXEC) < 0)
        return 99;
    if (fork() == 0) {
        close(ends[1]);
        if (read(ends[0], &byte, 1) != 0) /* ended by the exec */
            _exit(99);
        first = call();
        printf("child %d %d\n", first, changed(7));
        fflush(stdout);
        _exit(0);
    }
    printf("parent %d\n", changed(9));
    fflush(stdout);
    execl("/proc/self/exe", argv[0], "wait", (char *)NULL);
    return 99;
}
