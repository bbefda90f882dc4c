/* SPDX-License-Identifier: MIT */
/*
 * format/json_fields.h - the fields of an event in the object of its line, both
 * ways. Of interest in this room only.
 */
#ifndef JITTRACE_FORMAT_JSON_FIELDS_H
#define JITTRACE_FORMAT_JSON_FIELDS_H

#include <jansson.h>

#include "base/err.h"
#include "trace/event.h"

/*
 * Numbers in a trace stay within 53 bits, signed: all integers up to there
 * survive in a program that keeps numbers as doubles, as JavaScript and jq do.
 */
#define JSON_NUMBER_MAX INT64_C(9007199254740991)

/* A line of a recording. An event read from it borrows its texts from root;
 * what has another form in C than in JSON is in kept. */
struct json_line {
    char *name;      /* of the file, for messages */
    uint64_t number; /* from 1 */
    json_t *root;
    void **kept;
    size_t kept_count;
    size_t kept_capacity;
    struct err *err; /* is filled with what is wrong */
};

/* The line that a source of json.c has read last, for as long as that lives. */
struct source;
const struct json_line *json_source_line(const struct source *source);

/* Frees root and what is kept, and with it what an event borrowed. */
void json_line_forget(struct json_line *line);

/* Fills line->err with "FILE:LINE: message" (ERR_DATA) and returns -1. */
int json_fail(const struct json_line *line, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Where a value stands: "reads[0].addr" are three of these. */
struct json_path {
    const struct json_path *in; /* or NULL */
    const char *name;           /* NULL: index is what counts */
    size_t index;
};

/* Appends value as it would stand in the file, so far as it fits a message; in
 * ASCII, because a message must not carry control codes of the file. */
void json_quote(const json_t *value, struct buf *out);

/* As json_fail for a value that is not what it must be, or missing (NULL).
 * right ends the sentence "it must be ...". */
int json_fail_field(const struct json_line *line, const json_t *value,
                    const char *right, const struct json_path *path);

/* --- single values (json_values.c) ---------------------------------------- */

/* size bytes, all zero, that live as long as the event of the line. */
void *json_keep(struct json_line *line, size_t size);

/* These take a value, or NULL for a missing one, and return whether it is a
 * text without NUL, a whole number from min to max. */
bool json_get_text(const json_t *value, const char **out);
bool json_get_number(const json_t *value, int64_t min, int64_t max,
                     int64_t *out);

/* The same of an address, of bytes, which live as long as the event, and of a
 * protection. */
bool json_get_addr(const json_t *value, uint64_t *out);
bool json_get_bytes(struct json_line *line, const json_t *value,
                    struct bytes *out);
/* A number of so many bytes, the lowest first, from "0x" and all its digits. */
bool json_get_wide(struct json_line *line, const json_t *value, size_t size,
                   struct bytes *out);
bool json_get_prot(const json_t *value, unsigned *out);

/* A number, which must fit in JSON_NUMBER_MAX, an address, bytes; a text, with
 * U+FFFD in place of each byte that is no part of UTF-8. */
json_t *json_of_number(int64_t value);
json_t *json_of_addr(uint64_t value);
json_t *json_of_bytes(struct bytes bytes);
json_t *json_of_wide(struct bytes bytes);
json_t *json_of_text(const char *text);

/* Appends a value, which is freed, without spaces or a newline; flags as those
 * of json_dumps. What a terminal must not be shown as it is gets escaped. */
void json_append(json_t *json, size_t flags, struct buf *out);

/* --- whole events (json_fields.c) ----------------------------------------- */

/* Fills tid, source and the fields of event, whose kind is set and all else
 * zero, from the line. Returns 0, or -1 with line->err filled. */
int json_read_fields(struct json_line *line, struct event *event);

/* Adds a value, which becomes the object's, or the list's (key NULL). */
void json_put(json_t *in, const char *key, json_t *value);

/* Adds the same of an event, whose numbers fit in JSON_NUMBER_MAX. */
void json_put_fields(json_t *object, const struct event *event);

#endif
