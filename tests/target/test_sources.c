/* SPDX-License-Identifier: MIT */
/*
 * test_sources.c - debug information may name anything for a source, and a
 * program is traced all the same.
 *
 * The programs are compiled here, for the files that they name are made here.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/support.h"

TestSuite(sources, .timeout = 60);

/* Runs a script, whose $1 and $2 are these. */
static void script(const char *text, const char *one, const char *two)
{
    struct result result;

    run(&(struct job){.argv = ARGS("dash", "-ec", text, "-", one, two)},
        &result);
    cr_assert(eq(int, result.status, 0), "%s", buf_text(&result.err));
    result_release(&result);
}

/* A program whose two stores are said to stand in that line of that file. */
static const char *program_of(const char *source, int line)
{
    const char *file = scratch(".c"), *program = scratch(".program");
    struct buf text = {0};

    buf_printf(&text,
               "#include <sys/mman.h>\n"
               "int main(void)\n"
               "{\n"
               "    volatile unsigned char *code =\n"
               "        mmap(0, 4096, PROT_READ | PROT_WRITE,\n"
               "             MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);\n"
               "#line %d \"%s\"\n"
               "    code[0] = 0xc3;\n"
               "#line 100 \"other.c\"\n"
               "    mprotect((void *)code, 4096, PROT_READ | PROT_EXEC);\n"
               "    ((void (*)(void))code)();\n"
               "    return 0;\n"
               "}\n",
               line, source);
    write_file(file, text.data, text.len, 0644);
    buf_release(&text);
    script("gcc -g -O0 -o \"$2\" \"$1\"", file, program);
    unlink(file);
    return program;
}

/* Traces it; the line that its store stands in has this text, or none. */
static void expect_line(const char *source, int line, const char *text)
{
    const char *program = program_of(source, line);
    const char *slash = strrchr(source, '/');
    const struct event *write;
    struct result result;
    struct store store;

    trace(&(struct job){.argv = ARGS("--", program)}, &store, &result);
    cr_assert(eq(int, result.status, 0));
    write = nth(&store, EVENT_WRITE, 0);
    cr_assert(ne(ptr, (void *)write, NULL));
    cr_expect(eq(str, (char *)write->source.file, (char *)slash + 1));
    cr_expect(eq(int, write->source.line, line));
    if (text)
        cr_expect(eq(str, (char *)write->source.text, (char *)text));
    else
        cr_expect(eq(ptr, (void *)write->source.text, NULL));
    result_release(&result);
    store_release(&store);
    unlink(program);
}

/* Names in debug information are relative to where the compiler ran. */
static char *whole_path(const char *name)
{
    char here[PATH_MAX], *path = NULL;

    cr_assert(ne(ptr, getcwd(here, sizeof here), NULL));
    cr_assert(lt(int, 0, asprintf(&path, "%s/%s", here, name)));
    return path;
}

/* Nobody writes to it: to open it is to wait. */
Test(sources, a_pipe)
{
    char *fifo = whole_path(scratch(".fifo"));

    unlink(fifo);
    cr_assert(eq(int, mkfifo(fifo, 0600), 0));
    expect_line(fifo, 3, NULL);
    unlink(fifo);
    free(fifo);
}

Test(sources, devices)
{
    expect_line("/dev/zero", 1, NULL);
    expect_line("/dev/tty", 2, NULL);
    expect_line("/proc/self/", 1, NULL);
}

static void write_lines(const char *name, size_t count, const char *line)
{
    FILE *out = fopen(name, "we");

    for (size_t i = 1; i <= count; i++)
        fprintf(out, line, i);
    fclose(out);
    script("touch -d 2001-01-01 \"$1\"", name, "");
}

/* 4 MiB and 2^18 lines are read; what is behind them has no text. */
Test(sources, large_ones)
{
    char *file = whole_path(scratch(".large"));

    write_lines(file, 600000, "x = %zu;\n");
    expect_line(file, 262144, "x = 262144;");
    expect_line(file, 262145, NULL);
    write_lines(file, 60000, "x = %099zu;\n"); /* 105 bytes each */
    expect_line(file, 39946, NULL);
    unlink(file);
    free(file);
}

/* A number that no line has is no place; such a recording is read, too. */
Test(sources, a_number_that_is_too_large)
{
    const char *program = program_of("/dev/null/x.c", 2000000000);
    struct result result;
    struct store store;

    trace(&(struct job){.argv = ARGS("--", program)}, &store, &result);
    cr_assert(eq(int, result.status, 0));
    cr_assert(eq(sz, count(&store, EVENT_WRITE), 1));
    result_release(&result);
    store_release(&store);
    unlink(program);
}

/* What libdw would open by itself, as soon as one text is said to be there. */
static const char link_elsewhere[] =
    "gcc -gdwarf-4 -O0 -S -o \"$2.s\" lessons/06-babyjit/babyjit.c\n"
    "awk 'was && $2 == \"0xe\" { $2 = \"0x1f21\"; was = 0 }\n"
    "     { was = $2 == \"0x1b\" } 1' \"$2.s\" >\"$2.new.s\"\n"
    "! cmp -s \"$2.s\" \"$2.new.s\"\n"
    "gcc -o \"$2\" \"$2.new.s\"\n"
    "printf '%s\\0%020d' \"$1\" 0 >\"$2.link\"\n"
    "objcopy --add-section .gnu_debugaltlink=\"$2.link\" \"$2\" 2>/dev/null\n"
    "rm -f \"$2.s\" \"$2.new.s\" \"$2.link\"\n";

Test(sources, debug_information_elsewhere)
{
    char *fifo = whole_path(scratch(".fifo"));
    const char *program = scratch(".program");
    struct result result;
    struct store store;

    unlink(fifo);
    cr_assert(eq(int, mkfifo(fifo, 0600), 0));
    script(link_elsewhere, fifo, program);
    trace(&(struct job){.argv = ARGS("--", program, "-4")}, &store, &result);
    cr_assert(eq(int, result.status, 0));
    cr_assert(eq(sz, count(&store, EVENT_WRITE), 11));
    result_release(&result);
    store_release(&store);
    unlink(program);
    unlink(fifo);
    free(fifo);
}
