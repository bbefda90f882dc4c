/* SPDX-License-Identifier: MIT */
#include "base/buf.h"

#include <stdio.h>

#include "base/mem.h"

bool word_is(const char *text, const char *other)
{
    return text && other ? strcmp(text, other) == 0 : text == other;
}

void buf_release(struct buf *buf)
{
    free(buf->data);
    *buf = (struct buf){0};
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
}

/* Makes room for len more bytes and the NUL of buf_text. */
static void reserve(struct buf *buf, size_t len)
{
    size_t need = buf->len + len + 1;

    BUG_UNLESS(need > len);
    if (need <= buf->capacity)
        return;
    buf->capacity = need < 64 ? 64 : need * 2;
    buf->data = mem_resize(buf->data, buf->capacity, 1);
}

void buf_append(struct buf *buf, const void *data, size_t len)
{
    reserve(buf, len);
    if (len)
        memcpy(buf->data + buf->len, data, len);
    buf->len += len;
}

void buf_append_text(struct buf *buf, const char *text)
{
    buf_append(buf, text, strlen(text));
}

void buf_vprintf(struct buf *buf, const char *format, va_list args)
{
    va_list again;
    int len;

    va_copy(again, args);
    len = vsnprintf(NULL, 0, format, args);
    BUG_UNLESS(len >= 0);
    reserve(buf, (size_t)len);
    vsnprintf((char *)buf->data + buf->len, (size_t)len + 1, format, again);
    va_end(again);
    buf->len += (size_t)len;
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    buf_vprintf(buf, format, args);
    va_end(args);
}

const char *buf_text(struct buf *buf)
{
    reserve(buf, 0);
    buf->data[buf->len] = 0;
    return (const char *)buf->data;
}
