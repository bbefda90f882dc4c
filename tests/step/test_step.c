/* SPDX-License-Identifier: MIT */
/*
 * Stepping on the whole terminal, as its reader does it: keys in, cells out.
 *
 * jittrace runs on a terminal of the test (terminal.h) and traces real
 * programs. What is shown is compared with the files in tests/golden; make
 * rebase writes them anew. What differs from run to run is masked there, digit
 * by digit, so that columns stay where they are.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "support/support.h"
#include "support/terminal.h"

/* What a reader gives is an enum command, what a test runs a struct job. */
#include "screen/command.h"

TestSuite(step, .timeout = 30);

/* Events of every run of the baby JIT. */
enum {
    FIRST_STORE = 2,
    MPROTECT = 13,
    FIRST_CALL = 14,
    FIRST_MOV = 15,
    FIRST_ADD = 16,
    SECOND_ADD = 21,
    LAST = 31,
};

#define MINUS_FOUR ARGS(JITTRACE, "--step", "-4")

/* --- starting, and where one is ------------------------------------------ */

/* Whether the first row says that this event is shown: "event 14/31". */
static bool is_at(struct tty *tty, const void *data)
{
    char text[32];

    snprintf(text, sizeof text, " %u/", *(const unsigned *)data);
    return tty_row_shows(tty, 0, text);
}

static void wait_event(struct tty *tty, unsigned event)
{
    char what[32];

    snprintf(what, sizeof what, "event %u", event);
    tty_wait(tty, is_at, &event, what);
}

/* It opens at the first event that has something to show; most tests begin one
 * before it. */
static void start_command(struct tty *tty, const struct job *command,
                          unsigned rows, unsigned columns)
{
    tty_start(tty, command, rows, columns);
    wait_event(tty, 1);
    tty_type(tty, "\033OH");
    wait_event(tty, 0);
}

static void start(struct tty *tty, const char *const *argv)
{
    start_command(tty, &(struct job){.argv = argv}, 24, 80);
}

/* Types, and the event must be shown then. */
static void go(struct tty *tty, const char *keys, unsigned event)
{
    tty_type(tty, keys);
    wait_event(tty, event);
}

static void go_to(struct tty *tty, unsigned event)
{
    char keys[32];

    snprintf(keys, sizeof keys, "g%u\r", event);
    go(tty, keys, event);
}

/* It has ended so, nothing of it is left, and the terminal is as it was. */
static void expect_end(struct tty *tty, int status)
{
    cr_assert(eq(int, tty_wait_end(tty), status));
    tty_wait_alone(tty);
    tty_expect_restored(tty);
    tty_release(tty);
}

static void quit(struct tty *tty)
{
    tty_settle(tty);
    tty_type(tty, "q");
    expect_end(tty, 0);
}

static char *screen_text(struct tty *tty)
{
    struct buf text = {0};

    tty_text(tty, &text);
    buf_text(&text);
    return (char *)text.data;
}

static void expect_screen(struct tty *tty, char *expected)
{
    char *text = screen_text(tty);

    cr_assert(eq(str, text, expected));
    free(text);
}

/* The last row: keys, a message or a prompt. */
static void wait_last(struct tty *tty, const char *text)
{
    tty_wait_row(tty, tty->rows - 1, text);
}

/* --- golden screens ------------------------------------------------------ */

static const char hex_digits[] = "0123456789abcdef";

/* Where the page of code is, in hex; or NULL if there is none. */
static const char *page_digits(const char *text)
{
    const char *page = strstr(text, " page 0x");

    return page && strspn(page + 8, hex_digits) == 12 ? page + 8 : NULL;
}

/*
 * An address has 12 digits and begins with 7e or 7f (what mmap gives, and the
 * stack) or 55 or 56 (the program). The last three digits say something only
 * within the page of code.
 */
static void mask_address(char *digits, const char *page)
{
    bool high = digits[0] == '7' && strchr("ef", digits[1]);
    bool low = digits[0] == '5' && strchr("56", digits[1]);
    bool in_page = page && memcmp(digits, page, 9) == 0;

    if (!high && !low)
        return;
    memcpy(digits, high ? "7fxxxxxxx" : "55xxxxxxx", 9);
    if (!in_page)
        memcpy(digits + 9, "xxx", 3);
}

/* A system call leaves the flags of the moment in r11 (SDM 2B, SYSCALL). */
static void mask_r11(char *text)
{
    char *value = strstr(text, "r11 0x");

    if (value)
        memset(value + 6, 'x', strspn(value + 6, hex_digits));
}

static void mask_addresses(char *text)
{
    char page[13] = "";
    const char *at = page_digits(text);

    mask_r11(text);
    if (at)
        memcpy(page, at, 12);
    while (*text) {
        size_t len = strspn(text, hex_digits);

        if (len == 12)
            mask_address(text, at ? page : NULL);
        /* A word of the stack, behind its address. */
        if (len == 16 && !strncmp(text - 5, "x  0x", 5))
            memset(text, 'x', len);
        text += len + (text[len] != 0);
    }
}

/*
 * How long a process ID is changes from run to run, and so where the lines
 * below it are broken. They become one line.
 */
static void mask_process(char *text, struct buf *out)
{
    char *number = strstr(text, "process "), *next, *end;

    if (!number || !(next = strstr(number, "Next:"))) {
        buf_append_text(out, text);
        return;
    }
    number += strlen("process ");
    end = number + strspn(number, "0123456789");
    buf_append(out, text, (size_t)(number - text));
    buf_append_text(out, "N");
    for (char *at = end; at < next; at++)
        if (*at != '\n')
            buf_append(out, at, 1);
        else if (at[1] != '\n' && at + 1 < next)
            buf_append_text(out, " ");
    buf_printf(out, "\n%s", next);
}

static void add_screen(struct tty *tty, struct buf *out)
{
    char *text = screen_text(tty);

    mask_addresses(text);
    mask_process(text, out);
    for (unsigned i = 0; i < tty->columns; i++)
        buf_append_text(out, "=");
    buf_append_text(out, "\n");
    free(text);
}

/* What the C library leaves in registers is a value, as long as it may be. */
static void drop_values(char *text)
{
    char *out = text;

    for (; *text; text++)
        if (!strchr("0123456789abcdefx ", *text))
            *out++ = *text;
    *out = 0;
}

static void expect_golden(const char *path, struct buf *got)
{
    struct buf want = {0};

    if (getenv("JITTRACE_REBASE"))
        write_file(path, got->data, got->len, 0644);
    read_file(path, &want);
    if (strcmp(buf_text(got), buf_text(&want)) != 0 && other_libc(path)) {
        drop_values((char *)got->data);
        drop_values((char *)want.data);
    }
    cr_assert(eq(str, (char *)buf_text(got), (char *)buf_text(&want)),
              "%s differs; is it meant to?", path);
    buf_release(&want);
}

/* Each stage, reached by its key. */
static void check_stages(const char *term, const char *path)
{
    static const unsigned stages[] = {1, FIRST_STORE, MPROTECT, FIRST_CALL};
    struct buf got = {0};
    struct tty tty;

    start(&tty, ARGS(JITTRACE, "--step", term));
    add_screen(&tty, &got);
    for (size_t i = 0; i < sizeof stages / sizeof *stages; i++) {
        go(&tty, "]", stages[i]);
        add_screen(&tty, &got);
    }
    quit(&tty);
    expect_golden(path, &got);
    buf_release(&got);
}

Test(step, stages_of_minus_four)
{
    check_stages("-4", "tests/golden/step-4.txt");
}

Test(step, stages_of_one)
{
    check_stages("1", "tests/golden/step1.txt");
}

/* Two moments on a screen of another size: the seventh byte, and an add. */
static void check_size(unsigned rows, unsigned columns, const char *path)
{
    struct buf got = {0};
    struct tty tty;

    start_command(&tty, &(struct job){.argv = MINUS_FOUR}, rows, columns);
    go_to(&tty, FIRST_STORE + 6);
    add_screen(&tty, &got);
    go(&tty, "/add\ry", FIRST_ADD);
    add_screen(&tty, &got);
    quit(&tty);
    expect_golden(path, &got);
    buf_release(&got);
}

Test(step, at_40_columns)
{
    check_size(20, 40, "tests/golden/step-4-40x20.txt");
}

Test(step, at_110_columns)
{
    check_size(30, 110, "tests/golden/step-4-110x30.txt");
}

Test(step, at_160_columns)
{
    check_size(50, 160, "tests/golden/step-4-160x50.txt");
}

Test(step, at_200_columns)
{
    check_size(60, 200, "tests/golden/step-4-200x60.txt");
}

/* --- every key of the table ---------------------------------------------- */

/* One of a command's keys. */
struct press {
    char letter; /* or 0: */
    VTermKey key;
};

static void press(struct tty *tty, struct press press)
{
    if (press.letter)
        tty_type(tty, (char[]){press.letter, 0});
    else
        tty_press(tty, press.key);
}

static void press_to(struct tty *tty, struct press key, unsigned event)
{
    press(tty, key);
    wait_event(tty, event);
}

static void try_NEXT(struct tty *tty, struct press key)
{
    press_to(tty, key, 1);
    press_to(tty, key, FIRST_STORE);
    tty_wait_text(tty, "code[0] = 0x48");
    /* Within what was recorded, too. */
    go(tty, "b", 1);
    press_to(tty, key, FIRST_STORE);
    /* And never behind the end. */
    go(tty, "r", LAST);
    press(tty, key);
    wait_last(tty, "the program has ended");
    wait_event(tty, LAST);
}

static void try_BACK(struct tty *tty, struct press key)
{
    go(tty, "nn", FIRST_STORE);
    press_to(tty, key, 1);
    press_to(tty, key, 0);
    press(tty, key);
    wait_last(tty, "this is the first event");
    wait_event(tty, 0);
    go(tty, "r", LAST);
    press_to(tty, key, LAST - 1);
}

static void try_STAGE_NEXT(struct tty *tty, struct press key)
{
    press_to(tty, key, 1);
    tty_wait_row(tty, 0, "[2 mmap]");
    press_to(tty, key, FIRST_STORE);
    tty_wait_row(tty, 0, "[3 byte writes]");
    press_to(tty, key, MPROTECT);
    tty_wait_row(tty, 0, "[4 mprotect]");
    press_to(tty, key, FIRST_CALL);
    tty_wait_row(tty, 0, "[5 call]");
    press(tty, key);
    wait_last(tty, "not there up to event 14; y lets the program run on");
    tty_type(tty, "y");
    wait_last(tty, "there is no stage after this one");
    wait_event(tty, FIRST_CALL);
}

static void try_STAGE_BACK(struct tty *tty, struct press key)
{
    go_to(tty, FIRST_ADD);
    press_to(tty, key, FIRST_CALL);
    press_to(tty, key, MPROTECT);
    press_to(tty, key, FIRST_STORE);
    press_to(tty, key, 1);
    press_to(tty, key, 0);
    press(tty, key);
    wait_last(tty, "this is the first event");
}

static void try_GOTO(struct tty *tty, struct press key)
{
    press(tty, key);
    wait_last(tty, "goto event:");
    tty_type(tty, "19");
    wait_last(tty, "goto event: 19");
    cr_assert(eq(int, tty_cursor(tty).row, 23));
    cr_assert(eq(int, tty_cursor(tty).col, (int)strlen("goto event: 19")));
    go(tty, "\1775\r", FIRST_MOV);
    press(tty, key);
    go(tty, "7\r", 7);
    press(tty, key);
    go(tty, "15\r", FIRST_MOV);
    /* Escape takes the question back. */
    press(tty, key);
    tty_type(tty, "3\033");
    tty_wait_gone(tty, "goto event:");
    wait_event(tty, FIRST_MOV);
    press(tty, key);
    tty_type(tty, "3x\r");
    wait_last(tty, "'3x' is not the number of an event");
    press(tty, key);
    tty_type(tty, "999\r");
    wait_last(tty, "there is no event 999; the last one is 31");
    wait_event(tty, FIRST_MOV);
}

/* A word of the line mode, with what it takes; a number; and what is none. */
static void try_LINE(struct tty *tty, struct press key)
{
    press(tty, key);
    go(tty, "goto 16\r", FIRST_ADD);
    press(tty, key);
    go(tty, "b\r", FIRST_MOV);
    press(tty, key);
    go(tty, "/add\r", FIRST_ADD);
    press(tty, key);
    go(tty, ":: 5\r", 5);
    press(tty, key);
    tty_type(tty, "nxet\r");
    wait_last(tty, "there is no command 'nxet'; help lists them");
    press(tty, key);
    tty_type(tty, "next 5\r");
    wait_last(tty, "nothing can stand after next");
    press(tty, key);
    tty_type(tty, "help\r");
    tty_wait_text(tty, "── keys ──");
    press(tty, key);
    tty_type(tty, "\r");
    tty_wait_gone(tty, "── keys ──");
    wait_event(tty, 5);
}

static void try_FIRST(struct tty *tty, struct press key)
{
    go_to(tty, FIRST_MOV);
    press_to(tty, key, 0);
    tty_wait_row(tty, 0, "[1 getpagesize]");
}

/* The last event recorded so far: the program does not run for it. */
static void try_LAST(struct tty *tty, struct press key)
{
    go_to(tty, MPROTECT);
    go(tty, "bb", MPROTECT - 2);
    press_to(tty, key, MPROTECT);
    go(tty, "r", LAST);
    go_to(tty, 3);
    press_to(tty, key, LAST);
}

static void try_SEARCH(struct tty *tty, struct press key)
{
    press(tty, key);
    wait_last(tty, "search for:");
    tty_type(tty, "add\r");
    wait_last(tty, "not there up to event 1");
    wait_event(tty, 0);
    go(tty, "y", FIRST_ADD);
    press(tty, key);
    go(tty, "\ry", SECOND_ADD); /* the same again */
    go_to(tty, FIRST_ADD);
    press(tty, key);
    go(tty, "rsp\r", FIRST_ADD + 1); /* ret */
    press(tty, key);
    tty_type(tty, "0x1234\ry");
    wait_last(tty, "nothing after event 17 has '0x1234'");
    wait_event(tty, FIRST_ADD + 1);
}

static void try_SEARCH_BACK(struct tty *tty, struct press key)
{
    go(tty, "r", LAST);
    press(tty, key);
    wait_last(tty, "search back for:");
    go(tty, "add\r", LAST - 5);
    press(tty, key);
    go(tty, "\r", SECOND_ADD);
    press(tty, key);
    go(tty, "\r", FIRST_ADD);
    press(tty, key);
    tty_type(tty, "\r");
    wait_last(tty, "nothing before event 16 has 'add'");
}

static void try_CALL_NEXT(struct tty *tty, struct press key)
{
    press_to(tty, key, FIRST_CALL);
    press_to(tty, key, FIRST_CALL + 5);
    press_to(tty, key, FIRST_CALL + 10);
    press(tty, key);
    wait_last(tty, "there is no call after this event");
}

static void try_FINISH(struct tty *tty, struct press key)
{
    press(tty, key);
    wait_last(tty, "this event is in no call of generated code");
    go_to(tty, FIRST_ADD);
    press_to(tty, key, FIRST_ADD + 1);
}

/* Where it finds a round is in test_plain.c. */
static void try_ITERATION(struct tty *tty, struct press key)
{
    press(tty, key);
    wait_last(tty, "i is for an instruction that was executed");
    go_to(tty, FIRST_ADD);
    press_to(tty, key, FIRST_ADD + 1);
    wait_last(tty, "the call is over: it was not executed again");
}

static void try_CHANGED(struct tty *tty, struct press key)
{
    go_to(tty, FIRST_ADD);
    press(tty, key);
    wait_last(tty, "last change of:");
    tty_type(tty, "\r");
    wait_last(tty, "of what? a register (rax), a flag (ZF)");
    press(tty, key);
    go(tty, "eax\r", FIRST_ADD - 1);
    press(tty, key);
    go(tty, "code[3]\r", 5);
    press(tty, key);
    tty_type(tty, "\r");
    wait_last(tty, "nothing before event 5 has changed code[3]");
    go_to(tty, FIRST_ADD);
    tty_type(tty, "w3\r");
    wait_last(tty, "code[3]  event 5");
    press(tty, key);
    go(tty, "\r", 5);
}

/* What was sent to the clipboard, in base64 (OSC 52). */
static void expect_copied(struct tty *tty, const char *base64)
{
    struct buf sequence = {0};

    buf_printf(&sequence, "\033]52;c;%s\a", base64);
    cr_assert(ne(
        ptr,
        memmem(tty->raw.data, tty->raw.len, buf_text(&sequence), sequence.len),
        NULL));
    buf_release(&sequence);
}

static void try_COPY(struct tty *tty, struct press key)
{
    tty_type(tty, "/add\r");
    wait_last(tty, "y lets the program run");
    press_to(tty, key, FIRST_ADD);
    tty_type(tty, "/add\rb"); /* anything else is a no */
    wait_event(tty, FIRST_MOV);
    press(tty, key);
    wait_last(tty, "to the clipboard: mov rax, -4");
    expect_copied(tty, "bW92IHJheCwgLTQ=");
    wait_event(tty, FIRST_MOV);
}

static void try_HERE(struct tty *tty, struct press key)
{
    go_to(tty, FIRST_MOV);
    press(tty, key);
    wait_last(tty, "to the clipboard: ");
    wait_last(tty, " --goto=15 --step -4");
}

/* A sign for each byte while they are few. */
static void try_ZOOM(struct tty *tty, struct press key)
{
    char *before;

    go_to(tty, FIRST_ADD);
    before = screen_text(tty);
    press(tty, key);
    tty_wait_text(tty, "── a sign = 1 byte ──");
    tty_wait_text(tty, "0000: xxxxxxx@@@w···");
    tty_wait_text(tty, "0040: 4032 bytes, not written");
    tty_wait_text(tty, "· unwritten  0 zero  w written  d data  x ran  ! "
                       "changed  @ now  # stored");
    go_to(tty, FIRST_STORE + 3);
    tty_wait_text(tty, "0000: www#····");
    go_to(tty, FIRST_ADD);
    press(tty, key);
    tty_wait_gone(tty, "a sign =");
    expect_screen(tty, before);
    free(before);
}

static void try_WHO(struct tty *tty, struct press key)
{
    go_to(tty, MPROTECT);
    press(tty, key);
    wait_last(tty, "who wrote byte:");
    tty_type(tty, "3\r");
    wait_last(tty, "code[3]  event 5: 00 -> fc  babyjit.c:77  main+0x");
    tty_wait_text(tty, "c0{fc}ff");
    press(tty, key);
    tty_type(tty, "0x4\r");
    wait_last(tty, "code[4]  event 6: 00 -> ff  babyjit.c:78  main+0x");
    tty_wait_text(tty, "fc{ff}ff");
    press(tty, key);
    tty_type(tty, "4000\r");
    tty_wait_text(tty, "00000fa0:{");
    go(tty, "b", MPROTECT - 1); /* and the page is where the event is */
    tty_wait_gone(tty, "00000fa0:");
    go(tty, "n", MPROTECT);
    press(tty, key);
    tty_type(tty, "4096\r");
    wait_last(tty, "no code up to event 13 has that byte");
    press(tty, key);
    tty_type(tty, "3x\r");
    wait_last(tty, "'3x' is no offset, no address and no name of code");
    press(tty, key);
    tty_type(tty, "\r");
    tty_wait_gone(tty, "{ff}");
    wait_last(tty, "q quit");
    /* Also of what is not there any more. */
    go(tty, "r", LAST);
    press(tty, key);
    tty_type(tty, "3\r");
    wait_last(tty, "code[3]  event 30: fc  unmapped");
}

/* It appears at the byte of the event, and stays when that moves on. */
static void try_BYTE_NEXT(struct tty *tty, struct press key)
{
    press(tty, key);
    wait_last(tty, "nothing is mapped for code here");
    go_to(tty, 5);
    press(tty, key);
    wait_last(tty, "code[3]  event 5: 00 -> fc");
    press(tty, key);
    wait_last(tty, "code[4]  event 1: 00  mapped");
    tty_wait_text(tty, "[fc]{··}");
    go(tty, "n", 6);
    wait_last(tty, "code[4]  event 6: 00 -> ff");
    go(tty, "b", 5);
    wait_last(tty, "code[4]  event 1: 00  mapped");
    wait_last(tty, "(later: 1)");
}

static void try_BYTE_BACK(struct tty *tty, struct press key)
{
    go_to(tty, 3);
    press(tty, key);
    wait_last(tty, "code[1]  event 3: 00 -> c7");
    press(tty, key);
    wait_last(tty, "code[0]  event 2: 00 -> 48");
    press(tty, key);
    wait_last(tty, "this is the first byte of the mapping");
}

static void try_WRITER(struct tty *tty, struct press key)
{
    press(tty, key);
    wait_last(tty, "which byte? w asks for one");
    go_to(tty, FIRST_ADD);
    tty_type(tty, "w3\r");
    wait_last(tty, "code[3]  event 5");
    press_to(tty, key, 5);
    press_to(tty, key, FIRST_ADD);
    press_to(tty, key, 5);
    go(tty, "n", 6);
    press_to(tty, key, 5);
    go(tty, "b", 4);
    press_to(tty, key, 1); /* the change before: it was mapped */
    go(tty, "b", 0);
    press(tty, key);
    wait_last(tty, "no event so far is about this byte");
    go_to(tty, 5);
    press(tty, key);
    wait_last(tty, "this is the event that wrote it");
    /* Who unmapped it did not write it. */
    go(tty, "r", LAST);
    press_to(tty, key, 5);
}

/* What it finds where a rule was broken is in test_plain.c. */
static void try_VERDICT(struct tty *tty, struct press key)
{
    press(tty, key);
    wait_last(tty, "what breaks a rule is known when the program has ended");
    go(tty, "r", LAST);
    press(tty, key);
    wait_last(tty, "no rule is broken after this event");
}

static void try_RUN(struct tty *tty, struct press key)
{
    press_to(tty, key, LAST);
    tty_wait_text(tty, "The program has ended.");
    tty_wait_text(tty, "output: -3 -2 -1");
}

static void try_REGISTERS(struct tty *tty, struct press key)
{
    go_to(tty, FIRST_MOV);
    tty_wait_gone(tty, " r15 0x");
    press(tty, key);
    tty_wait_text(tty, " r15 0x");
    press(tty, key);
    tty_wait_gone(tty, " r15 0x");
}

static void try_VECTORS(struct tty *tty, struct press key)
{
    go_to(tty, FIRST_MOV);
    tty_wait_gone(tty, " mxcsr 0x1f80");
    press(tty, key);
    tty_wait_text(tty, " mxcsr 0x1f80");
    press(tty, key);
    tty_wait_gone(tty, " mxcsr 0x1f80");
}

static void try_STACK(struct tty *tty, struct press key)
{
    go_to(tty, FIRST_MOV);
    press(tty, key);
    tty_wait_text(tty, "return address");
    press(tty, key);
    tty_wait_gone(tty, "return address");
}

static void try_BASE(struct tty *tty, struct press key)
{
    go_to(tty, FIRST_ADD);
    tty_wait_text(tty, "rax 0xfffffffffffffffc → 0xffffffffffffffff");
    press(tty, key);
    tty_wait_text(tty, "rax -4 → -1");
    press(tty, key);
    tty_wait_text(tty, "rax 0xfffffffffffffffc → 0xffffffffffffffff");
}

static void try_EXPLAIN(struct tty *tty, struct press key)
{
    char *before;

    press(tty, key);
    wait_last(tty, "no instruction is shown here");
    go_to(tty, FIRST_MOV);
    before = screen_text(tty);
    press(tty, key);
    tty_wait_text(tty, "── what is: REX ──");
    tty_wait_text(tty, "REX, 48 = 0100, W=1, R=0, X=0, B=0.");
    tty_wait_text(tty, "A prefix from 40 to 4f.");
    tty_press(tty, VTERM_KEY_RIGHT);
    tty_wait_text(tty, "opcode, c7 = 11000111.");
    tty_type(tty, "\t");
    tty_wait_text(tty, "── what is: ModRM ──");
    tty_press(tty, VTERM_KEY_LEFT);
    tty_press(tty, VTERM_KEY_LEFT);
    tty_press(tty, VTERM_KEY_LEFT);
    tty_wait_text(tty, "imm32, fc ff ff ff: 0xfffffffc = -4, sign-extended");
    tty_press(tty, VTERM_KEY_RIGHT);
    tty_wait_text(tty, "── what is: REX ──");
    press(tty, key); /* again ends it, as does Escape */
    tty_wait_gone(tty, "what is:");
    expect_screen(tty, before);
    press(tty, key);
    tty_wait_text(tty, "── what is: REX ──");
    tty_type(tty, "\033");
    tty_wait_gone(tty, "what is:");
    expect_screen(tty, before);
    tty_type(tty, ":? w^\t\r");
    tty_wait_text(tty, "Write xor execute");
    wait_last(tty, "Esc what happened  h all keys");
    tty_type(tty, ":explain nothing\r");
    wait_last(tty, "'nothing' is not in the glossary; it has ABI, address");
    /* A step ends it. */
    press(tty, key);
    go(tty, "n", FIRST_ADD);
    tty_wait_gone(tty, "what is:");
    free(before);
}

static void try_HELP(struct tty *tty, struct press key)
{
    char *before = screen_text(tty);

    press(tty, key);
    tty_wait_text(tty, "── keys ──");
    press(tty, key);
    tty_wait_gone(tty, "── keys ──");
    expect_screen(tty, before);
    for (const char *close = "q\033"; *close; close++) {
        press(tty, key);
        tty_wait_text(tty, "── keys ──");
        tty_type(tty, (char[]){*close, 0});
        tty_wait_gone(tty, "── keys ──");
        expect_screen(tty, before);
    }
    free(before);
}

static void try_QUIT(struct tty *tty, struct press key)
{
    pid_t program = tty_child(tty);

    cr_assert(lt(int, 0, program));
    press(tty, key);
    cr_assert(eq(int, tty_wait_end(tty), 0));
    tty_wait_alone(tty);
    cr_assert(eq(int, kill(program, 0), -1), "the program lives on");
    tty_expect_restored(tty);
}

static const VTermKey keys[KEYS] = {
    [KEY_IS_ENTER] = VTERM_KEY_ENTER, [KEY_IS_RIGHT] = VTERM_KEY_RIGHT,
    [KEY_IS_LEFT] = VTERM_KEY_LEFT,   [KEY_IS_HOME] = VTERM_KEY_HOME,
    [KEY_IS_END] = VTERM_KEY_END,     [KEY_IS_F1] = VTERM_KEY_FUNCTION(1),
};

static void try_key(void (*try)(struct tty *, struct press), struct press key)
{
    struct tty tty;

    start(&tty, MINUS_FOUR);
    try(&tty, key);
    tty_release(&tty);
}

static void try_command(void (*try)(struct tty *, struct press),
                        const char *letters, unsigned bits)
{
    for (; *letters; letters++)
        try_key(try, (struct press){.letter = *letters});
    for (int key = 0; key < KEYS; key++) {
        cr_assert(ne(int, keys[key], VTERM_KEY_NONE), "key %d", key);
        if (bits & 1u << key)
            try_key(try, (struct press){.key = keys[key]});
    }
}

/* A new line of the table does not compile until there is a try_ for it. */
#define COMMAND(id, word, letters, keys, help) \
    Test(step, key_##id)                       \
    {                                          \
        try_command(try_##id, letters, keys);  \
    }
#include "screen/command.def"

/* What was typed before comes back, is edited, and its words are completed. */
Test(step, lines_typed_before)
{
    struct tty tty;

    start(&tty, MINUS_FOUR);
    go(&tty, ":goto 15\r", FIRST_MOV);
    go(&tty, "g7\r", 7);
    tty_type(&tty, ":");
    tty_press(&tty, VTERM_KEY_UP);
    wait_last(&tty, ":goto 15");
    tty_press(&tty, VTERM_KEY_LEFT);
    cr_assert(eq(int, tty_cursor(&tty).col, 8));
    go(&tty, "\177\r", 5);
    tty_type(&tty, "g");
    tty_press(&tty, VTERM_KEY_UP);
    wait_last(&tty, "goto event: 7");
    go(&tty, "\001\033[3~1\0051\r", 11);
    tty_type(&tty, ":st\t");
    wait_last(&tty, ":sta  stack stage stage-back");
    tty_type(&tty, "g\t");
    wait_last(&tty, ":stage  stage stage-back");
    go(&tty, "\r", MPROTECT);
    go(&tty, ":ro\027fir\t\r", 0);
    tty_type(&tty, ":changed r1\t");
    wait_last(&tty, ":changed r1  r10 r11 r12 r13 r14 r15");
    tty_type(&tty, "7\t");
    wait_last(&tty, ":changed r17  nothing begins so");
    tty_type(&tty, "\033w0x\t");
    wait_last(&tty, "nothing begins so"); /* no memory is mapped yet */
    tty_type(&tty, "\033/Z\t");
    wait_last(&tty, "search for: ZF");
    tty_type(&tty, "\033");
    quit(&tty);
}

/* It opens where it is told to, as long as there is such an event. */
Test(step, opens_at_an_event)
{
    struct tty tty;

    tty_start(
        &tty,
        &(struct job){.argv = ARGS(JITTRACE, "--step", "--goto=21", "-4")}, 24,
        80);
    wait_event(&tty, SECOND_ADD);
    quit(&tty);
    tty_start(&tty,
              &(struct job){.argv = ARGS(JITTRACE, "--step", "--goto", "99",
                                         "--", "true")},
              24, 80);
    wait_last(&tty, "there is no event 99");
    quit(&tty);
}

/* One that would show the text instead gets none. */
Test(step, terminals_without_a_clipboard)
{
    static const char *const names[] = {"TERM=vt100", "TERM=linux"};
    struct tty tty;

    for (size_t i = 0; i < 2; i++) {
        tty_start(&tty,
                  &(struct job){.argv = MINUS_FOUR,
                                .env = (const char *const[]){names[i], NULL}},
                  24, 80);
        wait_event(&tty, 1);
        tty_type(&tty, "y");
        wait_last(&tty, "this terminal has no clipboard: mmap");
        cr_assert(eq(ptr, memmem(tty.raw.data, tty.raw.len, "]52;", 4), NULL));
        quit(&tty);
    }
}

Test(step, keys_typed_ahead)
{
    struct tty tty;

    start(&tty, MINUS_FOUR);
    go(&tty, "nnnnbn ]b\r", MPROTECT);
    tty_type(&tty, "n\xc3\xa9");
    wait_last(&tty, "nothing is on this key");
    wait_event(&tty, FIRST_CALL);
    quit(&tty);
}

/* Whatever was pressed before, an event looks the same. */
Test(step, any_path_shows_the_same)
{
    static const char moves[] = "nnnbb][ R?x";
    char typed[201] = "", *direct;
    unsigned seed = 1;
    struct tty tty;

    start(&tty, MINUS_FOUR);
    go(&tty, "r", LAST);
    go_to(&tty, FIRST_ADD);
    direct = screen_text(&tty);
    for (int i = 0; i < 20; i++) {
        for (size_t k = 0; k < sizeof typed - 1; k++) {
            seed = seed * 1103515245 + 12345;
            typed[k] = moves[(seed >> 16) % (sizeof moves - 1)];
        }
        /* Twice, so that R and x end as they began. */
        tty_type(&tty, typed);
        tty_type(&tty, typed);
        go_to(&tty, FIRST_ADD);
        expect_screen(&tty, direct);
    }
    quit(&tty);
    free(direct);
}

static bool is_stopped(struct tty *tty, const void *pid)
{
    char name[32], state = '?';
    FILE *file;

    (void)tty;
    snprintf(name, sizeof name, "/proc/%d/stat", (int)*(const pid_t *)pid);
    file = fopen(name, "re");
    if (file && fscanf(file, "%*d %*s %c", &state) != 1)
        state = '?';
    if (file)
        fclose(file);
    return state == 't';
}

/* While it starts, each of its system calls stops it for a moment. */
static bool goes_on(struct tty *tty, const void *pid)
{
    return !is_stopped(tty, pid);
}

static bool is_traced_stop(struct tty *tty, const void *data)
{
    (void)data;
    return is_stopped(tty, &(pid_t){tty_child(tty)});
}

/* The start has little to show: it is one key back. */
Test(step, opens_where_there_is_something_to_show)
{
    const char *file = scratch(".jsonl");
    struct result result;
    struct tty tty;

    tty_start(&tty, &(struct job){.argv = MINUS_FOUR}, 24, 80);
    tty_wait_row(&tty, 0, "[2 mmap]");
    wait_event(&tty, 1);
    go(&tty, "b", 0);
    tty_wait_row(&tty, 0, "[1 getpagesize]");
    quit(&tty);
    run(&(struct job){.argv = ARGS(JITTRACE, "--format=json", "-o", file)},
        &result);
    result_release(&result);
    tty_start(&tty,
              &(struct job){.argv = ARGS(JITTRACE, "--step", "--replay", file)},
              24, 80);
    tty_wait_row(&tty, 0, "[2 mmap]");
    go(&tty, "[", 0);
    quit(&tty);
    unlink(file);
}

/* Between two keys the program stands still: a tracer keeps it so (proc(5)). */
Test(step, the_program_is_paused)
{
    struct tty tty;

    start(&tty, MINUS_FOUR);
    tty_wait(&tty, is_traced_stop, NULL, "the program stops");
    go(&tty, "nn", FIRST_STORE);
    tty_wait(&tty, is_traced_stop, NULL, "the program stops");
    quit(&tty);
    tty_start(&tty,
              &(struct job){.argv = ARGS(JITTRACE, "--step", "--", "sh", "-c",
                                         "while :; do :; done")},
              24, 80);
    wait_last(&tty, "running");
    tty_wait(&tty, goes_on, &(pid_t){tty_child(&tty)}, "the program runs");
    tty_type(&tty, "n");
    wait_last(&tty, "stopped; event ");
    tty_wait(&tty, is_traced_stop, NULL, "the program stops");
    quit(&tty);
}

/* The help is the table: each command in its row, and no other row. */
Test(step, help_is_the_table)
{
    struct buf got = {0};
    struct tty tty;
    unsigned row;

    start(&tty, MINUS_FOUR);
    tty_type(&tty, "h");
    tty_wait_text(&tty, "── keys ──");
    row = tty_find_row(&tty, "── keys ──") + 1;
    for (int i = 0; i < COMMANDS; i++, row++) {
        struct buf keys_of = {0}, shown = {0}, help = {0};

        command_keys((enum command)i, &keys_of);
        buf_append_text(&help, command_table[i].help);
        /* Those that share its row. */
        for (; i + 1 < COMMANDS && command_table[i + 1].help[0] == ';'; i++) {
            struct buf more = {0};

            command_keys((enum command)(i + 1), &more);
            buf_printf(&keys_of, ", %s", buf_text(&more));
            buf_append_text(&help, command_table[i + 1].help);
            buf_release(&more);
        }
        tty_row(&tty, row, &shown);
        cr_assert(eq(int,
                     strncmp(buf_text(&shown), buf_text(&keys_of), keys_of.len),
                     0),
                  "'%s' is not for '%s'", buf_text(&shown), buf_text(&keys_of));
        cr_assert(eq(str, (char *)buf_text(&shown) + shown.len - help.len,
                     (char *)buf_text(&help)));
        for (size_t at = keys_of.len; at < shown.len - help.len; at++)
            cr_assert(eq(chr, (char)shown.data[at], ' '));
        buf_release(&keys_of);
        buf_release(&shown);
        buf_release(&help);
    }
    cr_assert(eq(int, tty_row_shows(&tty, row, " "), 0), "one row too many");
    add_screen(&tty, &got);
    expect_golden("tests/golden/step-help.txt", &got);
    buf_release(&got);
    tty_type(&tty, "q"); /* the help only */
    quit(&tty);
}

/* --- sizes --------------------------------------------------------------- */

/* A change of size is drawn before the next key is waited for. */
static void resize(struct tty *tty, unsigned rows, unsigned columns)
{
    tty_resize(tty, rows, columns);
    tty_settle(tty);
}

/* However it came to a size, the screen is the same. */
Test(step, resize_while_paused)
{
    static const struct {
        unsigned rows, columns;
    } sizes[] = {{20, 40}, {60, 200}, {1, 1},    {3, 7},  {24, 1},
                 {1, 80},  {10, 300}, {100, 30}, {24, 80}};
    char *large, *small;
    struct tty tty;

    start(&tty, MINUS_FOUR);
    go_to(&tty, FIRST_ADD);
    large = screen_text(&tty);
    resize(&tty, 20, 40);
    cr_assert(eq(int, is_at(&tty, &(unsigned){FIRST_ADD}), 1));
    small = screen_text(&tty);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        resize(&tty, sizes[i].rows, sizes[i].columns);
    expect_screen(&tty, large);
    resize(&tty, 20, 40);
    expect_screen(&tty, small);
    /* Stepping at a size where nothing can be shown. */
    resize(&tty, 1, 1);
    tty_type(&tty, "bbn");
    tty_settle(&tty);
    resize(&tty, 24, 80);
    go(&tty, "n", FIRST_ADD);
    expect_screen(&tty, large);
    quit(&tty);
    free(large);
    free(small);
}

/* The terminal may have forgotten what it showed. */
Test(step, resizes_that_end_where_they_began)
{
    struct tty tty;
    char *screen;

    start(&tty, MINUS_FOUR);
    go_to(&tty, FIRST_STORE);
    screen = screen_text(&tty);
    for (unsigned i = 0; i < 10; i++) {
        tty_resize(&tty, 1, 1);
        tty_resize(&tty, 24, 80);
        tty_settle(&tty);
        expect_screen(&tty, screen);
    }
    quit(&tty);
    free(screen);
}

Test(step, many_resizes_in_a_row)
{
    struct tty tty;
    char *screen;

    start(&tty, MINUS_FOUR);
    go_to(&tty, FIRST_STORE);
    resize(&tty, 20, 40);
    screen = screen_text(&tty);
    for (unsigned i = 0; i < 100; i++)
        tty_resize(&tty, 1 + i * 7 % 50, 1 + i * 13 % 120);
    resize(&tty, 20, 40);
    expect_screen(&tty, screen);
    cr_assert(eq(int, is_at(&tty, &(unsigned){FIRST_STORE}), 1));
    quit(&tty);
    free(screen);
}

/* The program waits for a signal that nobody sends; the screen does not. */
Test(step, resize_while_running)
{
    struct tty tty;

    start(&tty, ARGS(JITTRACE, "--step", "--", TRACEE("endless"), "outside"));
    tty_type(&tty, "r");
    wait_last(&tty, "running");
    tty_wait_row(&tty, 0, "4 mprotect ");
    resize(&tty, 20, 40);
    wait_last(&tty, "running");
    tty_wait_row(&tty, 0, " 3  4 [5 call]");
    resize(&tty, 24, 80);
    wait_last(&tty, "running");
    tty_wait_row(&tty, 0, "4 mprotect ");
    quit(&tty);
}

/* --- every end ----------------------------------------------------------- */

static int without_core(void)
{
    return setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
}

/* What ends it: a key, or a signal from somewhere. */
static void end_it(struct tty *tty, const char *key, int signal)
{
    if (key)
        tty_type(tty, key);
    else
        kill(tty->pid, signal);
    expect_end(tty, 128 + signal);
}

static void check_end(const char *key, int signal)
{
    const char *const *paused = MINUS_FOUR;
    const char *const *running =
        ARGS(JITTRACE, "--step", "--", TRACEE("endless"), "stubborn");
    struct tty tty;

    start_command(&tty, &(struct job){.argv = paused, .prepare = without_core},
                  24, 80);
    go_to(&tty, FIRST_MOV);
    end_it(&tty, key, signal);

    start_command(&tty, &(struct job){.argv = running, .prepare = without_core},
                  24, 80);
    tty_type(&tty, "r");
    wait_last(&tty, "running");
    end_it(&tty, key, signal);
}

#define END(name, key, signal)  \
    Test(step, end_by_##name)   \
    {                           \
        check_end(key, signal); \
    }
END(ctrl_c, "\003", SIGINT)
END(ctrl_backslash, "\034", SIGQUIT)
END(sigint, NULL, SIGINT)
END(sigterm, NULL, SIGTERM)
END(sighup, NULL, SIGHUP)
END(sigsegv, NULL, SIGSEGV)
END(sigabrt, NULL, SIGABRT)
END(sigbus, NULL, SIGBUS)
END(sigfpe, NULL, SIGFPE)

/* Nobody can look at the terminal any more. */
Test(step, hang_up)
{
    static const char *const programs[] = {"outside", "inside"};
    struct tty tty;

    start(&tty, MINUS_FOUR);
    go_to(&tty, FIRST_MOV);
    tty_hang_up(&tty);
    cr_assert(eq(int, tty_wait_end(&tty), 128 + SIGHUP));
    tty_release(&tty);
    for (size_t i = 0; i < 2; i++) {
        start(&tty,
              ARGS(JITTRACE, "--step", "--", TRACEE("endless"), programs[i]));
        tty_type(&tty, "r");
        wait_last(&tty, "running");
        tty_hang_up(&tty);
        cr_assert(eq(int, tty_wait_end(&tty), 128 + SIGHUP));
        tty_release(&tty);
    }
}

/* A shell, and jittrace as its job. */
static void start_job(struct tty *tty, const char *line, unsigned event)
{
    tty_start(tty,
              &(struct job){.argv = ARGS("dash", "-i"),
                            .env = ARGS("PS1=ready ", "ENV")},
              24, 80);
    tty_wait_row(tty, 0, "ready");
    tty_type(tty, line);
    wait_event(tty, event);
}

static void leave_shell(struct tty *tty, const char *last)
{
    tty_type(tty, last);
    expect_end(tty, 0);
}

/* dash, unlike bash, does not repair a terminal that a job left broken. */
Test(step, ctrl_z_and_fg)
{
    struct tty tty;
    char *screen;

    start_job(&tty, JITTRACE " --step -4\n", 1);
    go_to(&tty, FIRST_MOV);
    screen = screen_text(&tty);
    tty_type(&tty, "\032");
    tty_wait_text(&tty, "Stopped");
    tty_expect_restored(&tty);
    tty_type(&tty, "fg\n");
    wait_event(&tty, FIRST_MOV);
    expect_screen(&tty, screen);
    go(&tty, "n", FIRST_ADD);
    /* Once more, and another size meanwhile. */
    tty_type(&tty, "\032");
    tty_wait_text(&tty, "Stopped");
    tty_expect_restored(&tty);
    tty_resize(&tty, 20, 40);
    tty_type(&tty, "fg\n");
    wait_event(&tty, FIRST_ADD);
    cr_assert(eq(int, tty_row_shows(&tty, 0, " 3  4 [5 call]"), 1));
    /* And it can be ended there. */
    tty_type(&tty, "\032");
    tty_wait_text(&tty, "Stopped");
    tty_type(&tty, "kill %1; fg; echo status $?\n");
    tty_wait_text(&tty, "status 143");
    leave_shell(&tty, "exit 0\n");
    free(screen);
}

static pid_t child_of(pid_t pid)
{
    char name[64];
    int child = 0;
    FILE *file;

    snprintf(name, sizeof name, "/proc/%d/task/%d/children", (int)pid,
             (int)pid);
    file = fopen(name, "re");
    cr_assert(ne(ptr, file, NULL));
    cr_assert(eq(int, fscanf(file, "%d", &child), 1));
    fclose(file);
    return child;
}

/* The program stands still meanwhile; then both go on. */
Test(step, ctrl_z_stops_the_program_too)
{
    pid_t program;
    struct tty tty;

    start_job(&tty, JITTRACE " --step -- sh -c 'while :; do :; done'\n", 0);
    wait_last(&tty, "running");
    program = child_of(tcgetpgrp(tty.master));
    tty_wait(&tty, goes_on, &program, "the program runs");
    tty_type(&tty, "\032");
    tty_wait_text(&tty, "Stopped");
    tty_wait(&tty, is_stopped, &program, "the program goes on");
    tty_type(&tty, "fg\n");
    wait_last(&tty, "running");
    tty_type(&tty, "\003");
    tty_wait_text(&tty, "ready");
    leave_shell(&tty, "exit 0\n");
}

/* A key without a command does not hide that the program runs. */
Test(step, a_wrong_key_while_running)
{
    struct tty tty;

    start(&tty, ARGS(JITTRACE, "--step", "--", TRACEE("endless"), "outside"));
    tty_type(&tty, "r");
    wait_last(&tty, "running");
    tty_type(&tty, "Z");
    wait_last(&tty, "running to the next event … (no command is on this key)");
    quit(&tty);
}

/* jittrace is there again after. */
Test(step, ctrl_z_while_running)
{
    struct tty tty;

    start_job(&tty, JITTRACE " --step -- " TRACEE("endless") " outside\n", 1);
    tty_type(&tty, "r");
    wait_last(&tty, "running");
    tty_type(&tty, "\032");
    tty_wait_text(&tty, "Stopped");
    tty_expect_restored(&tty);
    tty_type(&tty, "fg\n");
    wait_last(&tty, "running");
    tty_type(&tty, "\003");
    tty_wait_text(&tty, "ready");
    leave_shell(&tty, "echo $?; exit 0\n");
}

/* Stopped and let go on by others, in the background. */
Test(step, stopped_from_outside)
{
    struct tty tty;
    char *screen;
    pid_t job;

    start_job(&tty, JITTRACE " --step -4\n", 1);
    go_to(&tty, FIRST_MOV);
    screen = screen_text(&tty);
    job = tcgetpgrp(tty.master);
    kill(job, SIGSTOP);
    tty_wait_text(&tty, "Stopped");
    tty_type(&tty, "fg\n");
    tty_wait_gone(&tty, "Stopped");
    expect_screen(&tty, screen);
    go(&tty, "n", FIRST_ADD);
    tty_type(&tty, "q");
    tty_wait_text(&tty, "ready");
    leave_shell(&tty, "exit\n");
    free(screen);
}

/* --- the program's own input and output ---------------------------------- */

/* Starts a program that makes no code: there is nothing to show before its end,
 * so that it runs to there by itself. */
static void start_and_run(struct tty *tty, const char *const *argv)
{
    tty_start(tty, &(struct job){.argv = argv}, 24, 80);
    tty_wait_text(tty, "The program has ended.");
}

static void expect_output(struct tty *tty, const char *text)
{
    unsigned row = tty_find_row(tty, "output:");
    struct buf shown = {0};

    tty_row(tty, row, &shown);
    cr_assert(
        eq(str, (char *)buf_text(&shown) + strlen("output: "), (char *)text));
    buf_release(&shown);
}

/* It writes over the screen, and to its terminal by name. */
Test(step, output_stays_in_its_pane)
{
    struct tty tty;

    start_and_run(&tty, ARGS(JITTRACE, "--step", "--", "sh", "-c",
                             "printf 'one\\033[2J\\033[3;3Htwo\\007\\r\\n';"
                             "echo hidden >/dev/tty; echo last"));
    expect_output(&tty, "last");
    cr_assert(eq(int, tty_shows(&tty, "hidden"), 0));
    go(&tty, "bb", 2);
    expect_output(&tty, "hidden");
    go(&tty, "b", 1);
    expect_output(&tty, "one\\x1b[2J\\x1b[3;3Htwo\\x07\\x0d");
    cr_assert(eq(ptr, memmem(tty.raw.data, tty.raw.len, "\033[3;3H", 6), NULL));
    cr_assert(eq(ptr, memchr(tty.raw.data, '\007', tty.raw.len), NULL));
    quit(&tty);
}

Test(step, standard_input_is_empty)
{
    struct tty tty;

    start_and_run(&tty, ARGS(JITTRACE, "--step", "--", "sh", "-c",
                             "read line || echo nothing to read"));
    expect_output(&tty, "nothing to read");
    quit(&tty);
}

Test(step, standard_input_from_a_file)
{
    const char *file = scratch(".in");
    struct tty tty;

    write_file(file, "from a file\n", 12, 0600);
    start_and_run(&tty, ARGS(JITTRACE, "--step", "--stdin", file, "--", "cat"));
    expect_output(&tty, "from a file");
    quit(&tty);
    unlink(file);
}

/* It has a terminal of its own, of the same size, and no share of ours. */
Test(step, the_program_has_a_terminal)
{
    struct tty tty;

    start_and_run(&tty, ARGS(JITTRACE, "--step", "--", "sh", "-c",
                             "test -t 1 && test -t 2 && ! test -t 0 &&"
                             "exec stty -F /dev/tty size"));
    expect_output(&tty, "24 80");
    quit(&tty);
}

/* Only what takes one column is shown as it is. */
Test(step, output_that_is_no_plain_text)
{
    struct tty tty;

    start_and_run(&tty,
                  ARGS(JITTRACE, "--step", "--", "printf",
                       "a\\tb\\303\\251\\377\\346\\274\\242e\\314\\201."));
    expect_output(&tty, "a bé\\xff?e?.");
    quit(&tty);
}

/* 108894 bytes, far more than a terminal holds. */
Test(step, much_output)
{
    struct tty tty;

    start_and_run(&tty, ARGS(JITTRACE, "--step", "--", "seq", "1", "20000"));
    expect_output(&tty, "20000");
    quit(&tty);
}

Test(step, back_from_a_crash)
{
    struct tty tty;

    start(&tty, ARGS(JITTRACE, "--step", "--", TRACEE("crash")));
    go(&tty, "r", 7);
    tty_wait_text(&tty, "killed by signal 4 SIGILL");
    go(&tty, "b", 6);
    tty_wait_text(&tty, "what   The CPU does not know this");
    go(&tty, "b", 5);
    tty_wait_text(&tty, "Next: ");
    go(&tty, "\033OH", 0);
    go(&tty, "\033OF", 7);
    tty_type(&tty, "q");
    expect_end(&tty, 128 + SIGILL);
}

/* Events come all the time, or none: keys are heard at once. */
Test(step, quit_while_running)
{
    static const char *const programs[] = {"inside", "outside"};
    struct tty tty;

    for (size_t i = 0; i < 2; i++) {
        double since;

        start(&tty,
              ARGS(JITTRACE, "--step", "--", TRACEE("endless"), programs[i]));
        tty_type(&tty, "r");
        wait_last(&tty, "running");
        since = now();
        tty_type(&tty, "q");
        expect_end(&tty, 0);
        cr_assert(lt(dbl, now() - since, 2.0));
    }
}

/* --- replay -------------------------------------------------------------- */

/* Everything about a screen: text, looks and the cursor. */
static void add_cells(struct tty *tty, struct buf *out)
{
    for (unsigned row = 0; row < tty->rows; row++) {
        tty_row(tty, row, out);
        buf_append_text(out, "\n");
        for (unsigned column = 0; column < tty->columns; column++) {
            VTermScreenCell cell;

            tty_cell(tty, row, column, &cell);
            buf_printf(out, "%x%x,",
                       cell.attrs.bold | cell.attrs.reverse << 1 |
                           cell.attrs.underline << 2,
                       tty_cell_has_color(&cell) ? cell.fg.indexed.idx : 15u);
        }
        buf_append_text(out, "\n");
    }
    buf_printf(out, "%d,%d\n", tty_cursor(tty).row, tty_cursor(tty).col);
}

/* Every event, and a few other things; all of it was recorded before. */
static void walk(struct tty *tty, struct buf *out)
{
    static const char *const more[] = {"b", "[",      "R",    "x", "b",
                                       "h", "/add\r", "g8\r", "]", "n"};

    tty_press(tty, VTERM_KEY_HOME);
    for (unsigned event = 0; event <= LAST; event++) {
        wait_event(tty, event);
        add_cells(tty, out);
        tty_type(tty, "n");
    }
    wait_last(tty, "the program has ended");
    for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
        tty_type(tty, more[i]);
        tty_settle(tty);
        add_cells(tty, out);
    }
}

/* A filter that answers ptrace(2) with EPERM, as containers have it. */
static int without_ptrace(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ptrace, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof filter / sizeof *filter, filter};

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -1;
    return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program);
}

Test(step, replay_equals_live)
{
    const char *file = scratch(".jsonl");
    struct buf live = {0}, replayed = {0};
    struct tty tty;

    unlink(file);
    start(&tty, ARGS(JITTRACE, "--step", "--format=json", "-o", file, "-4"));
    go(&tty, "r", LAST);
    walk(&tty, &live);
    quit(&tty);
    start_command(
        &tty,
        &(struct job){.argv = ARGS(JITTRACE, "--step", "--replay", file),
                      .prepare = without_ptrace},
        24, 80);
    cr_assert(eq(int, tty_child(&tty), 0));
    walk(&tty, &replayed);
    quit(&tty);
    cr_assert(eq(str, (char *)buf_text(&replayed), (char *)buf_text(&live)));
    buf_release(&live);
    buf_release(&replayed);
    unlink(file);
}

/* Who quits early has a recording nevertheless, up to the end that this was. */
Test(step, recording_of_a_session_that_was_quit)
{
    const char *file = scratch(".jsonl");
    char *screen;
    struct tty tty;

    unlink(file);
    start(&tty, ARGS(JITTRACE, "--step", "--format=json", "-o", file, "-4"));
    go_to(&tty, FIRST_MOV);
    go(&tty, "b", FIRST_CALL);
    quit(&tty);
    start(&tty, ARGS(JITTRACE, "--step", "--replay", file));
    go(&tty, "]]]]n", FIRST_MOV);
    screen = screen_text(&tty);
    go(&tty, "n", FIRST_MOV + 1);
    tty_wait_text(&tty, "ended the program here: the reader quit");
    go(&tty, "r", FIRST_MOV + 2);
    tty_wait_text(&tty, "killed by signal 9 SIGKILL");
    go(&tty, "b", FIRST_MOV + 1);
    go(&tty, "b", FIRST_MOV);
    expect_screen(&tty, screen);
    quit(&tty);
    free(screen);
    unlink(file);
}

/* What goes wrong before there is a screen is said as always. */
static void check_error(const char *const *argv, int status, const char *what)
{
    struct tty tty;

    tty_start(&tty, &(struct job){.argv = argv}, 24, 80);
    cr_assert(eq(int, tty_wait_end(&tty), status));
    cr_assert(eq(int, tty_row_shows(&tty, 0, "jittrace: "), 1));
    cr_assert(eq(int, tty_shows(&tty, what), 1), "no '%s'", what);
    cr_assert(eq(ptr, memchr(tty.raw.data, '\033', tty.raw.len), NULL));
    expect_end(&tty, status);
}

Test(step, errors)
{
    const char *file = scratch(".jsonl");

    write_file(file, "{\"seq\":0}\n", 10, 0600);
    check_error(ARGS(JITTRACE, "--step", "--replay", file), 65, ":1: ");
    unlink(file);
    check_error(ARGS(JITTRACE, "--step", "--replay", file), 66, "No such file");
    check_error(ARGS(JITTRACE, "--step", "--", "./no-such"), 127, "no-such");
    check_error(ARGS(JITTRACE, "--step", "--stdin", "no-such", "1"), 66,
                "no-such");
    check_error(ARGS(JITTRACE, "--step", "-o", "/no/such", "1"), 73,
                "/no/such");
}

/* --- what terminals cannot do, or readers do not want -------------------- */

static bool any_color(struct tty *tty)
{
    VTermScreenCell cell;

    for (unsigned row = 0; row < tty->rows; row++)
        for (unsigned column = 0; column < tty->columns; column++) {
            tty_cell(tty, row, column, &cell);
            if (tty_cell_has_color(&cell))
                return true;
        }
    return false;
}

static void check_color(const char *option, const char *env, bool expected)
{
    struct tty tty;

    start_command(&tty,
                  &(struct job){.argv = ARGS(JITTRACE, "--step", option, "-4"),
                                .env = ARGS(env)},
                  24, 80);
    go(&tty, "nn", FIRST_STORE);
    cr_assert(eq(int, any_color(&tty), expected), "%s %s", option, env);
    cr_assert(eq(int, tty_shows(&tty, "00000000:[48]·· "), 1));
    cr_assert(eq(int, tty_shows(&tty, ">   74 "), 1));
    go_to(&tty, FIRST_MOV);
    cr_assert(eq(int, any_color(&tty), expected), "%s %s", option, env);
    cr_assert(eq(int, tty_shows(&tty, ":<48 c7 c0 fc ff ff ff>(48 01 f8)"), 1));
    cr_assert(eq(int, tty_shows(&tty, "* rax "), 1));
    quit(&tty);
}

Test(step, color)
{
    check_color("--color=auto", "A=1", true);
    check_color("--color=never", "A=1", false);
    check_color("--color=auto", "NO_COLOR=1", false);
    check_color("--color=always", "NO_COLOR=1", true);
}

/* The option goes before the environment; what is no theme there is none. */
Test(step, themes_bring_a_background)
{
    static const struct {
        const char *option;
        const char *env;
        unsigned background; /* of 256 colours; 0: the terminal's */
    } cases[] = {
        {"--theme=light", "JITTRACE_THEME=dark", 231},
        {"--theme=plain", "JITTRACE_THEME=dark", 0},
        {"--theme=contrast", "A=1", 16},
        {"--step", "JITTRACE_THEME=light", 231},
        {"--step", "JITTRACE_THEME=pink", 234},
        {"--step", "COLORFGBG=0;15", 231},
        {"--theme=light", "NO_COLOR=1", 0},
        {"--theme=light", "TERM=xterm", 0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        VTermScreenCell cell;
        struct tty tty;

        start_command(&tty,
                      &(struct job){.argv = ARGS(JITTRACE, "--step",
                                                 cases[i].option, "-4"),
                                    .env = ARGS(cases[i].env)},
                      24, 80);
        tty_cell(&tty, 5, 79, &cell);
        cr_expect(eq(int, VTERM_COLOR_IS_DEFAULT_BG(&cell.bg) ? 1 : 0,
                     cases[i].background == 0),
                  "case %zu", i);
        if (cases[i].background && VTERM_COLOR_IS_INDEXED(&cell.bg))
            cr_expect(eq(uint, cell.bg.indexed.idx, cases[i].background),
                      "case %zu", i);
        quit(&tty);
    }
}

Test(step, a_click_on_the_timeline_goes_there)
{
    struct tty tty;

    start_command(&tty, &(struct job){.argv = MINUS_FOUR}, 30, 110);
    go(&tty, "r", 31);
    go(&tty, "\033[<0;6;2M\033[<0;6;2m", 5);
    go(&tty, "\033[<0;17;2M\033[<0;17;2m", 16);
    /* Behind the last event, and elsewhere than on the timeline. */
    go(&tty, "\033[<0;100;2M\033[<0;100;2m", 31);
    go(&tty, "\033[<0;6;9M\033[<0;6;9mb", 30);
    quit(&tty);
}

/* A click on a field explains it, at any size. */
Test(step, a_click_explains_a_field)
{
    struct tty tty;
    char click[64];
    unsigned row;

    start(&tty, MINUS_FOUR);
    go_to(&tty, FIRST_MOV);
    row = tty_find_row(&tty, "REX           opcode /0  ModRM") + 1;
    snprintf(click, sizeof click, "\033[<0;27;%uM\033[<0;27;%um", row, row);
    tty_type(&tty, click);
    tty_wait_text(&tty, "── what is: ModRM ──");
    snprintf(click, sizeof click, "\033[<0;44;%uM\033[<0;44;%um", row + 2,
             row + 2);
    tty_type(&tty, click);
    tty_wait_text(&tty, "── what is: immediate ──");
    /* Between two fields, and where there is none. */
    snprintf(click, sizeof click, "\033[<0;13;%uM\033[<0;13;%um", row, row);
    tty_type(&tty, click);
    tty_type(&tty, "\033[<0;5;1M\033[<0;5;1m\t");
    tty_wait_text(&tty, "── what is: REX ──");
    tty_resize(&tty, 20, 40);
    tty_settle(&tty);
    row = tty_find_row(&tty, "imm32") + 1;
    snprintf(click, sizeof click, "\033[<0;2;%uM\033[<0;2;%um", row, row);
    tty_type(&tty, click);
    tty_wait_text(&tty, "── what is: immediate ──");
    quit(&tty);
}

/* What is the matter with a byte shows in its looks as well as in its mark. */
Test(step, looks_tell_bytes_apart)
{
    struct tty tty;
    VTermScreenCell stored, other;
    unsigned row;

    start(&tty, MINUS_FOUR);
    go_to(&tty, FIRST_STORE + 1);
    row = tty_find_row(&tty, "00000000: 48[c7]");
    tty_cell(&tty, row, 13, &stored);
    tty_cell(&tty, row, 11, &other);
    cr_assert(eq(int, (int)stored.chars[0], 'c'));
    cr_assert(eq(int, (int)other.chars[0], '8'));
    cr_assert(ne(int, stored.attrs.bold | stored.attrs.reverse << 1,
                 other.attrs.bold | other.attrs.reverse << 1));
    quit(&tty);
}

/* Each of them has other sequences; not all have another screen. */
Test(step, other_terminals)
{
    static const char *const terms[] = {"vt100", "linux", "screen", "xterm"};
    struct tty tty;

    for (size_t i = 0; i < sizeof terms / sizeof *terms; i++) {
        struct buf env = {0};

        buf_printf(&env, "TERM=%s", terms[i]);
        start_command(
            &tty,
            &(struct job){.argv = MINUS_FOUR, .env = ARGS(buf_text(&env))}, 24,
            80);
        go(&tty, "nn", FIRST_STORE);
        tty_wait_text(&tty, "00000000:[48]·· ");
        tty_press(&tty, VTERM_KEY_RIGHT);
        wait_event(&tty, FIRST_STORE + 1);
        tty_press(&tty, VTERM_KEY_LEFT);
        wait_event(&tty, FIRST_STORE);
        quit(&tty);
        buf_release(&env);
    }
}

/* A screen reader reads where the cursor is: at what is going on. */
Test(step, cursor_is_where_it_happens)
{
    struct tty tty;

    start(&tty, MINUS_FOUR);
    go_to(&tty, FIRST_STORE + 1);
    cr_assert(eq(int, tty_cursor(&tty).row,
                 (int)tty_find_row(&tty, "code[1] = 0xc7;")));
    go_to(&tty, FIRST_ADD);
    cr_assert(eq(int, tty_cursor(&tty).row, (int)tty_find_row(&tty, "> +7 ")));
    quit(&tty);
}

static void expect_ascii(struct tty *tty)
{
    for (size_t i = 0; i < tty->raw.len; i++)
        cr_assert(lt(uint, tty->raw.data[i], 0x80), "byte %zu", i);
}

Test(step, ascii_locale)
{
    struct tty tty;

    start_command(&tty,
                  &(struct job){.argv = MINUS_FOUR, .env = ARGS("LC_ALL=C")},
                  24, 80);
    go(&tty, "nn", FIRST_STORE);
    cr_assert(eq(int, tty_shows(&tty, "00000000:[48].. .. "), 1));
    go(&tty, "]", MPROTECT);
    cr_assert(eq(int, tty_shows(&tty, "rw-p > r-xp"), 1));
    go(&tty, "r", LAST);
    tty_type(&tty, "h");
    tty_wait_text(&tty, "Enter, space, n, >");
    expect_ascii(&tty);
    tty_type(&tty, "h");
    quit(&tty);
}

/* The line mode: a prompt, and not one escape sequence. */
static void check_lines(const struct job *command)
{
    struct tty tty;

    tty_start(&tty, command, 24, 80);
    tty_wait_text(&tty, "step 0>");
    tty_type(&tty, "stage\n");
    tty_wait_text(&tty, "event 1, mmap:");
    cr_assert(eq(ptr, memchr(tty.raw.data, '\033', tty.raw.len), NULL));
    tty_type(&tty, "q\n");
    expect_end(&tty, 0);
}

Test(step, line_mode_on_simple_terminals)
{
    check_lines(&(struct job){.argv = MINUS_FOUR, .env = ARGS("TERM=dumb")});
    check_lines(&(struct job){.argv = MINUS_FOUR, .env = ARGS("TERM")});
    check_lines(
        &(struct job){.argv = MINUS_FOUR,
                      .env = ARGS("TERM=no-such-terminal", "NO_COLOR=1")});
    check_lines(&(struct job){
        .argv = ARGS(JITTRACE, "--step", "--plain", "--color=never", "-4")});
}

/* Standard input is a terminal, standard output is none. */
static void check_lines_in_file(void)
{
    const char *file = scratch(".lines");
    struct buf script = {0}, text = {0};
    struct tty tty;

    buf_printf(&script, "exec %s --step -4 >%s", JITTRACE, file);
    tty_start(&tty, &(struct job){.argv = ARGS("sh", "-c", buf_text(&script))},
              24, 80);
    tty_settle(&tty);
    tty_type(&tty, "stage\nq\n");
    expect_end(&tty, 0);
    read_file(file, &text);
    cr_assert(contains(buf_text(&text), "event 1, mmap:"));
    cr_assert(eq(ptr, memchr(text.data, '\033', text.len), NULL));
    buf_release(&script);
    buf_release(&text);
    unlink(file);
}

Test(step, line_mode_without_a_terminal)
{
    const char *file = scratch(".commands");
    struct result result;

    write_file(file, "stage\nq\n", 8, 0600);
    run(&(struct job){.argv = MINUS_FOUR,
                      .in = file,
                      .tty = true,
                      .env = ARGS("TERM=xterm-256color", "NO_COLOR=1")},
        &result);
    cr_assert(eq(int, result.status, 0));
    cr_assert(contains(buf_text(&result.out), "event 1, mmap:"));
    cr_assert(eq(ptr, memchr(result.out.data, '\033', result.out.len), NULL));
    result_release(&result);
    unlink(file);
    check_lines_in_file();
}
