/* SPDX-License-Identifier: MIT */
/* Of many blocks one that runs late uses a register that is not set. */
#include "bug.h"

#define BLOCKS 8000

int main(void)
{
    static long count;

    begin(BLOCKS * 8, RW, MAP_PRIVATE);
    for (int i = 0; i < BLOCKS; i++) {
        at = code + 8 * i;
        if (i == 7990)
            EMIT(0x31, 0xd2, 0x48, 0xff, 0x02, 0xc3); /* inc [rdx] */
        else
            EMIT(0x48, 0xff, 0x07, 0xc3); /* inc qword ptr [rdi] */
    }
    finish(BLOCKS * 8);
    for (int i = 0; i < BLOCKS; i++)
        FUNCTION(void (*)(long *), code + 8 * i)(&count);
    printf("%ld\n", count);
    return 0;
}
