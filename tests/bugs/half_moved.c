/* SPDX-License-Identifier: MIT */
/* A pointer is moved to another register without REX.W. */
#include "bug.h"

int main(void)
{
    long *number = malloc(sizeof *number);

    *number = 41;
    begin(4096, RW, MAP_PRIVATE);
    EMIT(0x31, 0xc0);       /* xor eax, eax */
    EMIT(0x89, 0xfa);       /* mov edx, edi */
    EMIT(0x48, 0x03, 0x02); /* add rax, [rdx] */
    EMIT(0xc3);             /* ret */
    finish(4096);
    printf("%ld\n", FUNCTION(long (*)(long *), code)(number));
    return 0;
}
