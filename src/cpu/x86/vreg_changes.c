/* SPDX-License-Identifier: MIT */
/*
 * Registers of cpu/vregs.h, old -> new: what can be said of any instruction,
 * whether it has a sentence or not.
 */
#include "cpu/x86/lanes.h"

/* More lanes than these are not spelled out one by one. */
#define MOST_LANES 4

/* Exception flags, from bit 0 on; of MXCSR the same as of the status word of
 * the x87 (SDM vol. 1, figures 10-3 and 8-4). */
#define EXCEPTIONS 0x3fu
static const char *const exceptions[] = {"IE", "DE", "ZE", "OE", "UE", "PE"};

/* Bits 11 to 13 of the status word of the x87 (SDM vol. 1, 8.1.2). */
#define TOP_SHIFT 11

/* The number of 16 bits, or 32. */
static unsigned number_of(struct bytes bytes)
{
    uint64_t value = 0;

    memcpy(&value, bytes.data, bytes.len < 4 ? bytes.len : 4);
    return (unsigned)value;
}

static void append_exceptions(unsigned flags, struct buf *out)
{
    const char *gap = "";

    for (unsigned i = 0; i < sizeof exceptions / sizeof *exceptions; i++)
        if (flags >> i & 1) {
            buf_printf(out, "%s%s", gap, exceptions[i]);
            gap = " ";
        }
    buf_append_text(out, *gap ? "" : "none");
}

/* "mxcsr flags none -> PE", and what else is in it as a number. */
static bool state_change(const struct vreg_change *change, struct buf *out)
{
    const unsigned old = number_of(change->old_bytes);
    const unsigned new = number_of(change->new_bytes);
    const char *gap = "";

    vreg_name(change->reg, 0, out);
    if (change->reg == VREG_FCW ||
        (change->reg == VREG_MXCSR && (old ^ new) & ~EXCEPTIONS)) {
        buf_printf(out, " 0x%x -> 0x%x", old, new);
        return true;
    }
    if (change->reg == VREG_FSW && (old ^ new) >> TOP_SHIFT & 7) {
        buf_printf(out, " top %u -> %u", old >> TOP_SHIFT & 7,
                   new >> TOP_SHIFT & 7);
        gap = ",";
    }
    if ((old ^ new) & EXCEPTIONS) {
        buf_printf(out, "%s flags ", gap);
        append_exceptions(old, out);
        buf_append_text(out, " -> ");
        append_exceptions(new, out);
    } else if (!*gap) {
        buf_printf(out, " 0x%x -> 0x%x", old, new);
    }
    return true;
}

/* The lanes that an instruction takes that register for; bits == 0: none. */
static struct lane_type type_for(const struct insn *insn, enum vreg reg)
{
    struct lane_type type = {0, false, false};

    if (!insn)
        return type;
    type = lane_type_of(vector_name(insn));
    for (int i = 0; i < insn->operand_count && !type.bits; i++) {
        const struct insn_operand *operand = &insn->operands[i];

        if (operand->vector == reg - VREG_VECTOR + 1u && operand->is_real &&
            operand->lane_bits >= 32 && operand->lane_bits <= 64 &&
            strncmp(vector_name(insn), "mov", 3) != 0)
            type = (struct lane_type){operand->lane_bits, true, false};
    }
    return type;
}

static void vector_change(const struct insn *insn,
                          const struct vreg_change *change, struct buf *out)
{
    const struct lane_type type = type_for(insn, change->reg);
    const unsigned lanes =
        type.bits ? (unsigned)change->new_bytes.len * 8 / type.bits : 0;
    const uint8_t *old = change->old_bytes.data;
    const uint8_t *new = change->new_bytes.data;
    unsigned changed = 0, last = 0, told = 0;

    for (unsigned i = 0; i < lanes; i++)
        if (lane_get(old, type.bits, i) != lane_get(new, type.bits, i)) {
            changed++;
            last = i;
        }
    if (!changed || changed > MOST_LANES) {
        buf_append_text(out, " ");
        wide_bytes_describe(change->old_bytes, out);
        buf_append_text(out, " -> ");
        wide_bytes_describe(change->new_bytes, out);
        return;
    }
    for (unsigned i = 0; i < lanes; i++) {
        const uint64_t was = lane_get(old, type.bits, i);
        const uint64_t is = lane_get(new, type.bits, i);

        if (was == is)
            continue;
        if (!type.is_one || last > 0)
            buf_printf(out, "%s[%u]", told++ ? ", " : "", i);
        buf_append_text(out, " ");
        lane_describe(was, type, out);
        buf_append_text(out, " -> ");
        lane_describe(is, type, out);
    }
}

/* The tags are of the physical registers, st0 is the one at the top (SDM vol. 1,
 * 8.1.2 and 8.1.7). */
static bool is_in_use(const struct vregs *vregs, unsigned number)
{
    const unsigned top =
        number_of((struct bytes){vregs->fsw, sizeof vregs->fsw}) >> TOP_SHIFT;

    return *vregs->ftw >> ((top + number) & 7) & 1;
}

/* Of the x87 what is not in use is of no interest. */
static bool x87_change(const struct insn *insn,
                       const struct vreg_change *change,
                       const struct vregs *after, struct buf *out)
{
    const unsigned number = change->reg - VREG_X87;

    /* MMX puts ones above its 64 bits (SDM vol. 1, 9.6.2): no change of its. */
    for (int i = 0; insn && i < insn->operand_count; i++)
        if (insn->operands[i].is_mmx) {
            if (memcmp(change->old_bytes.data, change->new_bytes.data, 8) == 0)
                return false;
            buf_printf(out, "mm%u 0x%" PRIx64 " -> 0x%" PRIx64, number,
                       lane_get(change->old_bytes.data, 64, 0),
                       lane_get(change->new_bytes.data, 64, 0));
            return true;
        }
    if (!after || !is_in_use(after, number))
        return false;
    buf_printf(out, "st%u ", number);
    extended_describe(extended_of(change->old_bytes.data), out);
    buf_append_text(out, " -> ");
    extended_describe(extended_of(change->new_bytes.data), out);
    return true;
}

bool effect_change(const struct insn *insn, const struct vreg_change *change,
                   const struct vregs *after, struct buf *out)
{
    if (change->reg == VREG_FTW)
        return false;
    if (change->reg >= VREG_MXCSR)
        return state_change(change, out);
    if (change->reg >= VREG_X87)
        return x87_change(insn, change, after, out);
    vreg_name(change->reg, change->new_bytes.len, out);
    if (change->reg >= VREG_MASK)
        buf_printf(out, " 0x%" PRIx64 " -> 0x%" PRIx64,
                   lane_get(change->old_bytes.data, 64, 0),
                   lane_get(change->new_bytes.data, 64, 0));
    else
        vector_change(insn, change, out);
    return true;
}

void effect_value(const char *mnemonic, struct bytes value, struct buf *out)
{
    struct lane_type type = {0, false, false};
    unsigned count = 0;

    if (mnemonic)
        type = lane_type_of(mnemonic + (*mnemonic == 'v'));
    if (type.bits == 0 || value.len * 8 < type.bits) {
        wide_bytes_describe(value, out);
        return;
    }
    count = type.is_one ? 1 : (unsigned)value.len * 8 / type.bits;
    if (count > MOST_LANES) {
        wide_bytes_describe(value, out);
        return;
    }
    for (unsigned i = 0; i < count; i++) {
        buf_append_text(out, i ? ", " : "");
        lane_describe(lane_get(value.data, type.bits, i), type, out);
    }
}

bool effect_register(const struct vregs *vregs, enum vreg reg, bool as_doubles,
                     struct buf *out)
{
    const struct bytes value = vregs_trimmed(vregs, reg);
    const bool is_x87 = reg >= VREG_X87 && reg != VREG_MXCSR;
    bool any = false;

    for (size_t i = 0; i < value.len; i++)
        any |= value.data[i] != 0;
    if (is_x87 ? reg == VREG_FTW || *vregs->ftw == 0 : !any)
        return false;
    if (is_x87 && reg < VREG_MXCSR && !is_in_use(vregs, reg - VREG_X87))
        return false;
    vreg_name(reg, value.len, out);
    buf_append_text(out, " ");
    if (is_x87 && reg < VREG_MXCSR)
        extended_describe(extended_of(value.data), out);
    else
        effect_value(as_doubles && reg < VREG_MASK ? "movapd" : NULL, value,
                     out);
    return true;
}

bool tell_vreg_changes(const struct step *step, const char **joint)
{
    struct vreg_change changes[VREG_COUNT];
    size_t count;
    bool any = false;

    if (!step->vregs_before || !step->vregs_after)
        return false;
    count =
        vregs_diff(step->vregs_before, step->vregs_after, step->insn, changes);
    for (size_t i = 0; i < count; i++) {
        struct buf text = {0};

        if (effect_change(step->insn, &changes[i], step->vregs_after, &text)) {
            tell(step, "%s%s", *joint, buf_text(&text));
            *joint = "; ";
            any = true;
        }
        buf_release(&text);
    }
    return any;
}
