/* SPDX-License-Identifier: MIT */
/* As no_return, in a program that catches the fault and says nothing of it. */
#include <signal.h>

#include "bug.h"

static void on_fault(int number)
{
    (void)number;
    _exit(3);
}

int main(void)
{
    begin(4096, RW, MAP_PRIVATE);
    EMIT(0x31, 0xc0); /* xor eax, eax */
    finish(4096);
    signal(SIGSEGV, on_fault);
    FUNCTION(void (*)(void), code)();
    return 0;
}
