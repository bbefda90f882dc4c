/* SPDX-License-Identifier: MIT */
/*
 * base/buf.h - bytes: a borrowed stretch of them, and a buffer that grows.
 */
#ifndef JITTRACE_BASE_BUF_H
#define JITTRACE_BASE_BUF_H

/* What nearly every file needs: who includes this has it. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* Borrowed bytes. data == NULL says that there are none to speak of. */
struct bytes {
    const uint8_t *data;
    size_t len;
};

/* Whether two texts, each of which may be NULL, are the same. */
bool word_is(const char *text, const char *other);

/* A growing buffer. All zero is a valid empty one. */
struct buf {
    uint8_t *data;
    size_t len;
    size_t capacity;
};

void buf_release(struct buf *buf);

/* Forgets the content and keeps the memory. */
void buf_clear(struct buf *buf);

void buf_append(struct buf *buf, const void *data, size_t len);
void buf_append_text(struct buf *buf, const char *text);

void buf_printf(struct buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void buf_vprintf(struct buf *buf, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/* The content as a text: NUL-terminated, valid until the next change. */
const char *buf_text(struct buf *buf);

#endif
