/* SPDX-License-Identifier: MIT */
#include "../check.h"
#include "../names.h"

uint8_t *compile(const char *expression);

static const struct row {
    const char *expression;
    int64_t x, value;
    const char *why; /* what is wrong if it is not compiled, or not so */
} rows[] = {
    {"x*2+1", 3, 7, "that worked before"},
    {"5-(2-x)*3", 3, 8, "that worked before"},
    {"-x", 3, -3,
     "there must be code that turns the value on top of the stack into its "
     "negative"},
    {"-7", 0, -7, "a minus sign may stand before a number"},
    {"-x", -3, 3, "minus a negative number is positive"},
    {"3*-x", 5, -15, "the value below on the stack must be left alone"},
    {"10--x", 4, 14,
     "the first minus is of the sum, the second of the operand"},
    {"--x", 6, 6, "an operand behind a minus sign may begin with one"},
    {"-(x+1)*2", 2, -6, "an operand behind a minus sign may be in parentheses"},
    {"-x+10", 3, 7, "the sign belongs to the operand, not to all that follows"},
    {"-x-x", 3, -6, "the sign belongs to the operand, not to all that follows"},
    {"x*-4000000*1000000", 1, -4000000000000, "the value has 64 bits"},
};

/*
 * Calls code with *x, and sets *x to what is in rdi at its ret, and *higher to
 * how many bytes higher than at its entry rsp was then. Where more was popped than pushed, ret does not find
 * the return address, so there are copies of it above. r12 to r14 are kept by
 * code, and whatever code does below rsp must not reach the locals here.
 */
static int64_t call(const uint8_t *code, int64_t *x, long *higher)
{
    int64_t value;

    __asm__ volatile("mov %%rsp, %%r12\n\t"
                     "sub $128, %%rsp\n\t"
                     "and $-16, %%rsp\n\t"
                     "lea 1f(%%rip), %%r14\n\t"
                     "push %%r14; push %%r14; push %%r14; push %%r14\n\t"
                     "push %%r14; push %%r14; push %%r14; push %%r14\n\t"
                     "mov %%rsp, %%r13\n\t"
                     "call *%[code]\n"
                     "1:\n\t"
                     "sub %%rsp, %%r13\n\t"
                     "neg %%r13\n\t"
                     "mov %%r13, %[higher]\n\t"
                     "mov %%r12, %%rsp"
                     : "=&a"(value), "+D"(*x), [higher] "=&b"(*higher)
                     : [code] "S"(code)
                     : "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13",
                       "r14", "memory", "cc");
    return value;
}

/* Whether there is a neg or a not of a register that nothing was popped into
 * just before. */
static bool lacks_pop(const uint8_t *code, char *name)
{
    for (size_t i = 0; i < 64 && code[i] != 0xc3; i++)
        if (name_instruction(code + i, name) &&
            (!strncmp(name, "neg", 3) || !strncmp(name, "not", 3)))
            return i == 0 || code[i - 1] < 0x58 || code[i - 1] > 0x5f;
    return false;
}

/* The value is wrong, and rdi is x_after behind the call. */
static void say_why(const struct row *row, const uint8_t *code, int64_t value,
                    int64_t x_after)
{
    char name[NAME_SIZE];

    if (x_after != row->x)
        say("rdi is x, for the next x in the expression, too; the code has "
            "made "
            "%lld\nof it. Another register is free: rax",
            (long long)x_after);
    else if (value == (int64_t)(uint32_t)row->value)
        say("only the lower 32 bits are right: is there a REX.W?");
    else if (value == row->x && lacks_pop(code, name))
        say("there is %s, but the value is in memory, on the stack: it has to "
            "be popped\ninto the register first, and pushed again",
            name);
    else if (value == ~row->x && value != row->value)
        say("not turns each bit over; a number's negative is one more: neg");
    else
        say("%s", row->why);
}

static bool check_row(const struct row *row, bool old)
{
    const uint8_t *code = compile(row->expression);
    char what[80];
    long higher;
    int64_t value, x = row->x;

    snprintf(what, sizeof what, "%s for x = %lld", row->expression,
             (long long)row->x);
    if (!code) {
        say("%s was not compiled: the compiler sees no expression there",
            row->expression);
        if (!old)
            say("%s", row->why);
        return false;
    }
    say("trying %s", what);
    value = call(code, &x, &higher);
    if (higher) {
        say("rsp was %ld bytes %s at the ret than at the entry: %s",
            higher > 0 ? higher : -higher, higher > 0 ? "higher" : "lower",
            higher > 0 ? "more was popped than pushed"
                       : "more was pushed than popped");
        return false;
    }
    if (!check_int(what, value, row->value)) {
        say_why(row, code, value, x);
        return false;
    }
    return true;
}

int main(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!check_row(&rows[i], i < 2))
            return failed();
    if (compile("-") || compile("2-") || compile("-)")) {
        say("a minus sign with nothing behind it was compiled");
        return failed();
    }
    say("minus signs before numbers, x, parentheses and each other are right");
    return passed();
}
