/* SPDX-License-Identifier: MIT */
/*
 * Rungs 1 to 12: the language Pebble, of which spec.md has the rules.
 */
#include "ladder.h"

#include <stdlib.h>
#include <string.h>

/* Most rows end where nothing more is to be said. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

/* A program, its variables as "a=5 b=7", and what must come of it. */
struct row {
    const char *text, *given;
    int64_t value;
    const char *why;   /* what it is about */
    const char *after; /* variables that have other values then */
    /* A value that tells a mistake, and which; NULL if there is no such. */
    const char *then;
    int64_t wrong;
};

/* Variables with something before and behind that code must leave alone. */
struct memory {
    int64_t before[2], variable[VARIABLES], behind[2];
};

static const struct memory fresh = {{0x5ea1, 0x5ea1}, {0}, {0x5ea1, 0x5ea1}};

/* Sets variables as the words say: a=5 b=-7. Returns false for other words. */
static bool set_variables(const char *words, int64_t *variables)
{
    while (words && *words) {
        char *end;

        if (*words < 'a' || *words > 'z' || words[1] != '=')
            return false;
        variables[*words - 'a'] = strtoll(words + 2, &end, 10);
        if (end == words + 2 || (*end && *end != ' '))
            return false;
        words = end + strspn(end, " ");
    }
    return true;
}

/* --- one case ------------------------------------------------------------- */

static bool there_is_compile(void)
{
    return compile ||
           case_failed("There is no function compile() in my.c yet. It is "
                       "to be: size_t compile(const char *text, unsigned "
                       "char *code, size_t room), and not static");
}

static bool compile_text(const char *text, struct code *code)
{
    size_t len = compile(text, code->bytes, code->room);

    if (len)
        return code_take(code, len, "compile()");
    return case_failed("compile() returned 0, which says that this is no "
                       "program; but it is one");
}

/* Whether the variables are as the row says; each is named by its letter. */
static bool variables_hold(const struct memory *memory,
                           const struct memory *expected)
{
    for (int i = 0; i < VARIABLES; i++)
        if (memory->variable[i] != expected->variable[i])
            return case_failed("The variable %c is %lld afterwards, not %lld",
                               'a' + i, (long long)memory->variable[i],
                               (long long)expected->variable[i]);
    if (memcmp(memory, expected, sizeof *memory) != 0)
        return case_failed(
            "The code stored %s the variables, which are %d "
            "numbers of 8 bytes from rdi on",
            memcmp(memory->before, fresh.before, sizeof fresh.before)
                ? "in front of"
                : "behind",
            VARIABLES);
    return true;
}

static bool value_holds(const struct row *row, int64_t value)
{
    const char *why = row->why;

    if (value == row->value)
        return true;
    ask_where("rax");
    if (row->then && value == row->wrong)
        why = row->then;
    else if (value != (int32_t)row->value &&
             (uint32_t)value == (uint32_t)row->value)
        why = "only the lower 32 bits are right; is there a REX.W in each "
              "instruction that needs one?";
    else if ((uint64_t)value == (uint32_t)row->value)
        why = "the lower 32 bits are right and the upper ones are 0: a REX.W "
              "is missing, or the sign was lost";
    return case_failed("It gave %lld, not %lld: %s", (long long)value,
                       (long long)row->value, why);
}

/* Compiles and calls the program of the row, and compares. */
static bool row_runs(const struct row *row, struct code *code)
{
    struct memory memory = fresh, expected;
    int64_t value;

    set_variables(row->given, memory.variable);
    expected = memory;
    set_variables(row->after, expected.variable);
    return compile_text(row->text, code) &&
           code_call(code, memory.variable, NULL, NULL, &value) &&
           value_holds(row, value) && variables_hold(&memory, &expected);
}

static bool row_holds(const struct row *row)
{
    struct code code;
    bool holds;

    if (!there_is_compile() || !code_open(&code, ROOM))
        return false;
    case_begin(row->text, row->given, NULL);
    holds = row_runs(row, &code);
    if (!holds)
        code_print(&code);
    code_close(&code);
    return holds;
}

static bool rows_hold(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!row_holds(&rows[i]))
            return false;
    return true;
}

#define ALL(rows) rows, sizeof(rows) / sizeof *(rows)

int pebble_alone(const char *text, char *const *given)
{
    struct memory memory = fresh;
    struct code code;
    int64_t value = 0;
    bool holds;

    for (; *given; given++)
        if (!set_variables(*given, memory.variable)) {
            fprintf(stderr, "'%s' sets no variable; a=5 does\n", *given);
            return 64;
        }
    if (!there_is_compile() || !code_open(&code, ROOM))
        return 1;
    holds = compile_text(text, &code) &&
            code_call(&code, memory.variable, NULL, NULL, &value);
    if (holds)
        say("%lld", (long long)value);
    code_close(&code);
    return !holds;
}

/* --- chapter 13: expressions ---------------------------------------------- */

bool rung_number(void)
{
    static const struct row rows[] = {
        {"7", NULL, 7, "the result belongs into rax, and a ret behind it"},
        {"0", NULL, 0, "the number in the text must come out"},
        {"42", NULL, 42, "a number may have more than one digit",
         .then = "that is its first digit", .wrong = 4},
        {"200", NULL, 200, "a number may need more than 8 bits",
         .then = "in 8 bits with a sign that is what 200 looks like",
         .wrong = -56},
        {"100000", NULL, 100000, "a number may need more than 16 bits"},
    };

    return rows_hold(ALL(rows));
}

bool rung_wide_number(void)
{
    static const struct row rows[] = {
        {"2147483647", NULL, 2147483647, "that still fits 32 bits"},
        {"2147483648", NULL, 2147483648,
         "an imm32 reaches to 2147483647, and is sign-extended",
         .then = "an imm32 reaches to 2147483647 and was sign-extended; "
                 "behind mov rax (48 b8) 8 bytes of number can stand",
         .wrong = INT32_MIN},
        {"4294967296", NULL, 4294967296, "that needs 33 bits",
         .then = "of its 33 bits the lower 32 were taken", .wrong = 0},
        {"9223372036854775807", NULL, INT64_MAX, "the largest number"},
        {" 5", NULL, 5, "blanks may stand before a word"},
        {"  5 \n\t ", NULL, 5, "blanks, tabs and newlines may stand behind"},
    };

    return rows_hold(ALL(rows));
}

bool rung_sum(void)
{
    static const struct row rows[] = {
        {"1+2", NULL, 3, "the sum of both"},
        {"7-5", NULL, 2, "the right one is subtracted from the left one",
         .then = "that is 5-7: which operand is popped first?", .wrong = -2},
        {"5-7", NULL, -2, "the result may be negative"},
        {"10-2-3", NULL, 5, "- takes what stands left of it as a whole",
         .then = "that is 10-(2-3); - takes what stands left of it as a whole",
         .wrong = 11},
        {"1+2+3+4+5-6", NULL, 9, "an operator may follow another"},
        {" 1 + 20 - 3 ", NULL, 18, "blanks may stand between all words"},
        {"4000000000+4000000000", NULL, 8000000000, "the sum has 64 bits"},
        {"0-5000000000", NULL, -5000000000, "the difference has 64 bits"},
    };

    return rows_hold(ALL(rows));
}

bool rung_product(void)
{
    static const struct row rows[] = {
        {"6*7", NULL, 42, "the product"},
        {"1+2*3", NULL, 7, "* comes before +",
         .then = "that is (1+2)*3; * comes before +", .wrong = 9},
        {"2*3+4", NULL, 10, "* comes before +",
         .then = "that is 2*(3+4); a product ends at +", .wrong = 14},
        {"(1+2)*3", NULL, 9, "what is in parentheses comes first",
         .then = "that is 1+2*3; what is in parentheses comes first",
         .wrong = 7},
        {"10-(5-(4-2))", NULL, 7, "parentheses may stand in parentheses"},
        {"-5", NULL, -5, "a minus sign may stand before an operand"},
        {"3*-2", NULL, -6, "a minus sign may stand before an operand"},
        {"10--4", NULL, 14, "the second minus belongs to the 4"},
        {"-3+10", NULL, 7, "the minus sign belongs to the 3 alone",
         .then = "that is -(3+10); the sign belongs to the 3 alone",
         .wrong = -13},
        {"--6", NULL, 6, "an operand may begin with two minus signs"},
        {"-(2+3)*2", NULL, -10, "the operand of a sign may be in parentheses"},
        {"1*(2+3*(4+5*(6+7*(8+9))))", NULL, 1889,
         "values wait while others are computed"},
        {"1-(2-(3-(4-(5-(6-(7-(8-9)))))))", NULL, 5,
         "nine values wait at once: more than a few registers hold"},
        {"3000000000*3", NULL, 9000000000, "the product has 64 bits"},
    };

    return rows_hold(ALL(rows));
}

bool rung_quotient(void)
{
    static const struct row rows[] = {
        {"42/6", NULL, 7, "idiv divides rdx:rax; the quotient is in rax"},
        {"43%6", NULL, 1, "the remainder: idiv leaves it in rdx",
         .then = "that is the quotient; the remainder is in rdx", .wrong = 7},
        {"7/2", NULL, 3, "the quotient is cut"},
        {"-7/2", NULL, -3,
         "idiv divides rdx:rax, so rdx must be the sign of "
         "rax, which cqo makes it",
         .then = "the quotient is cut towards 0", .wrong = -4},
        {"-7%2", NULL, -1, "the remainder has the sign of the left one"},
        {"7/-2", NULL, -3, "the right one may be negative"},
        {"100/10/5", NULL, 2, "/ takes what stands left of it as a whole",
         .then = "that is 100/(10/5)", .wrong = 50},
        {"2*7/2%4", NULL, 3, "*, / and % are equals, from left to right"},
        {"1+8/2", NULL, 5, "/ comes before +"},
        {"9000000000/3", NULL, 3000000000, "64 bits are divided by 64"},
    };

    return rows_hold(ALL(rows));
}

bool rung_variable(void)
{
    static const struct row rows[] = {
        {"a", "a=5", 5, "a is the 8 bytes where rdi points to"},
        {"b", "a=1 b=-9", -9, "b is the 8 bytes behind a: at rdi + 8",
         .then = "that is a; b is at rdi + 8", .wrong = 1},
        {"a-b", "a=5 b=7", -2, "rdi must still be what it was",
         .then = "that is b-a", .wrong = 2},
        {"p", "p=15", 15, "p is at rdi + 120"},
        {"q", "q=16", 16,
         "q is at rdi + 128, which a disp8 does not reach: it has a sign"},
        {"z", "z=25", 25, "z is at rdi + 200"},
        {"a*a+b*b-c*-c", "a=3 b=4 c=5", 50, "a variable may stand often"},
        {"(e-d)*x/y%z", "d=1 e=10 x=100 y=7 z=50", 28,
         "division may use a register that has something else"},
        {"a + 0", "a=-5000000000", -5000000000, "a variable has 64 bits"},
    };

    return rows_hold(ALL(rows));
}

bool rung_comparison(void)
{
    static const struct row rows[] = {
        {"1<2", NULL, 1, "true is 1"},
        {"2<1", NULL, 0, "false is 0"},
        {"2<2", NULL, 0, "2 is not less than 2"},
        {"2<=2", NULL, 1, "2 is equal to 2"},
        {"3<=2", NULL, 0, "3 is more than 2"},
        {"3>2", NULL, 1, "3 is more than 2"},
        {"2>3", NULL, 0, "2 is not more than 3"},
        {"2>=3", NULL, 0, "2 is less than 3"},
        {"3>=3", NULL, 1, "3 is equal to 3"},
        {"4==4", NULL, 1, "they are equal"},
        {"4==5", NULL, 0, "they are not equal"},
        {"4!=5", NULL, 1, "they are not equal"},
        {"4!=4", NULL, 0, "they are equal"},
        {"-1<1", NULL, 1, "numbers have a sign: setl, not setb",
         .then = "numbers have a sign: setl and its like look at it, setb "
                 "and seta do not",
         .wrong = 0},
        {"1+1==2", NULL, 1, "== comes after +",
         .then = "that is 1+(1==2); + comes first", .wrong = 1},
        {"2 < 1+3", NULL, 1, "+ comes before <", .then = "that is (2<1)+3",
         .wrong = 3},
        {"(a<b)*10+(b<a)", "a=-5000000000 b=3", 10,
         "a comparison in parentheses is an operand; all of rax is its value, "
         "and set changes one byte of it"},
        {"4294967296==0", NULL, 0, "64 bits are compared",
         .then = "the lower 32 bits were compared; all 64 are to be",
         .wrong = 1},
    };

    return rows_hold(ALL(rows));
}

/* --- what is not compiled ------------------------------------------------- */

static bool is_refused(const char *text, const char *why)
{
    struct code code;
    size_t len;

    if (!there_is_compile() || !code_open(&code, ROOM))
        return false;
    case_begin(text, NULL, NULL);
    len = compile(text, code.bytes, code.room);
    code_close(&code);
    return len == 0 ||
           case_failed("compile() returned %zu, but this is no program, for "
                       "which it returns 0: %s",
                       len, why);
}

/* Compiles with less room than the program needs, and looks behind it. */
static bool room_is_kept(const char *text, size_t room)
{
    struct code code;
    size_t len;
    bool holds;

    if (!there_is_compile() || !code_open(&code, ROOM))
        return false;
    case_begin(text, NULL, NULL);
    len = compile(text, code.bytes, room);
    holds = len == 0 || case_failed("With room for %zu bytes compile() "
                                    "returned %zu; code that is not all there "
                                    "must be refused with 0",
                                    room, len);
    for (size_t i = room; i < 4 * room && holds; i++)
        if (code.bytes[i])
            holds = case_failed("There was room for %zu bytes, and compile() "
                                "stored byte %zu: ask before each store",
                                room, i);
    code_close(&code);
    return holds;
}

bool rung_no_program(void)
{
    static const struct {
        const char *text, *why;
    } texts[] = {
        {"", "the value is missing"},
        {"   ", "the value is missing"},
        {"1+", "behind + an operand is missing"},
        {"*2", "before * an operand is missing"},
        {"(1+2", "the parenthesis is not closed"},
        {"1)", "there is a parenthesis too many"},
        {"()", "in the parentheses the value is missing"},
        {"1 2", "between two numbers an operator is missing"},
        {"a b", "between two variables an operator is missing"},
        {"ab", "a name is one letter"},
        {"A", "names are small letters"},
        {"1 ? 2", "there is no word ?"},
        {"1 = 2", "one = is no comparison"},
        {"3 < ", "behind < a value is missing"},
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (!is_refused(texts[i].text, texts[i].why))
            return false;
    return room_is_kept("1+2*3-4*(5+6)-7*8+9-10*11", 16);
}

/* --- chapter 14: statements ----------------------------------------------- */

bool rung_assignment(void)
{
    static const struct row rows[] = {
        {"a := 5; a", NULL, 5, "the variable is what was assigned", "a=5"},
        {"z := 1; q := 2; 7", NULL, 7,
         "more than one statement may stand there", "z=1 q=2"},
        {"a := a + 1; a := a * 10; a", "a=1", 20,
         "statements are run one after the other", "a=20"},
        {"t := a; a := b; b := t; a - b", "a=3 b=8", 5,
         "the old value is still in t", "a=8 b=3 t=3"},
        {"a:=1;b:=a==1;b", NULL, 1, "a comparison may be assigned", "a=1 b=1"},
        {"a := 9000000000 ; 0", NULL, 0, "all 64 bits are stored",
         "a=9000000000"},
    };

    return rows_hold(ALL(rows)) && is_refused("a := 5;", "it has no value") &&
           is_refused("a := 5 a", "a ; is missing") &&
           is_refused("5 := a; a", "a number is no variable") &&
           is_refused("a := ; a", "behind := a value is missing");
}

bool rung_if(void)
{
    static const struct row rows[] = {
        {"if 1 { a := 5; } a", NULL, 5, "1 is true", "a=5"},
        {"if 0 { a := 5; } a", "a=2", 2, "0 is not true",
         .then = "the block was run, though its value is 0", .wrong = 5},
        {"if a > b { m := a; } else { m := b; } m", "a=3 b=8", 8,
         "the block behind else is run if the value is 0", "m=8"},
        {"if a > b { m := a; } else { m := b; } m", "a=8 b=3", 8,
         "behind the first block the code must jump over the second", "m=8",
         .then = "both blocks were run: behind the first one a jump over the "
                 "second is missing",
         .wrong = 3},
        {"if a { } else { b := 1; } b", "a=-1", 0,
         "all but 0 is true, negative numbers too"},
        {"if 4294967296 { b := 1; } b", NULL, 1,
         "all 64 bits count: 4294967296 is not 0", "b=1"},
        {"if a { if b { c := 1; } else { c := 2; } } else { c := 3; } c",
         "a=1 b=0", 2, "an if may stand in a block", "c=2"},
        {"if a { c := 1; } if b { d := 1; } c * 10 + d", "a=0 b=1", 1,
         "behind a block the next statement follows", "d=1"},
        {"if a { b := 1*2+3*4+5*6+7*8+9*10+11*12+13*14+15*16; } b", "a=0", 0,
         "a block may be longer than a rel8 reaches: rel32"},
    };

    return rows_hold(ALL(rows)) && is_refused("if 1 { 5", "no } follows") &&
           is_refused("if { a := 1; } a", "the value is missing") &&
           is_refused("if 1 a := 1; a", "the block is missing") &&
           is_refused("else { } 1", "there is no if before the else") &&
           is_refused("if 1 { } else 2", "behind else a block is missing");
}

bool rung_while(void)
{
    static const struct row rows[] = {
        {"while a { a := a - 1; } a", "a=3", 0,
         "behind the block the code must jump back", "a=0",
         .then = "the block was run once: a jump back is missing", .wrong = 2},
        {"while 0 { a := 1; } a", NULL, 0,
         "the value is computed before the first round"},
        {"while n > 0 { s := s + n; n := n - 1; } s", "n=100", 5050,
         "the value is computed anew before each round", "s=5050 n=0"},
        {"while a < 3 { b := 0; while b < 4 { c := c + 1; b := b + 1; } "
         "a := a + 1; } c",
         NULL, 12, "a while may stand in a block", "a=3 b=4 c=12"},
        {"while n != 1 { if n % 2 == 0 { n := n / 2; } else { n := 3 * n + 1; "
         "} s := s + 1; } s",
         "n=27", 111, "an if may stand in a while", "n=1 s=111"},
        {"while b != 0 { c := a % b; a := b; b := c; } a", "a=1071 b=462", 21,
         "the value at the end is that of a", "a=21 b=0 c=0"},
        {"while i < 100000 { i := i + 1; } i", NULL, 100000,
         "after each round rsp must be what it was", "i=100000"},
        {"while a { a := a-1; b := 1*2+3*4+5*6+7*8+9*10+11*12+13*14+15*16; } "
         "b",
         "a=2", 744, "a jump back may be longer than a rel8 reaches",
         "a=0 b=744"},
    };

    return rows_hold(ALL(rows)) && is_refused("while 1 { a", "no } follows") &&
           is_refused("while { } 1", "the value is missing") &&
           is_refused("a := 1; } a", "there is a } too many");
}

/* Programs from short to long, so that the first that fails is a short one. */
bool rung_random(void)
{
    enum { PROGRAMS = 400 };
    char text[4096], after[VARIABLES * 24], *end;

    for (unsigned n = 0; n < PROGRAMS; n++) {
        struct memory memory = fresh;
        struct row row = {text, "a=6 b=-7 c=1000000007", 0,
                          "a program made at random, which all rules of "
                          "spec.md have a part in; try parts of it alone",
                          after};

        make_program(n, text);
        set_variables(row.given, memory.variable);
        row.value = meaning(text, memory.variable);
        end = after;
        for (int i = 0; i < VARIABLES; i++)
            end += sprintf(end, "%s%c=%lld", i ? " " : "", 'a' + i,
                           (long long)memory.variable[i]);
        if (!row_holds(&row))
            return false;
    }
    return true;
}
