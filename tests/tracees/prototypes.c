/* SPDX-License-Identifier: MIT */
/*
 * Generated code that calls functions of every kind: what is known of them is
 * in the event by which control leaves.
 *
 * prints:  3
 * ends:    status 0
 * reports: enter +0 call
 * reports: leave call
 * reports: leave return 0
 * never:   limit *
 */
#include <stdbool.h>
#include <stdio.h>

#include "code.h"

struct small {
    long a, b;
};

struct large {
    long a, b, c;
};

enum color { RED };

typedef const char *name;

static long nothing(void)
{
    return 0;
}

static bool narrow(bool a, signed char b, unsigned short c, enum color d)
{
    return a && b && c && d == RED;
}

static double floating(double a, float b, long double c, name d)
{
    return d ? a : (double)b + (double)c;
}

static struct large large(struct large a, struct small b, int *c)
{
    a.a += b.a + (c != NULL);
    return a;
}

static struct small small(__int128 a)
{
    return (struct small){(long)a, 0};
}

static void variadic(const void *a, ...)
{
    (void)a;
}

#pragma GCC diagnostic ignored "-Wstrict-prototypes"
static int old_style()
{
    return 0;
}

__asm__(".text\n"
        ".type middle, @function\n"
        "middle: nop\n"
        "  ret\n"
        ".size middle, .-middle\n");
void middle(void);

/* Calls its argument with no arguments of its own but pointers to a struct. */
static long call(uint8_t *code, const void *function, const void *room)
{
    return ((long (*)(const void *, const void *, const void *))code)(
        function, room, room);
}

int main(void)
{
    static const uint8_t insns[] = {
        0x48, 0x81, 0xec, 0x08, 0x01, 0x00, 0x00, /* sub rsp, 264 */
        0x48, 0x89, 0xf8,                         /* mov rax, rdi */
        0x48, 0x89, 0xf7,                         /* mov rdi, rsi */
        0xff, 0xd0,                               /* call rax */
        0x31, 0xc0,                               /* xor eax, eax */
        0x48, 0x81, 0xc4, 0x08, 0x01, 0x00, 0x00, /* add rsp, 264 */
        0xc3,                                     /* ret */
    };
    static char room[256];
    uint8_t *code = code_new(insns, sizeof insns);

    call(code, nothing, room);
    call(code, narrow, room);
    call(code, floating, room);
    call(code, large, room);
    call(code, small, room);
    call(code, variadic, room);
    call(code, old_style, room);
    call(code, printf, "");
    call(code, (const char *)middle + 1, room);
    printf("%d\n", 3);
    return 0;
}
