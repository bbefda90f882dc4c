/* SPDX-License-Identifier: MIT */
/*
 * A program that unmaps its vdso (vdso(7)), makes code and has a child.
 *
 * prints:  5
 * prints:  5, 6, 1 2
 * prints:  6 in a child
 * ends:    status 0
 * reports: write +0 01
 * reports: enter +0 call
 * reports: leave return 5
 * reports: limit vdso
 * never:   write +1 02
 * never:   signal SIGSEGV*
 */
#include <stdio.h>
#include <sys/auxv.h>
#include <sys/wait.h>
#include <unistd.h>

#include "code.h"

int main(void)
{
    int (*first)(void) = (int (*)(void))code_new("\xb8\5\0\0\0\xc3", 6);
    int (*second)(void);
    volatile uint8_t *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    page[0] = 1;
    printf("%d\n", first());
    munmap((void *)getauxval(AT_SYSINFO_EHDR), 8192);
    page[1] = 2;
    second = (int (*)(void))code_new("\xb8\6\0\0\0\xc3", 6);
    printf("%d, %d, %d %d\n", first(), second(), page[0], page[1]);
    fflush(stdout);
    if (fork() == 0) {
        printf("%d in a child\n", second());
        return 0;
    }
    wait(NULL);
    return 0;
}
