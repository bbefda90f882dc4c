/* SPDX-License-Identifier: MIT */
/*
 * loops.c - a loop in machine code, and how jumps find their targets.
 *
 *     loops [N [NOPS]]
 *
 * makes a function that adds up the numbers from its argument down to 1, and
 * calls it with N, which is 3 if none is given:
 *
 *             xor eax, eax      the sum is 0
 *     top:    test rdi, rdi     is the argument 0?
 *             jz done           then the sum is ready
 *             add rax, rdi
 *             sub rdi, 1
 *             nop               NOPS times: to make the loop longer
 *             jmp top
 *     done:   ret
 *
 * Build it with: gcc -g -O0 -o loops loops.c
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sysexits.h>

enum { SIZE = 4096 };

static uint8_t *code;
static size_t here; /* the next byte goes to code[here] */

static void emit(const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        code[here++] = (uint8_t)bytes[i];
}

/* Stores a distance in four bytes, the lowest first. */
static void put_rel32(uint8_t *to, int64_t distance)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)((uint64_t)distance >> 8 * i);
}

/* [backward] */
/* A jump to code[target], which is there already. The distance is counted from
 * the first byte behind the jump. */
static void emit_jmp(size_t target)
{
    int64_t distance = (int64_t)target - (int64_t)(here + 2);

    if (distance >= INT8_MIN) {
        code[here] = 0xeb; /* jmp rel8: two bytes */
        code[here + 1] = (uint8_t)distance;
        here += 2;
    } else {
        code[here] = 0xe9; /* jmp rel32: five bytes, so it ends 3 later */
        put_rel32(code + here + 1, distance - 3);
        here += 5;
    }
}
/* [/backward] */

int main(int argc, char **argv)
{
    int64_t n = argc > 1 ? atoll(argv[1]) : 3;
    int nops = argc > 2 ? atoi(argv[2]) : 0;

    if (nops < 0 || nops > 1000) {
        fprintf(stderr, "loops: NOPS is a number from 0 to 1000\n");
        return EX_USAGE;
    }
    code = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                -1, 0);
    if (code == MAP_FAILED) {
        perror("loops: mmap");
        return EX_OSERR;
    }

    emit("\x31\xc0", 2); /* xor eax, eax */
    /* [forward] */
    size_t top = here;
    emit("\x48\x85\xff", 3);             /* test rdi, rdi */
    emit("\x0f\x84\x00\x00\x00\x00", 6); /* jz rel32: to where? */
    size_t behind_jz = here;
    /* [/forward] */
    emit("\x48\x01\xf8", 3);     /* add rax, rdi */
    emit("\x48\x83\xef\x01", 4); /* sub rdi, 1 */
    for (int i = 0; i < nops; i++)
        emit("\x90", 1); /* nop */
    emit_jmp(top);
    /* [patch] */
    put_rel32(code + behind_jz - 4, (int64_t)(here - behind_jz));
    /* [/patch] */
    emit("\xc3", 1); /* ret */

    if (mprotect(code, SIZE, PROT_READ | PROT_EXEC) < 0) {
        perror("loops: mprotect");
        return EX_OSERR;
    }
    int64_t (*sum)(int64_t) = (int64_t(*)(int64_t))code;
    printf("%" PRId64 "\n", sum(n));
    munmap(code, SIZE);
    return 0;
}
