/* SPDX-License-Identifier: MIT */
#include "../check.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void encode_term(uint8_t *code, int32_t term);

static bool check_term(uint8_t *code, int32_t term)
{
    uint32_t imm = (uint32_t)term;
    const uint8_t expected[] = {
        0x48,
        0xc7,
        0xc0,
        imm & 0xff,
        imm >> 8 & 0xff,
        imm >> 16 & 0xff,
        imm >> 24,
        0xc3,
        UNTOUCHED,
    };
    const char *meaning[] = {
        "mov rax, TERM begins with a REX prefix, as it did",
        "the opcode of mov was right as it was",
        "the ModRM byte of mov was right as it was",
        "the lowest byte of the term comes first",
        "here come bits 15 to 8 of the term",
        "here come bits 23 to 16 of the term",
        "the highest byte of the term comes last",
        "the ret behind the term was right as it was",
        "the function has 8 bytes, so nothing is to be stored here",
    };

    memset(code, UNTOUCHED, sizeof expected);
    encode_term(code, term);
    say("term %d = 0x%08x: bytes 3 to 6 are %02x %02x %02x %02x", term, imm,
        code[3], code[4], code[5], code[6]);
    if (term < 0 && code[3] != expected[3] && code[3] == (uint8_t)-imm) {
        say("byte 3 is 0x%02x, as for the term %d; below zero it is 2^32 - %d "
            "that is stored",
            code[3], -term, -term);
        return false;
    }
    return check_bytes(code, expected, sizeof expected, meaning);
}

int main(void)
{
    static const int32_t terms[] = {
        -4, 1, 300, -300, 0x12345678, -1, 0, INT32_MAX, INT32_MIN,
    };
    size_t size = (size_t)getpagesize();
    uint8_t *code = mmap(NULL, size, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (code == MAP_FAILED) {
        perror("mmap");
        return failed();
    }
    for (size_t i = 0; i < sizeof terms / sizeof *terms; i++)
        if (!check_term(code, terms[i]))
            return failed();

    /* The last one is run, too. */
    if (mprotect(code, size, PROT_READ | PROT_EXEC) < 0) {
        perror("mprotect");
        return failed();
    }
    if (!check_int("fn()", ((int64_t(*)(void))code)(), INT32_MIN))
        return failed();
    say("all terms are right, also the lowest there is");
    return passed();
}
