/* SPDX-License-Identifier: MIT */
/*
 * One loop: ask, take a line, encode it, show its fields, run it, show what it
 * did, ask again. States are kept, one for each line that ran, so that a line
 * can be taken back.
 */
#include "play/play.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "play/assemble.h"
#include "play/prompt.h"
#include "play/show.h"
#include "tell/code.h"
#include "trace/sink.h"

#define HELP_COLUMN 25u
#define MOMENTS     1000u /* so many lines can be taken back */

/* After a line; the first one before all lines. */
struct moment {
    struct play_state state;
    size_t length; /* of the code so far */
};

struct play {
    struct driver *driver;
    FILE *out;
    struct pen pen; /* what comes next */
    struct prompt prompt;
    play_start *start;
    void *context;
    enum assembler assembler;
    bool assembler_told;
    struct moment **moments; /* the last one is now */
    size_t count, capacity;
    struct buf code; /* of all lines that came to their end */
    unsigned wrong;  /* lines that were */
    bool quits;
    int end; /* 0, or as play() returns */
    struct err *err;
};

static void put(struct play *play)
{
    const bool color = play->pen.color;

    if (!play->end)
        play->end = sink_write(play->out, play->pen.out.data, play->pen.out.len,
                               play->err);
    pen_release(&play->pen);
    play->pen = (struct pen){.color = color};
}

/* What was wrong with a line. */
static void complain(struct play *play, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void complain(struct play *play, const char *format, ...)
{
    struct buf text = {0};
    va_list args;

    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    pen_words(&play->pen, ROLE_WARNING, 0, buf_text(&text));
    buf_release(&text);
    play->wrong++;
}

static struct play_state *now(struct play *play)
{
    return &play->moments[play->count - 1]->state;
}

/* Makes a new moment, as the last one is. */
static struct moment *go_on(struct play *play)
{
    struct moment *moment =
        mem_copy(play->moments[play->count - 1], sizeof *moment);

    if (play->count == MOMENTS) {
        free(play->moments[0]);
        memmove(play->moments, play->moments + 1,
                --play->count * sizeof *play->moments);
    }
    play->moments = mem_grow(play->moments, play->count, &play->capacity,
                             sizeof *play->moments);
    play->moments[play->count++] = moment;
    return moment;
}

static void go_back(struct play *play)
{
    free(play->moments[--play->count]);
    play->code.len = play->moments[play->count - 1]->length;
}

/* --- commands ------------------------------------------------------------ */

/* Reads a number: decimal or 0x and hex, with a minus sign or not. */
static bool take_number(const char *text, uint64_t *value)
{
    const char *digits = text + (*text == '-');
    char *end;

    errno = 0;
    *value = strtoull(digits, &end, 0);
    if (*text == '-')
        *value = -*value;
    return isdigit((unsigned char)*digits) && !*end && !errno;
}

/* "rax=5" or "zf=1"; else complains. */
static void set_register(struct play *play, struct play_state *state,
                         const char *text)
{
    const char *equals = strchr(text, '=');
    struct buf name = {0};
    uint64_t value = 0, flag;
    enum reg reg;

    buf_append(&name, text, equals ? (size_t)(equals - text) : strlen(text));
    for (size_t i = 0; i < name.len; i++)
        name.data[i] = (uint8_t)tolower(name.data[i]);
    reg = reg_find(buf_text(&name));
    flag = flag_find(buf_text(&name)) & play_flags();
    if (!equals || !take_number(equals + 1, &value))
        complain(play,
                 ":regs takes NAME=NUMBER, as rax=5, rdi=-4, rcx=0x10 or zf=1; "
                 "not '%s'",
                 text);
    else if (reg >= REG_GENERAL && (!flag || value > 1))
        complain(play,
                 flag ? "the flag %s can be 0 or 1"
                      : "there is no register '%s' to set; rax to r15 and the "
                        "flags cf pf af zf sf df of can be",
                 buf_text(&name));
    else if (reg < REG_GENERAL)
        state->regs.value[reg] = value;
    else if (value)
        state->regs.value[REG_FLAGS] |= flag;
    else
        state->regs.value[REG_FLAGS] &= ~flag;
    buf_release(&name);
}

static void command_regs(struct play *play, char *argument)
{
    const unsigned wrong = play->wrong;
    char *rest = NULL, *word = strtok_r(argument, " \t,", &rest);

    if (word)
        go_on(play);
    for (; word; word = strtok_r(NULL, " \t,", &rest))
        set_register(play, now(play), word);
    if (play->wrong > wrong)
        go_back(play); /* all of them, or none */
    else
        show_state(&play->pen, now(play));
}

/* The bytes at an address of the two areas that are kept. */
static void command_mem(struct play *play, char *argument)
{
    const struct play_state *state = now(play);
    const struct {
        uint64_t addr;
        struct bytes bytes;
    } areas[] = {{PLAY_DATA, {state->data, sizeof state->data}},
                 {PLAY_STACK, {state->stack, sizeof state->stack}}};
    char *rest = NULL, *first = strtok_r(argument, " \t", &rest);
    char *second = strtok_r(NULL, " \t", &rest);
    uint64_t addr = PLAY_DATA, length = 64, at;
    struct buf lines = {0};

    if (first && !take_number(first, &addr)) {
        if (reg_find(first) < REG_GENERAL)
            addr = state->regs.value[reg_find(first)];
        else
            length = 0;
    }
    if (second && !take_number(second, &length))
        length = 0;
    for (size_t i = 0; i < sizeof areas / sizeof *areas; i++) {
        at = addr - areas[i].addr;
        if (at >= areas[i].bytes.len)
            continue;
        if (length > areas[i].bytes.len - at)
            length = areas[i].bytes.len - at;
        hexdump_append((struct bytes){areas[i].bytes.data + at, length}, addr,
                       &lines);
    }
    if (lines.len == 0)
        complain(play,
                 ":mem takes an address, or a register that has one, and how "
                 "many bytes: the data are at 0x%x, the stack from 0x%x to "
                 "0x%x",
                 PLAY_DATA, PLAY_STACK, PLAY_STACK + PLAY_STACK_SIZE);
    pen_lines(&play->pen, &lines);
    buf_release(&lines);
}

static void command_undo(struct play *play, char *argument)
{
    (void)argument;
    if (play->count == 1) {
        complain(play, "there is nothing to undo");
        return;
    }
    go_back(play);
    show_state(&play->pen, now(play));
}

static void command_list(struct play *play, char *argument)
{
    struct insn insn;
    int found;

    (void)argument;
    for (size_t at = 0; at<play->code.len; at += found> 0 ? insn.length : 1) {
        found = insn_decode(play->code.data + at, play->code.len - at,
                            PLAY_CODE + at, &insn);
        pen_print(&play->pen, ROLE_ADDRESS, "+%zu", at);
        pen_column(&play->pen, 5);
        for (size_t i = 0; i < (found > 0 ? insn.length : 1); i++)
            pen_print(&play->pen, ROLE_BYTE, "%02x ", play->code.data[at + i]);
        pen_gap(&play->pen, 28);
        pen_text(&play->pen, ROLE_MNEMONIC,
                 found > 0 ? insn.text : "(no instruction)");
        pen_end(&play->pen);
    }
    if (play->code.len == 0)
        pen_words(&play->pen, ROLE_PLAIN, 0, "no code yet");
}

static void command_save(struct play *play, char *argument)
{
    FILE *file = *argument ? fopen(argument, "we") : NULL;
    bool written = file && fwrite(play->code.data, 1, play->code.len, file) ==
                               play->code.len;

    if (file && fclose(file) != 0)
        written = false;
    if (!*argument) {
        complain(play, ":save takes the name of a file");
    } else if (!written) {
        complain(play, "cannot write to '%s': %s", argument, strerror(errno));
    } else {
        pen_line(&play->pen, ROLE_PLAIN,
                 "%zu bytes are in %s; to see them:", play->code.len, argument);
        pen_line(&play->pen, ROLE_PLAIN, "objdump -D -b binary %s %s",
                 ARCH_OBJDUMP, argument);
    }
}

static void command_reset(struct play *play, char *argument)
{
    (void)argument;
    go_on(play)->length = 0;
    play_state_init(now(play));
    play->code.len = 0;
    pen_words(&play->pen, ROLE_PLAIN, 0,
              "All registers and the memory are as at first, and there is no "
              "code.");
}

static void command_quit(struct play *play, char *argument)
{
    (void)argument;
    play->quits = true;
}

static void command_help(struct play *play, char *argument);

static const struct {
    const char *word;
    const char *argument;
    const char *help;
    void (*obey)(struct play *play, char *argument);
} commands[] = {
    {"regs", "[NAME=NUMBER]...", "show the registers, or set some: rax=5 zf=1",
     command_regs},
    {"mem", "[WHERE [LENGTH]]",
     "show memory: an address, or a register that has one", command_mem},
    {"list", "", "show the code of all lines so far", command_list},
    {"undo", "", "take the last line back, and what it has done", command_undo},
    {"save", "FILE", "write that code to a file, bare bytes", command_save},
    {"reset", "", "begin again", command_reset},
    {"help", "", "show this", command_help},
    {"quit", "", "end; Ctrl-D does it, too", command_quit},
};
#define COMMANDS (sizeof commands / sizeof *commands)

static void command_help(struct play *play, char *argument)
{
    struct pen *pen = &play->pen;

    (void)argument;
    pen_words(pen, ROLE_PLAIN, 0,
              "An instruction, in the syntax of NASM: mov rax, -4. Several "
              "with ; between them, and labels: "
              "mov ecx, 3; L: dec ecx; jnz L. Bytes in hex: 48 01 f8.");
    pen_words(pen, ROLE_PLAIN, 0,
              "Each line runs in a process of its own, which begins with the "
              "registers and the memory that the line before has left: xmm "
              "registers, too, but not the upper halves of ymm. A line that "
              "crashes leaves all as it was.");
    pen_print(pen, ROLE_PLAIN,
              "The code is at 0x%x, a page of data at 0x%x (its name is "
              "data),",
              PLAY_CODE, PLAY_DATA);
    pen_end(pen);
    pen_line(pen, ROLE_PLAIN,
             "the stack from 0x%x to 0x%x; [rsp] is a return address.",
             PLAY_STACK, PLAY_STACK + PLAY_STACK_SIZE);
    for (size_t i = 0; i < COMMANDS; i++) {
        pen_column(pen, 2);
        pen_print(pen, ROLE_KEY, ":%s", commands[i].word);
        pen_print(pen, ROLE_NOTE, " %s", commands[i].argument);
        pen_gap(pen, HELP_COLUMN);
        pen_words(pen, ROLE_PLAIN, HELP_COLUMN, commands[i].help);
    }
}

/* Obeys a command, with its colon or, where it stands alone, without. Returns
 * false if it is none. */
static bool obey(struct play *play, char *line)
{
    const bool colon = *line == ':';
    char *word = line + colon, *end;
    size_t len;

    len = strcspn(word, " \t");
    end = word + len + strspn(word + len, " \t");
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strlen(commands[i].word) == len &&
            strncmp(commands[i].word, word, len) == 0 && (colon || !*end)) {
            if (*end && !*commands[i].argument)
                complain(play, "nothing can stand behind :%s",
                         commands[i].word);
            else
                commands[i].obey(play, end);
            return true;
        }
    }
    if (colon)
        complain(play, "there is no command '%.*s'; :help lists them",
                 (int)len + 1, line);
    return colon;
}

/* --- a line of code ------------------------------------------------------ */

/* Whether bytes that were typed are whole instructions, as far as they are any:
 * else what is behind them would be taken as a part of the last one. */
static bool is_whole(const struct buf *code)
{
    struct insn insn;
    int found = 1;

    for (size_t at = 0; at < code->len && found;
         at += found > 0 ? insn.length : 1)
        found = insn_decode(code->data + at, code->len - at, 0, &insn);
    return found;
}

/* nasm takes the shorter of two instructions that do the same, which surprises
 * who wants to see the other one. */
static void note_shorter(struct play *play, const char *line,
                         const struct buf *code)
{
    const char *operand = line + strcspn(line, " \t");
    const struct insn_operand *to;
    struct insn insn;
    size_t len;

    operand += strspn(operand, " \t");
    len = strcspn(operand, " \t,");
    if (strncasecmp(line, "mov", 3) != 0 ||
        insn_decode(code->data, code->len, PLAY_CODE, &insn) <= 0)
        return;
    to = &insn.operands[0];
    if (insn.length != code->len || to->kind != OPERAND_REGISTER ||
        to->bits != 32 || strlen(reg_name(to->reg)) != len ||
        strncasecmp(operand, reg_name(to->reg), len) != 0)
        return;
    pen_print(&play->pen, ROLE_NOTE, "%s is the shorter form: ", insn.text);
    pen_words(&play->pen, ROLE_NOTE, 0,
              "a result of 32 bits clears the upper half, too. The long one is "
              "typed with strict dword before the number.");
}

/* Encodes the line. Returns false with the complaint made. */
static bool encode(struct play *play, const char *line, struct buf *code)
{
    struct buf message = {0};
    int result =
        assemble(play->assembler, line, PLAY_CODE, PLAY_DATA, code, &message);
    const unsigned wrong = play->wrong;

    if (result < 0)
        complain(play, "%s", buf_text(&message));
    else if (code->len == 0)
        complain(play, "there is nothing to run: '%s' is no instruction", line);
    else if (code->len > PLAY_PAGE)
        complain(play, "these are %zu bytes, more than a page", code->len);
    else if (result == 1 && !is_whole(code))
        complain(play, "more bytes belong to the last instruction");
    else if (message.len > 0)
        pen_words(&play->pen, ROLE_WARNING, 0, buf_text(&message));
    buf_release(&message);
    return play->wrong == wrong;
}

/* What is known of the assembler, once. */
static void tell_assembler(struct play *play)
{
    if (!play->assembler_told && play->assembler == ASSEMBLER_GAS)
        pen_words(&play->pen, ROLE_NOTE, 0,
                  "nasm is not installed (Debian: apt-get install nasm); as, "
                  "of the GNU binutils, stands in for it, and takes a few "
                  "things otherwise.");
    play->assembler_told = true;
}

static void try_line(struct play *play, const char *line)
{
    struct buf code = {0};
    struct bytes bytes;
    struct run run;

    tell_assembler(play);
    if (!encode(play, line, &code))
        goto done;
    bytes = (struct bytes){code.data, code.len};
    show_fields(&play->pen, bytes);
    if (play->assembler == ASSEMBLER_NASM)
        note_shorter(play, line, &code);
    put(play);
    go_on(play);
    if (run_code(now(play), bytes, play->start, play->context, play->driver,
                 &run, play->err) < 0) {
        play->end = -1;
    } else {
        if (run.signal)
            play->end = run.signal;
        show_run(&play->pen, &run);
    }
    if (!play->end && (run.end == RUN_DONE || run.end == RUN_RETURNED)) {
        buf_append(&play->code, code.data, code.len);
        play->moments[play->count - 1]->length = play->code.len;
    } else {
        go_back(play);
    }
    run_release(&run);
done:
    buf_release(&code);
}

int play(struct driver *driver, FILE *out, bool color, play_start *start,
         void *context, struct err *err)
{
    struct play play = {.driver = driver,
                        .out = out,
                        .pen = {.color = color},
                        .start = start,
                        .context = context,
                        .assembler = assembler_find(),
                        .err = err};
    struct buf line = {0};
    enum prompt_end end;
    int signal;

    prompt_init(&play.prompt, "play>", driver, out, color);
    play.moments = mem_grow(NULL, 0, &play.capacity, sizeof *play.moments);
    play.moments[play.count++] = mem_alloc(sizeof(struct moment));
    play_state_init(now(&play));
    if (play.prompt.is_terminal)
        pen_words(&play.pen, ROLE_PLAIN, 0,
                  "Type an instruction, as mov rax, -4, or bytes in hex, as 48 "
                  "01 f8. :help tells more, Ctrl-D ends.");
    put(&play);
    while (!play.end && !play.quits) {
        end = prompt_read(&play.prompt, &line, &signal, err);
        if (end == PROMPT_END)
            break;
        if (end == PROMPT_SIGNAL)
            play.end = signal;
        if (end == PROMPT_FAILED)
            play.end = -1;
        if (end == PROMPT_LINE && line.len > 0 && *line.data != ';' &&
            !obey(&play, (char *)buf_text(&line)))
            try_line(&play, buf_text(&line));
        put(&play);
    }
    if (!play.end && play.wrong && !play.prompt.is_terminal)
        play.end = err_set(err, ERR_DATA,
                           play.wrong == 1 ? "%u line could not be understood"
                                           : "%u lines could not be understood",
                           play.wrong);
    while (play.count > 0)
        free(play.moments[--play.count]);
    free(play.moments);
    buf_release(&play.code);
    buf_release(&line);
    pen_release(&play.pen);
    prompt_release(&play.prompt);
    return play.end;
}
