/* SPDX-License-Identifier: MIT */
/*
 * What an instruction did, in one sentence with the values that it had.
 *
 * A table maps mnemonics to functions that tell (tell_*.c). They tell only
 * what the arguments bear out. When a value is not known or does not fit, such
 * a function returns false, what it has written is taken back, and the list of
 * changes takes its place. That list is always right.
 */
#include "cpu/effect.h"

#include <string.h>

#include "cpu/x86/tell.h"

/* Those that flags_describe knows: CF PF AF ZF SF TF DF OF. */
#define NAMED_FLAGS UINT64_C(0xdd5)

static bool tell_fixed(const struct step *step, const char *text)
{
    tell_words(step, text);
    return true;
}

static void tell_separator(const struct step *step, size_t start)
{
    if (step->out->len > start)
        tell_words(step, "; ");
}

/* "stores 5 at 0x1000 (8 bytes)", "reads 16 bytes from 0x1000: 00 01 ..." */
static void tell_memory(const struct step *step, const char *verb,
                        const char *at, uint64_t addr, struct bytes bytes)
{
    bool is_number = bytes.data && bytes.len && bytes.len <= 8;

    tell_words(step, verb);
    if (is_number)
        tell_value(step, little_endian(bytes), (unsigned)bytes.len * 8);
    else if (bytes.data)
        tell_size(step, bytes.len);
    else
        tell_words(step, "memory");
    tell_words(step, at);
    tell_address(step, addr);
    if (is_number) {
        tell_words(step, " (");
        tell_size(step, bytes.len);
        tell_words(step, ")");
    } else if (bytes.data) {
        tell_words(step, ": ");
        tell_hex(step, bytes);
    }
}

/* Whether a reader would see a difference: flags that have no name do not. */
static bool is_shown(const struct reg_change *change)
{
    return change->reg != REG_FLAGS ||
           (change->old_value ^ change->new_value) & NAMED_FLAGS;
}

static void tell_change(const struct step *step,
                        const struct reg_change *change)
{
    if (change->reg == REG_FLAGS) {
        tell_words(step, "flags ");
        flags_describe(change->old_value, step->out);
        tell_words(step, " -> ");
        flags_describe(change->new_value, step->out);
        return;
    }
    buf_printf(step->out, "%s ", reg_name(change->reg));
    tell_value(step, change->old_value, 64);
    tell_words(step, " -> ");
    tell_value(step, change->new_value, 64);
}

/* The changes, one after the other: what can always be said. */
static void tell_changes(const struct step *step)
{
    struct reg_change changes[REG_COUNT];
    size_t start = step->out->len;
    size_t count = regs_diff(step->before, step->after, changes);

    for (size_t i = 0; i < count; i++) {
        if (!is_shown(&changes[i]))
            continue;
        tell_separator(step, start);
        tell_change(step, &changes[i]);
    }
    for (size_t i = 0; i < step->write_count; i++) {
        tell_separator(step, start);
        tell_memory(step, "stores ", " at ", step->writes[i].addr,
                    step->writes[i].new_bytes);
    }
    for (size_t i = 0; i < step->read_count; i++) {
        tell_separator(step, start);
        tell_memory(step, "reads ", " from ", step->reads[i].addr,
                    step->reads[i].old_bytes);
    }
    if (step->out->len == start)
        tell_words(step, "changes no general register and no memory");
}

/*
 * A write to a 32-bit register clears the upper half of the 64 bits (SDM vol.
 * 1, 3.4.1.1). Worth a word only when there was something in it.
 */
static void tell_cleared_halves(const struct step *step)
{
    for (uint8_t i = 0; i < step->insn->operand_count; i++) {
        const struct insn_operand *operand = &step->insn->operands[i];

        if (!operand_is_register(operand) || !operand->written ||
            operand->bits != 32 || !(step->before->value[operand->reg] >> 32) ||
            step->after->value[operand->reg] >> 32)
            continue;
        buf_printf(step->out, "; the upper half of %s becomes 0",
                   reg_name(operand->reg));
    }
}

/* By mnemonic; one that ends in "*" stands for all that begin so. */
static const struct sentence {
    const char *mnemonic;
    tell_function *tell;
    const char *detail;
} sentences[] = {
    {"mov", tell_move, ""},
    {"movd", tell_move, ""},
    {"movq", tell_move, ""},
    {"movss", tell_move, ""},
    {"movaps", tell_move, ""},
    {"movups", tell_move, ""},
    {"movapd", tell_move, ""},
    {"movupd", tell_move, ""},
    {"movdqa", tell_move, ""},
    {"movdqu", tell_move, ""},
    {"movnti", tell_move, ""},
    {"vmov*", tell_move, ""},
    {"movzx", tell_extend, "zero"},
    {"movsx", tell_extend, "sign"},
    {"movsxd", tell_extend, "sign"},
    {"cbw", tell_extend_rax, "16"},
    {"cwde", tell_extend_rax, "32"},
    {"cdqe", tell_extend_rax, "64"},
    {"cwd", tell_sign_rdx, "16"},
    {"cdq", tell_sign_rdx, "32"},
    {"cqo", tell_sign_rdx, "64"},
    {"cmov*", tell_cmov, "cmov"},
    {"set*", tell_setcc, "set"},
    {"xchg", tell_xchg, ""},
    {"cmpxchg", tell_cmpxchg, ""},
    {"add", tell_binary, "+"},
    {"xadd", tell_xadd, "+"},
    {"sub", tell_binary, "-"},
    {"and", tell_binary, "&"},
    {"or", tell_binary, "|"},
    {"xor", tell_binary, "^"},
    {"adc", tell_with_carry, "+"},
    {"sbb", tell_with_carry, "-"},
    {"inc", tell_unary, "+"},
    {"dec", tell_unary, "-"},
    {"neg", tell_unary, "0"},
    {"not", tell_not, ""},
    {"shl", tell_shift, "<<"},
    {"sal", tell_shift, "<<"},
    {"shr", tell_shift, ">>"},
    {"sar", tell_shift, ">>s"},
    {"rol", tell_rotate, "left"},
    {"ror", tell_rotate, "right"},
    {"lea", tell_lea, ""},
    {"imul", tell_multiply, "signed"},
    {"mul", tell_multiply, "unsigned"},
    {"idiv", tell_divide, "signed"},
    {"div", tell_divide, "unsigned"},
    {"cmp", tell_compare, "-"},
    {"test", tell_compare, "&"},
    {"push", tell_push, ""},
    {"pop", tell_pop, ""},
    {"pushfq", tell_flags_moved, "pushes"},
    {"popfq", tell_flags_moved, "pops"},
    {"leave", tell_leave, ""},
    {"call", tell_call, ""},
    {"ret", tell_return, ""},
    {"jmp", tell_jump, ""},
    {"jrcxz", tell_jrcxz, ""},
    {"jecxz", tell_jrcxz, ""},
    {"j*", tell_branch, "j"},
    {"loop", tell_loop, ""},
    {"loope", tell_loop, "1"},
    {"loopne", tell_loop, "0"},
    {"nop", tell_fixed, "does nothing"},
    {"endbr64", tell_fixed, "marks where indirect jumps and calls may go"},
    {"pause", tell_fixed, "tells the CPU that this is a waiting loop"},
    {"movsb", tell_string_move, ""},
    {"movsw", tell_string_move, ""},
    {"movsd", tell_string_move, ""},
    {"movsq", tell_string_move, ""},
    {"stos*", tell_string, ""},
    {"lods*", tell_string, ""},
    {"scas*", tell_string_compare, ""},
    {"cmps*", tell_string_compare, ""},
    {"cpuid", tell_cpuid, ""},
    {"rdtsc", tell_counter, ""},
    {"rdtscp", tell_counter, "p"},
    {"xgetbv", tell_xgetbv, ""},
    {"syscall", tell_syscall, ""},
};

static bool matches(const char *pattern, const char *mnemonic)
{
    size_t len = strlen(pattern);

    if (pattern[len - 1] == '*')
        return !strncmp(pattern, mnemonic, len - 1);
    return !strcmp(pattern, mnemonic);
}

static bool tell_sentence(const struct step *step)
{
    for (size_t i = 0; i < sizeof sentences / sizeof *sentences; i++)
        if (matches(sentences[i].mnemonic, step->insn->mnemonic))
            return sentences[i].tell(step, sentences[i].detail);
    return false;
}

void effect_describe(const struct insn *insn, const struct regs *before,
                     const struct regs *after, const struct mem_access *reads,
                     size_t read_count, const struct mem_access *writes,
                     size_t write_count, struct buf *out)
{
    const struct step step = {insn,       before, after,       reads,
                              read_count, writes, write_count, out};
    size_t start = out->len;

    if (!tell_sentence(&step)) {
        out->len = start;
        tell_changes(&step);
        return;
    }
    tell_cleared_halves(&step);
}
