/* SPDX-License-Identifier: MIT */
/*
 * A program makes its own text writable and changes a function of its own. Such
 * code is not watched, and that is told.
 *
 * prints:  5 6
 * ends:    status 0
 * reports: limit library
 * reports: output 1 5 6\\n
 * never:   enter *
 */
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>

extern uint8_t five[];
__asm__(".text\n.balign 4096\nfive: mov $5, %eax; ret\n.balign 4096\n");

int main(void)
{
    int (*fn)(void) = (int (*)(void))(uintptr_t)five;
    int first = fn();

    mprotect(five, 4096, PROT_READ | PROT_WRITE);
    five[1] = 6;
    mprotect(five, 4096, PROT_READ | PROT_EXEC);
    printf("%d %d\n", first, fn());
    return 0;
}
