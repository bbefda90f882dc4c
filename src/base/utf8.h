/* SPDX-License-Identifier: MIT */
/*
 * base/utf8.h - text from outside, made fit to be seen.
 *
 * Arguments, names, lines of sources and all of a recording come from others. A
 * terminal obeys control characters (ECMA-48), and whoever reads a line is
 * misled by what turns the direction of writing (Unicode Standard Annex 9, 2.1
 * to 2.6). So neither is shown as it is, nor what is no UTF-8 (RFC 3629): every
 * way out asks here.
 */
#ifndef JITTRACE_BASE_UTF8_H
#define JITTRACE_BASE_UTF8_H

#include "base/buf.h"

/* The bytes of the character at text if it is shown as it is, or 0: it is none,
 * a control character (a newline, too), one that separates lines, or one that
 * turns the direction. len, not 0, is how many bytes there are. */
size_t utf8_shown(const uint8_t *text, size_t len);

/* The same of any character of UTF-8, whose code point is in *rune then. */
size_t utf8_decode(const uint8_t *text, size_t len, uint32_t *rune);

/* Appends the character of a code point, which is at most U+10FFFF. */
void utf8_append(uint32_t rune, struct buf *out);

/* Appends the first character of text, which is not empty, or "\xNN" for its
 * first byte if it is not shown as it is. Returns how many bytes of text that
 * were, and in *columns how many columns it takes. */
size_t utf8_show(const uint8_t *text, size_t len, struct buf *out,
                 unsigned *columns);

/* Appends the text with "\xNN" for each byte that is not shown as it is. */
void utf8_escape(struct bytes text, struct buf *out);

/* How many bytes of the text are left of it if at most `most` may be: it does
 * not end within a character, if it is UTF-8. */
size_t utf8_cut(struct bytes text, size_t most);

#endif
