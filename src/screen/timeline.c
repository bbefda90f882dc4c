/* SPDX-License-Identifier: MIT */
/*
 * The timeline: a row in which each column stands for a stretch of the events,
 * from the first to the last that is known. What is rarest in it marks it, and
 * the stretch that the reader is in is the current one.
 *
 * Of a long trace only some events of each stretch are looked at, lest a screen
 * cost more the longer that is; a mark tells what is there, its absence not.
 */
#include "screen/timeline.h"

#define ALL  4096u /* so many events are looked at, all of them */
#define SOME 8u    /* else of each column so many */

struct mark {
    uint32_t rune;
    enum role role;
};

/* What is behind another one in the list is rarer. */
static const struct {
    unsigned kinds; /* bits */
    struct mark mark;
} marks[] = {
    {1u << EVENT_STEP, {'-', ROLE_EXECUTED}},
    {1u << EVENT_LEAVE, {'-', ROLE_EXECUTED}},
    {1u << EVENT_WRITE, {'w', ROLE_BYTE}},
    {1u << EVENT_ENTER, {'c', ROLE_NEXT}},
    {1u << EVENT_OUTPUT, {'o', ROLE_HEADING}},
    {1u << EVENT_MAP | 1u << EVENT_PROTECT | 1u << EVENT_UNMAP,
     {'m', ROLE_CALL}},
    {1u << EVENT_SIGNAL | 1u << EVENT_REFUSED | 1u << EVENT_INJECTED,
     {'!', ROLE_WARNING}},
};

uint64_t timeline_event(uint64_t count, unsigned columns, unsigned column)
{
    if (count <= columns)
        return column < count ? column : count - 1;
    return count / columns * column + count % columns * column / columns;
}

/* The column of an event: the last one that begins no later. */
static unsigned column_of(uint64_t count, unsigned columns, uint64_t seq)
{
    unsigned low = 0, high = columns - 1;

    while (low < high) {
        unsigned middle = low + (high - low + 1) / 2;

        if (timeline_event(count, columns, middle) <= seq)
            low = middle;
        else
            high = middle - 1;
    }
    return count <= columns ? (unsigned)seq : low;
}

/* What marks the events from `from` to before `end`. */
static struct mark mark_of(struct history *history, uint64_t from, uint64_t end,
                           bool all)
{
    uint64_t step = all || end - from <= SOME ? 1 : (end - from) / SOME;
    struct mark mark = {0xb7, ROLE_NOTE}; /* · */
    size_t rarest = 0;

    for (uint64_t seq = from; seq < end; seq += step) {
        unsigned kind = 1u << history_event(history, seq)->kind;

        for (size_t i = rarest; i < sizeof marks / sizeof *marks; i++)
            if (marks[i].kinds & kind) {
                rarest = i;
                mark = marks[i].mark;
            }
    }
    return mark;
}

void timeline_draw(struct history *history, uint64_t seq, struct grid *grid,
                   unsigned row)
{
    uint64_t count = history_count(history);
    unsigned columns = grid->columns, current = column_of(count, columns, seq);

    for (unsigned i = 0; i < columns && (count > columns || i < count); i++) {
        uint64_t from = timeline_event(count, columns, i);
        uint64_t end =
            i + 1 < columns ? timeline_event(count, columns, i + 1) : count;
        struct mark mark;

        if (count <= columns)
            end = from + 1;
        mark = mark_of(history, from, end, count <= ALL);
        *grid_cell(grid, row, i) =
            (struct cell){mark.rune, i == current ? ROLE_CURRENT : mark.role};
    }
}
