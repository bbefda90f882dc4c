/* SPDX-License-Identifier: MIT */
#include "tell/sweep.h"

#define LOOK_BACK 8192

void sweep_init(struct sweep *sweep, const struct pages *pages, uint64_t first,
                uint64_t end)
{
    uint64_t start = first;

    while (start > 0 && first - start < LOOK_BACK &&
           pages_written(pages, start - 1))
        start--;
    *sweep = (struct sweep){.pages = pages, .at = start, .end = end};
}

enum sweep_found sweep_next(struct sweep *sweep)
{
    uint8_t bytes[INSN_MAX_LENGTH];

    if (sweep->at < sweep->end)
        sweep->at = pages_next(sweep->pages, sweep->at, sweep->end);
    sweep->bad = sweep->at;
    while (sweep->at < sweep->end && pages_written(sweep->pages, sweep->at)) {
        size_t len = sizeof bytes;

        /* The last instruction may reach beyond the end, over bytes that were
         * written. */
        while (sweep->at + len > sweep->end &&
               !pages_written(sweep->pages, sweep->at + len - 1))
            len--;
        pages_read(sweep->pages, sweep->at, len, bytes);
        if (insn_decode(bytes, len, sweep->at, &sweep->insn) > 0)
            break;
        sweep->at++;
    }
    sweep->bad_length = sweep->at - sweep->bad;
    if (sweep->bad_length > 0)
        return SWEEP_BAD;
    if (sweep->at >= sweep->end)
        return SWEEP_END;
    sweep->at += sweep->insn.length;
    return SWEEP_INSN;
}
