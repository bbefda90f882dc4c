/* SPDX-License-Identifier: MIT */
#include "step/typing.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/utf8.h"

#define MAX_TYPED 256u /* bytes */

struct typed {
    int kind;
    char *text;
};

void typing_release(struct typing *typing)
{
    for (size_t i = 0; i < typing->count; i++)
        free(typing->lines[i].text);
    free(typing->lines);
    buf_release(&typing->question);
    buf_release(&typing->text);
    buf_release(&typing->more);
    buf_release(&typing->started);
    *typing = (struct typing){0};
}

static void set_text(struct typing *typing, const char *text)
{
    buf_clear(&typing->text);
    buf_append_text(&typing->text, text);
    typing->at = typing->text.len;
}

void typing_open(struct typing *typing, const char *question, int kind)
{
    buf_clear(&typing->question);
    buf_append_text(&typing->question, question);
    buf_clear(&typing->more);
    set_text(typing, "");
    typing->kind = kind;
    typing->shown = typing->count;
}

/* --- characters ---------------------------------------------------------- */

/* Where the character before, or behind, a place begins. */
static size_t before(const struct typing *typing, size_t at)
{
    while (at > 0 && (typing->text.data[--at] & 0xc0) == 0x80)
        continue;
    return at;
}

static size_t behind(const struct typing *typing, size_t at)
{
    size_t end = typing->text.len;

    if (at < end)
        at++;
    while (at < end && (typing->text.data[at] & 0xc0) == 0x80)
        at++;
    return at;
}

/* Puts text in place of [from, to); the cursor stands behind it then. */
static void replace(struct typing *typing, size_t from, size_t to,
                    const void *text, size_t len)
{
    struct buf changed = {0};

    if (typing->text.len - (to - from) + len > MAX_TYPED)
        return;
    buf_append(&changed, typing->text.data, from);
    buf_append(&changed, text, len);
    buf_append(&changed, typing->text.data + to, typing->text.len - to);
    buf_release(&typing->text);
    typing->text = changed;
    typing->at = from + len;
}

void typing_complete(struct typing *typing, size_t from, const char *text,
                     size_t len)
{
    replace(typing, from, typing->at, text, len);
}

static void insert(struct typing *typing, uint32_t rune)
{
    struct buf text = {0};

    utf8_append(rune, &text);
    replace(typing, typing->at, typing->at, text.data, text.len);
    buf_release(&text);
}

/* Where the word in front of the cursor begins, blanks behind it included. */
static size_t word_start(const struct typing *typing)
{
    size_t at = typing->at;

    while (at > 0 && typing->text.data[at - 1] == ' ')
        at--;
    while (at > 0 && typing->text.data[at - 1] != ' ')
        at--;
    return at;
}

/* --- lines typed before -------------------------------------------------- */

/* The nearest line of this kind in a direction; count: the new one, or none. */
static size_t neighbour(const struct typing *typing, int direction)
{
    size_t at = typing->shown;

    while (direction < 0 ? at > 0 : at < typing->count) {
        at = direction < 0 ? at - 1 : at + 1;
        if (at == typing->count || typing->lines[at].kind == typing->kind)
            return at;
    }
    return typing->shown;
}

static void recall(struct typing *typing, int direction)
{
    size_t to = neighbour(typing, direction);

    if (to == typing->shown)
        return;
    if (typing->shown == typing->count) {
        buf_clear(&typing->started);
        buf_append(&typing->started, typing->text.data, typing->text.len);
    }
    typing->shown = to;
    set_text(typing, to == typing->count ? buf_text(&typing->started)
                                         : typing->lines[to].text);
}

/* Nothing, and what is the last line already, is not kept once more. */
static void keep(struct typing *typing)
{
    const char *text = buf_text(&typing->text);
    size_t last;

    typing->shown = typing->count;
    last = neighbour(typing, -1);
    if (!*text ||
        (last < typing->count && !strcmp(typing->lines[last].text, text)))
        return;
    typing->lines =
        mem_resize(typing->lines, typing->count + 1, sizeof *typing->lines);
    typing->lines[typing->count++] =
        (struct typed){typing->kind, mem_copy_text(text)};
}

/* --- keys ---------------------------------------------------------------- */

static void press_key(struct typing *typing, enum key key)
{
    switch (key) {
    case KEY_IS_LEFT:
        typing->at = before(typing, typing->at);
        break;
    case KEY_IS_RIGHT:
        typing->at = behind(typing, typing->at);
        break;
    case KEY_IS_HOME:
        typing->at = 0;
        break;
    case KEY_IS_END:
        typing->at = typing->text.len;
        break;
    case KEY_IS_UP:
        recall(typing, -1);
        break;
    case KEY_IS_DOWN:
        recall(typing, 1);
        break;
    case KEY_IS_DELETE:
        replace(typing, typing->at, behind(typing, typing->at), "", 0);
        break;
    default:
        break;
    }
}

static void press_character(struct typing *typing, uint32_t rune)
{
    size_t at = typing->at;

    if (rune == CHARACTER_BACKSPACE)
        replace(typing, before(typing, at), at, "", 0);
    else if (rune == CHARACTER_CTRL('U'))
        replace(typing, 0, at, "", 0);
    else if (rune == CHARACTER_CTRL('W'))
        replace(typing, word_start(typing), at, "", 0);
    else if (rune == CHARACTER_CTRL('A'))
        typing->at = 0;
    else if (rune == CHARACTER_CTRL('E'))
        typing->at = typing->text.len;
    else if (rune >= 0x20 && rune <= 0x10ffff)
        insert(typing, rune);
}

enum typing_end typing_press(struct typing *typing, const struct press *press)
{
    bool is_key = press->kind == PRESS_KEY;
    uint32_t rune = press->kind == PRESS_CHARACTER ? press->character : 0;

    buf_clear(&typing->more);
    if (is_key && press->key == KEY_IS_ENTER) {
        keep(typing);
        return TYPING_TYPED;
    }
    if (rune == CHARACTER_ESCAPE)
        return TYPING_GIVEN_UP;
    if (rune == CHARACTER_CTRL('I'))
        return TYPING_TAB;
    if (is_key)
        press_key(typing, press->key);
    else
        press_character(typing, rune);
    return TYPING_GOES_ON;
}
