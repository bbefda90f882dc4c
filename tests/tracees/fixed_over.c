/* SPDX-License-Identifier: MIT */
/*
 * fixed_over.c - other memory takes the place of generated code.
 *
 * Two pages of code are mapped over by MAP_FIXED: one by memory without any
 * permission, one by a shared file that has no name. Then the program forks,
 * and the child looks: the first page must not be readable (write(2) of it
 * fails), the second one must be writable. Prints
 * "no access, then 7; the child has ended with 0".
 *
 * A tracer must report: that both pages of code went away, and that the shared
 * file has come.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096

/* In the child: what it finds there. */
static int look(int sink, uint8_t *none, volatile uint8_t *shared)
{
    if (write(sink, none, 1) >= 0)
        return 1;
    *shared = 7;
    return 0;
}

static int replace(uint8_t *code)
{
    int file = memfd_create("data", 0);

    if (file < 0 || ftruncate(file, PAGE) < 0)
        return -1;
    if (mmap(code, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
             0) == MAP_FAILED)
        return -1;
    return mmap(code + PAGE, PAGE, PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_FIXED, file, 0) == MAP_FAILED
               ? -1
               : 0;
}

int main(void)
{
    static const uint8_t insns[] = {0xb8, 5, 0, 0, 0, 0xc3};
    uint8_t *code = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int ends[2], status;
    pid_t child;

    if (code == MAP_FAILED || pipe(ends) < 0)
        return 1;
    memcpy(code, insns, sizeof insns);
    memcpy(code + PAGE, insns, sizeof insns);
    mprotect(code, 2 * PAGE, PROT_READ | PROT_EXEC);
    if (replace(code) < 0)
        return 1;
    child = fork();
    if (child == 0)
        _exit(look(ends[1], code, code + PAGE));
    if (child < 0 || waitpid(child, &status, 0) != child)
        return 1;
    printf("%s, then %d; ", status == 0 ? "no access" : "access", code[PAGE]);
    if (WIFSIGNALED(status))
        printf("signal %d killed the child\n", WTERMSIG(status));
    else
        printf("the child has ended with %d\n", WEXITSTATUS(status));
    return 0;
}
