/* SPDX-License-Identifier: MIT */
#include "trace/source.h"

int source_next(struct source *source, struct event *event, struct err *err)
{
    return source->next(source, event, err);
}

void source_free(struct source *source)
{
    if (source)
        source->free(source);
}
