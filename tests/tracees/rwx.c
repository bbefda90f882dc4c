/* SPDX-License-Identifier: MIT */
/*
 * rwx.c - one page that is writable and executable at the same time.
 *
 * Stores `mov eax, 1; ret` byte by byte, calls it, stores over the 1 in place,
 * calls it again.
 *
 * prints:  1 2
 * ends:    status 0
 * reports: map rwx anonymous
 * reports: write +0 b8
 * reports: write +1 01
 * reports: write +5 c3
 * reports: enter +0 call
 * reports: leave return 1
 * reports: write +1 02
 * reports: enter +0 call
 * reports: leave return 2
 * never:   protect *
 * never:   limit *
 */
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>

int main(void)
{
    static const uint8_t insns[] = {0xb8, 1, 0, 0, 0, 0xc3};
    volatile uint8_t *code =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int (*fn)(void) = (int (*)(void))(uintptr_t)code;
    int first;

    if (code == MAP_FAILED)
        return 1;
    for (unsigned i = 0; i < sizeof insns; i++)
        code[i] = insns[i];
    first = fn();
    code[1] = 2;
    printf("%d %d\n", first, fn());
    return 0;
}
