/* SPDX-License-Identifier: MIT */
/*
 * dump.c - follows the events with a view. What an event is about to change is
 * written before the view takes it into account.
 *
 * A mapping may be in several parts with different protections; they are one
 * code, and have one file.
 */
#include "format/format.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "format/elf.h"
#include "tell/pen.h"
#include "trace/view.h"
#include "cpu/regs.h"

#define INDEX "index.txt"

/* Of so many names in a file the index tells. */
#define NAMES_LISTED 1000u

/* Files by what their names begin with. */
struct named {
    uint64_t start;
    unsigned generation;
    unsigned count;
};

struct dump {
    struct sink sink;
    char *name;
    int dir;
    bool made;      /* by us, just now */
    bool elf;       /* ELF files, too */
    bool unwatched; /* from somewhere on, nothing was seen */
    FILE *index;
    struct view view;
    int64_t root; /* the process of the start event, whose code is dumped */
    uint64_t seq; /* of the latest event */
    struct named *named;
    size_t named_count;
    size_t named_capacity;
    uint64_t files;
    uint64_t bytes;
    uint64_t left_out; /* generations, because of DUMP_FILES or DUMP_BYTES */
};

/* --- the index ----------------------------------------------------------- */

static int fail(const struct dump *dump, const char *file, struct err *err)
{
    return err_set(err, ERR_OUTPUT, "cannot write '%s/%s': %s", dump->name,
                   file, strerror(errno));
}

static int put(struct dump *dump, struct pen *pen, struct err *err)
{
    size_t len = pen->out.len;
    bool done = fwrite(pen->out.data, 1, len, dump->index) == len &&
                fflush(dump->index) == 0;

    dump->bytes += len;
    pen_release(pen);
    return done ? 0 : fail(dump, INDEX, err);
}

static void list_names(const struct dump *dump, struct pen *pen, uint64_t addr,
                       uint64_t last)
{
    size_t left, count = 0;
    const struct stretch *at =
        ranges_from(&dump->view.labels.ranges, addr, &left);

    for (; left > 0 && at->from <= last; at++, left--) {
        const struct label *label = (const struct label *)at->value;

        if (++count > NAMES_LISTED)
            continue;
        pen_print(pen, ROLE_PLAIN, "    0x%llx %6llu  %s",
                  (unsigned long long)at->from,
                  (unsigned long long)(at->to - at->from), label->name);
        if (at->from > label->addr)
            pen_print(pen, ROLE_PLAIN, "+0x%llx",
                      (unsigned long long)(at->from - label->addr));
        pen_end(pen);
    }
    if (count > NAMES_LISTED) {
        pen_print(pen, ROLE_PLAIN, "    ... and %zu names more",
                  count - NAMES_LISTED);
        pen_end(pen);
    }
}

/* --- a file -------------------------------------------------------------- */

/* Writes the code of a mapping, from first to last, to a file. */
static int write_file(struct dump *dump, const struct region *region,
                      const char *file, uint64_t first, uint64_t last,
                      struct err *err)
{
    const struct regions *regions = &dump->view.regions;
    const struct pages *pages = &dump->view.pages;
    int fd =
        openat(dump->dir, file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    bool done = fd >= 0 && ftruncate(fd, (off_t)(last - first + 1)) == 0;
    uint8_t bytes[ARCH_PAGE_SIZE];

    for (size_t i = 0; done && i < regions->count; i++) {
        uint64_t addr = regions->list[i].addr;
        uint64_t end = addr + regions->list[i].length;

        if (regions->list[i].mapping != region->mapping)
            continue;
        end = end <= last ? end : last + 1;
        while (done && addr < end &&
               (addr = pages_next(pages, addr, end)) < end) {
            uint64_t stop = addr - addr % ARCH_PAGE_SIZE + ARCH_PAGE_SIZE;
            size_t len = (stop < end ? stop : end) - addr;

            pages_read(pages, addr, len, bytes);
            errno = ENOSPC; /* what a short write means */
            done =
                pwrite(fd, bytes, len, (off_t)(addr - first)) == (ssize_t)len;
            dump->bytes += done ? len : 0;
            addr += len;
        }
    }
    if (fd < 0 || close(fd) < 0 || !done)
        return fail(dump, file, err);
    dump->files++;
    return 0;
}

/* The same as an ELF file, next to it. */
static int write_elf(struct dump *dump, const char *file, uint64_t first,
                     uint64_t last, struct err *err)
{
    size_t size = last - first + 1;
    uint8_t *code = mem_alloc(size);
    int fd =
        openat(dump->dir, file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    bool done;

    pages_read(&dump->view.pages, first, size, code);
    done = fd >= 0 && elf_write(fd, first, (struct bytes){code, size},
                                &dump->view.labels) == 0;
    free(code);
    if (fd < 0 || close(fd) < 0 || !done)
        return fail(dump, file, err);
    dump->bytes += size;
    return 0;
}

/* --- generations --------------------------------------------------------- */

/* The generation that a region shows ends now: its mapping's known bytes go to
 * a file, which the index tells of. */
static int end_generation(struct dump *dump, const struct region *region,
                          const char *until, struct err *err)
{
    struct generation generation = view_generation(&dump->view, region);
    const struct regions *regions = &dump->view.regions;
    uint64_t first = UINT64_MAX, last = 0, from, to;
    struct buf file = {0};
    struct pen pen = {0};
    struct named *named;
    const char *name;
    size_t i = 0;
    int result;

    for (size_t k = 0; generation.executable && k < regions->count; k++) {
        const struct region *part = &regions->list[k];

        if (part->mapping != region->mapping ||
            !pages_extent(&dump->view.pages, part->addr, part->length, &from,
                          &to))
            continue;
        first = first < from ? first : from;
        last = to;
    }
    if (first > last)
        return 0;
    if (dump->files >= DUMP_FILES || dump->bytes >= DUMP_BYTES) {
        dump->left_out++;
        return 0;
    }

    /* A start and a number, and how many files of these there are already. */
    while (i < dump->named_count &&
           (dump->named[i].start != region->start ||
            dump->named[i].generation != generation.number))
        i++;
    if (i == dump->named_count) {
        dump->named = mem_grow(dump->named, dump->named_count,
                               &dump->named_capacity, sizeof *dump->named);
        dump->named[dump->named_count++] =
            (struct named){region->start, generation.number, 0};
    }
    named = &dump->named[i];
    buf_printf(&file, "0x%" PRIx64 "-g%u", region->start, generation.number);
    if (++named->count > 1)
        buf_printf(&file, "-%u", named->count);
    buf_append_text(&file, ".bin");
    name = buf_text(&file);
    result = write_file(dump, region, name, first, last, err);
    if (result == 0) {
        pen_end(&pen);
        pen_line(&pen, ROLE_PLAIN,
                 "%s: %" PRIu64 " byte%s at 0x%" PRIx64
                 ", generation %u, until %s (event %" PRIu64 ")",
                 name, last - first + 1, last == first ? "" : "s", first,
                 generation.number, until, dump->seq);
        pen_line(&pen, ROLE_PLAIN,
                 "    objdump -D -b binary " ARCH_OBJDUMP
                 " --adjust-vma=0x%" PRIx64 " %s",
                 first, name);
        if (dump->elf && last - first < ELF_BYTES) {
            struct buf elf = {0};

            buf_printf(&elf, "%.*s.elf", (int)strlen(name) - 4, name);
            pen_line(&pen, ROLE_PLAIN, "    objdump -d -M intel %s",
                     buf_text(&elf));
            result = write_elf(dump, buf_text(&elf), first, last, err);
            buf_release(&elf);
        } else if (dump->elf) {
            pen_line(&pen, ROLE_PLAIN,
                     "    no ELF file: it would be larger than %" PRIu64 " MiB",
                     ELF_BYTES >> 20);
        }
        list_names(dump, &pen, first, last);
        result = result < 0 ? (pen_release(&pen), -1) : put(dump, &pen, err);
    }
    buf_release(&file);
    return result;
}

/* What lies in the range goes away: of each mapping, what it has there. */
static int end_range(struct dump *dump, uint64_t addr, uint64_t length,
                     const char *until, struct err *err)
{
    const struct regions *regions = &dump->view.regions;
    const struct region *first = regions_from(regions, addr);
    const struct region *end = regions->list + regions->count, *before;

    for (const struct region *at = first;
         at && at < end && at->addr < addr + length; at++) {
        bool whole = at->addr >= addr && at->addr + at->length <= addr + length;

        for (before = first; before->mapping != at->mapping;)
            before++;
        if (before == at &&
            end_generation(
                dump, at, whole ? until : "a part of it was unmapped", err) < 0)
            return -1;
    }
    return 0;
}

/* --- the sink ------------------------------------------------------------ */

static int emit(struct sink *sink, const struct event *event, struct err *err)
{
    struct dump *dump = (struct dump *)sink;
    const struct region *superseded = view_superseded(&dump->view, event);
    const struct texts *argv = &event->start.argv;
    struct pen pen = {0};
    int result = 0, fd;

    if (event->kind == EVENT_START)
        dump->root = event->start.pid;
    if (event->pid && event->pid != dump->root) /* of a child */
        return 0;
    if (event->kind != EVENT_VERDICT) /* these come behind the end */
        dump->seq = event->seq;
    if (!dump->index) {
        fd = openat(dump->dir, INDEX, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                    0666);
        dump->index = fd >= 0 ? fdopen(fd, "w") : NULL;
        if (!dump->index && fd >= 0)
            close(fd);
        if (!dump->index)
            return fail(dump, INDEX, err);
    }

    /* What the event is about to end is written. */
    switch (event->kind) {
    case EVENT_START:
        pen_text(&pen, ROLE_PLAIN, "The code that this program generated:");
        for (size_t i = 0; i < argv->count; i++)
            pen_print(&pen, ROLE_PLAIN, " %s", argv->list[i]);
        pen_end(&pen);
        pen_blank(&pen);
        pen_words(&pen, ROLE_PLAIN, 0,
                  "A file holds the code of one mapping, from its first to its "
                  "last byte that was seen; what was not seen is 0. When code "
                  "is changed after it was used, the next generation of it "
                  "begins, in a file of its own. The command below a file "
                  "disassembles it, in this directory; names are those that "
                  "the program gave.");
        result = put(dump, &pen, err);
        break;
    case EVENT_MAP:
        result = end_range(dump, event->map.addr, event->map.length,
                           "it was unmapped", err);
        break;
    case EVENT_UNMAP:
        result = end_range(dump, event->unmap.addr, event->unmap.length,
                           "it was unmapped", err);
        break;
    case EVENT_LIMIT:
        dump->unwatched |= event_ends_watching(&event->limit);
        break;
    default:
        if (superseded)
            result = end_generation(dump, superseded, "it was changed", err);
    }
    if (result == 0)
        view_apply(&dump->view, event);
    return result;
}

static int finish(struct sink *sink, struct err *err)
{
    struct dump *dump = (struct dump *)sink;
    struct pen pen = {0};

    if (!dump->index)
        return 0;
    if (end_range(dump, 0, UINT64_MAX, "the end", err) < 0)
        return -1;
    pen_end(&pen);
    if (dump->files == 0 && dump->unwatched)
        pen_text(&pen, ROLE_PLAIN,
                 "The program was not watched to its end, and no generated "
                 "code was seen before.");
    else if (dump->files == 0)
        pen_text(&pen, ROLE_PLAIN, "No generated code was seen.");
    else if (dump->left_out > 0)
        pen_print(&pen, ROLE_PLAIN,
                  "%llu generations more were not written: no more than %u "
                  "files or %llu MiB are.",
                  (unsigned long long)dump->left_out, DUMP_FILES,
                  (unsigned long long)(DUMP_BYTES >> 20));
    else
        buf_clear(&pen.out); /* there is nothing to say */
    if (pen.out.len > 0)
        pen_end(&pen);
    return put(dump, &pen, err);
}

static void dump_sink_free(struct sink *sink)
{
    struct dump *dump = (struct dump *)sink;

    if (dump->index)
        fclose(dump->index);
    else if (dump->made)
        rmdir(dump->name);
    close(dump->dir);
    view_release(&dump->view);
    free(dump->name);
    free(dump->named);
    free(dump);
}

/* Whether there is nothing in it but itself and its parent. */
static bool is_empty(const char *name)
{
    DIR *list = opendir(name);
    const struct dirent *entry;
    bool empty = true;

    while (list && empty && (entry = readdir(list)) != NULL)
        empty = !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..");
    if (list)
        closedir(list);
    return empty;
}

struct sink *dump_sink_new(const char *name, bool elf, struct err *err)
{
    bool made = mkdir(name, 0777) == 0;
    struct dump *dump;
    int dir = -1;

    if (made || errno == EEXIST)
        dir = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0) {
        err_set(err, ERR_CREATE, "cannot make the directory '%s': %s", name,
                strerror(errno));
        return NULL;
    }
    if (!made && !is_empty(name)) {
        close(dir);
        err_set(err, ERR_CREATE,
                "'%s' is not empty; --dump-code wants a new or empty directory",
                name);
        return NULL;
    }
    dump = mem_alloc(sizeof *dump);
    dump->sink = (struct sink){emit, finish, dump_sink_free};
    dump->name = mem_copy_text(name);
    dump->dir = dir;
    dump->made = made;
    dump->elf = elf;
    return &dump->sink;
}
