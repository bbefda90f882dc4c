/* SPDX-License-Identifier: MIT */
#include "trace/sink.h"

#include <errno.h>
#include <string.h>

int sink_emit(struct sink *sink, const struct event *event, struct err *err)
{
    return sink->emit(sink, event, err);
}

int sink_finish(struct sink *sink, struct err *err)
{
    return sink->finish ? sink->finish(sink, err) : 0;
}

void sink_free(struct sink *sink)
{
    if (sink)
        sink->free(sink);
}

int sink_write(FILE *out, const void *data, size_t len, struct err *err)
{
    if (len == 0)
        return 0;
    if (fwrite(data, 1, len, out) == len && fflush(out) == 0)
        return 0;
    return err_set(err, errno == EPIPE ? ERR_PIPE : ERR_OUTPUT,
                   "cannot write the trace: %s", strerror(errno));
}
