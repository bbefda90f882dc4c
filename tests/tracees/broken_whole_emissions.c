/* SPDX-License-Identifier: MIT */
/*
 * A SIB byte is forgotten, as happens for [rsp] and [r12]. The first byte of
 * the next instruction is taken for it.
 *
 * prints:  7
 * ends:    status 0
 * reports: step +2 mov eax, \[rdi+rcx*\]
 * reports: step +5 mov dh, -64
 * reports: exit status 0
 * reports: verdict whole-emissions broken +2
 */
#include <stdio.h>

#include "code.h"

static uint8_t *out;

__attribute__((noinline)) static void byte(int value)
{
    *out++ = (uint8_t)value;
}

__attribute__((noinline)) static void emit(int first, int second, int third)
{
    byte(first);
    byte(second);
    if (third >= 0)
        byte(third);
}

int main(void)
{
    uint8_t *code = out = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int (*f)(int *, long, long, long), cell = 7;

    if (code == MAP_FAILED)
        return 99;
    emit(0x31, 0xc0, -1);   /* xor eax, eax */
    emit(0x8b, 0x04, -1);   /* mov eax, [rsp], without the SIB byte 24 */
    emit(0x0f, 0xb6, 0xc0); /* movzx eax, al */
    byte(0xc3);             /* ret */
    if (mprotect(code, 4096, PROT_READ | PROT_EXEC) < 0)
        return 99;
    memcpy(&f, &code, sizeof f);
    printf("%d\n", f(&cell, 0, 0, 0));
    return 0;
}
