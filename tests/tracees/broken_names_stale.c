/* SPDX-License-Identifier: MIT */
/*
 * Code that is stored where another function was, and runs by the name of that
 * one. Before, a byte of the first is patched and its name stays right; and the
 * name of a whole page, which is given first, is one of no function.
 *
 * prints:  5 6 12
 * ends:    status 0
 * reports: name page
 * reports: name five
 * reports: enter +0 call
 * reports: enter +0 call
 * reports: enter +0 call
 * reports: exit status 0
 * reports: verdict names broken +0
 * never:   limit *
 */
#include <stdio.h>
#include <unistd.h>

#include "code.h"

static int call(uint8_t *code)
{
    return ((int (*)(int))(uintptr_t)code)(6);
}

int main(void)
{
    static const uint8_t five[] = {0xb8, 5, 0, 0, 0, 0xc3};
    static const uint8_t twice[] = {0x8d, 0x04, 0x3f, 0xc3}; /* eax = 2 rdi */
    uint8_t *code = code_new(five, sizeof five);
    unsigned long long addr = (uintptr_t)code;
    int first, second, third;
    char name[64];
    FILE *map;

    snprintf(name, sizeof name, "/tmp/perf-%d.map", (int)getpid());
    map = fopen(name, "w");
    if (!map)
        return 1;
    fprintf(map, "%llx 1000 page\n%llx 6 five\n", addr, addr);
    fclose(map);
    first = call(code);
    mprotect(code, 4096, PROT_READ | PROT_WRITE);
    code[1] = 6;
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    second = call(code);
    mprotect(code, 4096, PROT_READ | PROT_WRITE);
    memcpy(code, twice, sizeof twice);
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    third = call(code);
    printf("%d %d %d\n", first, second, third);
    return unlink(name);
}
