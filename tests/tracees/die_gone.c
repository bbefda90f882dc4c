/* SPDX-License-Identifier: MIT */
/*
 * Generated code calls a function that takes that code away, and returns.
 *
 * ends:    signal SIGSEGV
 * reports: enter +0 call
 * reports: step +4 call rdi
 * reports: leave call
 * reports: unmap 4096
 * reports: signal SIGSEGV execute
 * reports: verdict stale broken +4
 */
#include "code.h"

static uint8_t *code;

static void drop(void)
{
    munmap(code, 4096);
}

int main(void)
{
    code = code_new_caller();
    ((void (*)(void (*)(void)))(uintptr_t)code)(drop);
    return 0;
}
