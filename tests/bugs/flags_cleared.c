/* SPDX-License-Identifier: MIT */
/* The result is cleared between a compare and the jump that asks for it. */
#include "bug.h"

int main(void)
{
    begin(4096, RW, MAP_PRIVATE);
    EMIT(0x48, 0x83, 0xff, 9); /* cmp rdi, 9 */
    EMIT(0x31, 0xc0);          /* xor eax, eax */
    EMIT(0x7e, 3);             /* jle over the next one */
    EMIT(0x48, 0xff, 0xc0);    /* inc rax */
    EMIT(0xc3);                /* ret */
    finish(4096);
    printf("%ld\n", FUNCTION(long (*)(long), code)(12));
    return 0;
}
