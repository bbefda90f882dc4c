/* SPDX-License-Identifier: MIT */
/* A loop goes back to the byte behind the REX of its first instruction. */
#include "bug.h"

int main(void)
{
    begin(4096, RW, MAP_PRIVATE);
    EMIT(0x31, 0xc0);             /* xor eax, eax */
    EMIT(0x48, 0x83, 0xc0, 0x05); /* 2: add rax, 5 */
    EMIT(0x48, 0xff, 0xcf);       /* dec rdi */
    EMIT(0x75, 0xf8);             /* 9: jnz 3 */
    EMIT(0xc3);                   /* ret */
    finish(4096);
    printf("%ld\n", FUNCTION(long (*)(long), code)(4));
    return 0;
}
