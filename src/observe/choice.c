/* SPDX-License-Identifier: MIT */
#include "observe/choice.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Reads a whole number, decimal or 0x and hex, and goes behind it. */
static bool take_number(const char **at, uint64_t *number)
{
    bool is_hex = strncasecmp(*at, "0x", 2) == 0;
    char *end;

    if (!isxdigit((unsigned char)(*at)[is_hex ? 2 : 0]))
        return false;
    errno = 0;
    *number = strtoull(*at, &end, is_hex ? 16 : 10);
    if (end == *at || errno)
        return false;
    *at = end;
    return true;
}

/* Reads A..B, or A alone, up to the end of the text. */
static bool take_range(const char *at, uint64_t *from, uint64_t *to)
{
    if (!take_number(&at, from))
        return false;
    *to = *from;
    if (strncmp(at, "..", 2) == 0) {
        at += 2;
        if (!take_number(&at, to))
            return false;
    }
    return !*at;
}

int choice_add_place(struct choice_places *places, const char *text,
                     struct err *err)
{
    struct choice_place place = {.kind = PLACE_NAME, .text = text};
    const char *offsets = text;

    if (strncmp(text, "code", 4) == 0) {
        offsets += 4;
        if (isdigit((unsigned char)*offsets) &&
            (!take_number(&offsets, &place.code) || place.code == 0))
            offsets = "";
    }
    if (*offsets == '+')
        place.kind = PLACE_OFFSETS;
    else if (strncasecmp(text, "0x", 2) == 0)
        place.kind = PLACE_ADDRESSES;
    if (!*text)
        return err_set(err, ERR_USAGE,
                       "a place is a function's name, or a range: +0..15, "
                       "code2+0..15, 0x7f0000001000..0x7f000000100f");
    if (place.kind != PLACE_NAME &&
        !take_range(place.kind == PLACE_OFFSETS ? offsets + 1 : text,
                    &place.from, &place.to))
        return err_set(err, ERR_USAGE,
                       "'%s' is no range; +0..15, code2+0x10..0x1f and "
                       "0x7f0000001000..0x7f000000100f are",
                       text);
    if (place.from > place.to)
        return err_set(err, ERR_USAGE, "the range '%s' ends before it begins",
                       text);
    if (places->count == sizeof places->list / sizeof *places->list)
        return err_set(err, ERR_USAGE,
                       "%zu places are enough, '%s' is too much; a name can "
                       "stand for many: JS:*",
                       places->count, text);
    places->list[places->count++] = place;
    return 0;
}

int choice_set_calls(struct choice *choice, const char *text, struct err *err)
{
    if (!take_range(text, &choice->first, &choice->last) || choice->first == 0)
        return err_set(err, ERR_USAGE,
                       "'%s' are no numbers of calls, which are counted from "
                       "1: 3, or 3..5",
                       text);
    if (choice->first > choice->last)
        return err_set(err, ERR_USAGE, "the calls '%s' end before they begin",
                       text);
    return 0;
}

bool choice_is_some(const struct choice *choice)
{
    return choice->only.count || choice->except.count || choice->first ||
           choice->depth || choice->after_output;
}

static void describe_places(const struct choice_places *places,
                            const char *option, struct buf *out)
{
    for (size_t i = 0; i < places->count; i++)
        buf_printf(out, "%s--%s=%s", out->len ? " " : "", option,
                   places->list[i].text);
}

void choice_describe(const struct choice *choice, struct buf *out)
{
    describe_places(&choice->only, "only", out);
    describe_places(&choice->except, "except", out);
    if (choice->depth)
        buf_printf(out, "%s--depth=%" PRIu64, out->len ? " " : "",
                   choice->depth);
    if (choice->after_output)
        buf_printf(out, "%s--after-output=%s", out->len ? " " : "",
                   choice->after_output);
    if (choice->last && choice->last == choice->first)
        buf_printf(out, "%s--calls=%" PRIu64, out->len ? " " : "",
                   choice->first);
    else if (choice->last)
        buf_printf(out, "%s--calls=%" PRIu64 "..%" PRIu64, out->len ? " " : "",
                   choice->first, choice->last);
    else if (choice->first)
        buf_printf(out, "%s--from-call=%" PRIu64, out->len ? " " : "",
                   choice->first);
}

bool choice_has_names(const struct choice_places *places)
{
    for (size_t i = 0; i < places->count; i++)
        if (places->list[i].kind == PLACE_NAME)
            return true;
    return false;
}

bool choice_names(const struct choice_places *places, const char *symbol)
{
    const char *file = symbol ? strstr(symbol, ".so") : NULL;
    const char *colon = file ? strchr(file, ':') : NULL;
    const char *offset = symbol ? strstr(symbol, "+0x") : NULL;
    struct buf name = {0};
    bool found = false;

    if (!symbol)
        return false;
    colon = colon ? colon + 1 : symbol;
    buf_append(&name, colon,
               offset && offset > colon ? (size_t)(offset - colon)
                                        : strlen(colon));
    for (size_t i = 0; i < places->count && !found; i++) {
        const struct choice_place *place = &places->list[i];

        found = place->kind == PLACE_NAME &&
                (fnmatch(place->text, buf_text(&name), 0) == 0 ||
                 fnmatch(place->text, symbol, 0) == 0);
    }
    buf_release(&name);
    return found;
}

bool choice_covers(const struct choice_places *places, uint64_t addr,
                   uint64_t length, uint64_t start, uint64_t code)
{
    for (size_t i = 0; i < places->count; i++) {
        const struct choice_place *place = &places->list[i];
        uint64_t base = place->kind == PLACE_OFFSETS ? start : 0;

        if (place->kind == PLACE_NAME || (place->code && place->code != code))
            continue;
        if (addr - base <= place->to && addr - base + length > place->from)
            return true;
    }
    return false;
}
