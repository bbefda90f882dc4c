/* SPDX-License-Identifier: MIT */
/* Each new version of a function gets a page, and only the last one is unmapped:
 * a cache that grows as long as the program runs. */
#include "bug.h"

int main(void)
{
    int sum = 0;

    for (int i = 0; i < 3; i++) {
        begin(4096, RW, MAP_PRIVATE);
        EMIT(0x8d, 0x47, (uint8_t)i, 0xc3); /* lea eax, [rdi + i] */
        if (mprotect(code, 4096, RX) < 0)
            return 99;
        sum += FUNCTION(int (*)(int), code)(6);
    }
    munmap(code, 4096);
    printf("%d\n", sum);
    return 0;
}
