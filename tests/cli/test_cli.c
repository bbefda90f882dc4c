/* SPDX-License-Identifier: MIT */
/*
 * The command line from outside: what jittrace says and with which status it
 * ends when all is well, when it is asked for what cannot be, when the system
 * refuses to let it trace, when nobody reads what it writes, and when it is
 * killed. In each of these it leaves nothing behind.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/audit.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "format/format.h"
#include "support/refuse.h"
#include "support/support.h"
#include "target/filter.h"

TestSuite(cli, .timeout = 120);

#define NOT_EXECUTABLE 126
#define NOT_FOUND      127

static const char *text_of(struct buf *buf)
{
    return buf_text(buf);
}

static bool has(struct buf *buf, const char *part)
{
    return strstr(text_of(buf), part) != NULL;
}

static void expect_output(struct buf *got, const char *expected)
{
    cr_assert(eq(str, (char *)text_of(got), (char *)expected));
}

/*
 * The command must end with that status, print nothing, and say one line that
 * holds `what`.
 */
static void refused(const struct job *command, int status, const char *what)
{
    struct result result;

    run(command, &result);
    cr_assert(eq(int, result.status, status), "%s", text_of(&result.err));
    expect_output(&result.out, "");
    cr_assert(eq(sz, count_lines(text_of(&result.err)), 1), "%s",
              text_of(&result.err));
    cr_assert(eq(int, strncmp(text_of(&result.err), "jittrace: ", 10), 0), "%s",
              text_of(&result.err));
    cr_assert(eq(int, has(&result.err, what), 1), "no '%s' in: %s", what,
              text_of(&result.err));
    result_release(&result);
}

static void refused_args(const char *const *argv, int status, const char *what)
{
    refused(&(struct job){.argv = argv}, status, what);
}

/* --- help and version ---------------------------------------------------- */

Test(cli, help_tells_every_option)
{
    static const char *const options[] = {
        "--dump-code", "--format", "-o",        "--output", "--replay",
        "--color",     "--help",   "--version", "--lesson", "--list-lessons",
    };
    static const char *const words[] = {
        "TERM",  "PROGRAM",  "text", "json", "raw", "auto", "always",
        "never", "NO_COLOR", "126",  "127",  "64",  "71"};
    struct result result;

    run(&(struct job){.argv = ARGS(JITTRACE, "--help")}, &result);
    cr_assert(eq(int, result.status, 0));
    expect_output(&result.err, "");
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        cr_assert(eq(int, has(&result.out, options[i]), 1), "%s", options[i]);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        cr_assert(eq(int, has(&result.out, words[i]), 1), "%s", words[i]);
    result_release(&result);
}

Test(cli, version)
{
    struct result result;

    run(&(struct job){.argv = ARGS(JITTRACE, "--version")}, &result);
    cr_assert(eq(int, result.status, 0));
    cr_assert(eq(int, strncmp(text_of(&result.out), "jittrace ", 9), 0));
    cr_assert(eq(sz, count_lines(text_of(&result.out)), 1));
    expect_output(&result.err, "");
    result_release(&result);
}

Test(cli, help_and_version_that_cannot_be_written)
{
    refused(&(struct job){.argv = ARGS(JITTRACE, "--help"), .out = "/dev/full"},
            EX_IOERR, "No space left");
    refused(
        &(struct job){.argv = ARGS(JITTRACE, "--version"), .out = "/dev/full"},
        EX_IOERR, "No space left");
    refused(&(struct job){.argv = ARGS(JITTRACE, "--help"), .out = CLOSED},
            EX_IOERR, "");
}

/* --- a wrong command line ------------------------------------------------ */

Test(cli, what_is_no_term)
{
    static const char *const wrong[] = {
        "",
        "abc",
        "1x",
        " 1",
        "1 ",
        "+1",
        "0x10",
        "1.",
        "-4x",
        "--4",
        "1e3",
        "2147483648",
        "-2147483649",
        "-",
        "123456789012345678901234567890",
        "-123456789012345678901234567890",
    };
    char quoted[64];

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        snprintf(quoted, sizeof quoted, "'%s'", wrong[i]);
        refused_args(ARGS(JITTRACE, wrong[i]), EX_USAGE,
                     wrong[i][0] == '-' && !strcmp(wrong[i], "-4x") ? "option"
                                                                    : quoted);
    }
    refused_args(ARGS(JITTRACE, "2147483648"), EX_USAGE, "2147483647");
    refused_args(ARGS(JITTRACE, "1", "2"), EX_USAGE, "'2'");
    refused_args(ARGS(JITTRACE, "-4", "-5"), EX_USAGE, "'-5'");
}

Test(cli, what_is_no_option)
{
    refused_args(ARGS(JITTRACE, "--frobnicate"), EX_USAGE, "--frobnicate");
    refused_args(ARGS(JITTRACE, "--form=raw"), EX_USAGE, "--form");
    refused_args(ARGS(JITTRACE, "--form", "raw"), EX_USAGE, "--form");
    refused_args(ARGS(JITTRACE, "--h"), EX_USAGE, "--h");
    refused_args(ARGS(JITTRACE, "-x"), EX_USAGE, "-x");
    refused_args(ARGS(JITTRACE, "-h"), EX_USAGE, "-h");
    refused_args(ARGS(JITTRACE, "--help=yes"), EX_USAGE, "--help");
    refused_args(ARGS(JITTRACE, "--format=xml"), EX_USAGE, "'xml'");
    refused_args(ARGS(JITTRACE, "--format=xml"), EX_USAGE, "json");
    refused_args(ARGS(JITTRACE, "--format="), EX_USAGE, "json");
    refused_args(ARGS(JITTRACE, "--color=maybe"), EX_USAGE, "'maybe'");
    refused_args(ARGS(JITTRACE, "--color=maybe"), EX_USAGE, "always");
    refused_args(ARGS(JITTRACE, "--format"), EX_USAGE, "--format");
    refused_args(ARGS(JITTRACE, "--color"), EX_USAGE, "--color");
    refused_args(ARGS(JITTRACE, "--theme=pink"), EX_USAGE, "'pink'");
    refused_args(ARGS(JITTRACE, "-o"), EX_USAGE, "-o");
    refused_args(ARGS(JITTRACE, "--output"), EX_USAGE, "--output");
    refused_args(ARGS(JITTRACE, "--"), EX_USAGE, "--");
    refused_args(ARGS(JITTRACE, "--format=raw", "--"), EX_USAGE, "program");
}

Test(cli, what_is_no_lesson)
{
    refused_args(ARGS(JITTRACE, "--lesson"), EX_USAGE, "--lesson");
    refused_args(ARGS(JITTRACE, "--lesson=none"), EX_USAGE, "'none'");
    refused_args(ARGS(JITTRACE, "--lesson=none"), EX_USAGE, "--list-lessons");
    refused_args(ARGS(JITTRACE, "--lesson="), EX_USAGE, "''");
    refused_args(ARGS(JITTRACE, "--lesson", "07-babyjit"), EX_USAGE,
                 "'07-babyjit'");
    refused_args(ARGS(JITTRACE, "--lesson", "babyjit.c"), EX_USAGE,
                 "'babyjit.c'");
    refused_args(ARGS(JITTRACE, "--replay=x", "--lesson=babyjit"), EX_USAGE,
                 "--replay");
    refused_args(ARGS(JITTRACE, "--list-lessons=1"), EX_USAGE,
                 "--list-lessons");
}

/* --- where the trace goes ------------------------------------------------ */

static void expect_run(const char *const *argv, const char *out,
                       const char *err)
{
    struct result result;

    run(&(struct job){.argv = argv}, &result);
    cr_assert(eq(int, result.status, 0), "%s", text_of(&result.err));
    if (out)
        expect_output(&result.out, out);
    if (err)
        expect_output(&result.err, err);
    result_release(&result);
}

Test(cli, the_term_is_1_if_left_out)
{
    expect_run(ARGS(JITTRACE, "--format=raw"), NULL, "2 3 4\n");
    expect_run(ARGS(JITTRACE, "--format=raw", "-4"), NULL, "-3 -2 -1\n");
    expect_run(ARGS(JITTRACE, "-o", "/dev/null", "-4"), "-3 -2 -1\n", "");
    expect_run(ARGS(JITTRACE, "-o/dev/null", "-4"), "-3 -2 -1\n", "");
    expect_run(ARGS(JITTRACE, "--output=/dev/null", "7"), "8 9 10\n", "");
    expect_run(ARGS(JITTRACE, "--output", "/dev/null", "7"), "8 9 10\n", "");
    expect_run(
        ARGS(JITTRACE, "-o", "/dev/null", "--", TRACEE("babyjit-O0"), "-4"),
        "-3 -2 -1\n", "");
}

/* Where there are several mappings, a call says which one it is in, as --only
 * wants it. */
Test(cli, a_call_names_its_mapping)
{
    struct result result;

    run(&(struct job){.argv = ARGS(JITTRACE, "--", TRACEE("two_regions"))},
        &result);
    cr_assert(ne(ptr, (void *)strstr(text_of(&result.out), ", code2+0"), NULL));
    result_release(&result);
    run(&(struct job){.argv = ARGS(JITTRACE, "--only=code2+0..15", "--",
                                   TRACEE("two_regions"))},
        &result);
    cr_assert(ne(ptr, (void *)strstr(text_of(&result.out), ", code2+0"), NULL));
    cr_assert(eq(ptr, (void *)strstr(text_of(&result.out), ", code1+"), NULL));
    result_release(&result);
}

Test(cli, raw_is_the_bytes_and_nothing_else)
{
    static const uint8_t code[] = {0x48, 0xc7, 0xc0, 0xfc, 0xff, 0xff,
                                   0xff, 0x48, 0x01, 0xf8, 0xc3};
    struct result result;

    run(&(struct job){.argv = ARGS(JITTRACE, "--format=raw", "-4")}, &result);
    cr_assert(eq(int, result.status, 0));
    cr_assert(eq(mem, ((struct cr_mem){result.out.data, result.out.len}),
                 ((struct cr_mem){code, sizeof code})));
    expect_output(&result.err, "-3 -2 -1\n");
    result_release(&result);
}

/* A json trace in a pipe is only that: what the program prints is moved. */
Test(cli, json_on_standard_output)
{
    struct result result;
    const char *at;

    run(&(struct job){.argv = ARGS(JITTRACE, "--format=json", "1")}, &result);
    cr_assert(eq(int, result.status, 0));
    expect_output(&result.err, "2 3 4\n");
    for (at = text_of(&result.out); *at; at = strchr(at, '\n') + 1)
        cr_assert(eq(int, strncmp(at, "{\"seq\":", 7), 0), "%s", at);
    result_release(&result);
}

Test(cli, output_to_a_file_leaves_standard_output_alone)
{
    static const char *const formats[] = {"--format=text", "--format=json",
                                          "--format=raw"};
    const char *file = scratch(".out");

    for (size_t i = 0; i < 3; i++) {
        struct buf written = {0};

        unlink(file);
        expect_run(ARGS(JITTRACE, formats[i], "-o", file, "1"), "2 3 4\n", "");
        read_file(file, &written);
        cr_assert(lt(sz, 10, written.len), "%s", formats[i]);
        cr_assert(eq(int, has(&written, "\033"), 0));
        buf_release(&written);
    }
    unlink(file);
}

Test(cli, a_file_that_cannot_be_made)
{
    refused_args(ARGS(JITTRACE, "-o", "/nonexistent/trace", "1"), EX_CANTCREAT,
                 "/nonexistent/trace");
    refused_args(ARGS(JITTRACE, "-o", "/tmp", "1"), EX_CANTCREAT, "/tmp");
    refused_args(ARGS(JITTRACE, "-o", "", "1"), EX_CANTCREAT, "''");
}

/* A program that does not start leaves what was in the file alone. */
Test(cli, a_file_is_not_emptied_for_nothing)
{
    const char *file = scratch(".kept");
    struct buf kept = {0};

    write_file(file, "precious", 8, 0600);
    refused_args(ARGS(JITTRACE, "-o", file, "abc"), EX_USAGE, "abc");
    read_file(file, &kept);
    expect_output(&kept, "precious");
    buf_release(&kept);
    unlink(file);
}

Test(cli, a_full_disk)
{
    static const char *const formats[] = {"--format=text", "--format=json",
                                          "--format=raw"};
    struct result result;

    for (size_t i = 0; i < 3; i++) {
        /* The program itself must still do all that it does. */
        run(&(struct job){.argv = ARGS(JITTRACE, formats[i], "-o", "/dev/full",
                                       "1")},
            &result);
        cr_assert(eq(int, result.status, EX_IOERR), "%s", formats[i]);
        expect_output(&result.out, "2 3 4\n");
        cr_assert(eq(sz, count_lines(text_of(&result.err)), 1));
        cr_assert(eq(int, has(&result.err, "No space left"), 1));
        result_release(&result);

        run(&(struct job){.argv = ARGS(JITTRACE, formats[i], "1"),
                          .out = "/dev/full"},
            &result);
        cr_assert(eq(int, result.status, EX_IOERR), "%s", formats[i]);
        cr_assert(eq(int, has(&result.err, "jittrace: "), 1), "%s: %s",
                  formats[i], text_of(&result.err));
        cr_assert(eq(int, has(&result.err, "No space left"), 1));
        cr_assert(eq(sz, count_lines(text_of(&result.err)), 2), "%s",
                  text_of(&result.err));
        result_release(&result);
    }
}

/* A trace that nobody can get is a failure, not a success. */
Test(cli, a_closed_standard_output)
{
    static const char *const formats[] = {"--format=text", "--format=json",
                                          "--format=raw"};
    struct result result;

    for (size_t i = 0; i < 3; i++) {
        run(&(struct job){.argv = ARGS(JITTRACE, formats[i], "1"),
                          .out = CLOSED},
            &result);
        cr_assert(eq(int, result.status, EX_IOERR), "%s", formats[i]);
        cr_assert(eq(int, has(&result.err, "jittrace: "), 1), "%s: %s",
                  formats[i], text_of(&result.err));
        result_release(&result);
    }
}

/* With -o, standard output is the program's own affair. */
Test(cli, a_closed_standard_output_and_a_file)
{
    struct buf written = {0};
    const char *file = scratch(".closed");
    struct result result;

    run(&(struct job){.argv = ARGS(JITTRACE, "-o", file, "1"), .out = CLOSED},
        &result);
    cr_assert(eq(int, result.status, EX_IOERR)); /* the program's */
    expect_output(&result.err,
                  "babyjit: standard output: Bad file descriptor\n");
    read_file(file, &written);
    cr_assert(eq(int, has(&written, "It ended with status 74"), 1));
    buf_release(&written);
    result_release(&result);

    run(&(struct job){.argv = ARGS(JITTRACE, "-o", file, "--", "/bin/true"),
                      .in = CLOSED,
                      .out = CLOSED,
                      .err = CLOSED},
        &result);
    cr_assert(eq(int, result.status, 0));
    result_release(&result);
    unlink(file);
}

/* `jittrace ... | head -1`: no complaint, and the program's own status. */
Test(cli, a_reader_that_goes_away)
{
    struct result result;

    run(&(struct job){.argv = ARGS(JITTRACE, "--format=json", "1"),
                      .out_limit = 1},
        &result);
    cr_assert(eq(int, result.status, 0));
    expect_output(&result.err, "2 3 4\n");
    result_release(&result);

    /* Here the program writes to the same pipe, and is killed as ever. */
    run(&(struct job){.argv = ARGS(JITTRACE, "1"), .out_limit = 1}, &result);
    cr_assert(true && (result.status == 0 || result.status == 128 + SIGPIPE),
              "status %d", result.status);
    expect_output(&result.err, "");
    result_release(&result);

    run(&(struct job){.argv = ARGS("bash", "-c",
                                   "set -o pipefail; \"$0\" --format=json "
                                   "-- \"$1\" 1 2>/dev/null | head -1",
                                   JITTRACE, TRACEE("babyjit-O0"))},
        &result);
    cr_assert(eq(int, result.status, 0));
    cr_assert(eq(sz, count_lines(text_of(&result.out)), 1));
    expect_output(&result.err, "");
    result_release(&result);
}

/* --- colour -------------------------------------------------------------- */

/* Whether a text trace, with these extra options, has any colour. */
static bool is_colored(const char *option, bool tty, const char *const *env)
{
    struct result result;
    bool colored;

    run(&(struct job){.argv = ARGS(JITTRACE, option, "1"),
                      .tty = tty,
                      .env = env},
        &result);
    cr_assert(eq(int, result.status, 0));
    cr_assert(lt(sz, 1000, result.out.len));
    colored = has(&result.out, "\033[");
    result_release(&result);
    return colored;
}

Test(cli, colour_is_for_terminals)
{
    const char *const *xterm = ARGS("TERM=xterm", "NO_COLOR");

    cr_assert(eq(int, is_colored("--color=auto", true, xterm), 1));
    cr_assert(eq(int, is_colored("--color=auto", false, xterm), 0));
    cr_assert(eq(int, is_colored("--color=always", false, xterm), 1));
    cr_assert(eq(int, is_colored("--color=never", true, xterm), 0));
}

Test(cli, colour_can_be_turned_off)
{
    const char *const *no_color = ARGS("TERM=xterm", "NO_COLOR=1");
    const char *const *empty = ARGS("TERM=xterm", "NO_COLOR=");
    const char *const *dumb = ARGS("TERM=dumb", "NO_COLOR");
    const char *const *no_term = ARGS("TERM", "NO_COLOR");

    cr_assert(eq(int, is_colored("--color=auto", true, no_color), 0));
    cr_assert(eq(int, is_colored("--color=auto", true, empty), 1));
    cr_assert(eq(int, is_colored("--color=auto", true, dumb), 0));
    cr_assert(eq(int, is_colored("--color=auto", true, no_term), 0));
    cr_assert(eq(int, is_colored("--color=always", true, no_color), 1));
    cr_assert(eq(int, is_colored("--color=always", false, dumb), 1));
}

/* Takes out "ESC [ ... letter". */
static void strip_colour(const char *text, struct buf *out)
{
    while (*text) {
        if (strncmp(text, "\033[", 2) == 0) {
            text += 2 + strspn(text + 2, "0123456789;");
            text += *text != 0;
        } else {
            buf_append(out, text++, 1);
        }
    }
}

/* The text of one recorded run. */
static void render(const struct store *store, bool color, struct buf *out)
{
    char *text = NULL;
    size_t len = 0;
    FILE *file = open_memstream(&text, &len);
    struct sink *sink = text_sink_new(file, color);
    struct err err;

    for (size_t i = 0; i < store->count; i++)
        cr_assert(eq(int, sink_emit(sink, store_event(store, i), &err), 0));
    cr_assert(eq(int, sink_finish(sink, &err), 0));
    sink_free(sink);
    fclose(file);
    buf_append(out, text, len);
    free(text);
}

Test(cli, nothing_is_lost_without_colour)
{
    struct buf plain = {0}, colored = {0}, stripped = {0};
    struct store store;
    struct result result;

    trace(&(struct job){.argv = ARGS("-4")}, &store, &result);
    render(&store, false, &plain);
    render(&store, true, &colored);
    cr_assert(eq(int, has(&plain, "\033"), 0));
    cr_assert(eq(int, has(&colored, "\033["), 1));
    strip_colour(text_of(&colored), &stripped);
    cr_assert(eq(int, has(&stripped, "\033"), 0));
    expect_output(&stripped, text_of(&plain));
    buf_release(&plain);
    buf_release(&colored);
    buf_release(&stripped);
    result_release(&result);
    store_release(&store);
}

Test(cli, text_is_80_columns_wide)
{
    static const char *const terms[] = {"1", "-4", "-2147483648", "2147483647"};
    struct result result;

    for (size_t i = 0; i < 4; i++) {
        run(&(struct job){.argv = ARGS(JITTRACE, terms[i])}, &result);
        for (const char *line = text_of(&result.out); *line;) {
            size_t len = strcspn(line, "\n");

            cr_assert(le(sz, len, 80), "%.*s", (int)len, line);
            line += len + (line[len] == '\n');
        }
        cr_assert(eq(int, has(&result.out, "getpagesize"), 1));
        cr_assert(eq(int, has(&result.out, "mprotect"), 1));
        result_release(&result);
    }
}

/* --- programs that cannot be started ------------------------------------- */

Test(cli, a_program_that_is_not_there)
{
    refused_args(ARGS(JITTRACE, "--", "./no-such-program"), NOT_FOUND,
                 "./no-such-program");
    refused_args(ARGS(JITTRACE, "--", "no-such-program"), NOT_FOUND,
                 "no-such-program");
    refused_args(ARGS(JITTRACE, "--", ""), NOT_FOUND, "");
    refused_args(ARGS(JITTRACE, "--", "/dev/null/program"), NOT_FOUND,
                 "/dev/null/program");
    refused(&(struct job){.argv = ARGS(JITTRACE, "--", "true"),
                          .env = ARGS("PATH=/nonexistent")},
            NOT_FOUND, "true");
}

static void run_quietly(const char *const *argv)
{
    struct result result;

    run(&(struct job){.argv = argv}, &result);
    cr_assert(eq(int, result.status, 0), "%s", text_of(&result.err));
    result_release(&result);
}

/* Makes a file, tries to trace it, and removes it. */
static void refused_file(const void *data, size_t len, mode_t mode, int status,
                         const char *what)
{
    const char *file = scratch(".program");

    write_file(file, data, len, mode);
    refused_args(ARGS(JITTRACE, "--", file), status, what);
    unlink(file);
}

Test(cli, what_is_no_program)
{
    static const char text[] = "echo no shebang\n";
    static const char zeros[16] = "";

    refused_args(ARGS(JITTRACE, "--", "/tmp"), NOT_EXECUTABLE, "directory");
    refused_args(ARGS(JITTRACE, "--", "/dev/null"), NOT_EXECUTABLE,
                 "/dev/null");
    refused_file(text, strlen(text), 0755, NOT_EXECUTABLE, "#!");
    refused_file(text, strlen(text), 0644, NOT_EXECUTABLE, "chmod");
    refused_file("", 0, 0755, NOT_EXECUTABLE, "not a program");
    refused_file(zeros, sizeof zeros, 0755, NOT_EXECUTABLE, "not a program");
    refused_file("\177ELF", 4, 0755, NOT_EXECUTABLE, "");
    refused_file("#!/no/such/interpreter\n", 23, 0755, NOT_FOUND,
                 "interpreter");
    refused_file("#!/bin/sh\r\n", 11, 0755, NOT_FOUND, "carriage return");
    refused_file("#!\n", 3, 0755, NOT_EXECUTABLE, "");
}

/* A copy of a real program with other words in its ELF header (elf(5)). */
static void refused_elf(void (*patch)(Elf64_Ehdr *header), const char *what)
{
    struct buf elf = {0};

    read_file(TRACEE("babyjit-O0"), &elf);
    patch((Elf64_Ehdr *)(void *)elf.data);
    refused_file(elf.data, elf.len, 0755, NOT_EXECUTABLE, what);
    buf_release(&elf);
}

static void make_aarch64(Elf64_Ehdr *header)
{
    header->e_machine = EM_AARCH64;
}

static void make_unknown(Elf64_Ehdr *header)
{
    header->e_machine = 0x7777;
}

static void make_big_endian(Elf64_Ehdr *header)
{
    header->e_ident[EI_DATA] = ELFDATA2MSB;
    header->e_machine = EM_S390 << 8;
}

static void make_32_bit(Elf64_Ehdr *header)
{
    header->e_ident[EI_CLASS] = ELFCLASS32;
    header->e_machine = EM_386;
}

static void make_object(Elf64_Ehdr *header)
{
    header->e_type = ET_REL;
}

/* A script is what its interpreter is, however many scripts lie between. */
/* What a file is that somebody takes for a program, and what to do with it. */
Test(cli, what_becomes_a_program)
{
    static const struct {
        const char *name, *says;
    } all[] = {
        {"my.c", "is C source, not a program; compile it first: gcc -g -o my "
                 "my.c\n"},
        {"./my.cpp", "compile it first: g++ -g -o ./my ./my.cpp\n"},
        {"a.b.rs", "rustc -g -o a.b a.b.rs\n"},
        {"my.h", "nothing in it can run"},
        {"./my.asm", "nasm -f elf64 -g -o ./my.o ./my.asm && gcc -o ./my "
                     "./my.o\n"},
        {"my.s", "gcc -g -o my my.s\n"},
        {"my.py", "trace what runs it: jittrace -- python3 my.py\n"},
        {"my.jsonl", "jittrace --replay=my.jsonl\n"},
        {"./my.x", "chmod +x"},
        {"./.c", "chmod +x"},
    };
    const char *dir = scratch(".d");
    char path[512];

    cr_assert(eq(int, mkdir(dir, 0700), 0));
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, all[i].name);
        write_file(path, "x\n", 2, 0644);
        refused(&(struct job){.argv = ARGS(JITTRACE, all[i].name), .dir = dir},
                NOT_EXECUTABLE, all[i].says);
        refused(&(struct job){.argv = ARGS(JITTRACE, "--", all[i].name),
                              .dir = dir},
                NOT_EXECUTABLE, all[i].says);
        unlink(path);
    }
    rmdir(dir);
}

/* A file of that machine language, but not a program. */
Test(cli, what_is_half_of_a_program)
{
    const char *object = scratch(".o"), *library = scratch(".so");

    run_quietly(
        ARGS("gcc", "-c", "-o", object, "lessons/06-babyjit/solution.c"));
    run_quietly(ARGS("gcc", "-shared", "-fPIC", "-o", library,
                     "lessons/06-babyjit/solution.c"));
    refused_args(ARGS(JITTRACE, object), NOT_EXECUTABLE,
                 "is an object file, not a program; link it first");
    refused_args(ARGS(JITTRACE, library), NOT_EXECUTABLE,
                 "is a shared library and has no entry point; trace a program "
                 "that loads it");
    unlink(object);
    unlink(library);
}

/* Without --, and all behind it is for the program. */
Test(cli, a_program_by_its_path)
{
    struct result result;

    run(&(struct job){.argv = ARGS(JITTRACE, "-o", "/dev/null",
                                   BUILD_DIR "/tracees/babyjit-O0", "-4")},
        &result);
    cr_assert(eq(str, (char *)text_of(&result.out), "-3 -2 -1\n"));
    cr_assert(eq(int, result.status, 0));
    result_release(&result);
    run(&(struct job){.argv = ARGS(JITTRACE, "-o", "/dev/null", "/bin/echo",
                                   "--format=raw", "--", "-o")},
        &result);
    cr_assert(eq(str, (char *)text_of(&result.out), "--format=raw -- -o\n"));
    result_release(&result);
    refused_args(ARGS(JITTRACE, "1", "/bin/true"), EX_USAGE, "is too much");
    refused_args(ARGS(JITTRACE, "--replay=x", "/bin/true"), EX_USAGE,
                 "--replay shows");
    refused_args(ARGS(JITTRACE, "./no-such-program"), NOT_FOUND,
                 "./no-such-program");
}

Test(cli, a_script_for_another_machine)
{
    static const Elf64_Ehdr header = {
        .e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT},
        .e_type = ET_EXEC,
        .e_machine = EM_386};
    const char *program = scratch(".32-bit"), *script = scratch(".script");
    char text[256];

    write_file(program, &header, sizeof header, 0755);
    snprintf(text, sizeof text, "#! %s -x\n", program);
    write_file(script, text, strlen(text), 0755);
    snprintf(text, sizeof text, "#!%s\n", script);
    refused_file(text, strlen(text), 0755, NOT_EXECUTABLE, "32-bit");
    unlink(script);
    unlink(program);
}

/* The kernel would not give its rights to a program that is traced. */
Test(cli, programs_with_rights_of_their_own)
{
    const char *file = scratch(".setuid");
    struct buf elf = {0};

    if (geteuid() != 0)
        cr_skip("only root can make a file another user's");
    read_file(TRACEE("babyjit-O0"), &elf);
    write_file(file, elf.data, elf.len, 0755);
    cr_assert(eq(int, chown(file, 65534, getegid()), 0));
    cr_assert(eq(int, chmod(file, 04755), 0));
    refused_args(ARGS(JITTRACE, "--", file), NOT_EXECUTABLE, "setuid");
    cr_assert(eq(int, chown(file, geteuid(), 65534), 0));
    cr_assert(eq(int, chmod(file, 02755), 0));
    refused_args(ARGS(JITTRACE, "--", file), NOT_EXECUTABLE, "setgid");
    unlink(file);
    buf_release(&elf);
}

Test(cli, programs_for_other_machines)
{
    refused_elf(make_aarch64, "AArch64");
    refused_elf(make_unknown, "another CPU");
    refused_elf(make_big_endian, "another CPU");
    refused_elf(make_32_bit, "32-bit");
    refused_elf(make_object, "object file");
}

/* It looks like a program and its end is missing. */
Test(cli, half_a_program)
{
    struct buf elf = {0};

    read_file(TRACEE("babyjit-O0"), &elf);
    refused_file(elf.data, 64, 0755, NOT_EXECUTABLE, "");
    buf_release(&elf);
}

Test(cli, a_script_that_works)
{
    static const char script[] = "#!/bin/sh\necho $1; exit 3\n";
    const char *file = scratch(".sh");
    struct result result;

    write_file(file, script, strlen(script), 0755);
    run(&(struct job){.argv =
                          ARGS(JITTRACE, "-o", "/dev/null", "--", file, "-4")},
        &result);
    expect_output(&result.out, "-4\n");
    expect_output(&result.err, "");
    cr_assert(eq(int, result.status, 3));
    result_release(&result);
    unlink(file);
}

Test(cli, the_status_of_the_program)
{
    struct result result;

    run(&(struct job){.argv = ARGS(JITTRACE, "-o", "/dev/null", "--", "sh",
                                   "-c", "exit 255")},
        &result);
    cr_assert(eq(int, result.status, 255));
    result_release(&result);
    run(&(struct job){.argv = ARGS(JITTRACE, "-o", "/dev/null", "--", "sh",
                                   "-c", "kill -9 $$")},
        &result);
    cr_assert(eq(int, result.status, 128 + SIGKILL));
    expect_output(&result.err, "");
    result_release(&result);
    run(&(struct job){.argv = ARGS(JITTRACE, "-o", "/dev/null", "--",
                                   TRACEE("crash"))},
        &result);
    cr_assert(eq(int, result.status, 128 + SIGILL));
    expect_output(&result.out, "before\n");
    expect_output(&result.err, "");
    result_release(&result);
}

/* --- tracing is refused -------------------------------------------------- */

static int without_ptrace(void)
{
    return refuse(SYS_ptrace, EPERM);
}

static int without_seccomp(void)
{
    return refuse(SYS_seccomp, ENOSYS);
}

static int without_prctl(void)
{
    return refuse_if(SYS_prctl, 0, PR_SET_NO_NEW_PRIVS, true, EPERM);
}

static int without_executable_memory(void)
{
    return refuse_if(SYS_mprotect, 2, PROT_EXEC, false, EACCES);
}

/* Only what jittrace itself injects. */
static int without_guards(void)
{
    return refuse_if(SYS_mprotect, 5, (uint32_t)FILTER_PASS, true, EACCES);
}

/* Refused with cause and remedy, soon, and with nothing left behind. */
static void refused_by_system(int (*prepare)(void), const char *cause,
                              const char *remedy)
{
    struct job command = {
        .argv = ARGS(JITTRACE, "1"), .prepare = prepare, .seconds = 5};
    double quickest = command.seconds;
    struct result result;

    refused(&command, EX_OSERR, cause);
    refused(&command, EX_OSERR, remedy);
    for (int i = 0; i < 3; i++) { /* the machine may have other work */
        run(&command, &result);
        if (result.took < quickest)
            quickest = result.took;
        result_release(&result);
    }
    cr_assert(lt(dbl, quickest, 1.0));
}

Test(cli, ptrace_is_refused)
{
    refused_by_system(without_ptrace, "ptrace: Operation not permitted",
                      "--cap-add=SYS_PTRACE");
}

/*
 * What is traced already cannot be traced again. With the address sanitizer, it
 * would make all the stores that are watched in one run.
 */
Test(cli, another_tracer_is_in_the_way)
{
    struct result result;

    run(&(struct job){.argv =
                          ARGS(JITTRACE, "-o", "/dev/null",
                               "--max-all-stores=100", "--", JITTRACE, "1")},
        &result);
    cr_assert(eq(int, result.status, EX_OSERR));
    expect_output(&result.out, "");
    cr_assert(eq(sz, count_lines(text_of(&result.err)), 1));
    cr_assert(eq(int, has(&result.err, "another tracer"), 1), "%s",
              text_of(&result.err));
    result_release(&result);
}

Test(cli, seccomp_is_refused)
{
    refused_by_system(without_seccomp, "seccomp", "outside");
    refused_by_system(without_prctl, "seccomp", "outside");
}

/* Where nothing may become executable, it is the program that fails. */
Test(cli, mprotect_is_refused_to_the_program)
{
    struct store store;
    struct result result, untraced;

    run(&(struct job){.argv = ARGS(TRACEE("babyjit-O0"), "1"),
                      .prepare = without_executable_memory},
        &untraced);
    trace(&(struct job){.argv = ARGS("--", TRACEE("babyjit-O0"), "1"),
                        .prepare = without_executable_memory},
          &store, &result);
    expect_output(&result.err, "babyjit: mprotect: Permission denied\n");
    expect_output(&result.err, text_of(&untraced.err));
    expect_output(&result.out, "");
    cr_assert(eq(int, result.status, EX_OSERR));
    cr_assert(eq(int, result.status, untraced.status));
    cr_assert(eq(sz, count(&store, EVENT_WRITE), 11));
    cr_assert(eq(sz, count(&store, EVENT_PROTECT), 0));
    cr_assert(eq(sz, count(&store, EVENT_ENTER), 0));
    cr_assert(eq(sz, count(&store, EVENT_OUTPUT), 1));
    cr_assert(eq(i64, nth(&store, EVENT_OUTPUT, 0)->output.fd, 2));
    result_release(&result);
    result_release(&untraced);
    store_release(&store);
}

/* Where jittrace may not guard pages, the trace says so; the program works. */
Test(cli, mprotect_is_refused_to_jittrace)
{
    struct store store;
    struct result result;

    trace(&(struct job){.argv = ARGS("1"), .prepare = without_guards}, &store,
          &result);
    expect_output(&result.out, "2 3 4\n");
    cr_assert(eq(int, result.status, 0));
    cr_assert(ge(sz, count(&store, EVENT_LIMIT), 1));
    cr_assert(
        eq(str, (char *)nth(&store, EVENT_LIMIT, 0)->limit.budget, "mprotect"));
    cr_assert(eq(int,
                 strstr(nth(&store, EVENT_LIMIT, 0)->limit.text,
                        "Permission denied") != NULL,
                 1));
    result_release(&result);
    store_release(&store);
}

/* No more processes, descriptors or room: a message, not a crash or a hang. */
static int without_descriptors(void)
{
    const struct rlimit few = {6, 6};

    return setrlimit(RLIMIT_NOFILE, &few);
}

static int without_fork(void)
{
    return refuse(SYS_clone, EAGAIN);
}

Test(cli, resources_run_out)
{
    refused_by_system(without_fork, "process", "ulimit -u");
    refused(&(struct job){.argv = ARGS(JITTRACE, "1"),
                          .prepare = without_descriptors},
            EX_OSERR, "Too many open files");
}

/* --- nothing is left behind ---------------------------------------------- */

/* Whether a process with that argument lives. */
static bool is_alive(const char *mark)
{
    DIR *dir = opendir("/proc");
    struct dirent *entry;
    bool found = false;

    while (!found && (entry = readdir(dir)) != NULL) {
        char name[300], line[4096];
        int fd;
        ssize_t len;

        snprintf(name, sizeof name, "/proc/%s/cmdline", entry->d_name);
        fd = open(name, O_RDONLY | O_CLOEXEC);
        len = fd < 0 ? 0 : read(fd, line, sizeof line);
        found = len > 0 && memmem(line, (size_t)len, mark, strlen(mark));
        if (fd >= 0)
            close(fd);
    }
    closedir(dir);
    return found;
}

static void expect_gone(const char *mark)
{
    double since = now();

    while (is_alive(mark))
        cr_assert(eq(int, wait_a_moment(since, 5 * SLOWNESS), 1),
                  "%s still runs", mark);
}

/* Waits until the trace has that kind of event. */
static void wait_for_event(const char *file, const char *kind)
{
    double since = now();
    struct buf text = {0};
    char key[32];

    snprintf(key, sizeof key, "\"event\":\"%s\"", kind);
    do {
        buf_clear(&text);
        if (access(file, R_OK) == 0)
            read_file(file, &text);
        cr_assert(eq(int, wait_a_moment(since, 10 * SLOWNESS), 1), "no %s came",
                  kind);
    } while (!has(&text, key));
    buf_release(&text);
}

/*
 * Starts jittrace on a program that does not end, sends a signal to it (or to
 * all of its group, as a terminal does) in the middle, and expects that
 * status and nothing left.
 */
static void interrupt(const char *where, const char *event, int signal,
                      bool group, int status)
{
    const char *file = scratch(".jsonl");
    struct running running;
    struct result result;
    char mark[64];

    snprintf(mark, sizeof mark, "mark-%d-%s-%d", (int)getpid(), where, signal);
    unlink(file);
    run_begin(&(struct job){.argv = ARGS(JITTRACE, "--format=json", "-o", file,
                                         "--", TRACEE("endless"), where, mark)},
              &running);
    wait_for_event(file, event);
    cr_assert(eq(int, is_alive(mark), 1));
    kill(group ? -running.pid : running.pid, signal);
    run_end(&running, &result);
    cr_assert(eq(int, result.status, status), "%s, signal %d", where, signal);
    expect_output(&result.out, "");
    expect_output(&result.err, "");
    expect_gone(mark);
    result_release(&result);
    unlink(file);
}

Test(cli, killed_while_code_runs)
{
    interrupt("inside", "step", SIGKILL, false, 128 + SIGKILL);
}

Test(cli, killed_while_the_program_waits)
{
    interrupt("outside", "leave", SIGKILL, false, 128 + SIGKILL);
}

Test(cli, terminated_while_code_runs)
{
    interrupt("inside", "step", SIGTERM, false, 128 + SIGTERM);
}

Test(cli, terminated_while_the_program_waits)
{
    interrupt("outside", "leave", SIGTERM, false, 128 + SIGTERM);
    interrupt("outside", "leave", SIGHUP, false, 128 + SIGHUP);
}

Test(cli, terminated_after_the_steps_have_run_out)
{
    interrupt("inside", "limit", SIGTERM, false, 128 + SIGTERM);
}

Test(cli, terminated_while_the_program_ignores_it)
{
    interrupt("stubborn", "leave", SIGTERM, false, 128 + SIGKILL);
}

Test(cli, interrupted_by_the_keyboard)
{
    interrupt("inside", "step", SIGINT, true, 128 + SIGINT);
    interrupt("outside", "leave", SIGINT, true, 128 + SIGINT);
    interrupt("outside", "leave", SIGQUIT, true, 128 + SIGQUIT);
}

/* The names in a directory, in one text. */
static void list_directory(const char *name, struct buf *out)
{
    struct dirent **entries;
    int n = scandir(name, &entries, NULL, alphasort);

    cr_assert(ge(int, n, 2), "%s", name);
    for (int i = 0; i < n; i++) {
        buf_printf(out, "%s\n", entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
}

/*
 * Nothing new in the working directory, nor in /tmp. Others may use /tmp at
 * the same time; so that alone fails only if it happens each time.
 */
Test(cli, no_file_is_left)
{
    char here[] = "/tmp/jittrace-test-XXXXXX", program[4096];
    bool left = true;

    cr_assert(ne(ptr, mkdtemp(here), NULL));
    cr_assert(ne(ptr, realpath(JITTRACE, program), NULL));
    for (int i = 0; i < 5 && left; i++) {
        struct buf before = {0}, after = {0}, own = {0};
        struct result result;

        list_directory("/tmp", &before);
        run(&(struct job){.argv = ARGS(program, "1"), .dir = here}, &result);
        list_directory("/tmp", &after);
        list_directory(here, &own);
        cr_assert(eq(int, result.status, 0));
        expect_output(&own, ".\n..\n");
        left = strcmp(text_of(&before), text_of(&after)) != 0;
        buf_release(&before);
        buf_release(&after);
        buf_release(&own);
        result_release(&result);
    }
    rmdir(here);
    cr_assert(eq(int, left, 0), "something is new in /tmp");
}

/* A program that is done leaves no process behind, nor one that had failed. */
Test(cli, no_process_is_left)
{
    char mark[64], script[128];
    struct result result;

    snprintf(mark, sizeof mark, "mark-%d", (int)getpid());
    snprintf(script, sizeof script, "exit 0 # %s", mark);
    run(&(struct job){.argv = ARGS(JITTRACE, "-o", "/dev/null", "--", "sh",
                                   "-c", script)},
        &result);
    result_release(&result);
    expect_gone(mark);
    run(&(struct job){.argv = ARGS(JITTRACE, "-o", "/dev/null", "--", "sh",
                                   "-c", script),
                      .prepare = without_ptrace},
        &result);
    result_release(&result);
    expect_gone(mark);
}

/* --- options and operands in any order ----------------------------------- */

Test(cli, options_may_follow_the_term)
{
    const char *file = scratch(".after");
    struct buf written = {0};

    expect_run(ARGS(JITTRACE, "-4", "--format=raw", "-o", file), "-3 -2 -1\n",
               "");
    read_file(file, &written);
    cr_assert(eq(
        mem, ((struct cr_mem){buf_text(&written), written.len}),
        ((struct cr_mem){"\x48\xc7\xc0\xfc\xff\xff\xff\x48\x01\xf8\xc3", 11})));
    buf_release(&written);
    unlink(file);
    refused_args(ARGS(JITTRACE, "-4", "--form=raw"), EX_USAGE, "'--form'");
    refused_args(ARGS(JITTRACE, "4", "--", "true"), EX_USAGE, "'4'");
}

/* --- replay -------------------------------------------------------------- */

Test(cli, a_replay_shows_what_was_recorded)
{
    const char *file = scratch(".jsonl");
    const char *again = scratch(".again");
    struct buf first = {0}, second = {0};
    struct result text;

    expect_run(ARGS(JITTRACE, "--format=json", "-o", file, "-4"), "-3 -2 -1\n",
               "");
    expect_run(ARGS(JITTRACE, "--replay", file, "--format=json", "-o", again),
               "", "");
    read_file(file, &first);
    read_file(again, &second);
    cr_assert(eq(str, (char *)text_of(&second), (char *)text_of(&first)));
    run(&(struct job){.argv = ARGS(JITTRACE, "--replay", file)}, &text);
    cr_assert(eq(int, text.status, 0));
    cr_assert(eq(int, has(&text.out, "rax = -4 + 1 = -3"), 1));
    cr_assert(eq(int, has(&text.out, "-3 -2 -1\n"), 1));
    result_release(&text);
    buf_release(&first);
    buf_release(&second);
    unlink(file);
    unlink(again);
}

Test(cli, a_recorded_failure_is_no_failure_of_the_replay)
{
    const char *file = scratch(".failed");
    struct result result;

    run(&(struct job){.argv = ARGS(JITTRACE, "--format=json", "-o", file, "--",
                                   "false")},
        &result);
    cr_assert(eq(int, result.status, 1));
    result_release(&result);
    expect_run(ARGS(JITTRACE, "--replay", file), NULL, "");
    unlink(file);
}

Test(cli, replays_that_cannot_be)
{
    refused_args(ARGS(JITTRACE, "--replay=/nonexistent/trace"), EX_NOINPUT,
                 "/nonexistent/trace");
    refused_args(ARGS(JITTRACE, "--replay=README.md"), EX_DATAERR,
                 "README.md:1");
    refused_args(ARGS(JITTRACE, "--replay=x", "4"), EX_USAGE, "--replay");
    refused_args(ARGS(JITTRACE, "--replay=x", "--", "true"), EX_USAGE,
                 "--replay");
}

/* By whatever name: what is to be shown must still be there afterwards. */
Test(cli, a_recording_is_not_written_to_while_it_is_read)
{
    const char *file = scratch(".jsonl"), *hard = scratch(".hard");
    const char *soft = scratch(".soft"), *names[] = {file, hard, soft};
    struct buf before = {0}, after = {0};
    char target[PATH_MAX];

    expect_run(ARGS(JITTRACE, "--format=json", "-o", file, "-4"), NULL, "");
    read_file(file, &before);
    unlink(hard);
    unlink(soft);
    cr_assert(ne(ptr, realpath(file, target), NULL));
    cr_assert(eq(int, link(file, hard), 0));
    cr_assert(eq(int, symlink(target, soft), 0));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        refused_args(ARGS(JITTRACE, "--replay", file, "-o", names[i]),
                     EX_CANTCREAT, "is the recording");
        refused_args(ARGS(JITTRACE, "--step", "--replay", names[i], "-o", file),
                     EX_CANTCREAT, "is the recording");
    }
    refused_args(ARGS("dash", "-c", "exec \"$0\" --replay \"$1\" >>\"$1\"",
                      JITTRACE, file),
                 EX_CANTCREAT, "is the recording");
    read_file(file, &after);
    cr_assert(eq(str, (char *)buf_text(&after), (char *)buf_text(&before)));
    buf_release(&before);
    buf_release(&after);
    unlink(file);
    unlink(hard);
    unlink(soft);
}
