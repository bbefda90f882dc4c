/* SPDX-License-Identifier: MIT */
/* An argument is kept in rcx, which syscall changes, and is the result then. */
#include <sys/syscall.h>

#include "bug.h"

int main(void)
{
    begin(4096, RW, MAP_PRIVATE);
    EMIT(0x48, 0x89, 0xf9);          /* mov rcx, rdi */
    EMIT(0xb8, SYS_getpid, 0, 0, 0); /* mov eax, getpid */
    EMIT(0x0f, 0x05);                /* syscall */
    EMIT(0x48, 0x89, 0xca);          /* mov rdx, rcx */
    EMIT(0x48, 0x89, 0xd0);          /* mov rax, rdx */
    EMIT(0xc3);                      /* ret */
    finish(4096);
    printf("%d\n", FUNCTION(long (*)(long), code)(7) == 7);
    return 0;
}
