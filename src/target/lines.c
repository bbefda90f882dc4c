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
#include "cpu/insn.h"
#include "target/lines_parts.h"
#include "target/machine.h"
#include "target/proc.h"

#define UNUSED __attribute__((unused))

struct lines *lines_new(pid_t pid)
{
    struct lines *lines = mem_alloc(sizeof *lines);

    lines->pid = lines->files.pid = pid;
    return lines;
}

struct lines *lines_share(struct lines *lines)
{
    lines->shared++;
    return lines;
}

void lines_free(struct lines *lines)
{
    if (!lines || lines->shared-- > 0)
        return;
    if (lines->dwfl)
        dwfl_end(lines->dwfl);
    files_release(&lines->files);
    tdestroy(lines->places, free);
    tdestroy(lines->slots, free);
    tdestroy(lines->modules, free);
    tdestroy(lines->frames, free);
    tdestroy(lines->rules, free);
    tdestroy(lines->callees, free);
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

/* Debug information in files of its own, as Debian's -dbg packages have it, is
 * not looked for: a C library's takes 40 ms to read and tells of source that is
 * not there, and the search may ask a debuginfod server. */
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

Dwfl_Module *lines_module(struct lines *lines, uint64_t pc)
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

Dwfl_Module *lines_program(struct lines *lines)
{
    if (!lines->program)
        lines->program = lines_module(lines, proc_auxv(lines->pid, AT_ENTRY));
    return lines->program;
}

/* --- lines ---------------------------------------------------------------- */

/* libdw opens whatever file a .gnu_debugaltlink section names, and nothing can
 * stop it (dwarf_getalt): what has one is not asked. */
bool lines_are_own(Dwfl_Module *module)
{
    Dwarf_Addr bias;
    Dwarf *dwarf = dwfl_module_getdwarf(module, &bias);
    const char *name;
    const void *id;

    return dwarf && dwelf_dwarf_gnu_debugaltlink(dwarf, &name, &id) <= 0;
}

Dwarf_Die *lines_unit(Dwfl_Module *module, uint64_t pc, Dwarf_Addr *bias)
{
    Dwarf_Die *unit = dwfl_module_addrdie(module, pc, bias);

    if (unit)
        return unit;
    do
        unit = dwfl_module_nextcu(module, unit, bias);
    while (unit && dwarf_haspc(unit, pc - *bias) != 1);
    return unit;
}

bool lines_find(struct lines *lines, uint64_t pc, struct srcline *out)
{
    Dwfl_Module *module = lines_module(lines, pc);
    struct answer *answer = &lines->answers[pc % ANSWERS];
    Dwarf_Attribute attribute;
    Dwarf_Die *unit;
    Dwarf_Line *found;
    Dwarf_Addr bias;
    Dwfl_Line *line;

    *out = (struct srcline){0};
    if (!module)
        return false;
    if (answer->module != module || answer->pc != pc) {
        *answer = (struct answer){.pc = pc, .module = module};
        if (!lines_are_own(module))
            return false;
        line = dwfl_module_getsrc(module, pc);
        if (line) {
            answer->path =
                dwfl_lineinfo(line, NULL, &answer->line, NULL, NULL, NULL);
            answer->directory = dwfl_line_comp_dir(line);
        } else {
            unit = lines_unit(module, pc, &bias);
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

/* --- symbols -------------------------------------------------------------- */

struct name {
    uint64_t key;
    char text[];
};

int lines_by_key(const void *a, const void *b)
{
    const uint64_t *one = a, *other = b; /* where a struct name begins */

    return (*one > *other) - (*one < *other);
}

/* The name that is kept in a tree, or NULL. */
static const char *look_up(void *const *tree, uint64_t key)
{
    struct name *const *found = tfind(&key, tree, lines_by_key);

    return found ? (*found)->text : NULL;
}

static const char *keep(void **tree, uint64_t key, const char *text)
{
    struct name *name = mem_alloc(sizeof *name + strlen(text) + 1);

    name->key = key;
    strcpy(name->text, text);
    tsearch(name, tree, lines_by_key);
    return name->text;
}

/* A function of which only the first byte is known, or the slot that its
 * address is read from. */
struct nameless {
    pid_t pid;
    uint64_t start;
    uint64_t slot; /* 0: any */
    struct buf *name;
};

static bool is_slot_of(const struct nameless *nameless, uint64_t slot)
{
    uint64_t target;

    if (nameless->slot)
        return slot == nameless->slot;
    return proc_read(nameless->pid, slot, &target, sizeof target) ==
               sizeof target &&
           target == nameless->start;
}

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
                !is_slot_of(nameless, slot.r_offset + bias) ||
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

/* Appends "printf@plt" if pc is the first byte of a stub by which a module calls
 * a function of another one (psABI 5.2, "Procedure Linkage Table"): a jump
 * through a slot, behind an endbr64 perhaps. */
static void find_by_stub(struct lines *lines, Dwfl_Module *module, uint64_t pc,
                         struct buf *name, uint64_t *offset)
{
    struct nameless nameless = {.pid = lines->pid, .name = name};
    const struct insn_operand *target;
    uint8_t code[2 * INSN_MAX_LENGTH];
    size_t length = proc_read(lines->pid, pc, code, sizeof code), at = 0;
    struct insn insn;

    for (int i = 0; i < 2 && nameless.slot == 0; i++, at += insn.length) {
        if (insn_decode(code + at, length - at, pc + at, &insn) <= 0)
            return;
        target = &insn.operands[0];
        if (insn.kind == INSN_JUMP && target->kind == OPERAND_MEMORY &&
            target->base == REG_PC)
            nameless.slot =
                pc + at + insn.length + (uint64_t)target->displacement;
        else if (insn.kind != INSN_PLAIN)
            return;
    }
    if (!nameless.slot ||
        look_at_module(module, NULL, NULL, 0, &nameless) != DWARF_CB_ABORT)
        return;
    buf_append_text(name, "@plt");
    *offset = 0;
}

const char *lines_module_name(Dwfl_Module *module)
{
    const char *file =
        dwfl_module_info(module, NULL, NULL, NULL, NULL, NULL, NULL, NULL);

    return file ? basename(file) : "?";
}

/* Appends a name of C++ as the source has it. */
static void append_readable(struct lines *lines, const char *name,
                            struct buf *out)
{
    char *readable = NULL;

    if (!lines->demangle_sought) {
        void *library = dlopen("libstdc++.so.6", RTLD_LAZY);

        lines->demangle_sought = true;
        if (library)
            *(void **)&lines->demangle = dlsym(library, "__cxa_demangle");
    }
    if (lines->demangle)
        readable = lines->demangle(name, NULL, NULL, NULL);
    buf_append_text(out, readable ? readable : name);
    free(readable);
}

/* Of several names that begin where a symbol does the one that programs use: it
 * has no underscore in front (printf, for _IO_printf). */
static const char *find_alias(Dwfl_Module *module, const char *name,
                              GElf_Addr start)
{
    int count = *name == '_' ? dwfl_module_getsymtab(module) : 0;
    GElf_Sym symbol;
    GElf_Addr addr;

    for (int i = 1; i < count; i++) {
        const char *other = dwfl_module_getsym_info(module, i, &symbol, &addr,
                                                    NULL, NULL, NULL);

        if (other && *other && *other != '_' && addr == start &&
            symbol.st_shndx != SHN_UNDEF &&
            GELF_ST_TYPE(symbol.st_info) == STT_FUNC)
            return other;
    }
    return name;
}

/* Names the place of pc, with the offset of what is `behind` bytes further. */
static const char *name_place(struct lines *lines, uint64_t pc, uint64_t behind)
{
    uint64_t key = behind ? pc | LINES_RETURN : pc, offset;
    const char *known = look_up(&lines->places, key), *found;
    struct buf text = {0}, name = {0};
    Dwfl_Module *module;
    GElf_Addr bias = 0;
    GElf_Sym symbol;

    if (known)
        return known;
    module = lines_module(lines, pc);
    if (!module)
        return NULL;
    found =
        dwfl_module_addrinfo(module, pc, &offset, &symbol, NULL, NULL, NULL);
    if (found && strncmp(found, "_Z", 2) == 0)
        append_readable(lines, found, &name);
    else if (found)
        buf_append_text(&name, find_alias(module, found, pc - offset));
    else if (!behind)
        find_by_stub(lines, module, pc, &name, &offset);
    if (name.len == 0)
        find_by_slot(lines, module, pc, &name, &offset);
    if (name.len == 0) {
        dwfl_module_getelf(module, &bias); /* where in its file it is */
        buf_printf(&text, "%s+0x%" PRIx64, lines_module_name(module),
                   pc - bias + behind);
    } else {
        if (module != lines_program(lines))
            buf_printf(&text, "%s:", lines_module_name(module));
        buf_printf(&text, "%s+0x%" PRIx64, buf_text(&name), offset + behind);
    }
    known = keep(&lines->places, key, buf_text(&text));
    buf_release(&text);
    buf_release(&name);
    return known;
}

const char *lines_symbol(struct lines *lines, uint64_t pc)
{
    return name_place(lines, pc, 0);
}

const char *lines_return_symbol(struct lines *lines, uint64_t addr)
{
    return name_place(lines, addr - 1, 1);
}

struct variable {
    const char *name;
    uint64_t *out;
    size_t most;
    size_t count;
};

/* Looks in one section of symbols. That the name is not among their names is
 * found out first: a large program has hundreds of thousands. */
static void find_in_section(Elf *elf, Elf_Scn *section, GElf_Addr bias,
                            struct variable *variable)
{
    const size_t size = strlen(variable->name) + 1;
    Elf_Data *data, *names;
    GElf_Shdr header;
    GElf_Sym symbol;

    if (!gelf_getshdr(section, &header) ||
        (header.sh_type != SHT_SYMTAB && header.sh_type != SHT_DYNSYM))
        return;
    names = elf_getdata(elf_getscn(elf, header.sh_link), NULL);
    data = elf_getdata(section, NULL);
    if (!names || !names->d_buf || !data ||
        !memmem(names->d_buf, names->d_size, variable->name, size))
        return;
    for (int i = 0; gelf_getsym(data, i, &symbol); i++) {
        const char *name = elf_strptr(elf, header.sh_link, symbol.st_name);
        bool known = false;

        if (!name || strcmp(name, variable->name) != 0 ||
            GELF_ST_TYPE(symbol.st_info) != STT_OBJECT ||
            symbol.st_shndx == SHN_UNDEF)
            continue;
        for (size_t k = 0; k < variable->count; k++)
            known |= variable->out[k] == symbol.st_value + bias;
        if (!known && variable->count < variable->most)
            variable->out[variable->count++] = symbol.st_value + bias;
    }
}

static int find_in_module(Dwfl_Module *module, void **data UNUSED,
                          const char *name UNUSED, Dwarf_Addr base UNUSED,
                          void *argument)
{
    Elf_Scn *section = NULL;
    GElf_Addr bias;
    Elf *elf = dwfl_module_getelf(module, &bias);

    while (elf && (section = elf_nextscn(elf, section)) != NULL)
        find_in_section(elf, section, bias, argument);
    return DWARF_CB_OK;
}

size_t lines_find_variables(struct lines *lines, const char *name,
                            uint64_t *out, size_t most)
{
    struct variable variable = {.name = name, .out = out, .most = most};

    lines->reported = UINT64_MAX;
    lines_module(lines, 0); /* is in none, so that all are looked for anew */
    if (!lines->failed && lines->dwfl)
        dwfl_getmodules(lines->dwfl, find_in_module, &variable, 0);
    return variable.count;
}

const char *lines_library(void)
{
    return dwfl_version(NULL);
}
