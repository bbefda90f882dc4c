/* SPDX-License-Identifier: MIT */
/*
 * threads.c - frames are a list from the innermost one outwards. None of them
 * ever changes, so copies share them, and each knows how many have it:
 *
 *     a view   ──▶ fib(1) ──▶ fib(2) ──▶ entered
 *                               ▲
 *     an older view ────────────┘
 *
 * The events do not say when a call ends. The stack pointer does: see
 * calling_is_over(). A handler may run on a stack of its own that is higher, so
 * whatever ends a handler ends nothing of what it interrupted at once.
 */
#include "trace/threads.h"

#include "base/mem.h"
#include "cpu/calling.h"
#include "trace/view.h"

/* --- frames -------------------------------------------------------------- */

static struct frame *share(struct frame *frame)
{
    if (frame)
        frame->uses++;
    return frame;
}

static void drop(struct frame *frame)
{
    while (frame && --frame->uses == 0) {
        struct frame *caller = frame->caller;

        free(frame);
        frame = caller;
    }
}

static void push(struct view_thread *thread, struct frame frame)
{
    struct frame *own = mem_copy(&frame, sizeof frame);

    own->uses = 1;
    own->caller = thread->frame;
    own->depth = own->caller ? own->caller->depth + 1 : 1;
    thread->frame = own;
}

static void pop(struct view_thread *thread)
{
    struct frame *frame = thread->frame;

    thread->frame = share(frame->caller);
    drop(frame);
}

/* The innermost frame goes on outside of generated code, or comes back. */
static void set_outside(struct view_thread *thread, bool outside)
{
    struct frame frame;

    if (!thread->frame || thread->frame->outside == outside)
        return;
    frame = *thread->frame;
    frame.outside = outside;
    pop(thread);
    push(thread, frame);
}

/* Ends what the stack pointer is above of. */
static void end_frames(struct view_thread *thread, uint64_t sp)
{
    bool handler = false;

    while (!handler && thread->frame &&
           calling_is_over(&thread->frame->regs, sp)) {
        handler = thread->frame->kind == FRAME_SIGNAL;
        pop(thread);
    }
}

/* --- registers ----------------------------------------------------------- */

static void drop_vregs(struct view_vregs *vregs)
{
    if (vregs && --vregs->uses == 0)
        free(vregs);
}

/* Takes changes, or values that are all of a register. */
static void set_vregs(struct view_thread *thread,
                      const struct vreg_changes *changes, bool whole)
{
    struct view_vregs *own = thread->vregs;

    if (changes->count == 0 || (!own && !whole))
        return;
    if (!own || own->uses > 1) {
        thread->vregs = mem_resize(NULL, sizeof *own, 1);
        thread->vregs->uses = 1;
        if (own)
            thread->vregs->value = own->value;
        else
            vregs_init(&thread->vregs->value);
        drop_vregs(own);
    }
    for (size_t i = 0; i < changes->count; i++)
        vregs_set(&thread->vregs->value, changes->list[i].reg,
                  changes->list[i].new_bytes, whole);
}

/* --- threads ------------------------------------------------------------- */

/* The thread, or NULL; and its index, or the one that it would have. */
static struct view_thread *find(const struct threads *threads, int tid,
                                size_t *index)
{
    struct view_thread *list = threads->list;
    size_t i = mem_until(list, threads->count, sizeof *list, (uint32_t)tid);

    *index = i;
    return i > 0 && list[i - 1].tid == tid ? &list[i - 1] : NULL;
}

const struct view_thread *view_thread(const struct view *view, int tid)
{
    size_t index;

    return find(&view->threads, tid, &index);
}

const struct frame *view_frame(const struct view *view, int tid)
{
    const struct view_thread *thread = view_thread(view, tid);

    return thread ? thread->frame : NULL;
}

const struct frame *view_returned(const struct view_thread *thread, uint64_t to)
{
    const struct frame *frame = thread ? thread->stepped : NULL;

    while (frame &&
           !(frame->return_to.known && frame->return_to.value == to &&
             calling_is_over(&frame->regs, thread->regs.value[REG_STACK])))
        frame = frame->caller;
    return frame || !thread ? frame : thread->stepped;
}

bool view_is_inside(const struct view *view, int tid)
{
    const struct view_thread *thread = view_thread(view, tid);

    return thread && thread->inside;
}

const struct vregs *view_vregs(const struct view *view, int tid)
{
    const struct view_thread *thread = view_thread(view, tid);

    if (!thread || !thread->vregs)
        thread = view_thread(view, view->threads.last_tid);
    return thread && thread->vregs ? &thread->vregs->value : NULL;
}

const struct regs *view_regs(const struct view *view, int tid)
{
    const struct view_thread *thread = view_thread(view, tid);

    if (!thread || !thread->regs_known)
        thread = view_thread(view, view->threads.last_tid);
    return thread && thread->regs_known ? &thread->regs : NULL;
}

/* The thread, made when it is seen for the first time. */
static struct view_thread *need(struct threads *threads, int tid)
{
    size_t i;
    struct view_thread *thread = find(threads, tid, &i);

    if (thread)
        return thread;
    threads->list = mem_grow(threads->list, threads->count, &threads->capacity,
                             sizeof *threads->list);
    memmove(&threads->list[i + 1], &threads->list[i],
            (threads->count - i) * sizeof *threads->list);
    threads->count++;
    threads->list[i] = (struct view_thread){(uint32_t)tid, .tid = tid};
    return &threads->list[i];
}

static void release(struct view_thread *thread)
{
    drop(thread->frame);
    drop(thread->stepped);
    drop_vregs(thread->vregs);
    thread->vregs = NULL;
}

void threads_fork(struct threads *threads, int tid, int child)
{
    struct view_thread forked = {0};

    for (size_t i = 0; i < threads->count; i++) {
        if (threads->list[i].tid != tid) {
            release(&threads->list[i]);
            continue;
        }
        forked = threads->list[i];
        drop_vregs(forked.vregs);
        forked.vregs = NULL;
    }
    threads->count = 0;
    if (forked.tid != 0) {
        forked.key = (uint32_t)child;
        forked.tid = child;
        forked.inside = false;
        threads->list[threads->count++] = forked;
    }
    threads->last_tid = child;
}

void threads_release(struct threads *threads)
{
    for (size_t i = 0; i < threads->count; i++)
        release(&threads->list[i]);
    free(threads->list);
    *threads = (struct threads){0};
}

void threads_copy(struct threads *to, const struct threads *from)
{
    *to = *from;
    to->list = mem_copy(from->list, from->count * sizeof *from->list);
    to->capacity = from->count;
    for (size_t i = 0; i < to->count; i++) {
        share(to->list[i].frame);
        share(to->list[i].stepped);
        if (to->list[i].vregs)
            to->list[i].vregs->uses++;
    }
}

/* --- events -------------------------------------------------------------- */

/* Control comes in. A call has a frame already if generated code of another
 * mapping made it; so has code that a handler interrupted. A jump begins one
 * only where a function outside makes it. */
static void begin_frame(struct view_thread *thread, const struct event *event)
{
    const struct event_enter *enter = &event->enter;
    uint64_t sp = enter->regs.value[REG_STACK];
    bool goes_on = thread->regs_known && thread->left_to == enter->addr &&
                   thread->regs.value[REG_STACK] == sp;
    struct frame frame = {.seq = event->seq,
                          .addr = enter->addr,
                          .return_to = enter->return_to,
                          .regs = enter->regs};
    const struct frame *top;

    frame.regs.value[REG_PC] = enter->addr;
    if (word_is(enter->how, "signal")) {
        frame.kind = FRAME_SIGNAL;
        top = thread->frame;
        if (top && top->kind == FRAME_SIGNAL && top->outside &&
            top->addr == enter->addr) {
            frame.from = top->from;
            frame.return_to = top->return_to;
            pop(thread);
        }
        push(thread, frame);
        return;
    }
    if (word_is(enter->how, "call") && !goes_on)
        end_frames(thread, sp + 1); /* nor can another call be where it is */
    else
        end_frames(thread, sp);
    top = thread->frame;
    if (word_is(enter->how, "return")) {
        if (top && top->kind == FRAME_SIGNAL && top->return_to.known &&
            top->return_to.value == enter->addr)
            pop(thread);
        set_outside(thread, false);
    } else if (top && top->outside && goes_on) {
        set_outside(thread, false);
    } else if (word_is(enter->how, "call")) {
        push(thread, frame);
    } else if (!top || top->outside) {
        frame.kind = FRAME_JUMPED;
        push(thread, frame);
    }
}

static void apply_step(struct view_thread *thread, const struct event *event)
{
    const struct event_step *step = &event->step;
    uint64_t behind = step->addr + step->bytes.len;
    struct frame *began_in = share(thread->frame);
    bool called;

    drop(thread->stepped);
    thread->stepped = began_in;
    for (size_t i = 0; i < step->regs.count; i++)
        thread->regs.value[step->regs.list[i].reg] =
            step->regs.list[i].new_value;
    thread->regs.value[REG_PC] = step->next;
    set_vregs(thread, &step->vregs, false);
    if (!thread->regs_known)
        return;
    called = calling_is_call(step->bytes, step->addr, step->regs.list,
                             step->regs.count);
    /* What was popped too much has not ended the call before it returns. */
    if (called || step->next != behind)
        end_frames(thread, thread->regs.value[REG_STACK]);
    if (called)
        push(thread, (struct frame){.kind = FRAME_CALLED,
                                    .seq = event->seq,
                                    .addr = step->next,
                                    .from = {true, step->addr},
                                    .return_to = {true, behind},
                                    .regs = thread->regs});
}

/* A return to that address, of which perhaps no step has told. */
static void end_call(struct view_thread *thread, uint64_t to)
{
    const struct frame *frame = thread->frame;
    const struct frame *caller;

    while (frame && !(frame->return_to.known && frame->return_to.value == to)) {
        frame = frame->caller;
        if (frame && frame->outside)
            return;
    }
    caller = frame ? frame->caller : thread->frame;
    while (thread->frame != caller)
        pop(thread);
}

static void apply_leave(struct view_thread *thread, const struct event *event)
{
    const struct event_leave *leave = &event->leave;
    struct opt_u64 pc = {true, thread->regs.value[REG_PC]};

    thread->inside = false;
    thread->left_to = leave->to;
    if (word_is(leave->how, "signal") && thread->regs_known)
        push(thread, (struct frame){.kind = FRAME_SIGNAL,
                                    .outside = true,
                                    .seq = event->seq,
                                    .addr = leave->to,
                                    .from = pc,
                                    .return_to = pc,
                                    .regs = thread->regs});
    else if (word_is(leave->how, "return"))
        end_call(thread, leave->to);
    else if (word_is(leave->how, "jump") && thread->frame &&
             thread->frame->kind == FRAME_JUMPED)
        pop(thread);
    else
        set_outside(thread, true);
}

void threads_apply(struct threads *threads, const struct event *event)
{
    const char *budget = event->limit.budget;
    struct view_thread *thread;
    bool all_leave = false;

    switch (event->kind) {
    case EVENT_ENTER:
        thread = need(threads, event->tid);
        begin_frame(thread, event);
        thread->inside = true;
        thread->regs_known = true;
        thread->regs = event->enter.regs;
        thread->regs.value[REG_PC] = event->enter.addr;
        if (!threads->cut)
            set_vregs(thread, &event->enter.vregs, true);
        thread->entered = event->seq;
        threads->last_tid = event->tid;
        break;
    case EVENT_STEP:
        apply_step(need(threads, event->tid), event);
        threads->last_tid = event->tid;
        break;
    case EVENT_LEAVE:
        thread = need(threads, event->tid);
        apply_leave(thread, event);
        if (!threads->cut)
            set_vregs(thread, &event->leave.vregs, true);
        break;
    case EVENT_LIMIT: /* where stepping has ended, perhaps no leave follows */
        all_leave = word_is(budget, "steps");
        threads->cut |= word_is(budget, "last");
        if (word_is(budget, "call-steps") || word_is(budget, "nt-flag")) {
            thread = need(threads, event->tid);
            thread->inside = false;
            set_outside(thread, true);
        }
        break;
    case EVENT_EXIT:
        all_leave = true;
        break;
    default:
        break;
    }
    for (size_t i = 0; all_leave && i < threads->count; i++)
        threads->list[i].inside = false;
}
