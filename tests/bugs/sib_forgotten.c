/* SPDX-License-Identifier: MIT */
/* A load from [rsp] lacks the SIB byte that rsp as a base must have. */
#include "bug.h"

int main(void)
{
    begin(4096, RW, MAP_PRIVATE);
    EMIT(0x57);                   /* push rdi */
    EMIT(0x48, 0x8b, 0x04);       /* mov rax, [rsp], but for its SIB, 24 */
    EMIT(0x48, 0x05, 1, 0, 0, 0); /* add rax, 1 */
    EMIT(0x5f);                   /* pop rdi */
    EMIT(0xc3);                   /* ret */
    finish(4096);
    printf("%ld\n", FUNCTION(long (*)(long), code)(6));
    return 0;
}
