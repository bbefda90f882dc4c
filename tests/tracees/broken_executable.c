/* SPDX-License-Identifier: MIT */
/*
 * The program calls code in a page that it never made executable, and goes on
 * elsewhere when that faults.
 *
 * prints:  faulted
 * ends:    status 0
 * reports: signal SIGSEGV execute
 * reports: verdict executable broken +0
 */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>

#include "code.h"

static sigjmp_buf back;

static void handle(int signal)
{
    (void)signal;
    siglongjmp(back, 1);
}

int main(void)
{
    static const uint8_t insns[] = {0xb8, 42, 0, 0, 0, 0xc3};
    uint8_t *code = code_new(insns, sizeof insns);

    if (mprotect(code, 4096, PROT_READ | PROT_WRITE) < 0)
        return 99;
    signal(SIGSEGV, handle);
    if (sigsetjmp(back, 1) == 0)
        ((int (*)(void))(uintptr_t)code)();
    puts("faulted");
    return 0;
}
