/* SPDX-License-Identifier: MIT */
/* Nobody has made the page executable. */
#include "bug.h"

int main(void)
{
    begin(4096, RW, MAP_PRIVATE);
    EMIT(0x31, 0xc0, 0xc3); /* xor eax, eax; ret */
    return FUNCTION(int (*)(void), code)();
}
