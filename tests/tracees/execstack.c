/* SPDX-License-Identifier: MIT */
/*
 * A program whose stack is executable from the start. Code is called there, and
 * again far below, where the stack has grown to meanwhile.
 *
 * prints:  5 6
 * ends:    status 0
 * build:   -z execstack
 * reports: map rwx stack
 * reports: enter +* call
 * reports: step * mov eax, 5
 * reports: leave return 5
 * reports: map rwx stack
 * reports: enter +* call
 * reports: step * mov eax, 6
 * reports: leave return 6
 * never:   limit *
 * never:   signal *
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static int call(uint8_t value)
{
    uint8_t code[] = {0xb8, value, 0, 0, 0, 0xc3};

    return ((int (*)(void))(uintptr_t)code)();
}

static int call_below(uint8_t value)
{
    volatile uint8_t room[1 << 20];

    room[0] = value;
    return call(room[0]);
}

int main(void)
{
    int first = call(5);

    printf("%d %d\n", first, call_below(6));
    return 0;
}
