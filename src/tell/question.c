/* SPDX-License-Identifier: MIT */
#include "tell/question.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "cpu/effect.h"
#include "tell/code.h"
#include "tell/focus.h"

void question_release(struct question *question)
{
    buf_release(&question->text);
    buf_release(&question->given);
    *question = (struct question){0};
}

/* --- what decides it ----------------------------------------------------- */

/* Takes note of a value that the instruction starts from. */
static void give(struct question *question, const char *name, uint64_t value,
                 unsigned bits)
{
    struct buf text = {0};

    buf_printf(&text, "%s = ", name);
    value_describe(value, bits, &text);
    if (!strstr(buf_text(&question->given), buf_text(&text)))
        buf_printf(&question->given, "%s%s", question->given.len ? ", " : "",
                   buf_text(&text));
    buf_release(&text);
}

static void give_register(struct question *question, enum reg reg,
                          unsigned bits, bool high, const struct regs *regs)
{
    struct buf name = {0};

    if (reg >= REG_GENERAL)
        return;
    reg_part_name(reg, bits, high, &name);
    give(question, buf_text(&name), regs->value[reg] >> (high ? 8 : 0), bits);
    buf_release(&name);
}

/* Notes all that the instruction reads. Returns whether that is anything. */
static bool give_inputs(struct question *question, const struct insn *insn,
                        const struct event_step *step, const struct regs *regs)
{
    bool some = false;

    for (size_t i = 0; i < insn->operand_count; i++) {
        const struct insn_operand *operand = &insn->operands[i];

        if (operand->kind == OPERAND_IMMEDIATE)
            some = true;
        if (operand->kind == OPERAND_REGISTER && operand->read) {
            some = true;
            if (operand->reg == REG_FLAGS) {
                buf_printf(&question->given, "%sflags ",
                           question->given.len ? ", " : "");
                flags_describe(regs->value[REG_FLAGS], &question->given);
            } else {
                give_register(question, operand->reg, operand->bits,
                              operand->high, regs);
            }
        }
        if (operand->kind == OPERAND_ADDRESS) {
            some = true;
            give_register(question, operand->base, 64, false, regs);
            give_register(question, operand->index, 64, false, regs);
            if (operand->base == REG_PC)
                give(question, reg_name(REG_PC), step->addr + insn->length, 64);
        }
    }
    for (size_t i = 0; i < step->reads.count; i++) {
        const struct mem_access *read = &step->reads.list[i];
        uint64_t value = 0;

        some = true;
        if (read->old_bytes.len > sizeof value)
            continue;
        memcpy(&value, read->old_bytes.data, read->old_bytes.len);
        give(question, "in memory: what is read", value,
             8 * (unsigned)read->old_bytes.len);
    }
    return some;
}

/* --- about a step -------------------------------------------------------- */

static bool ask_register(struct question *question, const struct insn *insn,
                         const struct event_step *step)
{
    const struct reg_change *change = NULL;
    enum reg reg = REG_NONE;
    unsigned bits = 64;
    bool high = false;

    for (size_t i = 0; i < insn->operand_count && reg == REG_NONE; i++) {
        const struct insn_operand *operand = &insn->operands[i];

        if (operand->kind == OPERAND_REGISTER && operand->written &&
            operand->reg < REG_GENERAL &&
            (!operand->hidden || operand->reg == REG_STACK)) {
            reg = operand->reg;
            bits = operand->bits;
            high = operand->high;
        }
    }
    for (size_t i = 0; i < step->regs.count; i++)
        if (step->regs.list[i].reg == reg)
            change = &step->regs.list[i];
    if (!change || bits == 0)
        return false;
    question->kind = QUESTION_REGISTER;
    reg_part_name(reg, bits, high, &question->text);
    buf_printf(&question->text, " after %s?", insn->text);
    question->value = change->new_value >> (high ? 8 : 0);
    question->bits = bits;
    return true;
}

/* One of the flags that the step has changed: another one each time. Where the
 * instruction is there for the flags alone, also one that it left as it was. */
static bool ask_flag(struct question *question, const struct insn *insn,
                     const struct event_step *step, const struct regs *regs,
                     uint64_t seq)
{
    static const char *const names[] = {"ZF", "CF", "SF", "OF"};
    const size_t count = sizeof names / sizeof *names;
    uint64_t after = regs->value[REG_FLAGS], changed;
    bool writes = false;

    for (size_t i = 0; i < insn->operand_count; i++)
        writes |= insn->operands[i].reg == REG_FLAGS &&
                  insn->operands[i].kind == OPERAND_REGISTER &&
                  insn->operands[i].written;
    for (size_t i = 0; i < step->regs.count; i++)
        if (step->regs.list[i].reg == REG_FLAGS)
            after = step->regs.list[i].new_value;
    changed = after ^ regs->value[REG_FLAGS];
    for (size_t i = 0; i < count && writes; i++) {
        const char *name = names[(seq + i) % count];

        if (step->regs.count > 0 && !(changed & flag_find(name)))
            continue;
        question->kind = QUESTION_FLAG;
        buf_printf(&question->text, "%s after %s, 0 or 1?", name, insn->text);
        question->value = (after & flag_find(name)) != 0;
        question->bits = 1;
        return true;
    }
    return false;
}

/* Whether it jumps, or where it leads: then not in the words of the
 * instruction, which say it. */
static bool ask_control(struct question *question, const struct insn *insn,
                        const struct event_step *step, const struct view *view)
{
    const struct region *region = view_region_at(view, step->addr);
    const struct region *there = view_region_at(view, step->next);
    struct phrases phrases = {0};

    if (!region || !insn_distance(insn))
        return false;
    if (insn->kind == INSN_BRANCH) {
        question->kind = QUESTION_BRANCH;
        buf_printf(&question->text, "does %s at code[%" PRIu64 "] jump?",
                   insn->mnemonic, step->addr - region->start);
        question->value = step->next != step->addr + insn->length;
        question->bits = 1;
        return true;
    }
    if (!there || there->start != region->start)
        return false;
    question->kind = QUESTION_TARGET;
    buf_printf(
        &question->text, "%s at code[%" PRIu64 "], bytes %s, leads to code[?]",
        insn->mnemonic, step->addr - region->start,
        phrase_bytes(&phrases, (struct bytes){insn->bytes, insn->length}));
    question->value = step->next - region->start;
    question->bits = 64;
    question->base = region->start;
    phrases_release(&phrases);
    return true;
}

static bool ask_step(struct history *history, uint64_t seq,
                     struct question *question)
{
    struct event *event = event_keep(history_event(history, seq));
    const struct event_step *step = &event->step;
    const struct view *view = history_view(history, seq - 1);
    const struct regs *regs = view_regs(view, event->tid);
    struct insn insn;
    bool found = false;

    question->addr = step->addr;
    if (regs && step->bytes.data && view_decode_step(view, step, &insn) &&
        insn.kind != INSN_SYSCALL && insn.kind != INSN_RETURN) {
        if (insn.kind == INSN_BRANCH || insn.kind == INSN_JUMP ||
            insn.kind == INSN_CALL)
            found = ask_control(question, &insn, step, view);
        else if (give_inputs(question, &insn, step, regs))
            found =
                (seq % 3 == 0 && ask_flag(question, &insn, step, regs, seq)) ||
                ask_register(question, &insn, step) ||
                ask_flag(question, &insn, step, regs, seq);
        if (found && insn.kind == INSN_BRANCH)
            give_inputs(question, &insn, step, regs);
    }
    event_free(event);
    return found;
}

/* --- about a store ------------------------------------------------------- */

/* Whether the bytes that are there of a number, the lowest first, are those of
 * one in the word: "4", "x*2+1". */
static bool has_number(const char *word, const uint8_t *bytes, size_t count)
{
    char *end;

    for (const char *at = word; *at; at = end) {
        const bool is_negative = at > word && at[-1] == '-';
        uint64_t value;
        bool same = true;

        end = (char *)at + 1;
        if (!isdigit((unsigned char)*at))
            continue;
        value = strtoull(at, &end, 0);
        value = is_negative ? -value : value;
        for (size_t i = 0; i < count; i++)
            same &= bytes[i] == (uint8_t)(value >> 8 * i);
        if (same)
            return true;
    }
    return false;
}

/* A byte of an immediate, from what is there of its instruction, and from the
 * words that the program was started with. Of a number that is not in these
 * nobody could say it. */
static bool ask_byte(struct history *history, uint64_t seq,
                     struct question *question)
{
    struct phrases phrases = {0};
    const struct event *start;
    const struct insn_field *field;
    bool is_known = false;
    struct focus focus;
    uint64_t at;

    focus_find(history, seq, &focus);
    at = focus.store_addr - focus.addr;
    if (focus.kind != FOCUS_STORED || focus.state == INSN_UNKNOWN ||
        focus.store_length != 1 || at == 0 || at >= focus.insn.length ||
        (focus.state == INSN_PARTLY && !focus.text_known && !focus.unwritten))
        return false;
    field = fields_at(&focus.insn, (unsigned)at);
    start = history_event(history, 0);
    if (!field || field->kind != FIELD_IMMEDIATE || field->is_relative ||
        field->size > sizeof(uint64_t) || start->kind != EVENT_START)
        return false;
    for (size_t i = 1; i < start->start.argv.count; i++)
        is_known |= has_number(start->start.argv.list[i],
                               focus.insn.bytes + field->offset,
                               at - field->offset + 1);
    if (!is_known)
        return false;
    question->kind = QUESTION_BYTE;
    question->addr = focus.addr;
    question->value = focus.insn.bytes[at];
    question->bits = 8;
    buf_printf(&question->text, "%s, byte %u of %u of %s for %s?",
               phrase_place(&phrases, focus.store_addr - focus.base, 1),
               (unsigned)(at - field->offset + 1), field->size,
               fields_name(&phrases, field), focus.insn.mnemonic);
    buf_printf(
        &question->given, "%s = %s",
        phrase_place(&phrases, focus.addr - focus.base, at),
        phrase_bytes(&phrases, (struct bytes){focus.insn.bytes, (size_t)at}));
    buf_append_text(&question->given, "; the program is");
    for (size_t i = 0; i < start->start.argv.count; i++)
        buf_printf(&question->given, " %s", start->start.argv.list[i]);
    phrases_release(&phrases);
    return true;
}

bool question_find(struct history *history, uint64_t seq, struct question *out)
{
    bool found = false;

    *out = (struct question){0};
    if (seq > 0 && history_event(history, seq)->kind == EVENT_STEP)
        found = ask_step(history, seq, out);
    else if (seq > 0 && history_event(history, seq)->kind == EVENT_WRITE)
        found = ask_byte(history, seq, out);
    if (!found)
        question_release(out);
    return found;
}

/* --- answers ------------------------------------------------------------- */

void question_answer(const struct question *question, struct buf *out)
{
    const uint64_t mask =
        question->bits < 64 ? (UINT64_C(1) << question->bits) - 1 : UINT64_MAX;
    const uint64_t value = question->value & mask;
    const int64_t number =
        (int64_t)(value << (64 - question->bits)) >> (64 - question->bits);

    switch (question->kind) {
    case QUESTION_BRANCH:
        buf_append_text(out, value ? "yes, it jumps" : "no, it goes on");
        break;
    case QUESTION_TARGET:
        buf_printf(out, "code[%" PRIu64 "]", value);
        break;
    case QUESTION_FLAG:
        buf_printf(out, "%" PRIu64, value);
        break;
    case QUESTION_BYTE:
        buf_printf(out, "0x%02" PRIx64, value);
        break;
    case QUESTION_REGISTER:
        buf_printf(out, "0x%" PRIx64 " = %" PRId64, value, number);
        break;
    }
}

const char *question_hint(const struct question *question)
{
    switch (question->kind) {
    case QUESTION_BRANCH:
        return "yes or no";
    case QUESTION_FLAG:
        return "0 or 1";
    case QUESTION_TARGET:
        return "an offset, as 12 or 0x1f, or an address";
    default:
        return "a number, as 12, -4 or 0x1f";
    }
}

/* Reads a number, as a reader may write it: "code[12]" and "+12" too. */
static bool take_number(const char *text, uint64_t *value)
{
    bool is_place = strncmp(text, "code[", 5) == 0;
    bool is_negative;
    char *end;

    text += is_place ? 5 : *text == '+';
    is_negative = *text == '-';
    text += is_negative;
    if (!isxdigit((unsigned char)*text))
        return false;
    errno = 0;
    *value =
        strtoull(text, &end, text[strspn(text, "0123456789")] == '\0' ? 10 : 0);
    /* "fc" can only be hex. */
    if (*end && !is_place && text[strspn(text, "0123456789abcdefABCDEF")] == 0)
        *value = strtoull(text, &end, 16);
    if (is_negative)
        *value = -*value;
    return (is_place ? strcmp(end, "]") == 0 : !*end) && !errno;
}

enum judgement question_judge(const struct question *question,
                              const char *answer)
{
    static const struct {
        const char *word;
        uint64_t value;
    } words[] = {{"yes", 1}, {"y", 1}, {"no", 0}, {"n", 0}};
    const bool is_choice =
        question->kind == QUESTION_BRANCH || question->kind == QUESTION_FLAG;
    uint64_t value = 0, rest;
    bool understood = take_number(answer, &value);

    for (size_t i = 0; is_choice && i < sizeof words / sizeof *words; i++)
        if (strcasecmp(words[i].word, answer) == 0) {
            value = words[i].value;
            understood = true;
        }
    if (!understood || (is_choice && value > 1))
        return JUDGEMENT_UNCLEAR;
    if (question->kind == QUESTION_TARGET && value >= question->base)
        value -= question->base;
    if (question->bits == 64 || is_choice)
        return value == question->value ? JUDGEMENT_RIGHT : JUDGEMENT_WRONG;
    /* Signed or not, but no more than the bits that there are. */
    rest = value >> question->bits;
    if (rest != 0 && rest != UINT64_MAX >> question->bits)
        return JUDGEMENT_WRONG;
    return ((value ^ question->value) << (64 - question->bits)) == 0
               ? JUDGEMENT_RIGHT
               : JUDGEMENT_WRONG;
}
