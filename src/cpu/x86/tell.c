/* SPDX-License-Identifier: MIT */
#include "cpu/x86/tell.h"

#include <inttypes.h>

/* More bytes than these of a vector or a block are not spelled out. */
#define MOST_BYTES 16

uint64_t value_truncate(uint64_t value, unsigned bits)
{
    return bits >= 64 ? value : value & ((UINT64_C(1) << bits) - 1);
}

static int64_t sign_extend(uint64_t value, unsigned bits)
{
    return bits >= 64 ? (int64_t)value
                      : (int64_t)(value << (64 - bits)) >> (64 - bits);
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

__int128 value_read(uint64_t value, unsigned bits, enum reading reading)
{
    int64_t number = sign_extend(value, bits);

    if (reading == READ_SIGNED ||
        (reading == READ_AS_SHOWN && is_decimal(number)))
        return number;
    return value_truncate(value, bits);
}

/* For what has no sign: dividends, shifted bits. */
void value_describe_unsigned(unsigned __int128 value, struct buf *out)
{
    uint64_t high = (uint64_t)(value >> 64);

    if (high)
        buf_printf(out, "0x%" PRIx64 "%016" PRIx64, high, (uint64_t)value);
    else if (value <= UINT32_MAX)
        buf_printf(out, "%" PRIu64, (uint64_t)value);
    else
        buf_printf(out, "0x%" PRIx64, (uint64_t)value);
}

void tell_words(const struct step *step, const char *text)
{
    buf_append_text(step->out, text);
}

void tell_value(const struct step *step, uint64_t value, unsigned bits)
{
    value_describe(value, bits, step->out);
}

void tell_read(const struct step *step, uint64_t value, unsigned bits,
               enum reading reading)
{
    int64_t number = sign_extend(value, bits);

    if (reading == READ_UNSIGNED)
        value_describe_unsigned(value_truncate(value, bits), step->out);
    else if (reading == READ_SIGNED && number < 0 && !is_decimal(number))
        buf_printf(step->out, "-0x%" PRIx64, -(uint64_t)number);
    else
        tell_value(step, value, bits);
}

void tell_address(const struct step *step, uint64_t addr)
{
    buf_printf(step->out, "0x%" PRIx64, addr);
}

void tell_size(const struct step *step, size_t size)
{
    buf_printf(step->out, "%zu byte%s", size, size == 1 ? "" : "s");
}

void tell_hex(const struct step *step, struct bytes bytes)
{
    for (size_t i = 0; i < bytes.len && i < MOST_BYTES; i++)
        buf_printf(step->out, "%s%02x", i ? " " : "", bytes.data[i]);
    if (bytes.len > MOST_BYTES)
        tell_words(step, " ...");
}

uint64_t little_endian(struct bytes bytes)
{
    uint64_t value = 0;

    for (size_t i = bytes.len; i-- > 0;)
        value = value << 8 | bytes.data[i];
    return value;
}

const struct mem_access *access_at(const struct mem_access *list, size_t count,
                                   uint64_t addr)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].addr == addr)
            return &list[i];
    return NULL;
}

uint64_t operand_part(const struct insn_operand *operand,
                      const struct regs *regs)
{
    return value_truncate(regs->value[operand->reg] >> (operand->high ? 8 : 0),
                          operand->bits);
}

bool operand_is_register(const struct insn_operand *operand)
{
    return operand->kind == OPERAND_REGISTER && operand->reg != REG_NONE;
}

/* A number from size bytes, if they are known. */
bool bytes_number(struct bytes bytes, unsigned bits, uint64_t *value)
{
    if (!bytes.data || bytes.len * 8 != bits || bits > 64)
        return false;
    *value = little_endian(bytes);
    return true;
}

/* What the operand held before; memory that was overwritten included. */
bool operand_before(const struct step *step, const struct insn_operand *operand,
                    uint64_t *value)
{
    uint64_t addr;
    const struct mem_access *access;

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

bool operand_is_same(const struct insn_operand *a, const struct insn_operand *b)
{
    return operand_is_register(a) && operand_is_register(b) &&
           a->reg == b->reg && a->high == b->high && a->bits == b->bits;
}

void tell_register(const struct step *step, const struct insn_operand *operand)
{
    reg_part_name(operand->reg, operand->bits, operand->high, step->out);
}

void tell_extent(const struct step *step, const struct insn_operand *operand)
{
    tell_address(step, insn_address(step->insn, operand, step->before));
    tell_words(step, " (");
    tell_size(step, operand->bits / 8);
    tell_words(step, ")");
}

/* "rax", or "8 bytes at 0x1000" */
void tell_place(const struct step *step, const struct insn_operand *operand)
{
    if (operand_is_register(operand)) {
        tell_register(step, operand);
        return;
    }
    tell_size(step, operand->bits / 8);
    tell_words(step, " at ");
    tell_address(step, insn_address(step->insn, operand, step->before));
}

void tell_loaded(const struct step *step, const struct insn_operand *operand)
{
    tell_words(step, "loaded from ");
    tell_address(step, insn_address(step->insn, operand, step->before));
    tell_words(step, " (");
    tell_size(step, operand->bits / 8);
    tell_words(step, ")");
}

/* For an operand that an equation has used: where it is from, if in memory. */
void tell_origin(const struct step *step, const struct insn_operand *operand,
                 uint64_t value, enum reading reading)
{
    if (operand->kind != OPERAND_MEMORY)
        return;
    tell_words(step, ", ");
    tell_read(step, value, operand->bits, reading);
    tell_words(step, " ");
    tell_loaded(step, operand);
}
