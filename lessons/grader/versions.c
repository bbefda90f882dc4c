/* SPDX-License-Identifier: MIT */
#include "grader/versions.h"

#include <string.h>

#include "cpu/insn.h"
#include "grader/encoding.h"
#include "trace/view.h"

/* The code of a trial, or none where its length is no length. */
static struct bytes code_of(const struct view *view, const struct trial *trial,
                            uint8_t *room)
{
    size_t length = trial->length <= TRIAL_ROOM ? (size_t)trial->length : 0;

    pages_read(&view->pages, trial->code, length, room);
    return (struct bytes){room, length};
}

/* Whether it is made of whole instructions, which can be named. */
static bool is_whole(struct bytes code)
{
    struct insn insn;
    size_t at = 0;

    while (at < code.len &&
           insn_decode(code.data + at, code.len - at, at, &insn) > 0)
        at += insn.length;
    return at == code.len;
}

static size_t first_byte(struct bytes before, struct bytes after)
{
    size_t at = 0;

    while (at < before.len && at < after.len &&
           before.data[at] == after.data[at])
        at++;
    return at;
}

static void add_byte(const char *name, struct bytes code, size_t at,
                     struct buf *out)
{
    if (at < code.len)
        buf_printf(out, "    %-8s  code[%zu] = %02x\n", name, at,
                   code.data[at]);
    else
        buf_printf(out, "    %-8s  the code ends after %zu bytes\n", name,
                   code.len);
}

static void tell(int32_t term, struct bytes before, struct bytes after,
                 struct buf *out)
{
    struct difference difference = {0};
    size_t at = first_byte(before, after);
    char *line, *rest;

    buf_printf(out, "They differ first for the term %d, at code[%zu]", term,
               at);
    if (is_whole(before) && encoding_compare(before, after, &difference)) {
        buf_printf(out, ":\n    %s\n", buf_text(&difference.what));
        rest = (char *)buf_text(&difference.details);
        while ((line = strsep(&rest, "\n")) && rest)
            buf_printf(out, "    %s\n", line);
    } else {
        buf_append_text(out, ":\n");
    }
    add_byte("expected", before, at, out);
    add_byte("actual", after, at, out);
    difference_release(&difference);
}

int versions_compare(const struct encoder_run *before,
                     const struct encoder_run *after, struct buf *out)
{
    struct view views[2] = {0};
    const struct encoder_run *runs[] = {before, after};
    size_t compared = 0, differ = 0;

    for (int i = 0; i < 2; i++)
        view_advance(&views[i], runs[i]->store, runs[i]->store->count);
    for (size_t i = 0; i < before->trial_count && i < after->trial_count; i++) {
        const struct trial *a = &before->trials[i], *b = &after->trials[i];
        uint8_t room[2][TRIAL_ROOM];
        struct bytes code[2];

        if (!a->came_back || !b->came_back)
            break;
        code[0] = code_of(&views[0], a, room[0]);
        code[1] = code_of(&views[1], b, room[1]);
        compared++;
        if (code[0].len == code[1].len &&
            memcmp(code[0].data, code[1].data, code[0].len) == 0)
            continue;
        if (differ++ == 0)
            tell(a->term, code[0], code[1], out);
    }
    buf_printf(out, "%zu of %zu encodings differ.\n", differ, compared);
    if (compared < before->trial_count || compared < after->trial_count)
        buf_append_text(out, "Not both came back from the next one.\n");
    view_release(&views[0]);
    view_release(&views[1]);
    return differ > 0 || before->trial_count != after->trial_count ||
           compared < before->trial_count;
}
