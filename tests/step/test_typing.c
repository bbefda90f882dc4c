/* SPDX-License-Identifier: MIT */
/*
 * A line that is typed on the full screen: the keys that edit it, and what was
 * typed before.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "step/typing.h"

TestSuite(typing, .timeout = 20);

/* Letters stand for themselves, capitals and signs for keys. */
static enum typing_end press(struct typing *typing, const char *keys)
{
    static const struct {
        char letter;
        struct press press;
    } named[] = {
        {'<', {.kind = PRESS_KEY, .key = KEY_IS_LEFT}},
        {'>', {.kind = PRESS_KEY, .key = KEY_IS_RIGHT}},
        {'^', {.kind = PRESS_KEY, .key = KEY_IS_UP}},
        {'v', {.kind = PRESS_KEY, .key = KEY_IS_DOWN}},
        {'H', {.kind = PRESS_KEY, .key = KEY_IS_HOME}},
        {'N', {.kind = PRESS_KEY, .key = KEY_IS_END}},
        {'D', {.kind = PRESS_KEY, .key = KEY_IS_DELETE}},
        {'!', {.kind = PRESS_KEY, .key = KEY_IS_ENTER}},
        {'O', {.kind = PRESS_OTHER}},
        {'B', {.kind = PRESS_CHARACTER, .character = CHARACTER_BACKSPACE}},
        {'A', {.kind = PRESS_CHARACTER, .character = 0x01}},
        {'E', {.kind = PRESS_CHARACTER, .character = 0x05}},
        {'U', {.kind = PRESS_CHARACTER, .character = 0x15}},
        {'W', {.kind = PRESS_CHARACTER, .character = 0x17}},
        {'T', {.kind = PRESS_CHARACTER, .character = '\t'}},
        {'C', {.kind = PRESS_CHARACTER, .character = 0x07}},
        {'X', {.kind = PRESS_CHARACTER, .character = CHARACTER_ESCAPE}},
        {'Z', {.kind = PRESS_CHARACTER, .character = 0xe9}}, /* é */
    };
    enum typing_end end = TYPING_GOES_ON;

    for (; *keys; keys++) {
        struct press press = {.kind = PRESS_CHARACTER,
                              .character = (uint32_t)*keys};

        for (size_t i = 0; i < sizeof named / sizeof *named; i++)
            if (named[i].letter == *keys)
                press = named[i].press;
        end = typing_press(typing, &press);
    }
    return end;
}

Test(typing, keys)
{
    /* The cursor is where the bar is. */
    static const struct {
        const char *keys, *text;
    } cases[] = {
        {"abc", "abc|"},      {"abc<<x", "ax|bc"},
        {"abcHxN", "xabc|"},  {"abcAxEy", "xabcy|"},
        {"<a>b", "ab|"},      {"abcB", "ab|"},
        {"B", "|"},           {"abc<B", "a|c"},
        {"abcHD", "|bc"},     {"abD", "ab|"},
        {"abc<U", "|c"},      {"ab cd  W", "ab |"},
        {"ab cd<W", "ab |d"}, {"ab W", "|"},
        {"aZc<<x", "ax|éc"},  {"aZB", "a|"},
        {"ZZHD", "|é"},       {"Z<>x", "éx|"},
        {"abC", "ab|"},       {"abO", "ab|"},
        {"ab^v", "ab|"},
    };
    struct typing typing = {0};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf got = {0};

        typing_open(&typing, "? ", 1);
        cr_assert(eq(int, press(&typing, cases[i].keys), TYPING_GOES_ON));
        buf_append(&got, typing.text.data, typing.at);
        buf_append_text(&got, "|");
        buf_append_text(&got, buf_text(&typing.text) + typing.at);
        cr_expect(eq(str, (char *)buf_text(&got), (char *)cases[i].text), "%s",
                  cases[i].keys);
        buf_release(&got);
    }
    cr_assert(eq(int, press(&typing, "T"), TYPING_TAB));
    cr_assert(eq(int, press(&typing, "X"), TYPING_GIVEN_UP));
    typing_release(&typing);
}

static void expect(struct typing *typing, const char *keys, const char *text)
{
    press(typing, keys);
    cr_expect(eq(str, (char *)buf_text(&typing->text), (char *)text), "%s",
              keys);
}

/* Lines of a kind are kept once each time; what was begun is not lost. */
Test(typing, lines_before)
{
    struct typing typing = {0};
    static const char *const typed[] = {"one!", "two!", "two!", "!", "goX"};

    for (size_t i = 0; i < sizeof typed / sizeof *typed; i++) {
        typing_open(&typing, ":", 1);
        press(&typing, typed[i]);
    }
    typing_open(&typing, "/", 2);
    expect(&typing, "^", "");
    press(&typing, "other!");
    typing_open(&typing, ":", 1);
    expect(&typing, "x^", "two");
    expect(&typing, "^", "one");
    expect(&typing, "^", "one");
    expect(&typing, "v", "two");
    expect(&typing, "v", "x");
    expect(&typing, "v", "x");
    expect(&typing, "^^BB!", "o");
    typing_open(&typing, ":", 1);
    expect(&typing, "^", "o");
    expect(&typing, "^^", "one");
    typing_open(&typing, "/", 2);
    expect(&typing, "^", "other");
    typing_release(&typing);
}

Test(typing, there_is_an_end)
{
    struct typing typing = {0};

    typing_open(&typing, ":", 1);
    for (size_t i = 0; i < 300; i++)
        press(&typing, "Z");
    cr_assert(eq(sz, typing.text.len, 256));
    press(&typing, "<x>");
    cr_assert(eq(sz, typing.text.len, 256));
    typing_release(&typing);
}
