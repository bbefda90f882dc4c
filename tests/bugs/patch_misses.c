/* SPDX-License-Identifier: MIT */
/* The distance of a jump is filled in one byte too early. */
#include "bug.h"

int main(void)
{
    int32_t distance = 2;

    begin(4096, RWX, MAP_PRIVATE);
    EMIT(0x31, 0xc0);                             /* xor eax, eax */
    EMIT(0xe9, 0, 0, 0, 0);                       /* jmp, to be filled in */
    EMIT(0xff, 0xc0);                             /* inc eax */
    EMIT(0xc3);                                   /* ret */
    memcpy(code + 2, &distance, sizeof distance); /* it is at code + 3 */
    printf("%d\n", FUNCTION(int (*)(void), code)());
    return 0;
}
