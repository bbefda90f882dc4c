/* SPDX-License-Identifier: MIT */
/*
 * run.c - runs the program of an exercise, and tells how it ended.
 *
 *     run END SECONDS PROGRAM [ARGUMENT]...
 *
 * What the learner wrote may print without an end, stop itself, or leave
 * processes behind. So the program has a process group of its own, which is
 * killed when the program has ended, stopped or had its time, and a pipe for
 * what it prints: of that the first HEAD bytes and the last TAIL are passed on.
 * The words of a check come by the pipe too, by a descriptor of their own,
 * whose number is in EXERCISE_SAYS (check.h).
 *
 * The file END then holds "exit STATUS", "signal NUMBER", "stop NUMBER" or
 * "time". That is no exit status, for the program can have any of these.
 *
 * Exit status: 0, 71 if the program could not be run.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

enum { HEAD = 8000, TAIL = 2000, SAYS = 9, MOMENT = 20 /* ms */ };

/* What came behind HEAD: its last TAIL bytes are in `last`, a ring. */
struct output {
    size_t total;
    char last[TAIL];
};

/* --- what it prints ------------------------------------------------------- */

static void take_output(struct output *output, const char *text, size_t len)
{
    size_t shown = 0;

    if (output->total < HEAD) {
        shown = len < HEAD - output->total ? len : HEAD - output->total;
        fwrite(text, 1, shown, stdout);
        fflush(stdout);
    }
    for (size_t i = shown; i < len; i++)
        output->last[(output->total + i - HEAD) % TAIL] = text[i];
    output->total += len;
}

static void end_output(const struct output *output)
{
    size_t behind = output->total > HEAD ? output->total - HEAD : 0;
    size_t kept = behind < TAIL ? behind : TAIL;

    if (behind > kept)
        printf("\n[%zu bytes of what it printed are left out here]\n",
               behind - kept);
    for (size_t i = behind - kept; i < behind; i++)
        putchar(output->last[i % TAIL]);
    fflush(stdout);
}

/* Reads once, if there is something within that time. Returns false if there
 * is not, or nobody can write any more. */
static bool read_output(int from, struct output *output, int milliseconds)
{
    struct pollfd ready = {.fd = from, .events = POLLIN};
    char text[16384];
    ssize_t len;

    if (poll(&ready, 1, milliseconds) <= 0)
        return false;
    len = read(from, text, sizeof text);
    if (len > 0)
        take_output(output, text, (size_t)len);
    return len > 0;
}

/* --- how it ends ---------------------------------------------------------- */

static double seconds_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Waits for an end of the child, passing on what it prints, and writes how it
 * was as the file's text. A child that did not end has to be killed. */
static void watch(pid_t child, int from, double seconds, struct output *output,
                  FILE *end)
{
    double until = seconds_now() + seconds;
    int status;

    while (waitpid(child, &status, WNOHANG | WUNTRACED) == 0) {
        if (seconds_now() > until) {
            fputs("time\n", end);
            return;
        }
        /* Nothing to wait for where it has closed all of its descriptors. */
        if (!read_output(from, output, MOMENT))
            poll(NULL, 0, 1);
    }
    if (WIFSTOPPED(status))
        fprintf(end, "stop %d\n", WSTOPSIG(status));
    else if (WIFSIGNALED(status))
        fprintf(end, "signal %d\n", WTERMSIG(status));
    else
        fprintf(end, "exit %d\n", WEXITSTATUS(status));
}

/* --- starting it ---------------------------------------------------------- */

static void start(char **argv, int to)
{
    char number[4];

    prctl(PR_SET_PDEATHSIG, SIGKILL); /* Ctrl-C ends this process only */
    setpgid(0, 0);
    snprintf(number, sizeof number, "%d", SAYS);
    setenv("EXERCISE_SAYS", number, 1);
    dup2(to, STDOUT_FILENO);
    dup2(to, STDERR_FILENO);
    dup2(to, SAYS);
    execv(argv[0], argv);
    perror(argv[0]);
    _exit(EX_OSERR);
}

int main(int argc, char **argv)
{
    struct output output = {0};
    int ends[2];
    FILE *end;
    pid_t child;

    if (argc < 4) {
        fputs("run END SECONDS PROGRAM [ARGUMENT]...\n", stderr);
        return EX_USAGE;
    }
    end = fopen(argv[1], "we");
    if (!end || pipe2(ends, O_CLOEXEC) < 0 || (child = fork()) < 0) {
        perror(argv[1]);
        return EX_OSERR;
    }
    if (child == 0)
        start(argv + 3, ends[1]);
    setpgid(child, child);
    close(ends[1]);
    watch(child, ends[0], strtod(argv[2], NULL), &output, end);
    kill(-child, SIGKILL);
    /* All of it is in the pipe by now; a process that left the group may go on
     * writing. */
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    for (int i = 0; i < 64 && read_output(ends[0], &output, 0); i++)
        ;
    end_output(&output);
    return fclose(end) == 0 ? 0 : EX_OSERR;
}
