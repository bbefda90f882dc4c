/* SPDX-License-Identifier: MIT */
/* A value is kept below rsp while a function is called. */
#include "bug.h"

HELPER long twice(long number)
{
    volatile long copies[2] = {number, number};

    return copies[0] + copies[1];
}

int main(void)
{
    begin(4096, RW, MAP_PRIVATE);
    EMIT(0x48, 0x83, 0xec, 0x18);       /* sub rsp, 24 */
    EMIT(0x48, 0x89, 0x7c, 0x24, 0xf8); /* mov [rsp-8], rdi */
    EMIT_MOV_RAX(twice);
    EMIT(0xff, 0xd0);                   /* call rax */
    EMIT(0x48, 0x2b, 0x44, 0x24, 0xf8); /* sub rax, [rsp-8] */
    EMIT(0x48, 0x83, 0xc4, 0x18, 0xc3); /* add rsp, 24; ret */
    finish(4096);
    printf("%d\n", FUNCTION(long (*)(long), code)(5) == 5);
    return 0;
}
