/* SPDX-License-Identifier: MIT */
/* Memory is given back, and what is mapped there next has other code; the
 * second of two functions is called by its old pointer. */
#include "bug.h"

int main(void)
{
    begin(4096, RW, MAP_PRIVATE);
    EMIT(0xb0, 1, 0xc3); /* mov al, 1; ret */
    EMIT(0xb0, 2, 0xc3); /* mov al, 2; ret */
    finish(4096);
    printf("%d\n", FUNCTION(unsigned char (*)(void), code + 3)());
    munmap(code, 4096);
    at = mmap(code, 4096, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (at != code)
        return 99;
    EMIT(0xb8, 3, 0, 0xb0, 4); /* mov eax, 0x04b00003 */
    EMIT(0xc3);                /* ret */
    finish(4096);
    printf("%d\n", FUNCTION(int (*)(void), code)());
    printf("%d\n", FUNCTION(unsigned char (*)(void), code + 3)());
    return 0;
}
