/* SPDX-License-Identifier: MIT */
#include "base/utf8.h"

size_t utf8_decode(const uint8_t *text, size_t len, uint32_t *rune)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t need = text[0] < 0x80             ? 1
                  : (text[0] & 0xe0) == 0xc0 ? 2
                  : (text[0] & 0xf0) == 0xe0 ? 3
                  : (text[0] & 0xf8) == 0xf0 ? 4
                                             : 0;

    if (need == 0 || need > len)
        return 0;
    *rune = need == 1 ? text[0] : text[0] & 0x7fu >> need;
    for (size_t i = 1; i < need; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        *rune = *rune << 6 | (text[i] & 0x3fu);
    }
    if (*rune < least[need] || *rune > 0x10ffff ||
        (*rune >= 0xd800 && *rune <= 0xdfff)) /* half of a UTF-16 pair */
        return 0;
    return need;
}

void utf8_append(uint32_t rune, struct buf *out)
{
    size_t len = rune < 0x80 ? 1 : rune < 0x800 ? 2 : rune < 0x10000 ? 3 : 4;
    uint8_t bytes[4] = {(uint8_t)rune};

    for (size_t i = len; i-- > 1; rune >>= 6)
        bytes[i] = (uint8_t)(0x80 | (rune & 0x3f));
    if (len > 1)
        bytes[0] = (uint8_t)(0xf00u >> len | rune);
    buf_append(out, bytes, len);
}

size_t utf8_shown(const uint8_t *text, size_t len)
{
    static const struct {
        uint32_t first, last;
    } hidden[] = {
        {0x00, 0x1f},     {0x7f, 0x9f},     /* control characters */
        {0x61c, 0x61c},   {0x200e, 0x200f}, /* marks of a direction */
        {0x2028, 0x2029},                   /* separators of lines */
        {0x202a, 0x202e}, {0x2066, 0x2069}, /* its embeddings, isolates */
    };
    uint32_t rune;
    size_t used;

    if (text[0] >= 0x20 && text[0] < 0x7f)
        return 1;
    used = utf8_decode(text, len, &rune);
    for (size_t i = 0; used && i < sizeof hidden / sizeof *hidden; i++)
        if (rune >= hidden[i].first && rune <= hidden[i].last)
            return 0;
    return used;
}

size_t utf8_show(const uint8_t *text, size_t len, struct buf *out,
                 unsigned *columns)
{
    size_t used = utf8_shown(text, len);

    *columns = used ? 1 : 4;
    if (used)
        buf_append(out, text, used);
    else
        buf_printf(out, "\\x%02x", text[0]);
    return used ? used : 1;
}

void utf8_escape(struct bytes text, struct buf *out)
{
    unsigned columns;
    size_t used;

    for (; text.len > 0; text.data += used, text.len -= used)
        used = utf8_show(text.data, text.len, out, &columns);
}

size_t utf8_cut(struct bytes text, size_t most)
{
    size_t len = most;

    if (text.len <= most)
        return text.len;
    while (len > 0 && most - len < 3 && (text.data[len] & 0xc0) == 0x80)
        len--;
    return (text.data[len] & 0xc0) == 0x80 ? most : len;
}
