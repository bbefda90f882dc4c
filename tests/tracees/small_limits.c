/* SPDX-License-Identifier: MIT */
/*
 * A program that may open no more files and start no more processes
 * (setrlimit(2)).
 *
 * prints:  5, no file, 1
 * ends:    status 0
 * reports: enter +0 call
 * reports: leave return 5
 * reports: write +0 01
 * never:   limit *
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>

#include "code.h"

int main(void)
{
    struct rlimit files = {3, 3}, processes = {1, 1},
                  memory = {1 << 26, 1 << 26};
    int (*fn)(void) = (int (*)(void))code_new("\xb8\5\0\0\0\xc3", 6);
    volatile uint8_t *page;
    int result;

    setrlimit(RLIMIT_NOFILE, &files);
    setrlimit(RLIMIT_NPROC, &processes);
    setrlimit(RLIMIT_AS, &memory);
    result = fn();
    page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                -1, 0);
    page[0] = 1;
    printf("%d, %s file, %d\n", result,
           open("/dev/null", O_RDONLY) < 0 ? "no" : "a", page[0]);
    return 0;
}
