/* SPDX-License-Identifier: MIT */
/*
 * late_dump.c - tells of its functions by a jitdump when they have run.
 *
 * One page, `mov eax, 5; ret` at offset 0 and `mov eax, 6; ret` at 16. Both
 * run, then the second becomes `mov eax, 7; ret`. Then the dump comes: a name
 * for each, and for the first its line in this file. The name at 16 is not that
 * of the code which ran there.
 *
 * prints:  5 6
 * ends:    status 0
 * reports: enter +0 call
 * reports: step +0 mov eax, 5
 * reports: leave return 5
 * reports: enter +16 call
 * reports: leave return 6
 * reports: name five late_dump.c:45
 * reports: name seven
 * reports: exit status 0
 * never:   limit *
 * never:   verdict *
 */
#include "jitdump.h"

static const uint8_t five[] = {0xb8, 5, 0, 0, 0, 0xc3};
static const uint8_t six[] = {0xb8, 6, 0, 0, 0, 0xc3};
static const uint8_t seven[] = {0xb8, 7, 0, 0, 0, 0xc3};

static int call(uint8_t *function)
{
    return ((int (*)(void))(uintptr_t)function)();
}

int main(void)
{
    static const uint32_t lines[][2] = {{0, 45}};
    uint8_t *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int first, second;
    char name[64];
    FILE *dump;

    if (page == MAP_FAILED)
        return 1;
    memcpy(page, five, sizeof five); /* gives 5 */
    memcpy(page + 16, six, sizeof six);
    mprotect(page, 4096, PROT_READ | PROT_EXEC);
    first = call(page);
    second = call(page + 16);
    mprotect(page, 4096, PROT_READ | PROT_WRITE);
    memcpy(page + 16, seven, sizeof seven);
    mprotect(page, 4096, PROT_READ | PROT_EXEC);
    dump = dump_begin(name, sizeof name, 1);
    dump_lines(dump, page, __FILE__, 1, lines);
    dump_load(dump, page, five, sizeof five, "five");
    dump_load(dump, page + 16, seven, sizeof seven, "seven");
    printf("%d %d\n", first, second);
    return unlink(name);
}
