/* SPDX-License-Identifier: MIT */
/*
 * late_names.c - prints its ID and what its function gives, 5, and names that
 * function in /tmp/perf-PID.map last of all. It leaves the file there, for
 * whoever runs it to remove.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int main(void)
{
    static const uint8_t five[] = {0xb8, 5, 0, 0, 0, 0xc3};
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char name[64];
    FILE *map;

    if (page == MAP_FAILED)
        return 1;
    memcpy(page, five, sizeof five);
    mprotect(page, 4096, PROT_READ | PROT_EXEC);
    printf("%d %d\n", (int)getpid(), ((int (*)(void))page)());
    snprintf(name, sizeof name, "/tmp/perf-%d.map", (int)getpid());
    map = fopen(name, "w");
    if (!map)
        return 1;
    fprintf(map, "%llx 6 five\n", (unsigned long long)(uintptr_t)page);
    return fclose(map);
}
