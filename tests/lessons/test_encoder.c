/* SPDX-License-Identifier: MIT */
/*
 * The test-suite aimed at somebody's encoder: those of tests/encoders, right
 * ones and wrong ones, whose verdicts are in tests/golden; and encoders that do
 * what no honest one does, of which nothing may hurt us.
 */
#include <dirent.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "grader/adder.h"
#include "grader/encoding.h"
#include "support/support.h"

TestSuite(encoder, .timeout = 150);

#define CHECK_ENCODER BUILD_DIR "/check-encoder"
#define ENCODERS      "tests/encoders/"

/* --- two encodings ------------------------------------------------------- */

/* Reads "48 c7 c0"; returns how many bytes there are. */
static size_t read_hex(const char *text, uint8_t *out)
{
    size_t count = 0;
    char *end;

    for (; *text; text = end) {
        out[count++] = (uint8_t)strtoul(text, &end, 16);
        cr_assert(ne(ptr, (void *)end, (void *)text), "%s", text);
    }
    return count;
}

static void expect_difference(int32_t term, const char *code, const char *what)
{
    uint8_t want[ADDER_LENGTH], got[64];
    size_t length = read_hex(code, got);
    struct difference difference = {0};

    adder_encode(term, want);
    cr_assert(encoding_compare((struct bytes){want, ADDER_LENGTH},
                               (struct bytes){got, length}, &difference),
              "%s", code);
    cr_assert(eq(str, (char *)buf_text(&difference.what), (char *)what));
    difference_release(&difference);
}

Test(encoder, names_what_differs)
{
    static const struct {
        const char *code, *what;
    } rows[] = {
        {"c7 c0 01 00 00 00 48 01 f8 c3",
         "REX.W is missing in mov: this is a 32-bit operation, mov eax, 1"},
        {"48 c7 c0 01 00 00 00 48 01 c7 c3",
         "reg and rm are swapped in the ModRM of add: this is add rdi, rax"},
        {"48 c7 c1 01 00 00 00 48 01 f8 c3",
         "ModRM.rm is 001, not 000: this is mov rcx, 1"},
        {"48 c7 c0 01 00 00 00 4c 01 f8 c3",
         "REX.R is 1 in add: this is add rax, r15"},
        {"48 c7 c0 02 00 00 00 48 01 f8 c3",
         "the immediate of mov is 2 where 1 belongs"},
        {"48 c7 c0 01 00 00 00 c3", "add rax, rdi is missing"},
        {"48 c7 c0 01 00 00 00 48 01 f8", "ret is missing: the code ends "
                                          "before it"},
        {"48 c7 c0 01 00", "the code ends in the middle of an instruction, 5 "
                           "bytes behind code[0]"},
        {"48 c7 c0 01 00 00 00 06 01 f8 c3",
         "what begins at code[7] is no instruction"},
        {"48 c7 c0 01 00 00 00 48 01 f8 c3 eb fe",
         "2 bytes too many behind the last instruction: jmp code[11]"},
        {"90 48 c7 c0 01 00 00 00 48 01 f8 c3",
         "nop at code[0] is one instruction too many"},
        {"", "mov rax, 1 is missing: the code ends before it"},
    };
    struct difference none = {0};
    uint8_t code[ADDER_LENGTH];

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect_difference(1, rows[i].code, rows[i].what);
    for (size_t i = 0; i < adder_term_count; i++) {
        struct bytes same = {code, ADDER_LENGTH};

        adder_encode(adder_terms[i], code);
        cr_assert(not(encoding_compare(same, same, &none)));
        cr_assert(eq(sz, none.what.len + none.details.len, 0));
    }
}

/* The program that the lessons show is the measure. */
Test(encoder, the_measure_is_the_baby_jit)
{
    for (size_t i = 0; i < adder_term_count; i++) {
        uint8_t code[ADDER_LENGTH];
        struct result result;
        char term[16];

        snprintf(term, sizeof term, "%d", (int)adder_terms[i]);
        run(&(struct job){.argv = ARGS(JITTRACE, "--format=raw", term)},
            &result);
        adder_encode(adder_terms[i], code);
        cr_assert(eq(mem, mem(code, sizeof code),
                     mem(result.out.data, result.out.len)),
                  "%s", term);
        result_release(&result);
    }
}

/* --- the set of encoders ------------------------------------------------- */

#define MOST 128u
#define LINE 512u

/* A run of check-encoder on one of the set. */
struct trying {
    char name[64]; /* "rex_missing" */
    char file[96];
    struct running running;
    int status;
    char message[LINE]; /* empty: it passed */
};

static int is_source(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);

    return length > 2 && strcmp(entry->d_name + length - 2, ".c") == 0;
}

/* The names of the set, in order. */
static size_t list_encoders(struct trying *list)
{
    struct dirent **entries;
    int count = scandir(ENCODERS, &entries, is_source, alphasort);

    cr_assert(lt(int, 0, count));
    cr_assert(lt(int, count, (int)MOST));
    for (int i = 0; i < count; i++) {
        snprintf(list[i].name, sizeof list[i].name, "%.*s",
                 (int)strlen(entries[i]->d_name) - 2, entries[i]->d_name);
        snprintf(list[i].file, sizeof list[i].file, ENCODERS "%.60s",
                 entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return (size_t)count;
}

/* Only what never ends is given little time. */
static void begin(struct trying *trying, const char *level)
{
    const char *seconds =
        strstr(trying->name, "loops") ? "--seconds=5" : "--seconds=60";

    run_begin(&(struct job){.argv = ARGS(CHECK_ENCODER, level, "--format=json",
                                         seconds, trying->file),
                            .seconds = 70},
              &trying->running);
}

static json_t *load_json(struct buf *text)
{
    json_error_t error;
    json_t *object = json_loads(buf_text(text), JSON_REJECT_DUPLICATES, &error);

    cr_assert(ne(ptr, object, NULL), "%s in:\n%s", error.text, buf_text(text));
    return object;
}

static const char *member(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

static void end(struct trying *trying)
{
    struct result result;
    json_t *verdict;

    run_end(&trying->running, &result);
    cr_assert(eq(str, (char *)buf_text(&result.err), ""), "%s", trying->name);
    verdict = load_json(&result.out);
    trying->status = result.status;
    snprintf(trying->message, LINE, "%s", member(verdict, "message"));
    cr_assert(eq(int, json_is_true(json_object_get(verdict, "passed")),
                 result.status == 0),
              "%s", trying->name);
    json_decref(verdict);
    result_release(&result);
}

/* Tries them all, a few at a time. */
static void try_all(struct trying *list, size_t count, const char *level)
{
    const size_t at_once = 6;

    for (size_t i = 0; i < count + at_once; i++) {
        if (i >= at_once)
            end(&list[i - at_once]);
        if (i < count)
            begin(&list[i], level);
    }
}

static void expect_golden(const struct trying *list, size_t count,
                          const char *golden)
{
    struct buf got = {0}, want = {0};

    for (size_t i = 0; i < count; i++)
        buf_printf(&got, "%s: %s\n", list[i].name,
                   list[i].status == 0 ? "passed" : list[i].message);
    if (getenv("JITTRACE_REBASE"))
        write_file(golden, got.data, got.len, 0644);
    read_file(golden, &want);
    cr_assert(eq(str, (char *)buf_text(&got), (char *)buf_text(&want)),
              "%s differs; is it meant to?", golden);
    buf_release(&got);
    buf_release(&want);
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

Test(encoder, each_wrong_one_has_a_message_of_its_own)
{
    static struct trying list[MOST];
    size_t count = list_encoders(list), wrong = 0, right = 0;

    try_all(list, count, "--level=exact");
    expect_golden(list, count, "tests/golden/encoders-exact.txt");
    for (size_t i = 0; i < count; i++) {
        bool good = begins(list[i].name, "good_");

        cr_assert(eq(int, list[i].status, !good), "%s", list[i].name);
        right += good;
        wrong += !good && !begins(list[i].name, "same_");
        for (size_t k = 0; !good && k < i; k++)
            cr_assert(ne(str, list[i].message, list[k].message), "%s and %s",
                      list[i].name, list[k].name);
    }
    cr_assert(ge(sz, wrong, 25));
    cr_assert(ge(sz, right, 2));
}

/* A nop behind the ret never runs, so it is no difference in behaviour. */
Test(encoder, other_encodings_pass_where_only_behaviour_counts)
{
    static struct trying list[MOST];
    size_t count = list_encoders(list), same = 0;

    try_all(list, count, "--level=behaviour");
    expect_golden(list, count, "tests/golden/encoders-behaviour.txt");
    for (size_t i = 0; i < count; i++) {
        bool passes = begins(list[i].name, "good_") ||
                      begins(list[i].name, "same_") ||
                      strcmp(list[i].name, "one_too_many") == 0;

        cr_assert(eq(int, list[i].status, !passes), "%s", list[i].name);
        same += begins(list[i].name, "same_");
    }
    cr_assert(ge(sz, same, 2));
}

/* --- what is said -------------------------------------------------------- */

static void check_file(const char *file, struct result *result)
{
    run(&(struct job){.argv = ARGS(CHECK_ENCODER, "--seconds=20", file),
                      .seconds = 60},
        result);
}

static void must_say(struct result *result, const char *words)
{
    cr_assert(contains(buf_text(&result->out), words), "no \"%s\" in:\n%s%s",
              words, buf_text(&result->out), buf_text(&result->err));
}

Test(encoder, a_failure_shows_the_bits)
{
    struct result result;

    check_file(ENCODERS "rex_without_w.c", &result);
    cr_assert(eq(int, result.status, 1));
    must_say(&result, "\n    expected  REX 0100 W=1 R=0 X=0 B=0\n"
                      "    actual    REX 0100 W=0 R=0 X=0 B=0\n");
    result_release(&result);
}

Test(encoder, a_refused_encoding_that_behaves_the_same_is_told_so)
{
    struct result result;

    check_file(ENCODERS "same_lea.c", &result);
    must_say(&result, "\n    It behaves the same: LEVEL=behaviour accepts it.");
    result_release(&result);
    check_file(ENCODERS "sub.c", &result);
    must_say(&result, "sub rax, rdi (opcode 29) stands where");
    cr_assert(lacks(buf_text(&result.out), "behaves the same"));
    must_say(&result, "\nFAILED: term 19088743 and argument 3 give 19088740, "
                      "not 19088746\n");
    result_release(&result);
}

/* By the last that was seen of it. */
Test(encoder, an_endless_loop_is_shown)
{
    struct result result;

    run(&(struct job){.argv = ARGS(CHECK_ENCODER, "--seconds=3",
                                   ENCODERS "code_loops.c"),
                      .seconds = 60},
        &result);
    must_say(&result, "\n    seen      eb fe at code[10] was executed\n");
    result_release(&result);
    run(&(struct job){.argv = ARGS(CHECK_ENCODER, "--seconds=3",
                                   ENCODERS "encoder_loops.c"),
                      .seconds = 60},
        &result);
    must_say(&result, "\n    seen      it stored code[3], at "
                      "encoder_loops.c:14 `code[3 + i] = (uint8_t)imm;`\n");
    result_release(&result);
}

Test(encoder, a_crash_is_explained_and_a_store_has_its_line)
{
    struct result result;

    check_file(ENCODERS "ret_missing.c", &result);
    must_say(&result, "\n    what   The CPU ran off the end of the code");
    must_say(&result, "the code\n           ends before code[10].");
    result_release(&result);
    check_file(ENCODERS "before_start.c", &result);
    must_say(&result, "before_start.c:10 `code[-1] = 11;`");
    must_say(&result,
             "\n    what   The program wrote to memory below the beginning"
             " of a mapping");
    result_release(&result);
}

/* --- for programs -------------------------------------------------------- */

/* A well-formed file that counts what it has. */
static const char read_junit[] =
    "import sys, xml.etree.ElementTree as tree\n"
    "suite = tree.parse(sys.argv[1]).getroot()\n"
    "cases = suite.findall('testcase')\n"
    "for kind in 'failure', 'skipped':\n"
    "    found = [c.get('name') for c in cases if c.find(kind) is not None]\n"
    "    print(kind, *found)\n"
    "    key = {'failure': 'failures'}.get(kind, kind)\n"
    "    assert int(suite.get(key)) == len(found)\n"
    "assert int(suite.get('tests')) == len(cases)\n"
    "print(cases[3].find('failure').get('message'))\n";

Test(encoder, junit_says_the_same)
{
    const char *file = scratch(".xml");
    struct result result;

    run(&(struct job){.argv = ARGS(CHECK_ENCODER, "--format=junit", "-o", file,
                                   "--seconds=20", ENCODERS "sub.c")},
        &result);
    cr_assert(eq(int, result.status, 1));
    must_say(&result, "\ntests/encoders/sub.c failed.\n");
    result_release(&result);
    run(&(struct job){.argv = ARGS("/usr/bin/python3", "-c", read_junit, file)},
        &result);
    cr_assert(
        eq(str, (char *)buf_text(&result.out),
           "failure bytes result\nskipped terms\nsub rax, rdi (opcode 29) "
           "stands where add rax, rdi (opcode 01) belongs\n"),
        "%s", buf_text(&result.err));
    unlink(file);
    result_release(&result);
}

Test(encoder, json_has_every_check)
{
    static const char *const words[] = {"returns",   "inside", "length",
                                        "bytes",     "runs",   "result",
                                        "registers", "silent", "terms"};
    struct result result;
    json_t *verdict, *checks;

    run(&(struct job){.argv = ARGS(CHECK_ENCODER, "--format=json",
                                   "--seconds=20", ENCODERS "length_zero.c")},
        &result);
    verdict = load_json(&result.out);
    checks = json_object_get(verdict, "checks");
    cr_assert(eq(str, (char *)member(verdict, "level"), "exact"));
    cr_assert(eq(str, (char *)member(verdict, "failed"), "length"));
    cr_assert(eq(sz, json_array_size(checks), sizeof words / sizeof *words));
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        json_t *check = json_array_get(checks, i);

        cr_assert(eq(str, (char *)member(check, "check"), (char *)words[i]));
        cr_assert(eq(str, (char *)member(check, "status"),
                     i == 2                       ? "failed"
                     : i == 0 || i == 1 || i == 7 ? "passed"
                                                  : "skipped"));
    }
    json_decref(verdict);
    result_release(&result);
}

/* --- many terms ---------------------------------------------------------- */

/* A C file of this test alone. */
static const char *write_source(const char *text);

/* Right for 50,000 calls: no term is wrong when it is tried alone. */
Test(encoder, one_that_changes_its_mind_is_told_so)
{
    const char *file =
        write_source("#include <stddef.h>\n"
                     "#include <stdint.h>\n"
                     "#include <string.h>\n"
                     "size_t encode_adder(uint8_t *code, int32_t term)\n"
                     "{\n"
                     "    static int calls;\n"
                     "    memcpy(code, \"\\x48\\xc7\\xc0\", 3);\n"
                     "    memcpy(code + 3, &term, 4);\n"
                     "    memcpy(code + 7, \"\\x48\\x01\\xf8\\xc3\", 4);\n"
                     "    code[4] ^= ++calls == 50000;\n"
                     "    return 11;\n"
                     "}\n");
    struct result result;

    check_file(file, &result);
    cr_assert(eq(int, result.status, 1));
    must_say(&result, "depends on those before it\n");
    result_release(&result);
    run(&(struct job){.argv = ARGS(CHECK_ENCODER, "--terms=none", file)},
        &result);
    cr_assert(eq(int, result.status, 0));
    must_say(&result, "\n  -       so it is for many more terms");
    result_release(&result);
    unlink(file);
}

Test(encoder, one_term_in_a_million_may_loop)
{
    const char *file =
        write_source("#include <stddef.h>\n"
                     "#include <stdint.h>\n"
                     "#include <string.h>\n"
                     "size_t encode_adder(uint8_t *code, int32_t term)\n"
                     "{\n"
                     "    memcpy(code, \"\\x48\\xc7\\xc0\", 3);\n"
                     "    memcpy(code + 3, &term, 4);\n"
                     "    memcpy(code + 7, \"\\x48\\x01\\xf8\\xc3\", 4);\n"
                     "    while (term % 1000003 == 78) continue;\n"
                     "    return 11;\n"
                     "}\n");
    struct result result;

    run(&(struct job){.argv = ARGS(CHECK_ENCODER, "--seconds=5", file),
                      .seconds = 60},
        &result);
    cr_assert(eq(int, result.status, 1));
    must_say(&result, "does not come back: it was ended after 5 seconds\n"
                      "    term      551001731 =");
    result_release(&result);
    unlink(file);
}

/* The encoder says when it is called for the 100th time: not while watched. */
Test(encoder, all_terms_can_be_stopped)
{
    const char *sign = scratch(".sign"), *file;
    struct buf source = {0};
    struct running running;
    struct result result;
    double since = now();

    buf_printf(&source,
               "#include <fcntl.h>\n"
               "#include <stddef.h>\n"
               "#include <stdint.h>\n"
               "#include <string.h>\n"
               "size_t encode_adder(uint8_t *code, int32_t term)\n"
               "{\n"
               "    static int calls;\n"
               "    memcpy(code, \"\\x48\\xc7\\xc0\", 3);\n"
               "    memcpy(code + 3, &term, 4);\n"
               "    memcpy(code + 7, \"\\x48\\x01\\xf8\\xc3\", 4);\n"
               "    if (++calls == 100) creat(\"%s\", 0600);\n"
               "    return 11;\n"
               "}\n",
               sign);
    file = write_source(buf_text(&source));
    run_begin(&(struct job){.argv = ARGS(CHECK_ENCODER, "--terms=all",
                                         "--seconds=60", file),
                            .seconds = 90},
              &running);
    while (access(sign, F_OK) < 0 && wait_a_moment(since, 60))
        continue;
    kill(running.pid, SIGINT);
    run_end(&running, &result);
    cr_assert(eq(int, result.status, 128 + SIGINT));
    cr_assert(contains(buf_text(&result.err), "interrupted after "));
    cr_assert(contains(buf_text(&result.err), "none was wrong"));
    result_release(&result);
    unlink(file);
    unlink(sign);
    buf_release(&source);
}

/* --- its exit status ----------------------------------------------------- */

/* A C file of this test alone. */
static const char *write_source(const char *text)
{
    const char *file = scratch(".c");

    write_file(file, text, strlen(text), 0644);
    return file;
}

static void expect_status(const char *const *argv, int status, const char *says)
{
    struct result result;

    run(&(struct job){.argv = argv}, &result);
    cr_assert(eq(int, result.status, status), "%s%s", buf_text(&result.out),
              buf_text(&result.err));
    cr_assert(contains(buf_text(&result.err), says), "%s",
              buf_text(&result.err));
    result_release(&result);
}

Test(encoder, what_cannot_be_checked_has_a_status_of_its_own)
{
    const char *good = ENCODERS "good_stores.c";
    const char *file;

    expect_status(ARGS(CHECK_ENCODER), 64, "give one encoder");
    expect_status(ARGS(CHECK_ENCODER, good, good), 64, "give one encoder");
    expect_status(ARGS(CHECK_ENCODER, "--level=nearly", good), 64, "nearly");
    expect_status(ARGS(CHECK_ENCODER, "--format=yaml", good), 64, "yaml");
    expect_status(ARGS(CHECK_ENCODER, "--seconds=0", good), 64, "seconds");
    expect_status(ARGS(CHECK_ENCODER, "--fast", good), 64, "no option");
    expect_status(ARGS(CHECK_ENCODER, "README.md"), 64, "README.md");
    expect_status(ARGS(CHECK_ENCODER, "there-is-none.c"), 66, "none.c");
    expect_status(ARGS(CHECK_ENCODER, "-o", "/nowhere/x", good), 73,
                  "/nowhere/x");
    file = write_source("int encode_adder(void) { return x; }\n");
    expect_status(ARGS(CHECK_ENCODER, file), 65, "undeclared");
    file = write_source("int other(void);\n"
                        "int encode_adder(void) { return other(); }\n");
    expect_status(ARGS(CHECK_ENCODER, file), 65, "undefined reference");
    file = write_source("int encode_nothing(void) { return 0; }\n");
    expect_status(ARGS(CHECK_ENCODER, file), 65, "no encode_adder");
    unlink(file);
    file = scratch(".so");
    write_file(file, "no ELF", 6, 0644);
    expect_status(ARGS(CHECK_ENCODER, file), 65, "file too short");
    unlink(file);
}

Test(encoder, a_shared_object_will_do)
{
    const char *file = scratch(".so");
    struct result result;

    run(&(struct job){.argv = ARGS("gcc", "-shared", "-fPIC", "-O2", "-o", file,
                                   ENCODERS "good_template.c")},
        &result);
    cr_assert(eq(int, result.status, 0));
    result_release(&result);
    check_file(file, &result);
    cr_assert(eq(int, result.status, 0), "%s", buf_text(&result.out));
    unlink(file);
    result_release(&result);
}

/* The rule of the Makefile, without its preparations: all is built. */
Test(encoder, make_passes_everything_on)
{
    const char *file = scratch(".json");
    char output[256], program[256];
    struct buf text = {0};
    struct result result;
    json_t *verdict;

    snprintf(output, sizeof output, "OUTPUT=%s", file);
    snprintf(program, sizeof program, "CHECK_ENCODER=%s", CHECK_ENCODER);
    run(&(struct job){.argv = ARGS("make", "check-encoder", "MAKE=true",
                                   "DEPS=true", program,
                                   "ENCODER=" ENCODERS "same_lea.c",
                                   "LEVEL=behaviour", "FORMAT=json", output),
                      .env = ARGS("MAKEFLAGS", "MFLAGS", "MAKELEVEL"),
                      .seconds = 60},
        &result);
    cr_assert(eq(int, result.status, 0), "%s", buf_text(&result.err));
    read_file(file, &text);
    verdict = load_json(&text);
    cr_assert(eq(str, (char *)member(verdict, "level"), "behaviour"));
    cr_assert(eq(int, json_is_true(json_object_get(verdict, "passed")), 1));
    json_decref(verdict);
    buf_release(&text);
    unlink(file);
    result_release(&result);
    run(&(struct job){.argv = ARGS("make", "check-encoder", "MAKE=true",
                                   "DEPS=true"),
                      .env = ARGS("MAKEFLAGS", "MFLAGS", "MAKELEVEL")},
        &result);
    cr_assert(eq(int, result.status, 2));
    cr_assert(contains(buf_text(&result.err), "ENCODER=my.c"));
    result_release(&result);
}

/* --- two versions -------------------------------------------------------- */

Test(encoder, two_versions_are_compared)
{
    static const struct {
        const char *before, *after;
        int status;
        const char *says[2];
    } rows[] = {
        {"good_stores", "good_template", 0, {"0 of 29 encodings differ."}},
        {"good_stores",
         "minus_one",
         1,
         {"for the term -1, at code[3]:\n"
          "    the immediate of mov is 0 where -1 belongs\n",
          "1 of 29 encodings differ."}},
        {"rex_missing",
         "good_stores",
         1,
         {"at code[0]:\n    REX.W is 1 in mov", "actual    REX 0100 W=1"}},
        {"length_zero",
         "good_stores",
         1,
         {"the code ends after 0 bytes", "29 of 29 encodings differ."}},
        {"aborts", "good_stores", 1, {"Not both came back from the next"}},
        {"there-is-none", "good_stores", 66, {""}},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char against[96], file[96];
        struct result result;

        snprintf(against, sizeof against, "--against=" ENCODERS "%s.c",
                 rows[i].before);
        snprintf(file, sizeof file, ENCODERS "%s.c", rows[i].after);
        run(&(struct job){.argv = ARGS(CHECK_ENCODER, against, file),
                          .seconds = 60},
            &result);
        cr_assert(eq(int, result.status, rows[i].status), "%s %s: %s%s",
                  rows[i].before, rows[i].after, buf_text(&result.out),
                  buf_text(&result.err));
        for (int k = 0; k < 2 && rows[i].says[k]; k++)
            must_say(&result, rows[i].says[k]);
        result_release(&result);
    }
}

/* --- nothing of ours dies ------------------------------------------------ */

/* Makes one line of wrapped ones. */
static void unwrap(struct buf *text)
{
    char *from = (char *)buf_text(text), *to = from;

    while (*from) {
        bool wrapped = from[0] == '\n' && from[1] == ' ';

        *to++ = *from++;
        if (wrapped) {
            to[-1] = ' ';
            from += strspn(from, " ");
        }
    }
    text->len = (size_t)(to - (char *)text->data);
}

/* What stands in the body of an encoder, and what is said of it in time. */
static void expect_caught_in(const char *seconds, const char *body,
                             const char *says)
{
    struct buf source = {0};
    struct result result;
    const char *file;

    buf_printf(&source,
               "#define _GNU_SOURCE\n#include <dlfcn.h>\n#include <signal.h>\n"
               "#include <stdint.h>\n#include <stdio.h>\n#include <stdlib.h>\n"
               "#include <string.h>\n#include <sys/mman.h>\n"
               "#include <unistd.h>\n"
               "size_t encode_adder(uint8_t *code, int32_t term)\n"
               "{ (void)code; (void)term;\n%s\nreturn 11; }\n",
               body);
    file = write_source(buf_text(&source));
    run(&(struct job){.argv = ARGS(CHECK_ENCODER, seconds, file),
                      .seconds = 70},
        &result);
    cr_assert(eq(int, result.status, 1), "%s\n%s%s", body,
              buf_text(&result.out), buf_text(&result.err));
    unwrap(&result.out);
    must_say(&result, says);
    must_say(&result, " failed.\n");
    unlink(file);
    result_release(&result);
    buf_release(&source);
}

/* It has an end of its own, and stops at each store until then. */
static void expect_caught(const char *body, const char *says)
{
    expect_caught_in("--seconds=60", body, says);
}

Test(encoder, whatever_it_does_there_is_a_verdict)
{
    expect_caught("", "it returned 11, but never stored code[0]");
    expect_caught_in("--seconds=3", "raise(SIGSTOP);",
                     "it was ended after 3 seconds");
    expect_caught_in("--seconds=3",
                     "signal(SIGXCPU, SIG_IGN); for (;;) pause();",
                     "it was ended after 3 seconds");
    expect_caught_in("--seconds=3", "for (;;) puts(\"x\");", "\"x\\nx\\nx\\n");
    expect_caught("for (int i = 0; i < 4096; i++) close(i);",
                  "encode_adder closed a descriptor that it had not opened");
    expect_caught("static const char lie[] = \"end\\nran 0 0 x\\nencoded 9 9\\n"
                  "\\xff\\n\\0\\n\"; for (int i = 3; i < 99; i++) "
                  "if (write(i, lie, sizeof lie - 1) < 0) continue;",
                  "it returned 11, but never stored");
    expect_caught("return 0;", "it returned 0 and stored nothing");
    expect_caught("execlp(\"true\", \"true\", NULL);", "with status 0");
    expect_caught("execlp(\"echo\", \"echo\", \"hi\", NULL);",
                  "it printed \"hi\\n\"");
    expect_caught("if (fork() == 0) for (;;) pause();",
                  "it returned 11, but never stored");
    expect_caught("kill(getppid(), 0); kill(getpid(), SIGKILL);",
                  "encode_adder was ended from outside");
    expect_caught("return encode_adder(code, term) + 1;",
                  "encode_adder crashed: SIGSEGV");
    expect_caught("memset(code, 0x90, 1 << 20);", "beyond the end of its page");
    expect_caught("munmap(code, 4096);", "never stored code[0]");
    expect_caught("mprotect(code, 4096, PROT_NONE); code[0] = 1;",
                  "encode_adder crashed: SIGSEGV");
    expect_caught("printf(\"\\xff\\x1b[2J<&\\\"\"); code[0] = 0xc3; return 1;",
                  "it printed \"\\xff\\x1b[2J<&\"\"");
}
