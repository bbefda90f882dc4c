/* SPDX-License-Identifier: MIT */
/*
 * Address space is reserved without any permission, and a page in the middle of
 * it made writable, filled, and made executable; then it is patched: rw- again,
 * one store, r-x again.
 *
 * prints:  5 6
 * ends:    status 0
 * reports: map rw- anonymous
 * reports: protect rw- r-x b805000000c3
 * reports: enter +0 call
 * reports: leave return 5
 * reports: protect r-x rw- *
 * reports: write +1 06
 * reports: protect rw- r-x b806000000c3
 * reports: enter +0 call
 * reports: leave return 6
 * never:   limit *
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

int main(void)
{
    static const uint8_t insns[] = {0xb8, 5, 0, 0, 0, 0xc3};
    uint8_t *room = mmap(NULL, 64 << 20, PROT_NONE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    uint8_t *code = room + (32 << 20);
    int (*fn)(void) = (int (*)(void))(uintptr_t)code;
    int first;

    if (room == MAP_FAILED)
        return 1;
    mprotect(code, 4096, PROT_READ | PROT_WRITE);
    memcpy(code, insns, sizeof insns);
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    first = fn();
    mprotect(code, 4096, PROT_READ | PROT_WRITE);
    code[1] = 6;
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    printf("%d %d\n", first, fn());
    return 0;
}
