/* SPDX-License-Identifier: MIT */
/*
 * jitdump.c - tells perf(1) of its functions by a jitdump.
 *
 * One page. At offset 0 is `mov eax, 7; ret`, named with two lines of
 * this file. At 16 is `mov eax, 8; ret`; after a call it moves to 32. The name
 * at 16 is taken back by that.
 *
 * prints:  7 8 8
 * ends:    status 0
 * reports: map rw- anonymous
 * reports: protect rw- r-x b807000000c3*
 * reports: name seven jitdump.c:57
 * reports: name eight
 * reports: enter +0 call
 * reports: step +0 mov eax, 7 jitdump.c:57
 * reports: step +5 ret jitdump.c:58
 * reports: leave return 7
 * reports: enter +16 call
 * reports: step +16 mov eax, 8
 * reports: leave return 8
 * reports: name
 * reports: name eight
 * reports: enter +32 call
 * reports: leave return 8
 * reports: exit status 0
 * never:   map r-x *
 * never:   limit *
 */
#include "jitdump.h"

static const uint8_t seven[] = {0xb8, 7, 0, 0, 0, 0xc3};
static const uint8_t eight[] = {0xb8, 8, 0, 0, 0, 0xc3};

static int call(uint8_t *function)
{
    return ((int (*)(void))(uintptr_t)function)();
}

int main(void)
{
    static const uint32_t lines[][2] = {{0, 57}, {5, 58}};
    uint8_t *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int first, second, third;
    char name[64];
    FILE *dump = dump_begin(name, sizeof name, 1);

    if (page == MAP_FAILED)
        return 1;
    memcpy(page, seven, sizeof seven);
    memcpy(page + 16, eight, sizeof eight);
    mprotect(page, 4096, PROT_READ | PROT_EXEC);
    dump_lines(dump, page, __FILE__, 2, lines);
    dump_load(dump, page, seven, sizeof seven, "seven"); /* gives 7 */
    dump_load(dump, page + 16, eight, sizeof eight, "eight");
    first = call(page);
    second = call(page + 16);
    mprotect(page, 4096, PROT_READ | PROT_WRITE);
    memcpy(page + 32, eight, sizeof eight);
    mprotect(page, 4096, PROT_READ | PROT_EXEC);
    dump_move(dump, page + 16, page + 32, sizeof eight);
    third = call(page + 32);
    printf("%d %d %d\n", first, second, third);
    return unlink(name);
}
