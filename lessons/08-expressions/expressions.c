/* SPDX-License-Identifier: MIT */
/*
 * expressions.c - a tiny compiler, from x*2+1 to machine code.
 *
 * `expressions EXPRESSION X` compiles the expression and calls it with X. These
 * are the rules, without blanks; each has a function below, which reads its part
 * of the text and emits the code for it:
 *
 *     sum      a product, then any number of times + or - and a product
 *     product  an operand, then any number of times * and an operand
 *     operand  x, a whole number, or a sum in parentheses
 *
 * All code keeps one promise: when it has run, there is one value more on the
 * stack, the result.
 *
 * Build it with: gcc -g -O0 -o expressions expressions.c
 */
#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sysexits.h>
#include <unistd.h>

/* A character becomes 7 bytes of code at most, and a page has 4096. */
#define LONGEST 500

struct compiler {
    const char *text; /* what has not been read yet */
    uint8_t *code;    /* where the next byte of code goes */
};

static void emit(struct compiler *c, const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        *c->code++ = bytes[i];
}

#define EMIT(c, ...) \
    emit(c, (uint8_t[]){__VA_ARGS__}, sizeof((uint8_t[]){__VA_ARGS__}))

static void sum(struct compiler *c);

static void expected(struct compiler *c, const char *what)
{
    fprintf(stderr, "expressions: %s expected at %s\n", what,
            *c->text ? c->text : "the end");
    exit(EX_DATAERR);
}

/* Reads a number of 31 bits: push sign-extends its imm32. */
static uint32_t number(struct compiler *c)
{
    char *end;
    long value;

    errno = 0;
    value = strtol(c->text, &end, 10);
    if (errno || value > INT32_MAX)
        expected(c, "a number of at most 2147483647");
    c->text = end;
    return (uint32_t)value;
}

static void operand(struct compiler *c)
{
    /* [operand] */
    if (*c->text == 'x') {
        c->text++;
        EMIT(c, 0x57); /* push rdi */
    } else if (isdigit((unsigned char)*c->text)) {
        uint32_t imm = number(c);

        EMIT(c, 0x68, (uint8_t)imm, (uint8_t)(imm >> 8), /* push imm32 */
             (uint8_t)(imm >> 16), (uint8_t)(imm >> 24));
        /* [/operand] */
    } else if (*c->text == '(') {
        c->text++;
        sum(c);
        if (*c->text != ')')
            expected(c, "a closing parenthesis");
        c->text++;
    } else {
        expected(c, "x, a number or a parenthesis");
    }
}

/* [product] */
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
/* [/product] */

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

int main(int argc, char **argv)
{
    struct compiler c;
    char *end;

    if (argc != 3 || strlen(argv[1]) > LONGEST) {
        fprintf(stderr,
                "expressions: give an expression of at most %d characters "
                "and a number for x, for example: expressions 'x*2+1' 3\n",
                LONGEST);
        return EX_USAGE;
    }

    errno = 0;
    int64_t x = strtoll(argv[2], &end, 10);

    if (end == argv[2] || *end || errno) {
        fprintf(stderr, "expressions: '%s' is no number for x\n", argv[2]);
        return EX_USAGE;
    }

    size_t size = (size_t)getpagesize();
    uint8_t *code = mmap(NULL, size, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (code == MAP_FAILED) {
        perror("expressions: mmap");
        return EX_OSERR;
    }

    c.text = argv[1];
    c.code = code;
    sum(&c);
    if (*c.text)
        expected(&c, "an operator");
    EMIT(&c, 0x58); /* pop rax: the result */
    EMIT(&c, 0xc3); /* ret */

    if (mprotect(code, size, PROT_READ | PROT_EXEC) < 0) {
        perror("expressions: mprotect");
        return EX_OSERR;
    }

    int64_t (*fn)(int64_t) = (int64_t(*)(int64_t))code;
    int64_t result = fn(x);

    printf("%s = %lld for x = %lld\n", argv[1], (long long)result,
           (long long)x);
    munmap(code, size);
    return 0;
}
