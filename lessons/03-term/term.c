/* SPDX-License-Identifier: MIT */
/*
 * term.c - stores a number in an instruction, byte by byte.
 *
 *     term TERM               its lowest byte first
 *     term TERM reversed      its highest byte first, which is wrong here
 *
 * Build it with: gcc -g -O0 -o term term.c
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int32_t term = argc > 1 ? (int32_t)strtol(argv[1], NULL, 0) : -4;
    size_t size = (size_t)getpagesize();

    uint8_t *code = mmap(NULL, size, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (code == MAP_FAILED) {
        perror("term: mmap");
        return EX_OSERR;
    }

    code[0] = 0x48; /* mov rax, imm32 */
    code[1] = 0xc7;
    code[2] = 0xc0;

    /* Unsigned: what >> does to a negative number is up to the compiler. */
    uint32_t imm = (uint32_t)term;

    if (argc < 3) {
        /* [right] */
        code[3] = (uint8_t)imm;
        code[4] = (uint8_t)(imm >> 8);
        code[5] = (uint8_t)(imm >> 16);
        code[6] = (uint8_t)(imm >> 24);
        /* [/right] */
    } else {
        /* [reversed] */
        code[3] = (uint8_t)(imm >> 24);
        code[4] = (uint8_t)(imm >> 16);
        code[5] = (uint8_t)(imm >> 8);
        code[6] = (uint8_t)imm;
        /* [/reversed] */
    }

    code[7] = 0xc3; /* ret */

    if (mprotect(code, size, PROT_READ | PROT_EXEC) < 0) {
        perror("term: mprotect");
        return EX_OSERR;
    }
    int64_t (*fn)(void) = (int64_t(*)(void))code;
    printf("%lld\n", (long long)fn());
    munmap(code, size);
    return 0;
}
