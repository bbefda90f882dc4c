/* SPDX-License-Identifier: MIT */
/*
 * listing.c - the lines of all files in one list of ranges: the number of a
 * file, from 0, is in the upper half of a line's key, its own in the lower.
 * Each event that has news brings a passage, from which its lines are read.
 */
#include "trace/listing.h"

#include <limits.h>
#include <string.h>

/* Some lines of one file. */
struct passage {
    struct range_value value;
    int first;
    bool whole; /* as in the file, with their indentation */
    char *file; /* its name, behind the text */
    char text[];
};

static uint64_t key_of(uint64_t file, int line)
{
    return file << 32 | (uint32_t)((int64_t)line - INT_MIN);
}

/* The file's number; if it is new, the one that it would get. */
static uint64_t find_file(const struct ranges *listing, const char *name)
{
    const struct stretch *stretch;
    size_t count;
    uint64_t i = 0;

    while ((stretch = ranges_from(listing, i << 32, &count)) &&
           strcmp(((struct passage *)stretch->value)->file, name) != 0)
        i++;
    return i;
}

/* The passage that has the line, and in *text what it says; or NULL. */
static const struct passage *find(const struct ranges *listing, uint64_t file,
                                  int line, struct bytes *text)
{
    const struct passage *passage = ranges_at(listing, key_of(file, line));
    const char *at = passage ? passage->text : "";

    for (int i = passage ? passage->first : line; i < line; i++)
        at += strcspn(at, "\n") + 1;
    *text = (struct bytes){(const uint8_t *)at, strcspn(at, "\n")};
    return passage;
}

bool listing_line(const struct ranges *listing, const char *file, int line,
                  struct bytes *text)
{
    return find(listing, find_file(listing, file), line, text);
}

/* Takes lines from `first` up to, but not with, `end`. */
static void put(struct ranges *listing, const char *file, int first, int end,
                const char *text, bool whole)
{
    uint64_t number = find_file(listing, file);
    size_t size = strlen(text) + 1;
    struct passage *passage =
        range_value_new(sizeof *passage + size + strlen(file) + 1);

    passage->first = first;
    passage->whole = whole;
    passage->file = strcpy(passage->text + size, file);
    memcpy(passage->text, text, size);
    ranges_set(listing, key_of(number, first), key_of(number, end),
               &passage->value);
    range_value_drop(&passage->value);
}

void listing_learn(struct ranges *listing, const struct srcline *source)
{
    const char *at = source->excerpt;
    int line = source->excerpt_line;
    struct bytes known;
    bool news = false;
    uint64_t file;

    if (!source->file)
        return;
    file = find_file(listing, source->file);
    for (; at && *at && line < INT_MAX; line++) {
        size_t len = strcspn(at, "\n");
        const struct passage *passage = find(listing, file, line, &known);

        news |= !passage || !passage->whole || known.len != len ||
                memcmp(known.data, at, len) != 0;
        at += len + (at[len] == '\n');
    }
    if (news)
        put(listing, source->file, source->excerpt_line, line, source->excerpt,
            true);
    if (source->text && *source->text && source->line < INT_MAX &&
        !find(listing, file, source->line, &known))
        put(listing, source->file, source->line, source->line + 1, source->text,
            false);
}
