/* SPDX-License-Identifier: MIT */
/* A mask of 255 in an imm8, which is -1. */
#include "bug.h"

int main(void)
{
    begin(4096, RW, MAP_PRIVATE);
    EMIT(0x48, 0x89, 0xf8);       /* mov rax, rdi */
    EMIT(0x48, 0x83, 0xe0, 0xff); /* and rax, 255 */
    EMIT(0xc3);                   /* ret */
    finish(4096);
    printf("%ld\n", FUNCTION(long (*)(long), code)(0x1234));
    return 0;
}
