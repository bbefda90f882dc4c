/* SPDX-License-Identifier: MIT */
/* printf() is given a float, which C would have made a double. */
#include "bug.h"

int main(void)
{
    begin(4096, RW, MAP_PRIVATE);
    EMIT(0x48, 0x83, 0xec, 0x08); /* sub rsp, 8 */
    EMIT(0xf3, 0x0f, 0x58, 0xc1); /* addss xmm0, xmm1 */
    EMIT_MOV_RAX(printf);
    EMIT(0x49, 0x89, 0xc2);             /* mov r10, rax */
    EMIT(0xb8, 1, 0, 0, 0);             /* mov eax, 1 */
    EMIT(0x41, 0xff, 0xd2);             /* call r10 */
    EMIT(0x48, 0x83, 0xc4, 0x08, 0xc3); /* add rsp, 8; ret */
    finish(4096);
    FUNCTION(void (*)(const char *, float, float), code)("%g\n", 2.5f, 1);
    return 0;
}
