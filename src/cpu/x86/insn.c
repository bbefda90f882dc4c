/* SPDX-License-Identifier: MIT */
/*
 * Decoding: from bytes to a struct insn.
 *
 * Zydis does the work and stays in this file. Everything is on the stack and
 * made anew for each instruction: setting up a decoder and a formatter is a
 * few stores, against some hundred nanoseconds for the decoding itself.
 *
 * What Zydis says is corrected where it is about another question than ours:
 *   - nop and prefetch with a memory operand compute an address and do not
 *     access it
 *   - the second operand of the long nop (0f 1f) is no operand
 *   - a gather's addresses come from a vector register, which we do not have
 */
#include "cpu/insn.h"

#include <Zydis/Zydis.h>
#include <stdio.h>

#include "cpu/calling.h"

/* What Zydis yields for one instruction. */
struct decoded {
    ZydisDecodedInstruction insn;
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
};

/* The register of ours that a register of Zydis is part of, or REG_NONE. */
static enum reg full_register(ZydisRegister reg)
{
    /* In the order of their numbers (SDM vol. 2, table 3-1), as Zydis has. */
    static const enum reg general[] = {
        X86_RAX, X86_RCX, X86_RDX, X86_RBX, X86_RSP, X86_RBP, X86_RSI, X86_RDI,
        X86_R8,  X86_R9,  X86_R10, X86_R11, X86_R12, X86_R13, X86_R14, X86_R15,
    };
    ZydisRegister full =
        ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);

    if (full == ZYDIS_REGISTER_NONE) /* Zydis 4 says so of rip and rflags */
        full = reg;
    if (full >= ZYDIS_REGISTER_RAX && full <= ZYDIS_REGISTER_R15)
        return general[full - ZYDIS_REGISTER_RAX];
    if (full == ZYDIS_REGISTER_RIP || full == ZYDIS_REGISTER_EIP)
        return X86_RIP;
    return full == ZYDIS_REGISTER_RFLAGS ? X86_RFLAGS : REG_NONE;
}

/* The upper half of every REX prefix (SDM vol. 2, figure 2-4). */
#define REX_PATTERN 4
#define REX_BITS    0xf /* W, R, X and B */

/* Of mov to a segment register: which one (Intel SDM vol. 2, MOV). */
#define SS_FIELD 2

static enum insn_kind kind_of(const ZydisDecodedInstruction *zinsn)
{
    /* Far returns and far jumps change the code segment too. */
    const bool near = zinsn->meta.branch_type == ZYDIS_BRANCH_TYPE_NEAR ||
                      zinsn->meta.branch_type == ZYDIS_BRANCH_TYPE_SHORT;

    switch (zinsn->mnemonic) {
    case ZYDIS_MNEMONIC_SYSCALL:
    case ZYDIS_MNEMONIC_SYSENTER:
        return INSN_SYSCALL;
    case ZYDIS_MNEMONIC_INT: /* int 0x80, the 32-bit way into Linux */
        return zinsn->raw.imm[0].value.u == 0x80 ? INSN_SYSCALL : INSN_PLAIN;
    case ZYDIS_MNEMONIC_PUSHF:
    case ZYDIS_MNEMONIC_PUSHFD:
    case ZYDIS_MNEMONIC_PUSHFQ:
        return INSN_SAVES_FLAGS;
    case ZYDIS_MNEMONIC_POPF:
    case ZYDIS_MNEMONIC_POPFD:
    case ZYDIS_MNEMONIC_POPFQ:
    case ZYDIS_MNEMONIC_IRET:
    case ZYDIS_MNEMONIC_IRETD:
    case ZYDIS_MNEMONIC_IRETQ:
        return INSN_LOADS_FLAGS;
    case ZYDIS_MNEMONIC_INT1:
        return INSN_TRAP;
    case ZYDIS_MNEMONIC_CPUID:
        return INSN_SHADOW;
    case ZYDIS_MNEMONIC_MOV:
        return zinsn->opcode == 0x8e && zinsn->raw.modrm.reg == SS_FIELD
                   ? INSN_SHADOW
                   : INSN_PLAIN;
    default:
        break;
    }
    switch (zinsn->meta.category) {
    case ZYDIS_CATEGORY_CALL:
        return near ? INSN_CALL : INSN_PLAIN;
    case ZYDIS_CATEGORY_RET:
        return near ? INSN_RETURN : INSN_PLAIN;
    case ZYDIS_CATEGORY_UNCOND_BR:
        return zinsn->meta.branch_type ? INSN_JUMP : INSN_PLAIN;
    case ZYDIS_CATEGORY_COND_BR:
        return INSN_BRANCH;
    default:
        return INSN_PLAIN;
    }
}

/* Whether a memory operand of this instruction is an address only. MPX is here
 * because Linux does not enable it any more, and then its instructions are nops
 * (SDM vol. 1, appendix on MPX). */
static bool accesses_nothing(const ZydisDecodedInstruction *zinsn)
{
    switch (zinsn->meta.category) {
    case ZYDIS_CATEGORY_NOP:
    case ZYDIS_CATEGORY_WIDENOP:
    case ZYDIS_CATEGORY_PREFETCH:
    case ZYDIS_CATEGORY_PREFETCHWT1:
    case ZYDIS_CATEGORY_CLFLUSHOPT:
    case ZYDIS_CATEGORY_CLWB:
    case ZYDIS_CATEGORY_CLDEMOTE:
    case ZYDIS_CATEGORY_MPX:
        return true;
    default:
        return zinsn->mnemonic == ZYDIS_MNEMONIC_CLFLUSH;
    }
}

static void convert_class(ZydisRegister reg, struct insn_operand *to)
{
    const ZydisRegisterClass class = ZydisRegisterGetClass(reg);
    const uint8_t number = (uint8_t)(ZydisRegisterGetId(reg) + 1);

    switch (class) {
    case ZYDIS_REGCLASS_XMM:
    case ZYDIS_REGCLASS_YMM:
    case ZYDIS_REGCLASS_ZMM:
        to->vector = number;
        to->register_bits =
            ZydisRegisterGetWidth(ZYDIS_MACHINE_MODE_LONG_64, reg);
        break;
    case ZYDIS_REGCLASS_X87:
    case ZYDIS_REGCLASS_MMX:
        to->x87 = number;
        to->is_mmx = class == ZYDIS_REGCLASS_MMX;
        break;
    case ZYDIS_REGCLASS_MASK:
        to->mask = number;
        break;
    default:
        break;
    }
}

static bool is_real(ZydisElementType type)
{
    return type >= ZYDIS_ELEMENT_TYPE_FLOAT16 &&
           type <= ZYDIS_ELEMENT_TYPE_FLOAT80;
}

/* What Zydis has no operands for (Intel SDM vol. 2). */
static bool changes_all(ZydisMnemonic mnemonic)
{
    switch (mnemonic) {
    case ZYDIS_MNEMONIC_VZEROALL:
    case ZYDIS_MNEMONIC_VZEROUPPER:
    case ZYDIS_MNEMONIC_EMMS:
    case ZYDIS_MNEMONIC_FEMMS:
    case ZYDIS_MNEMONIC_FXRSTOR:
    case ZYDIS_MNEMONIC_FXRSTOR64:
    case ZYDIS_MNEMONIC_XRSTOR:
    case ZYDIS_MNEMONIC_XRSTOR64:
    case ZYDIS_MNEMONIC_FRSTOR:
    case ZYDIS_MNEMONIC_FLDENV:
    case ZYDIS_MNEMONIC_FNSAVE:
    case ZYDIS_MNEMONIC_FNCLEX:
    case ZYDIS_MNEMONIC_FNINIT:
    case ZYDIS_MNEMONIC_FLDCW:
        return true;
    default:
        return false;
    }
}

/* Moves raise no exception. Of what Zydis does not list the category tells: all
 * instructions of the x87 may change its status word. */
static void convert_use(const struct decoded *from, struct insn *out)
{
    const ZydisDecodedInstruction *zinsn = &from->insn;
    const bool moves =
        !strncmp(out->mnemonic, "mov", 3) || !strncmp(out->mnemonic, "vmov", 4);

    out->changes_vregs = out->uses_vregs = changes_all(zinsn->mnemonic);
    for (uint8_t i = 0; i < out->operand_count; i++) {
        const struct insn_operand *operand = &out->operands[i];
        const ZydisRegister reg =
            from->operands[i].type == ZYDIS_OPERAND_TYPE_REGISTER
                ? from->operands[i].reg.value
                : ZYDIS_REGISTER_NONE;
        const bool is_state =
            reg == ZYDIS_REGISTER_MXCSR || reg == ZYDIS_REGISTER_X87STATUS ||
            reg == ZYDIS_REGISTER_X87CONTROL || reg == ZYDIS_REGISTER_X87TAG;

        if (!operand->vector && !operand->mask && !operand->x87 && !is_state)
            continue;
        out->uses_vregs = true;
        out->changes_vregs |= operand->written || (operand->is_real && !moves);
    }
    out->is_masked =
        zinsn->avx.mask.mode > ZYDIS_MASK_MODE_DISABLED ||
        (zinsn->avx.broadcast.mode != ZYDIS_BROADCAST_MODE_INVALID &&
         !zinsn->avx.broadcast.is_static) ||
        zinsn->avx.has_sae;
}

/* Which bits name the register of an operand. */
static enum insn_slot slot_of(ZydisOperandEncoding encoding)
{
    switch (encoding) {
    case ZYDIS_OPERAND_ENCODING_MODRM_REG:
        return SLOT_REG;
    case ZYDIS_OPERAND_ENCODING_MODRM_RM:
    case ZYDIS_OPERAND_ENCODING_OPCODE:
        return SLOT_BASE;
    case ZYDIS_OPERAND_ENCODING_NDSNDD:
        return SLOT_VVVV;
    default:
        return SLOT_NONE;
    }
}

static void convert_operands(const struct decoded *decoded, struct insn *out)
{
    const ZydisDecodedInstruction *zinsn = &decoded->insn;

    out->operand_count = zinsn->operand_count;
    for (uint8_t i = 0; i < out->operand_count; i++) {
        const ZydisDecodedOperand *from = &decoded->operands[i];
        const ZydisDecodedOperandMem *mem = &from->mem;
        struct insn_operand *to = &out->operands[i];
        ZyanU64 target;

        to->hidden = from->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN;
        to->read = from->actions & ZYDIS_OPERAND_ACTION_MASK_READ;
        to->written = from->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE;
        to->conditional = from->actions & (ZYDIS_OPERAND_ACTION_CONDREAD |
                                           ZYDIS_OPERAND_ACTION_CONDWRITE);
        to->bits = from->size;
        to->is_real = is_real(from->element_type);
        to->lane_bits =
            from->element_size <= 80 ? (uint8_t)from->element_size : 0;
        to->reg = to->segment = to->base = to->index = REG_NONE;
        switch (from->type) {
        case ZYDIS_OPERAND_TYPE_REGISTER:
            to->kind = OPERAND_REGISTER;
            to->slot = slot_of(from->encoding);
            snprintf(to->name, sizeof to->name, "%s",
                     ZydisRegisterGetString(from->reg.value));
            to->reg = full_register(from->reg.value);
            to->high = from->reg.value >= ZYDIS_REGISTER_AH &&
                       from->reg.value <= ZYDIS_REGISTER_BH;
            convert_class(from->reg.value, to);
            break;
        case ZYDIS_OPERAND_TYPE_MEMORY:
            /* Only fs and gs have a base other than 0 (SDM vol. 1, 3.4.2.1). */
            to->segment = mem->segment == ZYDIS_REGISTER_FS   ? X86_FS_BASE
                          : mem->segment == ZYDIS_REGISTER_GS ? X86_GS_BASE
                                                              : REG_NONE;
            to->base = full_register(mem->base);
            to->index = full_register(mem->index);
            to->scale = mem->scale;
            to->address_bits = zinsn->address_width;
            to->displacement = mem->disp.value; /* 0 where there is none */
            /* A base or index that is not ours (a vector, the shadow stack
             * pointer) leaves the address unknown. */
            to->kind = mem->type == ZYDIS_MEMOP_TYPE_MEM &&
                               !accesses_nothing(zinsn) &&
                               (mem->base == ZYDIS_REGISTER_NONE ||
                                to->base != REG_NONE) &&
                               (mem->index == ZYDIS_REGISTER_NONE ||
                                to->index != REG_NONE)
                           ? OPERAND_MEMORY
                           : OPERAND_ADDRESS;
            break;
        default: /* far pointers (the other type) are not in 64-bit mode */
            to->kind = OPERAND_IMMEDIATE;
            to->immediate = from->imm.value.s;
            if (from->imm.is_relative && ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(
                                             zinsn, from, out->addr, &target)))
                to->immediate = (int64_t)target;
            break;
        }
    }
}

static bool has_encoding(const struct decoded *from,
                         ZydisOperandEncoding encoding)
{
    for (uint8_t i = 0; i < from->insn.operand_count; i++)
        if (from->operands[i].encoding == encoding)
            return true;
    return false;
}

static void convert_fields(const struct decoded *from, struct insn *out)
{
    static const enum field_kind kinds[] = {
        [ZYDIS_INSTR_SEGMENT_PREFIXES] = FIELD_PREFIX,
        [ZYDIS_INSTR_SEGMENT_REX] = FIELD_REX,
        [ZYDIS_INSTR_SEGMENT_XOP] = FIELD_VEX,
        [ZYDIS_INSTR_SEGMENT_VEX] = FIELD_VEX,
        [ZYDIS_INSTR_SEGMENT_EVEX] = FIELD_VEX,
        [ZYDIS_INSTR_SEGMENT_MVEX] = FIELD_VEX,
        [ZYDIS_INSTR_SEGMENT_OPCODE] = FIELD_OPCODE,
        [ZYDIS_INSTR_SEGMENT_MODRM] = FIELD_MODRM,
        [ZYDIS_INSTR_SEGMENT_SIB] = FIELD_SIB,
        [ZYDIS_INSTR_SEGMENT_DISPLACEMENT] = FIELD_DISPLACEMENT,
        [ZYDIS_INSTR_SEGMENT_IMMEDIATE] = FIELD_IMMEDIATE,
    };
    const ZydisDecodedInstruction *zinsn = &from->insn;
    ZydisInstructionSegments segments;

    ZydisGetInstructionSegments(zinsn, &segments);
    for (uint8_t i = 0; i < segments.count; i++) {
        struct insn_field *field = &out->fields[out->field_count++];
        bool second = zinsn->raw.imm[0].offset != segments.segments[i].offset;
        unsigned bits = segments.segments[i].size * 8u;
        uint64_t value = 0;

        field->kind = kinds[segments.segments[i].type];
        field->offset = segments.segments[i].offset;
        field->size = segments.segments[i].size;
        field->digit = -1;
        switch (field->kind) {
        case FIELD_OPCODE:
            field->names_register =
                has_encoding(from, ZYDIS_OPERAND_ENCODING_OPCODE);
            /* What ModRM.reg holds when no operand is encoded there. In setcc
             * nothing is (SDM vol. 2, SETcc: "the reg field is not used"). */
            if (zinsn->attributes & ZYDIS_ATTRIB_HAS_MODRM &&
                zinsn->meta.category != ZYDIS_CATEGORY_SETCC &&
                !has_encoding(from, ZYDIS_OPERAND_ENCODING_MODRM_REG))
                field->digit = (int8_t)zinsn->raw.modrm.reg;
            break;
        case FIELD_DISPLACEMENT:
            /* From the bytes: Zydis has multiplied the disp8 of EVEX. */
            memcpy(&value, out->bytes + field->offset, field->size);
            field->is_signed = true;
            field->value = (int64_t)(value << (64 - bits)) >> (64 - bits);
            break;
        case FIELD_IMMEDIATE:
            field->is_signed = zinsn->raw.imm[second].is_signed;
            field->is_relative = zinsn->raw.imm[second].is_relative;
            field->value = zinsn->raw.imm[second].value.s;
            if (field->is_relative)
                bits = 64;
            else if (field->is_signed && zinsn->operand_width > bits)
                bits = zinsn->operand_width;
            field->extended_bits = (uint8_t)bits;
            break;
        case FIELD_VEX:
            field->value = out->bytes[field->offset];
            break;
        default:
            break;
        }
    }
}

/* Whether only a word like "qword ptr" says how large the memory is: no register
 * beside it is as large. Zydis leaves that word out where it sees a hidden
 * operand (the flags of inc) or a count in cl. */
static bool needs_size(const struct decoded *from)
{
    const ZydisDecodedOperand *list = from->operands;
    const ZydisDecodedOperand *end = list + from->insn.operand_count_visible;
    const ZydisDecodedOperand *memory = NULL;

    for (const ZydisDecodedOperand *at = list; at < end; at++)
        if (at->type == ZYDIS_OPERAND_TYPE_MEMORY && at->size <= 80 &&
            at->mem.type != ZYDIS_MEMOP_TYPE_AGEN)
            memory = at;
    for (const ZydisDecodedOperand *at = list; memory && at < end; at++)
        if (at->type == ZYDIS_OPERAND_TYPE_REGISTER &&
            ZydisRegisterGetWidth(ZYDIS_MACHINE_MODE_LONG_64, at->reg.value) ==
                memory->size)
            return false;
    return memory;
}

/* Decimal and signed is what a beginner reads; an immediate that is no number
 * of 32 bits is an address or a pattern, and reads better in hex. */
static void format_text(const struct decoded *from, struct insn *out)
{
    ZyanI64 value = from->insn.raw.imm[0].value.s;
    bool is_wide = from->insn.raw.imm[0].size == 64 &&
                   (value < INT32_MIN || value > UINT32_MAX);
    const struct {
        ZydisFormatterProperty property;
        ZyanUPointer value;
    } settings[] = {
        {ZYDIS_FORMATTER_PROP_FORCE_RELATIVE_RIPREL, ZYAN_TRUE},
        {ZYDIS_FORMATTER_PROP_FORCE_SIZE, needs_size(from)},
        {ZYDIS_FORMATTER_PROP_HEX_UPPERCASE, ZYAN_FALSE},
        {ZYDIS_FORMATTER_PROP_ADDR_PADDING_ABSOLUTE, ZYDIS_PADDING_DISABLED},
        {ZYDIS_FORMATTER_PROP_DISP_BASE, ZYDIS_NUMERIC_BASE_DEC},
        {ZYDIS_FORMATTER_PROP_DISP_PADDING, ZYDIS_PADDING_DISABLED},
        {ZYDIS_FORMATTER_PROP_IMM_BASE,
         is_wide ? ZYDIS_NUMERIC_BASE_HEX : ZYDIS_NUMERIC_BASE_DEC},
        {ZYDIS_FORMATTER_PROP_IMM_SIGNEDNESS,
         is_wide ? ZYDIS_SIGNEDNESS_UNSIGNED : ZYDIS_SIGNEDNESS_SIGNED},
        {ZYDIS_FORMATTER_PROP_IMM_PADDING, ZYDIS_PADDING_DISABLED},
    };
    ZydisFormatter formatter;

    ZydisFormatterInit(&formatter, ZYDIS_FORMATTER_STYLE_INTEL);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        ZydisFormatterSetProperty(&formatter, settings[i].property,
                                  settings[i].value);
    ZydisFormatterFormatInstruction(&formatter, &from->insn, from->operands,
                                    from->insn.operand_count_visible, out->text,
                                    sizeof out->text, out->addr, NULL);
}

/* EVEX names k0 where there is no mask (SDM vol. 2, 2.7.4): no operand. */
static void drop_no_mask(struct decoded *from)
{
    ZydisDecodedInstruction *zinsn = &from->insn;
    uint8_t i = 0;

    while (i < zinsn->operand_count &&
           from->operands[i].encoding != ZYDIS_OPERAND_ENCODING_MASK)
        i++;
    if (zinsn->avx.mask.mode != ZYDIS_MASK_MODE_DISABLED ||
        i == zinsn->operand_count)
        return;
    zinsn->operand_count--;
    zinsn->operand_count_visible--;
    memmove(&from->operands[i], &from->operands[i + 1],
            (zinsn->operand_count - i) * sizeof *from->operands);
}

int insn_decode(const uint8_t *code, size_t len, uint64_t addr,
                struct insn *out)
{
    struct decoded decoded;
    ZydisDecodedInstruction *zinsn = &decoded.insn;
    ZydisDecoder decoder;
    ZyanStatus status;

    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64,
                     ZYDIS_STACK_WIDTH_64);
    status =
        ZydisDecoderDecodeFull(&decoder, code, len, zinsn, decoded.operands);
    if (status == ZYDIS_STATUS_NO_MORE_DATA)
        return 0;
    if (!ZYAN_SUCCESS(status))
        return -1;
    if (zinsn->meta.category == ZYDIS_CATEGORY_WIDENOP &&
        zinsn->operand_count > 1)
        zinsn->operand_count = zinsn->operand_count_visible = 1;

    memset(out, 0, sizeof *out);
    out->addr = addr;
    out->length = zinsn->length;
    memcpy(out->bytes, code, zinsn->length);
    out->kind = kind_of(zinsn);
    out->repeated =
        zinsn->attributes &
        (ZYDIS_ATTRIB_HAS_REP | ZYDIS_ATTRIB_HAS_REPE | ZYDIS_ATTRIB_HAS_REPNE);
    /* Zydis counts rep among the mandatory ones. */
    for (uint8_t i = zinsn->raw.prefix_count; !out->repeated && i-- > 0;)
        if (zinsn->raw.prefixes[i].type == ZYDIS_PREFIX_TYPE_MANDATORY)
            out->mandatory_prefix = zinsn->raw.prefixes[i].value;
    for (uint8_t i = 0; i < zinsn->raw.prefix_count; i++)
        if (zinsn->raw.prefixes[i].type == ZYDIS_PREFIX_TYPE_IGNORED &&
            zinsn->raw.prefixes[i].value >> 4 == REX_PATTERN &&
            zinsn->raw.prefixes[i].value & REX_BITS)
            out->void_prefix = zinsn->raw.prefixes[i].value;
    strncpy(out->mnemonic, ZydisMnemonicGetString(zinsn->mnemonic),
            sizeof out->mnemonic - 1);
    format_text(&decoded, out);
    drop_no_mask(&decoded);
    convert_operands(&decoded, out);
    convert_use(&decoded, out);
    convert_fields(&decoded, out);
    return 1;
}

void insn_decode_any(const uint8_t *code, size_t len, uint64_t addr,
                     struct insn *out)
{
    if (insn_decode(code, len, addr, out) == 1)
        return;
    *out = (struct insn){.addr = addr};
    out->kind = trap_loads_flags(code, len) ? INSN_LOADS_FLAGS : INSN_PLAIN;
}

_Static_assert(INSN_MAX_OPERANDS >= ZYDIS_MAX_OPERAND_COUNT, "room");
_Static_assert(INSN_MAX_FIELDS >= ZYDIS_MAX_INSTRUCTION_SEGMENT_COUNT, "room");

const char *insn_library(void)
{
    static const char *const major[] = {"Zydis",   "Zydis 1", "Zydis 2",
                                        "Zydis 3", "Zydis 4", "Zydis 5"};
    uint64_t number = ZYDIS_VERSION_MAJOR(ZydisGetVersion());

    return major[number < 6 ? number : 0];
}
