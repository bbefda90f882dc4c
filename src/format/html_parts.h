/* SPDX-License-Identifier: MIT */
/*
 * format/html_parts.h - what the files of the page (html*.c) share.
 *
 * A page holds the player and what it shows, as JSON that was deflated (RFC
 * 1950) and written in base64, for it would be ten times as long otherwise: an
 * index of the whole run, and blocks of BLOCK_EVENTS events each, which the
 * player unpacks when a reader comes there.
 *
 *     index   counts, stages, keys, calls, verdicts, who wrote each byte
 *     block   lines, each once; panes, each once, as numbers of lines; and for
 *             each event its paragraph and the numbers of its panes
 *
 * In a line a character from U+E000 on says the role of what follows: it is the
 * number of the role. No pane has such a character of its own (grid.c).
 */
#ifndef JITTRACE_FORMAT_HTML_PARTS_H
#define JITTRACE_FORMAT_HTML_PARTS_H

#include <jansson.h>

#include "trace/history.h"

#define BLOCK_EVENTS 64u
#define ROLE_RUNE    0xe000u

/* Which events of a history the page has: all, or those at both ends. */
struct kept {
    uint64_t count;
    uint64_t cut; /* the first one that is left out, and ... */
    uint64_t end; /* ... the first one behind those; both 0: all are there */
};

/* How many events are kept, and the number of one of them. */
uint64_t kept_count(const struct kept *kept);
uint64_t kept_seq(const struct kept *kept, uint64_t place);

/* Texts that are stored once. All zero is none; values are numbers. */
struct texts_once {
    json_t *list;    /* of what was added, in its order */
    json_t *numbers; /* by text */
};

void once_init(struct texts_once *once);
void once_release(struct texts_once *once);

/* The number of a text; it is added if it was not there. */
json_int_t once_add(struct texts_once *once, const char *text);

/* What each byte of code is for, and since which event: filled from one event
 * after the other. */
struct purposes;
struct purposes *purposes_new(void);
void purposes_free(struct purposes *purposes); /* accepts NULL */
void purposes_take(struct purposes *purposes, struct history *history,
                   uint64_t seq);

/* Both return a new reference: a block of the events from that place on, and
 * what the index has of bytes: what they are for, and who wrote them. */
json_t *html_block(struct history *history, const struct kept *kept,
                   uint64_t place);
json_t *html_bytes(struct history *history, struct purposes *purposes);

/* Adds to the index where finish, iteration, call and verdict lead to. */
void html_moves(struct history *history, const struct kept *kept,
                json_t *index);

/* The names of the panes of a block, in their order, and of the roles. */
json_t *html_pane_names(void);
json_t *html_role_names(void);

/* Appends it in base64, deflated; releases it. */
void html_pack(json_t *json, struct buf *out);

#endif
