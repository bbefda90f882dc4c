/* SPDX-License-Identifier: MIT */
/*
 * thread_exec.c PROGRAM - a second thread starts PROGRAM while the first one
 * writes bytes. It ends the first and goes on under its ID (execve(2)). Its
 * environment is large, so that the kernel has to copy for a while before that.
 *
 * A tracer must notice, also while it keeps the first one stopped, and trace
 * PROGRAM as any other.
 */
#include <pthread.h>
#include <string.h>
#include <unistd.h>

static char text[100 * 1000];

static void *start(void *program)
{
    char *argv[] = {program, "1", NULL};
    char *environment[] = {text, text, text, text, text, text, text, text,
                           text, text, text, text, text, text, text, NULL};

    memset(text, 'x', sizeof text - 1);
    execve(program, argv, environment);
    _exit(1);
}

int main(int argc, char **argv)
{
    pthread_t other;

    if (pthread_create(&other, NULL, start, argv[argc - 1]) != 0)
        return 1;
    while (write(2, ".", 1) == 1)
        continue;
    return 1;
}
