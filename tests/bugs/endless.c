/* SPDX-License-Identifier: MIT */
/* Nothing that the end of a loop depends on changes in it. */
#include "bug.h"

int main(void)
{
    begin(4096, RW, MAP_PRIVATE);
    EMIT(0x31, 0xc0); /* xor eax, eax */
    EMIT(0xff, 0xc0); /* inc eax */
    EMIT(0x85, 0xff); /* test edi, edi */
    EMIT(0x75, 0xfa); /* jnz to the inc; dec edi was forgotten */
    EMIT(0xc3);       /* ret */
    finish(4096);
    alarm(2);
    printf("%d\n", FUNCTION(int (*)(int), code)(3));
    return 0;
}
