/* SPDX-License-Identifier: MIT */
/* idiv without cqo in front of it: rdx is whatever it was. */
#include "bug.h"

int main(void)
{
    begin(4096, RW, MAP_PRIVATE);
    EMIT(0x48, 0x89, 0xf8); /* mov rax, rdi */
    EMIT(0x48, 0xf7, 0xfe); /* idiv rsi */
    EMIT(0xc3);             /* ret */
    finish(4096);
    printf("%ld\n", FUNCTION(long (*)(long, long, long), code)(42, 99, 3));
    return 0;
}
