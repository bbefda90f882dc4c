/* SPDX-License-Identifier: MIT */
/*
 * trace/view.h - the state at a moment, derived from the events up to it.
 *
 * A view is a fold over events: the mappings, their protections, bytes and
 * names, the registers and calls of each thread, the stage and the output so
 * far. It never looks at a live process, so going back, replaying and exporting
 * show the same.
 *
 * Views are copied often (trace/history.h), so what is large is shared between
 * copies, and of the output only its end is kept.
 */
#ifndef JITTRACE_TRACE_VIEW_H
#define JITTRACE_TRACE_VIEW_H

#include "cpu/insn.h"
#include "trace/event.h"
#include "trace/labels.h"
#include "trace/pages.h"
#include "trace/ranges.h"
#include "trace/regions.h"
#include "trace/store.h"
#include "trace/threads.h"
#include "trace/uses.h"

/* The five stages of a baby JIT, in order. */
enum stage {
    STAGE_PAGE_SIZE,
    STAGE_MAP,
    STAGE_WRITE,
    STAGE_PROTECT,
    STAGE_CALL,
    STAGES,
};

/* How much of the output a view keeps, in bytes. */
#define VIEW_OUTPUT 8192u

/* What gave a stretch of memory its protection. */
struct protection {
    struct range_value value;
    uint64_t seq;     /* of the event */
    const char *call; /* the system call, or NULL: none was seen */
    const char *maps; /* its line of /proc/PID/maps then, or NULL */
    const char *file; /* where the program made the call, or NULL */
    int line;
    char texts[];
};

/* Generations number the versions of a mapping's code. The first begins when
 * the mapping appears. A version is in use when something of it was executed,
 * or became executable; the first change of a byte after that begins the next
 * one. So what is stored up to the first use is one version, however many
 * stores it takes, and code that is only called again stays what it is. */
struct generation {
    struct range_value value;
    unsigned number;
    bool in_use;
    bool executable; /* a part of it is or was, or it was entered */
};

/* All zero is a valid one that has seen no event. */
struct view {
    uint64_t applied; /* how many events have been */
    enum stage stage;
    struct regions regions;
    struct pages pages;
    bool keeps_uses; /* else this is empty: */
    struct uses uses;
    struct ranges protections; /* of addresses */
    struct ranges generations; /* of mappings, by their numbers */
    struct threads threads;
    uint64_t calls;        /* enters by a call so far */
    struct buf output;     /* its last VIEW_OUTPUT bytes */
    uint64_t output_total; /* bytes of it in all */
    struct ranges listing; /* lines of the program's source */
    struct labels labels;  /* the names of code */
    bool ended;
};

void view_release(struct view *view);

/* Makes *to, which holds nothing that needs a release, a copy of *from. */
void view_copy(struct view *to, const struct view *from);

/* Makes a view of a process, just copied, that of a child which its thread tid
 * has forked, and whose one thread is number child. */
void view_fork(struct view *view, int tid, int child);

/* Takes the next event into account. */
void view_apply(struct view *view, const struct event *event);

/* Takes the events of a store into account up to the first `count`. */
void view_advance(struct view *view, const struct store *store, uint64_t count);

/* The region that holds addr, or NULL. */
const struct region *view_region_at(const struct view *view, uint64_t addr);

/* What gave addr its protection, or NULL; valid as long as the view. */
const struct protection *view_protection(const struct view *view,
                                         uint64_t addr);

/* The generation of the code of that region's mapping, all parts of it. */
struct generation view_generation(const struct view *view,
                                  const struct region *region);

/* What is known of a thread; NULL if it was never seen in generated code. */
const struct view_thread *view_thread(const struct view *view, int tid);

/* The innermost call that the thread is in, or NULL: see trace/threads.h. */
const struct frame *view_frame(const struct view *view, int tid);

/* The call that a ret to an address, the latest step of a thread, has ended: one
 * that left this address, or else the innermost. Calls within it whose return
 * addresses were popped (call and pop, to know where the code is) ended before.
 * NULL if the thread, which may be NULL, was in none. */
const struct frame *view_returned(const struct view_thread *thread,
                                  uint64_t to);

/* Whether the thread is in generated code. */
bool view_is_inside(const struct view *view, int tid);

/* The registers of the thread, or of the one that was last seen in generated
 * code if nothing is known of it; NULL: of none is anything known. */
const struct regs *view_regs(const struct view *view, int tid);

/* The same of the registers of cpu/vregs.h. */
const struct vregs *view_vregs(const struct view *view, int tid);

/* Finds a line (from 1) of a source file, named as in the events, among what
 * they have brought so far. text is without its newline, valid as long as the
 * view stays as it is; where no excerpt had the line, without its indentation.
 * Returns false if the line is not known. */
bool view_source_line(const struct view *view, const char *file, int line,
                      struct bytes *text);

/* The region whose code the event, to be applied next, makes another generation
 * of, or NULL. It still has the bytes of the one that ends. */
const struct region *view_superseded(const struct view *view,
                                     const struct event *event);

/* Whether any byte of an instruction at addr, of whatever length, is known. */
bool view_has_code(const struct view *view, uint64_t addr);

/* Where insn jumps or calls to, if its bytes say so and that is in the mapping
 * that it is in: *offset, counted from where that begins. Else returns false.
 */
bool view_leads(const struct view *view, const struct insn *insn,
                uint64_t *offset);

/* Lets the text of such an instruction say that: "jz +20" for "jz 0x1014". */
void view_name_target(const struct view *view, struct insn *insn);

/* Decodes the instruction at addr, its target named as above. Bytes that
 * nothing was ever written to are zeros, as they are in a fresh page. Returns
 * false if it is none. */
bool view_decode(const struct view *view, uint64_t addr, struct insn *insn);

/* The same for what a step has executed, by its own bytes. */
bool view_decode_step(const struct view *view, const struct event_step *step,
                      struct insn *insn);

/* "getpagesize", "mmap", "byte writes", "mprotect", "call" */
const char *stage_name(enum stage stage);

#endif
