/* SPDX-License-Identifier: MIT */
/*
 * Generated code that kills its process in the middle of a step.
 *
 * prints:  so long
 * ends:    signal SIGKILL
 * reports: enter +0 call
 * reports: step +0 mov edi, *
 * reports: exit signal 9
 */
#include <stdio.h>
#include <unistd.h>

#include "code.h"

int main(void)
{
    uint8_t insns[] = {
        0xbf, 0,    0, 0, 0,             /* mov edi, this process */
        0xbe, 9,    0, 0, 0,             /* mov esi, 9 */
        0xb8, 62,   0, 0, 0, 0x0f, 0x05, /* mov eax, 62 (kill); syscall */
        0xeb, 0xfe,                      /* jmp to itself */
    };
    pid_t self = getpid();

    memcpy(insns + 1, &self, sizeof self);
    puts("so long");
    fflush(stdout);
    ((void (*)(void))code_new(insns, sizeof insns))();
    return 1;
}
