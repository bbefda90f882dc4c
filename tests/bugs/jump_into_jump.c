/* SPDX-License-Identifier: MIT */
/* A branch around an else goes into the jump that ends the other block, which
 * never ran. */
#include "bug.h"

int main(void)
{
    begin(4096, RW, MAP_PRIVATE);
    EMIT(0x48, 0x85, 0xff);  /* test rdi, rdi */
    EMIT(0x74, 6);           /* je: one byte too near */
    EMIT(0xb8, 11, 0, 0, 0); /* mov eax, 11 */
    EMIT(0xeb, 5);           /* jmp over the next one */
    EMIT(0xb8, 22, 0, 0, 0); /* mov eax, 22 */
    EMIT(0xc3);              /* ret */
    finish(4096);
    printf("%ld\n", FUNCTION(long (*)(long), code)(0));
    return 0;
}
