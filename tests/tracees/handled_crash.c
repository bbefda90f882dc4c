/* SPDX-License-Identifier: MIT */
/*
 * Code without a ret, in a program that catches the crash, says so in a line
 * and ends.
 *
 * prints:  internal error
 * ends:    status 1
 * reports: enter +0 call
 * reports: step +0 mov eax, 6
 * reports: step +5 add eax, edi
 * reports: signal SIGSEGV write
 * reports: exit status 1
 * reports: verdict written-before-run broken +7
 */
#include <signal.h>
#include <unistd.h>

#include "code.h"

static void give_up(int number)
{
    static const char text[] = "internal error\n";

    (void)number;
    if (write(STDOUT_FILENO, text, sizeof text - 1) < 0)
        _exit(2);
    _exit(1);
}

int main(void)
{
    static const uint8_t insns[] = {
        0xb8, 0x06, 0, 0, 0, /* mov eax, 6 */
        0x01, 0xf8,          /* add eax, edi */
    };
    uint8_t *code = code_new(insns, sizeof insns);

    signal(SIGSEGV, give_up);
    return ((int (*)(int))(uintptr_t)code)(1);
}
