/* SPDX-License-Identifier: MIT */
#include "diff/flow.h"

#include "base/mem.h"
#include "cpu/calling.h"
#include "cpu/effect.h"
#include "cpu/touch.h"
#include "cpu/trait.h"
#include "diff/code.h"
#include "diff/diff.h"

#define BIT(n) (UINT32_C(1) << (n))

/* Bytes of a vector register that are compared at an entry: what is above them
 * is no argument (psABI 3.2.3, of the types that are common). */
#define VECTOR_BYTES 16u

/* The flags that instructions set and read: CF PF AF ZF SF DF OF (Intel SDM
 * vol. 1, 3.4.3). */
#define FLAGS 0xcd5u

void flow_release(struct flow *flow)
{
    ranges_release(&flow->words);
}

static struct bytes vector_of(const struct vregs *vregs, unsigned number,
                              size_t size)
{
    return (struct bytes){vregs->vector[number],
                          size < VREG_BYTES ? size : VREG_BYTES};
}

/* --- arriving and leaving ------------------------------------------------- */

static uint32_t came_vectors(struct same *same, const struct event *a,
                             const struct event *b)
{
    const struct vregs *left = view_vregs(same->view[0], a->tid);
    const struct vregs *right = view_vregs(same->view[1], b->tid);
    uint32_t came = 0;

    for (unsigned i = 0; left && right && i < VREGS_VECTORS; i++)
        if (!same_bytes(same, vector_of(left, i, VECTOR_BYTES),
                        vector_of(right, i, VECTOR_BYTES)))
            came |= BIT(i);
    return came;
}

void flow_enter(struct flow *flow, struct same *same, const struct event *a,
                const struct event *b, bool again)
{
    const struct regs *left = &a->enter.regs, *right = &b->enter.regs;
    uint32_t vectors;

    flow->inside = true;
    flow->entered[0] = a->seq;
    flow->entered[1] = b->seq;
    flow->entry[0] = *left;
    flow->entry[1] = *right;
    if (!again) {
        same->stack[0] = left->value[REG_STACK];
        same->stack[1] = right->value[REG_STACK];
        flow->loose = flow->vectors_loose = 0;
        flow->came = 0;
    }
    same_word(same, left->value[REG_THREAD], right->value[REG_THREAD]);
    for (int i = 0; i < REG_GENERAL; i++) {
        bool kept = again && flow->has_left &&
                    flow->left[0].value[i] == left->value[i] &&
                    flow->left[1].value[i] == right->value[i];

        if (same_word(same, left->value[i], right->value[i])) {
            flow->came &= ~BIT(i);
            flow->loose &= ~BIT(i);
        } else if (!kept && !(flow->loose & BIT(i)) && i != REG_STACK) {
            flow->came |= BIT(i);
        }
    }
    vectors = came_vectors(same, a, b);
    flow->vectors_loose &= vectors;
    flow->vectors_came = vectors & ~flow->vectors_loose;
    flow->flags_loose =
        ((left->value[REG_FLAGS] ^ right->value[REG_FLAGS]) & FLAGS) != 0;
}

/* An argument, or what else code has come with, is other, and matters. */
static void report_came(struct flow *flow, enum reg reg,
                        struct flow_report *report)
{
    struct buf left = {0}, right = {0};

    flow->came &= ~BIT(reg);
    value_describe(flow->entry[0].value[reg], 64, &left);
    value_describe(flow->entry[1].value[reg], 64, &right);
    report->say(report, DIFF_ARGUMENTS, true, reg_name(reg), buf_text(&left),
                buf_text(&right));
    buf_release(&left);
    buf_release(&right);
}

void flow_leave(struct flow *flow, struct same *same, const struct event *a,
                const struct event *b, struct flow_report *report)
{
    const struct texts *params = &a->leave.callee.params;

    flow->inside = false;
    flow->has_left = a->leave.regs.known && b->leave.regs.known;
    if (!flow->has_left)
        return;
    flow->left[0] = a->leave.regs.value;
    flow->left[1] = b->leave.regs.value;
    (void)same;
    /* A function that takes as many takes what the code came with. */
    for (size_t i = 0, taken = 0; i < params->count && taken < REG_ARGUMENTS;
         i++) {
        enum reg reg = reg_argument[taken];

        if (params->list[i][0] == 'f' || !word_is(a->leave.how, "call"))
            continue; /* f32, f64: in a vector register */
        if (word_is(params->list[i], "void") || word_is(params->list[i], "..."))
            break;
        taken++;
        if (flow->came & BIT(reg))
            report_came(flow, reg, report);
    }
}

/* --- what an instruction is given ----------------------------------------- */

/* Whether it only puts the register aside, as what it belongs to the caller's:
 * that is no use of it. */
static bool saves(const struct insn *insn, const struct insn_touch *touch,
                  enum reg reg)
{
    for (unsigned i = 0; touch->moves && i < insn->operand_count; i++) {
        const struct insn_operand *operand = &insn->operands[i];

        if (operand->kind == OPERAND_MEMORY && operand->written)
            return operand->hidden || calling_is_saved(reg);
    }
    return false;
}

static uint64_t part_of(uint64_t value, unsigned bits, bool high)
{
    value >>= high ? 8 : 0;
    return bits >= 64 ? value : value & ((UINT64_C(1) << bits) - 1);
}

static unsigned given_register(struct flow *flow, struct same *same,
                               struct flow_step *step,
                               const struct insn_touch *touch, enum reg reg,
                               unsigned bits, bool high,
                               struct flow_report *report)
{
    uint64_t left = part_of(step->before[0].value[reg], bits, high);
    uint64_t right = part_of(step->before[1].value[reg], bits, high);

    if (left == right)
        return 0;
    if (bits >= 32 &&
        same_bytes(same, (struct bytes){(uint8_t *)&left, bits / 8},
                   (struct bytes){(uint8_t *)&right, bits / 8}))
        return GIVEN_ADDRESS;
    if (flow->loose & BIT(reg))
        return GIVEN_LOOSE;
    if (!(flow->came & BIT(reg)))
        return GIVEN_OTHER;
    if (saves(&step->insn[0], touch, reg))
        return GIVEN_LOOSE;
    report_came(flow, reg, report);
    return GIVEN_OTHER;
}

static unsigned given_vector(struct flow *flow, struct same *same,
                             struct flow_step *step,
                             const struct insn_operand *operand,
                             struct flow_report *report)
{
    unsigned number = operand->vector - 1u, which = BIT(number);
    struct bytes left =
        vector_of(&step->vectors_before[0], number, operand->bits / 8u);
    struct bytes right =
        vector_of(&step->vectors_before[1], number, operand->bits / 8u);
    struct buf name = {0}, text[2] = {{0}, {0}};

    if (left.len == 0 || memcmp(left.data, right.data, left.len) == 0)
        return 0;
    if (same_bytes(same, left, right))
        return GIVEN_ADDRESS;
    if (flow->vectors_loose & which)
        return GIVEN_LOOSE;
    if (flow->vectors_came & which) {
        flow->vectors_came &= ~which;
        vreg_name((enum vreg)(VREG_VECTOR + number), 16, &name);
        effect_value(step->insn[0].mnemonic, left, &text[0]);
        effect_value(step->insn[0].mnemonic, right, &text[1]);
        report->say(report, DIFF_ARGUMENTS, true, buf_text(&name),
                    buf_text(&text[0]), buf_text(&text[1]));
        buf_release(&name);
        buf_release(&text[0]);
        buf_release(&text[1]);
    }
    return GIVEN_OTHER;
}

static unsigned given_memory(struct flow *flow, struct same *same,
                             const struct flow_step *step)
{
    const struct mem_accesses *left = &step->event[0]->step.reads;
    const struct mem_accesses *right = &step->event[1]->step.reads;
    bool of_thread = false;
    unsigned given = 0;

    /* What a thread has of its own: the canary of its stack is random. */
    for (unsigned i = 0; i < step->insn[0].operand_count; i++)
        of_thread |= step->insn[0].operands[i].segment == REG_THREAD;
    for (size_t i = 0; i < left->count && i < right->count; i++) {
        struct bytes a = left->list[i].old_bytes, b = right->list[i].old_bytes;
        size_t count;
        const struct stretch *loose =
            ranges_from(&flow->words, left->list[i].addr, &count);

        if (a.len == b.len &&
            (a.len == 0 || memcmp(a.data, b.data, a.len) == 0))
            continue;
        if (same_bytes(same, a, b))
            given |= GIVEN_ADDRESS;
        else if (of_thread ||
                 (count > 0 && loose->from < left->list[i].addr + a.len))
            given |= GIVEN_LOOSE;
        else
            given |= GIVEN_OTHER;
    }
    return given;
}

void flow_given(struct flow *flow, struct same *same, struct flow_step *step,
                struct flow_report *report)
{
    const struct insn *insn = &step->insn[0], *other = &step->insn[1];
    struct insn_touch touch;
    bool zero;

    insn_touches(insn, &touch);
    step->same_code = code_same(same, insn, other);
    step->inputs = given_memory(flow, same, step);
    if (insn->length != other->length ||
        memcmp(insn->bytes, other->bytes, insn->length) != 0 ||
        insn->kind == INSN_CALL)
        step->inputs |= GIVEN_ADDRESS;
    for (unsigned i = 0; i < insn->operand_count; i++) {
        const struct insn_operand *operand = &insn->operands[i];

        zero = operand->reg < REG_GENERAL && !(touch.read & BIT(operand->reg));
        if (operand->kind != OPERAND_REGISTER) {
            if (operand->base == REG_PC)
                step->inputs |= GIVEN_ADDRESS;
            for (int k = 0; k < 2; k++) {
                enum reg reg = k ? operand->index : operand->base;

                if (reg < REG_GENERAL)
                    step->inputs |= given_register(flow, same, step, &touch,
                                                   reg, 64, false, report);
            }
        } else if (operand->read && operand->reg < REG_GENERAL && !zero) {
            step->inputs |=
                given_register(flow, same, step, &touch, operand->reg,
                               operand->bits, operand->high, report);
        } else if (operand->read && operand->vector &&
                   touch.vectors_read & BIT(operand->vector - 1)) {
            step->inputs |= given_vector(flow, same, step, operand, report);
        }
    }
    if (touch.read & BIT(REG_FLAGS) &&
        (step->before[0].value[REG_FLAGS] ^ step->before[1].value[REG_FLAGS]) &
            FLAGS)
        step->inputs |= flow->flags_loose ? GIVEN_LOOSE : GIVEN_OTHER;
}

/* --- what it makes of that ------------------------------------------------ */

/* Whether what differs afterwards is a difference, and not an address, or made
 * of one. */
static bool is_told(const struct flow_step *step)
{
    struct insn_trait trait;

    if (!step->same_code || step->inputs & GIVEN_OTHER)
        return true;
    insn_traits(&step->insn[0], &trait);
    return step->inputs == 0 && !trait.asks;
}

/* How many of the lowest bits it sets of that register; the others stay. */
static unsigned set_bits(const struct insn *insn, enum reg reg)
{
    for (unsigned i = 0; i < insn->operand_count; i++) {
        const struct insn_operand *operand = &insn->operands[i];

        if (operand->kind == OPERAND_REGISTER && operand->written &&
            operand->reg == reg && operand->bits < 32)
            return operand->bits + (operand->high ? 8 : 0);
    }
    return 64;
}

static void made_registers(struct flow *flow, struct same *same,
                           const struct flow_step *step,
                           struct flow_report *report)
{
    struct buf left = {0}, right = {0};

    for (int i = 0; i < REG_GENERAL; i++) {
        const uint64_t a = step->after[0].value[i], b = step->after[1].value[i];
        unsigned bits = set_bits(&step->insn[0], (enum reg)i);

        if (a == step->before[0].value[i] && b == step->before[1].value[i])
            continue;
        if (same_word(same, a, b)) {
            flow->came &= ~BIT(i);
            flow->loose &= ~BIT(i);
            continue;
        }
        if (bits < 64 && part_of(a, bits, false) == part_of(b, bits, false))
            continue; /* what differs was there before */
        if (bits == 64)
            flow->came &= ~BIT(i);
        if (!is_told(step)) {
            flow->loose |= BIT(i);
            continue;
        }
        flow->loose &= ~BIT(i);
        buf_clear(&left);
        buf_clear(&right);
        value_describe(a, 64, &left);
        value_describe(b, 64, &right);
        report->say(report, DIFF_REGISTERS, false, reg_name((enum reg)i),
                    buf_text(&left), buf_text(&right));
    }
    buf_release(&left);
    buf_release(&right);
}

static void made_flags(struct flow *flow, const struct flow_step *step,
                       struct flow_report *report)
{
    uint64_t a = step->after[0].value[REG_FLAGS];
    uint64_t b = step->after[1].value[REG_FLAGS];
    struct buf left = {0}, right = {0};
    struct insn_touch touch, other;

    insn_touches(&step->insn[0], &touch);
    insn_touches(&step->insn[1], &other);
    if (!((touch.written | other.written) & BIT(REG_FLAGS)))
        return;
    if (((a ^ b) & FLAGS) == 0) {
        flow->flags_loose = false;
    } else if (!is_told(step)) {
        flow->flags_loose = true;
    } else {
        flow->flags_loose = false;
        flags_describe(a, &left);
        flags_describe(b, &right);
        report->say(report, DIFF_REGISTERS, false, "flags", buf_text(&left),
                    buf_text(&right));
        buf_release(&left);
        buf_release(&right);
    }
}

static void hex(struct bytes bytes, struct buf *out)
{
    buf_append_text(out, bytes.len ? "" : "nothing");
    for (size_t i = 0; i < bytes.len && i < 32; i++)
        buf_printf(out, "%s%02x", i ? " " : "", bytes.data[i]);
    buf_append_text(out, bytes.len > 32 ? " ..." : "");
}

/* One of the registers beside the general ones. */
static void made_vector(struct flow *flow, struct same *same,
                        const struct flow_step *step, enum vreg reg,
                        struct flow_report *report)
{
    struct bytes before[2], after[2];
    struct buf name = {0}, text[2] = {{0}, {0}};
    bool lanes = reg < VREG_MASK, differs = false;
    size_t size;

    for (int i = 0; i < 2; i++) {
        before[i] = vregs_value(&step->vectors_before[i], reg);
        after[i] = vregs_value(&step->vectors_after[i], reg);
    }
    size = lanes ? 8 : after[0].len;
    for (size_t at = 0; at < after[0].len; at += size) {
        struct bytes a = {after[0].data + at, size};
        struct bytes b = {after[1].data + at, size};

        differs |= (memcmp(a.data, before[0].data + at, size) != 0 ||
                    memcmp(b.data, before[1].data + at, size) != 0) &&
                   !same_bytes(same, a, b);
    }
    if (!differs || (!lanes && memcmp(before[0].data, before[1].data, size)))
        return;
    flow->vectors_came &= lanes ? ~BIT(reg) : UINT32_MAX;
    flow->vectors_loose |= lanes ? BIT(reg) : 0;
    if (!is_told(step))
        return;
    flow->vectors_loose &= lanes ? ~BIT(reg) : UINT32_MAX;
    vreg_name(reg, lanes ? 16 : after[0].len, &name);
    for (int i = 0; i < 2; i++)
        if (lanes)
            effect_value(step->insn[0].mnemonic,
                         vregs_trimmed(&step->vectors_after[i], reg), &text[i]);
        else
            hex(after[i], &text[i]);
    report->say(report, DIFF_REGISTERS, false, buf_text(&name),
                buf_text(&text[0]), buf_text(&text[1]));
    buf_release(&name);
    buf_release(&text[0]);
    buf_release(&text[1]);
}

static void made_vectors(struct flow *flow, struct same *same,
                         const struct flow_step *step,
                         struct flow_report *report)
{
    uint64_t done = 0;

    for (int i = 0; i < 2; i++) {
        const struct vreg_changes *changes = &step->event[i]->step.vregs;

        for (size_t k = 0; k < changes->count; k++) {
            enum vreg reg = changes->list[k].reg;

            if (reg >= VREG_MXCSR || done >> reg & 1)
                continue;
            done |= UINT64_C(1) << reg;
            made_vector(flow, same, step, reg, report);
        }
    }
}

static void made_memory(struct flow *flow, struct same *same,
                        const struct flow_step *step,
                        struct flow_report *report)
{
    const struct mem_accesses *left = &step->event[0]->step.writes;
    const struct mem_accesses *right = &step->event[1]->step.writes;
    const struct mem_access none = {0};
    size_t count = left->count > right->count ? left->count : right->count;

    for (size_t i = 0; i < count; i++) {
        const struct mem_access *a = i < left->count ? &left->list[i] : &none;
        const struct mem_access *b = i < right->count ? &right->list[i] : &none;
        struct buf text[2] = {{0}, {0}};
        struct range_value *value;
        const char *what = NULL;

        if (!same_word(same, a->addr, b->addr)) {
            what = "where to";
            buf_printf(&text[0], a->addr ? "0x%" PRIx64 : "nowhere", a->addr);
            buf_printf(&text[1], b->addr ? "0x%" PRIx64 : "nowhere", b->addr);
        } else if (!same_bytes(same, a->new_bytes, b->new_bytes)) {
            what = "bytes";
            hex(a->new_bytes, &text[0]);
            hex(b->new_bytes, &text[1]);
        } else if (a->new_bytes.len > 0) {
            ranges_forget(&flow->words, a->addr, a->addr + a->new_bytes.len);
        }
        if (what && is_told(step)) {
            report->say(report, DIFF_MEMORY, false, what, buf_text(&text[0]),
                        buf_text(&text[1]));
        } else if (what && a->new_bytes.len > 0) {
            value = range_value_new(sizeof *value);
            ranges_set(&flow->words, a->addr, a->addr + a->new_bytes.len,
                       value);
            range_value_drop(value);
        }
        buf_release(&text[0]);
        buf_release(&text[1]);
    }
}

/* Whether they go on side by side. */
static bool made_way(const struct flow *flow, struct same *same,
                     const struct flow_step *step, struct flow_report *report)
{
    const struct event_step *left = &step->event[0]->step;
    const struct event_step *right = &step->event[1]->step;
    const bool branches =
        step->insn[0].kind == INSN_BRANCH && step->insn[1].kind == INSN_BRANCH;
    const bool on[2] = {left->next == left->addr + step->insn[0].length,
                        right->next == right->addr + step->insn[1].length};
    struct buf text[2] = {{0}, {0}};

    if ((on[0] && on[1]) || (step->returns[0] && step->returns[1]) ||
        same_address(same, left->next, right->next))
        return true;
    /* What is outside is compared where control leaves. */
    if (!step->returns[0] && !step->returns[1] &&
        !view_region_at(same->view[0], left->next) &&
        !view_region_at(same->view[1], right->next))
        return true;
    if (on[0] == on[1] && !step->same_code)
        return true;
    if (!branches && !step->same_code)
        return false;
    for (int i = 0; i < 2; i++)
        if (branches)
            buf_append_text(&text[i], on[i] ? "not taken" : "taken");
        else
            buf_printf(&text[i], "to 0x%" PRIx64, i ? right->next : left->next);
    report->say(report, DIFF_BRANCH, false,
                flow->flags_loose && branches
                    ? "a branch by what was made of addresses"
                : branches ? "a branch"
                           : "where it led",
                buf_text(&text[0]), buf_text(&text[1]));
    buf_release(&text[0]);
    buf_release(&text[1]);
    return false;
}

bool flow_made(struct flow *flow, struct same *same, struct flow_step *step,
               struct flow_report *report)
{
    made_registers(flow, same, step, report);
    made_flags(flow, step, report);
    made_vectors(flow, same, step, report);
    made_memory(flow, same, step, report);
    return made_way(flow, same, step, report);
}
