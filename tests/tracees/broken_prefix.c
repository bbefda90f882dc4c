/* SPDX-License-Identifier: MIT */
/*
 * Prefixes in the wrong place: a REX before 66, which the CPU ignores, so that
 * [rdi] is stored to and not [r15]; and none where sil was meant, which makes it
 * dh.
 *
 * prints:  1234 0
 * ends:    status 0
 * reports: step +0 mov word ptr \[rdi\], 4660
 * reports: step +6 mov \[rdi+2\], dh
 * reports: exit status 0
 * reports: verdict prefix broken +0
 * reports: verdict prefix broken +6
 */
#include <stdio.h>

#include "code.h"

int main(void)
{
    static const uint8_t insns[] = {
        0x41, 0x66, 0xc7, 0x07, 0x34, 0x12, /* mov word ptr [r15], 0x1234 */
        0x88, 0x77, 0x02,                   /* mov [rdi+2], sil */
        0xc3,                               /* ret */
    };
    void *code = code_new(insns, sizeof insns);
    void (*f)(uint16_t *, char, int);
    uint16_t cells[2] = {0, 0};

    memcpy(&f, &code, sizeof f);
    f(cells, 'x', 0);
    printf("%x %d\n", cells[0], cells[1]);
    return 0;
}
