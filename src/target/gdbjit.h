/* SPDX-License-Identifier: MIT */
/*
 * target/gdbjit.h - the code that a program has made, as it tells debuggers
 * (GDB's manual, "JIT Compilation Interface").
 *
 * The program has a list of object files in its memory, one for each piece of
 * code, with symbols and line tables:
 *
 *     __jit_debug_descriptor   u32 version, action_flag; u64 relevant_entry,
 *                              first_entry
 *     entry                    u64 next_entry, prev_entry, symfile_addr,
 *                              symfile_size
 *
 * It calls __jit_debug_register_code when that has changed; debuggers have a
 * breakpoint there. For us nobody stops: the list is looked at when generated
 * code is entered, and compared with what it was. What was registered and
 * unregistered between two looks is never seen; nor has it been executed.
 */
#ifndef JITTRACE_TARGET_GDBJIT_H
#define JITTRACE_TARGET_GDBJIT_H

#include <sys/types.h>

#include "base/buf.h"
#include "target/naming.h"

/* So much of one object, and of all, is read; and so many entries. */
#define GDBJIT_OBJECT  (16u << 20)
#define GDBJIT_BYTES   (64u << 20)
#define GDBJIT_ENTRIES 4096u

struct gdbjit_object {
    uint64_t entry;
    uint64_t addr; /* of its object file, and how long that is */
    uint64_t size;
    uint64_t hash; /* of what it was */
    unsigned owner;
    bool listed;
};

/* All zero is a valid one, of a program that has no such list. */
struct gdbjit {
    uint64_t descriptor; /* its address, or 0 */
    struct gdbjit_object *objects;
    size_t object_count;
    size_t object_capacity;
    unsigned owners;  /* the greatest number that was given */
    uint64_t bytes;   /* of objects that were read */
    uint64_t head[3]; /* what the descriptor held at the last look */
    bool full;        /* GDBJIT_BYTES or GDBJIT_ENTRIES: not all is read */
    bool unknown;     /* its version is none that is known */
    struct gdbjit_said *said; /* what there is to say, from `next` on */
    size_t said_count;
    size_t said_capacity;
    uint64_t said_bytes; /* that they point to */
    size_t next;
};

void gdbjit_release(struct gdbjit *gdbjit);

/* Looks at the list of a process, which may have ended: then nothing is new. */
void gdbjit_look(struct gdbjit *gdbjit, pid_t pid);

/* Takes the next thing that the last look has found. */
bool gdbjit_next(struct gdbjit *gdbjit, struct naming *out);

/* Takes what an object file says, of that owner, as a look does. */
void gdbjit_take_object(struct gdbjit *gdbjit, struct bytes file,
                        unsigned owner);

#endif
