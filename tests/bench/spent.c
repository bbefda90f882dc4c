/* SPDX-License-Identifier: MIT */
/*
 * spent.c - calls generated code (mov rax, rdi; ret) again and again, for about
 * a second; for a run in which no more than a few of these calls are watched.
 */
#include <stdint.h>
#include <stdio.h>

#include "tests/tracees/code.h"

int main(void)
{
    static const uint8_t insns[] = {0x48, 0x89, 0xf8, 0xc3};
    long (*volatile same)(long) =
        (long (*)(long))(uintptr_t)code_new(insns, sizeof insns);
    long sum = 0;

    for (long i = 0; i < 200000000; i++)
        sum += same(i);
    printf("%ld\n", sum);
    return 0;
}
