/* SPDX-License-Identifier: MIT */
/*
 * perfmap.c - the file grows at its end, and only what is new is read. It may
 * also be begun anew, by truncating it or by another file in its place. Size
 * and number do not tell when it has grown longer again meanwhile, so the last
 * bytes that were read are compared with what is there.
 */
#include "target/perfmap.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/utf8.h"
#include "target/proc.h"

/* Takes a hex number and the blank behind it from the front of the line. */
static bool take_number(struct bytes *line, uint64_t *out, bool *prefixed)
{
    /* "0x" as perf, which reads it by strtoull(3), allows */
    const size_t first = line->len > 2 && !memcmp(line->data, "0x", 2) ? 2 : 0;
    size_t i = first;

    *prefixed |= first > 0;

    for (*out = 0; i < line->len && isxdigit(line->data[i]); i++) {
        if (*out >> 60)
            return false;
        *out = *out << 4 |
               ((line->data[i] & 15u) + (isdigit(line->data[i]) ? 0 : 9));
    }
    if (i == first || i == line->len || line->data[i] != ' ')
        return false;
    line->data += i + 1;
    line->len -= i + 1;
    return true;
}

bool perfmap_parse(struct bytes line, struct perfmap_line *out)
{
    bool prefixed = false;
    size_t len;

    out->flaw = NULL;
    if (line.len == 0)
        return false;
    if (!take_number(&line, &out->addr, &prefixed) ||
        !take_number(&line, &out->length, &prefixed))
        out->flaw = "does not begin with two numbers in hex and blanks";
    else if (out->addr + out->length < out->addr)
        out->flaw = "is about more bytes than there can be";
    else if (line.len == 0)
        out->flaw = "has no name";
    else if (memchr(line.data, 0, line.len))
        out->flaw = "has a byte in its name that is 0";
    if (out->flaw || out->length == 0)
        return false;
    if (prefixed)
        out->flaw = "has numbers that begin with 0x, which not everybody reads";
    len = utf8_cut(line, NAMING_NAME);
    memcpy(out->name, line.data, len);
    out->name[len] = 0;
    return true;
}

/* What was read of a file says nothing about the one that is read next. */
static void begin_anew(struct perfmap *map)
{
    map->offset = map->tail_len = map->taken = 0;
    map->lines = 0;
    map->from_start = true;
    buf_clear(&map->text);
}

/* Opens the file if it is one that the process may have written. */
static void open_file(struct perfmap *map)
{
    char path[64];
    struct stat file;
    int dir, fd;

    /* The old /tmp is kept where the process has none any more: it has
     * ended. */
    snprintf(path, sizeof path, "/proc/%d/root/tmp", (int)map->pid);
    dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir >= 0) {
        close(map->dir);
        map->dir = dir;
    }
    if (map->dir < 0)
        return;
    /* Nobody's link is followed. A pipe is not even opened: whoever writes to
     * it would find a reader, who goes away at once. */
    proc_user(map->pid, &map->user);
    if (fstatat(map->dir, map->name, &file, AT_SYMLINK_NOFOLLOW) == 0 &&
        !S_ISREG(file.st_mode)) {
        map->is_special = file.st_uid == map->user;
        return;
    }
    fd = openat(map->dir, map->name,
                O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (fstat(fd, &file) < 0 || !S_ISREG(file.st_mode) ||
        file.st_uid != map->user) {
        close(fd);
        return;
    }
    map->file = fd;
    begin_anew(map);
}

/* Moves on to offset, and remembers what is in front of it. */
static void move_on(struct perfmap *map, uint64_t offset)
{
    uint64_t from = offset < sizeof map->tail ? 0 : offset - sizeof map->tail;
    ssize_t got = pread(map->file, map->tail, offset - from, (off_t)from);

    map->tail_len = got == (ssize_t)(offset - from) ? (size_t)got : 0;
    map->offset = offset;
}

void perfmap_init(struct perfmap *map, pid_t pid)
{
    struct stat file;

    *map = (struct perfmap){.pid = pid, .dir = -1, .file = -1};
    proc_user(pid, &map->user);
    snprintf(map->name, sizeof map->name, "perf-%d.map", (int)proc_own_id(pid));
    open_file(map);
    if (map->file >= 0 && fstat(map->file, &file) == 0)
        move_on(map, (uint64_t)file.st_size);
    map->from_start = map->offset == 0;
    map->told_special = map->is_special; /* another process has left it */
}

void perfmap_release(struct perfmap *map)
{
    close(map->file);
    close(map->dir);
    buf_release(&map->text);
}

void perfmap_read(struct perfmap *map)
{
    uint8_t tail[sizeof map->tail];
    char chunk[65536];
    struct stat file;
    uint64_t offset;
    ssize_t got;

    if (map->file < 0)
        open_file(map);
    if (map->file < 0 || map->full)
        return;
    /* Whether what was read is still there, in front of what was not. */
    if (pread(map->file, tail, map->tail_len,
              (off_t)(map->offset - map->tail_len)) != (ssize_t)map->tail_len ||
        memcmp(tail, map->tail, map->tail_len) != 0)
        begin_anew(map);
    offset = map->offset;
    while ((got = pread(map->file, chunk, sizeof chunk, (off_t)offset)) > 0) {
        map->bytes += (uint64_t)got;
        map->full = map->bytes > PERFMAP_BYTES;
        if (map->full)
            break;
        buf_append(&map->text, chunk, (size_t)got);
        offset += (uint64_t)got;
    }
    if (offset != map->offset)
        move_on(map, offset);
    if (fstat(map->file, &file) < 0 || file.st_nlink == 0) {
        close(map->file);
        map->file = -1; /* the next look finds another, if any */
    }
}

/* Takes the name of the last line. */
static bool take_name(struct perfmap *map, struct naming *out)
{
    *out = (struct naming){.kind = NAMING_NAME_GIVEN};
    out->name = (struct event_name){.addr = map->line.addr,
                                    .length = map->line.length,
                                    .name = map->line.name,
                                    .by = NAMED_BY_PERF_MAP};
    map->has_name = false;
    return true;
}

bool perfmap_next(struct perfmap *map, struct naming *out)
{
    if (map->is_special && !map->told_special) {
        map->told_special = true;
        naming_flaw(out, "/tmp/%s is no regular file, and is not read",
                    map->name);
        out->is_slight = true;
        return true;
    }
    while (map->taken < map->text.len && !map->has_name) {
        const uint8_t *line = map->text.data + map->taken;
        size_t rest = map->text.len - map->taken;
        const uint8_t *end = memchr(line, '\n', rest);

        if (!end && rest > PERFMAP_LINE && !map->told_endless) {
            map->told_endless = true;
            naming_flaw(out, "line %llu of /tmp/%s has %zu bytes and no end",
                        (unsigned long long)map->lines + 1, map->name, rest);
            return true;
        }
        if (!end)
            break;
        map->taken += (size_t)(end - line) + 1;
        map->lines++;
        map->has_name = perfmap_parse(
            (struct bytes){line, (size_t)(end - line)}, &map->line);
        if (map->line.flaw && !(map->has_name && map->told_prefix)) {
            naming_flaw(out, "line %llu of /tmp/%s%s %s",
                        (unsigned long long)map->lines, map->name,
                        map->from_start ? "" : " behind what was there before",
                        map->line.flaw);
            map->told_prefix = map->has_name;
            out->is_slight = map->has_name || map->ended;
            return true;
        }
    }
    if (map->has_name)
        return take_name(map, out);
    if (map->taken == 0)
        return false; /* and there may be no text at all */
    memmove(map->text.data, map->text.data + map->taken,
            map->text.len - map->taken);
    map->text.len -= map->taken;
    map->taken = 0;
    return false;
}

void perfmap_end(struct perfmap *map)
{
    if (map->ended || map->full || map->text.len == map->taken)
        return;
    map->ended = true;
    buf_append_text(&map->text, "\n");
}
