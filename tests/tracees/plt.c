/* SPDX-License-Identifier: MIT */
/*
 * Generated code calls a function by the stub that the program has for it: in
 * one that is at a fixed place that is the function's address (psABI 5.2).
 *
 * build:   -fno-pie -no-pie
 * prints:  called
 * ends:    status 0
 * reports: enter +0 call
 * reports: leave call
 */
#include <stdio.h>

#include "code.h"

int main(void)
{
    uint8_t insns[] = {
        0x48, 0x83, 0xec, 0x08,                   /* sub rsp, 8 */
        0x48, 0xb8, 0,    0,    0, 0, 0, 0, 0, 0, /* mov rax, puts */
        0xff, 0xd0,                               /* call rax */
        0x48, 0x83, 0xc4, 0x08,                   /* add rsp, 8 */
        0xc3,                                     /* ret */
    };
    int (*function)(const char *) = puts;

    memcpy(insns + 6, &function, sizeof function);
    ((void (*)(const char *))(uintptr_t)code_new(insns, sizeof insns))(
        "called");
    return 0;
}
