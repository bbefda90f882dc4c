/* SPDX-License-Identifier: MIT */
/*
 * stopped.c - somebody stops the program, and lets it go on.
 *
 * That is a child of its own: it sends SIGTSTP, sees the program stop, looks
 * whether the program's parent (who may be a tracer) has stopped as well, and
 * sends SIGCONT. Prints "stopped, its parent has not; went on".
 *
 * A tracer must report: nothing of generated code. It must not stop itself:
 * the signal was not for it.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

/* Whether the process is stopped (T), or a tracer keeps it so (t): proc(5). */
static int is_stopped(pid_t pid, const char *states)
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
    for (; *states; states++)
        if (*states == state)
            return 1;
    return 0;
}

/* In the child. Returns 0 when the program stopped and its parent did not. */
static int stop_and_continue(pid_t program, pid_t parent)
{
    int stopped, too;

    kill(program, SIGTSTP);
    usleep(200000);
    stopped = is_stopped(program, "Tt");
    too = is_stopped(parent, "T");
    if (too)
        kill(parent, SIGCONT);
    kill(program, SIGCONT);
    return !stopped + 2 * too;
}

int main(void)
{
    pid_t self = getpid(), parent = getppid(), child = fork();
    int status;

    if (child == 0)
        _exit(stop_and_continue(self, parent));
    while (waitpid(child, &status, 0) < 0)
        continue;
    status = WEXITSTATUS(status);
    printf("%sstopped, its parent has%s; went on\n", status & 1 ? "not " : "",
           status & 2 ? ", too" : " not");
    return 0;
}
