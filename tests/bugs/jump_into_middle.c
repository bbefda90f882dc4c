/* SPDX-License-Identifier: MIT */
/* A jump over an instruction is two bytes too long. */
#include "bug.h"

int main(void)
{
    begin(4096, RW, MAP_PRIVATE);
    EMIT(0x89, 0xf8);                   /* mov eax, edi */
    EMIT(0x85, 0xff);                   /* test edi, edi */
    EMIT(0x79, 0x04);                   /* jns, meant +2: to the add */
    EMIT(0xf7, 0xd8);                   /* neg eax */
    EMIT(0x05, 0x90, 0x90, 0x00, 0x00); /* add eax, 0x9090 */
    EMIT(0xc3);                         /* ret */
    finish(4096);
    printf("%d\n", FUNCTION(int (*)(int), code)(-1));
    printf("%d\n", FUNCTION(int (*)(int), code)(1));
    return 0;
}
