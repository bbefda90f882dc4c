/* SPDX-License-Identifier: MIT */
/*
 * bug.h - a small emitter, for programs of which each has one bug that people
 * who write JITs have had. What is printed about it is in test_bugs.c.
 */
#ifndef JITTRACE_TESTS_BUGS_BUG_H
#define JITTRACE_TESTS_BUGS_BUG_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define RW  (PROT_READ | PROT_WRITE)
#define RX  (PROT_READ | PROT_EXEC)
#define RWX (PROT_READ | PROT_WRITE | PROT_EXEC)

#define HELPER __attribute__((unused, noinline)) static

static uint8_t *code; /* the first byte */
static uint8_t *at;   /* where the next one goes */

HELPER void begin(size_t size, int prot, int flags)
{
    code = at = mmap(NULL, size, prot, flags | MAP_ANONYMOUS, -1, 0);
    if (code == MAP_FAILED)
        exit(99);
}

HELPER void put(int byte)
{
    *at++ = (uint8_t)byte;
}

HELPER void put4(uint32_t value)
{
    for (int i = 0; i < 4; i++)
        put((int)(value >> (8 * i)));
}

HELPER void put8(uint64_t value)
{
    put4((uint32_t)value);
    put4((uint32_t)(value >> 32));
}

HELPER void put_all(const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        put(bytes[i]);
}

/* Some bytes, as one instruction or several. */
#define EMIT(...)                           \
    put_all((const uint8_t[]){__VA_ARGS__}, \
            sizeof((const uint8_t[]){__VA_ARGS__}))

/* mov rax, the address of a function or of data */
#define EMIT_MOV_RAX(address)                 \
    do {                                      \
        EMIT(0x48, 0xb8);                     \
        put8((uint64_t)(uintptr_t)(address)); \
    } while (0)

HELPER void finish(size_t size)
{
    if (mprotect(code, size, RX) < 0)
        exit(99);
}

/* The code from a byte on as a function of that type. */
#define FUNCTION(type, byte) ((type)(uintptr_t)(byte))

#endif
