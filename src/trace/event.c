/* SPDX-License-Identifier: MIT */
#include "trace/event.h"

#include <signal.h>
#include <string.h>
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
