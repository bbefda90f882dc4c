/* SPDX-License-Identifier: MIT */
/* The number in a compare is patched one byte too early: it is an add then. */
#include "bug.h"

int main(void)
{
    uint32_t kind = 7;
    int object = 7;

    begin(4096, RWX, MAP_PRIVATE);
    EMIT(0x31, 0xc0);                         /* xor eax, eax */
    EMIT(0x81, 0x3f, 0x77, 0x77, 0x77, 0x77); /* cmp dword ptr [rdi], kind */
    EMIT(0x0f, 0x94, 0xc0);                   /* sete al */
    EMIT(0xc3);                               /* ret */
    memcpy(code + 3, &kind, sizeof kind);
    printf("%d\n", FUNCTION(int (*)(int *), code)(&object));
    return 0;
}
