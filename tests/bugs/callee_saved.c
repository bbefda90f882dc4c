/* SPDX-License-Identifier: MIT */
/* A comparison for qsort() uses two registers that belong to its caller. */
#include "bug.h"

int main(void)
{
    int numbers[] = {5000, 1000, 4000, 2000, 3000};

    begin(4096, RW, MAP_PRIVATE);
    EMIT(0x8b, 0x1f);       /* mov ebx, [rdi] */
    EMIT(0x44, 0x8b, 0x2e); /* mov r13d, [rsi] */
    EMIT(0x44, 0x29, 0xeb); /* sub ebx, r13d */
    EMIT(0x89, 0xd8);       /* mov eax, ebx */
    EMIT(0xc3);             /* ret */
    finish(4096);
    qsort(numbers, 5, sizeof *numbers,
          FUNCTION(int (*)(const void *, const void *), code));
    printf("%d\n", numbers[0]);
    return 0;
}
