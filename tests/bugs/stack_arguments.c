/* SPDX-License-Identifier: MIT */
/* The seventh argument lies where Windows wants it. */
#include "bug.h"

HELPER long seventh(long a, long b, long c, long d, long e, long f, long g)
{
    return a + b + c + d + e + f == 21 ? g : 0;
}

int main(void)
{
    begin(4096, RW, MAP_PRIVATE);
    EMIT(0x48, 0x83, 0xec, 0x38);                   /* sub rsp, 56 */
    EMIT(0xbf, 1, 0, 0, 0);                         /* mov edi, 1 */
    EMIT(0xbe, 2, 0, 0, 0);                         /* mov esi, 2 */
    EMIT(0xba, 3, 0, 0, 0);                         /* mov edx, 3 */
    EMIT(0xb9, 4, 0, 0, 0);                         /* mov ecx, 4 */
    EMIT(0x41, 0xb8, 5, 0, 0, 0);                   /* mov r8d, 5 */
    EMIT(0x41, 0xb9, 6, 0, 0, 0);                   /* mov r9d, 6 */
    EMIT(0x48, 0xc7, 0x44, 0x24, 0x20, 7, 0, 0, 0); /* mov [rsp+32], 7 */
    EMIT_MOV_RAX(seventh);
    EMIT(0xff, 0xd0);                   /* call rax */
    EMIT(0x48, 0x83, 0xc4, 0x38, 0xc3); /* add rsp, 56; ret */
    finish(4096);
    printf("%d\n", FUNCTION(long (*)(void), code)() == 7);
    return 0;
}
