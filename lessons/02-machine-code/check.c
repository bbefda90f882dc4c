/* SPDX-License-Identifier: MIT */
#include "../check.h"
#include "../names.h"

#include <string.h>

void encode_add(uint8_t *code, unsigned to, unsigned from);

static const char *const names[] = {
    "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
    "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15",
};

static const struct field {
    const char *name;
    int byte, shift, width;
    const char *meaning;
} fields[] = {
    {"the upper half of REX", 0, 4, 4, "all REX prefixes begin with 0100"},
    {"REX.W", 0, 3, 1, "without it this is a 32-bit operation"},
    {"REX.R", 0, 2, 1,
     "it is the upper bit of reg, the register that is added"},
    {"REX.X", 0, 1, 1, "it is for an index, and there is none here"},
    {"REX.B", 0, 0, 1,
     "it is the upper bit of rm, the register that is changed"},
    {"the opcode", 1, 0, 8,
     "01, which adds reg to rm, is right for all registers"},
    {"mod", 2, 6, 2, "11 says that rm is a register"},
    {"reg", 2, 3, 3, "it names the register that is added"},
    {"rm", 2, 0, 3, "it names the register that is changed"},
};

/* The lowest bits of value in digits, the highest of them first. */
static const char *bits(unsigned value, int width, char *text)
{
    for (int i = 0; i < width; i++)
        text[i] = value >> (width - 1 - i) & 1 ? '1' : '0';
    text[width] = '\0';
    return text;
}

/* The other encoding is no error of the registers. */
static void say_name(const uint8_t *code, unsigned to, unsigned from)
{
    char name[NAME_SIZE], wanted[NAME_SIZE];

    snprintf(wanted, sizeof wanted, "add %s, %s", names[to], names[from]);
    if (name_instruction(code, name) != 3)
        return;
    if (strcmp(name, wanted) != 0)
        say("these bytes are %s", name);
    else
        say("these bytes are %s, too, for 03 adds rm to reg; this exercise "
            "keeps 01",
            name);
}

static bool check_add(unsigned to, unsigned from)
{
    uint8_t code[5] = {0, 0, 0, UNTOUCHED, UNTOUCHED};
    const uint8_t expected[] = {
        (uint8_t)(0x48 + from / 8 * 4 + to / 8),
        0x01,
        (uint8_t)(0xc0 + from % 8 * 8 + to % 8),
    };

    encode_add(code, to, from);
    say("add %s, %s: %02x %02x %02x", names[to], names[from], code[0], code[1],
        code[2]);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        const struct field *f = &fields[i];
        unsigned mask = (1u << f->width) - 1;
        unsigned is = code[f->byte] >> f->shift & mask;
        unsigned should = expected[f->byte] >> f->shift & mask;
        char text[9], other[9];

        if (is == should)
            continue;
        say("in byte %d, 0x%02x, %s is %s, not %s:", f->byte, code[f->byte],
            f->name, bits(is, f->width, text), bits(should, f->width, other));
        say("%s", f->meaning);
        say("(%s is number %u = %s, %s is number %u = %s)", names[to], to,
            bits(to, 4, text), names[from], from, bits(from, 4, other));
        say_name(code, to, from);
        return false;
    }
    if (code[3] != UNTOUCHED) {
        say("it has three bytes, but a fourth was stored, 0x%02x", code[3]);
        return false;
    }
    return true;
}

int main(void)
{
    static const struct {
        unsigned to, from;
    } pairs[] = {
        {0, 7}, {0, 6},   {2, 6},  {7, 0},  {3, 3},  {0, 8},
        {9, 1}, {12, 13}, {15, 8}, {4, 15}, {13, 5},
    };

    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (!check_add(pairs[i].to, pairs[i].from))
            return failed();
    say("all registers are where they belong");
    return passed();
}
