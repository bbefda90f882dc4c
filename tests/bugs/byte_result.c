/* SPDX-License-Identifier: MIT */
/* A comparison is returned by setcc alone: bits 8 to 63 are left over. */
#include "bug.h"

int main(void)
{
    begin(4096, RW, MAP_PRIVATE);
    EMIT(0x48, 0x39, 0xf7); /* cmp rdi, rsi */
    EMIT(0x0f, 0x97, 0xc0); /* seta al */
    EMIT(0xc3);             /* ret */
    finish(4096);
    printf("%ld\n", FUNCTION(long (*)(long, long), code)(7, 2));
    return 0;
}
