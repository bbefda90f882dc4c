/* SPDX-License-Identifier: MIT */
/* cpuid sets rbx, too, and nothing has put that away. */
#include "bug.h"

int main(void)
{
    begin(4096, RW, MAP_PRIVATE);
    EMIT(0xb8, 1, 0, 0, 0); /* mov eax, 1 */
    EMIT(0x31, 0xc9);       /* xor ecx, ecx */
    EMIT(0x0f, 0xa2);       /* cpuid */
    EMIT(0xc3);             /* ret */
    finish(4096);
    printf("%d\n", FUNCTION(int (*)(void), code)() != 0);
    return 0;
}
