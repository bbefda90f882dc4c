/* SPDX-License-Identifier: MIT */
/*
 * Who called whom: the functions on a stack (unwind.h), and those that the
 * compiler has put into them.
 *
 *     store in emit(), inlined into mul()   jit.c:13   emit
 *                                           jit.c:88   mul+0x1f     via[0]
 *     mul() was called by gen()             jit.c:120  gen+0x52     via[1]
 *
 * A function that was inlined is a part of the other one in machine code. Debug
 * information says which instructions are of it, and from where it was called
 * (DW_TAG_inlined_subroutine, DWARF 5, 3.3.8).
 */
#include "target/lines_parts.h"

#include <dwarf.h>
#include <search.h>

#include "base/mem.h"
#include "cpu/calling.h"
#include "target/proc.h"
#include "target/unwind.h"

/* --- one address ---------------------------------------------------------- */

/* The functions that an address is in, the innermost first; all but the last
 * one are inlined into the next. */
struct frames {
    uint64_t key;
    struct caller list[1 + MAX_CALLERS];
    size_t count;
};

/* Fills in from where an inlined function was called. */
static void find_call(struct lines *lines, Dwarf_Die *unit, Dwarf_Die *die,
                      struct srcline *out)
{
    Dwarf_Word file = 0, line = 0;
    Dwarf_Attribute attribute;
    Dwarf_Files *files;
    const char *path, *directory;
    size_t count;

    dwarf_formudata(dwarf_attr(die, DW_AT_call_file, &attribute), &file);
    dwarf_formudata(dwarf_attr(die, DW_AT_call_line, &attribute), &line);
    if (line == 0 || line > LINE_NUMBER_MOST ||
        dwarf_getsrcfiles(unit, &files, &count) != 0 || file >= count)
        return;
    path = dwarf_filesrc(files, file, NULL, NULL);
    directory = dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &attribute));
    if (path)
        files_find(&lines->files, path, directory, (int)line, out);
}

/* The scopes around pc, as machine code has them: first the one that pc is in,
 * then those around that, wherever they were written. */
static int find_scopes(Dwarf_Die *unit, Dwarf_Addr pc, Dwarf_Die **out)
{
    Dwarf_Die *scopes = NULL;
    int count = dwarf_getscopes(unit, pc, &scopes);

    *out = NULL;
    if (count > 0)
        count = dwarf_getscopes_die(&scopes[0], out);
    free(scopes);
    return count;
}

/* Fills all but the symbol of the last one. */
static void find_inlined(struct lines *lines, uint64_t pc,
                         struct frames *frames)
{
    Dwfl_Module *module = lines_module(lines, pc);
    struct caller *list = frames->list;
    Dwarf_Die *unit = NULL, *scopes;
    Dwarf_Addr bias = 0;
    int count = 0;

    frames->count = 1;
    if (!lines_find(lines, pc, &list[0].source))
        return;
    unit = lines_unit(module, pc, &bias);
    if (unit)
        count = find_scopes(unit, pc - bias, &scopes);
    for (int i = 0; i < count; i++) {
        const char *name = dwarf_diename(&scopes[i]);

        if (dwarf_tag(&scopes[i]) != DW_TAG_inlined_subroutine ||
            frames->count == sizeof frames->list / sizeof *frames->list)
            continue;
        list[frames->count - 1].symbol = name ? name : "?";
        find_call(lines, unit, &scopes[i], &list[frames->count++].source);
    }
    if (count > 0)
        free(scopes);
}

/* Those of an instruction, or of the call that returns to addr; none at all if
 * there is no call. */
static const struct frames *frames_at(struct lines *lines, pid_t tid,
                                      uint64_t addr, bool is_return)
{
    uint64_t key = is_return ? addr | LINES_RETURN : addr;
    struct frames *const *known = tfind(&key, &lines->frames, lines_by_key);
    struct frames *frames;

    if (known)
        return *known;
    frames = mem_alloc(sizeof *frames);
    frames->key = key;
    if (!is_return || calling_precedes(tid, proc_read, addr)) {
        find_inlined(lines, is_return ? addr - 1 : addr, frames);
        frames->list[frames->count - 1].symbol =
            is_return ? lines_return_symbol(lines, addr)
                      : lines_symbol(lines, addr);
    }
    tsearch(frames, &lines->frames, lines_by_key);
    return frames;
}

/* --- the stack ------------------------------------------------------------ */

/* On a stack that is broken any number may stand for an address: the maps are
 * not read again for many that are in no file. */
#define MOST_MISSES 16

static Dwfl_Module *module_of_caller(struct lines *lines, uint64_t pc)
{
    Dwfl_Module *module;

    if (lines->misses >= MOST_MISSES)
        return lines->failed ? NULL : dwfl_addrmodule(lines->dwfl, pc);
    module = lines_module(lines, pc);
    lines->misses += !module;
    return module;
}

/* Frames of code without lines, as the C library's, that are looked at. */
#define CALLER_DEPTH 16

bool lines_find_caller(struct lines *lines, pid_t tid, const struct regs *regs,
                       struct srcline *out)
{
    Dwfl_Module *module, *program;
    struct unwind unwind;
    Dwarf_Addr bias;
    uint64_t addr;

    if (lines_find(lines, regs->value[REG_PC], out))
        return true;
    /* No caller is found if the program has no lines. */
    program = lines_program(lines);
    if (!program || !lines_are_own(program) ||
        !dwfl_module_nextcu(program, NULL, &bias))
        return false;
    unwind_begin(&unwind, tid, regs);
    for (int i = 0; i < CALLER_DEPTH; i++) {
        module = module_of_caller(lines, unwind.pc);
        addr = module ? unwind_step(&unwind, &lines->rules, module) : 0;
        if (addr == 0)
            return false;
        if (lines_find(lines, addr - 1, out))
            return true;
    }
    return false;
}

/* What calls main is the same for every program. */
static bool is_main(const struct frames *frames)
{
    const char *symbol = frames->list[frames->count - 1].symbol;

    return symbol && strncmp(symbol, "main+0x", strlen("main+0x")) == 0;
}

static void append(struct line_callers *out, const struct frames *frames,
                   size_t first)
{
    for (size_t i = first; i < frames->count && out->count < MAX_CALLERS; i++)
        out->list[out->count++] = frames->list[i];
}

void lines_find_callers(struct lines *lines, pid_t tid, const struct regs *regs,
                        const struct regions *regions, struct line_callers *out)
{
    uint64_t addr = regs->value[REG_PC];
    Dwfl_Module *module =
        regions_at(regions, addr) ? NULL : lines_module(lines, addr);
    const struct frames *frames;
    struct unwind unwind;

    *out = (struct line_callers){0};
    if (!module)
        return;
    frames = frames_at(lines, tid, addr, false);
    if (frames->count > 1)
        out->inlined = frames->list[0].symbol;
    append(out, frames, 1);
    unwind_begin(&unwind, tid, regs);
    while (out->count < MAX_CALLERS && !is_main(frames)) {
        addr = unwind_step(&unwind, &lines->rules, module);
        if (regions_at(regions, addr - 1))
            out->beyond = addr;
        if (addr == 0 || out->beyond)
            return;
        module = module_of_caller(lines, unwind.pc);
        if (!module)
            return;
        frames = frames_at(lines, tid, addr, true);
        if (frames->count == 0)
            return;
        append(out, frames, 0);
    }
}
