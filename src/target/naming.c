/* SPDX-License-Identifier: MIT */
#include "target/naming.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define LINE_MOST 1000000000 /* a recording takes no more */

void naming_flaw(struct naming *out, const char *format, ...)
{
    va_list args;

    *out = (struct naming){.kind = NAMING_FLAW};
    va_start(args, format);
    vsnprintf(out->flaw, sizeof out->flaw, format, args);
    va_end(args);
}

/* Equal ones stay in the order that they have, in memory. */
static int by_offset(const void *a, const void *b)
{
    const struct line_row *one = a, *other = b;

    if (one->offset != other->offset)
        return one->offset < other->offset ? -1 : 1;
    return one < other ? -1 : one > other;
}

void naming_sort_rows(struct line_row *rows, size_t *count, uint64_t length)
{
    size_t kept = 0, sorted = 1;

    for (size_t i = 0; i < *count; i++)
        if (rows[i].offset < length && rows[i].line > 0 &&
            rows[i].line <= LINE_MOST)
            rows[kept++] = rows[i];
    while (sorted < kept && rows[sorted - 1].offset <= rows[sorted].offset)
        sorted++;
    if (sorted < kept)
        qsort(rows, kept, sizeof *rows, by_offset);
    *count = 0;
    for (size_t i = 0; i < kept; i++)
        if (i + 1 == kept || rows[i].offset != rows[i + 1].offset)
            rows[(*count)++] = rows[i];
}
