/* SPDX-License-Identifier: MIT */
/*
 * A perf map with a name for a page that never was executable, and with one for
 * the program's own main(), which is none of ours. Its numbers begin with 0x,
 * which perf reads.
 *
 * prints:  5
 * ends:    status 0
 * reports: limit name-style
 * reports: name five
 * reports: enter +0 call
 * reports: name data
 * reports: exit status 0
 * reports: verdict names broken +0
 * never:   name main
 * never:   limit name-format
 */
#include <stdio.h>
#include <unistd.h>

#include "code.h"

int main(void)
{
    static const uint8_t five[] = {0xb8, 5, 0, 0, 0, 0xc3};
    uint8_t *code = code_new(five, sizeof five);
    void *data = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char name[64];
    FILE *map;

    snprintf(name, sizeof name, "/tmp/perf-%d.map", (int)getpid());
    map = fopen(name, "w");
    if (!map)
        return 1;
    fprintf(map, "%p 0x10 data\n%p 0x6 five\n%p 0x20 main\n", data,
            (void *)code, (void *)(uintptr_t)main);
    fclose(map);
    printf("%d\n", ((int (*)(void))(uintptr_t)code)());
    return unlink(name);
}
