/* SPDX-License-Identifier: MIT */
/*
 * Two functions in two pages; the perf map names one. That may be meant:
 * it is no verdict but a note, which a trace does not tell.
 *
 * prints:  5 5
 * ends:    status 0
 * reports: name five
 * reports: enter +0 call
 * reports: enter +0 call
 * reports: exit status 0
 * never:   limit *
 */
#include <stdio.h>
#include <unistd.h>

#include "code.h"

static int call(uint8_t *code)
{
    return ((int (*)(void))(uintptr_t)code)();
}

int main(void)
{
    static const uint8_t five[] = {0xb8, 5, 0, 0, 0, 0xc3};
    uint8_t *code = code_new(five, sizeof five);
    uint8_t *other = code_new(five, sizeof five);
    int first, second;
    char name[64];
    FILE *map;

    snprintf(name, sizeof name, "/tmp/perf-%d.map", (int)getpid());
    map = fopen(name, "w");
    if (!map)
        return 1;
    fprintf(map, "%llx 6 five\n", (unsigned long long)(uintptr_t)code);
    fclose(map);
    first = call(code);
    second = call(other);
    printf("%d %d\n", first, second);
    return unlink(name);
}
