/* SPDX-License-Identifier: MIT */
/*
 * Code with an int1 in it, which raises the trap that a step raises, too.
 *
 * ends:    signal SIGTRAP
 * reports: step +0 mov eax, 5
 * reports: signal SIGTRAP
 * reports: exit signal 5
 * never:   step +5 *
 * never:   limit *
 */
#include "code.h"

int main(void)
{
    return ((int (*)(void))code_new("\xb8\5\0\0\0\xf1\xc3", 7))();
}
