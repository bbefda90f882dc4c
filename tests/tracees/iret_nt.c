/* SPDX-License-Identifier: MIT */
/*
 * Generated code sets the flag NT by iretq, whose third word the flags are. A
 * step would lose it, so it is not stepped: the flag is there behind it.
 *
 * prints:  NT is set
 * ends:    status 0
 * reports: enter +0 call
 * reports: step *
 * reports: limit nt-flag
 * reports: output 1 NT is set\\n
 * reports: exit status 0
 * never:   signal *
 */
#include <stdio.h>

#include "code.h"

#define NT 0x4000

int main(void)
{
    static const uint8_t insns[] = {
        0x48, 0x89, 0xe1,                /* mov rcx, rsp */
        0x8c, 0xd0,                      /* mov eax, ss */
        0x50,                            /* push rax */
        0x51,                            /* push rcx */
        0x9c,                            /* pushf */
        0x81, 0x0c, 0x24, 0, 0x40, 0, 0, /* or dword ptr [rsp], 0x4000 */
        0x8c, 0xc8,                      /* mov eax, cs */
        0x50,                            /* push rax */
        0x48, 0x8d, 0x05, 3, 0,    0, 0, /* lea rax, [rip+3] */
        0x50,                            /* push rax */
        0x48, 0xcf,                      /* iretq */
        0x9c,                            /* pushf */
        0x58,                            /* pop rax */
        0x68, 2,    2,    0, 0,          /* push 0x202 */
        0x9d,                            /* popf */
        0xc3,                            /* ret */
    };
    long flags = ((long (*)(void))(uintptr_t)code_new(insns, sizeof insns))();

    printf("NT is %s\n", flags & NT ? "set" : "lost");
    return 0;
}
