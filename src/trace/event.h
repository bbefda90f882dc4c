/* SPDX-License-Identifier: MIT */
/*
 * trace/event.h - what can be observed of a program that makes code.
 *
 * Everything jittrace knows of a run is a sequence of events. An event says
 * what happened, never what it means; what the page holds or what stage the
 * program is in is derived (trace/view.h). trace/event.def has the kinds, and
 * what each says.
 */
#ifndef JITTRACE_TRACE_EVENT_H
#define JITTRACE_TRACE_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "cpu/effect.h"
#include "cpu/regs.h"
#include "cpu/vregs.h"
#include "trace/srcline.h"

/* The version of the trace format, raised when a reader must know. */
#define TRACE_FORMAT 1

struct opt_u64 {
    bool known;
    uint64_t value;
};

struct opt_regs {
    bool known;
    struct regs value;
};

struct texts {
    const char *const *list;
    size_t count;
};

struct reg_changes {
    const struct reg_change *list;
    size_t count;
};

struct vreg_changes {
    const struct vreg_change *list;
    size_t count;
};

struct mem_accesses {
    const struct mem_access *list;
    size_t count;
};

/* The function that generated code called. */
struct callee {
    const char *symbol;   /* its name; NULL: not known, and nothing else is */
    const char *module;   /* the file that has it, without directories */
    const char *known_by; /* where its types are known from; or NULL */
    struct texts params;
    const char *result;
};

/* The types of event.def, for whoever walks the fields of an event, in C. */
#define FIELD_TYPES                \
    T(ADDR, uint64_t)              \
    T(OPT, struct opt_u64)         \
    T(SIZE, uint64_t)              \
    T(INT, int64_t)                \
    T(OPTINT, struct opt_u64)      \
    T(PROT, unsigned)              \
    T(TEXT, const char *)          \
    T(TEXTS, struct texts)         \
    T(BYTES, struct bytes)         \
    T(REGS, struct regs)           \
    T(OPTREGS, struct opt_regs)    \
    T(CHANGES, struct reg_changes) \
    T(VREGS, struct vreg_changes)  \
    T(VALUES, struct vreg_changes) \
    T(READS, struct mem_accesses)  \
    T(WRITES, struct mem_accesses) \
    T(CALLERS, struct callers)     \
    T(CALLEE, struct callee)       \
    T(ROWS, struct line_rows)

#define T(name, type) typedef type field_type_##name;
FIELD_TYPES
#undef T

enum field_type {
#define T(name, type) FIELD_TYPE_##name,
    FIELD_TYPES
#undef T
};

enum event_kind {
#define EVENT(kind, name, fields) EVENT_##kind,
#include "trace/event.def"
    EVENT_KINDS,
};

#define F(type, name) field_type_##type name;
#define EVENT(kind, name, fields) \
    struct event_##name {         \
        fields                    \
    };
#include "trace/event.def"

struct pages;
/* Everything an event points to is borrowed from whoever made it. */
struct event {
    enum event_kind kind;
    uint64_t seq; /* 0, 1, 2 ... in one trace */
    int tid;
    int pid; /* the process whose memory it is about; 0: that of the start */
    struct srcline source;
    struct event *copy; /* the copy on the heap that this is of, or NULL */
    const struct pages *pages; /* the memory as its source knows it, or NULL: a
                                * sink may share them while it is emitted */
    union {
#define EVENT(kind, name, fields) struct event_##name name;
#include "trace/event.def"
    };
};

/* What write.by says when bytes were found changed and nobody saw how. */
#define WRITTEN_ELSEWHERE "elsewhere"

/* What write.by begins with when jittrace did it, because it was asked to. */
#define WRITTEN_INJECTED "INJECTED"

/* What verdict.verdict says; a note is broken in a way that may be meant. */
#define VERDICT_OK       "ok"
#define VERDICT_BROKEN   "broken"
#define VERDICT_NOTE     "note"
#define VERDICT_NOT_SEEN "not seen"

/* Whether a write is of that kind. */
bool event_is_elsewhere(const struct event_write *write);

/* The words "by the kernel: ", or none where such a text says who it was. */
const char *event_by_whom(const char *by);

/* Appends what --inject made otherwise there, "INJECTED(code[8]:set=0x29)".
 * Returns false, and appends nothing, of what the program did itself. */
bool event_injected_by(const struct event *event, struct buf *out);

/* Whether a limit says that from there on nothing, or no call of generated
 * code, is seen at all, however long the program still runs. */
bool event_ends_watching(const struct event_limit *limit);

/*
 * The bytes that are in memory after it, as far as it brings them: those that a
 * write stored, the code of a protect or an enter; *addr is where they begin.
 */
struct bytes event_bytes(const struct event *event, uint64_t *addr);

/* Makes an exec event of process pid the start event that says the same of the
 * program. */
void event_start_of(struct event *exec, int64_t pid);

/* The status by which a shell would tell of that end: 128 + n for signal n. */
int event_exit_status(const struct event_exit *end);

/* "start", "map" ... */
const char *event_name(enum event_kind kind);

/* The kind of that name, or EVENT_KINDS. */
enum event_kind event_find(const char *name);

struct event_field {
    enum field_type type;
    const char *name;
    size_t offset; /* in bytes, from the start of struct event */
};

/* The fields of a kind in the order of event.def; *count says how many. */
const struct event_field *event_fields(enum event_kind kind, size_t *count);

/* A deep copy on the heap that borrows nothing, not to be changed: an event that
 * is one already, or was assigned from one, is shared. And ends one use of it;
 * accepts NULL. */
struct event *event_keep(const struct event *event);
void event_free(struct event *copy);

/*
 * "SIGSEGV" for 11; lives for ever. NULL for a real-time signal and for any
 * number that is no signal's. (sigabbrev_np() is glibc's alone, from 2.32 on.)
 */
const char *signal_name(int number);

/* Writes "rw-" and a NUL to out, which has room for 4. */
void prot_text(unsigned prot, char *out);

#endif
