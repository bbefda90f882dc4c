/* SPDX-License-Identifier: MIT */
/* Code returns a double, and is called as if it returned an integer. */
#include "bug.h"

int main(void)
{
    begin(4096, RW, MAP_PRIVATE);
    EMIT(0xf2, 0x0f, 0x59, 0xc0); /* mulsd xmm0, xmm0 */
    EMIT(0xc3);                   /* ret */
    finish(4096);
    printf("%d\n", FUNCTION(long (*)(double), code)(1.5) == 2);
    return 0;
}
