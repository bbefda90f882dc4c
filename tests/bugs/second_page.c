/* SPDX-License-Identifier: MIT */
/* Code lies across two pages, and one of them was made executable. */
#include "bug.h"

int main(void)
{
    begin(8192, RW, MAP_PRIVATE);
    at = code + 4092;
    EMIT(0x89, 0xf8);       /* mov eax, edi */
    EMIT(0x83, 0xc0, 0x05); /* add eax, 5: in both */
    EMIT(0xc3);             /* ret */
    finish(4096);
    printf("%d\n", FUNCTION(int (*)(int), code + 4092)(1));
    return 0;
}
