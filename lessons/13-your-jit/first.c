/* SPDX-License-Identifier: MIT */
/*
 * first.c - something wrong that runs: it makes the same code of every text.
 */
#include <string.h>

/* [first] */
size_t compile(const char *text, unsigned char *code, size_t room)
{
    (void)text;
    (void)room;
    memcpy(code, "\xb8\x07\x00\x00\x00\xc3", 6); /* mov eax, 7; ret */
    return 6;
}
/* [/first] */
