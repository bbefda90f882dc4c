/* SPDX-License-Identifier: MIT */
/* mmap() fails, and what it returns is used. */
#include "bug.h"

int main(void)
{
    at = mmap(NULL, 4096, RW, MAP_PRIVATE, -1, 0); /* no MAP_ANONYMOUS */
    if (!at)
        return 99;
    EMIT(0xc3);
    return 0;
}
