/* SPDX-License-Identifier: MIT */
/*
 * screen/command.h - what a reader can do, and the keys and words for it
 * (command.def is the table).
 */
#ifndef JITTRACE_SCREEN_COMMAND_H
#define JITTRACE_SCREEN_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* Keys that are no characters. */
enum key {
    KEY_IS_ENTER,
    KEY_IS_RIGHT,
    KEY_IS_LEFT,
    KEY_IS_HOME,
    KEY_IS_END,
    KEYS,
};
#define KEY_BIT(name) (1u << KEY_IS_##name)

enum command {
#define COMMAND(id, word, letters, keys, help) COMMAND_##id,
#include "screen/command.def"
    COMMANDS,
    COMMAND_NONE = COMMANDS,
};

/* The command of a character, of another key, or COMMAND_NONE. */
enum command command_of_letter(char letter);
enum command command_of_key(enum key key);

/* The command whose word it is, or whose letter if it is one; COMMAND_NONE. */
enum command command_of_word(const char *word, size_t len);

/* The word, as in the table. */
const char *command_word(enum command command);

/* The help: one line. */
const char *command_help(enum command command);

/* Appends the keys of a command for a reader: "Enter, space, n, →". */
void command_keys(enum command command, struct buf *out);

/* What to ask for: "goto event: "; NULL if the command needs no more. */
const char *command_question(enum command command);

#endif
