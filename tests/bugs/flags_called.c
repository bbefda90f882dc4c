/* SPDX-License-Identifier: MIT */
/* A function is called between a compare and the jump that asks for it. */
#include "bug.h"

static long calls;

HELPER void count(void)
{
    calls += 3;
}

int main(void)
{
    begin(4096, RW, MAP_PRIVATE);
    EMIT(0x53);                /* push rbx */
    EMIT(0x31, 0xdb);          /* xor ebx, ebx */
    EMIT(0x48, 0x83, 0xff, 9); /* cmp rdi, 9 */
    EMIT_MOV_RAX(count);
    EMIT(0xff, 0xd0);       /* call rax */
    EMIT(0x7e, 2);          /* jle over the next one */
    EMIT(0xff, 0xc3);       /* inc ebx */
    EMIT(0x48, 0x89, 0xd8); /* mov rax, rbx */
    EMIT(0x5b, 0xc3);       /* pop rbx; ret */
    finish(4096);
    printf("%ld", FUNCTION(long (*)(long), code)(4));
    printf(" %ld\n", calls);
    return 0;
}
