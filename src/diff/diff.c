/* SPDX-License-Identifier: MIT */
#include "diff/diff.h"

#include <stdlib.h>

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

/* --- a whole trace -------------------------------------------------------- */

/* What is known of one before it is gone through. */
struct whole {
    struct history *history;
    struct where where;
    int *tids; /* in order of appearance */
    size_t tid_count;
    size_t tid_capacity;
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

static void note_thread(struct whole *whole, int tid)
{
    for (size_t i = 0; i < whole->tid_count; i++)
        if (whole->tids[i] == tid)
            return;
    whole->tids = mem_grow(whole->tids, whole->tid_count, &whole->tid_capacity,
                           sizeof *whole->tids);
    whole->tids[whole->tid_count++] = tid;
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
            note_thread(whole, event->tid);
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
}

static void release(struct whole *whole)
{
    where_release(&whole->where);
    free(whole->tids);
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
 * *at is behind it on both sides. */
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
    found = same_address(same, hex[0], hex[1]) ||
            (decimal[0] && same_word(same, decimal[0], decimal[1]));
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

static void compare_threads(struct same *same, struct whole wholes[2],
                            struct diff *out)
{
    for (size_t i = 0;
         i < PAIRS && i < wholes[0].tid_count && i < wholes[1].tid_count; i++) {
        struct walk walk = {.same = same, .diff = out};

        for (int k = 0; k < 2; k++) {
            walk.side[k].store = history_store(wholes[k].history);
            walk.side[k].where = &wholes[k].where;
            walk.side[k].tid = wholes[k].tids[i];
            same->stack[k] = 0;
            same->number[k] = (uint64_t)wholes[k].tids[i];
        }
        walk_run(&walk);
        walk_release(&walk);
    }
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
        out->limited[i] = wholes[i].limited;
    }
    for (int fd = 0; fd < 2; fd++)
        compare_output(&same, wholes, fd, out);
    compare_ends(wholes, out);
    /* A thread too many that ran generated code shows as a call too many. */
    same_release(&same);
    release(&wholes[0]);
    release(&wholes[1]);
}
