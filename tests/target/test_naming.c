/* SPDX-License-Identifier: MIT */
/*
 * What a program says of its code: records of a jitdump, object files of its
 * list for debuggers.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/support.h"
#include "target/gdbjit.h"
#include "target/jitdump.h"
#include "tracees/jitdump.h"

TestSuite(naming, .timeout = 60);

#define ADDR ((void *)0x7f0000001000)

static const uint8_t five[] = {0xb8, 5, 0, 0, 0, 0xc3};

/* --- jitdumps ------------------------------------------------------------ */

/* Appends what the dump says, a line for each thing. */
static void say(const struct naming *naming, struct buf *out)
{
    const struct event_name *name = &naming->name;

    switch (naming->kind) {
    case NAMING_NAME_GIVEN:
        buf_printf(out, "%llx %llu %s", (unsigned long long)name->addr,
                   (unsigned long long)name->length, name->name);
        for (size_t i = 0; i < name->lines.count; i++)
            buf_printf(out, " +%llu=%s:%d",
                       (unsigned long long)name->lines.list[i].offset,
                       name->lines.list[i].file, name->lines.list[i].line);
        break;
    case NAMING_MOVED:
        buf_printf(out, "%llx moved to %llx", (unsigned long long)naming->from,
                   (unsigned long long)name->addr);
        break;
    case NAMING_WITHDRAWN:
        buf_printf(out, "withdrawn %u", naming->owner);
        break;
    case NAMING_FLAW:
        buf_append_text(out, naming->flaw);
        break;
    }
    buf_append_text(out, "\n");
}

struct made {
    char *data;
    size_t size;
    FILE *file;
};

/* A dump in memory whose header has these words, and 40 bytes. */
static void begin(struct made *made, uint32_t magic, uint32_t version,
                  uint32_t machine)
{
    const uint32_t header[10] = {magic, version, 40, machine, 0, 1};

    made->file = open_memstream(&made->data, &made->size);
    fwrite(header, sizeof header, 1, made->file);
}

static void begin_right(struct made *made)
{
    begin(made, 0x4a695444, 1, EM_X86_64);
}

/* Ends it; its first `size` bytes must say that. */
static void expect_part(struct made *made, size_t size, const char *expected)
{
    struct jitdump dump = {.name = "it", .file = -1};
    struct naming naming;
    struct buf got = {0};

    buf_append(&dump.text, made->data, size);
    while (jitdump_next(&dump, &naming))
        say(&naming, &got);
    cr_expect(eq(str, (char *)buf_text(&got), (char *)expected));
    jitdump_release(&dump);
    buf_release(&got);
}

static void expect(struct made *made, const char *expected)
{
    fclose(made->file);
    expect_part(made, made->size, expected);
    free(made->data);
}

Test(naming, records_of_a_jitdump)
{
    static const uint32_t lines[][2] = {{0, 3}, {5, 4}, {5, 5}, {9, 6}};
    struct made made;

    begin_right(&made);
    dump_lines(made.file, ADDR, "fib.lua", 4, lines);
    dump_load(made.file, ADDR, five, sizeof five, "five");
    dump_record(made.file, 4, 20); /* unwinding */
    dump_u32(made.file, 0);
    dump_record(made.file, 77, 16);
    dump_load(made.file, ADDR, five, sizeof five, "again");
    dump_move(made.file, ADDR, (char *)ADDR + 64, sizeof five);
    dump_record(made.file, 3, 16);
    dump_load(made.file, ADDR, five, sizeof five, "behind the end");
    expect(&made, "7f0000001000 6 five +0=fib.lua:3 +5=fib.lua:5\n"
                  "7f0000001000 6 again\n"
                  "7f0000001000 moved to 7f0000001040\n");
}

/* V8 counts from where perf puts the code in the file that it makes. */
Test(naming, lines_that_count_from_an_elf_header)
{
    static const uint32_t lines[][2] = {{64, 3}, {69, 4}};
    struct made made;

    begin_right(&made);
    dump_lines(made.file, ADDR, "fib.js", 2, lines);
    dump_load(made.file, ADDR, five, sizeof five, "five");
    expect(&made, "7f0000001000 6 five +0=fib.js:3 +5=fib.js:4\n");
}

/* A record is taken when all of it is there. */
Test(naming, every_part_of_a_jitdump)
{
    struct made made;

    begin_right(&made);
    dump_load(made.file, ADDR, five, sizeof five, "five");
    fclose(made.file);
    for (size_t size = 0; size < made.size; size++)
        expect_part(&made, size, "");
    expect_part(&made, made.size, "7f0000001000 6 five\n");
    free(made.data);
}

Test(naming, headers_that_are_none)
{
    struct made made;

    begin(&made, 0x4454694a, 0x01000000, 0);
    expect(&made,
           "it was written in the byte order of another kind of machine, "
           "and is not read\n");
    begin(&made, 0x4a695445, 1, EM_X86_64);
    expect(&made, "it does not begin as a jitdump does, with 0x4a695444\n");
    begin(&made, 0x4a695444, 2, EM_X86_64);
    expect(&made,
           "it says that it is of version 2, which is none; there is version "
           "1\n");
    begin(&made, 0x4a695444, 1, EM_AARCH64);
    expect(&made,
           "it says that its code is for machine 183 (elf_mach), and not "
           "for this one, 62\n");
}

Test(naming, records_that_are_none)
{
    struct made made;

    begin_right(&made);
    dump_record(made.file, 0, 16); /* a load of nothing */
    dump_record(made.file, 1, 16); /* a move of nothing */
    dump_load(made.file, (void *)-3, five, sizeof five, "wraps");
    dump_load(made.file, ADDR, five, sizeof five, "");
    dump_load(made.file, ADDR, five, 0, "empty");
    dump_load(made.file, ADDR, five, sizeof five, "five");
    dump_record(made.file, 0, 15);
    dump_load(made.file, ADDR, five, sizeof five, "behind");
    expect(
        &made,
        "record 1 of it loads code, and is too short for its name\n"
        "record 2 of it moves code, and has 16 bytes in place of 64\n"
        "record 3 of it loads 0x6 bytes at 0xfffffffffffffffd, which is more "
        "than there can be\n"
        "7f0000001000 6 five\n"
        "record 7 of it says that it has 15 bytes, so that the next one is "
        "not found\n");
}

/* A debug record of so many entries, none of which is there. */
Test(naming, lines_that_are_not_there)
{
    struct made made;

    begin_right(&made);
    dump_record(made.file, 2, 32);
    dump_u64(made.file, (uintptr_t)ADDR);
    dump_u64(made.file, UINT64_MAX);
    dump_load(made.file, ADDR, five, sizeof five, "five");
    dump_record(made.file, 2, 16);
    dump_load(made.file, ADDR, five, sizeof five, "again");
    expect(&made,
           "record 1 of it says that it has 18446744073709551615 lines, and "
           "has room for 0\n"
           "7f0000001000 6 five\n"
           "record 3 of it is about lines, and has 16 bytes in place of 32\n"
           "7f0000001000 6 again\n");
}

/* What is said of the first `size` bytes when no more of them come. */
static void expect_end(const struct made *made, size_t size,
                       const char *expected)
{
    struct jitdump dump = {.name = "it", .file = -1};
    struct naming naming;
    bool ends;

    buf_append(&dump.text, made->data, size);
    while (jitdump_next(&dump, &naming))
        continue;
    ends = jitdump_end(&dump, &naming);
    cr_expect(eq(int, ends, expected != NULL), "%zu", size);
    if (ends && expected) {
        cr_expect(eq(str, naming.flaw, (char *)expected));
        cr_expect(eq(int, naming.is_slight, 1));
        cr_expect(eq(int, jitdump_end(&dump, &naming), 0));
    }
    jitdump_release(&dump);
}

Test(naming, a_jitdump_that_ends_too_early)
{
    struct made made;

    begin_right(&made);
    dump_load(made.file, ADDR, five, sizeof five, "five");
    dump_record(made.file, 0, 15u << 20);
    fclose(made.file);
    expect_end(&made, 0, "it has 0 bytes, which is no whole header");
    expect_end(&made, 39, "it has 39 bytes, which is no whole header");
    expect_end(&made, 40, NULL);
    expect_end(&made, 41,
               "record 1 of it goes beyond its end: there are 1 bytes of it");
    expect_end(&made, made.size - 16, NULL);
    expect_end(&made, made.size,
               "record 2 of it goes beyond its end: there are 16 bytes of it");
    free(made.data);
}

/* --- object files -------------------------------------------------------- */

static void expect_object(struct bytes file, const char *expected)
{
    struct gdbjit gdbjit = {0};
    struct naming naming;
    struct buf got = {0};

    gdbjit_take_object(&gdbjit, file, 1);
    while (gdbjit_next(&gdbjit, &naming))
        say(&naming, &got);
    cr_expect(eq(str, (char *)buf_text(&got), (char *)expected));
    gdbjit_release(&gdbjit);
    buf_release(&got);
}

/* As a compiler leaves it, and a JIT has put in where the code is. */
Test(naming, an_object_file_that_is_not_linked)
{
    struct buf file = {0};
    Elf64_Ehdr *header;
    Elf64_Shdr *sections;

    read_file("tests/fuzz/corpus/gdbjit/relocatable.elf", &file);
    header = (void *)file.data;
    sections = (void *)(file.data + header->e_shoff);
    for (int i = 0; i < header->e_shnum; i++)
        if (sections[i].sh_flags & SHF_EXECINSTR)
            sections[i].sh_addr = 0x7f0000001000;
    expect_object((struct bytes){file.data, file.len},
                  "7f0000001000 11 one +0=././tiny.c:2 +4=././tiny.c:3 "
                  "+9=././tiny.c:4\n");
    header->e_ident[EI_DATA] = ELFDATA2MSB;
    expect_object((struct bytes){file.data, file.len},
                  "entry 1 of __jit_debug_descriptor is an ELF file of another "
                  "machine\n");
    expect_object((struct bytes){file.data, 63},
                  "entry 1 of __jit_debug_descriptor is no ELF file\n");
    buf_release(&file);
}

/* An object file that lies: what is beyond its end is said, and not read; a
 * function where nothing is has its name there. */
Test(naming, object_files_that_lie)
{
    struct buf file = {0};
    Elf64_Ehdr *header;
    Elf64_Shdr *section;
    uint64_t at, size;

    read_file("tests/fuzz/corpus/gdbjit/relocatable.elf", &file);
    header = (void *)file.data;
    at = header->e_shoff;
    section = (void *)(file.data + at);
    for (int way = 0; way < 3; way++) {
        header->e_shoff = way == 0   ? file.len - 63
                          : way == 1 ? file.len + 1
                                     : UINT64_MAX;
        expect_object((struct bytes){file.data, file.len},
                      "entry 1 of __jit_debug_descriptor has its sections "
                      "beyond its end\n");
    }
    header->e_shoff = at;
    while (section->sh_type != SHT_SYMTAB)
        section++;
    size = section->sh_size;
    for (int way = 0; way < 3; way++) {
        char expected[128];

        section->sh_size = way == 0 ? UINT64_MAX : size;
        at = section->sh_offset;
        section->sh_offset = way == 1 ? file.len : way == 2 ? UINT64_MAX : at;
        snprintf(expected, sizeof expected,
                 "section %d of entry 1 of __jit_debug_descriptor goes beyond "
                 "the end of its file\n",
                 (int)(section - (Elf64_Shdr *)(file.data + header->e_shoff)));
        expect_object((struct bytes){file.data, file.len}, expected);
        section->sh_offset = at;
    }
    buf_release(&file);
}

/* --- the list ------------------------------------------------------------ */

struct entry {
    const struct entry *next, *prev;
    const void *addr;
    uint64_t size;
};

/* This process is as good as another. */
static void expect_look(struct gdbjit *gdbjit, const char *expected)
{
    struct naming naming;
    struct buf got = {0};

    gdbjit_look(gdbjit, getpid());
    while (gdbjit_next(gdbjit, &naming))
        say(&naming, &got);
    cr_expect(eq(str, (char *)buf_text(&got), (char *)expected));
    buf_release(&got);
}

Test(naming, a_list_in_any_state)
{
    static const char none[100] = "no object file";
    struct {
        uint32_t version, action;
        const struct entry *relevant, *first;
    } descriptor = {0};
    struct entry one = {.addr = none, .size = sizeof none}, other = one;
    struct gdbjit gdbjit = {.descriptor = (uintptr_t)&descriptor};

    expect_look(&gdbjit, ""); /* not set up yet */
    descriptor.version = 1;
    expect_look(&gdbjit, "");
    descriptor.first = descriptor.relevant = &one;
    expect_look(&gdbjit, "entry 1 of __jit_debug_descriptor is no ELF file\n");
    expect_look(&gdbjit, "");
    other.next = &one;
    one.next = &other; /* a circle */
    descriptor.first = descriptor.relevant = &other;
    expect_look(&gdbjit, "entry 2 of __jit_debug_descriptor is no ELF file\n");
    one.next = NULL;
    descriptor.first = descriptor.relevant = &one;
    expect_look(&gdbjit, "withdrawn 2\n"
                         "entry 3 of __jit_debug_descriptor is no ELF file\n");
    descriptor.first = (void *)8; /* nowhere */
    expect_look(&gdbjit, "");
    descriptor.first = NULL;
    expect_look(&gdbjit, "withdrawn 3\n");
    descriptor.version = 3;
    expect_look(&gdbjit, "__jit_debug_descriptor says that it is of version 3, "
                         "which is none; there is version 1\n");
    expect_look(&gdbjit, "");
    gdbjit_release(&gdbjit);
}

#define LINKED                                            \
    "7ffff7fbf000 6 seven +0=tests/tracees/gdb_jit.c:57 " \
    "+5=tests/tracees/gdb_jit.c:58\n"

/* The names of an object that two entries have are there as long as one is. */
Test(naming, an_object_that_is_registered_twice)
{
    struct buf file = {0};
    struct {
        uint32_t version, action;
        const struct entry *relevant, *first;
    } descriptor = {.version = 1};
    struct entry one = {0}, other = {0};
    struct gdbjit gdbjit = {.descriptor = (uintptr_t)&descriptor};

    read_file("tests/fuzz/corpus/gdbjit/linked.elf", &file);
    one.addr = other.addr = file.data;
    one.size = other.size = file.len;
    descriptor.first = descriptor.relevant = &one;
    expect_look(&gdbjit, LINKED);
    one.next = &other;
    descriptor.relevant = &other;
    expect_look(&gdbjit, LINKED);
    one.next = NULL;
    descriptor.action = 2;
    expect_look(&gdbjit, "withdrawn 2\n" LINKED);
    descriptor.relevant = &one;
    descriptor.first = &other;
    expect_look(&gdbjit, "withdrawn 3\n" LINKED);
    descriptor.first = NULL;
    expect_look(&gdbjit, "withdrawn 4\n");
    gdbjit_release(&gdbjit);
    buf_release(&file);
}

/* More entries than are read, and all of them gone again. */
Test(naming, a_list_of_many_entries)
{
    static struct entry list[GDBJIT_ENTRIES + 1];
    struct {
        uint32_t version, action;
        const struct entry *relevant, *first;
    } descriptor = {.version = 1, .first = list, .relevant = list};
    struct gdbjit gdbjit = {.descriptor = (uintptr_t)&descriptor};
    struct naming naming;

    for (size_t i = 0; i < GDBJIT_ENTRIES; i++)
        list[i].next = &list[i + 1];
    expect_look(&gdbjit, ""); /* of no bytes each */
    cr_assert(eq(int, gdbjit.full, 1));
    cr_assert(eq(sz, gdbjit.object_count, GDBJIT_ENTRIES));
    descriptor.first = NULL;
    gdbjit_look(&gdbjit, getpid());
    for (size_t i = 0; i < GDBJIT_ENTRIES; i++)
        cr_assert(eq(int, gdbjit_next(&gdbjit, &naming), 1));
    cr_assert(eq(int, gdbjit_next(&gdbjit, &naming), 0));
    gdbjit_release(&gdbjit);
}

/* All of memory is no object file, nor are 16 MiB and a byte. */
Test(naming, objects_that_are_too_large)
{
    struct {
        uint32_t version, action;
        const struct entry *relevant, *first;
    } descriptor = {.version = 1};
    struct entry one = {.addr = &descriptor, .size = UINT64_MAX};
    struct gdbjit gdbjit = {.descriptor = (uintptr_t)&descriptor};

    descriptor.first = descriptor.relevant = &one;
    expect_look(&gdbjit, "");
    cr_assert(eq(int, gdbjit.full, 1));
    gdbjit_release(&gdbjit);
}
