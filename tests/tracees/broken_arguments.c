/* SPDX-License-Identifier: MIT */
/*
 * Generated code puts the argument of a function into rcx, where functions of
 * Windows take it from. This one looks in rdi.
 *
 * prints:  called
 * ends:    status 0
 * reports: step +10 call rax
 * reports: verdict arguments broken +10
 */
#include <stdio.h>

#include "code.h"

static volatile long seen;

static void take(long value)
{
    seen = value;
}

int main(void)
{
    static const uint8_t insns[] = {
        0x48, 0x89, 0xf8,       /* mov rax, rdi */
        0x50,                   /* push rax */
        0xb9, 7,    0,    0, 0, /* 4: mov ecx, 7 */
        0x90,                   /* nop */
        0xff, 0xd0,             /* 10: call rax */
        0x58,                   /* pop rax */
        0xc3,                   /* ret */
    };
    uint8_t *code = code_new(insns, sizeof insns);

    ((void (*)(void (*)(long)))(uintptr_t)code)(take);
    puts("called");
    return 0;
}
