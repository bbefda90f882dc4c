/* SPDX-License-Identifier: MIT */
/*
 * reexec.c - a program starts itself anew, and makes other code at the same
 * address.
 *
 * The code is `mov eax, N; ret`, with N = 5 the first time and, when there is
 * an argument, N = 9. Prints "5" and "9".
 *
 * A tracer must report: two maps, two calls, and the steps as they were each
 * time; what it knows of the first code does not hold for the second.
 */
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define PLACE ((void *)0x10000000)

int main(int argc, char **argv)
{
    char *again[] = {argv[0], "again", NULL};
    volatile uint8_t *code =
        mmap(PLACE, 4096, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

    if (code != PLACE)
        return 1;
    code[0] = 0xb8;
    code[1] = argc == 1 ? 5 : 9;
    code[5] = 0xc3;
    mprotect(PLACE, 4096, PROT_READ | PROT_EXEC);
    printf("%d\n", ((int (*)(void))(uintptr_t)PLACE)());
    fflush(stdout);
    if (argc == 1)
        execv("/proc/self/exe", again);
    return argc == 1;
}
