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

#include <string.h>

/* A list that is being filled. */
struct list {
    struct insn_access *out;
    size_t count;
    size_t max;
};

static void add(struct list *list, struct insn_access access)
{
    if (list->count < list->max && access.size)
        list->out[list->count++] = access;
}

static bool is(const struct insn *insn, const char *mnemonic)
{
    return !strcmp(insn->mnemonic, mnemonic);
}

static uint64_t reg_value(const struct insn *insn, const struct regs *regs,
                          enum reg reg)
{
    if (reg == REG_NONE)
        return 0;
    if (reg == X86_RIP)
        return insn->addr + insn->length;
    return regs->value[reg];
}

uint64_t insn_address(const struct insn *insn,
                      const struct insn_operand *operand,
                      const struct regs *regs)
{
    uint64_t addr = (uint64_t)operand->displacement;

    addr += reg_value(insn, regs, operand->base);
    addr += reg_value(insn, regs, operand->index) * operand->scale;
    if (is(insn, "xlat"))
        addr += (uint8_t)regs->value[X86_RAX];
    if (operand->address_bits == 32)
        addr = (uint32_t)addr;
    return addr + reg_value(insn, regs, operand->segment);
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

    if (!(is(insn, "bt") || is(insn, "bts") || is(insn, "btr") ||
          is(insn, "btc")) ||
        bit->kind != OPERAND_REGISTER)
        return 0;
    distance = (int64_t)(regs->value[bit->reg] << (64 - bits)) >> (64 - bits);
    return (uint64_t)(distance & -(int64_t)bits) / 8 |
           (distance < 0 ? ~(UINT64_MAX >> 3) : 0);
}

static void add_operand(const struct insn *insn,
                        const struct insn_operand *operand,
                        const struct regs *regs, struct list *list)
{
    uint32_t size = (operand->bits + 7u) / 8;
    uint64_t addr = insn_address(insn, operand, regs);

    if (operand->base == X86_RSP) {
        if (operand->hidden && operand->written)
            addr -= size;
        else if (!operand->hidden && is(insn, "pop"))
            addr += size;
    }
    addr += bit_string_offset(insn, operand, regs);
    add(list,
        (struct insn_access){addr, size, operand->read, operand->written});
}

/*
 * enter size, level: pushes rbp; with a level, also level - 1 frame pointers
 * that it reads below rbp, and the new frame pointer (SDM vol. 2, ENTER).
 */
static void add_enter(const struct insn *insn, const struct regs *regs,
                      struct list *list)
{
    unsigned width = insn->operands[2].bits == 16 ? 2 : 8;
    unsigned level = (unsigned)insn->operands[1].immediate % 32;
    unsigned copied = level ? (level - 1) * width : 0;
    unsigned pushed = width + copied + (level ? width : 0);

    add(list, (struct insn_access){regs->value[X86_RSP] - pushed, pushed, false,
                                   true});
    add(list, (struct insn_access){regs->value[X86_RBP] - copied, copied, true,
                                   false});
}

/* rcx, or ecx under an address-size prefix, counts the repetitions. */
static bool is_over(const struct insn *insn, const struct regs *regs)
{
    uint64_t count = regs->value[X86_RCX];

    if (!insn->repeated)
        return false;
    return insn->operands[0].address_bits == 32 ? !(uint32_t)count : !count;
}

size_t insn_accesses(const struct insn *insn, const struct regs *regs,
                     struct insn_access *out, size_t max)
{
    struct list list = {out, 0, max};

    if (is(insn, "enter")) {
        add_enter(insn, regs, &list);
        return list.count;
    }
    if (is_over(insn, regs))
        return 0;
    for (uint8_t i = 0; i < insn->operand_count; i++)
        if (insn->operands[i].kind == OPERAND_MEMORY)
            add_operand(insn, &insn->operands[i], regs, &list);
    return list.count;
}
