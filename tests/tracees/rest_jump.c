/* SPDX-License-Identifier: MIT */
/*
 * C jumps into a loop of generated code, which jumps back: there is no return
 * address. With the steps of a call spent, its end is not seen, and the next
 * call is, because the program made a system call meanwhile.
 *
 * prints:  10
 * prints:  20
 * ends:    status 0
 * options: --max-call-steps=5
 * reports: enter +0 jump
 * reports: step +0 add eax, 1
 * reports: step +3 dec edi
 * reports: limit call-steps
 * reports: output 1 10\\n
 * reports: enter +0 jump
 * reports: step +3 dec edi
 * reports: limit call-steps
 * reports: output 1 20\\n
 * reports: exit status 0
 * never:   leave *
 */
#include <stdio.h>

#include "code.h"

/* The loop adds 1 to eax, edi times, and goes on at rsi. */
static int jump(const uint8_t *code, int times)
{
    int sum = 0;

    __asm__ volatile("push $0\n"
                     "lea 1f(%%rip), %%rsi\n"
                     "jmp *%2\n"
                     "1: pop %%rsi\n"
                     : "+a"(sum), "+D"(times)
                     : "r"(code)
                     : "rsi", "memory", "cc");
    return sum;
}

int main(void)
{
    static const uint8_t insns[] = {
        0x83, 0xc0, 0x01, /* add eax, 1 */
        0xff, 0xcf,       /* dec edi */
        0x75, 0xf9,       /* jnz -7 */
        0xff, 0xe6,       /* jmp rsi */
    };
    uint8_t *code = code_new(insns, sizeof insns);

    setvbuf(stdout, NULL, _IONBF, 0);
    printf("%d\n", jump(code, 10));
    printf("%d\n", jump(code, 20));
    return 0;
}
