/* SPDX-License-Identifier: MIT */
/* A loop goes on behind the end of its memory. */
#include "bug.h"

#define TAPE 32768

int main(void)
{
    uint8_t *room =
        mmap(NULL, TAPE + 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint8_t *tape =
        mmap(room, TAPE, RW, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

    memset(tape, 1, TAPE);
    begin(4096, RW, MAP_PRIVATE);
    EMIT(0x80, 0x3f, 0x00); /* cmp byte ptr [rdi], 0 */
    EMIT(0x74, 0x05);       /* jz to the ret */
    EMIT(0x48, 0xff, 0xc7); /* inc rdi */
    EMIT(0xeb, 0xf6);       /* jmp to the cmp */
    EMIT(0xc3);             /* ret */
    finish(4096);
    FUNCTION(void (*)(uint8_t *), code)(tape);
    return 0;
}
