/* SPDX-License-Identifier: MIT */
/*
 * observe/space.h - an address space: what may hold code in it, what is known
 * of the program there, and what an instruction of it is about to access.
 */
#ifndef JITTRACE_OBSERVE_SPACE_H
#define JITTRACE_OBSERVE_SPACE_H

#include "cpu/insn.h"
#include "target/breakpoint.h"
#include "target/gdbjit.h"
#include "target/inject.h"
#include "target/jitdump.h"
#include "target/lines.h"
#include "target/perfmap.h"
#include "target/tracee.h"
#include "trace/labels.h"
#include "trace/pages.h"
#include "trace/regions.h"

/* A file or shared memory that is mapped: see candidates.h. */
struct object {
    uint64_t device;
    uint64_t inode;
    enum { OBJECT_UNKNOWN, OBJECT_ELF, OBJECT_OTHER } kind;
    bool executed; /* there is, or was, an executable mapping of it */
    bool told;     /* that it is a library */
};

/* Of jitdumps, and of lists for debuggers, only so many are read. */
#define MOST_LISTS 4u

/* What the program calls its code; all zero: nobody looks. See names.h. */
struct names {
    bool watched;
    bool limited; /* there are too many: the rest is not read */
    bool sought;  /* lists for debuggers were, where they may be */
    size_t count; /* of what was taken */
    size_t bytes; /* that it has */
    size_t flaws; /* that were found */
    struct perfmap map;
    struct jitdump dumps[MOST_LISTS];
    size_t dump_count;
    struct gdbjit lists[MOST_LISTS];
    struct labels unsaid; /* those that no event has told */
    struct labels said;   /* the others */
};

/* SIGSEGV, SIGBUS and SIGTRAP. */
enum { ACTION_TRAP = 2, ACTIONS };

struct space {
    pid_t pid;           /* the process whose memory it is */
    struct lines *lines; /* of its program; a fork's are its parent's */
    unsigned users;      /* threads that live in it */
    bool watched;        /* else its program runs on its own */
    bool started;        /* the entry point was reached */
    bool copied;         /* a child has it since a fork, and is not watched */
    bool stores_off;     /* stores are not watched: see guard.h */
    bool frozen;         /* nothing new is guarded: see guard.h */
    int uffd;            /* write-protects its pages, or -1 */
    struct entry entry;  /* where its program begins */
    uint64_t changes;    /* counts what may have changed code */
    uint64_t calls;      /* counts calls that changed mappings, from 1 */
    uint64_t turns;      /* counts changes of guards and mappings */
    bool own_uffd;       /* the program has a userfaultfd: see guard.h */
    bool counted;        /* watches_stores holds; else it is found anew */
    bool watches_stores; /* some write permission is held back */
    enum { GIVEN_UNTRIED, GIVEN_AGAIN, GIVEN_ONCE } given[8]; /* see guard.c */
    bool implies_exec;      /* READ_IMPLIES_EXEC, see personality(2) */
    uint64_t private_code;  /* an address that was looked up, and: */
    uint64_t private_at;    /* calls then; see run_on.c */
    uint64_t codes;         /* mappings that were numbered: see asked.c */
    bool left_open;         /* a thread ended inside: guard_close_all is due */
    bool has_ring;          /* io_uring was told of */
    bool follows_brk;       /* there may be code in the heap */
    uint64_t brk;           /* the end of its heap, then */
    struct object *objects; /* those that were looked at */
    size_t object_count;
    size_t object_capacity;
    /* What that process has set for these signals: see signals.h. */
    pid_t actions_of; /* 0: it is not known of any */
    struct signal_action actions[ACTIONS];
    struct regions regions; /* what may hold code */
    struct pages pages;     /* the bytes that were seen being written there */
    struct names names;
};

/* Goes through the regions of a space; the list may not change meanwhile. */
#define for_each_region(one, space)                  \
    for (struct region *one = (space)->regions.list; \
         one < (space)->regions.list + (space)->regions.count; one++)

/* Cuts [*from, *to) to what of it lies in the region. False: nothing does. */
bool region_clip(const struct region *region, uint64_t *from, uint64_t *to);

/* Up to the end of its page. */
uint64_t page_end(uint64_t addr);

/* A space of that process that nobody lives in yet, with lines (shared: one use
 * of them is taken) or, for NULL, new ones. The last user that leaves frees it.
 * And one that is watched as another is, and has a copy of its memory. */
struct space *space_new(pid_t pid, struct lines *lines, bool watched);
struct space *space_copy(pid_t pid, const struct space *from);
void space_leave(struct space *space);

/* Of one access at most this many bytes are recorded (a cache line). */
#define ACCESS_BYTES 64
#define MAX_ACCESSES 4

struct access {
    struct insn_access what;
    uint8_t old_bytes[ACCESS_BYTES]; /* that were there before */
    uint32_t known;                  /* bytes of it that could be read */
};

struct accesses {
    struct access list[MAX_ACCESSES];
    size_t count;
};

/* Decodes what the program has at pc; length 0 if that is no instruction. */
void access_decode(pid_t tid, uint64_t pc, struct insn *out);

/* Notes what insn will access and what is there before. */
void access_prepare(struct accesses *accesses, pid_t tid,
                    const struct insn *insn, const struct regs *regs);

#endif
