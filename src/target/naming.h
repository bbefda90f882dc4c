/* SPDX-License-Identifier: MIT */
/*
 * target/naming.h - what a program says of the code that it makes, in whatever
 * way: a line of its perf map (perfmap.h), a record of its jitdump
 * (jitdump.h), an entry in the list that it keeps for debuggers (gdbjit.h).
 *
 * Nothing of it is believed: it comes from a file or from memory that may hold
 * anything. What is handed out is a name with its NUL that is not empty, a
 * length that is not 0 and does not wrap around, and rows in order.
 */
#ifndef JITTRACE_TARGET_NAMING_H
#define JITTRACE_TARGET_NAMING_H

#include "trace/labels.h"

/* Of a longer name, and of the code of one function, the first so many bytes
 * are taken. */
#define NAMING_NAME 1024u
#define NAMING_CODE 65536u

/* No path of a file is longer (PATH_MAX); a row of one that is is dropped. */
#define NAMING_PATH 4095u

struct naming {
    enum naming_kind {
        NAMING_NAME_GIVEN, /* name is all of it */
        NAMING_MOVED,      /* what was at `from` is at name.addr now, so long */
        NAMING_WITHDRAWN,  /* owner has no names any more */
        NAMING_FLAW,       /* what stands there is not what must: flaw */
    } kind;
    struct event_name name; /* lives until the next one is asked for */
    uint64_t from;
    bool is_slight; /* of a flaw: most readers take it nevertheless, or the end
                     * of the program may be what has caused it */
    unsigned owner; /* whom a name goes with; 0: nobody */
    char flaw[200]; /* a clause without a full stop */
};

/* Fills out with a flaw. */
void naming_flaw(struct naming *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Puts rows in order: sorts them by offset, of several at one offset keeps the
 * last one, drops those that are not below length or whose line is none. */
void naming_sort_rows(struct line_row *rows, size_t *count, uint64_t length);

#endif
