/* SPDX-License-Identifier: MIT */
/*
 * Generated code calls a function while rsp is no multiple of 16. This one does
 * not mind.
 *
 * prints:  7
 * ends:    status 0
 * reports: step +0 call rdi
 * reports: verdict stack-aligned broken +0
 */
#include <stdio.h>

#include "code.h"

static int seven(void)
{
    return 7;
}

int main(void)
{
    static const uint8_t insns[] = {
        0xff, 0xd7, /* call rdi */
        0xc3,       /* ret */
    };
    uint8_t *code = code_new(insns, sizeof insns);

    printf("%d\n", ((int (*)(int (*)(void)))(uintptr_t)code)(seven));
    return 0;
}
