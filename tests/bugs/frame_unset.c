/* SPDX-License-Identifier: MIT */
/* A local variable is read at another place than it was stored to. */
#include "bug.h"

int main(void)
{
    begin(4096, RW, MAP_PRIVATE);
    EMIT(0x48, 0x83, 0xec, 0x18);       /* sub rsp, 24 */
    EMIT(0x48, 0x89, 0x7c, 0x24, 0x08); /* mov [rsp+8], rdi */
    EMIT(0x48, 0x8b, 0x44, 0x24, 0x10); /* mov rax, [rsp+16] */
    EMIT(0x48, 0xff, 0xc0);             /* inc rax */
    EMIT(0x48, 0x83, 0xc4, 0x18, 0xc3); /* add rsp, 24; ret */
    finish(4096);
    printf("%d\n", FUNCTION(long (*)(long), code)(41) == 42);
    return 0;
}
