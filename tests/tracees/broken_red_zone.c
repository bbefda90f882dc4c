/* SPDX-License-Identifier: MIT */
/*
 * Generated code keeps a value below rsp while it calls a part of itself: the
 * return address goes over it.
 *
 * prints:  returned
 * ends:    status 0
 * reports: verdict red-zone broken +0
 * reports: verdict red-zone broken +9
 * reports: verdict red-zone broken +14
 */
#include <stdio.h>

#include "code.h"

int main(void)
{
    static const uint8_t insns[] = {
        0x48, 0xc7, 0x44, 0x24, 0xf8, 7, 0, 0, 0, /* mov qword [rsp-8], 7 */
        0xe8, 6,    0,    0,    0,                /* 9: call 20 */
        0x48, 0x8b, 0x44, 0x24, 0xf8,             /* 14: mov rax, [rsp-8] */
        0xc3,                                     /* ret */
        0xc3,                                     /* 20: ret */
    };
    uint8_t *code = code_new(insns, sizeof insns);

    ((void (*)(void))(uintptr_t)code)();
    puts("returned");
    return 0;
}
