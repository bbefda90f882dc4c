/* SPDX-License-Identifier: MIT */
/*
 * target/lines_parts.h - the inside of lines.h: lines.c has modules, lines and
 * symbols, callers.c who called whom, callee.c the types of functions.
 */
#ifndef JITTRACE_TARGET_LINES_PARTS_H
#define JITTRACE_TARGET_LINES_PARTS_H

#include <elfutils/libdwfl.h>

#include "target/lines.h"

/* No source has more lines; a recording takes no more. */
#define LINE_NUMBER_MOST 1000000000

/* Control goes to and fro between the same few places, and a program without
 * debug information has each of its units searched for each of them. */
#define ANSWERS 256

/* The place in source of an address, as libdw has it. */
struct answer {
    uint64_t pc;
    const Dwfl_Module *module; /* NULL: none is kept here */
    const char *path;          /* NULL: it is not known */
    const char *directory;
    int line;
};

/* __cxa_demangle of the Itanium C++ ABI, 3.4 */
typedef char *demangle_function(const char *name, char *out, size_t *size,
                                int *status);

struct lines {
    unsigned shared; /* uses of it beside the first one */
    pid_t pid;
    Dwfl *dwfl;
    bool failed;          /* libdw knows nothing of this process */
    Dwfl_Module *program; /* that of the program itself, once asked for */
    uint64_t reported;    /* the address for which maps were read last */
    unsigned misses;      /* return addresses that are in no file */
    struct files files;
    struct answer answers[ANSWERS]; /* by address */
    /* Trees of tsearch(3) with what was found, whose keys come first: */
    void *places;  /* names by pc, and by return address */
    void *slots;   /* names by a function's first byte; "": in no slot */
    void *modules; /* by Dwfl_Module; "" if it makes no choices */
    void *frames;  /* callers.c: by pc, or by return address */
    void *rules;   /* unwind.c: by pc */
    void *callees; /* callee.c: by a function's first byte */
    bool demangle_sought;
    demangle_function *demangle;
};

/* Return addresses are kept beside others in a tree by this bit, which no
 * address of a program has. */
#define LINES_RETURN (UINT64_C(1) << 63)

/* Compares what begins with an uint64_t, for tsearch(3). */
int lines_by_key(const void *a, const void *b);

/* The module that has pc, NULL if none does; that of the program. */
Dwfl_Module *lines_module(struct lines *lines, uint64_t pc);
Dwfl_Module *lines_program(struct lines *lines);

/* Whether it has debug information that stands on its own. */
bool lines_are_own(Dwfl_Module *module);

/* The unit of a module's debug information that has pc, or NULL; *bias is what
 * addresses there lack. */
Dwarf_Die *lines_unit(Dwfl_Module *module, uint64_t pc, Dwarf_Addr *bias);

/* As lines_symbol, of a call that returns to addr: the offset is that of what
 * is behind the call, the function the one that has made it. */
const char *lines_return_symbol(struct lines *lines, uint64_t addr);

/* The name of a file without its directories; "?" for none. */
const char *lines_module_name(Dwfl_Module *module);

#endif
