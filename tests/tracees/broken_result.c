/* SPDX-License-Identifier: MIT */
/*
 * Generated code adds in xmm0 and is called as a function that returns an
 * integer. That it may be meant makes it a note, which is not told here.
 *
 * prints:  called
 * ends:    status 0
 * reports: step +0 addsd xmm0, xmm0*
 * never:   verdict *
 */
#include <stdio.h>

#include "code.h"

static volatile long taken;

int main(void)
{
    static const uint8_t insns[] = {
        0xf2, 0x0f, 0x58, 0xc0, /* addsd xmm0, xmm0 */
        0xc3,                   /* ret */
    };
    uint8_t *code = code_new(insns, sizeof insns);

    taken = ((long (*)(double))(uintptr_t)code)(2.5);
    puts("called");
    return 0;
}
