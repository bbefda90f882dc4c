/* SPDX-License-Identifier: MIT */
/* cdq, without REX.W, in front of a division of 64 bits. */
#include "bug.h"

int main(void)
{
    begin(4096, RW, MAP_PRIVATE);
    EMIT(0x48, 0x89, 0xf8); /* mov rax, rdi */
    EMIT(0x99);             /* cdq */
    EMIT(0x48, 0xf7, 0xfe); /* idiv rsi */
    EMIT(0xc3);             /* ret */
    finish(4096);
    printf("%ld\n", FUNCTION(long (*)(long, long), code)(-42, 1L << 40));
    return 0;
}
