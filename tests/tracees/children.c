/* SPDX-License-Identifier: MIT */
/*
 * children.c - a second thread makes children that wait for a signal while the
 * first one writes bytes. In the end they get it.
 *
 * A tracer that ends the program must end the children too, also those it has
 * not heard of yet.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t children[20];
enum { COUNT = sizeof children / sizeof *children };

static void *make(void *unused)
{
    for (int i = 0; i < COUNT; i++) {
        children[i] = fork();
        while (children[i] == 0)
            pause();
    }
    return unused;
}

int main(void)
{
    pthread_t other;

    if (pthread_create(&other, NULL, make, NULL) != 0)
        return 1;
    for (int i = 0; i < COUNT; i++)
        if (write(1, ".", 1) != 1)
            return 1;
    pthread_join(other, NULL);
    for (int i = 0; i < COUNT; i++)
        if (children[i] > 0)
            kill(children[i], SIGTERM);
    while (wait(NULL) > 0)
        continue;
    return 0;
}
