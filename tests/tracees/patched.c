/* SPDX-License-Identifier: MIT */
/*
 * Code is patched: rw-, r-x, called, rw- again, one store, r-x, called. Of the
 * three pages only the middle one is made executable.
 *
 * prints:  5 6
 * ends:    status 0
 * reports: map rw- anonymous
 * reports: write +4096 b8050000
 * reports: protect rw- r-x b805000000c3
 * reports: enter +4096 call
 * reports: leave return 5
 * reports: protect r-x rw- *
 * reports: write +4097 06
 * reports: protect rw- r-x b806000000c3
 * reports: enter +4096 call
 * reports: leave return 6
 * reports: write +8192 01
 * never:   limit *
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

int main(void)
{
    static const uint8_t insns[] = {0xb8, 5, 0, 0, 0, 0xc3};
    uint8_t *room = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint8_t *code = room + 4096;
    int (*fn)(void) = (int (*)(void))(uintptr_t)code;
    int first, second;

    if (room == MAP_FAILED)
        return 1;
    memcpy(code, insns, sizeof insns);
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    first = fn();
    mprotect(code, 4096, PROT_READ | PROT_WRITE);
    code[1] = 6;
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    second = fn();
    room[2 * 4096] = 1;
    printf("%d %d\n", first, second);
    return 0;
}
