/* SPDX-License-Identifier: MIT */
/* Of two jumps forward only the first is given its distance. */
#include "bug.h"

HELPER uint8_t *jump(int condition)
{
    put(0x0f);
    put(0x80 | condition);
    put4(0);
    return at - 4;
}

HELPER void bind(uint8_t *distance)
{
    int32_t count = (int32_t)(at - (distance + 4));

    memcpy(distance, &count, sizeof count);
}

int main(void)
{
    uint8_t *first, *second;

    begin(4096, RW, MAP_PRIVATE);
    EMIT(0x48, 0x89, 0xf8); /* mov rax, rdi */
    EMIT(0x48, 0x85, 0xc0); /* test rax, rax */
    first = jump(9);
    EMIT(0x48, 0xf7, 0xd8); /* neg rax */
    bind(first);
    EMIT(0x48, 0x83, 0xf8, 9); /* cmp rax, 9 */
    second = jump(14);
    EMIT(0xb8, 9, 0, 0, 0); /* mov eax, 9 */
    EMIT(0xc3);             /* ret, which the second jump is to go to */
    finish(4096);
    printf("%ld\n", FUNCTION(long (*)(long), code)(-4));
    return second == NULL;
}
