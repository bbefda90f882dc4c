/* SPDX-License-Identifier: MIT */
/*
 * Code whose steps are spent calls a function that writes, from a buffer whose
 * address is larger than that of the caller's code: what is no range of memory
 * is not taken for one that the place of the return lies in.
 *
 * prints:  inside
 * prints:  7
 * ends:    status 0
 * options: --max-call-steps=1
 * reports: enter +0 call
 * reports: limit call-steps
 * reports: output 1 inside\\n
 * reports: leave return 7
 * reports: exit status 0
 */
#include <stdio.h>
#include <unistd.h>

#include "code.h"

static void say(void)
{
    char text[] = "inside\n"; /* on the stack, above everything else */

    if (write(1, text, sizeof text - 1) < 0)
        exit(98);
}

int main(void)
{
    static const uint8_t insns[] = {
        0x48, 0x83, 0xec, 0x08,    /* sub rsp, 8 */
        0xff, 0xd7,                /* call rdi */
        0x48, 0x83, 0xc4, 0x08,    /* add rsp, 8 */
        0xb8, 7,    0,    0,    0, /* mov eax, 7 */
        0xc3,                      /* ret */
    };
    const uint8_t *code = code_new(insns, sizeof insns);
    int (*function)(void (*)(void));

    memcpy(&function, &code, sizeof function);
    printf("%d\n", function(say));
    return 0;
}
