/* SPDX-License-Identifier: MIT */
#include "format/json_fields.h"

#include <sys/mman.h>

#include "base/mem.h"
#include "base/utf8.h"

#define DIGITS "0123456789abcdef"

/* --- writing ------------------------------------------------------------- */

/* Jansson escapes what JSON requires. Further characters that are not shown as
 * they are (base/utf8.h) are in strings only, where "\\u" and their number mean
 * the same; all of them are below U+10000. */
static void escape_from(struct buf *out, size_t start)
{
    struct buf raw = {0};
    uint32_t rune = 0;
    size_t used;

    while (start < out->len && out->data[start] < 0x7f)
        start++;
    buf_append(&raw, out->data + start, out->len - start);
    out->len = start;
    for (size_t i = 0; i < raw.len; i += used) {
        used = utf8_decode(raw.data + i, raw.len - i, &rune);
        BUG_UNLESS(used > 0);
        if (utf8_shown(raw.data + i, raw.len - i))
            buf_append(out, raw.data + i, used);
        else
            buf_printf(out, "\\u%04x", (unsigned)rune);
    }
    buf_release(&raw);
}

static int append(const char *text, size_t len, void *out)
{
    buf_append(out, text, len);
    return 0;
}

void json_append(json_t *json, size_t flags, struct buf *out)
{
    size_t start = out->len;
    int failed = json_dump_callback(json, append, out, JSON_COMPACT | flags);

    BUG_UNLESS(!failed);
    escape_from(out, start);
    json_decref(json);
}

json_t *json_of_number(int64_t value)
{
    BUG_UNLESS(value >= -JSON_NUMBER_MAX && value <= JSON_NUMBER_MAX);
    return json_integer(value);
}

json_t *json_of_addr(uint64_t value)
{
    char text[sizeof "0x" + 16];
    int len = snprintf(text, sizeof text, "0x%" PRIx64, value);

    return json_stringn_nocheck(text, (size_t)len);
}

json_t *json_of_bytes(struct bytes bytes)
{
    char *text = mem_resize(NULL, bytes.len, 2);
    json_t *json;

    for (size_t i = 0; i < bytes.len; i++) {
        text[2 * i] = DIGITS[bytes.data[i] >> 4];
        text[2 * i + 1] = DIGITS[bytes.data[i] & 15];
    }
    json = json_stringn_nocheck(text, 2 * bytes.len);
    free(text);
    return json;
}

json_t *json_of_wide(struct bytes bytes)
{
    char text[2 + 2 * VREG_BYTES] = "0x";
    size_t len = bytes.len < VREG_BYTES ? bytes.len : VREG_BYTES;

    for (size_t i = 0; i < len; i++) {
        text[2 + 2 * i] = DIGITS[bytes.data[len - 1 - i] >> 4];
        text[3 + 2 * i] = DIGITS[bytes.data[len - 1 - i] & 15];
    }
    return json_stringn_nocheck(text, 2 + 2 * len);
}

/* Jansson is asked what is UTF-8, as what it takes is what it will read again:
 * the shortest that it takes is one character, and none is longer than four
 * bytes (RFC 3629, 3). */
json_t *json_of_text(const char *text)
{
    json_t *json = json_string(text), *taken;
    struct buf buf = {0};

    if (json)
        return json;
    while (*text) {
        size_t len = 1, max = strnlen(text, 4);

        while (len <= max && !(taken = json_stringn(text, len)))
            len++;
        if (len <= max) {
            json_decref(taken);
            buf_append(&buf, text, len);
        } else {
            buf_append_text(&buf, "\xef\xbf\xbd");
            len = 1;
        }
        text += len;
    }
    json = json_string(buf_text(&buf));
    buf_release(&buf);
    return json;
}

/* --- reading ------------------------------------------------------------- */

void *json_keep(struct json_line *line, size_t size)
{
    line->kept = mem_grow(line->kept, line->kept_count, &line->kept_capacity,
                          sizeof *line->kept);
    return line->kept[line->kept_count++] = mem_alloc(size);
}

bool json_get_text(const json_t *value, const char **out)
{
    if (!json_is_string(value))
        return false;
    *out = json_string_value(value);
    return strlen(*out) == json_string_length(value);
}

bool json_get_number(const json_t *value, int64_t min, int64_t max,
                     int64_t *out)
{
    if (!json_is_integer(value))
        return false;
    *out = json_integer_value(value);
    return *out >= min && *out <= max;
}

bool json_get_addr(const json_t *value, uint64_t *out)
{
    const char *text;
    size_t digits;

    if (!json_get_text(value, &text) || strncmp(text, "0x", 2) != 0)
        return false;
    digits = strspn(text + 2, DIGITS);
    *out = strtoull(text, NULL, 16);
    return digits > 0 && digits <= 16 && !text[2 + digits];
}

static uint8_t digit(char hex)
{
    return (uint8_t)((hex & 15) + (hex > '9' ? 9 : 0));
}

bool json_get_wide(struct json_line *line, const json_t *value, size_t size,
                   struct bytes *out)
{
    const char *text;
    uint8_t *data;

    if (!json_get_text(value, &text) || strncmp(text, "0x", 2) != 0 ||
        strspn(text + 2, DIGITS) != 2 * size || text[2 + 2 * size])
        return false;
    *out = (struct bytes){data = json_keep(line, size), size};
    for (size_t i = 0; i < size; i++)
        data[size - 1 - i] =
            (uint8_t)(digit(text[2 + 2 * i]) << 4 | digit(text[3 + 2 * i]));
    return true;
}

bool json_get_bytes(struct json_line *line, const json_t *value,
                    struct bytes *out)
{
    const char *text;
    uint8_t *data;
    size_t len;

    if (!json_get_text(value, &text))
        return false;
    len = strlen(text);
    if (len % 2 || strspn(text, DIGITS) != len)
        return false;
    *out = (struct bytes){data = json_keep(line, len / 2), len / 2};
    for (size_t i = 0; i < len; i++)
        data[i / 2] = (uint8_t)(data[i / 2] << 4 | digit(text[i]));
    return true;
}

bool json_get_prot(const json_t *value, unsigned *out)
{
    const char *text;
    char same[4];

    if (!json_get_text(value, &text))
        return false;
    *out = (strchr(text, 'r') ? PROT_READ : 0) |
           (strchr(text, 'w') ? PROT_WRITE : 0) |
           (strchr(text, 'x') ? PROT_EXEC : 0);
    prot_text(*out, same);
    return strcmp(text, same) == 0;
}
