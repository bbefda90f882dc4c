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
 *
 * The symbol tables of a module name most functions: .symtab, or .dynsym where
 * the other was stripped. Two things they do not tell:
 *
 * - What a C library calls memcpy is a choice: at start it picks one of several
 *   functions (IFUNC), and the one it picks has no name in .dynsym. But who
 *   calls it finds it by name, through a slot that holds its address. So where
 *   no symbol covers a place in a module that makes such choices, its
 *   function's first byte (.eh_frame has it) is looked for in the slots of all
 *   modules: the psABI's JUMP_SLOT and GLOB_DAT. That takes
 *   10 ms where there are many modules, so it is done once for each function.
 * - C++ writes types into its names. libstdc++ can read them; a program with
 *   such names nearly always comes with it, so it is loaded when first needed.
 */
#include "target/lines.h"

#include <dlfcn.h>
#include <dwarf.h>
#include <elfutils/libdwelf.h>
#include <elfutils/libdwfl.h>
#include <gelf.h>
#include <inttypes.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "target/machine.h"
#include "target/proc.h"

#define UNUSED __attribute__((unused))

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
    pid_t pid;
    Dwfl *dwfl;
    bool failed;             /* libdw knows nothing of this process */
    bool attached;           /* frames can be asked for */
    Dwfl_Module *program;    /* that of the program itself, once asked for */
    uint64_t reported;       /* the address for which maps were read last */
    const struct regs *regs; /* of the thread being unwound */
    struct files files;
    struct answer answers[ANSWERS]; /* by address */
    /* Trees of tsearch(3) with names that were found: */
    void *places;  /* by pc */
    void *slots;   /* by a function's first byte; "": in no slot */
    void *modules; /* by Dwfl_Module; "" if it makes no choices */
    bool demangle_sought;
    demangle_function *demangle;
};

struct lines *lines_new(pid_t pid)
{
    struct lines *lines = mem_alloc(sizeof *lines);

    lines->pid = lines->files.pid = pid;
    return lines;
}

void lines_free(struct lines *lines)
{
    if (!lines)
        return;
    if (lines->dwfl)
        dwfl_end(lines->dwfl);
    files_release(&lines->files);
    tdestroy(lines->places, free);
    tdestroy(lines->slots, free);
    tdestroy(lines->modules, free);
    free(lines);
}

struct files *lines_files(struct lines *lines)
{
    return &lines->files;
}

/* --- modules -------------------------------------------------------------- */

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
static int find_no_debuginfo(Dwfl_Module *module UNUSED, void **data UNUSED,
                             const char *name UNUSED, Dwarf_Addr base UNUSED,
                             const char *file_name UNUSED,
                             const char *link UNUSED, GElf_Word crc UNUSED,
                             char **out UNUSED)
{
    return -1;
}

/* Gives each new module the pid that find_elf needs. */
static int mark_module(Dwfl_Module *module UNUSED, void **data,
                       const char *name UNUSED, Dwarf_Addr base UNUSED,
                       void *argument)
{
    *data = argument;
    return DWARF_CB_OK;
}

static Dwfl_Module *find_module(struct lines *lines, uint64_t pc)
{
    static const Dwfl_Callbacks callbacks = {
        .find_elf = find_elf,
        .find_debuginfo = find_no_debuginfo,
    };
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

static Dwfl_Module *program_module(struct lines *lines)
{
    if (!lines->program)
        lines->program = find_module(lines, proc_auxv(lines->pid, AT_ENTRY));
    return lines->program;
}

/* --- lines ---------------------------------------------------------------- */

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

bool lines_find(struct lines *lines, uint64_t pc, struct srcline *out)
{
    Dwfl_Module *module = find_module(lines, pc);
    struct answer *answer = &lines->answers[pc % ANSWERS];
    Dwarf_Attribute attribute;
    Dwarf_Die *unit = NULL;
    Dwarf_Line *found;
    Dwarf_Addr bias;
    Dwfl_Line *line;

    *out = (struct srcline){0};
    if (!module)
        return false;
    if (answer->module != module || answer->pc != pc) {
        *answer = (struct answer){.pc = pc, .module = module};
        if (!has_own_lines(module))
            return false;
        line = dwfl_module_getsrc(module, pc);
        if (line) {
            answer->path =
                dwfl_lineinfo(line, NULL, &answer->line, NULL, NULL, NULL);
            answer->directory = dwfl_line_comp_dir(line);
        } else {
            do
                unit = dwfl_module_nextcu(module, unit, &bias);
            while (unit && dwarf_haspc(unit, pc - bias) != 1);
            found = unit ? dwarf_getsrc_die(unit, pc - bias) : NULL;
            if (!found || dwarf_lineno(found, &answer->line) != 0)
                return false;
            answer->path = dwarf_linesrc(found, NULL, NULL);
            answer->directory =
                dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &attribute));
        }
    }
    if (!answer->path || answer->line <= 0 || answer->line > LINE_NUMBER_MOST)
        return false;
    files_find(&lines->files, answer->path, answer->directory, answer->line,
               out);
    return true;
}

/* --- unwinding: libdw asks, the stopped tracee answers -------------------- */

static pid_t next_thread(Dwfl *dwfl UNUSED, void *argument, void **thread)
{
    struct lines *lines = argument;

    if (*thread)
        return 0;
    *thread = lines;
    return lines->pid;
}

static bool read_word(Dwfl *dwfl UNUSED, Dwarf_Addr addr, Dwarf_Word *out,
                      void *argument)
{
    const struct lines *lines = argument;

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

struct caller_search {
    struct lines *lines;
    struct srcline *out;
    int depth;
};

/* How many callers are asked; a C library's wrapper has one or two. */
#define CALLER_DEPTH 16

static int look_at_frame(Dwfl_Frame *frame, void *argument)
{
    struct caller_search *caller = argument;
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

bool lines_find_caller(struct lines *lines, const struct regs *regs,
                       struct srcline *out)
{
    static const Dwfl_Thread_Callbacks callbacks = {
        .next_thread = next_thread,
        .memory_read = read_word,
        .set_initial_registers = initial_registers,
    };
    struct caller_search caller = {.lines = lines, .out = out};
    Dwfl_Module *program;
    Dwarf_Addr bias;

    if (lines_find(lines, regs->value[REG_PC], out))
        return true;
    if (!lines->dwfl || lines->failed)
        return false;
    /* Unwinding costs 100 us each time; no caller is found if the program has
     * no lines. */
    program = program_module(lines);
    if (!program || !has_own_lines(program) ||
        !dwfl_module_nextcu(program, NULL, &bias))
        return false;
    if (!lines->attached)
        lines->attached =
            dwfl_attach_state(lines->dwfl, NULL, lines->pid, &callbacks, lines);
    lines->regs = regs;
    if (lines->attached)
        dwfl_getthread_frames(lines->dwfl, lines->pid, look_at_frame, &caller);
    return out->file != NULL;
}

/* --- symbols -------------------------------------------------------------- */

struct name {
    uint64_t key;
    char text[];
};

static int by_key(const void *a, const void *b)
{
    const uint64_t *one = a, *other = b; /* where a struct name begins */

    return (*one > *other) - (*one < *other);
}

/* The name that is kept in a tree, or NULL. */
static const char *look_up(void *const *tree, uint64_t key)
{
    struct name *const *found = tfind(&key, tree, by_key);

    return found ? (*found)->text : NULL;
}

static const char *keep(void **tree, uint64_t key, const char *text)
{
    struct name *name = mem_alloc(sizeof *name + strlen(text) + 1);

    name->key = key;
    strcpy(name->text, text);
    tsearch(name, tree, by_key);
    return name->text;
}

/* A function of which only the first byte is known. */
struct nameless {
    pid_t pid;
    uint64_t start;
    struct buf *name;
};

/* Looks for it in the slots that a module's relocations name. */
static int look_at_module(Dwfl_Module *module, void **data UNUSED,
                          const char *name UNUSED, Dwarf_Addr base UNUSED,
                          void *argument)
{
    const struct nameless *nameless = argument;
    GElf_Addr bias;
    Elf *elf = dwfl_module_getelf(module, &bias);
    Elf_Scn *section = NULL, *table;
    Elf_Data *slots, *symbols;
    GElf_Shdr header, table_header;
    GElf_Rela slot;
    GElf_Sym symbol;
    uint64_t target;

    while (elf && (section = elf_nextscn(elf, section)) != NULL) {
        if (!gelf_getshdr(section, &header) || header.sh_type != SHT_RELA)
            continue;
        table = elf_getscn(elf, header.sh_link);
        slots = elf_getdata(section, NULL);
        symbols = table ? elf_getdata(table, NULL) : NULL;
        if (!slots || !symbols || !gelf_getshdr(table, &table_header))
            continue;
        for (int i = 0; gelf_getrela(slots, i, &slot); i++) {
            const char *called;

            if ((GELF_R_TYPE(slot.r_info) != MACHINE_JUMP_SLOT &&
                 GELF_R_TYPE(slot.r_info) != MACHINE_GLOBAL_SLOT) ||
                proc_read(nameless->pid, slot.r_offset + bias, &target,
                          sizeof target) != sizeof target ||
                target != nameless->start ||
                !gelf_getsym(symbols, (int)GELF_R_SYM(slot.r_info), &symbol))
                continue;
            called = elf_strptr(elf, table_header.sh_link, symbol.st_name);
            if (!called || !*called)
                continue;
            buf_append_text(nameless->name, called);
            return DWARF_CB_ABORT;
        }
    }
    return DWARF_CB_OK;
}

/* Appends the name by which others call the function around pc, if its module
 * is one of which some functions are picked when it is loaded. */
static void find_by_slot(struct lines *lines, Dwfl_Module *module, uint64_t pc,
                         struct buf *name, uint64_t *offset)
{
    const uint64_t key = (uint64_t)(uintptr_t)module;
    const char *picks = look_up(&lines->modules, key), *known;
    int count = picks ? 0 : dwfl_module_getsymtab(module);
    struct nameless nameless = {.pid = lines->pid, .name = name};
    Dwarf_Addr bias, first, end;
    Dwarf_Frame *frame;
    Dwarf_CFI *cfi;
    GElf_Sym symbol;
    bool found = false;

    for (int i = 0; i < count && !found; i++)
        found = dwfl_module_getsym(module, i, &symbol, NULL) &&
                GELF_ST_TYPE(symbol.st_info) == STT_GNU_IFUNC;
    if (!picks)
        picks = keep(&lines->modules, key, found ? "yes" : "");
    /* The unwinder knows its first byte. */
    if (!*picks || !(cfi = dwfl_module_eh_cfi(module, &bias)) ||
        dwarf_cfi_addrframe(cfi, pc - bias, &frame) != 0)
        return;
    found = dwarf_frame_info(frame, &first, &end, NULL) >= 0;
    free(frame);
    if (!found)
        return;
    nameless.start = first + bias;
    *offset = pc - nameless.start;
    known = look_up(&lines->slots, nameless.start);
    if (known) {
        buf_append_text(name, known);
        return;
    }
    dwfl_getmodules(lines->dwfl, look_at_module, &nameless, 0);
    keep(&lines->slots, nameless.start, buf_text(name));
}

const char *lines_symbol(struct lines *lines, uint64_t pc)
{
    const char *known = look_up(&lines->places, pc), *found, *file;
    struct buf text = {0}, name = {0};
    char *readable = NULL;
    Dwfl_Module *module;
    GElf_Addr bias = 0;
    uint64_t offset;
    GElf_Sym symbol;

    if (known)
        return known;
    module = find_module(lines, pc);
    if (!module)
        return NULL;
    file = dwfl_module_info(module, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
    file = file ? basename(file) : "?";
    found =
        dwfl_module_addrinfo(module, pc, &offset, &symbol, NULL, NULL, NULL);
    if (found && strncmp(found, "_Z", 2) == 0) { /* a name of C++ */
        void *library =
            lines->demangle_sought ? NULL : dlopen("libstdc++.so.6", RTLD_LAZY);

        lines->demangle_sought = true;
        if (library)
            *(void **)&lines->demangle = dlsym(library, "__cxa_demangle");
        if (lines->demangle)
            readable = lines->demangle(found, NULL, NULL, NULL);
    }
    if (found)
        buf_append_text(&name, readable ? readable : found);
    else
        find_by_slot(lines, module, pc, &name, &offset);
    if (name.len == 0) {
        dwfl_module_getelf(module, &bias); /* where in its file it is */
        buf_printf(&text, "%s+0x%" PRIx64, file, pc - bias);
    } else {
        if (module != program_module(lines))
            buf_printf(&text, "%s:", file);
        buf_printf(&text, "%s+0x%" PRIx64, buf_text(&name), offset);
    }
    known = keep(&lines->places, pc, buf_text(&text));
    free(readable);
    buf_release(&text);
    buf_release(&name);
    return known;
}

const char *lines_library(void)
{
    return dwfl_version(NULL);
}
