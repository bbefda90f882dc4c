/* SPDX-License-Identifier: MIT */
/*
 * Generated code stores 200 bytes below rsp, more than it may.
 *
 * prints:  returned
 * ends:    status 0
 * reports: verdict red-zone broken +0
 */
#include <stdio.h>

#include "code.h"

int main(void)
{
    static const uint8_t insns[] = {
        0xc7, 0x84, 0x24, 0x38, 0xff, 0xff, 0xff, /* mov dword [rsp-200], 7 */
        7,    0,    0,    0,                      /* */
        0xc3,                                     /* ret */
    };
    uint8_t *code = code_new(insns, sizeof insns);

    ((void (*)(void))(uintptr_t)code)();
    puts("returned");
    return 0;
}
