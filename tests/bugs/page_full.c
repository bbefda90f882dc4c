/* SPDX-License-Identifier: MIT */
/* More is emitted than the page has room for. */
#include "bug.h"

int main(void)
{
    uint8_t *room =
        mmap(NULL, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    code = at =
        mmap(room, 4096, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    for (int i = 0; i < 2050; i++)
        EMIT(0xff, 0xc0); /* inc eax */
    EMIT(0xc3);
    finish(4096);
    return 0;
}
