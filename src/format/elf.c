/* SPDX-License-Identifier: MIT */
#include "format/elf.h"

#include <errno.h>
#include <gelf.h>
#include <libelf.h>

#include "base/mem.h"

/* The sections, by their numbers; 0 is none. */
enum section {
    SECTION_TEXT = 1,
    SECTION_SYMBOLS,
    SECTION_STRINGS,
};

/* Their names lie in front of those of the symbols. */
#define NAMES        "\0.text\0.symtab\0.strtab"
#define NAME_TEXT    1
#define NAME_SYMBOLS 7
#define NAME_STRINGS 15

struct symbols {
    Elf64_Sym *list;
    size_t count;
    size_t capacity;
    struct buf names;
};

static void add(struct symbols *symbols, const char *name, uint64_t addr,
                uint64_t length)
{
    symbols->list = mem_grow(symbols->list, symbols->count, &symbols->capacity,
                             sizeof *symbols->list);
    symbols->list[symbols->count++] = (Elf64_Sym){
        .st_name = *name ? (Elf64_Word)symbols->names.len : 0,
        .st_info = *name ? ELF64_ST_INFO(STB_GLOBAL, STT_FUNC) : 0,
        .st_shndx = *name ? SECTION_TEXT : SHN_UNDEF,
        .st_value = addr,
        .st_size = length,
    };
    if (*name)
        buf_append(&symbols->names, name, strlen(name) + 1);
}

static void find_symbols(struct symbols *symbols, uint64_t addr, uint64_t size,
                         const struct labels *labels)
{
    size_t left;
    const struct stretch *at = ranges_from(&labels->ranges, addr, &left);

    buf_append(&symbols->names, NAMES, sizeof NAMES);
    add(symbols, "", 0, 0); /* the first one is none */
    for (; left > 0 && at->from < addr + size; at++, left--) {
        const struct label *label = (const struct label *)at->value;

        if (at->from >= addr && *label->name)
            add(symbols, label->name, at->from, at->to - at->from);
    }
    if (symbols->count == 1) {
        struct buf name = {0};

        buf_printf(&name, "code_0x%" PRIx64, addr);
        add(symbols, buf_text(&name), addr, size);
        buf_release(&name);
    }
}

static bool put_section(Elf *elf, Elf64_Shdr header, void *data, Elf_Type type,
                        size_t size)
{
    Elf_Scn *section = elf_newscn(elf);
    Elf_Data *part = section ? elf_newdata(section) : NULL;
    Elf64_Shdr *place = part ? elf64_getshdr(section) : NULL;

    if (!place)
        return false;
    *part = (Elf_Data){.d_buf = data,
                       .d_type = type,
                       .d_size = size,
                       .d_align = header.sh_addralign,
                       .d_version = EV_CURRENT};
    *place = header;
    return true;
}

static bool put_all(Elf *elf, uint64_t addr, struct bytes code,
                    struct symbols *symbols)
{
    Elf64_Ehdr *header = elf64_newehdr(elf);

    if (!header)
        return false;
    header->e_ident[EI_DATA] = ELFDATA2LSB;
    header->e_type = ET_EXEC;
    header->e_machine = ARCH_ELF;
    header->e_version = EV_CURRENT;
    header->e_entry = addr;
    header->e_shstrndx = SECTION_STRINGS;
    return put_section(elf,
                       (Elf64_Shdr){.sh_name = NAME_TEXT,
                                    .sh_type = SHT_PROGBITS,
                                    .sh_flags = SHF_ALLOC | SHF_EXECINSTR,
                                    .sh_addr = addr,
                                    .sh_addralign = 1},
                       (void *)code.data, ELF_T_BYTE, code.len) &&
           put_section(elf,
                       (Elf64_Shdr){.sh_name = NAME_SYMBOLS,
                                    .sh_type = SHT_SYMTAB,
                                    .sh_link = SECTION_STRINGS,
                                    .sh_info = 1, /* the first global one */
                                    .sh_entsize = sizeof(Elf64_Sym),
                                    .sh_addralign = 8},
                       symbols->list, ELF_T_SYM,
                       symbols->count * sizeof(Elf64_Sym)) &&
           put_section(elf,
                       (Elf64_Shdr){.sh_name = NAME_STRINGS,
                                    .sh_type = SHT_STRTAB,
                                    .sh_addralign = 1},
                       symbols->names.data, ELF_T_BYTE, symbols->names.len) &&
           elf_update(elf, ELF_C_WRITE) >= 0;
}

int elf_write(int fd, uint64_t addr, struct bytes code,
              const struct labels *labels)
{
    struct symbols symbols = {0};
    Elf *elf = NULL;
    bool done;

    errno = 0;
    find_symbols(&symbols, addr, code.len, labels);
    if (elf_version(EV_CURRENT) != EV_NONE)
        elf = elf_begin(fd, ELF_C_WRITE, NULL);
    done = elf && put_all(elf, addr, code, &symbols);
    if (elf)
        elf_end(elf);
    free(symbols.list);
    buf_release(&symbols.names);
    if (!done && !errno)
        errno = EIO; /* libelf has numbers of its own */
    return done ? 0 : -1;
}
