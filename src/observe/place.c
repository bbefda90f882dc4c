/* SPDX-License-Identifier: MIT */
#include "observe/place.h"

#include <inttypes.h>

const char *place_symbol(const struct thread *thread, uint64_t pc,
                         struct buf *room)
{
    const struct region *code = regions_at(&thread->space->regions, pc);

    if (!code)
        return lines_symbol(thread->space->lines, pc);
    buf_clear(room);
    buf_printf(room, "0x%" PRIx64 "+0x%" PRIx64, code->start, pc - code->start);
    return buf_text(room);
}

void place_callers(const struct thread *thread, const struct regs *regs,
                   struct line_callers *out, struct buf *room)
{
    lines_find_callers(thread->space->lines, thread->tracee.tid, regs,
                       &thread->space->regions, out);
    if (out->beyond && out->count < MAX_CALLERS)
        out->list[out->count++].symbol =
            place_symbol(thread, out->beyond, room);
}
