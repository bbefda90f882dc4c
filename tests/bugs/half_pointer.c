/* SPDX-License-Identifier: MIT */
/* The address of a variable is loaded by a mov of 32 bits. */
#include "bug.h"

static long total = 40;

int main(void)
{
    begin(4096, RW, MAP_PRIVATE);
    EMIT(0xba); /* mov edx, &total */
    put4((uint32_t)(uintptr_t)&total);
    EMIT(0x48, 0x83, 0x02, 2); /* add qword ptr [rdx], 2 */
    EMIT(0xc3);                /* ret */
    finish(4096);
    FUNCTION(void (*)(void), code)();
    printf("%ld\n", total);
    return 0;
}
