/* SPDX-License-Identifier: MIT */
/* A compiler of loops counts a distance from where it stands, not its end. */
#include "bug.h"

int main(void)
{
    uint8_t *body;

    begin(4096, RW, MAP_PRIVATE);
    EMIT(0x31, 0xc0); /* xor eax, eax */
    body = at;
    for (const char *p = "++-"; *p; p++)
        if (*p == '+')
            EMIT(0x83, 0xc0, 3); /* add eax, 3 */
        else
            EMIT(0x83, 0xef, 1); /* sub edi, 1 */
    EMIT(0x0f, 0x8f);            /* jg */
    put4((uint32_t)(body - at)); /* it counts from at + 4 */
    EMIT(0xc3);                  /* ret */
    finish(4096);
    printf("%d\n", FUNCTION(int (*)(int), code)(2));
    return 0;
}
