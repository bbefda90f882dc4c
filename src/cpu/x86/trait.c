/* SPDX-License-Identifier: MIT */
#include "cpu/trait.h"

#include <string.h>

#include "cpu/touch.h"

static bool begins(const struct insn *insn, const char *text)
{
    return strncmp(insn->mnemonic, text, strlen(text)) == 0;
}

/* Whether the mnemonic is one of these words. */
static bool is_one_of(const struct insn *insn, const char *words)
{
    const size_t length = strlen(insn->mnemonic);

    for (const char *at = words; (at = strstr(at, insn->mnemonic)); at++)
        if ((at == words || at[-1] == ' ') &&
            (at[length] == ' ' || at[length] == 0))
            return true;
    return false;
}

static bool is_register(const struct insn *insn, uint8_t i, enum reg reg)
{
    return i < insn->operand_count &&
           insn->operands[i].kind == OPERAND_REGISTER &&
           insn->operands[i].reg == reg;
}

/* The immediate of an instruction of two operands that leaves no choice. */
static bool is_given(const struct insn *insn, int64_t value)
{
    return insn->operand_count > 1 &&
           insn->operands[1].kind == OPERAND_IMMEDIATE &&
           insn->operands[1].immediate == value;
}

static bool idles(const struct insn *insn)
{
    const struct insn_operand *first = insn->operands;

    if (insn->operand_count == 0)
        return false;
    if (is_one_of(insn, "test") && (first->kind == OPERAND_MEMORY ||
                                    insn->operands[1].kind == OPERAND_MEMORY))
        return true;
    if (is_one_of(insn, "or add sub xor") && is_given(insn, 0) &&
        first->kind == OPERAND_MEMORY)
        return true;
    if (begins(insn, "pcmpeq") && insn->operand_count > 1 &&
        first->vector == insn->operands[1].vector)
        return true;
    return is_one_of(insn, "nop endbr64 prefetcht0 prefetchnta prefetchw") ||
           (is_one_of(insn, "or") && is_given(insn, -1)) ||
           (is_one_of(insn, "and") && is_given(insn, 0)) ||
           (is_one_of(insn, "sbb") && first->kind == OPERAND_REGISTER &&
            is_register(insn, 1, first->reg));
}

const enum reg insn_dividend_high = X86_RDX;

/* Beside conversions. Those with VEX take the upper part from their second
 * operand, those without from the first (SDM vol. 2, SQRTSD). */
#define MERGES     "sqrtss sqrtsd roundss roundsd rcpss rsqrtss"
#define VEX_MERGES "vsqrtss vsqrtsd vroundss vroundsd vrcpss vrsqrtss"

#define SINGLES "addss subss mulss divss sqrtss minss maxss "
#define DOUBLES "addsd subsd mulsd divsd sqrtsd minsd maxsd "

void insn_traits(const struct insn *insn, struct insn_trait *out)
{
    const struct insn_operand *first = insn->operands;
    const bool some = insn->operand_count > 0;
    struct insn_touch touch;

    insn_touches(insn, &touch);
    *out = (struct insn_trait){
        .compares = is_one_of(insn, "cmp test comiss comisd ucomiss ucomisd "
                                    "vcomiss vcomisd vucomiss vucomisd bt"),
        .clears = is_one_of(insn, "xor sub") && some &&
                  first->kind == OPERAND_REGISTER &&
                  is_register(insn, 1, first->reg),
        .on_stack = is_one_of(insn, "add sub") && is_register(insn, 0, X86_RSP),
        .moves = begins(insn, "mov") || begins(insn, "vmov") ||
                 is_one_of(insn, "push pop leave xchg cbw cwde cdqe"),
        .idles = idles(insn),
        .packs = is_one_of(insn, "shl shr sar rol ror or and"),
        .merges = begins(insn, "cvt") || is_one_of(insn, MERGES)        ? 0
                  : begins(insn, "vcvt") || is_one_of(insn, VEX_MERGES) ? 1
                                                                        : -1,
        .extends = is_one_of(insn, "cwd cdq cqo"),
        .single = is_one_of(insn, SINGLES "cvtsi2ss cvtsd2ss"),
        .twice = is_one_of(insn, DOUBLES "cvtsi2sd cvtss2sd"),
        .reads_single =
            is_one_of(insn, SINGLES "comiss ucomiss cvtss2si cvttss2si"),
        .reads_twice =
            is_one_of(insn, DOUBLES "comisd ucomisd cvtsd2si cvttsd2si"),
        .asks = insn->kind == INSN_SYSCALL ||
                is_one_of(insn, "rdtsc rdtscp rdrand rdseed rdpid rdpmc cpuid "
                                "xgetbv"),
    };
    out->sets_byte = begins(insn, "set") && some && first->bits == 8 &&
                     first->kind == OPERAND_REGISTER;
    out->decides = touch.read >> X86_RFLAGS & 1 &&
                   (insn->kind == INSN_BRANCH || begins(insn, "set") ||
                    begins(insn, "cmov"));
}

bool insn_divides(const struct insn *insn, struct insn_division *out)
{
    if (!is_one_of(insn, "div idiv") || insn->operand_count == 0 ||
        insn->operands[0].bits < 32)
        return false;
    *out = (struct insn_division){.high = X86_RDX,
                                  .low = X86_RAX,
                                  .bits = insn->operands[0].bits,
                                  .is_signed = begins(insn, "idiv")};
    return true;
}

bool insn_cuts_count(const struct insn *insn, unsigned *count, unsigned *taken)
{
    if (!is_one_of(insn, "shl shr sar sal rol ror") ||
        insn->operand_count < 2 || insn->operands[1].kind != OPERAND_IMMEDIATE)
        return false;
    *count = (uint8_t)insn->operands[1].immediate;
    *taken = *count & (insn->operands[0].bits == 64 ? 63 : 31);
    return *count != *taken;
}

enum reg insn_count_register(const struct insn *insn)
{
    const struct insn_operand *count = &insn->operands[1];

    return is_one_of(insn, "shl shr sar sal rol ror") &&
                   insn->operand_count > 1 && !count->hidden &&
                   count->kind == OPERAND_REGISTER && count->bits == 8
               ? count->reg
               : REG_NONE;
}

static uint64_t compute(const char *mnemonic, uint64_t a, uint64_t b)
{
    switch (mnemonic[0]) {
    case 'm': /* mov */
        return b;
    case 'a':
        return mnemonic[1] == 'd' ? a + b : a & b;
    case 's': /* sub */
        return a - b;
    case 'i': /* imul */
        return a * b;
    case 'o': /* or */
        return a | b;
    default: /* xor */
        return a ^ b;
    }
}

bool insn_cuts_result(const struct insn *insn, const struct regs *before,
                      uint64_t *whole)
{
    const struct insn_operand *to = &insn->operands[0], *from = to + 1;
    const bool is_move = is_one_of(insn, "mov");
    bool is_wide = false;
    uint64_t values[2];

    if (!(is_move || is_one_of(insn, "add sub and or xor imul")) ||
        insn->operand_count < 2 || from->hidden ||
        (insn->operand_count > 2 && !insn->operands[2].hidden))
        return false;
    for (int i = 0; i < 2; i++) {
        const struct insn_operand *operand = &insn->operands[i];

        if (operand->kind == OPERAND_IMMEDIATE && i == 1) {
            values[i] = (uint64_t)operand->immediate;
            continue;
        }
        if (operand->kind != OPERAND_REGISTER || operand->bits != 32 ||
            operand->reg >= REG_GENERAL)
            return false;
        values[i] = before->value[operand->reg];
        is_wide |= values[i] >> 32 != 0 && !(is_move && i == 0);
    }
    *whole = compute(insn->mnemonic, values[0], values[1]);
    return is_wide && *whole >> 32 != 0;
}

bool insn_keeps_all(const struct insn *insn)
{
    return is_one_of(insn, "and") && is_given(insn, -1) &&
           insn->operands[0].bits > 8;
}
