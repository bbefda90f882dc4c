/* SPDX-License-Identifier: MIT */
#include "screen/command.h"

const struct command_entry command_table[COMMANDS] = {
#define COMMAND(id, word, letters, keys, help) \
    {word, letters, keys, NULL, NULL, help},
#define ASKING(id, word, letters, keys, what, question, help) \
    {word, letters, keys, what, question, help},
#include "screen/command.def"
};

enum command command_of_letter(char letter)
{
    for (int i = 0; letter && i < COMMANDS; i++)
        if (strchr(command_table[i].letters, letter))
            return (enum command)i;
    return COMMAND_NONE;
}

enum command command_of_key(enum key key)
{
    for (int i = 0; i < COMMANDS; i++)
        if (command_table[i].keys & 1u << key)
            return (enum command)i;
    return COMMAND_NONE;
}

enum command command_of_word(const char *word, size_t len)
{
    for (int i = 0; i < COMMANDS; i++)
        if (strlen(command_table[i].word) == len &&
            !memcmp(command_table[i].word, word, len))
            return (enum command)i;
    return len == 1 ? command_of_letter(*word) : COMMAND_NONE;
}

static void add_key(struct buf *out, size_t start, const char *name, int len)
{
    buf_printf(out, "%s%.*s", out->len > start ? ", " : "", len, name);
}

void command_keys(enum command command, struct buf *out)
{
    static const char *const names[KEYS] = {
        [KEY_IS_ENTER] = "Enter", [KEY_IS_RIGHT] = "→", [KEY_IS_LEFT] = "←",
        [KEY_IS_HOME] = "Home",   [KEY_IS_END] = "End",
    };
    const struct command_entry *entry = &command_table[command];
    size_t start = out->len;

    /* What is longest comes first, the arrows last. */
    if (entry->keys & KEY_BIT(ENTER))
        add_key(out, start, "Enter", 5);
    if (strchr(entry->letters, ' '))
        add_key(out, start, "space", 5);
    for (const char *letter = entry->letters; *letter; letter++)
        if (*letter != ' ')
            add_key(out, start, letter, 1);
    for (int key = KEY_IS_ENTER + 1; key < KEYS; key++)
        if (entry->keys & 1u << key)
            add_key(out, start, names[key], (int)strlen(names[key]));
}
