/* SPDX-License-Identifier: MIT */
/*
 * trace/event.h - what can be observed of a program that makes code.
 *
 * Everything jittrace knows of a run is a sequence of events. An event says
 * what happened, never what it means; what the page holds or what stage the
 * program is in is derived (trace/view.h). The kinds:
 *
 *   start    the program was loaded; it is watched from its entry point on.
 *            argv; exe is what /proc/PID/exe names; page_size is AT_PAGESZ and
 *            entry AT_ENTRY of its auxiliary vector (getauxval(3)); arch is
 *            "x86_64"; format is the version of the trace format, TRACE_FORMAT.
 *   map      a mapping that may come to hold code appeared. length in bytes,
 *            as the kernel rounded it; flags by name, "MAP_PRIVATE|..."; backing
 *            "anonymous", "heap", "stack" or a name; call is the system call in
 *            the words of strace; maps is its line of /proc/PID/maps.
 *   write    bytes of a watched page were stored. offset counts from the start
 *            of the mapping; old and new have the same length; pc is the
 *            storing instruction, text its disassembly and symbol its place:
 *            "emit_byte+0x1f" in the program, "libc.so.6:memcpy+0x12" in
 *            another file, "libc.so.6+0x16a2b3" (an address of that file)
 *            where no function is known, "0x7f1234560000+0x12" (its region and
 *            the offset there) in generated code, NULL elsewhere. source is the
 *            line of that instruction, or of its caller if it has none. by is
 *            NULL for a store, else the system call through which the kernel
 *            wrote, or "elsewhere": the bytes were found changed, nobody saw
 *            how; pc is then where the thread was. also is the address of the
 *            first of these bytes in the other mapping of the same memory that
 *            can be executed, if there is one.
 *   protect  a protection changed. code is the region's bytes from its first
 *            to its last written one, code_offset where they begin, counted
 *            from addr. Absent when nothing was written there.
 *   unmap    the mapping, or a part of it, went away.
 *   enter    the CPU fetched the first instruction from generated code, after
 *            a "call", "jump" or "return", or as the handler of a "signal"
 *            (how); return_to is the return address on the stack, if it is a
 *            call; regs are those before that instruction; code is as in
 *            protect, code_offset is counted from the start of the mapping.
 *            Code of more than a page is cut to what has changed since an
 *            event carried it.
 *   step     one instruction of generated code was executed. regs lists the
 *            registers that changed (not the program counter: addr and next
 *            are its values before and after); reads and writes are the memory
 *            it accessed.
 *   leave    control left generated code by a "return", "call", "jump" or
 *            "signal" (how), to the address to. value is the result register
 *            at a return, the only moment at which it means something.
 *   name     the program gave length bytes of its code at addr a name, by a line
 *            in /tmp/perf-PID.map. Told when that code is entered or goes away,
 *            or at the end.
 *   output   the program wrote bytes to its descriptor 1 or 2.
 *   signal   a signal was delivered to the program: number and name, code is
 *            si_code, addr si_addr of a fault (sigaction(2)), pc where it
 *            happened, access the kind that failed: "read", "write", "execute".
 *            Of a fault also: bytes and text are the instruction at pc, as far
 *            as it can be read; regs are those at pc; maps is the line of
 *            /proc/PID/maps that addr lies in, with the protection that the
 *            program asked for; where nothing is mapped, nearest is the line
 *            that is the nearest to it. return_to is the return address on
 *            the stack, where a call led to what cannot be executed; source is
 *            then that of the call.
 *   limit    jittrace stopped watching something: budget names what ran out or
 *            what is not supported, text is a whole sentence. After the
 *            budget "call-steps" or "nt-flag" the thread is not stepped until
 *            its next enter, after "steps" no thread is; a leave may come, or
 *            none.
 *   exit     the program ended with a status, or by a signal: one is known.
 */
#ifndef JITTRACE_TRACE_EVENT_H
#define JITTRACE_TRACE_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "cpu/effect.h"
#include "cpu/regs.h"

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

struct mem_accesses {
    const struct mem_access *list;
    size_t count;
};

/* A place in the program's source; file == NULL when it is not known. */
struct srcline {
    const char *file; /* as a reader would name it, without directories */
    int line;         /* from 1 */
    const char *text; /* the line without indentation, or NULL */
    /* Some lines around it as they are in the file, each with its newline, and
     * the number of the first of them; NULL when earlier events had them. */
    const char *excerpt;
    int excerpt_line;
};

/* The C type of each field type of event.def. */
typedef uint64_t field_type_ADDR;
typedef struct opt_u64 field_type_OPT;
typedef uint64_t field_type_SIZE;
typedef int64_t field_type_INT;
typedef struct opt_u64 field_type_OPTINT;
typedef unsigned field_type_PROT;
typedef const char *field_type_TEXT;
typedef struct texts field_type_TEXTS;
typedef struct bytes field_type_BYTES;
typedef struct regs field_type_REGS;
typedef struct opt_regs field_type_OPTREGS;
typedef struct reg_changes field_type_CHANGES;
typedef struct mem_accesses field_type_READS;
typedef struct mem_accesses field_type_WRITES;

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

/* Everything an event points to is borrowed from whoever made it. */
struct event {
    enum event_kind kind;
    uint64_t seq; /* 0, 1, 2 ... in one trace */
    int tid;
    struct srcline source;
    struct event *copy; /* the copy on the heap that this is of, or NULL */
    union {
#define EVENT(kind, name, fields) struct event_##name name;
#include "trace/event.def"
    };
};

/* What write.by says when bytes were found changed and nobody saw how. */
#define WRITTEN_ELSEWHERE "elsewhere"

/* Whether a write is of that kind. */
bool event_is_elsewhere(const struct event_write *write);

/*
 * Whether a limit says that from there on nothing, or no call of generated
 * code, is seen at all, however long the program still runs.
 */
bool event_ends_watching(const struct event_limit *limit);

/* The status by which a shell would tell of that end: 128 + n for signal n. */
int event_exit_status(const struct event_exit *end);

/* "start", "map" ... */
const char *event_name(enum event_kind kind);

/* The kind of that name, or EVENT_KINDS. */
enum event_kind event_find(const char *name);

/* The types of event.def, for whoever walks the fields of an event. */
enum field_type {
    FIELD_TYPE_ADDR,
    FIELD_TYPE_OPT,
    FIELD_TYPE_SIZE,
    FIELD_TYPE_INT,
    FIELD_TYPE_OPTINT,
    FIELD_TYPE_PROT,
    FIELD_TYPE_TEXT,
    FIELD_TYPE_TEXTS,
    FIELD_TYPE_BYTES,
    FIELD_TYPE_REGS,
    FIELD_TYPE_OPTREGS,
    FIELD_TYPE_CHANGES,
    FIELD_TYPE_READS,
    FIELD_TYPE_WRITES,
};

struct event_field {
    enum field_type type;
    const char *name;
    size_t offset; /* in bytes, from the start of struct event */
};

/* The fields of a kind in the order of event.def; *count says how many. */
const struct event_field *event_fields(enum event_kind kind, size_t *count);

/* A deep copy on the heap that borrows nothing. */
struct event *event_copy(const struct event *event);

/*
 * The same for who changes nothing of it: an event that is a copy already, or
 * was assigned from one, is shared and not copied again.
 */
struct event *event_keep(const struct event *event);

/* Ends one use of a copy; accepts NULL. */
void event_free(struct event *copy);

/* Writes "rw-" and a NUL to out, which has room for 4. */
void prot_text(unsigned prot, char *out);

#endif
