/* SPDX-License-Identifier: MIT */
/* A hole of four bytes is filled with a number of eight. */
#include "bug.h"

int main(void)
{
    long number = 37;

    begin(4096, RW, MAP_PRIVATE);
    EMIT(0x48, 0x8d, 0x87, 0, 0, 0, 0); /* lea rax, [rdi+hole] */
    EMIT(0x48, 0x01, 0xf0);             /* add rax, rsi */
    EMIT(0xc3);                         /* ret */
    memcpy(code + 3, &number, sizeof number);
    finish(4096);
    printf("%ld\n", FUNCTION(long (*)(long, long), code)(4, 1));
    return 0;
}
