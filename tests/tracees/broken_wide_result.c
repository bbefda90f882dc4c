/* SPDX-License-Identifier: MIT */
/*
 * Generated code takes all of eax for the result of a function that returns a
 * signed char, of which only al counts.
 *
 * prints:  1
 * ends:    status 0
 * reports: step +12 call rax
 * reports: verdict arguments broken +14
 */
#include <stdio.h>

#include "code.h"

/* What is above al is what was there before, of which a compiler clears none. */
__attribute__((noinline)) static signed char low(int value)
{
    return (signed char)value;
}

int main(void)
{
    static const uint8_t insns[] = {
        0x48, 0x83, 0xec, 0x08,    /* sub rsp, 8 */
        0x48, 0x89, 0xf8,          /* 4: mov rax, rdi */
        0xbf, 0,    1,    0,    0, /* 7: mov edi, 256 */
        0xff, 0xd0,                /* 12: call rax */
        0x85, 0xc0,                /* 14: test eax, eax */
        0x0f, 0x95, 0xc0,          /* setne al */
        0x0f, 0xb6, 0xc0,          /* movzx eax, al */
        0x48, 0x83, 0xc4, 0x08,    /* add rsp, 8 */
        0xc3,                      /* ret */
    };
    uint8_t *code = code_new(insns, sizeof insns);

    printf("%d\n", ((int (*)(signed char (*)(int)))(uintptr_t)code)(low));
    return 0;
}
