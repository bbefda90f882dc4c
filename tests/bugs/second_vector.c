/* SPDX-License-Identifier: MIT */
/* Of the two doubles that snprintf gets one is the caller's; al says none. */
#include "bug.h"

int main(void)
{
    char text[40] = "";

    begin(4096, RW, MAP_PRIVATE);
    EMIT(0x50);                   /* push rax */
    EMIT(0xf2, 0x0f, 0x10, 0xc8); /* movsd xmm1, xmm0 */
    EMIT(0xf2, 0x0f, 0x58, 0xc9); /* addsd xmm1, xmm1 */
    EMIT_MOV_RAX(snprintf);
    EMIT(0x49, 0x89, 0xc3); /* mov r11, rax */
    EMIT(0xb0, 0);          /* mov al, 0 */
    EMIT(0x41, 0xff, 0xd3); /* call r11 */
    EMIT(0x59);             /* pop rcx */
    EMIT(0xc3);             /* ret */
    finish(4096);
    FUNCTION(int (*)(char *, size_t, const char *, double), code)
    (text, sizeof text, "%g %g", 1.5);
    printf("%d\n", text[0] != 0);
    return 0;
}
