/* SPDX-License-Identifier: MIT */
/*
 * volume.c - 100 MB of code, made and called piece by piece: each of 64 KiB is
 * mapped, filled with functions, made executable, and one of them is called.
 * All pieces stay.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PIECE  65536u
#define PIECES (100000000u / PIECE)

/* mov eax, imm32; ret, and nops up to 16 bytes */
static void put_function(uint8_t *at, uint32_t value)
{
    memset(at, 0x90, 16);
    at[0] = 0xb8;
    memcpy(at + 1, &value, sizeof value);
    at[5] = 0xc3;
}

int main(void)
{
    static uint8_t functions[PIECE];
    uint64_t sum = 0;

    for (uint32_t i = 0; i < PIECES; i++) {
        uint8_t *code = mmap(NULL, PIECE, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        uint32_t (*function)(void);

        if (code == MAP_FAILED)
            return 1;
        for (uint32_t at = 0; at < PIECE; at += 16)
            put_function(functions + at, i + at);
        memcpy(code, functions, PIECE);
        if (mprotect(code, PIECE, PROT_READ | PROT_EXEC) < 0)
            return 1;
        code += i * 16 % PIECE;
        memcpy(&function, &code, sizeof function);
        sum += function();
    }
    printf("%llu\n", (unsigned long long)sum);
    return 0;
}
