/* SPDX-License-Identifier: MIT */
/* A loop counts in r11, which syscall changes. */
#include <sys/syscall.h>

#include "bug.h"

int main(void)
{
    begin(4096, RW, MAP_PRIVATE);
    EMIT(0x41, 0xbb, 3, 0, 0, 0);    /* mov r11d, 3 */
    EMIT(0xb8, SYS_getpid, 0, 0, 0); /* mov eax, getpid */
    EMIT(0x0f, 0x05);                /* syscall */
    EMIT(0x41, 0x83, 0xe3, 0x03);    /* and r11d, 3 */
    EMIT(0x41, 0xff, 0xcb);          /* dec r11d */
    EMIT(0xc3);                      /* ret */
    finish(4096);
    FUNCTION(void (*)(void), code)();
    return 0;
}
