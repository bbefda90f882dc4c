/* SPDX-License-Identifier: MIT */
/*
 * target/symbols.h - from an address of the program to the name of a function.
 *
 * A part of lines.h, which knows the modules and is the one to be asked.
 */
#ifndef JITTRACE_TARGET_SYMBOLS_H
#define JITTRACE_TARGET_SYMBOLS_H

#include <elfutils/libdwfl.h>
#include <stdint.h>
#include <sys/types.h>

struct symbols;

struct symbols *symbols_new(pid_t pid);
void symbols_free(struct symbols *symbols); /* accepts NULL */

/*
 * The name of the place pc in a module of dwfl, as lines_symbol has it. program
 * is the module of the program itself. The text lives as long as symbols; for
 * the same pc it is the same again, and costs a look into a table.
 */
const char *symbols_find(struct symbols *symbols, Dwfl *dwfl,
                         Dwfl_Module *module, Dwfl_Module *program,
                         uint64_t pc);

/* The answer to pc, if it was asked for before; else NULL. */
const char *symbols_known(const struct symbols *symbols, uint64_t pc);

#endif
