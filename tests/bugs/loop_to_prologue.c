/* SPDX-License-Identifier: MIT */
/* A loop goes back to the push in front of it. */
#include "bug.h"

int main(void)
{
    begin(4096, RW, MAP_PRIVATE);
    EMIT(0x57);       /* push rdi */
    EMIT(0xff, 0xcf); /* dec edi */
    EMIT(0x75, 0xfb); /* jnz to the push */
    EMIT(0x58);       /* pop rax */
    EMIT(0xc3);       /* ret */
    finish(4096);
    printf("%d\n", FUNCTION(int (*)(int), code)(4));
    return 0;
}
