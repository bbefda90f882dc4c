/* SPDX-License-Identifier: MIT */
/*
 * What an instruction did, in one sentence with the values that it had.
 *
 * A table maps mnemonics to templates (tell.h) or to functions that tell
 * (tell_*.c). They tell only what the arguments bear out. When a value is not
 * known or does not fit, such a sentence fails, what it has written is taken
 * back, and the list of changes takes its place. That list is always right.
 */
#include "cpu/effect.h"

#include <string.h>

#include "cpu/x86/tell.h"

/* Those that flags_describe knows: CF PF AF ZF SF TF DF OF. */
#define NAMED_FLAGS UINT64_C(0xdd5)

/* Whether a reader would see a difference: flags that have no name do not. */
static bool is_shown(const struct reg_change *change)
{
    return change->reg != REG_FLAGS ||
           (change->old_value ^ change->new_value) & NAMED_FLAGS;
}

/* "stores 5 at 0x1000 (8 bytes)", "reads 16 bytes from 0x1000: 00 01 ..." */
static void tell_memory(const struct step *step, const char *verb,
                        const char *at, uint64_t addr, struct bytes bytes)
{
    uint64_t value;

    if (bytes.len && bytes_number(bytes, (unsigned)bytes.len * 8, &value))
        tell(step, "%s%v%s%a (%n)", verb, value, (unsigned)bytes.len * 8, at,
             addr, bytes.len);
    else if (bytes.data)
        tell(step, "%s%n%s%a: %h", verb, bytes.len, at, addr, bytes);
    else
        tell(step, "%smemory%s%a", verb, at, addr);
}

/* The changes, one after the other: what can always be said. */
static void tell_changes(const struct step *step)
{
    struct reg_change changes[REG_COUNT];
    const size_t start = step->out->len;
    const size_t count = regs_diff(step->before, step->after, changes);

    for (size_t i = 0; i < count; i++) {
        if (!is_shown(&changes[i]))
            continue;
        tell(step, step->out->len > start ? "; " : "");
        if (changes[i].reg == REG_FLAGS) {
            tell(step, "flags ");
            flags_describe(changes[i].old_value, step->out);
            tell(step, " -> ");
            flags_describe(changes[i].new_value, step->out);
        } else {
            tell(step, "%s %v -> %v", reg_name(changes[i].reg),
                 changes[i].old_value, 64u, changes[i].new_value, 64u);
        }
    }
    for (size_t i = 0; i < step->write_count; i++) {
        tell(step, step->out->len > start ? "; " : "");
        tell_memory(step, "stores ", " at ", step->writes[i].addr,
                    step->writes[i].new_bytes);
    }
    for (size_t i = 0; i < step->read_count; i++) {
        tell(step, step->out->len > start ? "; " : "");
        tell_memory(step, "reads ", " from ", step->reads[i].addr,
                    step->reads[i].old_bytes);
    }
    if (step->out->len == start)
        tell(step, "changes no general register and no memory");
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
        tell(step, "; the upper half of %s becomes 0", reg_name(operand->reg));
    }
}

/* Templates that several have (tell.h). */
#define SIGN_EXTENDED "%R0 = %V0, sign-extended from the %B1 bits %O1"
#define SIGN_COPIES   "%R0 = %V0, %B0 copies of the sign bit of %R1"
#define STRING_COPY   "copies %V0 from %A1 to %X0"

/* By mnemonic; one that ends in "*" stands for all that begin so. */
static const struct sentence {
    const char *mnemonic;
    tell_function *tell; /* NULL: what follows is a template */
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
    {"movzx", NULL, "%R0 = %V0, zero-extended from the %B1 bits %O1"},
    {"movsx", NULL, SIGN_EXTENDED},
    {"movsxd", NULL, SIGN_EXTENDED},
    {"cbw", NULL, SIGN_EXTENDED},
    {"cwde", NULL, SIGN_EXTENDED},
    {"cdqe", NULL, SIGN_EXTENDED},
    {"cwd", NULL, SIGN_COPIES},
    {"cdq", NULL, SIGN_COPIES},
    {"cqo", NULL, SIGN_COPIES},
    {"cmov*", tell_cmov, "cmov"},
    {"set*", tell_setcc, "set"},
    {"xchg", NULL, "swaps: %P0 = %V0, %P1 = %V1"},
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
    {"call", tell_near, "calls %C%F0; pushes the return address %N"},
    {"ret", tell_return, "returns to %C; rsp goes up by %u"},
    {"jmp", tell_near, "jumps to %C%F0"},
    {"jrcxz", tell_jrcxz, ""},
    {"jecxz", tell_jrcxz, ""},
    {"j*", tell_branch, "j"},
    {"loop", tell_loop, ""},
    {"loope", tell_loop, "1"},
    {"loopne", tell_loop, "0"},
    {"nop", NULL, "does nothing"},
    {"endbr64", NULL, "marks where indirect jumps and calls may go"},
    {"pause", NULL, "tells the CPU that this is a waiting loop"},
    {"movsb", tell_string_move, STRING_COPY},
    {"movsw", tell_string_move, STRING_COPY},
    {"movsd", tell_string_move, STRING_COPY},
    {"movsq", tell_string_move, STRING_COPY},
    {"stos*", tell_string, "stores %V0 at %X0"},
    {"lods*", tell_string, "%R0 = %V0%F1"},
    {"scas*", tell_string, ""},
    {"cmps*", tell_string, ""},
    {"cpuid", tell_cpuid, ""},
    {"rdtsc", tell_answer, "reads the time-stamp counter"},
    {"rdtscp", tell_rdtscp, "reads the time-stamp counter"},
    {"xgetbv", tell_answer, "reads the control register XCR%u"},
    {"syscall", tell_syscall, ""},
};

static bool tell_sentence(const struct step *step)
{
    for (size_t i = 0; i < sizeof sentences / sizeof *sentences; i++) {
        const struct sentence *sentence = &sentences[i];
        size_t len = strcspn(sentence->mnemonic, "*");

        /* Its NUL is compared as well, where there is no "*". */
        if (strncmp(step->insn->mnemonic, sentence->mnemonic,
                    sentence->mnemonic[len] ? len : len + 1) == 0)
            return sentence->tell ? sentence->tell(step, sentence->detail)
                                  : tell(step, sentence->detail);
    }
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
