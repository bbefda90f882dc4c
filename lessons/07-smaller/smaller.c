/* SPDX-License-Identifier: MIT */
/*
 * smaller.c - the function x + TERM in six encodings, short and long.
 *
 * `smaller TERM` makes them all in one page, calls each with 1 and shows what it
 * returned. Three of them have room for 8 bits of TERM only: where it needs
 * more, they are left out.
 *
 * Build it with: gcc -g -O0 -o smaller smaller.c
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

struct encoding {
    const char *text;
    uint8_t before[8]; /* what comes before TERM */
    size_t before_len;
    size_t term_len;  /* how many bytes of TERM: 4 or 1 */
    uint8_t after[4]; /* what comes behind it */
    size_t after_len;
};

static const struct encoding encodings[] = {
    /* clang-format off */
    {"mov rax, imm32   add rax, rdi",
     {0x48, 0xc7, 0xc0}, 3, 4, {0x48, 0x01, 0xf8, 0xc3}, 4},
    {"mov rax, rdi     add rax, imm32",
     {0x48, 0x89, 0xf8, 0x48, 0x81, 0xc0}, 6, 4, {0xc3}, 1},
    {"mov rax, rdi     add rax, imm8",
     {0x48, 0x89, 0xf8, 0x48, 0x83, 0xc0}, 6, 1, {0xc3}, 1},
    {"lea rax, [rdi+disp32]",
     {0x48, 0x8d, 0x87}, 3, 4, {0xc3}, 1},
    {"lea rax, [rdi+disp8]",
     {0x48, 0x8d, 0x47}, 3, 1, {0xc3}, 1},
    {"lea eax, [rdi+disp8]",
     {0x8d, 0x47}, 2, 1, {0xc3}, 1},
    /* clang-format on */
};

#define COUNT (sizeof encodings / sizeof *encodings)

static bool fits(const struct encoding *e, long term)
{
    return e->term_len == 4 || (term >= INT8_MIN && term <= INT8_MAX);
}

/* Stores the code of the function. */
static void emit(uint8_t *code, const struct encoding *e, int32_t term)
{
    uint8_t *to = code;

    for (size_t i = 0; i < e->before_len; i++)
        *to++ = e->before[i];
    for (size_t i = 0; i < e->term_len; i++)
        *to++ = (uint8_t)((uint32_t)term >> 8 * i);
    for (size_t i = 0; i < e->after_len; i++)
        *to++ = e->after[i];
}

int main(int argc, char **argv)
{
    char *end = NULL;
    long term;

    errno = 0;
    term = argc == 2 ? strtol(argv[1], &end, 10) : 0;
    if (!end || end == argv[1] || *end || errno || term < INT32_MIN ||
        term > INT32_MAX) {
        fprintf(stderr,
                "smaller: give one whole number from %d to %d, "
                "for example: smaller -4\n",
                INT32_MIN, INT32_MAX);
        return EX_USAGE;
    }

    size_t size = (size_t)getpagesize();
    uint8_t *code = mmap(NULL, size, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (code == MAP_FAILED) {
        perror("smaller: mmap");
        return EX_OSERR;
    }

    /* Each at an address of its own, a multiple of 16. */
    for (size_t i = 0; i < COUNT; i++)
        if (fits(&encodings[i], term))
            emit(code + 16 * i, &encodings[i], (int32_t)term);

    if (mprotect(code, size, PROT_READ | PROT_EXEC) < 0) {
        perror("smaller: mprotect");
        return EX_OSERR;
    }
    for (size_t i = 0; i < COUNT; i++) {
        const struct encoding *e = &encodings[i];
        int64_t (*fn)(int64_t) = (int64_t(*)(int64_t))(code + 16 * i);

        if (!fits(e, term))
            continue;

        long long result = fn(1);

        printf("%2zu bytes  %-32s %lld\n",
               e->before_len + e->term_len + e->after_len, e->text, result);
    }
    munmap(code, size);
    return 0;
}
