/* SPDX-License-Identifier: MIT */
/*
 * Generated code uses its stack in each way that there is: it saves a register,
 * makes room, stores and loads there, calls within itself, stores below the
 * stack pointer, and takes all away again.
 *
 * prints:  12
 * ends:    status 0
 * reports: enter +0 call
 * reports: step +0 push rbx
 * reports: step +1 sub rsp, 16
 * reports: step +18 mov rbx, *
 * reports: step +23 call *
 * reports: step +35 mov *, rax
 * reports: step +32 pop rbx
 * reports: step +33 ret
 * reports: leave return 12
 * reports: exit status 0
 * never:   limit *
 */
#include <stdio.h>

#include "code.h"

int main(void)
{
    static const uint8_t insns[] = {
        0x53,                         /*  0: push rbx */
        0x48, 0x83, 0xec, 0x10,       /*  1: sub rsp, 16 */
        0x48, 0x89, 0x7c, 0x24, 0x08, /*  5: mov [rsp+8], rdi */
        0xb8, 0x07, 0x00, 0x00, 0x00, /* 10: mov eax, 7 */
        0x66, 0x66, 0x90,             /* 15: nop */
        0x48, 0x8b, 0x5c, 0x24, 0x08, /* 18: mov rbx, [rsp+8] */
        0xe8, 0x06, 0x00, 0x00, 0x00, /* 23: call 34 */
        0x48, 0x83, 0xc4, 0x10,       /* 28: add rsp, 16 */
        0x5b,                         /* 32: pop rbx */
        0xc3,                         /* 33: ret */
        0x90,                         /* 34: nop */
        0x48, 0x89, 0x44, 0x24, 0xf8, /* 35: mov [rsp-8], rax */
        0x48, 0x8b, 0x44, 0x24, 0xf8, /* 40: mov rax, [rsp-8] */
        0x48, 0x01, 0xd8,             /* 45: add rax, rbx */
        0xc3,                         /* 48: ret */
    };
    long (*add)(long) =
        (long (*)(long))(uintptr_t)code_new(insns, sizeof insns);

    printf("%ld\n", add(5));
    return 0;
}
