/* SPDX-License-Identifier: MIT */
/* mprotect() is given the address of a function, not that of its page. */
#include "bug.h"

int main(void)
{
    begin(4096, RW, MAP_PRIVATE);
    at = code + 128;
    EMIT(0x31, 0xc0, 0xc3); /* xor eax, eax; ret */
    mprotect(code + 128, 3, RX);
    return FUNCTION(int (*)(void), code + 128)();
}
