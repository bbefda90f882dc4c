/* SPDX-License-Identifier: MIT */
/*
 * Generated code keeps a value in r10 while it calls a function, which uses
 * r10 itself, as it may.
 *
 * prints:  called
 * ends:    status 0
 * reports: step +10 call rdi
 * reports: verdict caller-saved broken +10
 * reports: verdict caller-saved broken +12
 */
#include <stdio.h>

#include "code.h"

static void use(void)
{
    __asm__ volatile("movl $5, %%r10d" : : : "r10");
}

int main(void)
{
    static const uint8_t insns[] = {
        0x48, 0x83, 0xec, 0x08,       /* sub rsp, 8 */
        0x41, 0xba, 1,    0,    0, 0, /* 4: mov r10d, 1 */
        0xff, 0xd7,                   /* 10: call rdi */
        0x49, 0x83, 0xc2, 0x01,       /* 12: add r10, 1 */
        0x48, 0x83, 0xc4, 0x08,       /* add rsp, 8 */
        0xc3,                         /* ret */
    };
    uint8_t *code = code_new(insns, sizeof insns);

    ((void (*)(void (*)(void)))(uintptr_t)code)(use);
    puts("called");
    return 0;
}
