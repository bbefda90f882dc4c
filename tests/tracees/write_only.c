/* SPDX-License-Identifier: MIT */
/*
 * A page of code that may be written and, by its protection, not be read. On
 * this CPU it can be read all the same, and so it must be under a guard: while
 * only stores are seen, and later, when it may be executed, too.
 *
 * prints:  5
 * prints:  5 5
 * prints:  6 6
 * ends:    status 0
 * reports: map -w- anonymous
 * reports: write +0 b8050000
 * reports: protect -w- -wx b805000000c3
 * reports: enter +0 call
 * reports: leave return 5
 * reports: write +1 06
 * reports: enter +0 call
 * reports: leave return 6
 * never:   limit *
 * never:   signal *
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

int main(void)
{
    static const uint8_t insns[] = {0xb8, 5, 0, 0, 0, 0xc3};
    volatile uint8_t *code =
        mmap(NULL, 4096, PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int (*fn)(void) = (int (*)(void))(uintptr_t)code;

    if (code == MAP_FAILED)
        return 1;
    memcpy((void *)(uintptr_t)code, insns, sizeof insns);
    printf("%d\n", code[1]);
    if (mprotect((void *)(uintptr_t)code, 4096, PROT_WRITE | PROT_EXEC) < 0)
        return 1;
    printf("%d ", code[1]);
    printf("%d\n", fn());
    code[1] = 6;
    printf("%d ", code[1]);
    printf("%d\n", fn());
    return 0;
}
