/* SPDX-License-Identifier: MIT */
/*
 * Code that sets the direction flag and leaves it set: the program then copies
 * downwards.
 *
 * ends:    signal SIGSEGV
 * reports: enter +0 call
 * reports: step +0 std
 * reports: step +1 ret
 * reports: leave return *
 * reports: signal SIGSEGV write
 * reports: verdict direction-flag broken +0
 */
#include "code.h"

int main(void)
{
    static const uint8_t insns[] = {0xfd, 0xc3}; /* std; ret */
    uint8_t *code = code_new(insns, sizeof insns);
    uint8_t *to = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint64_t count = 16;

    if (to == MAP_FAILED)
        return 1;
    ((void (*)(void))(uintptr_t)code)();
    __asm__ volatile("rep stosb\n\tcld"
                     : "+D"(to), "+c"(count)
                     : "a"(0)
                     : "memory");
    return 0;
}
