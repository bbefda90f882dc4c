/* SPDX-License-Identifier: MIT */
/* check.c - checks exercise 02. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

void encode_add(uint8_t *code, unsigned to, unsigned from);

static const char *const names[] = {
    "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi",
    "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15",
};

/* What a field of a byte is for: its highest bit, its width, its name. */
struct field {
    int byte, shift, width;
    const char *name;
};

static const struct field fields[] = {
    {0, 4, 4, "the upper half of REX"},
    {0, 3, 1, "REX.W"},
    {0, 2, 1, "REX.R"},
    {0, 1, 1, "REX.X"},
    {0, 0, 1, "REX.B"},
    {1, 0, 8, "the opcode"},
    {2, 6, 2, "mod"},
    {2, 3, 3, "reg"},
    {2, 0, 3, "rm"},
};

static void print_bits(unsigned value, int width)
{
    for (int bit = width - 1; bit >= 0; bit--)
        putchar(value >> bit & 1 ? '1' : '0');
}

/* Says why the field of that name is what it is in `add to, from`. */
static void print_why(const char *name, unsigned to, unsigned from)
{
    if (strcmp(name, "REX.R") == 0)
        printf("REX.R is the upper bit of reg, and reg is %s = %u.\n",
               names[from], from);
    else if (strcmp(name, "REX.B") == 0)
        printf("REX.B is the upper bit of rm, and rm is %s = %u.\n", names[to],
               to);
    else if (strcmp(name, "REX.W") == 0)
        printf("Without REX.W this is a 32-bit operation.\n");
    else if (strcmp(name, "reg") == 0)
        printf("reg is the register that is added, %s = %u.\n", names[from],
               from);
    else if (strcmp(name, "rm") == 0)
        printf("rm is the register that is changed, %s = %u.\n", names[to], to);
    else if (strcmp(name, "mod") == 0)
        printf("With mod=11 rm is a register.\n");
    else
        printf("That does not depend on the registers.\n");
}

static int check_add(unsigned to, unsigned from)
{
    uint8_t code[4] = {0, 0, 0, 0xee};
    const uint8_t right[] = {
        (uint8_t)(0x48 + from / 8 * 4 + to / 8),
        0x01,
        (uint8_t)(0xc0 + from % 8 * 8 + to % 8),
    };

    encode_add(code, to, from);
    printf("add %s, %s: %02x %02x %02x", names[to], names[from], code[0],
           code[1], code[2]);
    if (code[3] != 0xee) {
        printf("\nThe instruction has three bytes, but you stored a fourth, "
               "0x%02x.\n",
               code[3]);
        return 1;
    }
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        const struct field *f = &fields[i];
        unsigned mask = (1u << f->width) - 1;
        unsigned is = code[f->byte] >> f->shift & mask;
        unsigned should = right[f->byte] >> f->shift & mask;

        if (is == should)
            continue;
        printf("\nByte %d: %s is ", f->byte, f->name);
        print_bits(is, f->width);
        printf(", but it should be ");
        print_bits(should, f->width);
        printf(".\n");
        print_why(f->name, to, from);
        return 1;
    }
    printf("  right\n");
    return 0;
}

int main(void)
{
    static const struct {
        unsigned to, from;
    } pairs[] = {
        {0, 7}, {0, 6},   {2, 6},  {7, 0},  {3, 3},  {0, 8},
        {9, 1}, {12, 13}, {15, 8}, {4, 15}, {13, 5},
    };

    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        if (check_add(pairs[i].to, pairs[i].from) != 0)
            return 1;
    return 0;
}
