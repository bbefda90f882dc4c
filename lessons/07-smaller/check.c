/* SPDX-License-Identifier: MIT */
#include "../check.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

size_t encode(uint8_t *code, int32_t term);

static const char *const long_form[] = {
    "the long form began with a REX prefix, as it should",
    "the opcode of lea was right as it was",
    "the ModRM byte of the long form has mod 10: a disp32 follows",
    "the lowest byte of the term comes first",
    "the second lowest byte of the term comes here",
    "the second highest byte of the term comes here",
    "the highest byte of the term comes last",
    "the function needs a ret",
};

static const char *const short_form[] = {
    "lea of a 64-bit sum begins with a REX prefix that has REX.W set",
    "the opcode of lea is the same in both forms",
    "the ModRM byte is the long form's but for mod: one byte follows",
    "the only byte of the disp8 comes here, the lowest one of disp",
    "the function needs a ret right behind the disp8",
};

/* Encodes into a buffer that is otherwise 0xee, so that gaps are seen. */
static bool check_bytes_of(int32_t term)
{
    uint32_t disp = (uint32_t)term;
    bool fits = term >= INT8_MIN && term <= INT8_MAX;
    const uint8_t right5[] = {0x48, 0x8d, 0x47, (uint8_t)disp, 0xc3};
    const uint8_t right8[] = {
        0x48,
        0x8d,
        0x87,
        (uint8_t)disp,
        (uint8_t)(disp >> 8),
        (uint8_t)(disp >> 16),
        (uint8_t)(disp >> 24),
        0xc3,
    };
    size_t right = fits ? sizeof right5 : sizeof right8;
    uint8_t code[16];
    size_t len;

    memset(code, 0xee, sizeof code);
    len = encode(code, term);
    if (len != right) {
        say("encode(code, %d) returned %zu, not %zu", term, len, right);
        if (fits && code[0] == 0x8d)
            say("without REX.W the sum has 32 bits, and 64 are asked for");
        else if (fits && len == 4)
            say("does the ret count? it is the fifth byte");
        else if (len == 8)
            say("%d fits into 8 bits: the short form is enough", term);
        else if (len == 5)
            say("as a disp8, 0x%02x, it would be %d: that needs the long form",
                (unsigned)(uint8_t)disp, (int8_t)disp);
        return false;
    }
    if (!check_bytes(code, fits ? right5 : right8, right,
                     fits ? short_form : long_form)) {
        say("that was encode(code, %d)", term);
        return false;
    }
    for (size_t i = right; i < sizeof code; i++) {
        if (code[i] != 0xee) {
            say("encode(code, %d) returned %zu, but it also stored byte %zu",
                term, right, i);
            return false;
        }
    }
    return true;
}

/* Runs it: what counts in the end. */
static bool check_call(int32_t term)
{
    size_t size = (size_t)getpagesize();
    uint8_t *code = mmap(NULL, size, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int64_t (*fn)(int64_t) = (int64_t(*)(int64_t))code;
    char what[80];
    bool good;

    if (code == MAP_FAILED) {
        perror("mmap");
        return false;
    }
    encode(code, term);
    if (mprotect(code, size, PROT_READ | PROT_EXEC) < 0) {
        perror("mprotect");
        return false;
    }
    snprintf(what, sizeof what, "-10 + %d", term);
    good = check_int(what, fn(-10), (int64_t)term - 10);
    munmap(code, size);
    return good;
}

int main(void)
{
    static const int32_t terms[] = {1000, 1,    0,    127,       128,      -1,
                                    -128, -129, -256, INT32_MAX, INT32_MIN};

    for (size_t i = 0; i < sizeof terms / sizeof *terms; i++)
        if (!check_bytes_of(terms[i]))
            return 1;
    for (size_t i = 0; i < sizeof terms / sizeof *terms; i++)
        if (!check_call(terms[i]))
            return 1;
    say("short where that is enough, and x + TERM is right for each TERM");
    return 0;
}
