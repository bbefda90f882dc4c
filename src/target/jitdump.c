/* SPDX-License-Identifier: MIT */
/*
 * jitdump.c - the file is read on where it has grown, a piece at a time. A
 * record is taken when all of it is there: programs write through a buffer, so
 * that what is at the end may be half of one.
 */
#include "target/jitdump.h"

#include <elf.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "target/machine.h"

#define MAGIC         0x4a695444u
#define MAGIC_SWAPPED 0x4454694au
#define HEADER        40u
#define RECORD_HEADER 16u
#define LOAD_FIXED    56u /* of a load, up to its name */
#define MOVE_SIZE     64u
#define DEBUG_FIXED   32u /* of a debug record, up to its entries */
#define ENTRY_FIXED   16u /* of an entry, up to its file */

/* V8 counts the addresses of entries from the ELF header that perf puts before
 * the code (kElfHeaderSize in src/diagnostics/perf-jit.cc), which is of: */
#define V8_AHEAD sizeof(Elf64_Ehdr)

enum { LOAD, MOVE, DEBUG, CLOSE };

static uint32_t u32(const uint8_t *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof value);
    return value;
}

static uint64_t u64(const uint8_t *at)
{
    uint64_t value;

    memcpy(&value, at, sizeof value);
    return value;
}

bool jitdump_is(const struct maps_line *line)
{
    const char *name = strrchr(line->name, '/');
    size_t digits;

    if (!name || strncmp(name, "/jit-", 5) != 0)
        return false;
    digits = strspn(name + 5, "0123456789");
    name += 5 + digits;
    return digits > 0 &&
           (strcmp(name, ".dump") == 0 || strcmp(name, ".dump (deleted)") == 0);
}

bool jitdump_open(struct jitdump *dump, pid_t pid, int fd,
                  const struct maps_line *line)
{
    char path[64 + sizeof line->name];
    struct stat file;

    /* By the descriptor it is this very file, whatever has its name by now. */
    if (fd >= 0)
        snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)pid, fd);
    else
        snprintf(path, sizeof path, "/proc/%d/root%s", (int)pid, line->name);
    if (stat(path, &file) < 0 || !S_ISREG(file.st_mode) ||
        file.st_ino != line->inode)
        return false;
    fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return false;
    *dump = (struct jitdump){
        .inode = line->inode, .pid = proc_own_id(pid), .file = fd};
    snprintf(dump->name, sizeof dump->name, "%s", line->name);
    return true;
}

void jitdump_release(struct jitdump *dump)
{
    if (dump->file >= 0)
        close(dump->file);
    buf_release(&dump->text);
    buf_release(&dump->lines);
    free(dump->rows);
}

/* Reads a piece more. Returns false if there is none. */
static bool read_on(struct jitdump *dump)
{
    char piece[65536];
    ssize_t got;

    if (dump->file < 0)
        return false;
    got = pread(dump->file, piece, sizeof piece, (off_t)dump->offset);
    if (got <= 0)
        return false;
    dump->offset += (uint64_t)got;
    if (dump->offset > JITDUMP_BYTES)
        dump->ended = dump->full = true;
    if (dump->taken > 0)
        memmove(dump->text.data, dump->text.data + dump->taken,
                dump->text.len - dump->taken);
    dump->text.len -= dump->taken;
    dump->taken = 0;
    buf_append(&dump->text, piece, (size_t)got);
    return !dump->ended;
}

/* Takes size bytes, or NULL if they are not there yet. */
static const uint8_t *peek(struct jitdump *dump, size_t size)
{
    while (dump->text.len - dump->taken < size)
        if (!read_on(dump))
            return NULL;
    return dump->text.data + dump->taken;
}

/* Returns 1 if it is a header, and 0 if it is not there yet; -1 with a flaw. */
static int take_header(struct jitdump *dump, struct naming *out)
{
    const uint8_t *at = peek(dump, HEADER);
    uint32_t size;

    if (!at)
        return 0;
    size = u32(at + 8);
    dump->ended = true;
    if (u32(at) == MAGIC_SWAPPED)
        naming_flaw(out,
                    "%s was written in the byte order of another kind of "
                    "machine, and is not read",
                    dump->name);
    else if (u32(at) != MAGIC)
        naming_flaw(out, "%s does not begin as a jitdump does, with 0x%x",
                    dump->name, MAGIC);
    else if (u32(at + 4) != 1)
        naming_flaw(out,
                    "%s says that it is of version %" PRIu32
                    ", which is none; there is version 1",
                    dump->name, u32(at + 4));
    else if (size < HEADER || size > JITDUMP_RECORD)
        naming_flaw(out,
                    "the header of %s says that it has %" PRIu32
                    " bytes; it has %u",
                    dump->name, size, HEADER);
    else if (u32(at + 12) != ARCH_ELF)
        naming_flaw(out,
                    "%s says that its code is for machine %" PRIu32
                    " (elf_mach), and not for this one, %u",
                    dump->name, u32(at + 12), ARCH_ELF);
    else
        dump->ended = false;
    if (dump->ended)
        return -1;
    if (!peek(dump, size))
        return 0;
    at = dump->text.data + dump->taken;
    dump->taken += size;
    dump->begun = true;
    if (dump->pid == 0 || u32(at + 20) == (uint32_t)dump->pid)
        return 1;
    naming_flaw(out,
                "%s says that it is of process %" PRIu32 ", but this is %d",
                dump->name, u32(at + 20), (int)dump->pid);
    return -1;
}

/* The entries of the debug record, if it is of that code: as many rows as are
 * whole. Their addresses become offsets. */
static struct line_rows take_rows(struct jitdump *dump, uint64_t addr,
                                  uint64_t length)
{
    const uint8_t *record = dump->lines.data, *at, *end;
    uint64_t lowest = UINT64_MAX, greatest = 0;
    const char *file = NULL;
    size_t count = 0;

    if (dump->lines.len < DEBUG_FIXED || u64(record + 16) != addr)
        return (struct line_rows){0};
    at = record + DEBUG_FIXED;
    end = record + dump->lines.len;
    for (uint64_t left = u64(record + 24); left > 0 && count < MAX_ROWS;
         left--) {
        const char *name = (const char *)at + ENTRY_FIXED;
        const uint8_t *nul;
        uint32_t line;

        if ((size_t)(end - at) <= ENTRY_FIXED)
            break;
        nul = memchr(name, 0, (size_t)(end - at) - ENTRY_FIXED);
        if (!nul)
            break;
        if (strcmp(name, "\xff") != 0)
            file = name;
        line = u32(at + 8);
        if (file && *file && line <= INT32_MAX && strlen(file) <= NAMING_PATH) {
            dump->rows = mem_grow(dump->rows, count, &dump->row_capacity,
                                  sizeof *dump->rows);
            dump->rows[count] =
                (struct line_row){u64(at) - addr, file, (int)line};
            lowest = dump->rows[count].offset < lowest
                         ? dump->rows[count].offset
                         : lowest;
            greatest = dump->rows[count].offset > greatest
                           ? dump->rows[count].offset
                           : greatest;
            count++;
        }
        at = nul + 1;
    }
    if (lowest == V8_AHEAD || (lowest > V8_AHEAD && greatest >= length))
        for (size_t i = 0; i < count; i++)
            dump->rows[i].offset -= V8_AHEAD;
    naming_sort_rows(dump->rows, &count, length);
    return (struct line_rows){dump->rows, count};
}

/* Returns whether there is anything to say of the record. */
static bool take_load(struct jitdump *dump, struct bytes record,
                      struct naming *out)
{
    const uint8_t *name = record.data + LOAD_FIXED, *nul, *code;
    uint64_t addr, size;
    struct bytes text;

    nul = record.len > LOAD_FIXED ? memchr(name, 0, record.len - LOAD_FIXED)
                                  : NULL;
    if (!nul) {
        naming_flaw(out,
                    "record %" PRIu64 " of %s loads code, and is too "
                    "short for its name",
                    dump->records, dump->name);
        return true;
    }
    addr = u64(record.data + 32);
    size = u64(record.data + 40);
    code = nul + 1;
    text = (struct bytes){name, (size_t)(nul - name)};
    if (size == 0 || text.len == 0)
        return false;
    if (addr + size < addr) {
        naming_flaw(out,
                    "record %" PRIu64 " of %s loads 0x%" PRIx64
                    " bytes at 0x%" PRIx64 ", which is more than there can be",
                    dump->records, dump->name, size, addr);
        return true;
    }
    if (size > (size_t)(record.data + record.len - code)) {
        naming_flaw(out,
                    "record %" PRIu64 " of %s says that it loads %" PRIu64
                    " bytes of code, and has %zu",
                    dump->records, dump->name, size,
                    (size_t)(record.data + record.len - code));
        return true;
    }
    text.len = utf8_cut(text, NAMING_NAME);
    memcpy(dump->last_name, text.data, text.len);
    dump->last_name[text.len] = 0;
    *out = (struct naming){.kind = NAMING_NAME_GIVEN};
    out->name = (struct event_name){
        .addr = addr,
        .length = size,
        .name = dump->last_name,
        .by = NAMED_BY_JITDUMP,
        .code = {code, size < NAMING_CODE ? size : NAMING_CODE},
        .lines = take_rows(dump, addr, size),
    };
    buf_clear(&dump->lines);
    return true;
}

static bool take_move(struct jitdump *dump, struct bytes record,
                      struct naming *out)
{
    uint64_t size;

    if (record.len < MOVE_SIZE) {
        naming_flaw(out,
                    "record %" PRIu64 " of %s moves code, and has %zu "
                    "bytes in place of %u",
                    dump->records, dump->name, record.len, MOVE_SIZE);
        return true;
    }
    *out = (struct naming){.kind = NAMING_MOVED, .from = u64(record.data + 32)};
    out->name.addr = u64(record.data + 40);
    out->name.length = size = u64(record.data + 48);
    return size > 0 && out->name.addr + size > out->name.addr;
}

/* Whether the record has no room for as many entries as it says. */
static bool lacks_entries(const struct jitdump *dump, struct bytes record,
                          struct naming *out)
{
    const uint64_t room = record.len < DEBUG_FIXED
                              ? 0
                              : (record.len - DEBUG_FIXED) / (ENTRY_FIXED + 1);

    if (record.len >= DEBUG_FIXED && u64(record.data + 24) <= room)
        return false;
    if (record.len < DEBUG_FIXED)
        naming_flaw(out,
                    "record %" PRIu64 " of %s is about lines, and has %zu "
                    "bytes in place of %u",
                    dump->records, dump->name, record.len, DEBUG_FIXED);
    else
        naming_flaw(out,
                    "record %" PRIu64 " of %s says that it has %" PRIu64
                    " lines, and has room for %" PRIu64,
                    dump->records, dump->name, u64(record.data + 24), room);
    return true;
}

/* Takes what the next record says. Returns false if it says nothing. */
static bool take_record(struct jitdump *dump, struct bytes record,
                        struct naming *out)
{
    switch (u32(record.data)) {
    case LOAD:
        return take_load(dump, record, out);
    case MOVE:
        return take_move(dump, record, out);
    case DEBUG:
        buf_clear(&dump->lines);
        buf_append(&dump->lines, record.data, record.len);
        return lacks_entries(dump, record, out);
    case CLOSE:
        dump->ended = true;
        return false;
    default: /* unwinding, and what is not known yet */
        return false;
    }
}

bool jitdump_end(struct jitdump *dump, struct naming *out)
{
    size_t left = dump->text.len - dump->taken;

    if (dump->ended || (dump->begun && left == 0))
        return false;
    dump->ended = true;
    if (dump->begun)
        naming_flaw(out,
                    "record %" PRIu64
                    " of %s goes beyond its end: there are %zu bytes of it",
                    dump->records + 1, dump->name, left);
    else
        naming_flaw(out, "%s has %zu bytes, which is no whole header",
                    dump->name, left);
    out->is_slight = true;
    return true;
}

bool jitdump_next(struct jitdump *dump, struct naming *out)
{
    const uint8_t *at;
    uint32_t size;
    int begun;

    if (!dump->begun && !dump->ended) {
        begun = take_header(dump, out);
        if (begun <= 0)
            return begun < 0;
    }
    while (!dump->ended && (at = peek(dump, RECORD_HEADER)) != NULL) {
        size = u32(at + 4);
        if (size < RECORD_HEADER || size > JITDUMP_RECORD) {
            dump->ended = true;
            naming_flaw(out,
                        "record %" PRIu64 " of %s says that it has %" PRIu32
                        " bytes, so that the next one is not found",
                        dump->records + 1, dump->name, size);
            return true;
        }
        at = peek(dump, size);
        if (!at)
            return false;
        dump->taken += size;
        dump->records++;
        if (take_record(dump, (struct bytes){at, size}, out))
            return true;
    }
    return false;
}
