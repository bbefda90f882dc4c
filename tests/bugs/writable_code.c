/* SPDX-License-Identifier: MIT */
/* Its second page is made executable and keeps the permission to write. */
#include "bug.h"

int main(void)
{
    begin(8192, RW, MAP_PRIVATE);
    at = code + 4096;
    EMIT(0x8d, 0x47, 0x01, 0xc3); /* lea eax, [rdi + 1] */
    if (mprotect(code + 4096, 4096, RWX) < 0)
        return 99;
    printf("%d\n", FUNCTION(int (*)(int), code + 4096)(6));
    munmap(code, 8192);
    return 0;
}
