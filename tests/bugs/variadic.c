/* SPDX-License-Identifier: MIT */
/* printf() is given a double, and al does not say so. */
#include "bug.h"

int main(void)
{
    begin(4096, RW, MAP_PRIVATE);
    EMIT(0x48, 0x83, 0xec, 0x08); /* sub rsp, 8 */
    EMIT(0xf2, 0x0f, 0x58, 0xc0); /* addsd xmm0, xmm0 */
    EMIT(0x49, 0xba);             /* mov r10, printf */
    put8((uint64_t)(uintptr_t)printf);
    EMIT(0xb0, 0x00);                   /* mov al, 0 */
    EMIT(0x41, 0xff, 0xd2);             /* call r10 */
    EMIT(0x48, 0x83, 0xc4, 0x08, 0xc3); /* add rsp, 8; ret */
    finish(4096);
    FUNCTION(void (*)(const char *, double), code)("%g\n", 2.5);
    return 0;
}
