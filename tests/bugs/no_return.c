/* SPDX-License-Identifier: MIT */
/* Nobody has emitted a ret. */
#include "bug.h"

int main(void)
{
    begin(4096, RW, MAP_PRIVATE);
    EMIT(0x8d, 0x04, 0x3f); /* lea eax, [rdi+rdi] */
    EMIT(0x83, 0xe8, 0x01); /* sub eax, 1 */
    finish(4096);
    printf("%d\n", FUNCTION(int (*)(int), code)(4));
    return 0;
}
