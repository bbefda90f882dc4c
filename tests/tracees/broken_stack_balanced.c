/* SPDX-License-Identifier: MIT */
/*
 * Generated code returns with ret 16, which takes 16 bytes of its caller's off
 * the stack. The caller here has put them there for that, so nothing comes of
 * it.
 *
 * prints:  7
 * ends:    status 0
 * reports: verdict stack-balanced broken +5
 */
#include <stdio.h>

#include "code.h"

int main(void)
{
    static const uint8_t insns[] = {
        0xb8, 7,  0, 0, 0, /* mov eax, 7 */
        0xc2, 16, 0,       /* ret 16 */
    };
    uint8_t *code = code_new(insns, sizeof insns);
    int result;

    __asm__ volatile("sub $128, %%rsp\n\t" /* the red zone of this function */
                     "sub $16, %%rsp\n\t"
                     "call *%1\n\t"
                     "add $128, %%rsp"
                     : "=a"(result)
                     : "b"(code)
                     : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11",
                       "cc", "memory");
    printf("%d\n", result);
    return 0;
}
