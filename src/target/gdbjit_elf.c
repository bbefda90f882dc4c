/* SPDX-License-Identifier: MIT */
/*
 * gdbjit_elf.c - what an object file in memory says: its functions by libelf,
 * their lines by libdw.
 *
 * Of a file that was linked, symbols and line tables have addresses. One as a
 * compiler leaves it has offsets in sections: the JIT has put into their
 * headers where it has loaded them (LLVM does), and the debugger applies the
 * relocations of the line tables, as it is done here.
 */
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwelf.h>
#include <gelf.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "target/gdbjit_parts.h"
#include "target/machine.h"

/* No function has more, and no object file either. */
#define MOST_LINES     (4u * MAX_ROWS)
#define MOST_FUNCTIONS 30000u

/* So many bytes of names of files are taken for one function. */
#define MOST_TEXT (1u << 20)

struct line_at {
    uint64_t addr;
    size_t order; /* in which it was found */
    const char *file;
    const char *directory;
    int line;
};

struct object {
    uint8_t *image; /* of the file, to be changed */
    size_t size;
    Elf *elf;
    bool is_linked;
    struct line_at *lines; /* by address */
    size_t line_count;
    size_t line_capacity;
};

/* Where the section of a symbol was loaded; 0 if the symbol has an address. */
static uint64_t base_of(const struct object *object, const GElf_Sym *symbol)
{
    Elf_Scn *section =
        object->is_linked ? NULL : elf_getscn(object->elf, symbol->st_shndx);
    GElf_Shdr header;

    return section && gelf_getshdr(section, &header) ? header.sh_addr : 0;
}

/* --- relocations ---------------------------------------------------------- */

static void relocate(struct object *object, const GElf_Rela *rela,
                     const GElf_Sym *symbol, const GElf_Shdr *target)
{
    uint64_t value =
        base_of(object, symbol) + symbol->st_value + (uint64_t)rela->r_addend;
    uint64_t type = GELF_R_TYPE(rela->r_info);
    size_t size = type == MACHINE_WORD64                              ? 8
                  : type == MACHINE_WORD32 || type == MACHINE_WORD32S ? 4
                                                                      : 0;

    if (rela->r_offset > target->sh_size ||
        size > target->sh_size - rela->r_offset ||
        target->sh_offset > object->size ||
        target->sh_size > object->size - target->sh_offset)
        return;
    memcpy(object->image + target->sh_offset + rela->r_offset, &value, size);
}

/* Applies those of one section, if they are of what is not loaded. */
static void relocate_section(struct object *object, Elf_Scn *section)
{
    Elf_Scn *target_section, *symbols;
    GElf_Shdr header, target, table;
    Elf_Data *data, *names;
    GElf_Rela rela;
    GElf_Sym symbol;

    if (!gelf_getshdr(section, &header) || header.sh_type != SHT_RELA)
        return;
    target_section = elf_getscn(object->elf, header.sh_info);
    symbols = elf_getscn(object->elf, header.sh_link);
    if (!target_section || !symbols || !gelf_getshdr(target_section, &target) ||
        !gelf_getshdr(symbols, &table) || target.sh_flags & SHF_ALLOC ||
        target.sh_type == SHT_NOBITS || table.sh_type != SHT_SYMTAB)
        return;
    data = elf_getdata(section, NULL);
    names = elf_getdata(symbols, NULL);
    for (int i = 0; data && names && gelf_getrela(data, i, &rela); i++)
        if (gelf_getsym(names, (int)GELF_R_SYM(rela.r_info), &symbol))
            relocate(object, &rela, &symbol, &target);
}

/* --- lines ---------------------------------------------------------------- */

static int by_address(const void *a, const void *b)
{
    const struct line_at *one = a, *other = b;

    if (one->addr != other->addr)
        return one->addr < other->addr ? -1 : 1;
    return one->order < other->order ? -1 : one->order > other->order;
}

static void take_unit(struct object *object, Dwarf_Die *unit)
{
    Dwarf_Attribute attribute;
    const char *directory =
        dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &attribute));
    Dwarf_Lines *lines;
    size_t count;

    if (dwarf_getsrclines(unit, &lines, &count) != 0)
        return;
    for (size_t i = 0; i < count && object->line_count < MOST_LINES; i++) {
        Dwarf_Line *line = dwarf_onesrcline(lines, i);
        struct line_at at = {.order = object->line_count,
                             .directory = directory};
        bool is_end;

        at.file = dwarf_linesrc(line, NULL, NULL);
        if (!at.file || strlen(at.file) > NAMING_PATH ||
            dwarf_lineaddr(line, &at.addr) != 0 ||
            dwarf_lineno(line, &at.line) != 0 ||
            dwarf_lineendsequence(line, &is_end) != 0 || is_end)
            continue;
        object->lines = mem_grow(object->lines, object->line_count,
                                 &object->line_capacity, sizeof *object->lines);
        object->lines[object->line_count++] = at;
    }
}

/* Names of files live as long as what is returned. Information that goes on in
 * another file is not asked: see lines.c. */
static Dwarf *take_lines(struct object *object)
{
    Dwarf *dwarf = dwarf_begin_elf(object->elf, DWARF_C_READ, NULL);
    Dwarf_Off at = 0, next;
    size_t header;
    const char *name;
    const void *id;
    Dwarf_Die unit;

    if (!dwarf || dwelf_dwarf_gnu_debugaltlink(dwarf, &name, &id) > 0)
        return dwarf;
    for (; dwarf_nextcu(dwarf, at, &next, &header, NULL, NULL, NULL) == 0;
         at = next)
        if (dwarf_offdie(dwarf, at + header, &unit))
            take_unit(object, &unit);
    if (object->line_count > 0)
        qsort(object->lines, object->line_count, sizeof *object->lines,
              by_address);
    return dwarf;
}

/* The first line at addr or above. */
static size_t first_line(const struct object *object, uint64_t addr)
{
    size_t from = 0, to = object->line_count;

    while (from < to) {
        size_t middle = from + (to - from) / 2;

        if (object->lines[middle].addr < addr)
            from = middle + 1;
        else
            to = middle;
    }
    return from;
}

/* --- functions ------------------------------------------------------------ */

/* Appends the path of a line's file with its NUL, unless the row before has the
 * same; returns where it begins. */
static size_t add_path(struct buf *texts, const struct line_at *line)
{
    size_t at = texts->len;

    if (line->file[0] != '/' && line->directory)
        buf_printf(texts, "%s/", line->directory);
    buf_append(texts, line->file, strlen(line->file) + 1);
    return at;
}

/* The name, its rows and the texts of these become one block. */
static void add_function(struct gdbjit *gdbjit, const struct object *object,
                         const struct event_name *name, unsigned owner)
{
    struct gdbjit_said *said;
    size_t first = first_line(object, name->addr), count = 0, rows_size;
    struct buf texts = {0};
    size_t *path, at = 0;
    struct bytes text = {(const uint8_t *)name->name, strlen(name->name)};
    struct line_row *rows;
    char *names;

    if (gdbjit->said_bytes > GDBJIT_BYTES) {
        gdbjit->full = true;
        return;
    }
    while (first + count < object->line_count && count < MAX_ROWS &&
           object->lines[first + count].addr - name->addr < name->length)
        count++;
    buf_append(&texts, text.data, utf8_cut(text, NAMING_NAME));
    buf_append(&texts, "", 1);
    path = mem_alloc((count + 1) * sizeof *path);
    for (size_t i = 0; i < count; i++) {
        const struct line_at *line = &object->lines[first + i];

        if (i == 0 || line->file != line[-1].file ||
            line->directory != line[-1].directory)
            at = add_path(&texts, line);
        path[i] = at;
        if (texts.len > MOST_TEXT)
            count = i + 1;
    }
    rows_size = count * sizeof *rows;
    gdbjit->said_bytes += rows_size + texts.len;
    said = gdbjit_add(gdbjit);
    said->memory = rows = mem_alloc(rows_size + texts.len);
    names = (char *)rows + rows_size;
    memcpy(names, texts.data, texts.len);
    for (size_t i = 0; i < count; i++) {
        const struct line_at *line = &object->lines[first + i];

        rows[i] = (struct line_row){line->addr - name->addr, names + path[i],
                                    line->line};
    }
    naming_sort_rows(rows, &count, name->length);
    said->naming = (struct naming){
        .kind = NAMING_NAME_GIVEN, .name = *name, .owner = owner};
    said->naming.name.name = names;
    said->naming.name.lines = (struct line_rows){rows, count};
    free(path);
    buf_release(&texts);
}

/* A function of no length goes on to the end of its section. */
static uint64_t length_of(const struct object *object, const GElf_Sym *symbol,
                          uint64_t addr)
{
    Elf_Scn *section = elf_getscn(object->elf, symbol->st_shndx);
    GElf_Shdr header;

    if (symbol->st_size > 0)
        return symbol->st_size;
    if (!section || !gelf_getshdr(section, &header) ||
        addr - header.sh_addr >= header.sh_size)
        return 0;
    return header.sh_size - (addr - header.sh_addr);
}

/* Takes the functions of a section of symbols; returns how many there are. */
static size_t take_symbols(struct gdbjit *gdbjit, const struct object *object,
                           Elf_Scn *section, unsigned owner)
{
    Elf_Data *data = elf_getdata(section, NULL);
    GElf_Shdr header;
    GElf_Sym symbol;
    size_t count = 0;

    if (!data || !gelf_getshdr(section, &header))
        return 0;
    for (int i = 0; gelf_getsym(data, i, &symbol) && count < MOST_FUNCTIONS;
         i++) {
        struct event_name name = {.by = NAMED_BY_GDB};

        if (GELF_ST_TYPE(symbol.st_info) != STT_FUNC ||
            symbol.st_shndx == SHN_UNDEF)
            continue;
        name.name = elf_strptr(object->elf, header.sh_link, symbol.st_name);
        name.addr = base_of(object, &symbol) + symbol.st_value;
        name.length = length_of(object, &symbol, name.addr);
        if (!name.name || !*name.name || name.addr == 0 ||
            name.addr + name.length <= name.addr)
            continue;
        add_function(gdbjit, object, &name, owner);
        count++;
    }
    return count;
}

/* --- the file ------------------------------------------------------------- */

/* What is wrong with it, or NULL. */
static const char *fault_of(struct bytes file)
{
    const Elf64_Ehdr *header = (const void *)file.data;

    if (file.len < sizeof *header ||
        memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
        return "is no ELF file";
    if (header->e_ident[EI_CLASS] != ELFCLASS64 ||
        header->e_ident[EI_DATA] != ELFDATA2LSB ||
        header->e_machine != ARCH_ELF)
        return "is an ELF file of another machine";
    if (header->e_shoff > file.len ||
        header->e_shnum * sizeof(Elf64_Shdr) > file.len - header->e_shoff)
        return "has its sections beyond its end";
    return NULL;
}

/* Says what of it goes beyond its end, and is not there. What is loaded is
 * somewhere else, whatever is said of the file. */
static void find_beyond(struct gdbjit *gdbjit, const struct object *object,
                        unsigned owner)
{
    Elf_Scn *section = NULL;
    GElf_Shdr header;

    while ((section = elf_nextscn(object->elf, section)) != NULL)
        if (gelf_getshdr(section, &header) && header.sh_type != SHT_NOBITS &&
            header.sh_type != SHT_NULL && !(header.sh_flags & SHF_ALLOC) &&
            (header.sh_offset > object->size ||
             header.sh_size > object->size - header.sh_offset))
            naming_flaw(&gdbjit_add(gdbjit)->naming,
                        "section %zu of entry %u of __jit_debug_descriptor "
                        "goes beyond the end of its file",
                        elf_ndxscn(section), owner);
}

void gdbjit_take_object(struct gdbjit *gdbjit, struct bytes file,
                        unsigned owner)
{
    const char *fault = fault_of(file);
    struct object object = {.size = file.len};
    Elf_Scn *section = NULL;
    GElf_Ehdr header;
    GElf_Shdr one;
    Dwarf *dwarf;

    if (fault) {
        naming_flaw(&gdbjit_add(gdbjit)->naming,
                    "entry %u of __jit_debug_descriptor %s", owner, fault);
        return;
    }
    elf_version(EV_CURRENT);
    object.image = mem_alloc(file.len);
    memcpy(object.image, file.data, file.len);
    object.elf = elf_memory((char *)object.image, file.len);
    object.is_linked = !object.elf || !gelf_getehdr(object.elf, &header) ||
                       header.e_type != ET_REL;
    if (!object.is_linked) {
        while ((section = elf_nextscn(object.elf, section)) != NULL)
            relocate_section(&object, section);
        elf_end(object.elf); /* it may have kept what was there before */
        object.elf = elf_memory((char *)object.image, file.len);
    }
    if (object.elf) {
        find_beyond(gdbjit, &object, owner);
        dwarf = take_lines(&object);
        while ((section = elf_nextscn(object.elf, section)) != NULL)
            if (gelf_getshdr(section, &one) && one.sh_type == SHT_SYMTAB)
                take_symbols(gdbjit, &object, section, owner);
        dwarf_end(dwarf);
        elf_end(object.elf);
    }
    free(object.lines);
    free(object.image);
}
