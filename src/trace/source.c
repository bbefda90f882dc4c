/* SPDX-License-Identifier: MIT */
#include "trace/source.h"

int source_next(struct source *source, struct event *event, struct err *err)
{
    return source->next(source, event, err);
}

int source_ready(struct source *source, struct err *err)
{
    return source->ready ? source->ready(source, err) : 1;
}

void source_free(struct source *source)
{
    if (source)
        source->free(source);
}
