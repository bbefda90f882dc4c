/* SPDX-License-Identifier: MIT */
/*
 * Starts itself three times, by fork and exec, vfork and exec, and posix_spawn:
 * each time another program that makes code and executes it. The code of the
 * first one is still there while a child shares its memory.
 *
 * prints:  child 1
 * prints:  child 2
 * prints:  child 3
 * prints:  parent 0
 * ends:    status 0
 * options: -f
 * reports: fork copied
 * reports: exec follow_exec
 * reports: map rw- anonymous
 * reports: step +0 mov eax, edi
 * reports: leave return 1
 * reports: output 1 child 1\\n
 * reports: exit status 1
 * reports: fork shared
 * reports: exec follow_exec
 * reports: leave return 2
 * reports: output 1 child 2\\n
 * reports: exit status 2
 * reports: fork shared
 * reports: exec follow_exec
 * reports: leave return 3
 * reports: output 1 child 3\\n
 * reports: exit status 3
 * reports: leave return 0
 * reports: output 1 parent 0\\n
 * reports: exit status 0
 * never:   limit exec
 * never:   limit fork
 */
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "code.h"

extern char **environ;

static const uint8_t insns[] = {
    0x89, 0xf8, /* mov eax, edi */
    0xc3,       /* ret */
};

static const char *const self = "/proc/self/exe";

static void wait_for(pid_t child)
{
    int status;

    if (child < 0 || waitpid(child, &status, 0) != child)
        exit(99);
}

int main(int argc, char **argv)
{
    uint8_t *code;
    pid_t child;
    int number = argc > 1 ? atoi(argv[1]) : 0;

    code = code_new(insns, sizeof insns);
    if (number > 0) {
        printf("child %d\n", ((int (*)(int))(uintptr_t)code)(number));
        return number;
    }
    child = fork();
    if (child == 0)
        _exit(execl(self, argv[0], "1", (char *)NULL));
    wait_for(child);
    child = vfork();
    if (child == 0)
        _exit(execl(self, argv[0], "2", (char *)NULL));
    wait_for(child);
    if (posix_spawn(&child, self, NULL, NULL,
                    (char *[]){argv[0], (char[]){"3"}, NULL}, environ) != 0)
        return 98;
    wait_for(child);
    printf("parent %d\n", ((int (*)(int))(uintptr_t)code)(0));
    return 0;
}
