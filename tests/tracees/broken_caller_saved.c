/* SPDX-License-Identifier: MIT */
/*
 * Generated code counts in rcx, and a system call between takes that: the
 * kernel leaves the address behind it there.
 *
 * prints:  counted
 * ends:    status 0
 * reports: step +10 syscall
 * reports: verdict caller-saved broken +10
 * reports: verdict caller-saved broken +12
 */
#include <stdio.h>

#include "code.h"

int main(void)
{
    static const uint8_t insns[] = {
        0xb9, 1,    0,    0, 0, /* mov ecx, 1 */
        0xb8, 39,   0,    0, 0, /* 5: mov eax, 39 (getpid) */
        0x0f, 0x05,             /* 10: syscall */
        0x83, 0xe1, 0x01,       /* 12: and ecx, 1 */
        0xc3,                   /* ret */
    };
    uint8_t *code = code_new(insns, sizeof insns);

    ((void (*)(void))(uintptr_t)code)();
    puts("counted");
    return 0;
}
