/* SPDX-License-Identifier: MIT */
/*
 * fork.c - a forked child uses the code, and makes some of its own.
 *
 * While the page is still writable the program forks. The child stores the
 * last byte itself, turns its copy executable, calls it and ends with the
 * result, 5, as status. Then the parent does the same. Prints
 * "child 5, parent 5".
 *
 * A tracer must report: the parent's stores and its call; that the child is
 * not watched; and no signal, for no guard may stay in the child's copy.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static int finish(uint8_t *code)
{
    code[5] = 0xc3;
    if (mprotect(code, 4096, PROT_READ | PROT_EXEC) < 0)
        return 1;
    return ((int (*)(void))(uintptr_t)code)();
}

int main(void)
{
    static const uint8_t insns[] = {0xb8, 5, 0, 0, 0};
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pid_t child;
    int status;

    if (code == MAP_FAILED)
        return 1;
    memcpy(code, insns, sizeof insns);
    child = fork();
    if (child == 0)
        _exit(finish(code));
    if (child < 0 || waitpid(child, &status, 0) != child)
        return 1;
    if (WIFSIGNALED(status))
        printf("child killed by signal %d, ", WTERMSIG(status));
    else
        printf("child %d, ", WEXITSTATUS(status));
    printf("parent %d\n", finish(code));
    return 0;
}
