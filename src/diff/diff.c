/* SPDX-License-Identifier: MIT */
#include "diff/diff.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "diff/walk.h"

/* Pairs of threads that are gone through, at most: each takes one pass. */
#define PAIRS 64u

/* Where numbers below that are no addresses. */
#define FOUR_GIB (UINT64_C(1) << 32)

const char *diff_class_name(enum diff_class class)
{
    static const char *const names[] = {
#define DIFF(NAME, name, about) name,
        DIFF_CLASSES(DIFF)
#undef DIFF
    };

    return names[class];
}

void diff_release(struct diff *diff)
{
    for (int class = 0; class < DIFFS; class ++) {
        buf_release(&diff->first[class].what);
        buf_release(&diff->first[class].note);
        for (int i = 0; i < 2; i++)
            buf_release(&diff->first[class].side[i].has);
    }
    free(diff->pairs);
}

bool diff_any(const struct diff *diff)
{
    return diff_earliest(diff) != DIFFS;
}

enum diff_class diff_earliest(const struct diff *diff)
{
    enum diff_class earliest = DIFFS;

    for (int class = 0; class < DIFFS; class ++)
        if (diff->first[class].found &&
            (earliest == DIFFS || diff->first[class].side[0].seq <
                                      diff->first[earliest].side[0].seq))
            earliest = (enum diff_class) class;
    return earliest;
}

/* --- side by side --------------------------------------------------------- */

/* How many pairs are not behind an event of that side. */
static size_t pairs_until(const struct diff *diff, int side, uint64_t seq)
{
    size_t low = 0, high = diff->pair_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (diff->pairs[middle].seq[side] <= seq)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool diff_is_pair(const struct diff *diff, const uint64_t seq[2])
{
    size_t until = pairs_until(diff, 0, seq[0]);

    return until > 0 && diff->pairs[until - 1].seq[0] == seq[0] &&
           diff->pairs[until - 1].seq[1] == seq[1];
}

uint64_t diff_other(const struct diff *diff, int side, uint64_t seq)
{
    size_t until = pairs_until(diff, side, seq);

    return until > 0 ? diff->pairs[until - 1].seq[!side] : 0;
}

/* Event `row` behind a pair, or the last one before the next pair. */
static uint64_t at_row(uint64_t from, uint64_t to, uint64_t row)
{
    return from + row < to ? from + row : to - (to > from);
}

bool diff_move(const struct diff *diff, const uint64_t count[2], bool back,
               uint64_t seq[2])
{
    const struct diff_pair *pairs = diff->pairs;
    const uint64_t was[] = {seq[0], seq[1]};
    size_t until = pairs_until(diff, 0, seq[0]);
    /* The ends of a trace count as pairs. */
    struct diff_pair from = {{0, 0}}, to = {{count[0], count[1]}};
    uint64_t row = 0, rows = 0;

    if (back && until > 0 && diff_is_pair(diff, seq))
        until--; /* it ends the stretch that is gone through */
    if (until > 0)
        from = pairs[until - 1];
    if (until < diff->pair_count)
        to = pairs[until];
    for (int i = 0; i < 2; i++) {
        uint64_t length = to.seq[i] - from.seq[i];
        /* A difference of other threads is no row of these. */
        bool inside = seq[i] >= from.seq[i] && seq[i] <= to.seq[i];

        rows = length > rows ? length : rows;
        if (inside && seq[i] - from.seq[i] > row)
            row = seq[i] - from.seq[i];
    }
    if (back && diff_is_pair(diff, seq))
        row = rows;
    if (back && row == 0)
        return false;
    row = back ? row - 1 : row + 1;
    if (row >= rows && until == diff->pair_count)
        return false;
    for (int i = 0; i < 2; i++)
        seq[i] = row >= rows ? to.seq[i] : at_row(from.seq[i], to.seq[i], row);
    return seq[0] != was[0] || seq[1] != was[1];
}

/* --- a whole trace -------------------------------------------------------- */

/* A thread, before it is gone through. */
struct thread {
    int tid;
    uint64_t entries; /* into generated code */
    uint64_t stack;   /* the stack pointer of its first entry, or 0 */
    uint64_t does[2]; /* hashes of what it does, without addresses: with the
                       * bytes that it stores, and without them */
    bool paired;
};

/* What is known of one before it is gone through. */
struct whole {
    struct history *history;
    struct where where;
    struct thread *threads; /* in the order in which they were made */
    size_t thread_count;
    size_t thread_capacity;
    struct buf output[2]; /* of descriptors 1 and 2 */
    uint64_t *parts[2];   /* the seq of each output event of them, and */
    size_t part_count[2]; /* where it ends there */
    size_t part_capacity[2];
    uint64_t pid;
    uint64_t entry;
    bool low; /* the program is not above 4 GiB */
    bool limited;
    uint64_t last; /* the exit event */
    struct opt_u64 status, signal;
};

static void note_output(struct whole *whole, const struct event *event)
{
    int fd = (int)event->output.fd - 1;

    if (fd < 0 || fd > 1)
        return;
    buf_append(&whole->output[fd], event->output.bytes.data,
               event->output.bytes.len);
    for (int i = 0; i < 2; i++) {
        whole->parts[fd] =
            mem_grow(whole->parts[fd], whole->part_count[fd],
                     &whole->part_capacity[fd], sizeof *whole->parts[fd]);
        whole->parts[fd][whole->part_count[fd]++] =
            i ? whole->output[fd].len : event->seq;
    }
}

static struct thread *thread_of(struct whole *whole, int tid)
{
    struct thread *thread;

    for (size_t i = 0; i < whole->thread_count; i++)
        if (whole->threads[i].tid == tid)
            return &whole->threads[i];
    whole->threads = mem_grow(whole->threads, whole->thread_count,
                              &whole->thread_capacity, sizeof *whole->threads);
    thread = &whole->threads[whole->thread_count++];
    *thread = (struct thread){.tid = tid};
    return thread;
}

static void mix(uint64_t *hash, uint64_t word)
{
    *hash = hash_bytes(*hash, &word, sizeof word);
}

static void note_thread(struct whole *whole, const struct event *event)
{
    struct thread *thread = thread_of(whole, event->tid);
    uint64_t what = 0;

    if (event->kind == EVENT_WRITE)
        what = event->write.offset << 16 ^ event->write.new.len;
    else if (event->kind == EVENT_ENTER)
        what = event->enter.offset;
    else if (event->kind == EVENT_STEP)
        what = event->step.bytes.len;
    else if (event->kind == EVENT_OUTPUT || event->kind == EVENT_LIMIT)
        return; /* of no thread in particular */
    thread->entries += event->kind == EVENT_ENTER;
    if (event->kind == EVENT_ENTER && !thread->stack)
        thread->stack = event->enter.regs.value[REG_STACK];
    for (int i = 0; i < 2; i++) {
        mix(&thread->does[i], (uint64_t)event->kind);
        mix(&thread->does[i], what);
    }
    if (event->kind == EVENT_WRITE)
        thread->does[0] = hash_bytes(thread->does[0], event->write.new.data,
                                     event->write.new.len);
}

/* The kernel counts tids up, and begins again some day (pid_namespaces(7)): by
 * their distance from the first one they are in order. */
static int by_age(const void *a, const void *b, void *pid)
{
    const uint64_t first = *(const uint64_t *)pid;
    const uint32_t left =
        (uint32_t)(((const struct thread *)a)->tid - (int)first);
    const uint32_t right =
        (uint32_t)(((const struct thread *)b)->tid - (int)first);

    return (left > right) - (left < right);
}

static void look_through(struct whole *whole, struct history *history,
                         struct same *same, int side)
{
    const struct store *store = history_store(history);
    struct unpacked unpacked = {0};
    const struct event *event = &unpacked.event;

    whole->history = history;
    for (uint64_t i = 0; i < store->count; i++) {
        store_read(store, i, &unpacked);
        where_apply(&whole->where, event);
        if (event->kind != EVENT_VERDICT && event->kind != EVENT_NAME)
            note_thread(whole, event);
        if (event->kind == EVENT_START) {
            whole->pid = (uint64_t)event->start.pid;
            whole->low = event->start.entry < FOUR_GIB;
            whole->entry = event->start.entry;
        } else if (event->kind == EVENT_OUTPUT) {
            note_output(whole, event);
        } else if (event->kind == EVENT_LEAVE && event->leave.callee.symbol) {
            same_name(same, side, event->leave.to, event->leave.callee.symbol);
        } else if (event->kind == EVENT_LIMIT) {
            whole->limited = true;
        } else if (event->kind == EVENT_EXIT) {
            whole->last = i;
            whole->status = event->exit.status;
            whole->signal = event->exit.signal;
        }
    }
    unpacked_release(&unpacked);
    qsort_r(whole->threads, whole->thread_count, sizeof *whole->threads, by_age,
            &whole->pid);
}

static void release(struct whole *whole)
{
    where_release(&whole->where);
    free(whole->threads);
    for (int fd = 0; fd < 2; fd++) {
        buf_release(&whole->output[fd]);
        free(whole->parts[fd]);
    }
}

/* --- output --------------------------------------------------------------- */

/* The output event that has written that byte. */
static uint64_t writer_of(const struct whole *whole, int fd, size_t at)
{
    for (size_t i = 0; i + 1 < whole->part_count[fd]; i += 2)
        if (at < whole->parts[fd][i + 1])
            return whole->parts[fd][i];
    return whole->last;
}

/* Reads the number that byte `at` is in. Returns where it ends, or 0. */
static size_t number_at(struct buf *text, size_t at, uint64_t *hex,
                        uint64_t *decimal)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    const char *all = buf_text(text);
    size_t from = at, length;
    char *end;

    while (from > 0 && strchr(digits, all[from - 1]) && all[from - 1])
        from--;
    length = strspn(all + from, digits);
    if (length == 0)
        return 0;
    *hex = strtoull(all + from, NULL, 16);
    *decimal = strtoull(all + from, &end, 10);
    if (end != all + from + length)
        *decimal = 0;
    return from + length;
}

/* Whether both print an address or a pid there, the same but in number; then
 * *at is behind it on both sides. Where both are already behind it, it is not
 * the number that differs. */
static bool same_number(struct same *same, struct whole wholes[2], int fd,
                        size_t at[2])
{
    uint64_t hex[2], decimal[2];
    size_t end[2];
    bool found;

    for (int i = 0; i < 2; i++) {
        end[i] = number_at(&wholes[i].output[fd], at[i], &hex[i], &decimal[i]);
        if (end[i] == 0)
            return false;
    }
    for (int i = 0; i < 2; i++)
        same->view[i] =
            history_view(wholes[i].history, writer_of(&wholes[i], fd, at[i]));
    found = (end[0] > at[0] || end[1] > at[1]) &&
            (same_address(same, hex[0], hex[1]) ||
             (decimal[0] && same_word(same, decimal[0], decimal[1])));
    if (found) {
        at[0] = end[0];
        at[1] = end[1];
    }
    return found;
}

/* The line of text that a byte is in, as it is. */
static void line_at(struct buf *text, size_t at, struct buf *out)
{
    size_t from = at, to = at;

    while (from > 0 && text->data[from - 1] != '\n')
        from--;
    while (to < text->len && text->data[to] != '\n')
        to++;
    if (from == text->len)
        buf_append_text(out, "the end");
    else
        buf_append(out, text->data + from, to - from);
}

static void compare_output(struct same *same, struct whole wholes[2], int fd,
                           struct diff *diff)
{
    struct difference *out = &diff->first[DIFF_OUTPUT];
    struct buf *left = &wholes[0].output[fd], *right = &wholes[1].output[fd];
    size_t at[2] = {0, 0}, line = 1;

    for (;;) {
        bool more = at[0] < left->len, other = at[1] < right->len;

        if (!more && !other)
            return;
        if (more && other && left->data[at[0]] == right->data[at[1]]) {
            line += left->data[at[0]] == '\n';
            at[0]++;
            at[1]++;
        } else if (!same_number(same, wholes, fd, at)) {
            break;
        }
    }
    if (out->found) {
        out->more++;
        return;
    }
    out->found = true;
    buf_printf(&out->what, "line %zu of descriptor %d", line, fd + 1);
    for (int i = 0; i < 2; i++) {
        out->side[i].known = at[i] < wholes[i].output[fd].len;
        out->side[i].seq = writer_of(&wholes[i], fd, at[i]);
        line_at(&wholes[i].output[fd], at[i], &out->side[i].has);
    }
}

/* --- the end -------------------------------------------------------------- */

static void compare_ends(struct whole wholes[2], struct diff *diff)
{
    struct difference *out = &diff->first[DIFF_STATUS];
    const struct whole *a = &wholes[0], *b = &wholes[1];

    if (a->status.known == b->status.known &&
        (!a->status.known || a->status.value == b->status.value) &&
        (a->status.known || a->signal.value == b->signal.value))
        return;
    if (out->found) {
        out->more++;
        return;
    }
    out->found = true;
    buf_append_text(&out->what, "the end");
    for (int i = 0; i < 2; i++) {
        const struct whole *whole = &wholes[i];
        const char *name = signal_name((int)whole->signal.value);

        out->side[i].known = true;
        out->side[i].seq = whole->last;
        if (whole->status.known)
            buf_printf(&out->side[i].has, "status %" PRIu64,
                       whole->status.value);
        else
            buf_printf(&out->side[i].has, "killed by signal %" PRIu64 " %s",
                       whole->signal.value, name ? name : "");
    }
}

/* --- all of it ------------------------------------------------------------ */

/* What other threads have stored, which may be there earlier or later. */
static void note_others(const struct whole *whole, int tid, struct ranges *out)
{
    const struct store *store = history_store(whole->history);
    struct unpacked unpacked = {0};
    const struct event *event = &unpacked.event;
    struct range_value *value = range_value_new(sizeof *value);

    for (uint64_t i = 0; whole->thread_count > 1 && i < store->count; i++) {
        store_read(store, i, &unpacked);
        if (event->kind == EVENT_WRITE && event->tid != tid &&
            event->write.new.len > 0)
            ranges_set(out, event->write.addr,
                       event->write.addr + event->write.new.len, value);
    }
    range_value_drop(value);
    unpacked_release(&unpacked);
}

static void compare_pair(struct same *same, struct whole wholes[2],
                         const struct thread *threads[2], struct diff *out)
{
    struct walk walk = {.same = same, .diff = out};
    const size_t before = out->pair_count;
    size_t pairs;

    for (int k = 0; k < 2; k++) {
        walk.side[k].store = history_store(wholes[k].history);
        walk.side[k].where = &wholes[k].where;
        walk.side[k].tid = threads[k]->tid;
        walk.side[k].threads = wholes[k].thread_count > 1;
        note_others(&wholes[k], threads[k]->tid, &walk.side[k].others);
        same->stack[k] = threads[k]->stack;
        same->number[k] = (uint64_t)threads[k]->tid;
    }
    /* Of threads that run code at the same time some calls go unseen
     * (docs/limits.md): which ones belong together is not known then. */
    if ((walk.side[0].threads || walk.side[1].threads) &&
        threads[0]->entries != threads[1]->entries) {
        walk.unaligned = true;
        out->limited[threads[0]->entries > threads[1]->entries] = true;
    }
    walk_run(&walk);
    walk_release(&walk);
    /* Of two pairs of threads, those with more in common are kept. */
    pairs = out->pair_count - before;
    if (pairs > before)
        memmove(out->pairs, out->pairs + before, pairs * sizeof *out->pairs);
    out->pair_count = pairs > before ? pairs : before;
}

/* The first thread there that does the same; by the bytes that it stores, or
 * without them, or whatever it does. */
static struct thread *partner_of(const struct whole *whole,
                                 const struct thread *thread, int how)
{
    for (size_t i = 0; i < whole->thread_count; i++)
        if (!whole->threads[i].paired &&
            (how > 1 || whole->threads[i].does[how] == thread->does[how]))
            return &whole->threads[i];
    return NULL;
}

/* Which thread comes first is another one each time. So those belong together
 * that do the same, and of the others those that were made in the same turn. */
static void compare_threads(struct same *same, struct whole wholes[2],
                            struct diff *out)
{
    const struct thread *pairs[PAIRS][2];
    size_t count = 0;
    struct diff dry = {0};

    for (int how = 0; how < 3; how++)
        for (size_t i = 0; i < wholes[0].thread_count && count < PAIRS; i++) {
            struct thread *thread = &wholes[0].threads[i];
            struct thread *partner =
                thread->paired ? NULL : partner_of(&wholes[1], thread, how);

            if (!partner)
                continue;
            thread->paired = partner->paired = true;
            pairs[count][0] = thread;
            pairs[count++][1] = partner;
        }
    /* One thread may run what another has mapped: which mappings belong
     * together must be known of all before the first is compared. */
    for (size_t i = 0; i < count && count > 1; i++)
        compare_pair(same, wholes, pairs[i], &dry);
    diff_release(&dry);
    for (size_t i = 0; i < count; i++)
        compare_pair(same, wholes, pairs[i], out);
}

void diff_make(struct history *a, struct history *b, struct diff *out)
{
    struct whole wholes[2] = {0};
    struct same same = {0};

    *out = (struct diff){0};
    look_through(&wholes[0], a, &same, 0);
    look_through(&wholes[1], b, &same, 1);
    same.low = wholes[0].low || wholes[1].low;
    same.builds = (wholes[0].entry - wholes[1].entry) % ARCH_PAGE_SIZE != 0;
    compare_threads(&same, wholes, out);
    for (int i = 0; i < 2; i++) {
        same.number[i] = wholes[i].pid;
        out->limited[i] |= wholes[i].limited;
    }
    for (int fd = 0; fd < 2; fd++)
        compare_output(&same, wholes, fd, out);
    compare_ends(wholes, out);
    /* A thread too many that ran generated code shows as a call too many. */
    same_release(&same);
    release(&wholes[0]);
    release(&wholes[1]);
}
