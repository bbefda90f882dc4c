/* SPDX-License-Identifier: MIT */
/*
 * clone.c - a child made by clone(2) with no flag at all.
 *
 * Such a child has a copy of the memory, as after fork(2), but no signal tells
 * of its end. It stores into a page, and so does the parent at the same time.
 * Prints "child 5, parent 4".
 *
 * A tracer must report: the parent's stores; that the child is not watched.
 */
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int status;
    pid_t child;

    if (code == MAP_FAILED)
        return 1;
    code[0] = 3;
    child = (pid_t)syscall(SYS_clone, 0, 0, 0, 0, 0);
    if (child == 0) {
        code[1] = 2;
        _exit(code[0] + code[1]);
    }
    code[1] = 1;
    if (child < 0 || waitpid(child, &status, __WALL) != child)
        return 1;
    if (WIFSIGNALED(status))
        printf("child killed by signal %d, ", WTERMSIG(status));
    else
        printf("child %d, ", WEXITSTATUS(status));
    printf("parent %d\n", code[0] + code[1]);
    return 0;
}
