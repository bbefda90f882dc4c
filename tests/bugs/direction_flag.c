/* SPDX-License-Identifier: MIT */
/* The direction flag is set, and nothing clears it. */
#include "bug.h"

int main(void)
{
    begin(4096, RW, MAP_PRIVATE);
    EMIT(0x31, 0xc0); /* xor eax, eax */
    EMIT(0xfd);       /* std */
    EMIT(0xc3);       /* ret */
    finish(4096);
    FUNCTION(void (*)(void), code)();
    __asm__ volatile("cld");
    puts("done");
    return 0;
}
