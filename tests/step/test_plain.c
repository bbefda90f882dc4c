/* SPDX-License-Identifier: MIT */
/*
 * `jittrace --step` line by line: scripts of commands go in, paragraphs come
 * out. And what holds for stepping in whatever mode: which options go together,
 * what the program reads, the exit status, the recording beside it.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <ctype.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "format/format.h"
#include "support/support.h"
#include "trace/source.h"

TestSuite(plain, .timeout = 60);

/* --- helpers ------------------------------------------------------------- */

static bool has(struct buf *buf, const char *part)
{
    return strstr(buf_text(buf), part) != NULL;
}

/* The whole transcript of --step -4 for a script that must end well. */
static void transcript(const char *script, struct buf *out)
{
    struct result result;

    run_typing(&(struct job){.argv = ARGS(JITTRACE, "--step", "-4")}, script,
               &result);
    cr_assert(eq(int, result.status, 0), "%s", buf_text(&result.err));
    cr_assert(eq(str, (char *)buf_text(&result.err), ""));
    buf_append(out, result.out.data, result.out.len);
    result_release(&result);
}

/* The numbers of the events that paragraphs are about: "0 1 2". */
static void paragraphs(struct buf *out, struct buf *numbers)
{
    const char *at = buf_text(out);

    for (; at; at = strchr(at, '\n')) {
        unsigned number;

        at += *at == '\n';
        if (sscanf(at, "event %u,", &number) == 1)
            buf_printf(numbers, "%s%u", numbers->len ? " " : "", number);
    }
}

static void expect_paragraphs(const char *script, const char *expected)
{
    struct buf out = {0}, numbers = {0};

    transcript(script, &out);
    paragraphs(&out, &numbers);
    cr_assert(eq(str, (char *)buf_text(&numbers), (char *)expected), "%s%s",
              script, buf_text(&out));
    buf_release(&out);
    buf_release(&numbers);
}

static void expect_said(const char *script, const char *what)
{
    struct buf out = {0};

    transcript(script, &out);
    cr_assert(eq(int, has(&out, what), 1), "no '%s' in: %s", what,
              buf_text(&out));
    buf_release(&out);
}

/* --- commands ------------------------------------------------------------ */

Test(plain, moves)
{
    expect_paragraphs("q", "0");
    expect_paragraphs("quit\n", "0");
    expect_paragraphs("\nnext\nn\n  n  \n\t\nq\n", "0 1 2 3 4 5");
    expect_paragraphs("n\r\nb\r\nq\r\n", "0 1 0");
    expect_paragraphs("n\nn\nback\nfirst\nlast\nq\n", "0 1 2 1 0 2");
    expect_paragraphs("]\nstage\nstage\n[\nstage-back\nq\n", "0 1 2 13 2 1");
    expect_paragraphs("goto 12\ng 3\ng\t5\nq\n", "0 12 3 5");
    expect_paragraphs("search add\n/ rax\n/add\n/\nq\n", "0 16 19 21 26");
    expect_paragraphs("/SF\n/\n/code[10]\nq\n", "0 16 17");
    expect_paragraphs("run\nq\n", "0 31");
    expect_paragraphs("r\nb\nq\n", "0 31 30");
    expect_paragraphs("R\nx\nq\n", "0 0 0");
}

Test(plain, moves_by_calls)
{
    expect_paragraphs("call\nc\nfinish\nq\n", "0 14 19 22");
    expect_paragraphs("g 15\nf\nq\n", "0 15 17");
    expect_paragraphs("r\nbefore add\n\\\nq\n", "0 31 26 21");
    expect_paragraphs("g 16\nchanged rax\nchanged code[3]\nq\n", "0 16 15 5");
    expect_paragraphs("g 16\nB ZF\nB rsp\nq\n", "0 16 14");
    expect_said("c\nc\nc\nc\nq\n", "there is no call after this event");
    expect_said("/nowhere\nq\n",
                "not there up to this event; the program runs on for it");
    expect_said("i\nq\n", "i is for an instruction that was executed");
    expect_said("g 15\ni\nq\n", "the call is over");
    expect_said("g 15\ny\nq\n", "step 15> y\nmov rax, -4\nstep 15>");
    expect_said("g 3\nY\nq\n", "step 3> Y\n" JITTRACE " --goto=3 --step");
    expect_said("B\nq\n", "of what? a register");
    expect_said("B mov\nq\n", "of what? a register");
}

/* The command that leads to an event is one for a shell, and leads there. */
Test(plain, a_command_for_a_shell)
{
    struct result result;
    char *command;

    run_typing(
        &(struct job){.argv = ARGS(JITTRACE, "--goto=1", "--step", "--plain",
                                   "--goto", "0", "--", "sh", "-c",
                                   "exec true --goto=7", "it's", "", "a\nb")},
        "Y\nq\n", &result);
    expect_in_order(&result.out,
                    ARGS("step 0> Y\n" JITTRACE
                         " --goto=0 --step --plain -- sh -c 'exec true "
                         "--goto=7' 'it'\\''s' '' 'a\\x0ab'\nstep 0> q\n"));
    result_release(&result);
    run_typing(&(struct job){.argv = ARGS(JITTRACE, "--step", "--plain", "-4")},
               "g 16\nhere\nq\n", &result);
    command = strstr(buf_text(&result.out), "step 16> here\n") + 14;
    command[strcspn(command, "\n")] = 0;
    command = strdup(command);
    result_release(&result);
    run_typing(&(struct job){.argv = ARGS("sh", "-c", command)}, "q\n",
               &result);
    cr_assert(eq(int, strncmp(buf_text(&result.out), "event 16,", 9), 0));
    result_release(&result);
    free(command);
}

/* A line may be as one that is typed on the full screen. */
Test(plain, lines_as_on_the_screen)
{
    expect_paragraphs(":n\n: goto 7\n3\ncommand back\nq\n", "0 1 7 3 2");
    expect_said("nxet\nq\n", "no command 'nxet'");
    expect_said(":\nq\n", "step 0> :\nstep 0> q\n");
}

/* A word, and the fields of the instruction that an event is about. */
Test(plain, what_words_mean)
{
    static const char *const fields[] = {
        "REX, 48 = 0100, W=1, R=0, X=0, B=0.\nA prefix from 40 to 4f.",
        "\nopcode, c7 = 11000111.\n",
        "\nModRM, c0 = mod=11 (register), reg=000 (/0), rm=000 (rax).\n",
        "\nimm32, fc ff ff ff: 0xfffffffc = -4, sign-extended to 64 bits:\n",
        NULL};
    struct buf out = {0};

    expect_said("? rex\nq\n", "> ? rex\nREX\nA prefix from 40 to 4f.");
    expect_said("explain  disp8 \nq\n", "\ndisplacement\nA constant number");
    expect_said("? xyz\nq\n", "'xyz' is not in the glossary; it has ABI,");
    expect_said("?\nq\n", "no instruction is shown here");
    expect_said("g 3\n?\nq\n", "\nopcode, c7 = 11000111.\n");
    transcript("g 15\n?\nq\n", &out);
    expect_in_order(&out, fields);
    buf_release(&out);
}

/* A name that the program gave is one to look for, and for its first byte. */
Test(plain, names_of_code)
{
    struct result result;

    run_typing(&(struct job){.argv = ARGS(JITTRACE, "--step", "--plain",
                                          "build/tracees/many_names")},
               "/n29999\nr\nb\nb\nwho n29999\nwho n1\nq\n", &result);
    expect_in_order(&result.out,
                    ARGS("code[0] is named n29999", "code[0], the byte at 0x",
                         "'n1' is no offset, no address and no name of code"));
    result_release(&result);
}

/* Round after round of a loop, and out of it where its call ends. */
Test(plain, rounds_of_a_loop)
{
    struct result result;

    run_typing(
        &(struct job){.argv = ARGS(JITTRACE, "--step", "--lesson", "loops")},
        "/sub\ni\ni\nf\nq\n", &result);
    expect_in_order(&result.out, ARGS("rdi = 3 - 1 = 2", "rdi = 2 - 1 = 1",
                                      "rdi = 1 - 1 = 0", "ret was executed"));
    result_release(&result);
}

Test(plain, what_cannot_be)
{
    expect_paragraphs("b\nfrobnicate\nnext 3\ngoto\ngoto x\n/\nq\n", "0");
    expect_said("b\nq\n", "this is the first event");
    expect_said("frobnicate 1\nq\n", "no command 'frobnicate'; help lists");
    expect_said("N\nq\n", "no command 'N'");
    expect_said("next 3\nq\n", "nothing can stand after next");
    expect_said("q 1\nq\n", "nothing can stand after quit");
    expect_said("goto x\nq\n", "'x' is not the number of an event");
    expect_said("goto\nq\n", "goto takes the number");
    expect_said("/\nq\n", "there is no search to repeat");
    expect_said("goto 99\nq\n", "there is no event 99; the last one is 31");
    expect_said("goto 99\nq\n", "ran to the end (event 31); there is");
    expect_said("r\nn\nq\n", "the program has ended; go back (b) or quit (q)");
    expect_said("r\n[\n]\nq\n", "there is no stage after this one");
    expect_said(
        "/nowhere\nq\n",
        "ran to the end (event 31); nothing after event 0 has 'nowhere'");
    expect_said("r\nb\n/nowhere\nq\n",
                "\nnothing after event 30 has 'nowhere'");
    expect_said("goto 99999999999999999999999\nq\n",
                "'99999999999999999999999' is not the number of an event");
}

/* What is typed may hold anything; a terminal must not see it. */
Test(plain, what_is_no_text)
{
    expect_said("\033[2Jx\nq\n", "no command '\\x1b[2Jx'");
    expect_said("goto \xff\nq\n", "'\\xff' is not the number");
}

Test(plain, help_lists_every_command)
{
    static const char *const words[] = {
#define COMMAND(id, word, letters, keys, help) "\n  " word, help,
#include "screen/command.def"
    };
    struct buf out = {0};
    const char *help;

    transcript("help\nq\n", &out);
    for (size_t i = 0; i < sizeof words / sizeof *words; i += 2) {
        cr_assert(eq(int, has(&out, words[i]), 1), "%s", words[i]);
        help = words[i + 1] + strspn(words[i + 1], "; ");
        cr_assert(eq(int, has(&out, help), 1), "%s", help);
    }
    buf_release(&out);
}

/* --- what a transcript looks like ---------------------------------------- */

/* The prompt tells where one is, and what was asked stands behind it. */
Test(plain, a_transcript)
{
    static const char *const lines[] = {
        "event 0, getpagesize: start: babyjit -4\n",
        "step 0> g 5\n",
        "event 5, byte writes: code[3] = 0xfc\n",
        "    babyjit.c:77  code[3] = (uint8_t)imm;\n",
        "So far it reads mov rax, 252.\n",
        "step 5> search mov rax, -4\n",
        "event 15, call: mov rax, -4\n",
        "step 15> quit\n",
    };
    struct buf out = {0};
    const char *at;

    transcript("g 5\nsearch mov rax, -4\nquit\n", &out);
    at = buf_text(&out);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        at = strstr(at, lines[i]);
        cr_assert(ne(ptr, (void *)at, NULL), "%s in %s", lines[i],
                  buf_text(&out));
    }
    cr_assert(eq(str, (char *)at, "step 15> quit\n"), "and no more");
    buf_release(&out);
}

Test(plain, registers)
{
    expect_said("/add\nq\n", "    rax 0xfffffffffffffffc -> 0xffffffffffff");
    expect_said("/add\nx\nq\n", "    rax -4 -> -1\n");
    expect_said("/add\nq\n", "    rflags 0x246 (PF ZF) -> 0x286 (PF SF)\n");
    expect_said("/add\nR\nx\nq\n", "\n    rdi 3\n");
}

/* At most 80 columns, no escape sequence, and no blanks at the end of lines
 * but for a prompt. */
static void check_lines(const char *text)
{
    for (const char *line = text; *line; line += *line == '\n') {
        size_t len = strcspn(line, "\n"), columns = 0;

        for (size_t i = 0; i < len; i++) {
            columns += ((uint8_t)line[i] & 0xc0) != 0x80;
            cr_assert(ge(int, (uint8_t)line[i], 0x20), "%.*s", (int)len, line);
        }
        cr_assert(le(sz, columns, 80), "%.*s", (int)len, line);
        if (len > 0 && strncmp(line, "step ", 5) != 0)
            cr_assert(ne(chr, line[len - 1], ' '), "%.*s", (int)len, line);
        line += len;
    }
}

Test(plain, lines_fit)
{
    struct buf out = {0};

    transcript("help\nR\nx\n", &out);
    check_lines(buf_text(&out));
    buf_release(&out);
}

Test(plain, colours_only_if_wanted)
{
    struct result with, without;
    const char *from;
    size_t len = 0;

    run_typing(
        &(struct job){.argv = ARGS(JITTRACE, "--step", "--color=always", "-4")},
        "g 16\nhelp\nq\n", &with);
    cr_assert(eq(int, has(&with.out, "\033["), 1));
    run_typing(&(struct job){.argv = ARGS(JITTRACE, "--step", "-4")},
               "g 16\nhelp\nq\n", &without);
    cr_assert(eq(int, has(&without.out, "\033"), 0));
    /* Without the sequences it is the same, but for addresses. */
    for (from = buf_text(&with.out); *from; from++)
        if (*from == '\033')
            from = strchr(from, 'm');
        else
            len++;
    cr_assert(eq(sz, len, without.out.len));
    result_release(&with);
    result_release(&without);
}

/* --- the end of input ---------------------------------------------------- */

Test(plain, the_end_of_input_runs_to_the_end)
{
    static const char all[] = "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 "
                              "19 20 21 22 23 24 25 26 27 28 29 30 31";
    struct buf out = {0};

    expect_paragraphs("", all);
    expect_paragraphs("n\nn", all); /* a last line needs no newline */
    expect_paragraphs("goto 29\n", "0 29 30 31");
    expect_paragraphs("goto 29\nb\n", "0 29 28 29 30 31");
    expect_paragraphs("run\n", "0 31");
    transcript("goto 29\n", &out);
    cr_assert(eq(int, has(&out, "step 29> \nevent 30,"), 1), "%s",
              buf_text(&out));
    buf_release(&out);
}

/* A reader that does not come back gets no message. */
Test(plain, nobody_reads)
{
    struct result result;

    run_typing(
        &(struct job){.argv = ARGS(JITTRACE, "--step", "-4"), .out_limit = 1},
        "R\n", &result);
    cr_assert(eq(int, result.status, 0));
    cr_assert(eq(str, (char *)buf_text(&result.err), ""));
    result_release(&result);
}

Test(plain, what_is_shown_cannot_be_written)
{
    struct result result;

    run_typing(&(struct job){.argv = ARGS(JITTRACE, "--step", "-4"),
                             .out = "/dev/full"},
               "n\n", &result);
    cr_assert(eq(int, result.status, EX_IOERR));
    cr_assert(eq(int, has(&result.err, "No space left"), 1), "%s",
              buf_text(&result.err));
    result_release(&result);
    run_typing(
        &(struct job){.argv = ARGS(JITTRACE, "--step", "-o", "/dev/null", "-4"),
                      .out = CLOSED},
        "n\n", &result);
    cr_assert(eq(int, result.status, EX_IOERR));
    result_release(&result);
}

/* --- the program --------------------------------------------------------- */

static void expect_status(const char *const *argv, const char *script,
                          int status)
{
    struct result result;

    run_typing(&(struct job){.argv = argv}, script, &result);
    cr_assert(eq(int, result.status, status), "%s", buf_text(&result.err));
    cr_assert(eq(str, (char *)buf_text(&result.err), ""));
    result_release(&result);
}

Test(plain, the_exit_status)
{
    expect_status(ARGS(JITTRACE, "--step", "--", "false"), "", 1);
    expect_status(ARGS(JITTRACE, "--step", "--", "false"), "r\nb\nq\n", 1);
    expect_status(ARGS(JITTRACE, "--step", "--", "false"), "q\n", 0);
    expect_status(ARGS(JITTRACE, "--step", "--", "sleep", "1000"), "q\n", 0);
    expect_status(ARGS(JITTRACE, "--step", "--", TRACEE("crash")), "r\nq\n",
                  128 + SIGILL);
}

Test(plain, from_verdict_to_verdict)
{
    struct result result;

    run_typing(&(struct job){.argv = ARGS(JITTRACE, "--step", "--",
                                          TRACEE("broken_callee_saved"))},
               "v\nr\nv\nfirst\nv\nv\nq\n", &result);
    cr_assert(contains(buf_text(&result.out), "run it (r)"));
    cr_assert(contains(buf_text(&result.out),
                       "callee-saved is broken: code[0..4]  mov ebx, 7"));
    cr_assert(contains(buf_text(&result.out), "no rule is broken after"));
    cr_assert(contains(buf_text(&result.out), "; the nearest one before: g "));
    result_release(&result);
}

/* After a crash one can step back from it. */
Test(plain, back_from_a_crash)
{
    struct result result;

    run_typing(
        &(struct job){.argv = ARGS(JITTRACE, "--step", "--", TRACEE("crash"))},
        "r\nb\nb\nq\n", &result);
    cr_assert(eq(int, has(&result.out, "event 7, call: "), 1));
    cr_assert(eq(
        int,
        has(&result.out, "    what   The CPU does not know this instruction"),
        1));
    cr_assert(eq(int, has(&result.out, "event 5, call: call 1 to"), 1));
    result_release(&result);
}

Test(plain, what_the_program_reads)
{
    const char *file = scratch(".read");
    struct result result;

    write_file(file, "first\nsecond\n", 13, 0600);
    run_typing(&(struct job){.argv = ARGS(JITTRACE, "--step", "--stdin", file,
                                          "--", "cat")},
               "r\nq\n", &result);
    cr_assert(eq(int, has(&result.out, "step 0> r\nfirst\nsecond\n"), 1), "%s",
              buf_text(&result.out));
    cr_assert(eq(int, result.status, 0));
    result_release(&result);
    unlink(file);
    /* What is typed is for us. */
    run_typing(&(struct job){.argv = ARGS(JITTRACE, "--step", "--", "cat")},
               "r\nfrobnicate\nq\n", &result);
    cr_assert(eq(int, has(&result.out, "step 0> r\nevent "), 1), "%s",
              buf_text(&result.out));
    cr_assert(eq(int, has(&result.out, "no command 'frobnicate'"), 1));
    result_release(&result);
}

/* Part of a line of the program's is ended before one of ours begins. */
Test(plain, output_without_a_newline)
{
    struct result result;

    run_typing(
        &(struct job){.argv = ARGS(JITTRACE, "--step", "--", "/bin/sh", "-c",
                                   "printf half; printf 'whole\n'")},
        "n\nn\nn\nq\n", &result);
    cr_assert(eq(int, has(&result.out, "half\nevent 1, "), 1), "%s",
              buf_text(&result.out));
    cr_assert(eq(int, has(&result.out, "whole\nevent 2, "), 1), "%s",
              buf_text(&result.out));
    result_release(&result);
}

/* --- the command line ---------------------------------------------------- */

static void refused(const char *const *argv, int status, const char *what)
{
    struct result result;

    run_typing(&(struct job){.argv = argv}, "n\n", &result);
    cr_assert(eq(int, result.status, status), "%s", buf_text(&result.err));
    cr_assert(eq(str, (char *)buf_text(&result.out), ""));
    cr_assert(eq(sz, count_lines(buf_text(&result.err)), 1), "%s",
              buf_text(&result.err));
    cr_assert(eq(int, has(&result.err, what), 1), "no '%s' in: %s", what,
              buf_text(&result.err));
    result_release(&result);
}

Test(plain, help_on_the_options)
{
    struct result result;

    run(&(struct job){.argv = ARGS(JITTRACE, "--help")}, &result);
    cr_assert(eq(int, has(&result.out, "--step"), 1));
    cr_assert(eq(int, has(&result.out, "--plain"), 1));
    cr_assert(eq(int, has(&result.out, "--stdin=FILE"), 1));
    for (const char *line = buf_text(&result.out); *line;
         line += strcspn(line, "\n") + 1)
        cr_assert(le(sz, strcspn(line, "\n"), 80), "%s", line);
    result_release(&result);
}

Test(plain, options_that_do_not_fit)
{
    refused(ARGS(JITTRACE, "--plain", "1"), EX_USAGE, "--plain is for --step");
    refused(ARGS(JITTRACE, "--stdin", "/dev/null", "1"), EX_USAGE,
            "--stdin is for --step");
    refused(ARGS(JITTRACE, "--step", "--format=json", "1"), EX_USAGE,
            "-o FILE");
    refused(ARGS(JITTRACE, "--step", "--format=raw", "1"), EX_USAGE, "-o FILE");
    refused(ARGS(JITTRACE, "--step", "--replay=x", "--stdin=y"), EX_USAGE,
            "--stdin");
    refused(ARGS(JITTRACE, "--step=1"), EX_USAGE, "no value");
    refused(ARGS(JITTRACE, "--step", "--stdin"), EX_USAGE, "needs a value");
    refused(ARGS(JITTRACE, "--step", "abc"), EX_USAGE, "'abc'");
    refused(ARGS(JITTRACE, "--step", "1", "--", "true"), EX_USAGE, "'1'");
}

Test(plain, what_cannot_be_opened_or_started)
{
    refused(ARGS(JITTRACE, "--step", "--stdin", "/nonexistent/file", "1"),
            EX_NOINPUT, "/nonexistent/file");
    refused(ARGS(JITTRACE, "--step", "--stdin=/tmp", "1"), EX_NOINPUT,
            "cannot read '/tmp': Is a directory");
    refused(ARGS(JITTRACE, "--step", "-o", "/nonexistent/file", "1"),
            EX_CANTCREAT, "/nonexistent/file");
    refused(ARGS(JITTRACE, "--step", "--replay", "/nonexistent/file"),
            EX_NOINPUT, "/nonexistent/file");
    refused(ARGS(JITTRACE, "--step", "--", "/nonexistent/program"), 127,
            "/nonexistent/program");
    refused(ARGS(JITTRACE, "--step", "--", "/etc/passwd"), 126, "/etc/passwd");
}

/* --- a recording beside it ----------------------------------------------- */

static void read_recording(const char *file, struct store *store)
{
    FILE *in = fopen(file, "re");
    struct err err = {ERR_NONE, ""};
    struct source *source;
    struct event event;
    int more;

    cr_assert(ne(ptr, in, NULL));
    source = json_source_new(in, file);
    *store = (struct store){0};
    while ((more = source_next(source, &event, &err)) > 0)
        store_append(store, &event);
    cr_assert(eq(int, more, 0), "%s", err.text);
    source_free(source);
    fclose(in);
}

#define CALL "enter 3*step leave"

static const char whole[] =
    "start map 11*write protect " CALL " " CALL " " CALL " output unmap exit";

static void expect_recording(const char *script, const char *expected)
{
    const char *file = scratch(".jsonl");
    struct result result;
    struct store store;

    unlink(file);
    run_typing(&(struct job){.argv = ARGS(JITTRACE, "--step", "--format=json",
                                          "-o", file, "-4")},
               script, &result);
    cr_assert(eq(int, result.status, 0));
    read_recording(file, &store);
    expect_kinds(&store, expected);
    store_release(&store);
    result_release(&result);
    unlink(file);
}

Test(plain, a_recording_of_what_was_stepped_through)
{
    expect_recording("", whole);
    expect_recording("n\nb\nn\nn\nb\nb\nrun\nfirst\nq\n", whole);
}

/* It ends with the end of the program, which the reader's leaving is. */
Test(plain, a_recording_that_ends_early)
{
    expect_recording("q\n", "start limit exit");
    expect_recording("goto 5\nb\nb\nq\n", "start map 4*write limit exit");
    expect_recording("/add\nq\n",
                     "start map 11*write protect enter 2*step limit exit");
}

static void check_end(const char *const *argv, const char *file)
{
    struct result result;
    struct store store;
    const struct event *event;

    run_typing(&(struct job){.argv = argv}, "n\nq\n", &result);
    cr_assert(eq(int, result.status, 0), "%s", buf_text(&result.err));
    read_recording(file, &store);
    event = nth(&store, EVENT_EXIT, 0);
    cr_assert(eq(u64, event->exit.signal.value, SIGKILL));
    store_release(&store);
    result_release(&result);
    unlink(file);
}

Test(plain, a_recording_of_a_program_that_did_not_end)
{
    const char *file = scratch(".jsonl");

    check_end(ARGS(JITTRACE, "--step", "--format=json", "-o", file, "--",
                   TRACEE("babyjit-O0"), "1"),
              file);
    check_end(ARGS(JITTRACE, "--step", "--format=json", "-o", file, "--",
                   TRACEE("endless"), "inside", "x"),
              file);
}

Test(plain, the_other_formats)
{
    static const uint8_t code[] = {0x48, 0xc7, 0xc0, 0xfc, 0xff, 0xff,
                                   0xff, 0x48, 0x01, 0xf8, 0xc3};
    const char *file = scratch(".out");
    struct buf written = {0};

    expect_status(ARGS(JITTRACE, "--step", "--format=raw", "-o", file, "-4"),
                  "", 0);
    read_file(file, &written);
    cr_assert(eq(mem, mem(written.data, written.len), mem(code, sizeof code)));
    buf_clear(&written);
    expect_status(ARGS(JITTRACE, "--step", "-o", file, "-4"), "r\nq\n", 0);
    read_file(file, &written);
    cr_assert(eq(int, has(&written, "rax = -4 + 1 = -3"), 1));
    buf_release(&written);
    unlink(file);
}

Test(plain, a_recording_that_cannot_be_written)
{
    struct result result;

    run_typing(&(struct job){.argv = ARGS(JITTRACE, "--step", "-o", "/dev/full",
                                          "-4")},
               "", &result);
    cr_assert(eq(int, result.status, EX_IOERR));
    cr_assert(eq(int, has(&result.err, "No space left"), 1));
    cr_assert(eq(int, has(&result.out, "event 31, "), 1), "it goes on");
    result_release(&result);
}

Test(plain, a_replay_that_cannot_be_written)
{
    const char *file = scratch(".jsonl");
    struct result result;

    expect_status(ARGS(JITTRACE, "--step", "--format=json", "-o", file, "-4"),
                  "", 0);
    run_typing(&(struct job){.argv = ARGS(JITTRACE, "--step", "--replay", file,
                                          "-o", "/dev/full")},
               "r\nq\n", &result);
    cr_assert(eq(int, result.status, EX_IOERR));
    cr_assert(eq(int, has(&result.err, "No space left"), 1));
    result_release(&result);
    unlink(file);
}

/* --- a replay ------------------------------------------------------------ */

/* Without what only a recording knows: what comes next. */
static void without_next(struct buf *text, struct buf *out)
{
    char *copy = strdup(buf_text(text)), *rest = copy, *line;

    while ((line = strsep(&rest, "\n")) != NULL)
        if (strncmp(line, "    Next: ", 10) != 0 && *line != ' ')
            buf_printf(out, "%s\n", line);
    free(copy);
}

Test(plain, a_replay_is_like_the_program)
{
    static const char script[] = "n\n]\n]\nb\n/add\nR\nx\nx\nR\nr\nb\n[\nq\n";
    const char *file = scratch(".jsonl");
    struct buf first = {0}, second = {0};
    struct result live, replay;

    run_typing(&(struct job){.argv = ARGS(JITTRACE, "--step", "--format=json",
                                          "-o", file, "-4"),
                             .env = ARGS("LC_ALL=C.UTF-8")},
               script, &live);
    run_typing(
        &(struct job){.argv = ARGS(JITTRACE, "--step", "--replay", file)},
        script, &replay);
    cr_assert(eq(int, replay.status, 0));
    without_next(&live.out, &first);
    without_next(&replay.out, &second);
    /* What the program itself has written comes on top. */
    cr_assert(eq(int, has(&first, "\n-3 -2 -1\n"), 1));
    cr_assert(eq(int, has(&second, "\n-3 -2 -1\n"), 0));
    cr_assert(eq(sz, first.len, second.len + strlen("-3 -2 -1\n")));
    result_release(&live);
    result_release(&replay);
    buf_release(&first);
    buf_release(&second);
    unlink(file);
}

/* The status of a recording is not that of the program in it. */
Test(plain, a_replay_of_a_failure)
{
    const char *file = scratch(".jsonl");

    expect_status(
        ARGS(JITTRACE, "--step", "--format=json", "-o", file, "--", "false"),
        "", 1);
    expect_status(ARGS(JITTRACE, "--step", "--replay", file), "", 0);
    expect_status(ARGS(JITTRACE, "--step", "--replay", file), "r\nq\n", 0);
    unlink(file);
}

/* A damaged file is found out before anything is shown of it. */
Test(plain, a_damaged_replay)
{
    const char *file = scratch(".jsonl");
    struct buf text = {0};
    const char *line;
    size_t at;

    expect_status(ARGS(JITTRACE, "--step", "--format=json", "-o", file, "-4"),
                  "", 0);
    read_file(file, &text);
    line = strstr(buf_text(&text), "{\"seq\":20");
    cr_assert(true && line);
    at = (size_t)(line - (char *)text.data);

    write_file(file, text.data, at, 0600);
    refused(ARGS(JITTRACE, "--step", "--replay", file), EX_DATAERR, ":20: ");
    text.data[at] = '(';
    write_file(file, text.data, text.len, 0600);
    refused(ARGS(JITTRACE, "--step", "--replay", file), EX_DATAERR, ":21: ");
    text.data[at] = '{';
    buf_append_text(&text, "{\"seq\":32,\"event\":\"exit\",\"status\":0}\n");
    write_file(file, text.data, text.len, 0600);
    refused(ARGS(JITTRACE, "--step", "--replay", file), EX_DATAERR, ":33: ");
    refused(ARGS(JITTRACE, "--step", "--replay=README.md"), EX_DATAERR,
            "README.md:1: ");
    buf_release(&text);
    unlink(file);
}

/* --- signals ------------------------------------------------------------- */

static bool is_there(const char *file, const char *part)
{
    struct buf text = {0};
    bool found;

    if (access(file, R_OK) == 0)
        read_file(file, &text);
    found = has(&text, part);
    buf_release(&text);
    return found;
}

/*
 * Sends the signal when there is that prompt, to all of the group as a terminal
 * does or to jittrace alone, and expects an end with nothing left.
 */
static void interrupted(const char *script, const char *prompt, int signal,
                        bool group)
{
    const char *pipe = scratch(".pipe"), *out = scratch(".shown");
    struct running running;
    struct result result;
    double since = now();
    int typed;

    unlink(out);
    unlink(pipe);
    cr_assert(eq(int, mkfifo(pipe, 0600), 0));
    typed = open(pipe, O_RDWR | O_CLOEXEC); /* so that it never ends */
    cr_assert(ge(int, typed, 0));
    cr_assert(
        eq(i64, write(typed, script, strlen(script)), (int64_t)strlen(script)));
    run_begin(&(struct job){.argv = ARGS(JITTRACE, "--step", "--",
                                         TRACEE("endless"), "outside", "x"),
                            .in = pipe,
                            .out = out},
              &running);
    while (!is_there(out, prompt))
        cr_assert(eq(int, wait_a_moment(since, 10 * SLOWNESS), 1), "no '%s'",
                  prompt);
    kill(group ? -running.pid : running.pid, signal);
    run_end(&running, &result);
    cr_assert(eq(int, result.status, 128 + signal));
    cr_assert(eq(str, (char *)buf_text(&result.err), ""));
    cr_assert(eq(int, kill(-running.pid, 0), -1), "somebody is left");
    result_release(&result);
    close(typed);
    unlink(pipe);
    unlink(out);
}

Test(plain, signals_while_the_reader_thinks)
{
    interrupted("", "step 0> ", SIGINT, true);
    interrupted("n\n", "step 1> ", SIGTERM, false);
    interrupted("", "step 0> ", SIGHUP, true);
    interrupted("", "step 0> ", SIGQUIT, true);
}

Test(plain, signals_while_the_program_runs)
{
    interrupted("run\n", "step 0> run\n", SIGINT, true);
    interrupted("run\n", "step 0> run\n", SIGINT, false);
    interrupted("run\n", "step 0> run\n", SIGTERM, false);
}
