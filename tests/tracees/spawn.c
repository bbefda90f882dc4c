/* SPDX-License-Identifier: MIT */
/*
 * spawn.c - children that share the memory until they start a program.
 *
 * Between two stores a child is made by vfork(2), and then one by
 * posix_spawn(3); they run false(1) and true(1). Prints "1 and 0: 6".
 *
 * A tracer must report: all three stores; for each child that it is not
 * watched (limit "exec").
 */
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static int status_of(pid_t child)
{
    int status;

    if (child < 0 || waitpid(child, &status, 0) != child)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(void)
{
    char *const argv[] = {"program", NULL}, *const env[] = {NULL};
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int first, second = -1;
    pid_t child;

    if (code == MAP_FAILED)
        return 1;
    code[0] = 1;
    child = vfork();
    if (child == 0) {
        execve("/bin/false", argv, env);
        _exit(126);
    }
    first = status_of(child);
    code[1] = 2;
    if (posix_spawn(&child, "/bin/true", NULL, NULL, argv, env) == 0)
        second = status_of(child);
    code[2] = 3;
    printf("%d and %d: %d\n", first, second, code[0] + code[1] + code[2]);
    return 0;
}
