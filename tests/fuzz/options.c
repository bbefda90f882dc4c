/* SPDX-License-Identifier: MIT */
/*
 * options.c - any lines as the arguments of a command line.
 */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "cli/options.h"
#include "fuzz.h"

#define MOST_ARGUMENTS 64

/* A line is an argument; what is behind a NUL in it, or too much, is lost. */
static int split(char *text, char **argv)
{
    int argc = 0;

    argv[argc++] = (char *)"jittrace";
    while (*text && argc < MOST_ARGUMENTS) {
        size_t len = strcspn(text, "\n");

        argv[argc++] = text;
        text += len;
        if (*text)
            *text++ = 0;
    }
    argv[argc] = NULL;
    return argc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *argv[MOST_ARGUMENTS + 1];
    struct buf text = {0};
    struct options options;
    struct err err = {ERR_NONE, ""};

    buf_append(&text, data, size);
    if (options_parse(split((char *)buf_text(&text), argv), argv, &options,
                      &err) < 0) {
        BUG_UNLESS(err.kind == ERR_USAGE && *err.text);
        fuzz_check_text(err.text, strlen(err.text), false);
    }
    free((void *)options.typed);
    buf_release(&text);
    return 0;
}
