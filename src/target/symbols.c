/* SPDX-License-Identifier: MIT */
/*
 * The symbol tables of a module name most functions: .symtab, or .dynsym where
 * the other was stripped. Two things they do not tell:
 *
 * - What a C library calls memcpy is a choice: at start it picks one of several
 *   functions (IFUNC), and the one it picks has no name in .dynsym. But who
 *   calls it finds it by name, through a slot that holds its address. So where
 *   no symbol covers a place, its function's first byte (.eh_frame has it) is
 *   looked for in the slots of all modules: the psABI's R_X86_64_JUMP_SLOT and
 *   R_X86_64_GLOB_DAT.
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
#include "target/proc.h"

/* __cxa_demangle of the Itanium C++ ABI, 3.4 */
typedef char *demangle_function(const char *name, char *out, size_t *size,
                                int *status);

struct answer {
    uint64_t pc;
    char *text; /* NULL: this place in the table is free */
};

struct symbols {
    pid_t pid;
    struct answer *answers; /* by a hash of pc; size is a power of 2 */
    size_t count;
    size_t size;
    bool demangle_sought;
    demangle_function *demangle;
};

struct symbols *symbols_new(pid_t pid)
{
    struct symbols *symbols = mem_alloc(sizeof *symbols);

    symbols->pid = pid;
    return symbols;
}

void symbols_free(struct symbols *symbols)
{
    if (!symbols)
        return;
    for (size_t i = 0; i < symbols->size; i++)
        free(symbols->answers[i].text);
    free(symbols->answers);
    free(symbols);
}

/* --- the table of answers ------------------------------------------------ */

/* The answer to pc, or the free place where it belongs. */
static struct answer *place_of(const struct symbols *symbols, uint64_t pc)
{
    size_t i = (size_t)(pc * 0x9e3779b97f4a7c15 >> 32);

    while (symbols->answers[i & (symbols->size - 1)].text &&
           symbols->answers[i & (symbols->size - 1)].pc != pc)
        i++;
    return &symbols->answers[i & (symbols->size - 1)];
}

static void make_room(struct symbols *symbols)
{
    struct symbols old = *symbols;

    if (4 * (symbols->count + 1) <= 3 * symbols->size)
        return;
    symbols->size = old.size ? 2 * old.size : 64;
    symbols->answers = mem_alloc(symbols->size * sizeof *symbols->answers);
    for (size_t i = 0; i < old.size; i++)
        if (old.answers[i].text)
            *place_of(symbols, old.answers[i].pc) = old.answers[i];
    free(old.answers);
}

static const char *keep(struct symbols *symbols, uint64_t pc, char *text)
{
    make_room(symbols);
    *place_of(symbols, pc) = (struct answer){pc, text};
    symbols->count++;
    return text;
}

const char *symbols_known(const struct symbols *symbols, uint64_t pc)
{
    return symbols->size > 0 ? place_of(symbols, pc)->text : NULL;
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

        if ((GELF_R_TYPE(slot.r_info) != R_X86_64_JUMP_SLOT &&
             GELF_R_TYPE(slot.r_info) != R_X86_64_GLOB_DAT) ||
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

/* Appends the name by which others call the function around pc. */
static bool find_by_slot(const struct symbols *symbols, Dwfl *dwfl,
                         Dwfl_Module *module, uint64_t pc, struct buf *name,
                         uint64_t *offset)
{
    struct nameless nameless = {.symbols = symbols, .name = name};

    if (!find_start(module, pc, &nameless.start))
        return false;
    *offset = pc - nameless.start;
    dwfl_getmodules(dwfl, look_at_module, &nameless, 0);
    return name->len > 0;
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

/* Where in its file a place without a name is. */
static uint64_t address_in_file(Dwfl_Module *module, uint64_t pc)
{
    GElf_Addr bias = 0;

    dwfl_module_getelf(module, &bias);
    return pc - bias;
}

const char *symbols_find(struct symbols *symbols, Dwfl *dwfl,
                         Dwfl_Module *module, Dwfl_Module *program, uint64_t pc)
{
    const char *known = symbols_known(symbols, pc), *found;
    struct buf text = {0}, name = {0};
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
    if (name.len == 0)
        buf_printf(&text, "%s+0x%" PRIx64, module_name(module),
                   address_in_file(module, pc));
    else
        buf_printf(&text, "%s%s%s+0x%" PRIx64,
                   module == program ? "" : module_name(module),
                   module == program ? "" : ":", buf_text(&name), offset);
    known = keep(symbols, pc, mem_copy_text(buf_text(&text)));
    buf_release(&text);
    buf_release(&name);
    return known;
}
