/* SPDX-License-Identifier: MIT */
#include "cpu/x86/tell.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

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

static int64_t sign_extend(uint64_t value, unsigned bits)
{
    return (int64_t)wide_extend(value, bits < 64 ? bits : 64, true);
}

/* Whether value_describe writes it in decimal. */
static bool is_decimal(int64_t value)
{
    return value >= -(INT64_C(1) << 47) && value <= UINT32_MAX;
}

void value_describe(uint64_t value, unsigned bits, struct buf *out)
{
    int64_t number = sign_extend(value, bits);

    if (is_decimal(number))
        buf_printf(out, "%" PRId64, number);
    else
        buf_printf(out, "0x%" PRIx64, value_truncate(value, bits));
}

void wide_describe(unsigned __int128 value, unsigned bits, bool is_signed,
                   struct buf *out)
{
    __int128 number = wide_extend(value, bits, is_signed);
    bool is_negative = is_signed && number < 0;
    uint64_t high, low;

    value =
        is_negative ? -(unsigned __int128)number : (unsigned __int128)number;
    high = (uint64_t)(value >> 64);
    low = (uint64_t)value;
    buf_append_text(out, is_negative ? "-" : "");
    if (high)
        buf_printf(out, "0x%" PRIx64 "%016" PRIx64, high, low);
    else
        buf_printf(out, low <= UINT32_MAX ? "%" PRIu64 : "0x%" PRIx64, low);
}

__int128 value_read(uint64_t value, unsigned bits, enum reading reading)
{
    int64_t number = sign_extend(value, bits);

    if (reading == READ_SIGNED ||
        (reading == READ_AS_SHOWN && is_decimal(number)))
        return number;
    return value_truncate(value, bits);
}

void tell_read(const struct step *step, uint64_t value, unsigned bits,
               enum reading reading)
{
    int64_t number = sign_extend(value, bits);

    if (reading == READ_UNSIGNED)
        wide_describe(value_truncate(value, bits), 64, false, step->out);
    else if (reading == READ_SIGNED && number < 0 && !is_decimal(number))
        buf_printf(step->out, "-0x%" PRIx64, -(uint64_t)number);
    else
        value_describe(value, bits, step->out);
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
bool operand_before(const struct step *step, const struct insn_operand *operand,
                    uint64_t *value)
{
    const struct mem_access *access;
    uint64_t addr;

    if (operand->kind == OPERAND_IMMEDIATE) {
        *value = (uint64_t)operand->immediate;
        return true;
    }
    if (operand_is_register(operand)) {
        *value = operand_part(operand, step->before);
        return true;
    }
    if (operand->kind != OPERAND_MEMORY)
        return false;
    addr = insn_address(step->insn, operand, step->before);
    access = access_at(step->reads, step->read_count, addr);
    if (!access)
        access = access_at(step->writes, step->write_count, addr);
    return access && bytes_number(access->old_bytes, operand->bits, value);
}

bool operand_after(const struct step *step, const struct insn_operand *operand,
                   uint64_t *value)
{
    const struct mem_access *access;

    if (operand_is_register(operand)) {
        *value = operand_part(operand, step->after);
        return true;
    }
    if (operand->kind != OPERAND_MEMORY)
        return false;
    access = access_at(step->writes, step->write_count,
                       insn_address(step->insn, operand, step->before));
    return access && bytes_number(access->new_bytes, operand->bits, value);
}

/* --- templates ------------------------------------------------------------ */

static bool tell_operand(const struct step *step, char what,
                         const struct insn_operand *operand)
{
    const uint64_t addr = insn_address(step->insn, operand, step->before);
    const size_t size = operand->bits / 8;
    uint64_t value;

    switch (what) {
    case 'R':
        reg_part_name(operand->reg, operand->bits, operand->high, step->out);
        return true;
    case 'B':
        return tell(step, "%u", (unsigned)operand->bits);
    case 'P':
        if (operand_is_register(operand))
            return tell_operand(step, 'R', operand);
        return tell(step, "%n at %a", size, addr);
    case 'O':
        if (operand_is_register(operand))
            return tell(step, "of ") && tell_operand(step, 'R', operand);
        return tell(step, "at %a", addr);
    case 'X':
        return tell(step, "%a (%n)", addr, size);
    case 'A':
        return tell(step, "%a", addr);
    case 'F':
        return operand->kind != OPERAND_MEMORY ||
               tell(step, ", loaded from %a (%n)", addr, size);
    default: /* 'V' */
        return operand_after(step, operand, &value) &&
               tell(step, "%v", value, (unsigned)operand->bits);
    }
}

static void tell_bytes(const struct step *step, struct bytes bytes)
{
    for (size_t i = 0; i < bytes.len && i < MOST_BYTES; i++)
        buf_printf(step->out, "%s%02x", i ? " " : "", bytes.data[i]);
    if (bytes.len > MOST_BYTES)
        buf_append_text(step->out, " ...");
}

static void tell_stack(const struct step *step)
{
    uint64_t from = step->before->value[REG_STACK];
    uint64_t to = step->after->value[REG_STACK];

    buf_printf(step->out, "; rsp goes %s by %" PRIu64 " to 0x%" PRIx64,
               to < from ? "down" : "up", to < from ? from - to : to - from,
               to);
}

bool tell(const struct step *step, const char *template, ...)
{
    struct buf *out = step->out;
    bool known = true;
    va_list more;
    uint64_t value;
    enum reg reg;
    size_t size;

    va_start(more, template);
    while (known && *template) {
        size_t len = strcspn(template, "%");
        char what;

        buf_append(out, template, len);
        template += len;
        if (!*template)
            break;
        what = template[1];
        template += 2;
        switch (what) {
        case 'v':
            value = va_arg(more, uint64_t);
            value_describe(value, va_arg(more, unsigned), out);
            break;
        case 'a':
            buf_printf(out, "0x%" PRIx64, va_arg(more, uint64_t));
            break;
        case 'n':
            size = va_arg(more, size_t);
            buf_printf(out, "%zu byte%s", size, size == 1 ? "" : "s");
            break;
        case 'h':
            tell_bytes(step, va_arg(more, struct bytes));
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
            buf_printf(out, "0x%" PRIx64, step->after->value[REG_PC]);
            break;
        case 'N':
            buf_printf(out, "0x%" PRIx64,
                       step->insn->addr + step->insn->length);
            break;
        case 'S':
            tell_stack(step);
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
