/* SPDX-License-Identifier: MIT */
/* Code in the lowest 2 GB calls a function of the C library by a rel32. */
#include "bug.h"

int main(void)
{
    code = at = mmap((void *)0x20000000, 4096, RW,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    if (code == MAP_FAILED)
        return 99;
    EMIT(0x50); /* push rax */
    EMIT(0xe8); /* call abs */
    put4((uint32_t)((uintptr_t)abs - (uintptr_t)(at + 4)));
    EMIT(0x59); /* pop rcx */
    EMIT(0xc3); /* ret */
    finish(4096);
    printf("%d\n", FUNCTION(int (*)(int), code)(-3));
    return 0;
}
