/* SPDX-License-Identifier: MIT */
/*
 * smaller.c - one function, x + TERM, in six encodings of different lengths.
 *
 * `smaller TERM` makes them one after the other, calls each with 1 and with -1
 * and shows what it returned. A TERM that does not fit into 8 bits leaves out
 * those that have room for no more.
 *
 * Build it with: gcc -g -O0 -o smaller smaller.c
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

/* The term stands between the bytes before it and those after it. */
/* [table] */
static const struct encoding {
    const char *text;
    uint8_t before[8];
    size_t before_len;
    int term_bits;
    uint8_t after[8];
    size_t after_len;
} encodings[] = {
    {"mov rax, imm32  add rax, rdi", {0x48, 0xc7, 0xc0}, 3, 32, /**/
     {0x48, 0x01, 0xf8, 0xc3}, 4},
};
/* [/table] */
