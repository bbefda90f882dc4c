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

#include "cpu/x86/tell.h"

/* Those that flags_describe knows, CF PF AF ZF SF TF DF OF: a reader sees no
 * other. */
#define NAMED_FLAGS UINT64_C(0xdd5)

/* Whether a mask says which of the bytes at the address are accessed: by EVEX,
 * or by a vector (SDM vol. 2, VMASKMOV, MASKMOVDQU). */
static bool is_partly(const struct insn *insn)
{
    for (uint8_t i = 0; insn->is_masked && i < insn->operand_count; i++)
        if (insn->operands[i].mask > 1 && !insn->operands[i].written)
            return true;
    return insn_is(insn, "vmaskmov* vpmaskmov* maskmov* vmaskmovdqu");
}

/* The changes, one after the other, which is what can always be said: "rax 1 ->
 * 2; stores 5 at 0x1000 (8 bytes); reads 16 bytes from 0x1000: 00 01 ..." */
static void tell_changes(const struct step *step)
{
    struct reg_change changes[REG_COUNT];
    const size_t count = regs_diff(step->before, step->after, changes);
    const char *joint = "";

    for (size_t i = 0; i < count; i++) {
        const struct reg_change *change = &changes[i];

        if (change->reg != REG_FLAGS)
            tell(step, "%s%s %v -> %v", joint, reg_name(change->reg),
                 change->old_value, 64u, change->new_value, 64u);
        else if ((change->old_value ^ change->new_value) & NAMED_FLAGS)
            tell(step, "%sflags %f -> %f", joint, change->old_value,
                 change->new_value);
        else
            continue;
        joint = "; ";
    }
    for (size_t i = 0; i < step->write_count + step->read_count; i++) {
        const bool is_store = i < step->write_count;
        const struct mem_access *access =
            is_store ? &step->writes[i] : &step->reads[i - step->write_count];
        struct bytes bytes = is_store ? access->new_bytes : access->old_bytes;
        const unsigned bits = (unsigned)bytes.len * 8;
        const char *at = is_store ? " at " : " from ";
        uint64_t value;

        tell(step, is_store ? "%sstores " : "%sreads ", joint);
        if (is_partly(step->insn))
            tell(step, "(where its mask says so) ");
        joint = "; ";
        if (bits && bytes_number(bytes, bits, &value))
            tell(step, "%v%s%a (%n)", value, bits, at, access->addr, bytes.len);
        else if (bytes.data)
            tell(step, "%n%s%a: %h", bytes.len, at, access->addr, bytes);
        else
            tell(step, "memory%s%a", at, access->addr);
    }
    tell_vreg_changes(step, &joint);
    if (!*joint)
        tell(step, step->vregs_after && step->insn->uses_vregs
                       ? "changes no register and no memory"
                       : "changes no general register and no memory");
}

/* By mnemonic (insn_is). */
static const struct sentence {
    const char *mnemonics;
    tell_function *tell; /* NULL: what follows is a template (tell.h) */
    const char *detail;
} sentences[] = {
    {"mov movd movq movss movaps movups movapd movupd movdqa movdqu movnti "
     "vmov*",
     tell_move, ""},
    {"movzx", NULL, "%P0 = %V0, zero-extended from the %B1 bits %O1"},
    {"movsx movsxd cbw cwde cdqe", NULL,
     "%P0 = %V0, sign-extended from the %B1 bits %O1"},
    {"cwd cdq cqo", NULL, "%P0 = %V0, %B0 copies of the sign bit of %P1"},
    {"cmov*", tell_condition, "cmov"},
    {"set*", tell_condition, "set"},
    {"xchg", NULL, "swaps: %P0 = %V0, %P1 = %V1"},
    {"cmpxchg", tell_cmpxchg, ""},
    {"add", tell_binary, "+"},
    {"xadd", tell_xadd, "+"},
    {"sub", tell_binary, "-"},
    {"and", tell_binary, "&"},
    {"or", tell_binary, "|"},
    {"xor", tell_binary, "^"},
    {"adc", tell_binary, "+c"},
    {"sbb", tell_binary, "-c"},
    {"inc", tell_unary, "+"},
    {"dec", tell_unary, "-"},
    {"neg", tell_unary, "-0"},
    {"not", NULL, "%P0 = ~%W0 = %V0"},
    {"shl sal", tell_shift, "<<"},
    {"shr", tell_shift, ">>"},
    {"sar", tell_shift, ">>s"},
    {"rol", tell_shift, "left"},
    {"ror", tell_shift, "right"},
    {"lea", tell_lea, ""},
    {"imul", tell_wide, "*s"},
    {"mul", tell_wide, "*u"},
    {"idiv", tell_wide, "/s"},
    {"div", tell_wide, "/u"},
    {"cmp", tell_compare, "-"},
    {"test", tell_compare, "&"},
    {"push", tell_push, ""},
    {"pop", tell_pop, ""},
    {"pushfq", tell_flags_moved, "pushes"},
    {"popfq", tell_flags_moved, "pops"},
    {"leave", tell_leave, ""},
    {"call", tell_near, "calls %C%F0; pushes the return address %N"},
    {"ret", tell_near, "returns to %C; rsp goes up by %D"},
    {"jmp", tell_near, "jumps to %C%F0"},
    {"jrcxz jecxz", tell_counter, "="},
    {"j*", tell_condition, "j"},
    {"loop", tell_counter, "-"},
    {"loope", tell_counter, "-1"},
    {"loopne", tell_counter, "-0"},
    {"emms", NULL, "marks all registers of the x87 as free"},
    {"nop", NULL, "does nothing"},
    {"endbr64", NULL, "marks where indirect jumps and calls may go"},
    {"pause", NULL, "tells the CPU that this is a waiting loop"},
    {"movsb movsw movsd movsq", tell_string, "copies %V0 from %A1 to %X0"},
    {"stos*", tell_string, "stores %V0 at %X0"},
    {"lods*", tell_string, "%P0 = %V0%F1"},
    {"scas* cmps*", tell_string, "-"},
    {"cpuid", tell_cpuid, ""},
    {"rdtsc rdtscp", tell_answer, "reads the time-stamp counter"},
    {"xgetbv", tell_answer, "reads the control register XCR%u"},
    {"syscall", tell_syscall, ""},
};
#define COUNT (sizeof sentences / sizeof *sentences)

/* Those for the registers of cpu/vregs.h; the first that tells is taken. */
static bool tell_with_vregs(struct step *step)
{
    static tell_function *const all[] = {tell_vector_move, tell_vector,
                                         tell_convert, tell_shuffle, tell_x87};
    const size_t start = step->out->len;

    if (!step->insn->uses_vregs || !step->vregs_before || !step->vregs_after ||
        step->insn->is_masked)
        return false;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        if (all[i](step))
            return true;
        step->out->len = start;
    }
    return false;
}

void effect_describe(const struct executed *executed, struct buf *out)
{
    const struct sentence *sentence = sentences, *end = sentence + COUNT;
    const struct insn *insn = executed->insn;
    const struct regs *before = executed->before, *after = executed->after;
    struct step step = {
        .insn = insn,
        .before = before,
        .after = after,
        .vregs_before = executed->vregs_before,
        .vregs_after = executed->vregs_after,
        .reads = executed->reads,
        .read_count = executed->read_count,
        .writes = executed->writes,
        .write_count = executed->write_count,
        .out = out,
    };
    size_t start = out->len;

    if (tell_with_vregs(&step))
        return;
    while (sentence < end && !insn_is(insn, sentence->mnemonics))
        sentence++;
    if (sentence < end)
        step.detail = sentence->detail;
    if (sentence == end ||
        !(sentence->tell ? sentence->tell(&step) : tell(&step, step.detail))) {
        out->len = start;
        tell_changes(&step);
        return;
    }
    /* A write to a 32-bit register clears the upper half of the 64 bits (SDM
     * vol. 1, 3.4.1.1). Worth a word only when there was something in it. */
    for (uint8_t i = 0; i < insn->operand_count; i++) {
        const struct insn_operand *operand = &insn->operands[i];

        if (operand_is_register(operand) && operand->written &&
            operand->bits == 32 && before->value[operand->reg] >> 32 &&
            !(after->value[operand->reg] >> 32))
            tell(&step, "; the upper half of %s becomes 0",
                 reg_name(operand->reg));
    }
}
