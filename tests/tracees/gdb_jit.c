/* SPDX-License-Identifier: MIT */
/*
 * gdb_jit.c - tells debuggers of its functions (GDB's manual, "JIT Compilation
 * Interface").
 *
 * One page, at offset 0 `mov eax, 7; ret`, registered by an object file in
 * memory with a symbol and two lines of this file. After a call it is removed,
 * overwritten by `mov eax, 8; ret` and registered by another one, which lies at
 * the same place: the same entry, of the same length. Then all is taken back.
 *
 * prints:  7 8 8
 * ends:    status 0
 * reports: protect rw- r-x b807000000c3*
 * reports: name seven gdb_jit.c:57
 * reports: enter +0 call
 * reports: step +0 mov eax, 7 gdb_jit.c:57
 * reports: step +5 ret gdb_jit.c:58
 * reports: leave return 7
 * reports: protect rw- r-x b808000000c3*
 * reports: name eight gdb_jit.c:57
 * reports: enter +0 call
 * reports: step +0 mov eax, 8 gdb_jit.c:57
 * reports: leave return 8
 * reports: name
 * reports: enter +0 call
 * reports: step +0 mov eax, 8
 * reports: exit status 0
 * reports: verdict names broken +0
 * never:   limit *
 */
#include <elf.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

struct entry {
    struct entry *next, *prev;
    const void *addr;
    uint64_t size;
};

struct {
    uint32_t version, action_flag;
    struct entry *relevant, *first;
} __jit_debug_descriptor = {1, 0, NULL, NULL};

void __jit_debug_register_code(void);

void __attribute__((noinline)) __jit_debug_register_code(void)
{
    __asm__ volatile("" ::: "memory");
}

enum { NONE, TEXT, SYMBOLS, NAMES, ABBREVS, INFO, LINES, SECTIONS };

#define ONE_LINE  57 /* and the next one */
#define FILE_NAME "tests/tracees/gdb_jit.c"

/* Two lines of a table of DWARF 2: from addr on, and from 5 bytes behind it. */
struct __attribute__((packed)) line_table {
    uint32_t length;
    uint16_t version;
    uint32_t header_length;
    uint8_t min_length, is_stmt;
    int8_t base;
    uint8_t range, opcode_base, lengths[9], no_directory;
    char file[sizeof FILE_NAME];
    uint8_t directory, time, size, no_file;
    uint8_t set_address[3];
    uint64_t addr;
    uint8_t rows[13];
};

struct __attribute__((packed)) unit {
    uint32_t length;
    uint16_t version;
    uint32_t abbrevs;
    uint8_t address_size, abbrev;
    uint32_t lines;
    uint64_t low, high;
};

static const uint8_t abbrevs[] = {1,    0x11, 0, /* a compile unit without */
                                  0x10, 6,       /* children: stmt_list data4 */
                                  0x11, 1,       /* low_pc addr */
                                  0x12, 1,       /* high_pc addr */
                                  0,    0,    0};

struct object {
    Elf64_Ehdr header;
    Elf64_Shdr sections[SECTIONS];
    Elf64_Sym symbols[2];
    char names[128];
    uint8_t abbrevs[sizeof abbrevs];
    struct unit unit;
    struct line_table lines;
};

static struct object object;
static struct entry entry = {.addr = &object, .size = sizeof object};

/* Where a name is in the table of names, which begins with an empty one. */
static uint32_t name_at(const char *name)
{
    size_t at = 1;

    while (object.names[at] && strcmp(object.names + at, name) != 0)
        at += strlen(object.names + at) + 1;
    strcpy(object.names + at, name);
    return (uint32_t)at;
}

static void section(int number, const char *name, uint32_t type,
                    const void *part, size_t size)
{
    object.sections[number] = (Elf64_Shdr){
        .sh_name = name_at(name),
        .sh_type = type,
        .sh_offset = (uint64_t)((const char *)part - (const char *)&object),
        .sh_size = size,
    };
}

/* The object of a function of six bytes with two instructions. */
static void make(const uint8_t *code, const char *name)
{
    const uint64_t addr = (uintptr_t)code;

    memset(&object, 0, sizeof object);
    object.header = (Elf64_Ehdr){
        .e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
        .e_type = ET_EXEC,
        .e_machine = EM_X86_64,
        .e_version = EV_CURRENT,
        .e_shoff = offsetof(struct object, sections),
        .e_ehsize = sizeof(Elf64_Ehdr),
        .e_shentsize = sizeof(Elf64_Shdr),
        .e_shnum = SECTIONS,
        .e_shstrndx = NAMES,
    };
    object.symbols[1] = (Elf64_Sym){
        .st_name = name_at(name),
        .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC),
        .st_shndx = TEXT,
        .st_value = addr,
        .st_size = 6,
    };
    section(TEXT, ".text", SHT_NOBITS, &object, 6);
    object.sections[TEXT].sh_addr = addr;
    object.sections[TEXT].sh_flags = SHF_ALLOC | SHF_EXECINSTR;
    section(SYMBOLS, ".symtab", SHT_SYMTAB, object.symbols,
            sizeof object.symbols);
    object.sections[SYMBOLS].sh_link = NAMES;
    object.sections[SYMBOLS].sh_entsize = sizeof *object.symbols;
    section(NAMES, ".strtab", SHT_STRTAB, object.names, sizeof object.names);
    section(ABBREVS, ".debug_abbrev", SHT_PROGBITS, object.abbrevs,
            sizeof object.abbrevs);
    section(INFO, ".debug_info", SHT_PROGBITS, &object.unit,
            sizeof object.unit);
    section(LINES, ".debug_line", SHT_PROGBITS, &object.lines,
            sizeof object.lines);
    memcpy(object.abbrevs, abbrevs, sizeof abbrevs);
    object.unit = (struct unit){.length = sizeof object.unit - 4,
                                .version = 2,
                                .address_size = 8,
                                .abbrev = 1,
                                .low = addr,
                                .high = addr + 6};
    object.lines = (struct line_table){
        .length = sizeof object.lines - 4,
        .version = 2,
        .header_length = offsetof(struct line_table, set_address) - 10,
        .min_length = 1,
        .is_stmt = 1,
        .range = 1,
        .opcode_base = 10,
        .lengths = {0, 1, 1, 1, 1, 0, 0, 0, 1},
        .file = FILE_NAME,
        .set_address = {0, 9, 2},
        .addr = addr,
        .rows = {3, ONE_LINE - 1, 1, /* advance_line, copy */
                 2, 5, 3, 1, 1,      /* advance_pc, advance_line, copy */
                 2, 1, 0, 1, 1},     /* advance_pc, end_sequence */
    };
}

static void change(uint32_t action, struct entry *first)
{
    __jit_debug_descriptor.action_flag = action;
    __jit_debug_descriptor.relevant = &entry;
    __jit_debug_descriptor.first = first;
    __jit_debug_register_code();
}

static int call(void *function)
{
    return ((int (*)(void))function)();
}

/* Stores code that gives that number, and turns it executable. */
static void store(void *page, uint8_t number)
{
    const uint8_t code[] = {0xb8, number, 0, 0, 0, 0xc3};

    mprotect(page, 4096, PROT_READ | PROT_WRITE);
    memcpy(page, code, sizeof code);
    mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

int main(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int first, second, third;

    if (page == MAP_FAILED)
        return 1;
    store(page, 7);
    make(page, "seven");
    change(1, &entry);
    first = call(page);
    change(2, NULL);
    store(page, 8);
    make(page, "eight");
    change(1, &entry);
    second = call(page);
    change(2, NULL);
    third = call(page);
    printf("%d %d %d\n", first, second, third);
    return 0;
}
