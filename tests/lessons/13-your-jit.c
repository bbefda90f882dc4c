/* SPDX-License-Identifier: MIT */
/*
 * One way to climb the ladder of exercise 13: a compiler for Pebble and one for
 * Brainfuck, by lessons/13-your-jit/spec.md. It is made as the chapters say: a
 * function for each rule, values on the stack, holes that are filled in.
 */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct compiler {
    const char *text;    /* what has not been read yet */
    unsigned char *code; /* where code goes, and how much of it there is */
    size_t room, len;
    bool wrong; /* the text is no program, or there is no room */
};

/* --- code ----------------------------------------------------------------- */

static void emit(struct compiler *c, const char *bytes, size_t count)
{
    if (c->wrong || c->room - c->len < count) {
        c->wrong = true;
        return;
    }
    memcpy(c->code + c->len, bytes, count);
    c->len += count;
}

#define EMIT(c, bytes) emit(c, bytes, sizeof(bytes) - 1)

/* A number of so many bytes, the lowest first, as the CPU has them itself. */
static void emit_number(struct compiler *c, int64_t number, size_t count)
{
    emit(c, (const char *)&number, count);
}

/* Emits four bytes to be filled in. Returns where they end. */
static size_t emit_hole(struct compiler *c)
{
    emit_number(c, 0, 4);
    return c->len;
}

/* Makes the jump whose rel32 ends at `end` go to the target. */
static void fill(struct compiler *c, size_t end, size_t target)
{
    int32_t distance = (int32_t)((int64_t)target - (int64_t)end);

    if (!c->wrong)
        memcpy(c->code + end - 4, &distance, 4);
}

/* --- words ---------------------------------------------------------------- */

static void skip(struct compiler *c)
{
    c->text += strspn(c->text, " \t\n");
}

/* Whether the word comes next; it is read then. */
static bool take(struct compiler *c, const char *word)
{
    size_t len = strlen(word);

    skip(c);
    if (strncmp(c->text, word, len) != 0)
        return false;
    /* `iffy` is not the word `if`. */
    if (isalpha((unsigned char)*word) && isalpha((unsigned char)c->text[len]))
        return false;
    c->text += len;
    return true;
}

static void need(struct compiler *c, const char *word)
{
    if (!take(c, word))
        c->wrong = true;
}

static bool at_name(struct compiler *c)
{
    skip(c);
    return islower((unsigned char)c->text[0]) &&
           !isalpha((unsigned char)c->text[1]);
}

/* --- expressions: each leaves one value more on the stack ----------------- */

static void comparison(struct compiler *c);

static void number(struct compiler *c)
{
    errno = 0;
    EMIT(c, "\x48\xb8"); /* mov rax, imm64 */
    emit_number(c, strtoll(c->text, (char **)&c->text, 10), 8);
    EMIT(c, "\x50"); /* push rax */
    if (errno)
        c->wrong = true;
}

static void operand(struct compiler *c)
{
    skip(c);
    if (c->wrong) {
        return;
    } else if (isdigit((unsigned char)*c->text)) {
        number(c);
    } else if (at_name(c)) {
        EMIT(c, "\xff\xb7"); /* push qword [rdi+disp32] */
        emit_number(c, (*c->text++ - 'a') * 8, 4);
    } else if (take(c, "-")) {
        operand(c);
        EMIT(c, "\x48\xf7\x1c\x24"); /* neg qword [rsp] */
    } else {
        need(c, "(");
        comparison(c);
        need(c, ")");
    }
}

/* The two operands of an operator: left one in rax, right one in rcx. */
static void pop_both(struct compiler *c)
{
    EMIT(c, "\x59\x58"); /* pop rcx; pop rax */
}

static void product(struct compiler *c)
{
    operand(c);
    for (;;) {
        if (take(c, "*")) {
            operand(c);
            pop_both(c);
            EMIT(c, "\x48\x0f\xaf\xc1\x50"); /* imul rax, rcx; push rax */
        } else if (take(c, "/")) {
            operand(c);
            pop_both(c);
            EMIT(c, "\x48\x99\x48\xf7\xf9\x50"); /* cqo; idiv rcx; push rax */
        } else if (take(c, "%")) {
            operand(c);
            pop_both(c);
            EMIT(c, "\x48\x99\x48\xf7\xf9\x52"); /* cqo; idiv rcx; push rdx */
        } else {
            return;
        }
    }
}

static void sum(struct compiler *c)
{
    product(c);
    for (;;) {
        if (take(c, "+")) {
            product(c);
            pop_both(c);
            EMIT(c, "\x48\x01\xc8\x50"); /* add rax, rcx; push rax */
        } else if (take(c, "-")) {
            product(c);
            pop_both(c);
            EMIT(c, "\x48\x29\xc8\x50"); /* sub rax, rcx; push rax */
        } else {
            return;
        }
    }
}

static void comparison(struct compiler *c)
{
    /* The longer words first: `<` is the beginning of `<=`. */
    static const struct {
        const char *word;
        char opcode;
    } signs[] = {{"<=", '\x9e'}, {">=", '\x9d'}, {"==", '\x94'},
                 {"!=", '\x95'}, {"<", '\x9c'},  {">", '\x9f'}};

    sum(c);
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        if (!take(c, signs[i].word))
            continue;
        sum(c);
        pop_both(c);
        EMIT(c, "\x48\x39\xc8\x0f"); /* cmp rax, rcx; setCC al */
        emit(c, &signs[i].opcode, 1);
        EMIT(c, "\xc0\x0f\xb6\xc0\x50"); /* movzx eax, al; push rax */
        return;
    }
}

/* --- statements: each leaves the stack as it was -------------------------- */

static bool statement(struct compiler *c);

static void block(struct compiler *c)
{
    need(c, "{");
    while (statement(c))
        ;
    need(c, "}");
}

/* Code for a value, and a jump for the case that it is 0. */
static size_t condition(struct compiler *c)
{
    comparison(c);
    EMIT(c, "\x58\x48\x85\xc0\x0f\x84"); /* pop rax; test rax, rax; jz */
    return emit_hole(c);
}

static void if_else(struct compiler *c)
{
    size_t to_else = condition(c), to_end;

    block(c);
    if (!take(c, "else")) {
        fill(c, to_else, c->len);
        return;
    }
    EMIT(c, "\xe9"); /* jmp */
    to_end = emit_hole(c);
    fill(c, to_else, c->len);
    block(c);
    fill(c, to_end, c->len);
}

static void while_loop(struct compiler *c)
{
    size_t top = c->len, to_end = condition(c);

    block(c);
    EMIT(c, "\xe9"); /* jmp */
    fill(c, emit_hole(c), top);
    fill(c, to_end, c->len);
}

static void assignment(struct compiler *c, int variable)
{
    comparison(c);
    EMIT(c, "\x8f\x87"); /* pop qword [rdi+disp32] */
    emit_number(c, variable * 8, 4);
    need(c, ";");
}

/* Returns false where no statement begins, and has read nothing then. */
static bool statement(struct compiler *c)
{
    const char *before;
    int variable;

    if (c->wrong)
        return false;
    if (take(c, "if")) {
        if_else(c);
        return true;
    }
    if (take(c, "while")) {
        while_loop(c);
        return true;
    }
    if (!at_name(c))
        return false;
    before = c->text;
    variable = *c->text++ - 'a';
    if (take(c, ":=")) {
        assignment(c, variable);
        return true;
    }
    c->text = before;
    return false;
}

size_t compile(const char *text, unsigned char *code, size_t room)
{
    struct compiler c = {text, code, room, 0, false};

    while (statement(&c))
        ;
    comparison(&c);
    EMIT(&c, "\x58\xc3"); /* pop rax; ret */
    skip(&c);
    return c.wrong || *c.text ? 0 : c.len;
}

/* --- Brainfuck: rbx is the cell, r12 is put, r13 is get ------------------- */

/* Reads on as long as the characters go up or down. Returns the sum. */
static int take_run(struct compiler *c, char up, char down, int optimize)
{
    int total = 0;

    do {
        total += *c->text == up ? 1 : -1;
        c->text++;
        while (optimize && *c->text && !strchr("+-<>.,[]", *c->text))
            c->text++;
    } while (optimize && (*c->text == up || *c->text == down));
    return total;
}

static void bf_loop(struct compiler *c, int optimize);

static void bf_part(struct compiler *c, int optimize)
{
    char sum;

    switch (*c->text) {
    case '+':
    case '-':
        sum = (char)take_run(c, '+', '-', optimize);
        if (sum) {
            EMIT(c, "\x80\x03"); /* add byte [rbx], imm8 */
            emit(c, &sum, 1);
        }
        return;
    case '>':
    case '<':
        EMIT(c, "\x48\x81\xc3"); /* add rbx, imm32 */
        emit_number(c, take_run(c, '>', '<', optimize), 4);
        return;
    case '.':
        EMIT(c, "\x0f\xb6\x3b\x41\xff\xd4"); /* movzx edi, [rbx]; call r12 */
        break;
    case ',':
        EMIT(c, "\x41\xff\xd5\x88\x03"); /* call r13; mov [rbx], al */
        break;
    case '[':
        bf_loop(c, optimize);
        return;
    }
    c->text++;
}

static void bf_loop(struct compiler *c, int optimize)
{
    size_t top = c->len, to_end;

    if (optimize && !strncmp(c->text, "[-]", 3)) {
        EMIT(c, "\xc6\x03\x00"); /* mov byte [rbx], 0 */
        c->text += 3;
        return;
    }
    EMIT(c, "\x80\x3b\x00\x0f\x84"); /* cmp byte [rbx], 0; jz */
    to_end = emit_hole(c);
    c->text++;
    while (*c->text && *c->text != ']')
        bf_part(c, optimize);
    if (*c->text == ']')
        c->text++;
    else
        c->wrong = true;
    EMIT(c, "\xe9"); /* jmp */
    fill(c, emit_hole(c), top);
    fill(c, to_end, c->len);
}

size_t compile_bf(const char *text, unsigned char *code, size_t room,
                  int optimize)
{
    struct compiler c = {text, code, room, 0, false};

    EMIT(&c, "\x53\x41\x54\x41\x55"); /* push rbx; push r12; push r13 */
    EMIT(&c, "\x48\x89\xfb");         /* mov rbx, rdi */
    EMIT(&c, "\x49\x89\xf4");         /* mov r12, rsi */
    EMIT(&c, "\x49\x89\xd5");         /* mov r13, rdx */
    while (*c.text && *c.text != ']')
        bf_part(&c, optimize);
    EMIT(&c, "\x41\x5d\x41\x5c\x5b\xc3"); /* pop r13, r12, rbx; ret */
    return c.wrong || *c.text ? 0 : c.len;
}
