/* SPDX-License-Identifier: MIT */
#include "cpu/vregs.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Where each kind of them is, how many there are, and what a number follows. */
static const struct group {
    enum vreg first;
    unsigned count;
    size_t offset;
    size_t size; /* of one */
    const char *name;
} groups[] = {
#define GROUP(vreg, count, field, name)                            \
    {                                                              \
        VREG_##vreg, count, offsetof(struct vregs, field),         \
            sizeof(((struct vregs *)NULL)->field) / (count), name, \
    }
    GROUP(VECTOR, VREGS_VECTORS, vector, ""),
    GROUP(MASK, VREGS_MASKS, mask, "k"),
    GROUP(X87, VREGS_X87, x87, "st"),
    GROUP(MXCSR, 1, mxcsr, "mxcsr"),
    GROUP(FCW, 1, fcw, "fcw"),
    GROUP(FSW, 1, fsw, "fsw"),
    GROUP(FTW, 1, ftw, "ftw"),
#undef GROUP
};
#define GROUPS (sizeof groups / sizeof *groups)

static const struct {
    size_t size;
    const char *name;
} widths[] = {{16, "xmm"}, {32, "ymm"}, {64, "zmm"}};
#define WIDTHS (sizeof widths / sizeof *widths)

static const struct group *group_of(enum vreg reg)
{
    const struct group *group = groups;

    while (reg >= group->first + group->count)
        group++;
    return group;
}

void vregs_init(struct vregs *out)
{
    *out = (struct vregs){
        .known = true, .mxcsr = {0x80, 0x1f}, .fcw = {0x7f, 0x03}};
}

uint8_t *vregs_at(struct vregs *vregs, enum vreg reg, size_t *size)
{
    const struct group *group = group_of(reg);

    *size = group->size;
    return (uint8_t *)vregs + group->offset +
           (reg - group->first) * group->size;
}

struct bytes vregs_value(const struct vregs *vregs, enum vreg reg)
{
    struct bytes value;

    value.data = vregs_at((struct vregs *)vregs, reg, &value.len);
    return value;
}

void vreg_name(enum vreg reg, size_t size, struct buf *out)
{
    const struct group *group = group_of(reg);
    size_t i = 0;

    while (i < WIDTHS - 1 && size > widths[i].size)
        i++;
    buf_append_text(out,
                    group->first == VREG_VECTOR ? widths[i].name : group->name);
    if (group->count > 1)
        buf_printf(out, "%u", (unsigned)(reg - group->first));
}

/* "7" or "31", below limit: no sign, no zero in front. */
static bool read_number(const char *text, unsigned limit, unsigned *number)
{
    char *end;

    if (text[0] < '0' || text[0] > '9' || (text[0] == '0' && text[1]))
        return false;
    *number = (unsigned)strtoul(text, &end, 10);
    return !*end && strlen(text) <= 2 && *number < limit;
}

bool vreg_find(const char *name, enum vreg *reg, size_t *size)
{
    unsigned number = 0;

    for (size_t i = 0; i < WIDTHS; i++)
        if (!strncmp(name, widths[i].name, 3) &&
            read_number(name + 3, VREGS_VECTORS, &number)) {
            *reg = (enum vreg)(VREG_VECTOR + number);
            *size = widths[i].size;
            return true;
        }
    for (const struct group *group = groups + 1; group < groups + GROUPS;
         group++) {
        size_t len = strlen(group->name);

        if (strncmp(name, group->name, len) != 0 ||
            !(group->count == 1
                  ? !name[len]
                  : read_number(name + len, group->count, &number)))
            continue;
        *reg = (enum vreg)(group->first + (group->count == 1 ? 0 : number));
        *size = group->size;
        return true;
    }
    return false;
}

/* The smallest width that has so many bytes. */
static size_t width_of(size_t bytes)
{
    size_t i = 0;

    while (widths[i].size < bytes)
        i++;
    return widths[i].size;
}

size_t vregs_diff(const struct vregs *before, const struct vregs *after,
                  const struct insn *insn, struct vreg_change *out)
{
    size_t count = 0;

    for (int i = 0; i < VREG_COUNT; i++) {
        const enum vreg reg = (enum vreg)i;
        struct bytes was = vregs_value(before, reg);
        struct bytes is = vregs_value(after, reg);

        if (!memcmp(was.data, is.data, is.len))
            continue;
        if (reg < VREG_MASK) {
            while (was.data[is.len - 1] == is.data[is.len - 1])
                is.len--;
            for (int o = 0; insn && o < insn->operand_count; o++)
                if (insn->operands[o].vector == reg - VREG_VECTOR + 1u &&
                    insn->operands[o].register_bits / 8u > is.len)
                    is.len = insn->operands[o].register_bits / 8u;
            was.len = is.len = width_of(is.len);
        }
        out[count++] = (struct vreg_change){reg, was, is};
    }
    return count;
}

struct bytes vregs_trimmed(const struct vregs *vregs, enum vreg reg)
{
    struct bytes value = vregs_value(vregs, reg);

    if (reg >= VREG_MASK)
        return value;
    while (value.len > 0 && !value.data[value.len - 1])
        value.len--;
    value.len = width_of(value.len);
    return value;
}

size_t vregs_news(const struct vregs *told, const struct vregs *now,
                  unsigned shown, struct vreg_change *out)
{
    size_t count = 0;

    for (int i = 0; i < VREG_COUNT; i++) {
        const enum vreg reg = (enum vreg)i;
        const struct bytes was = vregs_value(told, reg);
        const struct bytes is = vregs_trimmed(now, reg);
        bool is_told =
            reg == VREG_MXCSR || memcmp(was.data, is.data, was.len) != 0;

        for (size_t k = 0; reg < VREG_VECTOR + shown && k < is.len; k++)
            is_told |= is.data[k] != 0;
        if (is_told)
            out[count++] = (struct vreg_change){reg, {NULL, 0}, is};
    }
    return count;
}

void vregs_set(struct vregs *vregs, enum vreg reg, struct bytes value,
               bool whole)
{
    size_t size;
    uint8_t *at = vregs_at(vregs, reg, &size);
    size_t len = value.len < size ? value.len : size;

    if (len > 0)
        memcpy(at, value.data, len);
    if (whole)
        memset(at + len, 0, size - len);
}

void vregs_save(const struct vregs *vregs, uint8_t *out)
{
    memset(out, 0, VREGS_SAVED);
    memcpy(out, vregs->fcw, sizeof vregs->fcw);
    memcpy(out + 2, vregs->fsw, sizeof vregs->fsw);
    memcpy(out + 4, vregs->ftw, sizeof vregs->ftw);
    memcpy(out + 24, vregs->mxcsr, sizeof vregs->mxcsr);
    for (size_t i = 0; i < VREGS_X87; i++)
        memcpy(out + 32 + 16 * i, vregs->x87[i], sizeof *vregs->x87);
    for (size_t i = 0; i < 16; i++)
        memcpy(out + 160 + 16 * i, vregs->vector[i], 16);
}
