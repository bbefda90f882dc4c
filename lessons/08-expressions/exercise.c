/* SPDX-License-Identifier: MIT */
/*
 * The compiler of expressions.c, which is to learn a minus sign in front of an
 * operand: -x, 3*-(x+1), --2.
 *
 *     sum      a product, then any number of times + or - and a product
 *     product  an operand, then any number of times * and an operand
 *     operand  x, a whole number, a sum in parentheses, or - and an operand
 *
 * All code keeps one promise: when it has run, there is one value more on the
 * stack, the result.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct compiler {
    const char *text; /* what has not been read yet */
    uint8_t *code;    /* where the next byte of code goes */
    bool wrong;       /* the text is no expression */
};

static void emit(struct compiler *c, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        *c->code++ = bytes[i];
}

/* EMIT(c, 0x48, 0x01, 0xc8) stores the three bytes of add rax, rcx. */
#define EMIT(c, ...) \
    emit(c, (uint8_t[]){__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__}))

static void sum(struct compiler *c);

static void operand(struct compiler *c)
{
    if (*c->text == 'x') {
        c->text++;
        EMIT(c, 0x57); /* push rdi */
    } else if (isdigit((unsigned char)*c->text)) {
        uint32_t imm = (uint32_t)strtoul(c->text, (char **)&c->text, 10);

        EMIT(c, 0x68, (uint8_t)imm, (uint8_t)(imm >> 8), /* push imm32 */
             (uint8_t)(imm >> 16), (uint8_t)(imm >> 24));
    } else if (*c->text == '(') {
        c->text++;
        sum(c);
        if (*c->text == ')')
            c->text++;
        else
            c->wrong = true;
        /* Your turn: else if there is a minus sign, what comes here? */
    } else {
        c->wrong = true;
    }
}

static void product(struct compiler *c)
{
    operand(c);
    while (*c->text == '*') {
        c->text++;
        operand(c);
        EMIT(c, 0x59);                   /* pop rcx: the right one */
        EMIT(c, 0x58);                   /* pop rax: the left one */
        EMIT(c, 0x48, 0x0f, 0xaf, 0xc1); /* imul rax, rcx */
        EMIT(c, 0x50);                   /* push rax */
    }
}

static void sum(struct compiler *c)
{
    product(c);
    while (*c->text == '+' || *c->text == '-') {
        char sign = *c->text++;

        product(c);
        EMIT(c, 0x59); /* pop rcx: the right one */
        EMIT(c, 0x58); /* pop rax: the left one */
        if (sign == '+')
            EMIT(c, 0x48, 0x01, 0xc8); /* add rax, rcx */
        else
            EMIT(c, 0x48, 0x29, 0xc8); /* sub rax, rcx */
        EMIT(c, 0x50);                 /* push rax */
    }
}

/* Returns the code of the expression, which is short, or NULL. */
uint8_t *compile(const char *expression)
{
    size_t size = (size_t)getpagesize();
    uint8_t *code = mmap(NULL, size, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct compiler c = {expression, code, false};

    if (code == MAP_FAILED) {
        perror("mmap");
        return NULL;
    }
    sum(&c);
    EMIT(&c, 0x58); /* pop rax: the result */
    EMIT(&c, 0xc3); /* ret */

    if (c.wrong || *c.text)
        return NULL;
    if (mprotect(code, size, PROT_READ | PROT_EXEC) < 0) {
        perror("mprotect");
        return NULL;
    }
    return code;
}
