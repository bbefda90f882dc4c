/* SPDX-License-Identifier: MIT */
/*
 * A jump to a number that is no address: the CPU refuses the jump itself.
 *
 * ends:    signal SIGSEGV
 * reports: enter +0 call
 * reports: step +0 mov rax, *
 * reports: signal SIGSEGV*
 */
#include "code.h"

int main(void)
{
    static const uint8_t insns[] = {
        0x48, 0xb8, 0xef, 0xbe, 0xad, 0xde, 0xef, 0xbe, 0xad, 0xde,
        /* mov rax, 0xdeadbeefdeadbeef */
        0xff, 0xe0, /* jmp rax */
    };

    ((void (*)(void))(uintptr_t)code_new(insns, sizeof insns))();
    return 0;
}
