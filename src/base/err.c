/* SPDX-License-Identifier: MIT */
#include "base/err.h"

#include "base/utf8.h"

int err_set(struct err *err, enum err_kind kind, const char *format, ...)
{
    struct buf given = {0}, shown = {0};
    va_list args;
    size_t len;

    va_start(args, format);
    buf_vprintf(&given, format, args);
    va_end(args);
    utf8_escape((struct bytes){given.data, given.len}, &shown);
    len = utf8_cut((struct bytes){shown.data, shown.len}, sizeof err->text - 1);
    err->kind = kind;
    memcpy(err->text, buf_text(&shown), len);
    err->text[len] = 0;
    buf_release(&given);
    buf_release(&shown);
    return -1;
}
