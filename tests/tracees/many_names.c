/* SPDX-License-Identifier: MIT */
/*
 * Names one function in /tmp/perf-PID.map more often than a tracer reads.
 *
 * prints:  1
 * ends:    status 0
 * reports: protect rw- r-x b801000000c3
 * reports: limit names
 * reports: name n29999
 * reports: enter +0 call
 * reports: leave return 1
 * reports: exit status 0
 * never:   name n29998
 * never:   name n3*
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int main(void)
{
    static const uint8_t one[] = {0xb8, 1, 0, 0, 0, 0xc3};
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char name[64];
    FILE *map;

    snprintf(name, sizeof name, "/tmp/perf-%d.map", (int)getpid());
    map = fopen(name, "w");
    if (page == MAP_FAILED || !map)
        return 1;
    memcpy(page, one, sizeof one);
    mprotect(page, 4096, PROT_READ | PROT_EXEC);
    for (int i = 0; i < 31000; i++)
        fprintf(map, "%llx 6 n%d\n", (unsigned long long)(uintptr_t)page, i);
    fclose(map);
    printf("%d\n", ((int (*)(void))page)());
    return unlink(name);
}
