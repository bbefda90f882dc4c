/* SPDX-License-Identifier: MIT */
/*
 * trace/view.h - the state at a moment, derived from the events up to it.
 *
 * A view is a fold over events: the mappings, their bytes, the registers, the
 * stage and the output so far. It never looks at a live process, so going
 * back, replaying and exporting show the same.
 */
#ifndef JITTRACE_TRACE_VIEW_H
#define JITTRACE_TRACE_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "trace/event.h"
#include "trace/pages.h"
#include "trace/regions.h"
#include "trace/store.h"

/* The five stages of a baby JIT, in order. */
enum stage {
    STAGE_PAGE_SIZE,
    STAGE_MAP,
    STAGE_WRITE,
    STAGE_PROTECT,
    STAGE_CALL,
    STAGES,
};

struct view {
    uint64_t applied; /* how many events have been */
    enum stage stage;
    struct regions regions;
    struct pages pages;
    bool inside;      /* control is in generated code */
    bool regs_known;  /* from the first enter on */
    struct regs regs; /* those of the last thread seen in generated code */
    uint64_t calls;   /* enters by a call so far */
    struct buf output;
    bool ended;
};

void view_init(struct view *view);
void view_release(struct view *view);

/* Takes the next event into account. */
void view_apply(struct view *view, const struct event *event);

/* Makes *view, which is initialised, the state after event seq of store. */
void view_at(struct view *view, const struct store *store, uint64_t seq);

/* The region that holds addr, or NULL. */
const struct region *view_region_at(const struct view *view, uint64_t addr);

/*
 * Appends the written bytes of a region, from the first to the last, and says
 * at what offset they begin. Returns false when none were written.
 */
bool view_code(const struct view *view, const struct region *region,
               struct buf *out, uint64_t *offset);

/* "getpagesize", "mmap", "byte writes", "mprotect", "call" */
const char *stage_name(enum stage stage);

#endif
