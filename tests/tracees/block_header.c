/* SPDX-License-Identifier: MIT */
/*
 * An allocator of code: what it gives back it gives out again, with its own
 * notes in front of each block. They lie over what was left of other code, and
 * are no instructions; read from that code on they would take a byte of the next
 * function with them.
 *
 * prints:  7 9
 * ends:    status 0
 * reports: enter +0 call
 * reports: enter +27 call
 */
#include <stdio.h>

#include "code.h"

int main(void)
{
    static const uint8_t first[] = {
        0x48, 0xc7, 0xc0, 0x07, 0x00, 0x00, 0x00, /* mov rax, 7 */
        0x48, 0x89, 0xff,                         /* mov rdi, rdi */
        0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90,
        0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0xc3, /* nop, ret */
    };
    static const uint8_t second[] = {
        0x53,                         /* push rbx */
        0x41, 0x54,                   /* push r12 */
        0xb8, 0x09, 0x00, 0x00, 0x00, /* mov eax, 9 */
        0x41, 0x5c,                   /* pop r12 */
        0x5b,                         /* pop rbx */
        0xc3,                         /* ret */
    };
    static const uint64_t notes[2] = {0x368, 0xfc88};
    uint8_t *code = code_new(first, sizeof first);
    int one = ((int (*)(void))(uintptr_t)code)();

    if (mprotect(code, 4096, PROT_READ | PROT_WRITE) < 0)
        return 99;
    memcpy(code + 11, notes, sizeof notes);
    memcpy(code + 27, second, sizeof second);
    if (mprotect(code, 4096, PROT_READ | PROT_EXEC) < 0)
        return 99;
    printf("%d %d\n", one, ((int (*)(void))(uintptr_t)(code + 27))());
    return 0;
}
