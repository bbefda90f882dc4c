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
    if (len == 3 && !memcmp(word, "yes", 3)) /* where that is the answer */
        return COMMAND_COPY;
    return len == 1 ? command_of_letter(*word) : COMMAND_NONE;
}

enum command command_parse(const char *line, const char **argument,
                           struct buf *message)
{
    enum command command;
    size_t len;

    line += strspn(line, ": \t");
    len = strcspn(line, " \t");
    *argument = line + len + strspn(line + len, " \t");
    command = command_of_word(line, len);
    if (command == COMMAND_LINE)
        return command_parse(*argument, argument, message);
    if (*line == '/' && len > 1) { /* no blank is needed behind it */
        command = COMMAND_SEARCH;
        *argument = line + 1;
    } else if (*line && line[strspn(line, "0123456789")] == 0) {
        command = COMMAND_GOTO;
        *argument = line;
    }
    if (command == COMMAND_NONE) {
        if (*line)
            buf_printf(message, "there is no command '%.*s'; help lists them",
                       (int)len, line);
        return COMMAND_NONE;
    }
    if (command_table[command].what)
        return command;
    if (**argument) {
        buf_printf(message, "nothing can stand after %s",
                   command_table[command].word);
        return COMMAND_NONE;
    }
    *argument = NULL;
    return command;
}

static void add_key(struct buf *out, size_t start, const char *name, int len)
{
    buf_printf(out, "%s%.*s", out->len > start ? ", " : "", len, name);
}

void command_keys(enum command command, struct buf *out)
{
    static const char *const names[KEYS] = {
        [KEY_IS_ENTER] = "Enter", [KEY_IS_RIGHT] = "→", [KEY_IS_LEFT] = "←",
        [KEY_IS_HOME] = "Home",   [KEY_IS_END] = "End", [KEY_IS_F1] = "F1",
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
