/* SPDX-License-Identifier: MIT */
/*
 * format/json_fields.h - what the writer and the reader of JSON Lines share,
 * and how the reader gets fields out of a line. Of interest in this room only.
 */
#ifndef JITTRACE_FORMAT_JSON_FIELDS_H
#define JITTRACE_FORMAT_JSON_FIELDS_H

#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#include "base/err.h"
#include "trace/event.h"

/*
 * Numbers in a trace stay within 53 bits, signed: all integers up to there
 * survive in a program that keeps numbers as doubles, as JavaScript and jq do.
 */
#define JSON_NUMBER_MAX INT64_C(9007199254740991)

/*
 * Whether the field says nothing in this event: code_offset, which follows
 * code in event.def, when there is no code.
 */
static inline bool json_field_is_void(const struct event *event,
                                      const struct event_field *field)
{
    const char *code;

    if (strcmp(field->name, "code_offset") != 0)
        return false;
    code = (const char *)event + field[-1].offset;
    return !((const struct bytes *)(const void *)code)->data;
}

/*
 * A line of a recording. An event read from it borrows its texts from root;
 * what has another form in C than in JSON is in kept.
 */
struct json_line {
    char *name;      /* of the file, for messages */
    uint64_t number; /* from 1 */
    json_t *root;
    void **kept;
    size_t kept_count;
    size_t kept_capacity;
    struct err *err; /* is filled with what is wrong */
};

/* Frees root and what is kept, and with it what an event borrowed. */
void json_line_forget(struct json_line *line);

/* Fills line->err with "FILE:LINE: message" (ERR_DATA) and returns -1. */
int json_fail(const struct json_line *line, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * The same for a field that is not what it must be, or missing (value NULL).
 * right ends the sentence "it must be ...", field names it: "reads[0].addr".
 */
int json_fail_field(const struct json_line *line, const json_t *value,
                    const char *right, const char *field, ...)
    __attribute__((format(printf, 4, 5)));

/*
 * These take a value, or NULL for a missing one, and return whether it is a
 * text without NUL, a whole number from min to max.
 */
bool json_get_text(const json_t *value, const char **out);
bool json_get_number(const json_t *value, int64_t min, int64_t max,
                     int64_t *out);

/*
 * Fills tid, source and the fields of event, whose kind is set and all else
 * zero, from the line. Returns 0, or -1 with line->err filled.
 */
int json_read_fields(struct json_line *line, struct event *event);

#endif
