/* SPDX-License-Identifier: MIT */
#include "../check.h"

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
 * Calls code with x, and sets *higher to how many bytes higher than at its
 * entry rsp was at its ret. Where more was popped than pushed, ret does not find
 * the return address, so there are copies of it above. r12 to r14 are kept by
 * code, and whatever code does below rsp must not reach the locals here.
 */
static int64_t call(const uint8_t *code, int64_t x, long *higher)
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
                     : "=&a"(value), "+D"(x), [higher] "=&b"(*higher)
                     : [code] "S"(code)
                     : "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13",
                       "r14", "memory", "cc");
    return value;
}

static bool check_row(const struct row *row, bool old)
{
    const uint8_t *code = compile(row->expression);
    char what[80];
    long higher;
    int64_t value;

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
    value = call(code, row->x, &higher);
    if (higher) {
        say("rsp was %ld bytes %s at the ret than at the entry: %s",
            higher > 0 ? higher : -higher, higher > 0 ? "higher" : "lower",
            higher > 0 ? "more was popped than pushed"
                       : "more was pushed than popped");
        return false;
    }
    if (!check_int(what, value, row->value)) {
        if (value == (int64_t)(uint32_t)row->value)
            say("only the lower 32 bits are right: is there a REX.W?");
        else
            say("%s", row->why);
        return false;
    }
    return true;
}

int main(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!check_row(&rows[i], i < 2))
            return 1;
    if (compile("-") || compile("2-") || compile("-)")) {
        say("a minus sign with nothing behind it was compiled");
        return 1;
    }
    say("minus signs before numbers, x, parentheses and each other are right");
    return 0;
}
