/* SPDX-License-Identifier: MIT */
#include "trace/event.h"

#include <signal.h>
#include <sys/mman.h>

#include "base/mem.h"

static const char *const names[EVENT_KINDS] = {
#define EVENT(kind, name, fields) [EVENT_##kind] = #name,
#include "trace/event.def"
};

bool event_is_elsewhere(const struct event_write *write)
{
    return write->by && strcmp(write->by, WRITTEN_ELSEWHERE) == 0;
}

static bool says_injected(const char *text)
{
    return text &&
           strncmp(text, WRITTEN_INJECTED, sizeof WRITTEN_INJECTED - 1) == 0;
}

const char *event_by_whom(const char *by)
{
    return says_injected(by) ? "" : "by the kernel: ";
}

bool event_injected_by(const struct event *event, struct buf *out)
{
    const char *text = event->kind == EVENT_WRITE     ? event->write.by
                       : event->kind == EVENT_REFUSED ? event->refused.why
                                                      : NULL;

    if (event->kind == EVENT_INJECTED)
        buf_printf(out, WRITTEN_INJECTED "(%s)",
                   event->injected.what ? event->injected.what : "--inject");
    else if (says_injected(text))
        buf_append_text(out, text);
    else
        return false;
    return true;
}

bool event_ends_watching(const struct event_limit *limit)
{
    static const char *const budgets[] = {
        "32-bit", "entry", "execute",   "frozen",     "handlers",
        "quit",   "vdso",  "trap-flag", "unreadable",
    };

    for (size_t i = 0; limit->budget && i < sizeof budgets / sizeof *budgets;
         i++)
        if (strcmp(budgets[i], limit->budget) == 0)
            return true;
    return false;
}

struct bytes event_bytes(const struct event *event, uint64_t *addr)
{
    const struct event_protect *protect = &event->protect;
    const struct event_enter *enter = &event->enter;

    switch (event->kind) {
    case EVENT_WRITE:
        *addr = event->write.addr;
        return event->write.new;
    case EVENT_PROTECT:
        *addr = protect->addr + protect->code_offset;
        return protect->code;
    case EVENT_ENTER:
        *addr = enter->addr - enter->offset + enter->code_offset;
        return enter->code;
    default:
        *addr = 0;
        return (struct bytes){NULL, 0};
    }
}

void event_start_of(struct event *exec, int64_t pid)
{
    const struct event_exec what = exec->exec;

    exec->kind = EVENT_START;
    exec->start = (struct event_start){
        .format = TRACE_FORMAT,
        .arch = ARCH_NAME,
        .argv = what.argv,
        .exe = what.exe,
        .pid = pid,
        .page_size = what.page_size,
        .entry = what.entry,
    };
}

int event_exit_status(const struct event_exit *end)
{
    return end->signal.known ? 128 + (int)end->signal.value
                             : (int)end->status.value;
}

const char *event_name(enum event_kind kind)
{
    BUG_UNLESS(kind < EVENT_KINDS);
    return names[kind];
}

enum event_kind event_find(const char *name)
{
    unsigned kind = 0;

    while (kind < EVENT_KINDS && strcmp(names[kind], name) != 0)
        kind++;
    return (enum event_kind)kind;
}

/* F is not told whose field it is; `owner` says so, for one case at a time. */
#define F(type, name)          \
    {FIELD_TYPE_##type, #name, \
     offsetof(struct event, start) + offsetof(owner, name)},
#define EVENT(kind, name, fields)                           \
    case EVENT_##kind: {                                    \
        typedef struct event_##name owner;                  \
        static const struct event_field table[] = {fields}; \
        *count = sizeof table / sizeof *table;              \
        return table;                                       \
    }

const struct event_field *event_fields(enum event_kind kind, size_t *count)
{
    switch (kind) {
#include "trace/event.def"
    case EVENT_KINDS:
        break;
    }
    mem_bug(__FILE__, __LINE__, "kind < EVENT_KINDS");
}

/* A copy and, behind it in the same block, all that it points to. */
struct copy {
    struct event event;
    size_t uses;
    uint8_t data[];
};

/* Where to put what is copied; while data is NULL it is only measured. */
struct room {
    uint8_t *data;
    size_t used;
};

/* The copy of size bytes, aligned for a list of anything; NULL of NULL. */
static void *put(struct room *room, const void *from, size_t size)
{
    size_t at = room->used;

    if (!from)
        return NULL;
    room->used += (size + 7) / 8 * 8;
    return room->data ? memcpy(room->data + at, from, size) : NULL;
}

static const char *put_text(struct room *room, const char *text)
{
    return text ? put(room, text, strlen(text) + 1) : NULL;
}

static void put_source(struct room *room, struct srcline *source)
{
    source->file = put_text(room, source->file);
    source->text = put_text(room, source->text);
    source->excerpt = put_text(room, source->excerpt);
}

static void put_texts(struct room *room, struct texts *texts)
{
    const char **list = put(room, texts->list, texts->count * sizeof *list);

    for (size_t i = 0; i < texts->count; i++) {
        const char *text = put_text(room, texts->list[i]);

        if (list)
            list[i] = text;
    }
    texts->list = list;
}

static void put_accesses(struct room *room, struct mem_accesses *accesses)
{
    struct mem_access *list =
        put(room, accesses->list, accesses->count * sizeof *list);

    for (size_t i = 0; i < accesses->count; i++) {
        struct mem_access access = accesses->list[i];
        struct bytes *old = &access.old_bytes, *new = &access.new_bytes;

        old->data = put(room, old->data, old->len);
        new->data = put(room, new->data, new->len);
        if (list)
            list[i] = access;
    }
    accesses->list = list;
}

static void put_vregs(struct room *room, struct vreg_changes *changes)
{
    struct vreg_change *list =
        put(room, changes->list, changes->count * sizeof *list);

    for (size_t i = 0; i < changes->count; i++) {
        struct vreg_change change = changes->list[i];
        struct bytes *old = &change.old_bytes, *new = &change.new_bytes;

        old->data = put(room, old->data, old->len);
        new->data = put(room, new->data, new->len);
        if (list)
            list[i] = change;
    }
    changes->list = list;
}

static void put_callers(struct room *room, struct callers *callers)
{
    struct caller *list =
        put(room, callers->list, callers->count * sizeof *list);

    for (size_t i = 0; i < callers->count; i++) {
        struct caller caller = callers->list[i];

        put_source(room, &caller.source);
        caller.symbol = put_text(room, caller.symbol);
        if (list)
            list[i] = caller;
    }
    callers->list = list;
}

static void put_rows(struct room *room, struct line_rows *rows)
{
    struct line_row *list = put(room, rows->list, rows->count * sizeof *list);
    const char *file = NULL, *copy = NULL; /* most are of the same one */

    for (size_t i = 0; i < rows->count; i++) {
        struct line_row row = rows->list[i];

        if (row.file != file)
            copy = put_text(room, row.file);
        file = row.file;
        row.file = copy;
        if (list)
            list[i] = row;
    }
    rows->list = list;
}

/* Copies all that the event points to, and makes it point there. */
static void put_all(struct room *room, struct event *event)
{
    const struct event_field *fields;
    size_t count;

    put_source(room, &event->source);
    fields = event_fields(event->kind, &count);
    for (size_t f = 0; f < count; f++) {
        void *field = (char *)event + fields[f].offset;
        const char **text = field;
        struct bytes *bytes = field;
        struct reg_changes *changes = field;
        struct callee *callee = field;

        switch (fields[f].type) {
        case FIELD_TYPE_TEXT:
            *text = put_text(room, *text);
            break;
        case FIELD_TYPE_TEXTS:
            put_texts(room, field);
            break;
        case FIELD_TYPE_BYTES:
            bytes->data = put(room, bytes->data, bytes->len);
            break;
        case FIELD_TYPE_CHANGES:
            changes->list = put(room, changes->list,
                                changes->count * sizeof *changes->list);
            break;
        case FIELD_TYPE_VREGS:
        case FIELD_TYPE_VALUES:
            put_vregs(room, field);
            break;
        case FIELD_TYPE_READS:
        case FIELD_TYPE_WRITES:
            put_accesses(room, field);
            break;
        case FIELD_TYPE_CALLERS:
            put_callers(room, field);
            break;
        case FIELD_TYPE_CALLEE:
            callee->symbol = put_text(room, callee->symbol);
            callee->module = put_text(room, callee->module);
            callee->known_by = put_text(room, callee->known_by);
            put_texts(room, &callee->params);
            callee->result = put_text(room, callee->result);
            break;
        case FIELD_TYPE_ROWS:
            put_rows(room, field);
            break;
        case FIELD_TYPE_ADDR: /* these point to nothing */
        case FIELD_TYPE_OPT:
        case FIELD_TYPE_SIZE:
        case FIELD_TYPE_INT:
        case FIELD_TYPE_OPTINT:
        case FIELD_TYPE_PROT:
        case FIELD_TYPE_REGS:
        case FIELD_TYPE_OPTREGS:
            break;
        }
    }
}

struct event *event_keep(const struct event *event)
{
    struct copy *copy = (struct copy *)event->copy;
    struct event measured = *event;
    struct room room = {0};

    if (!copy) {
        put_all(&room, &measured);
        copy = mem_resize(NULL, sizeof *copy + room.used, 1);
        *copy = (struct copy){.event = *event};
        copy->event.copy = &copy->event;
        copy->event.pages = NULL;
        room = (struct room){copy->data, 0};
        put_all(&room, &copy->event);
    }
    copy->uses++;
    return &copy->event;
}

void event_free(struct event *event)
{
    struct copy *copy = (struct copy *)event;

    if (copy && --copy->uses == 0)
        free(copy);
}

#define NAME(signal) [signal] = #signal

static const char *const signal_names[] = {
    NAME(SIGHUP),   NAME(SIGINT),  NAME(SIGQUIT), NAME(SIGILL),
    NAME(SIGTRAP),  NAME(SIGABRT), NAME(SIGBUS),  NAME(SIGFPE),
    NAME(SIGKILL),  NAME(SIGUSR1), NAME(SIGSEGV), NAME(SIGUSR2),
    NAME(SIGPIPE),  NAME(SIGALRM), NAME(SIGTERM), NAME(SIGSTKFLT),
    NAME(SIGCHLD),  NAME(SIGCONT), NAME(SIGSTOP), NAME(SIGTSTP),
    NAME(SIGTTIN),  NAME(SIGTTOU), NAME(SIGURG),  NAME(SIGXCPU),
    NAME(SIGXFSZ),  NAME(SIGPROF), NAME(SIGPOLL), NAME(SIGVTALRM),
    NAME(SIGWINCH), NAME(SIGPWR),  NAME(SIGSYS),
};

/* The numbers are part of the kernel's ABI: signal(7). */
const char *signal_name(int number)
{
    return (size_t)number < sizeof signal_names / sizeof *signal_names
               ? signal_names[number]
               : NULL;
}

void prot_text(unsigned prot, char *out)
{
    out[0] = prot & PROT_READ ? 'r' : '-';
    out[1] = prot & PROT_WRITE ? 'w' : '-';
    out[2] = prot & PROT_EXEC ? 'x' : '-';
    out[3] = 0;
}
