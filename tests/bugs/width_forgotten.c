/* SPDX-License-Identifier: MIT */
/* An add of two longs without REX.W: the upper halves are lost. */
#include "bug.h"

int main(void)
{
    begin(4096, RW, MAP_PRIVATE);
    EMIT(0x48, 0x89, 0xf8); /* mov rax, rdi */
    EMIT(0x01, 0xf0);       /* add eax, esi */
    EMIT(0x48, 0xff, 0xc0); /* inc rax */
    EMIT(0xc3);             /* ret */
    finish(4096);
    printf("%ld\n", FUNCTION(long (*)(long, long), code)(5000000000, 1));
    return 0;
}
