/* SPDX-License-Identifier: MIT */
/*
 * listing.c - one sorted array of lines, and the texts that they are parts of:
 *
 *     listing ─┐                       ┌─▶ "babyjit.c\0    int main(void)\n..."
 *     listing ─┴─▶ lines: uses, [line]─┼─▶ the same text
 *                                      └─▶ "babyjit.c\0return 0;"
 *
 * Everything to the right of a listing is shared and counts its users. Lines
 * that others use too are copied before they change, which is seldom: a program
 * has few lines that make code, and each is news once.
 */
#include "trace/listing.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* What an event brought, of one file. */
struct passage {
    size_t uses; /* by lines */
    size_t size; /* of all this, in bytes */
    char text[]; /* the file's name, a NUL, the lines */
};

struct line {
    struct passage *passage; /* its text is the file's name */
    int number;
    bool whole; /* as it is in the file, with its indentation */
    struct bytes text;
};

struct listing_lines {
    size_t uses; /* by listings */
    size_t count;
    size_t capacity;
    struct line *list; /* sorted by number and file */
};

static void drop_passage(struct passage *passage)
{
    if (--passage->uses == 0)
        free(passage);
}

void listing_release(struct listing *listing)
{
    struct listing_lines *lines = listing->lines;

    listing->lines = NULL;
    if (!lines || --lines->uses > 0)
        return;
    for (size_t i = 0; i < lines->count; i++)
        drop_passage(lines->list[i].passage);
    free(lines->list);
    free(lines);
}

void listing_copy(struct listing *to, const struct listing *from)
{
    *to = *from;
    if (to->lines)
        to->lines->uses++;
}

/* The lines to be changed: they are there, and nobody else's. */
static struct listing_lines *own_lines(struct listing *listing)
{
    struct listing_lines *from = listing->lines, *own;

    if (from && from->uses == 1)
        return from;
    own = mem_alloc(sizeof *own);
    own->uses = 1;
    if (from) {
        from->uses--;
        own->count = own->capacity = from->count;
        own->list = mem_copy(from->list, from->count * sizeof *from->list);
        for (size_t i = 0; i < own->count; i++)
            own->list[i].passage->uses++;
    }
    return listing->lines = own;
}

static int compare(const struct line *line, const char *file, int number)
{
    if (line->number != number)
        return line->number < number ? -1 : 1;
    return strcmp(line->passage->text, file);
}

/* The index of the first line that is not in front of this one. */
static size_t index_of(const struct listing_lines *lines, const char *file,
                       int number)
{
    size_t low = 0, high = lines->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (compare(&lines->list[middle], file, number) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static const struct line *find(const struct listing *listing, const char *file,
                               int number)
{
    const struct listing_lines *lines = listing->lines;
    size_t i;

    if (!lines)
        return NULL;
    i = index_of(lines, file, number);
    if (i < lines->count && compare(&lines->list[i], file, number) == 0)
        return &lines->list[i];
    return NULL;
}

bool listing_line(const struct listing *listing, const char *file, int line,
                  struct bytes *text)
{
    const struct line *found = find(listing, file, line);

    if (found)
        *text = found->text;
    return found != NULL;
}

/* Adds a line, or puts it in the place of the one that was there. */
static void put(struct listing *listing, struct line line)
{
    struct listing_lines *lines = own_lines(listing);
    const char *file = line.passage->text;
    size_t i = index_of(lines, file, line.number);

    line.passage->uses++;
    if (i < lines->count && compare(&lines->list[i], file, line.number) == 0) {
        drop_passage(lines->list[i].passage);
    } else {
        lines->list = mem_grow(lines->list, lines->count, &lines->capacity,
                               sizeof *lines->list);
        memmove(&lines->list[i + 1], &lines->list[i],
                (lines->count - i) * sizeof *lines->list);
        lines->count++;
    }
    lines->list[i] = line;
}

/* Whether the line would say nothing new. */
static bool is_known(const struct listing *listing, const struct line *line)
{
    const struct line *known = find(listing, line->passage->text, line->number);

    if (!known || known->whole != line->whole)
        return known && known->whole;
    return !known->whole ||
           (known->text.len == line->text.len &&
            memcmp(known->text.data, line->text.data, line->text.len) == 0);
}

static void learn(struct listing *listing, const char *file, int number,
                  const char *text, bool whole)
{
    size_t name = strlen(file) + 1, rest = strlen(text);
    struct passage *passage = mem_alloc(sizeof *passage + name + rest + 1);
    const char *at = passage->text + name, *end = at + rest;

    passage->uses = 1;
    passage->size = sizeof *passage + name + rest + 1;
    memcpy(passage->text, file, name);
    memcpy(passage->text + name, text, rest);
    for (; at < end && number < INT_MAX; number++) {
        size_t len = strcspn(at, "\n");
        struct line line = {passage, number, whole, {(const uint8_t *)at, len}};

        if (!is_known(listing, &line))
            put(listing, line);
        at += len + 1;
        if (!whole)
            break;
    }
    drop_passage(passage);
}

void listing_learn(struct listing *listing, const struct srcline *source)
{
    if (!source->file)
        return;
    if (source->excerpt)
        learn(listing, source->file, source->excerpt_line, source->excerpt,
              true);
    if (source->text && !find(listing, source->file, source->line))
        learn(listing, source->file, source->line, source->text, false);
}

size_t listing_memory(const struct listing *listing)
{
    const struct listing_lines *lines = listing->lines;
    size_t sum = 0;

    if (!lines)
        return 0;
    for (size_t i = 0; i < lines->count; i++)
        sum += lines->list[i].passage->size / lines->list[i].passage->uses;
    sum += sizeof *lines + lines->capacity * sizeof *lines->list;
    return sum / lines->uses;
}
