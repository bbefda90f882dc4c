/* SPDX-License-Identifier: MIT */
/* A number is filled in after the page was made read-only. */
#include "bug.h"

int main(void)
{
    begin(4096, RW, MAP_PRIVATE);
    EMIT(0xb8, 0, 0, 0, 0); /* mov eax, to be filled in */
    EMIT(0xc3);             /* ret */
    finish(4096);
    code[1] = 9;
    return FUNCTION(int (*)(void), code)();
}
