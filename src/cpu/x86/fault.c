/* SPDX-License-Identifier: MIT */
#include "cpu/fault.h"

#include "cpu/x86/tell.h"

/* --- division ------------------------------------------------------------ */

bool fault_division(const struct insn *insn, const struct regs *regs,
                    struct fault_division *out)
{
    const struct insn_operand *divisor = &insn->operands[0];
    const unsigned bits = divisor->bits;
    const bool is_signed = insn->mnemonic[0] == 'i';

    *out = (struct fault_division){0};
    if (!insn_is(insn, "div idiv"))
        return false;
    out->divisor = divisor;
    out->upper = bits == 8 ? X86_RAX : X86_RDX;
    out->known = operand_is_register(divisor);
    if (!out->known)
        return true;
    out->is_zero = operand_part(divisor, regs) == 0;
    out->stale_half =
        !out->is_zero &&
        wide_extend(wide_value(regs, bits), 2 * bits, is_signed) !=
            wide_extend(value_truncate(regs->value[X86_RAX], bits), bits,
                        is_signed);
    return true;
}

void fault_division_text(const struct insn *insn, const struct regs *regs,
                         struct buf *out)
{
    const struct insn_operand *divisor = &insn->operands[0];
    const bool is_signed = insn->mnemonic[0] == 'i';

    wide_describe(wide_value(regs, divisor->bits), 2 * divisor->bits, is_signed,
                  out);
    buf_append_text(out, " / ");
    wide_describe(operand_part(divisor, regs), divisor->bits, is_signed, out);
}

void fault_division_halves(const struct insn *insn, struct buf *upper,
                           struct buf *lower)
{
    unsigned bits = insn->operands[0].bits;

    reg_part_name(bits == 8 ? X86_RAX : X86_RDX, bits, bits == 8, upper);
    reg_part_name(X86_RAX, bits, false, lower);
}

/* Intel SDM vol. 2, CWD/CDQ/CQO and CBW */
const char *fault_division_extension(const struct insn *insn)
{
    static const char *const extensions[] = {
        [1] = "by cbw", [2] = "by cwd", [4] = "by cdq", [8] = "by cqo"};
    unsigned size = insn->operands[0].bits / 8;

    if (insn->mnemonic[0] == 'i')
        return extensions[size];
    return size == 1 ? "by movzx eax, al" : "by xor edx, edx";
}

/* --- memory -------------------------------------------------------------- */

const struct insn_operand *fault_operand(const struct insn *insn,
                                         const struct regs *regs, uint64_t addr)
{
    for (uint8_t i = 0; i < insn->operand_count; i++) {
        const struct insn_operand *operand = &insn->operands[i];
        uint64_t start, size = (operand->bits + 7u) / 8;

        if (operand->kind != OPERAND_MEMORY)
            continue;
        start = insn_address(insn, operand, regs);
        if (operand->hidden && operand->written && operand->base == REG_STACK)
            start -= size;
        if (addr - start < size)
            return operand;
    }
    return NULL;
}

/* A write to 32 bits clears the others (Intel SDM vol. 1, 3.4.1.1). */
bool insn_sets(const struct insn *insn, enum reg reg)
{
    const struct insn_operand *list = insn->operands;

    for (uint8_t i = 0; i < insn->operand_count; i++)
        if (list[i].kind == OPERAND_REGISTER && list[i].reg == reg &&
            list[i].written && !list[i].conditional && list[i].bits >= 32)
            return !list[i].read ||
                   (insn_is(insn, "xor sub") && operand_is_register(&list[1]) &&
                    operand_is_same(&list[0], &list[1]));
    return false;
}

bool insn_writes(const struct insn *insn, enum reg reg)
{
    for (uint8_t i = 0; i < insn->operand_count; i++)
        if (insn->operands[i].kind == OPERAND_REGISTER &&
            insn->operands[i].reg == reg && insn->operands[i].written)
            return true;
    return false;
}

bool insn_may_give(const struct insn *insn, enum reg reg, uint64_t value)
{
    const struct insn_operand *from = &insn->operands[1];

    if (!insn_sets(insn, reg))
        return true;
    if (insn_is(insn, "xor sub"))
        return value == 0;
    if (!insn_is(insn, "mov") || from->kind != OPERAND_IMMEDIATE)
        return true;
    return insn->operands[0].bits == 32 ? value == (uint32_t)from->immediate
                                        : value == (uint64_t)from->immediate;
}

#define DIRECTION_FLAG 0x400u

bool fault_is_down(uint64_t flags)
{
    return flags & DIRECTION_FLAG;
}

bool fault_goes_down(const struct insn *insn, const struct regs *regs)
{
    return fault_is_down(regs->value[X86_RFLAGS]) &&
           insn->operand_count > 1 && /* not the movsd of vectors */
           insn_is(insn, "movsb movsw movsd movsq stosb stosw stosd stosq "
                         "lodsb lodsw lodsd lodsq scasb scasw scasd scasq "
                         "cmpsb cmpsw cmpsd cmpsq") &&
           (insn->operands[0].kind == OPERAND_MEMORY ||
            insn->operands[1].kind == OPERAND_MEMORY) &&
           !insn->mandatory_prefix;
}

enum fault_protection fault_protection(const struct insn *insn,
                                       const struct regs *regs,
                                       struct insn_access *access)
{
    /* Intel SDM vol. 3, 5.9: instructions that need privilege level 0, or, like
     * in and out, a permission that user space does not have. */
    struct insn_access list[4];
    size_t count = insn_accesses(insn, regs, list, sizeof list / sizeof *list);

    /* Intel SDM vol. 3, 5.9: instructions that need privilege level 0, or, like
     * in and out, a permission that user space does not have. */
    if (insn_is(insn, "hlt cli sti in out insb insd insw outsb outsd outsw "
                      "rdmsr wrmsr lgdt lidt lldt ltr clts invd wbinvd invlpg "
                      "swapgs sysret rdpmc lmsw"))
        return FAULT_PRIVILEGED;
    for (size_t i = 0; i < count; i++) {
        *access = list[i];
        if ((uint64_t)((int64_t)(access->addr << 16) >> 16) != access->addr)
            return FAULT_NOT_CANONICAL;
    }
    for (size_t i = 0; i < count; i++) {
        *access = list[i];
        if (access->size >= 16 && access->size <= 64 &&
            access->addr % access->size)
            return FAULT_MISALIGNED;
    }
    return FAULT_UNCLEAR;
}

/* --- bytes --------------------------------------------------------------- */

size_t fault_bad_length(const uint8_t *code, size_t len)
{
    struct insn insn;

    for (size_t i = 1; i <= len; i++) {
        int decoded = insn_decode(code, i, 0, &insn);

        if (decoded != 0)
            return decoded < 0 ? i : 0;
    }
    return 0;
}
