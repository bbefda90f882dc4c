/* SPDX-License-Identifier: MIT */
/*
 * A branch over 130 bytes has a rel8, which wraps around: it goes 126 bytes
 * back, to where nothing is. The program handles the fault that comes of it.
 *
 * prints:  26
 * prints:  fault
 * ends:    status 0
 * reports: step +4 jz *
 * reports: signal SIGSEGV*
 * reports: exit status 0
 * reports: verdict cut-address broken +4
 */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>

#include "code.h"

static sigjmp_buf back;

static void on_fault(int number)
{
    (void)number;
    siglongjmp(back, 1);
}

int main(void)
{
    static const uint8_t head[] = {
        0x31, 0xc0, /* xor eax, eax */
        0x85, 0xff, /* test edi, edi */
        0x74, 130,  /* jz to the ret, meant */
    };
    static const uint8_t add[] = {0x05, 1, 0, 0, 0}; /* add eax, 1 */
    uint8_t insns[6 + 26 * 5 + 1], *out = insns;
    void *code;
    int (*f)(int);

    memcpy(out, head, sizeof head);
    out += sizeof head;
    for (int i = 0; i < 26; i++, out += sizeof add)
        memcpy(out, add, sizeof add);
    *out = 0xc3; /* ret */
    code = code_new(insns, sizeof insns);
    memcpy(&f, &code, sizeof f);
    signal(SIGSEGV, on_fault);
    printf("%d\n", f(1));
    if (sigsetjmp(back, 1) == 0)
        printf("%d\n", f(0));
    else
        puts("fault");
    return 0;
}
