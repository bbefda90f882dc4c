/* SPDX-License-Identifier: MIT */
/* a * b + c with c in rdx, which mul takes for the upper half. */
#include "bug.h"

int main(void)
{
    begin(4096, RW, MAP_PRIVATE);
    EMIT(0x48, 0x8b, 0x57, 0x10); /* mov rdx, [rdi+16] */
    EMIT(0x48, 0x8b, 0x07);       /* mov rax, [rdi] */
    EMIT(0x48, 0xf7, 0x67, 0x08); /* mul qword ptr [rdi+8] */
    EMIT(0x48, 0x01, 0xd0);       /* add rax, rdx */
    EMIT(0xc3);                   /* ret */
    finish(4096);
    long numbers[] = {3, 4, 5};
    printf("%ld\n", FUNCTION(long (*)(long *), code)(numbers));
    return 0;
}
