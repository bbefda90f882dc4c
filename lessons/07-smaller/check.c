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
    "here is the ModRM byte, mod reg rm", /* check_modrm() says more */
    "the only byte of the disp8 comes here, the lowest one of disp",
    "the function needs a ret right behind the disp8",
};

static const char *bits(unsigned value, int width, char *text)
{
    for (int i = 0; i < width; i++)
        text[i] = value >> (width - 1 - i) & 1 ? '1' : '0';
    text[width] = '\0';
    return text;
}

/* Says which field of the short form's ModRM byte is wrong. */
static bool check_modrm(uint8_t modrm)
{
    static const char *const mods[] = {
        "mod 00 says that no displacement follows, and a disp8 does: mod 01",
        NULL,
        "mod 10 says that a disp32 follows, four bytes; with mod 01 it is one",
        "mod 11 says that rm is a register and nothing is added; [rdi+disp8] "
        "has mod 01",
    };
    const unsigned mod = modrm >> 6, reg = modrm >> 3 & 7, rm = modrm & 7;
    char text[3][4];

    if (modrm == 0x47 || modrm == UNTOUCHED)
        return true;
    say("byte 2, the ModRM byte, is 0x%02x: mod %s, reg %s, rm %s;", modrm,
        bits(mod, 2, text[0]), bits(reg, 3, text[1]), bits(rm, 3, text[2]));
    if (mod != 1)
        say("%s", mods[mod]);
    else if (reg != 0)
        say("reg is the register that is set: rax, 000");
    else
        say("rm is the register that the disp8 is added to: rdi, 111");
    return false;
}

/* Encodes into a buffer of UNTOUCHED bytes, so that gaps are seen. */
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

    memset(code, UNTOUCHED, sizeof code);
    len = encode(code, term);
    if (len != right) {
        say("encode(code, %d) returned %zu, not %zu", term, len, right);
        if (fits && code[0] == 0x8d)
            say("without REX.W the sum has 32 bits, and 64 are asked for");
        else if (fits && len == 4)
            say("does the ret count? it is the fifth byte");
        else if (len == 8 && code[2] == 0x47)
            say("what was stored is the short form, and that has five bytes");
        else if (len == 8)
            say("%d fits into 8 bits: the short form is enough", term);
        else if (len == 5)
            say("as a disp8, 0x%02x, it would be %d: that needs the long form",
                (unsigned)(uint8_t)disp, (int8_t)disp);
        return false;
    }
    if (!check_bytes(code, fits ? right5 : right8, fits ? 2 : right,
                     fits ? short_form : long_form) ||
        (fits && (!check_modrm(code[2]) ||
                  !check_bytes(code, right5, right, short_form)))) {
        say("that was encode(code, %d)", term);
        return false;
    }
    for (size_t i = right; i < sizeof code; i++) {
        if (code[i] != UNTOUCHED) {
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
            return failed();
    for (size_t i = 0; i < sizeof terms / sizeof *terms; i++)
        if (!check_call(terms[i]))
            return failed();
    say("short where that is enough, and x + TERM is right for each TERM");
    return passed();
}
