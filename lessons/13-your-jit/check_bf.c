/* SPDX-License-Identifier: MIT */
/*
 * Rungs 13 to 17: Brainfuck. What a program must do is what the interpreter of
 * interpreter.h does with it.
 *
 * Faster is said of CPU time, where the interpreter and the code take turns and
 * the shortest of each counts, so that a busy machine changes little; the code
 * has many turns to be faster once. That the optimizer is of use is said of the
 * number of instructions, which is the same each time.
 */
#include "ladder.h"

#include "interpreter.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PRIMES "lessons/13-your-jit/primes.bf"

enum { LONGEST_OUTPUT = 4096, MARGIN = 64, ROUNDS = 3, MOST_ROUNDS = 15 };

/* What a program has to do with: as much of it as code can reach. */
struct world {
    unsigned char cells[MARGIN + CELLS + MARGIN];
    unsigned char out[LONGEST_OUTPUT];
    size_t out_len;
    const char *input; /* what is left of it */
    bool misaligned;   /* rsp, when put or get was called */
    long long odd;     /* an argument of put that is no byte, or 0 */
};

static struct world *world;

struct row {
    const char *text, *input;
    const char *why;
};

/* --- the functions that are called ---------------------------------------- */

/* Leaves junk in all registers that a called function may change. */
static void use_registers(void)
{
    __asm__ volatile("mov $-0x777, %%rcx; mov %%rcx, %%rdx\n\t"
                     "mov %%rcx, %%rsi; mov %%rcx, %%rdi; mov %%rcx, %%r8\n\t"
                     "mov %%rcx, %%r9; mov %%rcx, %%r10; mov %%rcx, %%r11"
                     :
                     :
                     : "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11");
}

/* rbp is 16 bytes below what rsp was before the call: a multiple of 16, if that
 * was one (psABI, section 3.2.2). */
#define IS_MISALIGNED ((uintptr_t)__builtin_frame_address(0) % 16 != 0)

static void put(int byte)
{
    world->misaligned |= IS_MISALIGNED;
    if (byte < 0 || byte > 255)
        world->odd = byte;
    if (world->out_len < LONGEST_OUTPUT)
        world->out[world->out_len++] = (unsigned char)byte;
    use_registers();
}

static int get(void)
{
    int byte = (unsigned char)*world->input;

    world->misaligned |= IS_MISALIGNED;
    world->input += byte != 0;
    use_registers();
    return byte;
}

/* The next program runs in a new world. */
static void renew(struct world *new, const char *input)
{
    memset(new, 0, sizeof *new);
    memset(new->cells, 0xaa, MARGIN);
    memset(new->cells + MARGIN + CELLS, 0xaa, MARGIN);
    new->input = input ? input : "";
    world = new;
}

static unsigned char *first_cell(struct world *of)
{
    return of->cells + MARGIN;
}

/* --- one case ------------------------------------------------------------- */

static bool there_is_compile_bf(void)
{
    return compile_bf ||
           case_failed("There is no function compile_bf() in my.c yet. It is "
                       "to be: size_t compile_bf(const char *text, unsigned "
                       "char *code, size_t room, int optimize), and not "
                       "static");
}

/* Returns false, having said why, or with the code to be closed. */
static bool compile_program(const char *text, int optimize, struct code *code)
{
    size_t len;

    if (!code_open(code, ROOM))
        return false;
    len = compile_bf(text, code->bytes, code->room, optimize);
    if (len ? code_take(code, len, "compile_bf()")
            : case_failed("compile_bf() returned 0, which says that this is "
                          "no program; but it is one"))
        return true;
    code_print(code);
    code_close(code);
    return false;
}

static bool run_code(const struct code *code)
{
    int64_t unused;

    return code_call(code, first_cell(world), (void *)(uintptr_t)put,
                     (void *)(uintptr_t)get, &unused);
}

static bool out_is(const struct world *is, const struct world *must,
                   const char *why)
{
    for (size_t i = 0; i < is->out_len && i < must->out_len; i++)
        if (is->out[i] != must->out[i])
            return case_failed("Byte %zu that it put out is %u, not %u: %s", i,
                               is->out[i], must->out[i], why);
    return is->out_len == must->out_len ||
           case_failed("It put out %zu byte%s, not %zu: %s", is->out_len,
                       is->out_len == 1 ? "" : "s", must->out_len, why);
}

static bool cells_are(const struct world *is, const struct world *must,
                      const char *why)
{
    for (size_t i = MARGIN; i < MARGIN + CELLS; i++)
        if (is->cells[i] != must->cells[i])
            return case_failed("Cell %zu is %u afterwards, not %u: %s",
                               i - MARGIN, is->cells[i], must->cells[i], why);
    return memcmp(is->cells, must->cells, sizeof is->cells) == 0 ||
           case_failed("The code stored outside of the cells");
}

static bool is_as_interpreted(const struct world *is, const struct world *must,
                              const char *why)
{
    if (is->misaligned)
        return case_failed("rsp was no multiple of 16 where put or get was "
                           "called, as the calling convention wants it; it "
                           "is 8 off at the entry, and each push changes that");
    if (is->odd)
        return case_failed("put was called with %lld, which is no byte: the "
                           "cell must be widened without a sign, movzx edi, "
                           "byte [...]",
                           is->odd);
    return out_is(is, must, why) && cells_are(is, must, why);
}

/* Runs the text in a world, by the interpreter. */
static void run_interpreter(const char *text, const char *input,
                            struct world *must)
{
    static uint16_t match[LONGEST];

    renew(must, input);
    match_brackets(text, match);
    interpret(text, match, first_cell(must), put, get);
}

static bool program_holds(const char *text, const char *input, int optimize,
                          const char *why)
{
    static struct world is, must;
    struct code code;
    bool holds;

    run_interpreter(text, input, &must);
    if (!compile_program(text, optimize, &code))
        return false;
    renew(&is, input);
    holds = run_code(&code) && is_as_interpreted(&is, &must, why);
    if (!holds)
        code_print(&code);
    code_close(&code);
    return holds;
}

static bool rows_hold(const struct row *rows, size_t count, int optimize)
{
    if (!there_is_compile_bf())
        return false;
    for (size_t i = 0; i < count; i++) {
        case_begin(optimize ? "--bf-fast" : "--bf", rows[i].text,
                   rows[i].input);
        if (!program_holds(rows[i].text, rows[i].input, optimize, rows[i].why))
            return false;
    }
    return true;
}

#define COUNT(rows) (sizeof(rows) / sizeof *(rows))

/* --- alone ---------------------------------------------------------------- */

/* What the file of that name holds, if it is a .bf; else the text itself. */
static const char *program_text(const char *text)
{
    static char read[LONGEST];
    size_t len = strlen(text);
    FILE *file;

    if (len < 3 || strcmp(text + len - 3, ".bf") != 0)
        return text;
    file = fopen(text, "r");
    if (!file) {
        perror(text);
        exit(1);
    }
    read[fread(read, 1, sizeof read - 1, file)] = 0;
    fclose(file);
    return read;
}

int bf_alone(const char *text, const char *input, int optimize)
{
    static struct world is;
    struct code code;
    bool holds;

    text = program_text(text);
    if (!there_is_compile_bf() || !compile_program(text, optimize, &code))
        return 1;
    renew(&is, input);
    holds = run_code(&code);
    fwrite(is.out, 1, is.out_len, stdout);
    code_close(&code);
    return !holds;
}

/* --- chapter 15 ----------------------------------------------------------- */

#define TEN(text) text text text text text text text text text text

static const struct row cell_rows[] = {
    {"", NULL, "an empty text is a program that does nothing"},
    {"+++", NULL, "+ adds 1 to the cell where rdi points to at the entry"},
    {"-", NULL, "one byte changes, from 0 to 255, and none beside it"},
    {"+>++>+++<-", NULL, "> goes to the next cell, < to the one before"},
    {TEN(TEN("+++")), NULL, "a cell is a byte: 300 is 44"},
    {TEN(TEN(">>")) "+" TEN("<") "-", NULL, "200 cells further"},
    {"one + two + three > four -", NULL, "other characters are comments"},
};

static const struct row loop_rows[] = {
    {"+++[-]>+", NULL, "as long as the cell is not 0"},
    {"[+++]>+", NULL, "the cell is 0 before the first round: no round"},
    {"[]+", NULL, "the cell is 0: no round"},
    {"+++[>++<-]", NULL, "behind the block the code must jump back"},
    {"++[>+++[>++<-]<-]", NULL, "a loop may stand in a loop"},
    {"+++[->+>+<<]>>[-<<+>>]", NULL, "a loop may follow a loop"},
    {"-[>+<-]", NULL, "255 rounds; each must leave rsp as it was"},
    {"++[" TEN(">+<") TEN(">+<") TEN(">+<") TEN(">+<") "-]", NULL,
     "a loop may be longer than a rel8 reaches"},
};

static const struct row input_rows[] = {
    {"+++.", NULL, ". calls put with the cell"},
    {"+.+.>-.<.", NULL, "put may change registers: what must stay?"},
    {",", "A", ", takes what get returns into the cell"},
    {",+.", "A", ", takes what get returns into the cell"},
    {",.,.>,.", "xyz", "get may change registers: what must stay?"},
    {"+,", "", "where there is no input any more, get returns 0"},
    {",[.,]", "Hello", "a loop over all of the input"},
    {",[>+++[<.>-]<,]", "abc", "calls in loops: rsp must be as it was"},
    {TEN("+++++++") "++.>" TEN(TEN("+")) "+.", NULL, "H, then e"},
};

/* Optimizers may do something else with these. */
static const struct row tricky_rows[] = {
    {"+-", NULL, "what adds up to nothing"},
    {"><+", NULL, "what adds up to nothing"},
    {TEN(TEN("++")) TEN("+++++") "++++++", NULL, "256 times + is 0"},
    {TEN(TEN("--")) TEN(TEN("--")), NULL, "400 times - is 112"},
    {TEN(TEN(">")) TEN(TEN(">")) "+", NULL, "more than 127 cells at once"},
    {"+++[-]", NULL, "a loop that makes the cell 0"},
    {"+++[+]+", NULL, "a loop that makes the cell 0, the long way round"},
    {"+++[-]++[-]+", NULL, "a loop that makes the cell 0"},
    {"++[--]+", NULL, "a loop that makes the cell 0 in steps of 2"},
    {"+++[->++<]", NULL, "a loop that moves"},
    {"+++[>+>++<<-]>[-<+>]", NULL, "a loop that moves to two cells"},
    {"++++[->+<-]", NULL, "a loop in steps of 2"},
    {"++[[->+<]]>", NULL, "a loop of which only one round is run"},
    {"+>+>+<<[>]+", NULL, "a loop that goes away from its cell"},
    {"+ +\n+ >\n> +", NULL, "comments within what belongs together"},
    {"+[-].+.", NULL, "the cell must be there when put is called"},
    {",+++[-],.", "ab", "the cell must be there when get has been called"},
};

static bool bf_is_refused(const char *text, const char *why)
{
    struct code code;
    size_t len;

    case_begin("--bf", text, NULL);
    if (!code_open(&code, ROOM))
        return false;
    len = compile_bf(text, code.bytes, code.room, 0);
    code_close(&code);
    return len == 0 ||
           case_failed("compile_bf() returned %zu, but this is no program, "
                       "for which it returns 0: %s",
                       len, why);
}

bool rung_bf_cells(void)
{
    return rows_hold(cell_rows, COUNT(cell_rows), 0);
}

bool rung_bf_loops(void)
{
    return rows_hold(loop_rows, COUNT(loop_rows), 0) &&
           bf_is_refused("[", "the bracket is not closed") &&
           bf_is_refused("]", "there is no [ before the ]") &&
           bf_is_refused("+[[-]", "one bracket is not closed") &&
           bf_is_refused("[]]", "there is a ] too many") &&
           bf_is_refused("][", "a ] cannot come first");
}

bool rung_bf_input(void)
{
    return rows_hold(input_rows, COUNT(input_rows), 0);
}

/* --- faster --------------------------------------------------------------- */

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* The shortest times in seconds of some rounds that took turns. */
struct times {
    double interpreter, code[2];
};

static void keep_shortest(double *shortest, double since)
{
    double took = now() - since;

    if (*shortest == 0 || took < *shortest)
        *shortest = took;
}

/* Runs the program by all means once: NULL is code that is not wanted. */
static bool take_turns(const char *text, const char *input,
                       const struct code *const code[2], struct times *times)
{
    static struct world unused;
    double since = now();

    run_interpreter(text, input, &unused);
    keep_shortest(&times->interpreter, since);
    for (size_t i = 0; i < 2; i++) {
        if (!code[i])
            continue;
        renew(&unused, input);
        since = now();
        if (!run_code(code[i]))
            return false;
        keep_shortest(&times->code[i], since);
    }
    return true;
}

/* Whether one more round may show that the code is the faster one. */
static bool is_undecided(const struct times *times, int rounds)
{
    return rounds < MOST_ROUNDS && times->code[0] >= times->interpreter &&
           times->code[0] < times->interpreter * 2;
}

bool rung_bf_faster(void)
{
    const char *text = program_text(PRIMES);
    struct times times = {0};
    struct code code;
    bool runs = true;

    if (!there_is_compile_bf())
        return false;
    case_begin("--bf", PRIMES, "d");
    if (!program_holds(text, "d", 0, "the interpreter puts out the primes") ||
        !compile_program(text, 0, &code))
        return false;
    for (int i = 0; runs && (i < ROUNDS || is_undecided(&times, i)); i++) {
        case_begin("--bf", PRIMES, "d");
        runs =
            take_turns(text, "d", (const struct code *[]){&code, NULL}, &times);
    }
    code_close(&code);
    if (!runs)
        return false;
    say("primes.bf to 100: the interpreter %.1f ms, your code %.1f ms: %.1f "
        "times as fast",
        times.interpreter * 1e3, times.code[0] * 1e3,
        times.interpreter / times.code[0]);
    return times.code[0] < times.interpreter ||
           case_failed("The code is not faster than the interpreter, the best "
                       "round of each: what does it do that the characters "
                       "do not ask for?");
}

/* --- fewer instructions --------------------------------------------------- */

/* How many instructions the code of primes.bf takes up to 9, the code of a tab:
 * few enough to trap behind each, which takes 20 us on some machines. */
static uint64_t count_primes(const struct code *code)
{
    static struct world unused;

    renew(&unused, "\t");
    return code_count(code, first_cell(&unused), (void *)(uintptr_t)put,
                      (void *)(uintptr_t)get);
}

static bool are_fewer(const struct code *plain, const struct code *fast)
{
    uint64_t before = count_primes(plain), after = count_primes(fast);

    say("primes.bf to 9: %llu instructions, optimized %llu: %.1f times fewer",
        (unsigned long long)before, (unsigned long long)after,
        after ? (double)before / (double)after : 0);
    return after * 2 <= before ||
           case_failed("With optimize the code must get by with half of the "
                       "instructions: look for characters that follow each "
                       "other and are one instruction together");
}

static void tell_times(const char *text, const struct code *plain,
                       const struct code *fast)
{
    struct times times = {0};

    for (int i = 0; i < ROUNDS; i++)
        if (!take_turns(text, "d", (const struct code *[]){plain, fast},
                        &times))
            return;
    say("primes.bf to 100: the interpreter %.1f ms, your code %.1f ms, "
        "optimized %.1f ms",
        times.interpreter * 1e3, times.code[0] * 1e3, times.code[1] * 1e3);
}

bool rung_bf_optimized(void)
{
    const char *text = program_text(PRIMES);
    struct code plain, fast;
    bool holds;

    if (!rows_hold(cell_rows, COUNT(cell_rows), 1) ||
        !rows_hold(loop_rows, COUNT(loop_rows), 1) ||
        !rows_hold(input_rows, COUNT(input_rows), 1) ||
        !rows_hold(tricky_rows, COUNT(tricky_rows), 0) ||
        !rows_hold(tricky_rows, COUNT(tricky_rows), 1))
        return false;
    case_begin("--bf-fast", PRIMES, "d");
    if (!program_holds(text, "d", 1, "the interpreter puts out the primes") ||
        !compile_program(text, 0, &plain))
        return false;
    if (!compile_program(text, 1, &fast)) {
        code_close(&plain);
        return false;
    }
    holds = are_fewer(&plain, &fast);
    if (holds)
        tell_times(text, &plain, &fast);
    code_close(&plain);
    code_close(&fast);
    return holds;
}
