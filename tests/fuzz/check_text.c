/* SPDX-License-Identifier: MIT */
/*
 * check_text.c - whether a text is fit for a terminal. Written apart from what
 * jittrace itself does to make it so (base/plain.h), which it is to check.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

static void fail(const char *why, const char *text, size_t len, size_t at)
{
    size_t from = at > 60 ? at - 60 : 0;

    fprintf(stderr, "fuzz: %s at byte %zu, in:\n", why, at);
    for (size_t i = from; i < at + 20 && i < len; i++)
        fprintf(stderr, text[i] < 0x20 || text[i] == 0x7f ? "<%02x>" : "%c",
                (unsigned char)text[i]);
    fprintf(stderr, "\n");
    abort();
}

/* The bytes of the character, with its code point; 0 if it is none. */
static size_t decode(const unsigned char *text, size_t len, uint32_t *rune)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t need = text[0] < 0x80           ? 1
                  : (text[0] >> 5) == 0x06 ? 2
                  : (text[0] >> 4) == 0x0e ? 3
                  : (text[0] >> 3) == 0x1e ? 4
                                           : 0;

    if (need == 0 || need > len)
        return 0;
    *rune = need == 1 ? text[0] : text[0] & (0x7fu >> need);
    for (size_t i = 1; i < need; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        *rune = *rune << 6 | (text[i] & 0x3fu);
    }
    return *rune < least[need] || *rune > 0x10ffff ||
                   (*rune >= 0xd800 && *rune < 0xe000)
               ? 0
               : need;
}

/* Unicode's Bidi_Control. */
static bool turns(uint32_t rune)
{
    return rune == 0x061c || rune == 0x200e || rune == 0x200f ||
           (rune >= 0x202a && rune <= 0x202e) ||
           (rune >= 0x2066 && rune <= 0x2069);
}

void fuzz_check_text(const char *text, size_t len, bool colors)
{
    size_t used;

    for (size_t at = 0; at < len; at += used) {
        uint32_t rune = 0;

        used = decode((const unsigned char *)text + at, len - at, &rune);
        if (used == 0)
            fail("broken UTF-8", text, len, at);
        if (colors && rune == 0x1b && at + 1 < len && text[at + 1] == '[') {
            used = 2 + strspn(text + at + 2, "0123456789;");
            if (text[at + used] == 'm')
                continue;
        }
        if ((rune < 0x20 && rune != '\n') || (rune >= 0x7f && rune < 0xa0))
            fail("a control character", text, len, at);
        if (turns(rune))
            fail("a change of direction", text, len, at);
    }
}
