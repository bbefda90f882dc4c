/* SPDX-License-Identifier: MIT */
/*
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
#include "target/symbols.h"

#include <dlfcn.h>
#include <elf.h>
#include <elfutils/libdw.h>
#include <gelf.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "target/machine.h"
#include "target/proc.h"

/* __cxa_demangle of the Itanium C++ ABI, 3.4 */
typedef char *demangle_function(const char *name, char *out, size_t *size,
                                int *status);

struct answer {
    uint64_t key;
    char *text; /* NULL: this place in the table is free */
};

/* Texts by a number. All zero is a valid empty one. */
struct table {
    struct answer *answers; /* by a hash of the key */
    size_t count;
    size_t size; /* a power of 2, or 0 */
};

struct symbols {
    pid_t pid;
    struct table places;  /* by pc */
    struct table slots;   /* by a function's first byte; "": in no slot */
    struct table modules; /* by Dwfl_Module; "" if it makes no choices */
    bool demangle_sought;
    demangle_function *demangle;
};

struct symbols *symbols_new(pid_t pid)
{
    struct symbols *symbols = mem_alloc(sizeof *symbols);

    symbols->pid = pid;
    return symbols;
}

static void table_release(struct table *table)
{
    for (size_t i = 0; i < table->size; i++)
        free(table->answers[i].text);
    free(table->answers);
}

void symbols_free(struct symbols *symbols)
{
    if (!symbols)
        return;
    table_release(&symbols->places);
    table_release(&symbols->slots);
    table_release(&symbols->modules);
    free(symbols);
}

/* --- tables of answers --------------------------------------------------- */

/* The answer to key, or the free place where it belongs. */
static struct answer *place_of(const struct table *table, uint64_t key)
{
    size_t i = (size_t)(key * 0x9e3779b97f4a7c15 >> 32);

    while (table->answers[i & (table->size - 1)].text &&
           table->answers[i & (table->size - 1)].key != key)
        i++;
    return &table->answers[i & (table->size - 1)];
}

static void make_room(struct table *table)
{
    struct table old = *table;

    if (4 * (table->count + 1) <= 3 * table->size)
        return;
    table->size = old.size ? 2 * old.size : 64;
    table->answers = mem_alloc(table->size * sizeof *table->answers);
    for (size_t i = 0; i < old.size; i++)
        if (old.answers[i].text)
            *place_of(table, old.answers[i].key) = old.answers[i];
    free(old.answers);
}

static const char *keep(struct table *table, uint64_t key, const char *text)
{
    struct answer *answer;

    make_room(table);
    table->count++;
    answer = place_of(table, key);
    *answer = (struct answer){key, mem_copy_text(text)};
    return answer->text;
}

static const char *look_up(const struct table *table, uint64_t key)
{
    return table->size > 0 ? place_of(table, key)->text : NULL;
}

const char *symbols_known(const struct symbols *symbols, uint64_t pc)
{
    return look_up(&symbols->places, pc);
}

/* --- names without a symbol ---------------------------------------------- */

/* A function of which only the first byte is known. */
struct nameless {
    const struct symbols *symbols;
    uint64_t start;
    struct buf *name;
};

/* Looks at one section of relocations. Returns whether a slot was found. */
static bool look_at_slots(const struct nameless *nameless, Elf *elf,
                          GElf_Addr bias, Elf_Scn *section,
                          const GElf_Shdr *header)
{
    Elf_Scn *table = elf_getscn(elf, header->sh_link);
    Elf_Data *data = elf_getdata(section, NULL);
    Elf_Data *names = table ? elf_getdata(table, NULL) : NULL;
    GElf_Shdr table_header;
    GElf_Rela slot;
    GElf_Sym symbol;
    uint64_t target;

    if (!data || !names || !gelf_getshdr(table, &table_header))
        return false;
    for (int i = 0; gelf_getrela(data, i, &slot); i++) {
        const char *name;

        if ((GELF_R_TYPE(slot.r_info) != MACHINE_JUMP_SLOT &&
             GELF_R_TYPE(slot.r_info) != MACHINE_GLOBAL_SLOT) ||
            proc_read(nameless->symbols->pid, slot.r_offset + bias, &target,
                      sizeof target) != sizeof target ||
            target != nameless->start ||
            !gelf_getsym(names, (int)GELF_R_SYM(slot.r_info), &symbol))
            continue;
        name = elf_strptr(elf, table_header.sh_link, symbol.st_name);
        if (!name || !*name)
            continue;
        buf_append_text(nameless->name, name);
        return true;
    }
    return false;
}

static int look_at_module(Dwfl_Module *module, void **data, const char *name,
                          Dwarf_Addr base, void *argument)
{
    const struct nameless *nameless = argument;
    GElf_Addr bias;
    Elf *elf = dwfl_module_getelf(module, &bias);
    Elf_Scn *section = NULL;
    GElf_Shdr header;

    (void)data;
    (void)name;
    (void)base;
    while (elf && (section = elf_nextscn(elf, section)) != NULL)
        if (gelf_getshdr(section, &header) && header.sh_type == SHT_RELA &&
            look_at_slots(nameless, elf, bias, section, &header))
            return DWARF_CB_ABORT;
    return DWARF_CB_OK;
}

/* The first byte of the function around pc, as the unwinder knows it. */
static bool find_start(Dwfl_Module *module, uint64_t pc, uint64_t *start)
{
    Dwarf_Addr bias, first, end;
    Dwarf_CFI *cfi = dwfl_module_eh_cfi(module, &bias);
    Dwarf_Frame *frame;
    bool known;

    if (!cfi || dwarf_cfi_addrframe(cfi, pc - bias, &frame) != 0)
        return false;
    known = dwarf_frame_info(frame, &first, &end, NULL) >= 0;
    free(frame);
    *start = first + bias;
    return known;
}

/* Whether some functions of a module are picked when it is loaded. */
static bool makes_choices(struct symbols *symbols, Dwfl_Module *module)
{
    const uint64_t key = (uint64_t)(uintptr_t)module;
    const char *known = look_up(&symbols->modules, key);
    int count = known ? 0 : dwfl_module_getsymtab(module);
    bool found = false;
    GElf_Sym symbol;

    for (int i = 0; i < count && !found; i++)
        found = dwfl_module_getsym(module, i, &symbol, NULL) &&
                GELF_ST_TYPE(symbol.st_info) == STT_GNU_IFUNC;
    if (!known)
        known = keep(&symbols->modules, key, found ? "yes" : "");
    return *known;
}

/* Appends the name by which others call the function around pc. */
static void find_by_slot(struct symbols *symbols, Dwfl *dwfl,
                         Dwfl_Module *module, uint64_t pc, struct buf *name,
                         uint64_t *offset)
{
    struct nameless nameless = {.symbols = symbols, .name = name};
    const char *known;

    if (!makes_choices(symbols, module) ||
        !find_start(module, pc, &nameless.start))
        return;
    *offset = pc - nameless.start;
    known = look_up(&symbols->slots, nameless.start);
    if (known) {
        buf_append_text(name, known);
        return;
    }
    dwfl_getmodules(dwfl, look_at_module, &nameless, 0);
    keep(&symbols->slots, nameless.start, buf_text(name));
}

/* --- symbols ------------------------------------------------------------- */

/* Appends a name of C++ as its source has it; others as they are. */
static void append_name(struct symbols *symbols, const char *name,
                        struct buf *out)
{
    char *readable = NULL;

    if (strncmp(name, "_Z", 2) == 0 && !symbols->demangle_sought) {
        void *library = dlopen("libstdc++.so.6", RTLD_LAZY);

        symbols->demangle_sought = true;
        if (library)
            *(void **)&symbols->demangle = dlsym(library, "__cxa_demangle");
    }
    if (strncmp(name, "_Z", 2) == 0 && symbols->demangle)
        readable = symbols->demangle(name, NULL, NULL, NULL);
    buf_append_text(out, readable ? readable : name);
    free(readable);
}

static const char *module_name(Dwfl_Module *module)
{
    const char *path =
        dwfl_module_info(module, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
    const char *slash = path ? strrchr(path, '/') : NULL;

    return slash ? slash + 1 : path ? path : "?";
}

const char *symbols_find(struct symbols *symbols, Dwfl *dwfl,
                         Dwfl_Module *module, Dwfl_Module *program, uint64_t pc)
{
    const char *known = symbols_known(symbols, pc), *found;
    struct buf text = {0}, name = {0};
    GElf_Addr bias = 0;
    uint64_t offset;
    GElf_Sym symbol;

    if (known)
        return known;
    found =
        dwfl_module_addrinfo(module, pc, &offset, &symbol, NULL, NULL, NULL);
    if (found)
        append_name(symbols, found, &name);
    else
        find_by_slot(symbols, dwfl, module, pc, &name, &offset);
    if (name.len == 0) {
        dwfl_module_getelf(module, &bias); /* where in its file it is */
        buf_printf(&text, "%s+0x%" PRIx64, module_name(module), pc - bias);
    } else {
        buf_printf(&text, "%s%s%s+0x%" PRIx64,
                   module == program ? "" : module_name(module),
                   module == program ? "" : ":", buf_text(&name), offset);
    }
    known = keep(&symbols->places, pc, buf_text(&text));
    buf_release(&text);
    buf_release(&name);
    return known;
}
