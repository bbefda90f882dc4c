/* SPDX-License-Identifier: MIT */
/*
 * inherit.c - prints what a program inherits: its arguments, its environment,
 * ignored and blocked signals, open descriptors, working directory, umask,
 * limits of its files and stack, and the CPUs it may use; the last once more
 * after it has made and called a function, and as a new thread sees them.
 *
 * A tracer must report the call of `ret`; every line must be the same as in a
 * run without it.
 */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

static void print_list(const char *what, char **list)
{
    for (; *list; list++)
        printf("%s: %s\n", what, *list);
}

static void print_signals(void)
{
    struct sigaction action;
    sigset_t blocked;

    sigprocmask(SIG_BLOCK, NULL, &blocked);
    for (int i = 1; i <= SIGRTMAX; i++) {
        if (sigaction(i, NULL, &action) == 0 && action.sa_handler != SIG_DFL)
            printf("signal %d is %s\n", i,
                   action.sa_handler == SIG_IGN ? "ignored" : "handled");
        if (sigismember(&blocked, i) == 1)
            printf("signal %d is blocked\n", i);
    }
}

static void print_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    struct dirent *entry;
    struct stat status;

    while (dir && (entry = readdir(dir)) != NULL) {
        int fd = atoi(entry->d_name);

        if (entry->d_name[0] == '.' || fd == dirfd(dir) ||
            fstat(fd, &status) < 0)
            continue;
        printf("descriptor %d: type %o, flags %o\n", fd,
               status.st_mode & S_IFMT, (unsigned)fcntl(fd, F_GETFL));
    }
    if (dir)
        closedir(dir);
}

static void print_surroundings(void)
{
    struct rlimit files, stack;
    char here[4096];
    mode_t mask = umask(0);

    umask(mask);
    getrlimit(RLIMIT_NOFILE, &files);
    getrlimit(RLIMIT_STACK, &stack);
    printf("directory: %s\n", getcwd(here, sizeof here));
    printf("umask %o, files %llu, stack %llu, nice %d\n", mask,
           (unsigned long long)files.rlim_cur,
           (unsigned long long)stack.rlim_cur, getpriority(PRIO_PROCESS, 0));
}

static void print_cpus(const char *when)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) < 0)
        return;
    printf("CPUs %s:", when);
    for (int i = 0; i < CPU_SETSIZE; i++)
        if (CPU_ISSET(i, &set))
            printf(" %d", i);
    puts("");
}

static void *in_thread(void *unused)
{
    print_cpus("of a thread");
    return unused;
}

int main(int argc, char **argv)
{
    volatile uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    void *page = (void *)(uintptr_t)code;
    pthread_t thread;

    printf("%d arguments\n", argc);
    print_list("argument", argv);
    print_list("environment", environ);
    print_signals();
    print_descriptors();
    print_surroundings();
    print_cpus("at first");
    if (code == MAP_FAILED)
        return 1;
    code[0] = 0xc3;
    mprotect(page, 4096, PROT_READ | PROT_EXEC);
    ((void (*)(void))page)();
    print_cpus("after a call");
    if (pthread_create(&thread, NULL, in_thread, NULL) != 0)
        return 1;
    pthread_join(thread, NULL);
    return 0;
}
