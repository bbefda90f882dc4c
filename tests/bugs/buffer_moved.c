/* SPDX-License-Identifier: MIT */
/* A function that generated code calls moves the code by mremap(). */
#include "bug.h"

HELPER void grow(void)
{
    code = mremap(code, 4096, 16384, MREMAP_MAYMOVE);
}

int main(void)
{
    begin(4096, RW, MAP_PRIVATE);
    /* What is behind is taken, so that it has to move. */
    mmap(code + 4096, 4096, PROT_NONE,
         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    EMIT(0x48, 0x83, 0xec, 0x08); /* sub rsp, 8 */
    EMIT_MOV_RAX(grow);
    EMIT(0xff, 0xd0);                   /* call rax */
    EMIT(0x48, 0x83, 0xc4, 0x08, 0xc3); /* add rsp, 8; ret */
    finish(4096);
    FUNCTION(void (*)(void), code)();
    return 0;
}
