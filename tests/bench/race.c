/* SPDX-License-Identifier: MIT */
/*
 * race.c - how long commands take, measured so that they can be compared.
 *
 *     race ROUNDS NAME COMMAND [ARG]... [-- NAME COMMAND [ARG]...]...
 *
 * A machine is faster at one moment than at another. So all commands run in
 * turn, in ROUNDS rounds, and what is to be compared are the figures of one
 * round. Each round begins with another command than the one before. A round
 * more, the first, only warms up. On standard output, a line a run:
 *
 *     ROUND <tab> NAME <tab> wall time <tab> cpu time           (microseconds)
 *
 * An argument --- is -- to the command. Wall time counts from before the start of the command to after its end; cpu
 * time is the command's and that of all the processes it waited for. Standard
 * output of a command goes to /dev/null; one that fails ends the race.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_ENTRIES 16

struct entry {
    const char *name;
    char **argv;
};

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static double microseconds(const struct timeval *time)
{
    return (double)time->tv_sec * 1e6 + (double)time->tv_usec;
}

static void fail(const struct entry *entry, const char *what)
{
    fprintf(stderr, "race: %s: %s\n", entry->name, what);
    exit(1);
}

static void run(const struct entry *entry, int round)
{
    posix_spawn_file_actions_t actions;
    struct rusage usage;
    double begin, end;
    int status;
    pid_t pid;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null",
                                     O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null",
                                     O_WRONLY, 0);
    begin = now();
    if (posix_spawnp(&pid, entry->argv[0], &actions, NULL, entry->argv,
                     environ) != 0)
        fail(entry, "cannot be started");
    if (wait4(pid, &status, 0, &usage) != pid)
        fail(entry, "cannot be waited for");
    end = now();
    posix_spawn_file_actions_destroy(&actions);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        fail(entry, "has failed");
    if (round > 0)
        printf("%d\t%s\t%.0f\t%.0f\n", round, entry->name, end - begin,
               microseconds(&usage.ru_utime) + microseconds(&usage.ru_stime));
}

/* Cuts the arguments at "--" in place. Returns how many entries there are. */
static size_t read_entries(char **argv, struct entry *entries)
{
    size_t count = 0;

    while (*argv && argv[1] && count < MAX_ENTRIES) {
        entries[count++] = (struct entry){argv[0], argv + 1};
        for (; *argv && strcmp(*argv, "--") != 0; argv++)
            if (strcmp(*argv, "---") == 0)
                *argv = "--"; /* one of the command's own */
        if (*argv)
            *argv++ = NULL;
    }
    return count;
}

int main(int argc, char **argv)
{
    struct entry entries[MAX_ENTRIES];
    size_t count = argc > 1 ? read_entries(argv + 2, entries) : 0;

    if (count == 0) {
        fputs("usage: race ROUNDS NAME COMMAND... [-- NAME COMMAND...]...\n",
              stderr);
        return 2;
    }
    for (int round = 0; round <= atoi(argv[1]); round++)
        for (size_t i = 0; i < count; i++)
            run(&entries[((size_t)round + i) % count], round);
    return 0;
}
