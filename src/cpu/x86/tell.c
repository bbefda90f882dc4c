/* SPDX-License-Identifier: MIT */
#include "cpu/x86/tell.h"

/* More bytes than these of a vector or a block are not spelled out. */
#define MOST_BYTES 16

/* --- numbers -------------------------------------------------------------- */

uint64_t value_truncate(uint64_t value, unsigned bits)
{
    return bits >= 64 ? value : value & ((UINT64_C(1) << bits) - 1);
}

__int128 wide_extend(unsigned __int128 value, unsigned bits, bool is_signed)
{
    unsigned unused = 128 - bits;

    if (is_signed)
        return (__int128)(value << unused) >> unused;
    return (__int128)(value << unused >> unused);
}

/* As value_describe takes it: with a sign where that is written in decimal. */
static bool is_decimal(uint64_t value, unsigned bits)
{
    __int128 number = wide_extend(value, bits < 64 ? bits : 64, true);

    return number >= -(INT64_C(1) << 47) && number <= UINT32_MAX;
}

__int128 value_read(uint64_t value, unsigned bits, enum reading reading)
{
    return wide_extend(value, bits < 64 ? bits : 64,
                       reading == READ_SIGNED || (reading == READ_AS_SHOWN &&
                                                  is_decimal(value, bits)));
}

void value_describe(uint64_t value, unsigned bits, struct buf *out)
{
    if (is_decimal(value, bits))
        buf_printf(out, "%" PRId64,
                   (int64_t)value_read(value, bits, READ_SIGNED));
    else
        buf_printf(out, "0x%" PRIx64, value_truncate(value, bits));
}

void wide_describe(unsigned __int128 value, unsigned bits, bool is_signed,
                   struct buf *out)
{
    __int128 number = wide_extend(value, bits, is_signed);
    bool is_negative = is_signed && number < 0;
    unsigned __int128 size = (unsigned __int128)number;
    uint64_t high, low;

    if (is_negative)
        size = -size;
    high = (uint64_t)(size >> 64);
    low = (uint64_t)size;
    buf_append_text(out, is_negative ? "-" : "");
    if (high)
        buf_printf(out, "0x%" PRIx64 "%016" PRIx64, high, low);
    else
        buf_printf(out, low <= UINT32_MAX ? "%" PRIu64 : "0x%" PRIx64, low);
}

static void tell_read(uint64_t value, unsigned bits, enum reading reading,
                      struct buf *out)
{
    if (reading == READ_UNSIGNED ||
        (reading == READ_SIGNED && !is_decimal(value, bits)))
        wide_describe(value, bits, reading == READ_SIGNED, out);
    else
        value_describe(value, bits, out);
}

unsigned __int128 wide_value(const struct regs *regs, unsigned bits)
{
    if (bits == 8)
        return (uint16_t)regs->value[X86_RAX];
    return (unsigned __int128)value_truncate(regs->value[X86_RDX], bits)
               << bits |
           value_truncate(regs->value[X86_RAX], bits);
}

bool bytes_number(struct bytes bytes, unsigned bits, uint64_t *value)
{
    if (!bytes.data || bytes.len * 8 != bits || bits > 64)
        return false;
    *value = 0;
    memcpy(value, bytes.data, bytes.len);
    return true;
}

/* --- operands ------------------------------------------------------------- */

const struct mem_access *access_at(const struct mem_access *list, size_t count,
                                   uint64_t addr)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].addr == addr)
            return &list[i];
    return NULL;
}

unsigned insn_counter_bits(const struct insn *insn)
{
    for (uint8_t i = 0; i < insn->operand_count; i++)
        if (insn->operands[i].reg == X86_RCX)
            return insn->operands[i].bits;
    return 64;
}

unsigned insn_visible_operands(const struct insn *insn)
{
    unsigned count = 0;

    while (count < insn->operand_count && !insn->operands[count].hidden)
        count++;
    return count;
}

bool operand_is_register(const struct insn_operand *operand)
{
    return operand->kind == OPERAND_REGISTER && operand->reg != REG_NONE;
}

bool operand_is_same(const struct insn_operand *a, const struct insn_operand *b)
{
    return operand_is_register(a) && operand_is_register(b) &&
           a->reg == b->reg && a->high == b->high && a->bits == b->bits;
}

uint64_t operand_part(const struct insn_operand *operand,
                      const struct regs *regs)
{
    return value_truncate(regs->value[operand->reg] >> (operand->high ? 8 : 0),
                          operand->bits);
}

/* Of memory that was only written, what was there before is known, too. */
bool operand_value(const struct step *step, enum moment moment,
                   const struct insn_operand *operand, uint64_t *value)
{
    const uint64_t addr = insn_address(step->insn, operand, step->before);
    const struct mem_access *access = NULL;

    if (operand->kind == OPERAND_MEMORY) {
        if (moment == BEFORE)
            access = access_at(step->reads, step->read_count, addr);
        if (!access)
            access = access_at(step->writes, step->write_count, addr);
        return access && bytes_number(moment == BEFORE ? access->old_bytes
                                                       : access->new_bytes,
                                      operand->bits, value);
    }
    if (operand_is_register(operand))
        *value = operand_part(operand,
                              moment == BEFORE ? step->before : step->after);
    else if (operand->kind == OPERAND_IMMEDIATE && moment == BEFORE)
        *value = (uint64_t)operand->immediate;
    else
        return false;
    return true;
}

/* --- templates ------------------------------------------------------------ */

static bool tell_operand(const struct step *step, char what,
                         const struct insn_operand *operand)
{
    const uint64_t addr = insn_address(step->insn, operand, step->before);
    const size_t size = operand->bits / 8;
    const bool is_register = operand_is_register(operand);
    uint64_t value;

    switch (what) {
    case 'B':
        return tell(step, "%u", (unsigned)operand->bits);
    case 'P':
    case 'O':
        if (!is_register)
            return what == 'P' ? tell(step, "%n at %a", size, addr)
                               : tell(step, "at %a", addr);
        tell(step, what == 'P' ? "" : "of ");
        reg_part_name(operand->reg, operand->bits, operand->high, step->out);
        return true;
    case 'X':
        return tell(step, "%a (%n)", addr, size);
    case 'A':
        return tell(step, "%a", addr);
    case 'F':
        return operand->kind != OPERAND_MEMORY ||
               tell(step, ", loaded from %a (%n)", addr, size);
    default: /* 'V', 'W' */
        return operand_value(step, what == 'V' ? AFTER : BEFORE, operand,
                             &value) &&
               tell(step, "%v", value, (unsigned)operand->bits);
    }
}

bool tell(const struct step *step, const char *template, ...)
{
    const uint64_t from = step->before->value[REG_STACK];
    const uint64_t to = step->after->value[REG_STACK];
    struct buf *out = step->out;
    unsigned __int128 wide;
    struct bytes bytes;
    bool known = true;
    uint64_t value;
    unsigned bits;
    enum reg reg;
    size_t size;
    va_list more;

    va_start(more, template);
    while (known && *template) {
        size_t len = strcspn(template, "%");
        char what = template[len] ? template[len + 1] : 0;

        buf_append(out, template, len);
        template += what ? len + 2 : len;
        switch (what) {
        case 0:
            break;
        case 'v':
            value = va_arg(more, uint64_t);
            value_describe(value, va_arg(more, unsigned), out);
            break;
        case 'r':
            value = va_arg(more, uint64_t);
            bits = va_arg(more, unsigned);
            tell_read(value, bits, va_arg(more, enum reading), out);
            break;
        case 'w':
            wide = va_arg(more, unsigned __int128);
            bits = va_arg(more, unsigned);
            wide_describe(wide, bits, va_arg(more, int), out);
            break;
        case 'a':
            buf_printf(out, "0x%" PRIx64, va_arg(more, uint64_t));
            break;
        case 'n':
            size = va_arg(more, size_t);
            buf_printf(out, "%zu byte%s", size, size == 1 ? "" : "s");
            break;
        case 'h':
            bytes = va_arg(more, struct bytes);
            for (size_t i = 0; i < bytes.len && i < MOST_BYTES; i++)
                buf_printf(out, "%s%02x", i ? " " : "", bytes.data[i]);
            buf_append_text(out, bytes.len > MOST_BYTES ? " ..." : "");
            break;
        case 'f':
            flags_describe(va_arg(more, uint64_t), out);
            break;
        case 'g':
            reg = va_arg(more, enum reg);
            reg_part_name(reg, va_arg(more, unsigned), false, out);
            break;
        case 's':
            buf_append_text(out, va_arg(more, const char *));
            break;
        case 'u':
            buf_printf(out, "%u", va_arg(more, unsigned));
            break;
        case 'C':
        case 'N':
            buf_printf(out, "0x%" PRIx64,
                       what == 'C' ? step->after->value[REG_PC]
                                   : step->insn->addr + step->insn->length);
            break;
        case 'D':
            buf_printf(out, "%u", (unsigned)(to - from));
            break;
        case 'S':
            buf_printf(out, "; rsp goes %s by %" PRIu64 " to 0x%" PRIx64,
                       to < from ? "down" : "up",
                       to < from ? from - to : to - from, to);
            break;
        default:
            known = tell_operand(step, what,
                                 &step->insn->operands[*template ++-'0']);
            break;
        }
    }
    va_end(more);
    return known;
}
