/* SPDX-License-Identifier: MIT */
/*
 * Code is called by a pointer from before it was unmapped. The program handles
 * the fault that comes of it.
 *
 * prints:  7
 * prints:  fault
 * ends:    status 0
 * reports: step +0 mov eax, 7
 * reports: unmap*
 * reports: signal SIGSEGV*
 * reports: exit status 0
 * reports: verdict stale broken +0
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
    static const uint8_t insns[] = {0xb8, 7, 0, 0, 0, 0xc3}; /* mov eax, 7 */
    void *code = code_new(insns, sizeof insns);
    int (*f)(void);

    memcpy(&f, &code, sizeof f);
    printf("%d\n", f());
    munmap(code, 4096);
    signal(SIGSEGV, on_fault);
    if (sigsetjmp(back, 1) == 0)
        printf("%d\n", f());
    else
        puts("fault");
    return 0;
}
