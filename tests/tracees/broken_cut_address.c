/* SPDX-License-Identifier: MIT */
/*
 * Generated code loads the address of a variable with a mov of 32 bits. The
 * program handles the fault that comes of it.
 *
 * prints:  fault
 * ends:    status 0
 * reports: step +0 mov eax, *
 * reports: signal SIGSEGV*
 * reports: exit status 0
 * reports: verdict cut-address broken +0
 */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>

#include "code.h"

static long cell = 7;
static sigjmp_buf back;

static void on_fault(int number)
{
    (void)number;
    siglongjmp(back, 1);
}

int main(void)
{
    uint8_t insns[] = {
        0xb8, 0,    0,    0, 0, /* mov eax, low half of &cell */
        0x48, 0x8b, 0x00,       /* mov rax, [rax] */
        0xc3,                   /* ret */
    };
    uint32_t low = (uint32_t)(uintptr_t)&cell;
    void *code;
    long (*f)(void);

    memcpy(insns + 1, &low, sizeof low);
    code = code_new(insns, sizeof insns);
    memcpy(&f, &code, sizeof f);
    signal(SIGSEGV, on_fault);
    if (sigsetjmp(back, 1) == 0)
        printf("%ld\n", f());
    else
        puts("fault");
    return 0;
}
