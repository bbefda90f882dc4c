/* SPDX-License-Identifier: MIT */
/* A tail call leaves the frame of its own function on the stack. */
#include "bug.h"

HELPER long last(long value)
{
    return value + 1;
}

int main(void)
{
    begin(4096, RW, MAP_PRIVATE);
    EMIT(0x6a, 5);                /* push 5 */
    EMIT(0x48, 0x8d, 0x3c, 0x3f); /* lea rdi, [rdi+rdi] */
    EMIT_MOV_RAX(last);
    EMIT(0xff, 0xe0); /* jmp rax */
    finish(4096);
    printf("%ld\n", FUNCTION(long (*)(long), code)(20));
    return 0;
}
