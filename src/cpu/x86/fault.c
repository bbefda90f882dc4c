/* SPDX-License-Identifier: MIT */
#include "cpu/fault.h"

#include <string.h>

#include "cpu/x86/tell.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static bool is_one_of(const struct insn *insn, const char *const *names,
                      size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(insn->mnemonic, names[i]) == 0)
            return true;
    return false;
}

/* --- division ------------------------------------------------------------ */

/* The dividend and the divisor as the numbers that they stand for. */
struct numbers {
    unsigned bits;
    bool is_signed;
    __int128 divisor;
    __int128 lower;             /* the lower half of the dividend alone */
    unsigned __int128 dividend; /* its bits */
};

static struct numbers numbers_of(const struct insn *insn,
                                 const struct regs *regs)
{
    const struct insn_operand *divisor = &insn->operands[0];
    struct numbers numbers = {.bits = divisor->bits,
                              .is_signed = insn->mnemonic[0] == 'i'};

    numbers.divisor = wide_extend(operand_part(divisor, regs), numbers.bits,
                                  numbers.is_signed);
    numbers.lower =
        wide_extend(value_truncate(regs->value[X86_RAX], numbers.bits),
                    numbers.bits, numbers.is_signed);
    numbers.dividend = wide_value(regs, numbers.bits);
    return numbers;
}

bool fault_division(const struct insn *insn, const struct regs *regs,
                    struct fault_division *out)
{
    static const char *const names[] = {"div", "idiv"};
    struct numbers numbers;

    *out = (struct fault_division){0};
    if (!is_one_of(insn, names, COUNT(names)))
        return false;
    out->divisor = &insn->operands[0];
    out->upper = out->divisor->bits == 8 ? X86_RAX : X86_RDX;
    out->known = operand_is_register(out->divisor);
    if (!out->known)
        return true;
    numbers = numbers_of(insn, regs);
    out->is_zero = numbers.divisor == 0;
    out->stale_half =
        !out->is_zero && wide_extend(numbers.dividend, 2 * numbers.bits,
                                     numbers.is_signed) != numbers.lower;
    return true;
}

void fault_division_text(const struct insn *insn, const struct regs *regs,
                         struct buf *out)
{
    struct numbers numbers = numbers_of(insn, regs);

    wide_describe(numbers.dividend, 2 * numbers.bits, numbers.is_signed, out);
    buf_append_text(out, " / ");
    wide_describe((unsigned __int128)numbers.divisor, numbers.bits,
                  numbers.is_signed, out);
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
    bool is_signed = insn->mnemonic[0] == 'i';

    switch (insn->operands[0].bits) {
    case 8:
        return is_signed ? "by cbw" : "by movzx eax, al";
    case 16:
        return is_signed ? "by cwd" : "by xor edx, edx";
    case 32:
        return is_signed ? "by cdq" : "by xor edx, edx";
    default:
        return is_signed ? "by cqo" : "by xor edx, edx";
    }
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

/* Intel SDM vol. 3, 5.9: instructions that need privilege level 0, or, like
 * in and out, a permission that user space does not have. */
static bool is_privileged(const struct insn *insn)
{
    static const char *const names[] = {
        "hlt",    "cli",    "sti",   "in",    "out",   "insb",   "insd",
        "insw",   "outsb",  "outsd", "outsw", "rdmsr", "wrmsr",  "lgdt",
        "lidt",   "lldt",   "ltr",   "clts",  "invd",  "wbinvd", "invlpg",
        "swapgs", "sysret", "rdpmc", "lmsw",
    };

    return is_one_of(insn, names, COUNT(names));
}

enum fault_protection fault_protection(const struct insn *insn,
                                       const struct regs *regs,
                                       struct insn_access *access)
{
    struct insn_access list[4];
    size_t count = insn_accesses(insn, regs, list, COUNT(list));

    if (is_privileged(insn))
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
