/* SPDX-License-Identifier: MIT */
/*
 * The exercises of the lessons, each of them found at run time: as shipped it
 * does not pass and says why, its solution passes, its hints help without
 * giving away too much. And what exercise.sh does with a learner's copy: check,
 * watch, reset, and what it says of a crash and of a loop.
 *
 * All of it happens in a copy of the lessons; a my.c of whoever runs the tests
 * is never looked at.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <criterion/parameterized.h>
#include <ctype.h>
#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/support.h"

TestSuite(exercises, .timeout = 120);

/* --- a copy of the lessons ----------------------------------------------- */

static const char *tree;

__attribute__((format(printf, 1, 2))) static void shell(const char *format, ...)
{
    char command[2048];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(command, sizeof command, format, arguments);
    va_end(arguments);
    cr_assert(eq(int, system(command), 0), "%s", command);
}

static void make_tree(void)
{
    tree = scratch(".tree");
    shell("mkdir -p %s/lessons && cp Makefile %s && ln -s %s %s/jittrace && "
          "ln -s \"$PWD\"/src \"$PWD\"/docs \"$PWD\"/.ci %s && "
          "cp lessons/*.* %s/lessons",
          tree, tree, JITTRACE, tree, tree, tree);
    shell("for dir in lessons/[0-9][0-9]-*; do mkdir %s/$dir && "
          "for file in $dir/*; do case $file in */my.c) ;; *) "
          "cp $file %s/$file ;; esac; done; done",
          tree, tree);
}

static void remove_tree(void)
{
    shell("rm -rf %s", tree);
}

/* The lesson that most tests work with. */
#define LESSON "lessons/06-babyjit"

static char *in_tree(const char *name)
{
    static char path[4][512];
    static size_t next;
    char *out = path[next++ % 4];

    snprintf(out, sizeof *path, "%s/%s", tree, name);
    return out;
}

/* Runs exercise.sh with dash, for it must do without the habits of bash. */
static void script(const char *action, const char *lesson,
                   struct result *result)
{
    run(&(struct job){.argv =
                          ARGS("dash", "lessons/exercise.sh", action, lesson),
                      .dir = tree,
                      .seconds = 60},
        result);
}

static void expect_part(const struct buf *text, const char *part)
{
    cr_assert(ne(ptr, memmem(text->data, text->len, part, strlen(part)), NULL),
              "no '%s' in:\n%.*s", part, (int)text->len, (char *)text->data);
}

/* The action ends so, and says this on one of the two streams. */
static void expect(const char *action, const char *lesson, int status,
                   const char *part)
{
    struct result result;

    script(action, lesson, &result);
    buf_append(&result.out, result.err.data, result.err.len);
    expect_part(&result.out, part);
    cr_assert(eq(int, result.status, status), "%s %s", action, lesson);
    result_release(&result);
}

/* Puts the code into the gap of the exercise, as a learner would. */
static void fill_gap(const char *code)
{
    struct buf exercise = {0}, mine = {0};
    const char *text, *gap, *end;

    read_file(in_tree(LESSON "/exercise.c"), &exercise);
    text = buf_text(&exercise);
    gap = strstr(text, "/* Your turn");
    cr_assert(ne(ptr, (void *)gap, NULL));
    end = strstr(gap, "*/") + 2;
    buf_append(&mine, text, (size_t)(gap - text));
    buf_append_text(&mine, code);
    buf_append_text(&mine, end);
    write_file(in_tree(LESSON "/my.c"), mine.data, mine.len, 0644);
    buf_release(&exercise);
    buf_release(&mine);
}

#define RIGHT "code[7] = 0x48; code[8] = 0x29; code[9] = 0xf8; code[10] = 0xc3;"

/* Copies the solution of the lesson to where a learner's answer is. */
static void solve(const char *lesson)
{
    shell("cd %s/lessons/%s && cp solution.c my.c && rm -f .rung", tree,
          lesson);
}

/* --- every lesson -------------------------------------------------------- */

struct lesson_name {
    char name[64]; /* 06-babyjit */
};

ParameterizedTestParameters(exercises, as_shipped)
{
    static struct lesson_name names[100];
    size_t count = 0;
    glob_t found;

    if (glob("lessons/[0-9][0-9]-*", 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc && count < 100; i++)
            snprintf(names[count++].name, sizeof names->name, "%s",
                     strrchr(found.gl_pathv[i], '/') + 1);
        globfree(&found);
    }
    return cr_make_param_array(struct lesson_name, names, count);
}

/* What stands in a file of the lesson in the tree. */
static char *load(const char *lesson, const char *file)
{
    char name[512];
    struct buf text = {0};

    snprintf(name, sizeof name, "%s/lessons/%s/%s", tree, lesson, file);
    read_file(name, &text);
    return (char *)buf_text(&text);
}

/* An exercise that is climbed rung by rung. Its solution is not beside it. */
static bool is_ladder(const char *lesson)
{
    char name[256];

    snprintf(name, sizeof name, "lessons/%s/ladder.h", lesson);
    return access(name, F_OK) == 0;
}

/* Compiles the file with the check as a learner's copy is, but a warning is an
 * error. */
static void expect_no_warning(const char *lesson, const char *file)
{
    shell("cd %s/lessons/%s && gcc -std=gnu11 -g -O0 -Wall -Wextra -Werror "
          "-o ../a.out %s check*.c",
          tree, lesson, file);
}

/* As shipped: it does not pass, and the check itself says something. */
static void expect_failure(const char *lesson)
{
    static const char *const others[] = {"does not compile", "It ended with",
                                         "did not end"};
    struct result result;

    script("exercise", lesson, &result);
    cr_assert(eq(int, result.status, 1), "%s", lesson);
    expect_part(&result.out, ": not yet.");
    cr_assert(eq(str, (char *)buf_text(&result.err), ""));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        cr_assert(lacks(buf_text(&result.out), others[i]), "%s",
                  buf_text(&result.out));
    /* Three lines about the copy, and one at the end. */
    cr_assert(ge(sz, count_lines(buf_text(&result.out)), 5), "%s",
              buf_text(&result.out));
    result_release(&result);
}

/* make fails, too, and adds no more than that to what the script says. */
static void expect_failing_make(const char *lesson)
{
    char number[16];
    struct result result;

    snprintf(number, sizeof number, "N=%.2s", lesson);
    run(&(struct job){.argv = ARGS("make", "exercise", number),
                      .dir = tree,
                      .env = ARGS("MAKEFLAGS", "MAKELEVEL", "BUILD", "PROGRAM",
                                  "SANITIZE"),
                      .seconds = 60},
        &result);
    cr_assert(eq(int, result.status, 2));
    cr_assert(contains(buf_text(&result.err), ": exercise] Error 1\n"));
    cr_assert(eq(sz, count_lines(buf_text(&result.err)), 1), "%s",
              buf_text(&result.err));
    expect_part(&result.out, ": not yet.");
    result_release(&result);
}

static void expect_solution_passes(const char *lesson)
{
    struct result result;

    expect("solution", lesson, 1, "is shown once");
    solve(lesson);
    script("exercise", lesson, &result);
    cr_assert(eq(int, result.status, 0), "%s%s", buf_text(&result.out),
              buf_text(&result.err));
    expect_part(&result.out, ": passed.");
    result_release(&result);
    expect("solution", lesson, 0,
           is_ladder(lesson) ? "Another way to climb it: tests/lessons/"
                             : "has in the gap:");
}

/* --- hints give not too much away ---------------------------------------- */

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/*
 * The byte that the word at text stands for, or -1: 0x29, or where bare words
 * count two digits as in a hex dump. "be" is English.
 */
static int byte_at(const char *text, size_t len, bool bare)
{
    char *end;
    unsigned long value;

    if (len > 2 && !strncmp(text, "0x", 2))
        bare = true;
    else if (len != 2 || !strncmp(text, "be", 2))
        return -1;
    value = strtoul(text, &end, 16);
    return bare && end == text + len && value < 256 ? (int)value : -1;
}

/* Which bytes stand in the text. */
static void note_bytes(const char *text, bool bare, bool seen[256])
{
    memset(seen, 0, 256);
    while (*text) {
        size_t len = 0;
        int byte;

        while (is_word(text[len]))
            len++;
        byte = byte_at(text, len, bare);
        if (byte >= 0)
            seen[byte] = true;
        text += len ? len : 1;
    }
}

/* Whether a line of the solution that is no line of the exercise is in text. */
static bool tells_a_line(const char *exercise, const char *solution,
                         const char *text)
{
    char *copy = strdup(solution), *rest = copy, *line;
    bool told = false;

    while ((line = strsep(&rest, "\n")) != NULL) {
        line += strspn(line, " ");
        line[strcspn(line, ";")] = 0;
        told |=
            strlen(line) >= 8 && !strstr(exercise, line) && strstr(text, line);
    }
    free(copy);
    return told;
}

/* NULL, or what is wrong with hints: text of the file `hints`. */
static const char *judge_hints(const char *exercise, const char *solution,
                               const char *hints)
{
    bool before[256], after[256], told[256];
    char *early = strdup(hints), *second = strstr(early, "\n---\n"),
         *third = second ? strstr(second + 4, "\n---\n") : NULL;
    const char *verdict = NULL;

    if (!third || strstr(third + 4, "\n---\n") || second == early ||
        third <= second + 5 || !third[5]) {
        free(early);
        return "there must be three hints between two lines ---";
    }
    *third = 0;
    note_bytes(exercise, false, before);
    note_bytes(solution, false, after);
    note_bytes(early, true, told);
    for (size_t i = 0; i < 256; i++)
        if (after[i] && !before[i] && told[i])
            verdict = "a hint before the last tells a byte of the solution";
    if (tells_a_line(exercise, solution, early))
        verdict = "a hint before the last tells a line of the solution";
    free(early);
    return verdict;
}

Test(exercises, hints_that_tell_too_much)
{
    static const struct {
        const char *hints, *verdict;
    } all[] = {
        {"a\n---\nb\n---\nc\n", NULL},
        {"a\n---\nlike 48 here\n---\n0x29 0x48\n", NULL},
        {"that must be\n---\nb\n---\nc\n", NULL},
        {"a\n---\nuse 0x29\n---\nc\n", "byte"},
        {"the byte 29 is\n---\nb\n---\nc\n", "byte"},
        {"x(29)\n---\nb\n---\nc\n", "byte"},
        {"a\n---\nb = compute(a)\n---\nc\n", "line"},
        {"a\n---\nb = compute()\n---\nb = compute(a)\n", NULL},
        {"a\n---\nb\n", "three"},
        {"a\n---\nb\n---\n", "three"},
        {"a\n---\nb\n---\nc\n---\nd\n", "three"},
    };

    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        const char *verdict = judge_hints("  a = 0x48;\n",
                                          "  a = 0x48;\n  b = 0x29; c = 0xbe;\n"
                                          "    b = compute(a);\n",
                                          all[i].hints);

        cr_assert(eq(int, verdict != NULL, all[i].verdict != NULL), "%s: %s",
                  all[i].hints, verdict);
        if (verdict)
            cr_assert(contains(verdict, all[i].verdict), "%s: %s", all[i].hints,
                      verdict);
    }
}

/* ------------------------------------------------------------------------- */

static void expect_files(const char *lesson)
{
    char *exercise = load(lesson, "exercise.c"),
         *solution = load(lesson, "solution.c"), *hints = load(lesson, "hints"),
         *gap = strstr(exercise, "/* Your turn");
    const char *verdict = judge_hints(exercise, solution, hints);

    cr_assert(ne(ptr, gap, NULL), "%s", lesson);
    cr_assert(lacks(gap + 1, "/* Your turn"), "%s", lesson);
    cr_assert(lacks(solution, "/* Your turn"), "%s", lesson);
    cr_assert(eq(ptr, (void *)verdict, NULL), "%s: %s", lesson, verdict);
    free(exercise);
    free(solution);
    free(hints);
}

ParameterizedTest(struct lesson_name *lesson, exercises, as_shipped,
                  .init = make_tree, .fini = remove_tree)
{
    if (is_ladder(lesson->name))
        shell("cp tests/lessons/%s.c %s/lessons/%s/solution.c", lesson->name,
              tree, lesson->name);
    else
        expect_files(lesson->name);
    expect_no_warning(lesson->name, "exercise.c");
    expect_no_warning(lesson->name, "solution.c");
    expect_failure(lesson->name);
    expect_failing_make(lesson->name);
    expect_solution_passes(lesson->name);
}

/* --- which lesson -------------------------------------------------------- */

Test(exercises, a_lesson_is_named_in_four_ways, .init = make_tree,
     .fini = remove_tree)
{
    expect("hint", "6", 0, "06-babyjit: hint 1 of 3\n\nWhere:");
    expect("hint", "06", 0, "06-babyjit: hint 2 of 3\n\nWhy:");
    expect("hint", "babyjit", 0,
           "06-babyjit: hint 3 of 3\n\nNearly the answer:");
    expect("hint", "06-babyjit", 0, "06-babyjit: hint 3 of 3\n\nNearly");
}

Test(exercises, what_is_no_lesson, .init = make_tree, .fini = remove_tree)
{
    static const char *const wrong[] = {"0", "99", "006", "x", "*", "-1", "."};

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        expect("exercise", wrong[i], 64, "There is no exercise '");
        expect("exercise", wrong[i], 64, "make progress lists them");
    }
    expect("hint", "", 64, "Which lesson? For example: make hint N=");
    expect("hint", NULL, 64, "Which lesson?");
    expect("frobnicate", "6", 64, "there is no 'frobnicate'");
    expect("", "6", 64, "there is no ''");
}

/* --- a learner's copy ---------------------------------------------------- */

Test(exercises, says_which_byte_is_wrong, .init = make_tree,
     .fini = remove_tree)
{
    expect("exercise", "6", 1, "lessons/06-babyjit/my.c is your copy");
    fill_gap("code[7] = 0x48; code[8] = 0x01;");
    expect("exercise", "6", 1, "byte 8 is 0x01; that is the opcode of add");
    fill_gap("code[7] = 0x48; code[8] = 0x29; code[9] = 0xc7;");
    expect("exercise", "6", 1, "bytes 7 to 9 are sub rdi, rax, and");
    fill_gap("code[7] = 0x48; code[8] = 0x29; code[9] = 0xf8;");
    expect("exercise", "6", 1, "byte 10 is 0x00; the function needs a ret");
    fill_gap(RIGHT);
    expect("exercise", "6", 0, "06-babyjit: passed.");
    fill_gap("code[7] = 0x48; code[8] = 0x2b; code[9] = 0xc7; "
             "code[10] = 0xc3;");
    expect("exercise", "6", 0, "06-babyjit: passed.");
}

Test(exercises, several_at_once, .init = make_tree, .fini = remove_tree)
{
    solve("06-babyjit");
    expect("exercise", "06 7", 1,
           "07-smaller: not yet. `make hint N=07` helps."
           "\n\n1 of 2 passed.\n");
    solve("07-smaller");
    expect("exercise", " smaller 6 ", 0, "\n2 of 2 passed.\n");
    expect("exercise", "6 99", 64, "There is no exercise '99'");
    expect("exercise", "6 *", 64, "There is no exercise '*'");
    expect("exercise", "all", 1, "\n2 of 1");
    shell("cd %s/lessons && rm -r 0[1-5]* 08* 09* 1*", tree);
    expect("exercise", "all", 0, "\n2 of 2 passed.\n");
}

/* The solution of a lesson with one thing in it that is wrong. */
static void spoil(const char *lesson, const char *right, const char *wrong)
{
    shell("cd %s/lessons/%s && sed 's/%s/%s/' solution.c >my.c && "
          "! cmp -s solution.c my.c",
          tree, lesson, right, wrong);
}

/* The event of what made a wrong result, found in a trace of the answer. */
Test(exercises, a_wrong_result_names_its_event, .init = make_tree,
     .fini = remove_tree)
{
    spoil("08-expressions", "EMIT(c, 0x48, 0xf7, 0xd8);", "");
    expect("exercise", "8", 1,
           "from where it was made:\n"
           "    event 114  push rdi\n    event 115  pop rax\n"
           "`./jittrace --step -- build/lessons/08-expressions/my`, then "
           "`g 114`, shows it.\n");
    spoil("08-expressions", "0x48, 0xf7, 0xd8", "0x48, 0xf7, 0xd0");
    expect("exercise", "8", 1, "\n    event 119  not rax\n`");
    spoil("09-loops", "0xc0, 0x01,", "0xc0, 0x02,");
    expect("exercise", "9", 1, "\n    event 18  add rax, 2\n`");
    spoil("09-loops", "jump + 2", "jump + 1");
    expect("exercise", "9", 1,
           "What jittrace saw: code[6] was stored by\n    event 5  mov ");
    spoil("12-real-jit", "x \\* x", "x");
    expect("exercise", "12", 1, "\n    event 21  subsd xmm7, xmm6\n`");
    /* What f returned is in rax, and no instruction of the code made it. */
    spoil("10-calling-c", "\"\\\\x4c\\\\x01\\\\xe0\", 3", "\"\\\\x90\", 1");
    expect("exercise", "10", 1, "  (a function has returned)\n`");
    shell("rm %s/jittrace", tree);
    expect("exercise", "9", 1,
           "not 0x09;\nwith that the CPU goes on at "
           "code[17]\n09-loops: not yet.");
}

Test(exercises, code_that_does_not_compile, .init = make_tree,
     .fini = remove_tree)
{
    fill_gap("code[7] = ;");
    expect("exercise", "6", 1, "my.c does not compile");
    expect("exercise", "6", 1, "error: expected expression");
}

static void expect_explanation(const char *code, const char *what)
{
    static const char *const lines[] = {"\nwhat   ", "\nwhere  ", "\nwhy    ",
                                        "\nnext   "};

    fill_gap(code);
    expect("exercise", "6", 1, what);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        expect("exercise", "6", 1, lines[i]);
}

Test(exercises, a_crash_is_explained, .init = make_tree, .fini = remove_tree)
{
    struct result result;

    expect_explanation("((void (*)(void))(uintptr_t)code)();",
                       "The program executed a page that may not be executed");
    fill_gap("*(volatile char *)(uintptr_t)(term & 4) = 1;");
    script("exercise", "6", &result);
    expect_part(&result.out, "a number too small to be an address");
    /* No shell has added that there was a segmentation fault. */
    cr_assert(eq(str, (char *)buf_text(&result.err), ""));
    result_release(&result);
    shell("rm %s/jittrace", tree);
    expect("exercise", "6", 1, "by signal 11. jittrace could not explain it:");
}

static void expect_end_of_loop(const char *code, const char *part)
{
    struct result result;

    fill_gap(code);
    run(&(struct job){.argv =
                          ARGS("dash", "lessons/exercise.sh", "exercise", "6"),
                      .dir = tree,
                      .env = ARGS("EXERCISE_SECONDS=1"),
                      .seconds = 60},
        &result);
    cr_assert(eq(int, result.status, 1));
    cr_assert(lt(dbl, result.took, 15));
    expect_part(&result.out, "It did not end within 1 seconds");
    expect_part(&result.out, part);
    result_release(&result);
}

Test(exercises, a_loop_without_an_end_ends, .init = make_tree,
     .fini = remove_tree)
{
    expect_end_of_loop("for (;;);", "look for one in lessons/06-babyjit/my.c");
    expect_end_of_loop("code[0] = 0xeb; code[1] = 0xfe;"
                       "mprotect(code, size, PROT_READ | PROT_EXEC);"
                       "((void (*)(void))(uintptr_t)code)();",
                       "\nwhere  code[0] jmp code[0].");
}

Test(exercises, a_solution_is_shown_once_it_passed, .init = make_tree,
     .fini = remove_tree)
{
    expect("solution", "6", 1, "is shown once `make exercise N=06` passes");
    expect("exercise", "6", 1, "not yet");
    expect("solution", "6", 1, "is shown once `make exercise N=06` passes");
    fill_gap(RIGHT);
    expect("exercise", "6", 0, "passed");
    expect("solution", "6", 0, "    code[8] = 0x29; /* sub r/m64, r64 */\n");
}

static void reset(const char *answer, int status, const char *part)
{
    struct result result;

    write_file(in_tree("answer"), answer, strlen(answer), 0644);
    run(&(struct job){.argv = ARGS("dash", "lessons/exercise.sh", "reset", "6"),
                      .in = in_tree("answer"),
                      .dir = tree},
        &result);
    cr_assert(eq(int, result.status, status));
    expect_part(&result.out, part);
    result_release(&result);
}

Test(exercises, reset_asks, .init = make_tree, .fini = remove_tree)
{
    static const char *const no[] = {"", "\n", "n\n", "x\n"};

    reset("y\n", 0, "nothing to reset");
    fill_gap(RIGHT);
    expect("exercise", "6", 0, "passed");
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        reset(no[i], 1, "begin again? [y/N] ");
    shell("grep -q 'code.8. = 0x29' %s/" LESSON "/my.c", tree);
    reset("y\n", 0, "is the exercise as shipped again");
    shell("cmp %s/" LESSON "/exercise.c %s/" LESSON "/my.c", tree, tree);
    expect("solution", "6", 1, "is shown once");
}

/* --- a ladder ------------------------------------------------------------ */

#define LADDER "lessons/13-your-jit"

/* A compiler that gives this code for each text. */
static void write_constant(const char *bytes)
{
    struct buf mine = {0};

    buf_printf(&mine,
               "#include <stddef.h>\n#include <string.h>\n"
               "size_t compile(const char *text, unsigned char *code, size_t "
               "room) { (void)text; (void)room; memcpy(code, \"%s\", 6); "
               "return 6; }\n",
               bytes);
    write_file(in_tree(LADDER "/my.c"), mine.data, mine.len, 0644);
    buf_release(&mine);
}

Test(exercises, a_ladder_is_climbed, .init = make_tree, .fini = remove_tree)
{
    expect("exercise", "13", 1, "There is no function compile() in my.c yet");
    expect("progress", NULL, 0, "13  your-jit             rung 1 of 17\n");
    expect("hint", "13", 0, "13-your-jit: rung 1 of 17\n\nTwo instructions");
    write_constant("\\xb8\\x07\\x00\\x00\\x00\\xc3");
    expect("exercise", "13", 1,
           "    0\nIt gave 7, not 0: the number in the text must come out.\n"
           "The code, 6 bytes:\n    b8 07 00 00 00 c3\n"
           "To see it: ./jittrace -- build/lessons/13-your-jit/my 0\n"
           "What jittrace saw of the code's value, from where it was made:\n"
           "    event 6  mov eax, 7\n"
           "`./jittrace --step -- build/lessons/13-your-jit/my 0`, then `g 6`, "
           "shows it.\n"
           "13-your-jit: not yet.");
    /* jittrace sees only the case that crashed: its program has that name. */
    write_constant("\\xb8\\x07\\x00\\x00\\x00\\x90");
    expect("exercise", "13", 1, "The CPU ran off the end of the code");
    expect("exercise", "13", 1, "-- build/lessons/13-your-jit/my 7`, then");
    /* jmp to itself */
    write_constant("\\xeb\\xfe\\x90\\x90\\x90\\x90");
    expect("exercise", "13", 1, "The code ran for 3 seconds and was ended");
    expect("exercise", "13", 1, "\nwhere  code[0] jmp code[0].");
}

static void expect_rung(const char *lesson, const char *rung, int status,
                        const char *part)
{
    struct result result;

    char setting[32];

    snprintf(setting, sizeof setting, "RUNG=%s", rung);
    run(&(struct job){.argv = ARGS("dash", "lessons/exercise.sh", "exercise",
                                   lesson),
                      .dir = tree,
                      .env = ARGS(setting),
                      .seconds = 60},
        &result);
    buf_append(&result.out, result.err.data, result.err.len);
    expect_part(&result.out, part);
    cr_assert(eq(int, result.status, status), "%s", rung);
    result_release(&result);
}

Test(exercises, one_rung_is_tried, .init = make_tree, .fini = remove_tree)
{
    static const char *const wrong[] = {"0", "18", "-1", "x", "04", "99999999"};

    shell("cp tests/lessons/13-your-jit.c %s/" LADDER "/my.c", tree);
    expect_rung("13", "4", 0,
                "13-your-jit: rung 4 holds. `make exercise N=13`");
    expect("solution", "13", 1, "is shown once");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        expect_rung("13", wrong[i], 64, "they are 1 to 17.");
    expect_rung("6", "1", 64, "06-babyjit has no rungs: leave RUNG=1 away.");
    write_constant("\\xb8\\x07\\x00\\x00\\x00\\xc3");
    expect_rung("13", "3", 1, "`make hint N=13 RUNG=3` helps.");
}

/* A process that ends with status 0 has passed no check by that. */
Test(exercises, to_end_the_process_is_not_to_pass, .init = make_tree,
     .fini = remove_tree)
{
    static const char ends[] = "#include <stdlib.h>\n"
                               "size_t compile(void)\n"
                               "{\n"
                               "    exit(0);\n"
                               "}\n";
    const char *early = "It ended with exit status 0 before the check did";

    fill_gap("__asm__(\"syscall\" : : \"a\"(231), \"D\"(0));");
    expect("exercise", "6", 1, early);
    write_file(in_tree(LADDER "/my.c"), ends, sizeof ends - 1, 0644);
    expect("exercise", "13", 1, early);
    expect("exercise", "13", 1,
           "To see it: ./jittrace -- build/lessons/"
           "13-your-jit/my 7\n13-your-jit: not yet");
    expect_rung("13", "4", 1, "before the check did: what is in\n" LADDER);
}

/* Nor has it been told what is wrong with it by ending with status 1. */
Test(exercises, the_end_is_told_from_a_failed_check, .init = make_tree,
     .fini = remove_tree)
{
    static const char stops[] = "#include <signal.h>\n"
                                "#include <stddef.h>\n"
                                "size_t compile(void)\n"
                                "{\n"
                                "    return (size_t)raise(SIGSTOP);\n"
                                "}\n";
    double since = now();

    fill_gap("_exit(1);");
    expect("exercise", "6", 1, "It ended with exit status 1 before the check");
    fill_gap("_exit(124);");
    expect("exercise", "6", 1, "It ended with exit status 124 before the ch");
    write_file(in_tree(LADDER "/my.c"), stops, sizeof stops - 1, 0644);
    expect("exercise", "13", 1,
           "It was stopped by signal 19, and did not go on: what is in\n" LADDER
           "/my.c, or the code that it makes, stops the process.\nTo see it: ");
    cr_assert(lt(dbl, now() - since, 30 * SLOWNESS));
}

Test(exercises, what_it_prints_leaves_room_for_the_check, .init = make_tree,
     .fini = remove_tree)
{
    struct result result;

    fill_gap("close(1); close(2);");
    expect("exercise", "6", 1, "bytes 7 to 10 are still zeros");
    fill_gap("for (int i = 0; i < 100000; i++) printf(\"%07d\\n\", i);");
    script("exercise", "6", &result);
    cr_assert(lt(sz, result.out.len, 12000));
    expect_part(&result.out, "0000000\n0000001\n");
    expect_part(&result.out, " bytes of what it printed are left out here]\n");
    expect_part(&result.out, "0099999\nbytes 7 to 10 are still zeros");
    result_release(&result);
    fill_gap("printf(\"before\\n\"); *(volatile char *)8 = 1;");
    expect("exercise", "6", 1, "before\nIt crashed.");
    fill_gap("if (!fork()) { setsid(); sleep(100); }");
    script("exercise", "6", &result);
    cr_assert(lt(dbl, result.took, 9 * SLOWNESS));
    result_release(&result);
}

/* --- watch --------------------------------------------------------------- */

static void wait_for(const char *file, const char *part)
{
    double since = now();
    bool there = false;

    while (!there) {
        struct buf text = {0};

        read_file(file, &text);
        there = strstr(buf_text(&text), part) != NULL;
        buf_release(&text);
        cr_assert(eq(int, there || wait_a_moment(since, 30 * SLOWNESS), 1),
                  "%s", part);
    }
}

Test(exercises, watch_checks_at_each_save, .init = make_tree,
     .fini = remove_tree)
{
    char *out = strdup(in_tree("out"));
    struct running running;
    struct result result;

    write_file(out, "", 0, 0644);
    run_begin(
        &(struct job){.argv = ARGS("dash", "lessons/exercise.sh", "watch", "6"),
                      .dir = tree,
                      .out = out,
                      .seconds = 60},
        &running);
    wait_for(out, "bytes 7 to 10 are still zeros");
    fill_gap("code[7] = 0x48; code[8] = 0x01;");
    wait_for(out, "byte 8 is 0x01");
    shell("rm %s/" LESSON "/my.c && sleep 0.5", tree);
    fill_gap(RIGHT);
    run_end(&running, &result);
    cr_assert(eq(int, result.status, 0));
    wait_for(out, "06-babyjit: passed.");
    result_release(&result);
    free(out);
}

/* --- progress ------------------------------------------------------------ */

static void expect_progress(const char *part)
{
    expect("progress", NULL, 0, part);
}

Test(exercises, progress_is_a_line_each_and_a_bar, .init = make_tree,
     .fini = remove_tree)
{
    shell("cd %s/lessons && find . -name '[01]*' ! -name 06-babyjit "
          "-prune -exec rm -r {} + && cp -r 06-babyjit 07-smaller",
          tree);
    expect_progress("06  babyjit\n07  smaller\n\n[..] 0 of 2\n");
    expect("exercise", "7", 1, "not yet");
    expect_progress("06  babyjit\n07  smaller              begun\n");
    expect("hint", "7", 0, "hint 1 of 3");
    expect_progress("07  smaller              begun, 1 of 3 hints\n");
    fill_gap(RIGHT);
    expect("exercise", "6", 0, "Next: docs/07-smaller.md");
    expect_progress("06  babyjit              passed\n07");
    expect_progress("\n[#.] 1 of 2\n");
    shell("cd %s/lessons && cp 06-babyjit/my.c 07-smaller", tree);
    expect("exercise", "7", 0, "All 2 exercises are solved");
    expect_progress("\n[##] 2 of 2\n\nAll 2 exercises are solved");
}

static void progress_on_terminal(const char *const *env, bool colored)
{
    struct result result;

    run(&(struct job){.argv = ARGS("dash", "lessons/exercise.sh", "progress"),
                      .dir = tree,
                      .tty = true,
                      .env = env},
        &result);
    cr_assert(eq(int, strstr(buf_text(&result.out), "\033[32mpassed") != NULL,
                 colored),
              "%s", buf_text(&result.out));
    result_release(&result);
}

Test(exercises, colours_are_for_terminals, .init = make_tree,
     .fini = remove_tree)
{
    fill_gap(RIGHT);
    expect("exercise", "6", 0, "\n06-babyjit: passed. `");
    progress_on_terminal(ARGS("TERM=xterm", "NO_COLOR"), true);
    progress_on_terminal(ARGS("TERM=xterm", "NO_COLOR=1"), false);
    progress_on_terminal(ARGS("TERM=dumb", "NO_COLOR"), false);
}

/* --- strangers' code ----------------------------------------------------- */

static void sandbox(const char *file, struct result *result)
{
    run(&(struct job){.argv = ARGS("dash", "lessons/sandbox.sh", "06", file),
                      .dir = tree,
                      .seconds = 100},
        result);
}

static void expect_sandboxed(const char *code, int status, const char *part)
{
    struct result result;

    fill_gap(code);
    shell("mv %s/" LESSON "/my.c %s/theirs.c", tree, tree);
    sandbox("theirs.c", &result);
    cr_assert(eq(int, result.status, status), "%s", buf_text(&result.err));
    expect_part(&result.out, part);
    result_release(&result);
}

/* 69: no bubblewrap, or none that may do anything, as in many containers. */
Test(exercises, a_sandbox_is_a_small_place, .init = make_tree,
     .fini = remove_tree)
{
    struct result result;

    sandbox("theirs.c", &result);
    if (result.status == 69)
        cr_skip_test("%s", buf_text(&result.err));
    result_release(&result);
    expect_sandboxed(RIGHT, 0, "06-babyjit: passed.");
#ifndef __SANITIZE_ADDRESS__ /* which needs more than the sandbox gives */
    expect_sandboxed("((void (*)(void))(uintptr_t)code)();", 1, "\nwhy    ");
#endif
    expect_sandboxed("puts(access(\"/home\", 0) ? \"no home\" : \"home\");", 1,
                     "no home\n");
    expect_sandboxed("printf(\"%d\\n\", getpid() < 1000);", 1, "1\n");
}
