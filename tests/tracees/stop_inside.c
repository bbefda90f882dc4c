/* SPDX-License-Identifier: MIT */
/*
 * A program that is stopped and sent on, ten times, while it is in generated
 * code and while it stores; its child sees each time that it has stopped.
 *
 * prints:  stopped 10 times, 50, sum 32640
 * ends:    status 0
 * reports: enter +0 call
 * reports: leave return 5
 * reports: write +0 00
 * never:   limit progress
 * never:   signal SIGSEGV*
 * never:   signal SIGBUS*
 */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "code.h"

enum { STOPS = 10 };

/* Whether the process is stopped (T), or a tracer keeps it so (t): proc(5). */
static int is_stopped(pid_t pid)
{
    char name[32], state = '?';
    FILE *file;

    snprintf(name, sizeof name, "/proc/%d/stat", (int)pid);
    file = fopen(name, "r");
    if (!file)
        return 0;
    if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
        state = '?';
    fclose(file);
    return state == 'T' || state == 't';
}

static int stop_it(pid_t pid)
{
    int seen = 0;

    for (int i = 0; i < STOPS; i++) {
        kill(pid, SIGSTOP);
        while (!is_stopped(pid))
            usleep(100);
        seen++;
        kill(pid, SIGCONT);
        usleep(500);
    }
    return seen;
}

int main(void)
{
    static const uint8_t insns[] = {
        0xb9, 100, 0, 0, 0, 0xff, 0xc9, 0x75, 0xfc, /* count down from 100 */
        0xb8, 5,   0, 0, 0, 0xc3,                   /* mov eax, 5; ret */
    };
    int (*fn)(void) = (int (*)(void))code_new(insns, sizeof insns);
    volatile uint8_t *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pid_t self = getpid(), child = fork();
    int status = 0, sum = 0, total = 0;

    if (child == 0)
        _exit(stop_it(self));
    for (int i = 0; i < 10; i++)
        sum += fn();
    for (int i = 0; i < 256; i++)
        page[i] = (uint8_t)i;
    for (int i = 0; i < 256; i++)
        total += page[i];
    while (waitpid(child, &status, 0) < 0)
        continue;
    printf("stopped %d times, %d, sum %d\n", WEXITSTATUS(status), sum, total);
    return 0;
}
