/* SPDX-License-Identifier: MIT */
/* x << n with n still in rsi: a shift takes its number from cl. */
#include "bug.h"

int main(void)
{
    begin(4096, RW, MAP_PRIVATE);
    EMIT(0x48, 0x89, 0xf8); /* mov rax, rdi */
    EMIT(0x48, 0xd3, 0xe0); /* shl rax, cl */
    EMIT(0xc3);             /* ret */
    finish(4096);
    printf("%ld\n", FUNCTION(long (*)(long, long), code)(1, 4));
    return 0;
}
