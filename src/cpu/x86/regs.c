/* SPDX-License-Identifier: MIT */
#include "cpu/regs.h"

#include <ctype.h>

#include "base/mem.h"

const enum reg reg_argument[REG_ARGUMENTS] = {X86_RDI, X86_RSI, X86_RDX,
                                              X86_RCX, X86_R8,  X86_R9};

static const char *const names[REG_COUNT] = {
#define REGISTER(id, name) [X86_##id] = name,
#include "cpu/regs.def"
};

/* In the order that a reader sees. Bits: Intel SDM vol. 1, figure 3-8. */
static const struct {
    const char *name;
    unsigned bit;
} flags[] = {
    {"CF", 0}, {"PF", 2},  {"AF", 4},  {"ZF", 6},
    {"SF", 7}, {"OF", 11}, {"DF", 10}, {"TF", 8},
};
#define FLAGS (sizeof flags / sizeof *flags)

const char *reg_name(enum reg reg)
{
    BUG_UNLESS(reg < REG_COUNT);
    return names[reg];
}

enum reg reg_find(const char *name)
{
    for (int reg = 0; reg < REG_COUNT; reg++)
        if (!strcmp(names[reg], name))
            return (enum reg)reg;
    return REG_NONE;
}

/* r8 to r15 are numbered and take a suffix; the old eight change their name. */
void reg_part_name(enum reg reg, unsigned bits, bool high, struct buf *out)
{
    const char *name = reg_name(reg);
    bool lettered = name[0] == 'r' && name[2] == 'x';

    if (name[0] == 'r' && isdigit((unsigned char)name[1]))
        buf_printf(out, "%s%s", name,
                   bits == 8    ? "b"
                   : bits == 16 ? "w"
                   : bits == 32 ? "d"
                                : "");
    else if (reg > X86_RSP || (bits != 8 && bits != 16 && bits != 32))
        buf_append_text(out, name);
    else if (bits == 8 && lettered)
        buf_printf(out, "%c%c", name[1], high ? 'h' : 'l');
    else
        buf_printf(out, "%s%s%s", bits == 32 ? "e" : "", name + 1,
                   bits == 8 ? "l" : "");
}

unsigned reg_part_find(const char *name, enum reg *out)
{
    unsigned found = 0;
    struct buf part = {0};

    for (int reg = 0; reg < REG_GENERAL && !found; reg++)
        for (unsigned bits = 8; bits <= 64 && !found; bits *= 2) {
            buf_clear(&part);
            reg_part_name((enum reg)reg, bits, false, &part);
            if (strcmp(buf_text(&part), name) == 0) {
                *out = (enum reg)reg;
                found = bits;
            }
        }
    buf_release(&part);
    return found;
}

enum reg reg_beside_high(enum reg reg)
{
    switch (reg) {
    case X86_RAX:
        return X86_RSP;
    case X86_RCX:
        return X86_RBP;
    case X86_RDX:
        return X86_RSI;
    case X86_RBX:
        return X86_RDI;
    default:
        return REG_NONE;
    }
}

size_t regs_diff(const struct regs *before, const struct regs *after,
                 struct reg_change *out)
{
    size_t count = 0;

    for (int reg = 0; reg < REG_COUNT; reg++)
        if (reg != REG_PC && before->value[reg] != after->value[reg])
            out[count++] = (struct reg_change){
                (enum reg)reg, before->value[reg], after->value[reg]};
    return count;
}

void flags_describe(uint64_t value, struct buf *out)
{
    const char *separator = "";

    for (size_t i = 0; i < FLAGS; i++)
        if (value >> flags[i].bit & 1) {
            buf_printf(out, "%s%s", separator, flags[i].name);
            separator = " ";
        }
    if (!*separator)
        buf_append_text(out, "none");
}

uint64_t flag_find(const char *name)
{
    for (size_t i = 0; i < FLAGS; i++)
        if (!strcasecmp(flags[i].name, name))
            return UINT64_C(1) << flags[i].bit;
    return 0;
}
