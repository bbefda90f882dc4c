/* SPDX-License-Identifier: MIT */
/*
 * An assembler is run in a directory of its own, which is gone afterwards: it
 * reads `in` and writes `out`. It gets two seconds and 1 MiB, for `times` and
 * %rep ask for as much as they like.
 *
 * nasm and as differ in what a learner writes on a line in few things only;
 * those are exchanged word by word (exchanged[]).
 */
#include "play/assemble.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MESSAGE 300 /* bytes of it, after which no more is added */

/* Where less is allowed already, that holds. */
#define LIMITS "ulimit -t 2 2>/dev/null; ulimit -f 2048 2>/dev/null; "

/* With the directory in front and what it prints read by us. */
static const struct {
    const char *name;
    const char *command;
} assemblers[] = {
    [ASSEMBLER_NASM] = {"nasm", "nasm -f bin -o out in 2>&1"},
    [ASSEMBLER_GAS] = {"as", "as -o object in 2>&1 && "
                             "objcopy -O binary -j .text object out 2>&1"},
};

/* Words of nasm, and what as has for them. */
static const struct {
    const char *word;
    const char *other;
} exchanged[] = {
    {"byte", "byte ptr"},   {"word", "word ptr"}, {"dword", "dword ptr"},
    {"qword", "qword ptr"}, {"rel", "rip +"},     {"$", "."},
    {"db", ".byte"},        {"dw", ".word"},      {"dd", ".long"},
    {"dq", ".quad"},        {"strict", ""},
};

enum assembler assembler_find(void)
{
    enum assembler with = ASSEMBLER_NASM;
    char text[64];

    for (; with < ASSEMBLER_NONE; with++) {
        FILE *pipe;

        /* A redirection takes the shell a descriptor above 9, which it may not
         * have; so what it prints is read, and thrown away. */
        snprintf(text, sizeof text, "command -v %s", assemblers[with].name);
        pipe = popen(text, "re");
        while (pipe && fread(text, 1, sizeof text, pipe) > 0)
            ;
        if (pipe && pclose(pipe) == 0)
            break;
    }
    return with;
}

/* --- bytes in hex -------------------------------------------------------- */

/* "48 c7 c0", "48c7c0", "0x48, 0xc7". Returns false if it is not that: `fadd`
 * is an instruction, though all its letters are digits. */
static bool take_hex(const char *line, struct buf *code)
{
    size_t before = code->len, len;
    const char *at = line;

    for (; at += strspn(at, " \t,"), *at; at += len) {
        if (strncmp(at, "0x", 2) == 0)
            at += 2;
        len = strspn(at, "0123456789abcdefABCDEF");
        if (len == 0 || len % 2 || !strchr(" \t,", at[len]) ||
            strncmp(at, "fadd", 4) == 0)
            break;
        for (size_t i = 0; i < len; i += 2) {
            char digits[] = {at[i], at[i + 1], '\0'};
            uint8_t byte = (uint8_t)strtoul(digits, NULL, 16);

            buf_append(code, &byte, 1);
        }
    }
    if (!*at)
        return code->len > before;
    code->len = before;
    return false;
}

/* --- statements ---------------------------------------------------------- */

/* Appends a statement for as. */
static void exchange(const char *text, size_t len, struct buf *out)
{
    for (size_t at = 0; at < len;) {
        size_t word = 0;
        const char *other = NULL;

        while (at + word < len && (isalnum((unsigned char)text[at + word]) ||
                                   strchr("_.$", text[at + word])))
            word++;
        for (size_t i = 0; word > 0 && i < sizeof exchanged / sizeof *exchanged;
             i++)
            if (strlen(exchanged[i].word) == word &&
                strncasecmp(exchanged[i].word, text + at, word) == 0)
                other = exchanged[i].other;
        if (other)
            buf_append_text(out, other);
        else
            buf_append(out, text + at, word ? word : 1);
        at += word ? word : 1;
    }
}

/* The file for the assembler: a line before, then a statement on each. */
static void write_statements(enum assembler with, const char *line,
                             uint64_t addr, uint64_t data, struct buf *out)
{
    const char *end;
    char quote;

    if (with == ASSEMBLER_NASM)
        buf_printf(out,
                   "bits 64\norg 0x%" PRIx64 "\ndata equ 0x%" PRIx64
                   "\n%%line 1 line\n",
                   addr, data);
    else
        buf_printf(out, ".intel_syntax noprefix; .set data, 0x%" PRIx64 "\n",
                   data);
    for (;; line = end + 1) {
        quote = 0;
        for (end = line; *end && (quote || *end != ';'); end++)
            if (strchr("'\"`", *end) && (!quote || quote == *end))
                quote = quote ? 0 : *end;
        if (with == ASSEMBLER_NASM)
            buf_append(out, line, (size_t)(end - line));
        else
            exchange(line, (size_t)(end - line), out);
        buf_append_text(out, "\n");
        if (!*end)
            return;
    }
}

/* --- the assembler ------------------------------------------------------- */

/* Takes over what an assembler has printed, once, without where it says that was:
 * "in:2: error: invalid combination" becomes "invalid combination". */
static void take_message(const char *text, struct buf *message)
{
    static const char *const kinds[] = {
        "error: ", "warning: ", "Error: ", "Warning: ", "fatal: "};
    const char *words = NULL, *end;
    struct buf said = {0};

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && !words; i++)
        if ((words = strstr(text, kinds[i])))
            words += strlen(kinds[i]);
    /* Other lines only say in which file. */
    if (!words)
        return;
    /* nasm ends a warning with the option for it: " [-w+number-overflow]". */
    end = strstr(words, " [-w");
    buf_append(&said, words,
               end ? (size_t)(end - words) : strcspn(words, "\n"));
    if (message->len < MESSAGE && !strstr(buf_text(message), buf_text(&said)))
        buf_printf(message, "%s%s", message->len > 0 ? "; " : "",
                   buf_text(&said));
    buf_release(&said);
}

/* Reads what the assembler made. Returns false where there is nothing. */
static bool take_output(const char *name, struct buf *code)
{
    FILE *file = fopen(name, "re");
    uint8_t bytes[4096];
    size_t got;

    while (file && (got = fread(bytes, 1, sizeof bytes, file)) > 0)
        buf_append(code, bytes, got);
    if (file)
        fclose(file);
    return file;
}

static int run_in(const char *directory, enum assembler with,
                  const struct buf *statements, struct buf *code,
                  struct buf *message)
{
    struct buf command = {0}, name = {0};
    char text[512];
    FILE *file, *pipe;
    bool written;
    int status = -1;

    buf_printf(&name, "%s/in", directory);
    file = fopen(buf_text(&name), "we");
    written = file && fwrite(statements->data, 1, statements->len, file) ==
                          statements->len;
    if (file && fclose(file) != 0)
        written = false;
    if (!written) {
        buf_printf(message, "cannot write to %s: %s", directory,
                   strerror(errno));
        goto done;
    }
    buf_printf(&command, LIMITS "cd '%s' && %s", directory,
               assemblers[with].command);
    pipe = popen(buf_text(&command), "re");
    while (pipe && fgets(text, sizeof text, pipe))
        take_message(text, message);
    status = pipe ? pclose(pipe) : -1;
    buf_clear(&name);
    buf_printf(&name, "%s/out", directory);
    if (status == 0 && take_output(buf_text(&name), code))
        goto done;
    if (message->len == 0)
        buf_printf(message, "%s made nothing of it", assemblers[with].name);
    status = -1;
done:
    buf_release(&command);
    buf_release(&name);
    return status;
}

/* A directory that only we can see, in that of TMPDIR if its name is one that a
 * shell takes as it is, or where else there is room. Returns false with errno,
 * and the last name that was tried, if there is none. */
static bool make_directory(struct buf *name)
{
    const char *const parents[] = {getenv("TMPDIR"), "/tmp", "/var/tmp"};
    bool made = false;

    for (size_t i = 0; i < sizeof parents / sizeof *parents && !made; i++) {
        if (!parents[i] || *parents[i] != '/' || strchr(parents[i], '\''))
            continue;
        buf_clear(name);
        buf_printf(name, "%s/jittrace-XXXXXX", parents[i]);
        made = mkdtemp((char *)buf_text(name));
    }
    return made;
}

static void remove_directory(const char *name)
{
    static const char *const files[] = {"in", "object", "out"};
    struct buf path = {0};

    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        buf_clear(&path);
        buf_printf(&path, "%s/%s", name, files[i]);
        unlink(buf_text(&path));
    }
    rmdir(name);
    buf_release(&path);
}

int assemble(enum assembler with, const char *line, uint64_t addr,
             uint64_t data, struct buf *code, struct buf *message)
{
    struct buf statements = {0}, directory = {0};
    int result = -1;

    if (take_hex(line, code))
        return 1;
    if (with == ASSEMBLER_NONE) {
        buf_append_text(message,
                        "there is no assembler here: neither nasm nor as; "
                        "install nasm (Debian: apt-get install nasm). Bytes in "
                        "hex can be typed without one, as 48 c7 c0 05 00 00 "
                        "00");
        return -1;
    }
    write_statements(with, line, addr, data, &statements);
    if (make_directory(&directory)) {
        result = run_in(buf_text(&directory), with, &statements, code, message);
        remove_directory(buf_text(&directory));
    } else {
        buf_printf(message, "cannot make the directory %s: %s",
                   buf_text(&directory), strerror(errno));
    }
    buf_release(&statements);
    buf_release(&directory);
    return result;
}
