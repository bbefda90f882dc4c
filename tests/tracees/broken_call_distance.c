/* SPDX-License-Identifier: MIT */
/*
 * The distance of a call was counted from where it stands in the instruction,
 * not from the end: it goes 4 bytes behind the beginning of the function. There
 * the function has an instruction that matters, or here, none that does.
 *
 * prints:  7
 * ends:    status 0
 * reports: step +4 call *
 * reports: exit status 0
 * reports: verdict whole-instructions broken +4
 */
#include <stdio.h>

#include "code.h"

int seven(void);

__asm__(".text\n"
        ".type seven, @function\n"
        ".globl seven\n"
        "seven:\n"
        "    .byte 0x0f, 0x1f, 0x40, 0\n" /* a nop of 4 bytes */
        "    mov $7, %eax\n"
        "    ret\n"
        ".size seven, . - seven\n");

int main(void)
{
    uint8_t insns[] = {
        0x48, 0x83, 0xec, 0x08,    /* sub rsp, 8 */
        0xe8, 0,    0,    0,    0, /* call seven */
        0x48, 0x83, 0xc4, 0x08,    /* add rsp, 8 */
        0xc3,                      /* ret */
    };
    uintptr_t near = ((uintptr_t)main & ~(uintptr_t)4095) + (1 << 20);
    uint8_t *code = mmap((void *)near, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int32_t distance = (int32_t)((intptr_t)seven - (intptr_t)(code + 5));
    int (*f)(void);

    if (code == MAP_FAILED)
        return 99;
    memcpy(insns + 5, &distance, sizeof distance);
    memcpy(code, insns, sizeof insns);
    if (mprotect(code, 4096, PROT_READ | PROT_EXEC) < 0)
        return 99;
    memcpy(&f, &code, sizeof f);
    printf("%d\n", f());
    return 0;
}
