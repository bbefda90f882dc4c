/* SPDX-License-Identifier: MIT */
/* Sentences on instructions that move a value without computing one. */
#include "cpu/x86/tell.h"

#include <stdlib.h>

/* A vector register is written or read: bytes, as they lie in memory. */
static bool tell_vector_move(const struct step *step,
                             const struct insn_operand *to,
                             const struct insn_operand *from)
{
    bool is_store = to->kind == OPERAND_MEMORY;
    const struct insn_operand *memory = is_store ? to : from;
    uint64_t addr = insn_address(step->insn, memory, step->before);
    const struct mem_access *access =
        is_store ? access_at(step->writes, step->write_count, addr)
                 : access_at(step->reads, step->read_count, addr);
    struct bytes bytes;

    if (memory->kind != OPERAND_MEMORY || !access)
        return false;
    bytes = is_store ? access->new_bytes : access->old_bytes;
    if (!bytes.data)
        return false;
    tell_words(step, is_store ? "stores " : "loads ");
    tell_size(step, bytes.len);
    tell_words(step, is_store ? " at " : " from ");
    tell_address(step, addr);
    tell_words(step, ": ");
    tell_hex(step, bytes);
    return true;
}

static bool tell_store(const struct step *step, const struct insn_operand *to)
{
    uint64_t value;

    if (!operand_after(step, to, &value))
        return false;
    tell_words(step, "stores ");
    tell_value(step, value, to->bits);
    tell_words(step, " at ");
    tell_extent(step, to);
    return true;
}

bool tell_move(const struct step *step, const char *detail)
{
    const struct insn_operand *to = &step->insn->operands[0];
    const struct insn_operand *from = &step->insn->operands[1];

    (void)detail;
    if (insn_visible_operands(step->insn) != 2)
        return false;
    if (to->kind == OPERAND_MEMORY && from->reg != REG_NONE)
        return tell_store(step, to);
    if (to->kind == OPERAND_MEMORY && from->kind == OPERAND_IMMEDIATE)
        return tell_store(step, to);
    if (!operand_is_register(to))
        return tell_vector_move(step, to, from);
    tell_register(step, to);
    tell_words(step, operand_is_same(to, from) ? " stays " : " = ");
    if (operand_is_register(from) && !operand_is_same(to, from)) {
        tell_register(step, from);
        tell_words(step, " = ");
    }
    tell_value(step, operand_part(to, step->after), to->bits);
    if (from->kind == OPERAND_MEMORY) {
        tell_words(step, ", ");
        tell_loaded(step, from);
    }
    return true;
}

/* movzx, movsx, movsxd; detail is "zero" or "sign" */
bool tell_extend(const struct step *step, const char *detail)
{
    const struct insn_operand *to = &step->insn->operands[0];
    const struct insn_operand *from = &step->insn->operands[1];

    tell_register(step, to);
    tell_words(step, " = ");
    tell_value(step, operand_part(to, step->after), to->bits);
    buf_printf(step->out, ", %s-extended from the %u bits ", detail,
               (unsigned)from->bits);
    if (from->kind == OPERAND_MEMORY) {
        tell_words(step, "at ");
        tell_address(step, insn_address(step->insn, from, step->before));
        return true;
    }
    tell_words(step, "of ");
    tell_register(step, from);
    return true;
}

/* cbw, cwde, cdqe: rax from its own lower half; detail is the new size */
bool tell_extend_rax(const struct step *step, const char *detail)
{
    unsigned bits = (unsigned)atoi(detail);

    reg_part_name(X86_RAX, bits, false, step->out);
    tell_words(step, " = ");
    tell_value(step, step->after->value[X86_RAX], bits);
    buf_printf(step->out, ", sign-extended from the %u bits of ", bits / 2);
    reg_part_name(X86_RAX, bits / 2, false, step->out);
    return true;
}

/* cwd, cdq, cqo: rdx filled with the sign of rax */
bool tell_sign_rdx(const struct step *step, const char *detail)
{
    unsigned bits = (unsigned)atoi(detail);

    reg_part_name(X86_RDX, bits, false, step->out);
    tell_words(step, " = ");
    tell_value(step, step->after->value[X86_RDX], bits);
    buf_printf(step->out, ", %u copies of the sign bit of ", bits);
    reg_part_name(X86_RAX, bits, false, step->out);
    return true;
}

bool tell_xchg(const struct step *step, const char *detail)
{
    const struct insn_operand *a = &step->insn->operands[0];
    const struct insn_operand *b = &step->insn->operands[1];
    uint64_t a_value;
    uint64_t b_value;

    (void)detail;
    if (!operand_after(step, a, &a_value) || !operand_after(step, b, &b_value))
        return false;
    tell_words(step, "swaps: ");
    tell_place(step, a);
    tell_words(step, " = ");
    tell_value(step, a_value, a->bits);
    tell_words(step, ", ");
    tell_place(step, b);
    tell_words(step, " = ");
    tell_value(step, b_value, b->bits);
    return true;
}

/*
 * Whether the value was the one in rax: then it is replaced, otherwise rax gets
 * it (SDM vol. 2, CMPXCHG).
 */
bool tell_cmpxchg(const struct step *step, const char *detail)
{
    const struct insn_operand *to = &step->insn->operands[0];
    const struct insn_operand *from = &step->insn->operands[1];
    const struct insn_operand *rax = &step->insn->operands[2];
    uint64_t expected = operand_part(rax, step->before);
    uint64_t source = operand_part(from, step->before);
    const struct insn_operand *changed;
    uint64_t old_value;
    uint64_t new_value;

    (void)detail;
    if (!operand_before(step, to, &old_value))
        return false;
    changed = old_value == expected ? to : rax;
    if (!operand_after(step, changed, &new_value) ||
        new_value != (changed == to ? source : old_value))
        return false;
    tell_place(step, changed);
    tell_words(step, " = ");
    if (changed == to) {
        tell_register(step, from);
        tell_words(step, " = ");
        tell_value(step, new_value, to->bits);
        tell_words(step, ", because the value before was ");
        tell_value(step, expected, to->bits);
        tell_words(step, ", as in ");
        tell_register(step, rax);
        return true;
    }
    tell_value(step, new_value, to->bits);
    tell_words(step, ", from ");
    tell_place(step, to);
    tell_words(step, to->kind == OPERAND_MEMORY && to->bits > 8
                         ? ", which do not get "
                         : ", which does not get ");
    tell_register(step, from);
    tell_words(step, " = ");
    tell_value(step, source, to->bits);
    tell_words(step, ", because ");
    tell_register(step, rax);
    tell_words(step, " was ");
    tell_value(step, expected, to->bits);
    return true;
}
