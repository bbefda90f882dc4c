/* SPDX-License-Identifier: MIT */
/* A shift by 36 without REX.W: the CPU shifts by 4. */
#include "bug.h"

int main(void)
{
    begin(4096, RW, MAP_PRIVATE);
    EMIT(0x48, 0x89, 0xf8); /* mov rax, rdi */
    EMIT(0xc1, 0xe0, 36);   /* shl eax, 36 */
    EMIT(0xc3);             /* ret */
    finish(4096);
    printf("%ld\n", FUNCTION(long (*)(long), code)(5));
    return 0;
}
