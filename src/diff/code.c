/* SPDX-License-Identifier: MIT */
#include "diff/code.h"

#include "base/mem.h"

/* Bytes of a mapping that are compared, at most. */
#define MOST (UINT64_C(16) << 20)

static bool is_number(const struct insn_field *field)
{
    return field->kind == FIELD_IMMEDIATE || field->kind == FIELD_DISPLACEMENT;
}

static bool same_field(struct same *same, const struct insn *a,
                       const struct insn *b, const struct insn_field *field,
                       const struct insn_field *other)
{
    const uint8_t *left = a->bytes + field->offset;
    const uint8_t *right = b->bytes + field->offset;

    if (field->kind != other->kind || field->offset != other->offset ||
        field->size != other->size)
        return false;
    if (memcmp(left, right, field->size) == 0 && !field->is_relative)
        return true;
    if (!is_number(field))
        return false;
    if (field->is_relative)
        return (memcmp(left, right, field->size) == 0) ||
               same_address(same, a->addr + a->length + (uint64_t)field->value,
                            b->addr + b->length + (uint64_t)other->value);
    return field->size >= 4 &&
           same_bytes(same, (struct bytes){left, field->size},
                      (struct bytes){right, field->size});
}

bool code_same(struct same *same, const struct insn *a, const struct insn *b)
{
    if (a->length != b->length || a->field_count != b->field_count)
        return false;
    for (unsigned i = 0; i < a->field_count; i++)
        if (!same_field(same, a, b, &a->fields[i], &b->fields[i]))
            return false;
    return true;
}

/* --- whole mappings ------------------------------------------------------- */

struct sides {
    struct same *same;
    const uint64_t *start;
    uint64_t first; /* the offset of the first byte of: */
    uint8_t *code[2];
    size_t length;
};

static struct insn decode(const struct sides *sides, int side, size_t at)
{
    struct insn insn = {0};
    size_t left = sides->length - at;

    if (insn_decode(sides->code[side] + at,
                    left < INSN_MAX_LENGTH ? left : INSN_MAX_LENGTH,
                    sides->start[side] + sides->first + at, &insn) <= 0)
        insn = (struct insn){0};
    return insn;
}

/* Whether the byte is one of a word that is an address. */
static bool is_word(struct sides *sides, size_t byte)
{
    uint64_t lead = (sides->first + byte) % 8;
    uint64_t left, right;

    if (lead > byte || byte - lead + 8 > sides->length)
        return false;
    memcpy(&left, sides->code[0] + byte - lead, 8);
    memcpy(&right, sides->code[1] + byte - lead, 8);
    if (!same_far(sides->same, left, right))
        return false;
    memcpy(sides->code[1] + byte - lead, &left, 8);
    return true;
}

static bool differs_in(const struct sides *sides, size_t at, size_t length,
                       size_t *byte)
{
    for (size_t i = at; i < at + length && i < sides->length; i++)
        if (sides->code[0][i] != sides->code[1][i]) {
            *byte = i;
            return true;
        }
    return false;
}

static bool compare(struct sides *sides, struct code_difference *out)
{
    bool found = false;
    size_t at = 0, byte;

    /* What is behind the last byte that differs need not be read. */
    while (sides->length > 0 && sides->code[0][sides->length - 1] ==
                                    sides->code[1][sides->length - 1])
        sides->length--;
    sides->length += sides->length ? INSN_MAX_LENGTH : 0;
    while (at < sides->length) {
        struct insn a = decode(sides, 0, at), b = decode(sides, 1, at);
        size_t length = a.length ? a.length : 1;

        if (!differs_in(sides, at, b.length > length ? b.length : length,
                        &byte) ||
            (a.length && b.length && code_same(sides->same, &a, &b))) {
            at += length;
            continue;
        }
        if (is_word(sides, byte))
            continue;
        if (found)
            out->more++;
        else
            *out = (struct code_difference){.offset = sides->first + at,
                                            .byte = sides->first + byte,
                                            .insn = {a, b}};
        found = true;
        if (a.length != b.length) /* what follows has moved */
            return true;
        at += length;
    }
    return found;
}

/* What was stored there is made the same on both sides: addresses of one. */
static void pass_over(struct sides *sides, int side,
                      const struct ranges *stored)
{
    const uint64_t from = sides->start[side] + sides->first;
    const struct stretch *list;
    size_t count;

    list = ranges_from(stored, from, &count);
    for (size_t i = 0; i < count && list[i].from < from + sides->length; i++)
        for (uint64_t at = list[i].from; at < list[i].to; at++)
            if (at - from < sides->length)
                sides->code[1][at - from] = sides->code[0][at - from];
}

bool code_compare(struct same *same, const struct ranges *stored,
                  const struct ranges *const others[2], const uint64_t start[2],
                  const uint64_t length[2], struct code_difference *out)
{
    struct sides sides = {.same = same, .start = start, .first = UINT64_MAX};
    uint64_t first, last, end = 0;
    bool found;

    for (int i = 0; i < 2; i++)
        if (pages_extent(&same->view[i]->pages, start[i], length[i], &first,
                         &last)) {
            if (first - start[i] < sides.first)
                sides.first = first - start[i];
            if (last - start[i] >= end)
                end = last - start[i] + 1;
        }
    if (sides.first >= end)
        return false;
    if (end - sides.first > MOST)
        end = sides.first + MOST;
    sides.length = (size_t)(end - sides.first);
    for (int i = 0; i < 2; i++) {
        sides.code[i] = mem_alloc(sides.length + INSN_MAX_LENGTH);
        pages_read(&same->view[i]->pages, start[i] + sides.first, sides.length,
                   sides.code[i]);
    }
    pass_over(&sides, 0, stored);
    for (int i = 0; i < 2; i++)
        pass_over(&sides, i, others[i]);
    found = compare(&sides, out);
    for (int i = 0; i < 2 && found; i++)
        out->written[i] =
            pages_written(&same->view[i]->pages, start[i] + out->byte);
    free(sides.code[0]);
    free(sides.code[1]);
    return found;
}
