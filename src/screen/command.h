/* SPDX-License-Identifier: MIT */
/*
 * screen/command.h - what a reader can do, and the keys and words for it.
 */
#ifndef JITTRACE_SCREEN_COMMAND_H
#define JITTRACE_SCREEN_COMMAND_H

#include <stdint.h>

#include "base/buf.h"

/* Keys that are no characters. Those behind KEYS are no command. */
enum key {
    KEY_IS_ENTER,
    KEY_IS_RIGHT,
    KEY_IS_LEFT,
    KEY_IS_HOME,
    KEY_IS_END,
    KEY_IS_F1,
    KEYS,
    KEY_IS_UP = KEYS,
    KEY_IS_DOWN,
    KEY_IS_DELETE,
};
#define KEY_BIT(name) (1u << KEY_IS_##name)

enum command {
#define COMMAND(id, word, letters, keys, help) COMMAND_##id,
#include "screen/command.def"
    COMMANDS,
    COMMAND_NONE = COMMANDS,
};

/* A line of command.def, where each is explained. */
struct command_entry {
    const char *word;
    const char *letters;
    unsigned keys;
    const char *what;     /* NULL: nothing can stand behind the word */
    const char *question; /* "goto event: "; NULL: the key needs no more */
    const char *help;
};
extern const struct command_entry command_table[COMMANDS];

/* The command of a character, of another key, or COMMAND_NONE. */
enum command command_of_letter(char letter);
enum command command_of_key(enum key key);

/* The command whose word it is, or whose letter if it is one; COMMAND_NONE. */
enum command command_of_word(const char *word, size_t len);

/* Reads a line as the line mode has them: "goto 5", "g 5", "/mov"; also with a
 * colon in front, and a number alone is a GOTO. *argument is in line, or NULL
 * for a command that takes none. Returns COMMAND_NONE for an empty one, and
 * with a message for one that is no command. */
enum command command_parse(const char *line, const char **argument,
                           struct buf *message);

/* Appends the keys of a command for a reader: "Enter, space, n, →". */
void command_keys(enum command command, struct buf *out);

#endif
