/* SPDX-License-Identifier: MIT */
#include <inttypes.h>

#include "observe/state.h"

const char *place_name(const struct observer *observer,
                       const struct thread *thread, uint64_t pc,
                       struct buf *room)
{
    const struct region *region = regions_at(&thread->space->regions, pc);

    if (!region)
        return lines_symbol(observer->lines, pc);
    buf_printf(room, "0x%" PRIx64 "+0x%" PRIx64, region->start,
               pc - region->start);
    return buf_text(room);
}
