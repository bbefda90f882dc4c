/* SPDX-License-Identifier: MIT */
/* check.c - checks exercise 03. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void encode_term(uint8_t *code, int32_t term);

/* Says what is wrong with byte i of the code, which holds part of the term. */
static void print_wrong(const uint8_t *code, size_t i, int32_t term)
{
    uint32_t imm = (uint32_t)term;
    unsigned shift = 8 * ((unsigned)i - 3);

    printf("byte %zu is 0x%02x; ", i, code[i]);
    if (i == 3 && code[3] == (uint8_t)(imm >> 24))
        printf("the lowest byte of the term comes first, here 0x%02x\n",
               (uint8_t)imm);
    else
        printf("bits %u..%u of the term are 0x%02x\n", shift + 7, shift,
               (uint8_t)(imm >> shift));
}

static int check_term(uint8_t *code, int32_t term)
{
    static const uint8_t rest[] = {0x48, 0xc7, 0xc0};
    uint32_t imm = (uint32_t)term;

    memset(code, 0xee, 9);
    encode_term(code, term);
    printf("term %d = 0x%08x:", term, imm);
    for (int i = 0; i < 8; i++)
        printf(" %02x", code[i]);
    if (memcmp(code, rest, sizeof rest) != 0 || code[7] != 0xc3) {
        printf("\nonly bytes 3 to 6 hold the term; 48 c7 c0 before and c3 "
               "behind them must stay\n");
        return 1;
    }
    if (code[8] != 0xee) {
        printf("\nthe code has 8 bytes, but you stored 0x%02x behind it\n",
               code[8]);
        return 1;
    }
    for (size_t i = 3; i < 7; i++) {
        if (code[i] != (uint8_t)(imm >> 8 * (i - 3))) {
            printf("\n");
            print_wrong(code, i, term);
            return 1;
        }
    }
    printf("  right\n");
    return 0;
}

int main(void)
{
    static const int32_t terms[] = {-4,        1,  200,  300, 0x12345678,
                                    INT32_MAX, -1, -300, 0,   INT32_MIN};
    size_t size = (size_t)getpagesize();
    uint8_t *code = mmap(NULL, size, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int64_t (*fn)(void) = (int64_t(*)(void))code;

    if (code == MAP_FAILED) {
        perror("mmap");
        return 1;
    }
    for (size_t i = 0; i < sizeof terms / sizeof terms[0]; i++)
        if (check_term(code, terms[i]) != 0)
            return 1;

    /* The last one is run, too. */
    if (mprotect(code, size, PROT_READ | PROT_EXEC) < 0) {
        perror("mprotect");
        return 1;
    }
    printf("the CPU makes of it %lld\n", (long long)fn());
    return fn() != INT32_MIN;
}
