/* SPDX-License-Identifier: MIT */
/*
 * libdw finds the modules of a process in /proc/PID/maps and opens their files
 * when first asked about an address in them. Three things it does not do:
 *
 * - A program started from a memfd has no path to open; /proc/PID/exe has it.
 * - clang writes no .debug_aranges, without which dwfl_module_getsrc finds no
 *   unit; dwarf_haspc on each unit does.
 * - Modules that were loaded later are unknown; when an address is in none,
 *   the maps are read again, but not twice for the same address in a row.
 */
#include "target/lines.h"

#include <dwarf.h>
#include <elfutils/libdwelf.h>
#include <elfutils/libdwfl.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "target/files.h"
#include "target/machine.h"
#include "target/proc.h"
#include "target/symbols.h"

/* A place in source as libdw has it. */
struct found {
    const char *path; /* NULL: it is not known */
    const char *directory;
    int line;
};

/* No source has more lines; a recording takes no more. */
#define LINE_NUMBER_MOST 1000000000

/* Control goes to and fro between the same few places, and a program without
 * debug information has each of its units searched for each of them. */
#define ANSWERS 256

struct answer {
    uint64_t pc;
    const Dwfl_Module *module; /* NULL: none is kept here */
    struct found found;
};

struct lines {
    pid_t pid;
    Dwfl *dwfl;
    bool failed;             /* libdw knows nothing of this process */
    bool attached;           /* frames can be asked for */
    bool asked;              /* has_lines holds */
    bool has_lines;          /* the program itself has debug information */
    Dwfl_Module *program;    /* that of the program itself, once asked for */
    uint64_t reported;       /* the address for which maps were read last */
    const struct regs *regs; /* of the thread being unwound */
    struct symbols *symbols;
    struct answer answers[ANSWERS]; /* by address */
    struct files files;
};

struct lines *lines_new(pid_t pid)
{
    struct lines *lines = mem_alloc(sizeof *lines);

    lines->pid = lines->files.pid = pid;
    lines->symbols = symbols_new(pid);
    return lines;
}

void lines_provide(struct lines *lines, const char *name, struct bytes text)
{
    files_provide(&lines->files, name, text);
}

void lines_excerpt(struct lines *lines, struct srcline *place)
{
    files_excerpt(&lines->files, place);
}

void lines_free(struct lines *lines)
{
    if (!lines)
        return;
    if (lines->dwfl)
        dwfl_end(lines->dwfl);
    files_release(&lines->files);
    symbols_free(lines->symbols);
    free(lines);
}

static int find_elf(Dwfl_Module *module, void **data, const char *name,
                    Dwarf_Addr base, char **file_name, Elf **elf)
{
    static const char deleted[] = " (deleted)";
    const size_t len = strlen(name), end = sizeof deleted - 1;
    char path[64], exe[512];
    int pid, fd;

    if (len >= end && strcmp(name + len - end, deleted) == 0) {
        pid = (int)(intptr_t)*data;
        snprintf(path, sizeof path, "/proc/%d/exe", pid);
        if (!proc_exe(pid, exe, sizeof exe) || strcmp(exe, name))
            return -1;
        *file_name = strdup(path);
        return files_open(path);
    }
    if (name[0] != '/') /* the vdso, from memory */
        return dwfl_linux_proc_find_elf(module, data, name, base, file_name,
                                        elf);
    /* What the program has mapped may be another kind of file by now. */
    fd = files_open(name);
    if (fd >= 0)
        *file_name = strdup(name);
    return fd;
}

/*
 * Debug information in files of its own, as Debian's -dbg packages have it, is
 * not looked for: a C library's takes 40 ms to read and tells of source that
 * is not there, and the search may ask a debuginfod server.
 */
static int find_no_debuginfo(Dwfl_Module *module, void **data, const char *name,
                             Dwarf_Addr base, const char *file_name,
                             const char *link, GElf_Word crc, char **out)
{
    (void)module;
    (void)data;
    (void)name;
    (void)base;
    (void)file_name;
    (void)link;
    (void)crc;
    (void)out;
    return -1;
}

static const Dwfl_Callbacks callbacks = {
    .find_elf = find_elf,
    .find_debuginfo = find_no_debuginfo,
};

/* Gives each new module the pid that find_elf needs. */
static int mark_module(Dwfl_Module *module, void **data, const char *name,
                       Dwarf_Addr base, void *argument)
{
    (void)module;
    (void)name;
    (void)base;
    *data = argument;
    return DWARF_CB_OK;
}

static Dwfl_Module *find_module(struct lines *lines, uint64_t pc)
{
    Dwfl_Module *module = NULL;

    if (lines->failed)
        return NULL;
    if (lines->dwfl)
        module = dwfl_addrmodule(lines->dwfl, pc);
    if (module || lines->reported == pc)
        return module;

    lines->reported = pc;
    lines->failed = true;
    if (!lines->dwfl)
        lines->dwfl = dwfl_begin(&callbacks);
    if (!lines->dwfl)
        return NULL;
    dwfl_report_begin_add(lines->dwfl);
    if (dwfl_linux_proc_report(lines->dwfl, lines->pid) != 0 ||
        dwfl_report_end(lines->dwfl, NULL, NULL) != 0 ||
        dwfl_getmodules(lines->dwfl, mark_module, (void *)(intptr_t)lines->pid,
                        0) < 0)
        return NULL;
    lines->failed = false;
    return dwfl_addrmodule(lines->dwfl, pc);
}

static bool find_in_units(Dwfl_Module *module, uint64_t pc, struct found *out)
{
    Dwarf_Die *unit = NULL;
    Dwarf_Addr bias;

    while ((unit = dwfl_module_nextcu(module, unit, &bias)) != NULL) {
        Dwarf_Attribute attribute;
        Dwarf_Line *line;

        if (dwarf_haspc(unit, pc - bias) != 1)
            continue;
        line = dwarf_getsrc_die(unit, pc - bias);
        if (!line || dwarf_lineno(line, &out->line) != 0)
            return false;
        out->path = dwarf_linesrc(line, NULL, NULL);
        out->directory =
            dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &attribute));
        return out->path != NULL;
    }
    return false;
}

/*
 * Whether a module has debug information that stands on its own. libdw opens
 * whatever file a .gnu_debugaltlink section names, and nothing can stop it
 * (dwarf_getalt): what has one is not asked.
 */
static bool has_own_lines(Dwfl_Module *module)
{
    Dwarf_Addr bias;
    Dwarf *dwarf = dwfl_module_getdwarf(module, &bias);
    const char *name;
    const void *id;

    return dwarf && dwelf_dwarf_gnu_debugaltlink(dwarf, &name, &id) <= 0;
}

static bool find_in_module(Dwfl_Module *module, uint64_t pc, struct found *out)
{
    Dwfl_Line *line;

    if (!has_own_lines(module))
        return false;
    line = dwfl_module_getsrc(module, pc);
    if (!line)
        return find_in_units(module, pc, out);
    out->path = dwfl_lineinfo(line, NULL, &out->line, NULL, NULL, NULL);
    out->directory = dwfl_line_comp_dir(line);
    return out->path != NULL;
}

/* The same from what was found before, if it was asked for. */
static const struct found *find_again(struct lines *lines, Dwfl_Module *module,
                                      uint64_t pc)
{
    struct answer *answer = &lines->answers[pc % ANSWERS];

    if (answer->module != module || answer->pc != pc) {
        *answer = (struct answer){.pc = pc, .module = module};
        if (!find_in_module(module, pc, &answer->found))
            answer->found.path = NULL;
    }
    return &answer->found;
}

bool lines_find(struct lines *lines, uint64_t pc, struct srcline *out)
{
    Dwfl_Module *module = find_module(lines, pc);
    const struct found *found;

    *out = (struct srcline){0};
    if (!module)
        return false;
    found = find_again(lines, module, pc);
    if (!found->path || found->line <= 0 || found->line > LINE_NUMBER_MOST)
        return false;
    files_find(&lines->files, found->path, found->directory, found->line, out);
    return true;
}

/* The module of the program itself. */
static Dwfl_Module *program_module(struct lines *lines)
{
    if (!lines->program)
        lines->program = find_module(lines, proc_auxv(lines->pid, AT_ENTRY));
    return lines->program;
}

const char *lines_symbol(struct lines *lines, uint64_t pc)
{
    const char *known = symbols_known(lines->symbols, pc);
    Dwfl_Module *module;

    if (known)
        return known;
    module = find_module(lines, pc);
    if (!module)
        return NULL;
    return symbols_find(lines->symbols, lines->dwfl, module,
                        program_module(lines), pc);
}

/* --- unwinding: libdw asks, the stopped tracee answers ------------------- */

static pid_t next_thread(Dwfl *dwfl, void *argument, void **thread)
{
    struct lines *lines = argument;

    (void)dwfl;
    if (*thread)
        return 0;
    *thread = lines;
    return lines->pid;
}

static bool read_word(Dwfl *dwfl, Dwarf_Addr addr, Dwarf_Word *out,
                      void *argument)
{
    const struct lines *lines = argument;

    (void)dwfl;
    return proc_read(lines->pid, addr, out, sizeof *out) == sizeof *out;
}

static bool initial_registers(Dwfl_Thread *thread, void *argument)
{
    const struct lines *lines = argument;
    Dwarf_Word value[MACHINE_DWARF_REGISTERS];

    for (size_t i = 0; i < MACHINE_DWARF_REGISTERS; i++)
        value[i] = lines->regs->value[machine_dwarf_register[i]];
    return dwfl_thread_state_registers(thread, 0, MACHINE_DWARF_REGISTERS,
                                       value);
}

static const Dwfl_Thread_Callbacks thread_callbacks = {
    .next_thread = next_thread,
    .memory_read = read_word,
    .set_initial_registers = initial_registers,
};

struct caller {
    struct lines *lines;
    struct srcline *out;
    int depth;
};

/* How many callers are asked; a C library's wrapper has one or two. */
#define CALLER_DEPTH 16

static int look_at_frame(Dwfl_Frame *frame, void *argument)
{
    struct caller *caller = argument;
    bool activation;
    Dwarf_Addr pc;

    if (!dwfl_frame_pc(frame, &pc, &activation))
        return DWARF_CB_ABORT;
    /* A return address may already be on the next line. */
    if (lines_find(caller->lines, activation ? pc : pc - 1, caller->out) ||
        ++caller->depth == CALLER_DEPTH)
        return DWARF_CB_ABORT;
    return DWARF_CB_OK;
}

/* Without, no caller will be found: unwinding costs 100 us each time. */
static bool program_has_lines(struct lines *lines)
{
    Dwfl_Module *module;
    Dwarf_Addr bias;

    if (lines->asked)
        return lines->has_lines;
    lines->asked = true;
    module = program_module(lines);
    lines->has_lines = module && has_own_lines(module) &&
                       dwfl_module_nextcu(module, NULL, &bias);
    return lines->has_lines;
}

bool lines_find_caller(struct lines *lines, const struct regs *regs,
                       struct srcline *out)
{
    struct caller caller = {.lines = lines, .out = out};

    if (lines_find(lines, regs->value[REG_PC], out))
        return true;
    if (!lines->dwfl || lines->failed || !program_has_lines(lines))
        return false;
    if (!lines->attached)
        lines->attached = dwfl_attach_state(lines->dwfl, NULL, lines->pid,
                                            &thread_callbacks, lines);
    lines->regs = regs;
    if (lines->attached)
        dwfl_getthread_frames(lines->dwfl, lines->pid, look_at_frame, &caller);
    return out->file != NULL;
}

const char *lines_library(void)
{
    return dwfl_version(NULL);
}
