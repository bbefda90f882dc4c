/* SPDX-License-Identifier: MIT */
/* A stack machine pops once more than it has pushed: it adds to the address
 * that it returns to. */
#include "bug.h"

int main(void)
{
    begin(4096, RW, MAP_PRIVATE);
    EMIT(0x55, 0x48, 0x89, 0xe5); /* push rbp; mov rbp, rsp */
    EMIT(0x6a, 1);                /* push 1 */
    EMIT(0x58, 0x59, 0x5a);       /* pop rax, rcx, rdx */
    EMIT(0x48, 0xff, 0xc2);       /* inc rdx */
    EMIT(0x52);                   /* push rdx */
    EMIT(0xc9, 0xc3);             /* leave; ret */
    finish(4096);
    printf("%ld\n", FUNCTION(long (*)(void), code)());
    return 0;
}
