/* SPDX-License-Identifier: MIT */
/*
 * The rest of a call runs at full speed, and what it calls forks: the code
 * returns twice, in two processes. Nothing that waits for its return may be
 * left in the child's copy.
 *
 * prints:  child 5, parent 5
 * ends:    status 0
 * options: --max-call-steps=1
 * reports: enter +0 call
 * reports: step +0 sub rsp, 8
 * reports: limit call-steps
 * reports: limit fork
 * reports: output 1 child 5, parent 5\\n
 * reports: exit status 0
 * never:   signal SIGTRAP
 */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "code.h"

static pid_t child;

static int divide(void)
{
    child = fork();
    return 4;
}

int main(void)
{
    static const uint8_t insns[] = {
        0x48, 0x83, 0xec, 0x08, /* sub rsp, 8 */
        0xff, 0xd7,             /* call rdi */
        0xff, 0xc0,             /* inc eax */
        0x48, 0x83, 0xc4, 0x08, /* add rsp, 8 */
        0xc3,                   /* ret */
    };
    uint8_t *code = code_new(insns, sizeof insns);
    int result = ((int (*)(int (*)(void)))(uintptr_t)code)(divide), status;

    if (child == 0)
        _exit(result);
    if (child < 0 || waitpid(child, &status, 0) != child)
        return 1;
    if (WIFSIGNALED(status))
        printf("child killed by signal %d\n", WTERMSIG(status));
    else
        printf("child %d, parent %d\n", WEXITSTATUS(status), result);
    return 0;
}
