/* SPDX-License-Identifier: MIT */
/*
 * Telling a trace to someone who sees it for the first time.
 *
 * What is told is tell/paragraph.h; here it gets headings, by the stage that
 * its view says the program is in, and the name of the thread where that
 * changes. An event may be held back before, until it is known whether its
 * mapping holds code, or until a loop ends:
 *
 *     event ──▶ holds_back ──▶ telling_take ──▶ skips ──▶ telling_event
 *
 * Mappings. A program asks for memory for many reasons, and a buffer for its
 * input is no code. So what happens to a mapping that is not executable is held
 * back, event by event, neither told nor known to the view:
 *
 *     map, write, protect, ... ---> queue ---> told, in order, once it turns
 *                                     |        executable, is entered, or a
 *                                     |        fault lies in it
 *                                     '------> only counted, when it goes away
 *                                              or the program ends
 *
 * A mapping may be cut into pieces; the queue is that of all of them. What
 * becomes of one becomes of all. The same memory may be mapped a second time
 * and executed there: then it is told as well.
 *
 * The stores that an observer watches are limited, the bytes that a kernel
 * writes are not: of those no more than HELD_BYTES are kept for a mapping. The
 * snapshot that comes with the event that releases it has them all.
 *
 * Loops. A round that is like the three before it is not told again. The
 * addresses of the latest steps are kept. At a jump backwards they are
 * compared: if they are three times the same path, back to where it began, the
 * steps from here on are held back for as long as they follow that path.
 *
 *     a b c  a b c  a b c  | a b c  a b c  ...  a b c  | a b d
 *     told                   skipped, then summed up     told
 *
 * Each step of a round that is not complete is kept, to be told when the path
 * is left. A path has at most PATH steps; so the shortest repetition, that of
 * an inner loop, is found first, and an outer loop only as long as all of its
 * round is that short. A repeated string instruction is a path of one step.
 */
#include "format/format.h"

#include "base/mem.h"
#include "tell/paragraph.h"

#define HELD_BYTES (4u << 20)
#define PATH       64u
#define SEEN       (3 * PATH)

struct queue {
    struct event **list;
    size_t count;
    size_t capacity;
};

/* A mapping that may or may not become code. */
struct held {
    uint64_t start; /* its pieces have it, too */
    struct queue events;
    uint64_t stores;
    uint64_t bytes;
    uint64_t lost; /* stores that were not kept */
};

/* The latest steps of a thread, and the loop that it is in. */
struct loop {
    int tid;
    uint64_t recent[SEEN]; /* addresses: a ring */
    size_t count;          /* of steps since it was begun */
    uint64_t path[PATH];   /* of the loop that is skipped */
    size_t length;         /* of the path; 0: none is */
    size_t at;             /* steps of this round so far */
    uint64_t rounds;       /* skipped */
    struct regs before;    /* the first of them */
    struct vregs vregs;    /* likewise */
    struct queue round;    /* this one */
};

struct text {
    struct sink sink;
    FILE *out;
    struct telling telling;
    struct regions mappings; /* those held back */
    struct held *held;       /* in the order in which they came */
    size_t held_count;
    size_t held_capacity;
    struct loop *loops; /* one for each thread that made a step */
    size_t loop_count;
    size_t loop_capacity;
    bool started;
    enum stage stage; /* the heading that we are under */
    bool stage_told[STAGES];
    int last_tid;
    struct event *end; /* the exit event, told last of all; or NULL */
};

static void keep(struct queue *queue, const struct event *event)
{
    queue->list = mem_grow(queue->list, queue->count, &queue->capacity,
                           sizeof *queue->list);
    queue->list[queue->count++] = event_keep(event);
}

static void forget(struct queue *queue)
{
    while (queue->count > 0)
        event_free(queue->list[--queue->count]);
}

/* --- in words ------------------------------------------------------------- */

static const char *const purpose[STAGES] = {
    [STAGE_PAGE_SIZE] = "Memory is protected page by page, so whoever makes "
                        "code must know how large a page is.",
    [STAGE_MAP] = "Code made at run time needs memory of its own, in whole "
                  "pages.",
    [STAGE_WRITE] = "Machine code is only bytes: the program stores them like "
                    "any other data.",
    [STAGE_PROTECT] = "The CPU fetches instructions only from pages that have "
                      "the x permission.",
    [STAGE_CALL] = "Now the CPU runs what the program wrote, one instruction "
                   "at a time.",
};

/* A heading where another stage begins; they may go round and round. What
 * generated code itself stores is a part of running it, and gets none. */
static void tell_heading(struct text *text, const struct event *event)
{
    /* Memory that was there before is not asked for by a system call. */
    bool found = event->kind == EVENT_MAP && !event->map.call;
    enum stage stage = text->telling.view.stage;
    const char *name = found ? "memory" : stage_name(stage);
    struct pen *pen = &text->telling.pen;

    switch (event->kind) {
    case EVENT_WRITE:
        if (text->stage == STAGE_WRITE ||
            view_is_inside(&text->telling.view, event->tid))
            return;
        break;
    case EVENT_START:
    case EVENT_MAP:
    case EVENT_PROTECT:
    case EVENT_ENTER:
        if (text->started && stage == text->stage)
            return;
        break;
    default:
        return;
    }
    pen_blank(pen);
    pen_line(pen, ROLE_HEADING, "%d  %s", (int)stage + 1, name);
    for (size_t i = 0; i < strlen(name) + 3; i++)
        pen_text(pen, ROLE_HEADING, "-");
    pen_end(pen);
    if (!text->stage_told[stage] && !found) {
        pen_words(pen, ROLE_NOTE, 0, purpose[stage]);
        text->stage_told[stage] = true;
    }
    pen_blank(pen);
    text->stage = stage;
    text->started = true;
}

/* Says whose events follow, if that is another thread than before. */
static void name_thread(struct text *text, int tid)
{
    if (text->last_tid && text->last_tid != tid)
        pen_line(&text->telling.pen, ROLE_NOTE, "thread %d:", tid);
    text->last_tid = tid;
}

static void tell_in_words(struct text *text, const struct event *event)
{
    tell_heading(text, event);
    if (event->tid && event->kind != EVENT_OUTPUT &&
        event->kind != EVENT_LIMIT && event->kind != EVENT_EXIT &&
        event->kind != EVENT_VERDICT)
        name_thread(text, event->tid);
    telling_event(&text->telling, event);
}

/* --- loops ---------------------------------------------------------------- */

static struct loop *loop_of(struct text *text, int tid)
{
    for (size_t i = 0; i < text->loop_count; i++)
        if (text->loops[i].tid == tid)
            return &text->loops[i];
    text->loops = mem_grow(text->loops, text->loop_count, &text->loop_capacity,
                           sizeof *text->loops);
    text->loops[text->loop_count] = (struct loop){.tid = tid};
    return &text->loops[text->loop_count++];
}

/* The address of a step, counted back from the latest. */
static uint64_t seen(const struct loop *loop, size_t back)
{
    return loop->recent[(loop->count - 1 - back) % SEEN];
}

/* Looks for a loop after a step that goes back to next. */
static void find_loop(struct loop *loop, uint64_t next)
{
    for (size_t length = 1; length <= PATH && 3 * length <= loop->count;
         length++) {
        size_t same = seen(loop, length - 1) == next ? 0 : SEEN;

        while (same < 2 * length &&
               seen(loop, same) == seen(loop, same + length))
            same++;
        if (same != 2 * length)
            continue;
        for (size_t i = 0; i < length; i++)
            loop->path[i] = seen(loop, length - 1 - i);
        loop->length = length;
        loop->at = 0;
        loop->rounds = 0;
        return;
    }
}

/* "33,330" */
static void append_count(struct buf *out, uint64_t count)
{
    if (count >= 1000) {
        append_count(out, count / 1000);
        buf_printf(out, ",%03u", (unsigned)(count % 1000));
    } else {
        buf_printf(out, "%u", (unsigned)count);
    }
}

static void end_loop(struct text *text, struct loop *loop)
{
    struct telling *telling = &text->telling;
    struct reg_change list[REG_COUNT];
    struct reg_changes changes = {list, 0};
    struct vreg_change wide[VREG_COUNT];
    struct vreg_changes vregs = {wide, 0};
    const struct telling_thread *now;
    struct buf line = {0};

    if (loop->length && loop->rounds > 0) {
        name_thread(text, loop->tid);
        buf_append_text(&line, "... the same ");
        if (loop->length > 1)
            buf_printf(&line, "%zu instructions ", loop->length);
        else
            buf_append_text(&line, "instruction ");
        append_count(&line, loop->rounds);
        pen_print(&telling->pen, ROLE_NOTE, "%s time%s more", buf_text(&line),
                  loop->rounds == 1 ? "" : "s");
        now = telling_thread(telling, loop->tid);
        changes.count = regs_diff(&loop->before, &now->regs, list);
        vregs.count = loop->vregs.known && now->vregs.known
                          ? vregs_diff(&loop->vregs, &now->vregs, NULL, wide)
                          : 0;
        telling_changes(telling, &changes, NULL, &vregs, &now->vregs);
        buf_release(&line);
    }
    loop->length = 0;
    loop->at = 0;
    loop->count = 0;
    for (size_t i = 0; i < loop->round.count; i++)
        tell_in_words(text, loop->round.list[i]);
    forget(&loop->round);
}

/* Whether a step is a part of one more round, not to be told now. */
static bool skips_step(struct text *text, const struct event *event)
{
    struct loop *loop = loop_of(text, event->tid);
    const struct event_step *step = &event->step;

    if (loop->at == loop->length || loop->path[loop->at] != step->addr) {
        if (loop->length)
            end_loop(text, loop);
        loop->recent[loop->count++ % SEEN] = step->addr;
        if (step->next <= step->addr)
            find_loop(loop, step->next);
        return false;
    }
    keep(&loop->round, event);
    if (++loop->at < loop->length || step->next != loop->path[0])
        return true;
    /* A round is complete: only what it did to registers is kept. */
    if (loop->rounds++ == 0) {
        loop->before = telling_thread(&text->telling, loop->tid)->regs;
        loop->vregs = telling_thread(&text->telling, loop->tid)->vregs;
    }
    for (size_t i = 0; i < loop->round.count; i++)
        if (loop->round.list[i]->kind == EVENT_STEP)
            telling_pass(&text->telling, loop->round.list[i]);
    forget(&loop->round);
    loop->at = 0;
    return true;
}

/* The same of a store of the loop itself. The view has it, so that nothing else
 * would say that it is new. */
static bool skips_write(struct text *text, const struct event *event)
{
    struct loop *loop = loop_of(text, event->tid);
    size_t i = 0;

    while (i < loop->length && loop->path[i] != event->write.pc)
        i++;
    if (event->write.by || i == loop->length)
        return false;
    telling_pass(&text->telling, event);
    keep(&loop->round, event);
    return true;
}

/* Takes an event into account, then tells it. */
static void tell(struct text *text, const struct event *event)
{
    bool step = event->kind == EVENT_STEP, write = event->kind == EVENT_WRITE;
    bool all = event->kind == EVENT_EXIT || event->kind == EVENT_LIMIT ||
               event->kind == EVENT_VERDICT;

    for (size_t i = 0; i < text->loop_count; i++)
        if (!step && !write && event->kind != EVENT_OUTPUT &&
            (all || text->loops[i].tid == event->tid))
            end_loop(text, &text->loops[i]);
    telling_behind(&text->telling, event);
    telling_take(&text->telling, event);
    if ((step && skips_step(text, event)) ||
        (write && view_is_inside(&text->telling.view, event->tid) &&
         skips_write(text, event)))
        return;
    tell_in_words(text, event);
}

/* --- mappings ------------------------------------------------------------- */

/* Some piece of the mapping that began there, or NULL. */
static struct region *piece_of(const struct text *text, uint64_t start)
{
    for (size_t i = 0; i < text->mappings.count; i++)
        if (text->mappings.list[i].start == start)
            return &text->mappings.list[i];
    return NULL;
}

/* Some piece in the range, or NULL. */
static struct region *piece_in(const struct text *text, uint64_t addr,
                               uint64_t length)
{
    struct region *region = regions_from(&text->mappings, addr);

    return region && (region->addr <= addr || region->addr - addr < length)
               ? region
               : NULL;
}

/* A mapping is held back no more: it does hold code, and what happened to it is
 * told, or it never did. */
static void end_held(struct text *text, uint64_t start, bool code)
{
    struct telling *telling = &text->telling;
    const struct region *region;
    struct held held;
    size_t i = 0;

    while (text->held[i].start != start)
        i++;
    held = text->held[i];
    memmove(&text->held[i], &text->held[i + 1],
            (--text->held_count - i) * sizeof held);
    while ((region = piece_of(text, start)))
        regions_unmap(&text->mappings, region->addr, region->length);
    for (i = 0; code && i < held.events.count; i++)
        tell(text, held.events.list[i]);
    if (code && held.lost > 0)
        pen_line(&telling->pen, ROLE_NOTE,
                 "... and %llu later stores into it, not kept",
                 (unsigned long long)held.lost);
    telling->some_code |= code;
    telling->untold += !code;
    telling->untold_stores += code ? 0 : held.stores;
    forget(&held.events);
    free(held.events.list);
}

/* What lies in the range is there no more. */
static void unmap(struct text *text, uint64_t addr, uint64_t length)
{
    const struct region *region;

    regions_cut(&text->mappings, addr, length);
    while ((region = piece_in(text, addr, length))) {
        uint64_t start = region->start;

        regions_unmap(&text->mappings, region->addr, region->length);
        if (!piece_of(text, start))
            end_held(text, start, false);
    }
}

/* The mappings in the range do hold code. */
static void release(struct text *text, uint64_t addr, uint64_t length)
{
    const struct region *region;

    while ((region = piece_in(text, addr, length)))
        end_held(text, region->start, true);
}

/* Whether two lines of maps are of the same file or shared memory: whether they
 * have the same device and inode, "00:01 4711". */
static bool is_same_object(const char *maps, const char *other)
{
    static const char format[] = "%*s %*s %*s %23s %23s";
    char device[2][24], inode[2][24];

    return sscanf(maps, format, device[0], inode[0]) == 2 &&
           sscanf(other, format, device[1], inode[1]) == 2 &&
           strcmp(device[0], device[1]) == 0 &&
           strcmp(inode[0], inode[1]) == 0 && strcmp(inode[0], "0") != 0;
}

/* Holds an event back with the mapping that addr is in, if that is held. */
static bool hold(struct text *text, uint64_t addr, const struct event *event)
{
    const struct region *region = regions_at(&text->mappings, addr);
    struct held *held = text->held;

    if (!region)
        return false;
    while (held->start != region->start)
        held++;
    if (event->kind == EVENT_WRITE) {
        held->stores++;
        if (held->bytes > HELD_BYTES) {
            held->lost++;
            return true;
        }
        held->bytes += event->write.new.len;
    }
    keep(&held->events, event);
    return true;
}

static bool hold_map(struct text *text, const struct event *event)
{
    const struct event_map *map = &event->map;
    size_t i = 0;

    unmap(text, map->addr, map->length);
    if (map->prot & PROT_EXEC) {
        /* It may have been stored through other mappings. */
        while (map->maps && i < text->held_count) {
            const char *line = text->held[i].events.list[0]->map.maps;

            if (line && is_same_object(map->maps, line))
                end_held(text, text->held[i].start, true);
            else
                i++;
        }
        text->telling.some_code = true;
        return false;
    }
    /* A piece of an older mapping may still have this start. */
    if (!piece_of(text, map->addr)) {
        text->held = mem_grow(text->held, text->held_count,
                              &text->held_capacity, sizeof *text->held);
        text->held[text->held_count++] = (struct held){.start = map->addr};
    }
    regions_map(&text->mappings, map->addr, map->length, map->prot);
    return hold(text, map->addr, event);
}

/* Whether the event is held back. If not, it is to be told; what was held back
 * and belongs before it was told by then. */
static bool holds_back(struct text *text, const struct event *event)
{
    bool held;

    switch (event->kind) {
    case EVENT_MAP:
        return hold_map(text, event);
    case EVENT_WRITE:
        if (event->write.also.known) /* executed by another mapping */
            release(text, event->write.addr, 1);
        return hold(text, event->write.addr, event);
    case EVENT_PROTECT:
        if (!(event->protect.prot & PROT_EXEC))
            return hold(text, event->protect.addr, event);
        release(text, event->protect.addr, event->protect.length);
        return false;
    case EVENT_UNMAP:
        held = hold(text, event->unmap.addr, event);
        unmap(text, event->unmap.addr, event->unmap.length);
        return held;
    case EVENT_LIMIT:
        return event->limit.addr.known &&
               hold(text, event->limit.addr.value, event);
    case EVENT_NAME:
        return hold(text, event->name.addr, event);
    case EVENT_REFUSED:
        release(text, event->refused.addr.value, 1); /* 0: nothing */
        return false;
    case EVENT_INJECTED:
        release(text, event->injected.addr.value, 1);
        return false;
    case EVENT_ENTER:
        release(text, event->enter.addr, 1);
        return false;
    case EVENT_SIGNAL:
        if (event->signal.addr.known)
            release(text, event->signal.addr.value - EXPLAIN_EDGE,
                    2 * EXPLAIN_EDGE);
        if (event->signal.addr.known && event->signal.pc.known)
            release(text, event->signal.pc.value, 1);
        return false;
    case EVENT_EXIT:
        while (text->held_count > 0)
            end_held(text, text->held[0].start, false);
        return false;
    default:
        return false;
    }
}

/* --- the sink ------------------------------------------------------------- */

static int flush(struct text *text, struct err *err)
{
    struct buf *out = &text->telling.pen.out;
    int status = sink_write(text->out, out->data, out->len, err);

    buf_clear(out);
    return status;
}

static int take(struct text *text, const struct event *event, struct err *err)
{
    recent_add(&text->telling.recent, event);
    emissions_learn(&text->telling.emissions, event);
    if (!holds_back(text, event))
        tell(text, event);
    return flush(text, err);
}

/* The end of the program is told below the verdicts, which come behind it. */
static int emit(struct sink *sink, const struct event *event, struct err *err)
{
    struct text *text = (struct text *)sink;

    if (event->kind == EVENT_VERDICT) {
        tell(text, event);
        return flush(text, err);
    }
    if (event->kind != EVENT_EXIT)
        return take(text, event, err);
    text->end = event_keep(event);
    return 0;
}

static int finish(struct sink *sink, struct err *err)
{
    struct text *text = (struct text *)sink;

    return text->end ? take(text, text->end, err) : 0;
}

static void free_text(struct sink *sink)
{
    struct text *text = (struct text *)sink;

    while (text->held_count > 0)
        end_held(text, text->held[0].start, false);
    for (size_t i = 0; i < text->loop_count; i++) {
        forget(&text->loops[i].round);
        free(text->loops[i].round.list);
    }
    event_free(text->end);
    telling_release(&text->telling);
    regions_release(&text->mappings);
    free(text->held);
    free(text->loops);
    free(text);
}

struct sink *text_sink_new(FILE *out, bool color)
{
    struct text *text = mem_alloc(sizeof *text);

    telling_init(&text->telling);
    text->telling.pen.color = color;
    text->sink.emit = emit;
    text->sink.finish = finish;
    text->sink.free = free_text;
    text->out = out;
    return &text->sink;
}
