/* SPDX-License-Identifier: MIT */
#include "step/complete.h"

#include <stdlib.h>

#include "base/mem.h"
#include "cpu/regs.h"
#include "tell/glossary.h"

/* Texts that begin as what is typed. */
struct candidates {
    const char *typed;
    size_t len;
    char **list;
    size_t count;
    size_t capacity;
};

static void offer(struct candidates *found, const char *text)
{
    if (strncasecmp(text, found->typed, found->len) != 0)
        return;
    found->list =
        mem_grow(found->list, found->count, &found->capacity, sizeof(char *));
    found->list[found->count++] = mem_copy_text(text);
}

static void release(struct candidates *found)
{
    for (size_t i = 0; i < found->count; i++)
        free(found->list[i]);
    free(found->list);
}

/* --- what there is ------------------------------------------------------- */

static void offer_commands(const struct view *view, struct candidates *found)
{
    (void)view;
    for (int i = 0; i < COMMANDS; i++)
        if (i != COMMAND_LINE)
            offer(found, command_table[i].word);
}

static void offer_registers(const struct view *view, struct candidates *found)
{
    struct buf flags = {0};
    char *rest = NULL;

    (void)view;
    for (enum reg reg = 0; reg < REG_COUNT; reg++)
        offer(found, reg_name(reg));
    flags_describe(~UINT64_C(0), &flags);
    for (char *name = strtok_r((char *)buf_text(&flags), " ", &rest); name;
         name = strtok_r(NULL, " ", &rest))
        offer(found, name);
    buf_release(&flags);
}

/* What the program has named, as it is then. */
static void offer_names(const struct view *view, struct candidates *found)
{
    size_t count;
    const struct stretch *list = ranges_from(&view->labels.ranges, 0, &count);

    for (size_t i = 0; i < count; i++)
        offer(found, ((const struct label *)list[i].value)->name);
}

static void offer_regions(const struct view *view, struct candidates *found)
{
    struct buf addr = {0};

    for (size_t i = 0; i < view->regions.count; i++, buf_clear(&addr)) {
        buf_printf(&addr, "0x%" PRIx64, view->regions.list[i].addr);
        offer(found, buf_text(&addr));
    }
    buf_release(&addr);
}

static void offer_terms(const struct view *view, struct candidates *found)
{
    struct buf term = {0};

    (void)view;
    for (unsigned i = 1; i <= glossary_count(); i++, buf_clear(&term)) {
        glossary_term(i, &term);
        offer(found, buf_text(&term));
    }
    buf_release(&term);
}

typedef void offering(const struct view *view, struct candidates *found);

static const struct {
    enum command command;
    offering *offers[3]; /* up to the first NULL */
} takes[] = {
    {COMMAND_LINE, {offer_commands}},
    {COMMAND_SEARCH, {offer_registers, offer_names, offer_regions}},
    {COMMAND_SEARCH_BACK, {offer_registers, offer_names, offer_regions}},
    {COMMAND_CHANGED, {offer_registers, offer_regions}},
    {COMMAND_WHO, {offer_names, offer_regions}},
    {COMMAND_EXPLAIN, {offer_terms}},
};

static void offer_all(struct session *session, enum command command,
                      struct candidates *found)
{
    const struct view *view = history_view(session->history, session->seq);

    for (size_t i = 0; i < sizeof takes / sizeof *takes; i++)
        for (size_t k = 0; k < 3 && takes[i].command == command; k++)
            if (takes[i].offers[k])
                takes[i].offers[k](view, found);
}

/* --- the line ------------------------------------------------------------ */

/* For what the cursor is in: of a whole command, its argument; then *from is
 * where that begins, else 0. */
static enum command find_asked(enum command asking, const char *line,
                               size_t len, size_t *from)
{
    size_t word = strcspn(line, " /");

    *from = 0;
    if (asking != COMMAND_LINE || word >= len)
        return asking;
    *from = line[word] == '/' ? word + 1 : word;
    while (*from < len && line[*from] == ' ')
        ++*from;
    return line[word] == '/' ? COMMAND_SEARCH : command_of_word(line, word);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Each once, in order. */
static void sort(struct candidates *found)
{
    size_t kept = 0;

    if (found->count == 0)
        return;
    qsort(found->list, found->count, sizeof *found->list, by_text);
    for (size_t i = 1; i < found->count; i++)
        if (strcmp(found->list[kept], found->list[i]) == 0)
            free(found->list[i]);
        else
            found->list[++kept] = found->list[i];
    found->count = kept + 1;
}

/* How many bytes all of them begin with. */
static size_t common(const struct candidates *found)
{
    const char *first = found->list[0];
    size_t len = strlen(first);

    for (size_t i = 1; i < found->count; i++)
        for (size_t k = 0; k < len; k++)
            if (found->list[i][k] != first[k])
                len = k;
    return len;
}

void complete(struct session *session, enum command asking,
              struct typing *typing)
{
    const char *line = buf_text(&typing->text);
    struct candidates found = {0};
    struct buf text = {0};
    enum command command;
    size_t from;

    command = find_asked(asking, line, typing->at, &from);
    found.typed = line + from;
    found.len = typing->at - from;
    offer_all(session, command, &found);
    sort(&found);
    if (found.count == 0) {
        buf_append_text(&typing->more, "nothing begins so");
        return;
    }
    buf_append(&text, found.list[0], common(&found));
    if (found.count == 1 && command == COMMAND_LINE &&
        typing->at == typing->text.len)
        buf_append_text(&text, " ");
    if (text.len >= found.len)
        typing_complete(typing, from, buf_text(&text), text.len);
    for (size_t i = 0; found.count > 1 && i < found.count; i++)
        buf_printf(&typing->more, "%s%s", i ? " " : "", found.list[i]);
    buf_release(&text);
    release(&found);
}
