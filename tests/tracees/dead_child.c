/* SPDX-License-Identifier: MIT */
/*
 * A child dies in code that its parent made, through a null pointer that the
 * code itself has set; another one handles the same fault.
 *
 * prints:  11
 * prints:  0
 * ends:    status 0
 * reports: limit *
 * reports: signal SIGSEGV*
 */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "code.h"

static void leave(int signal)
{
    (void)signal;
    _exit(0);
}

static int status_of_child(void (*code)(void), int handles)
{
    pid_t child = fork();
    int status;

    if (child == 0) {
        if (handles)
            signal(SIGSEGV, leave);
        code();
        _exit(1);
    }
    if (child < 0 || waitpid(child, &status, 0) != child)
        exit(99);
    return WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
}

int main(void)
{
    static const uint8_t insns[] = {
        0x31, 0xc9,       /* xor ecx, ecx */
        0x48, 0x8b, 0x01, /* mov rax, [rcx] */
        0xc3,             /* ret */
    };
    void (*code)(void) =
        (void (*)(void))(uintptr_t)code_new(insns, sizeof insns);

    printf("%d\n", status_of_child(code, 0));
    printf("%d\n", status_of_child(code, 1));
    return 0;
}
