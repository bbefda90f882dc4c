/* SPDX-License-Identifier: MIT */
/*
 * Which memory an instruction is about to touch, from its operands and the
 * registers. Most operands say it plainly; the exceptions are
 *
 *   push, call   write below where rsp points before
 *   pop [rsp+n]  computes its address after rsp was raised (SDM vol. 2, POP)
 *   enter        copies frame pointers, if asked to
 *   bt [m], reg  the register is a distance in bits, of any size
 *   xlat         adds al, which is not in the operand
 */
#include "cpu/insn.h"

#include "cpu/x86/tell.h"

bool insn_is(const struct insn *insn, const char *mnemonics)
{
    while (*mnemonics) {
        size_t len = strcspn(mnemonics, " *");

        if (!strncmp(insn->mnemonic, mnemonics, len) &&
            (mnemonics[len] == '*' || !insn->mnemonic[len]))
            return true;
        mnemonics += len;
        mnemonics += strspn(mnemonics, " *");
    }
    return false;
}

bool insn_goes_on(const struct insn *insn)
{
    return insn->kind != INSN_JUMP && insn->kind != INSN_RETURN &&
           insn->kind != INSN_TRAP && !insn_is(insn, "int3 ud0 ud1 ud2 hlt");
}

bool insn_are_prefixes(const struct insn *insn, uint64_t length)
{
    for (uint8_t i = 0; i < insn->field_count; i++)
        if (insn->fields[i].kind != FIELD_PREFIX)
            return length <= insn->fields[i].offset;
    return false;
}

const struct insn_field *insn_distance(const struct insn *insn)
{
    for (uint8_t i = 0; i < insn->field_count; i++)
        if (insn->fields[i].is_relative)
            return &insn->fields[i];
    return NULL;
}

uint64_t insn_register(const struct insn *insn, const struct regs *regs,
                       enum reg reg)
{
    if (reg == X86_RIP)
        return insn->addr + insn->length;
    return reg == REG_NONE ? 0 : regs->value[reg];
}

uint64_t insn_address(const struct insn *insn,
                      const struct insn_operand *operand,
                      const struct regs *regs)
{
    uint64_t addr = (uint64_t)operand->displacement;

    addr += insn_register(insn, regs, operand->base);
    addr += insn_register(insn, regs, operand->index) * operand->scale;
    if (insn_is(insn, "xlat"))
        addr += (uint8_t)regs->value[X86_RAX];
    if (operand->address_bits == 32)
        addr = (uint32_t)addr;
    return addr + insn_register(insn, regs, operand->segment);
}

/* bt, bts, btr, btc with a register: the signed distance, in whole operands,
 * is added to the address (SDM vol. 2, BT). */
static uint64_t bit_string_offset(const struct insn *insn,
                                  const struct insn_operand *operand,
                                  const struct regs *regs)
{
    const struct insn_operand *bit = &insn->operands[1];
    unsigned bits = operand->bits;
    int64_t distance;

    if (!insn_is(insn, "bt bts btr btc") || bit->kind != OPERAND_REGISTER)
        return 0;
    distance = (int64_t)(regs->value[bit->reg] << (64 - bits)) >> (64 - bits);
    return (uint64_t)(distance & -(int64_t)bits) / 8 |
           (distance < 0 ? ~(UINT64_MAX >> 3) : 0);
}

/* enter size, level: pushes rbp; with a level, also level - 1 frame pointers
 * that it reads below rbp, and the new frame pointer (SDM vol. 2, ENTER). */
static size_t enter_accesses(const struct insn *insn, const struct regs *regs,
                             struct insn_access *out, size_t max)
{
    const unsigned width = insn->operands[2].bits == 16 ? 2 : 8;
    const unsigned level = (unsigned)insn->operands[1].immediate % 32;
    const unsigned copied = level ? (level - 1) * width : 0;
    const unsigned pushed = width + copied + (level ? width : 0);
    const struct insn_access list[] = {
        {regs->value[X86_RSP] - pushed, pushed, false, true},
        {regs->value[X86_RBP] - copied, copied, true, false},
    };
    /* What it has just pushed itself is not what is there before it. */
    const bool reads_own = list[1].addr < regs->value[X86_RSP] &&
                           list[0].addr < regs->value[X86_RBP];
    size_t count = copied && !reads_own ? 2 : 1;

    if (count > max)
        count = max;
    memcpy(out, list, count * sizeof *out);
    return count;
}

size_t insn_accesses(const struct insn *insn, const struct regs *regs,
                     struct insn_access *out, size_t max)
{
    size_t count = 0;

    if (insn_is(insn, "enter"))
        return enter_accesses(insn, regs, out, max);
    if (insn->repeated &&
        !value_truncate(regs->value[X86_RCX], insn_counter_bits(insn)))
        return 0;
    for (uint8_t i = 0; i < insn->operand_count && count < max; i++) {
        const struct insn_operand *operand = &insn->operands[i];
        uint32_t size = (operand->bits + 7u) / 8;
        uint64_t addr = insn_address(insn, operand, regs);

        if (operand->kind != OPERAND_MEMORY || !size)
            continue;
        if (operand->base == X86_RSP && operand->hidden && operand->written)
            addr -= size;
        else if (operand->base == X86_RSP && !operand->hidden &&
                 insn_is(insn, "pop"))
            addr += size;
        addr += bit_string_offset(insn, operand, regs);
        out[count++] =
            (struct insn_access){addr, size, operand->read, operand->written};
    }
    return count;
}
