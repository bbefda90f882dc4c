/* SPDX-License-Identifier: MIT */
/* A counter is kept in r10, which nothing has set. C calls it, in a line with
 * the letters a, s and m. */
#include "bug.h"

int main(void)
{
    struct {
        long (*run)(long);
    } wasm;

    begin(4096, RW, MAP_PRIVATE);
    EMIT(0x48, 0x89, 0xf8);       /* mov rax, rdi */
    EMIT(0x49, 0x83, 0xc2, 0x01); /* add r10, 1 */
    EMIT(0xc3);                   /* ret */
    finish(4096);
    wasm.run = FUNCTION(long (*)(long), code);
    printf("%ld\n", wasm.run(42));
    return 0;
}
