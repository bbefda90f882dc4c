/* SPDX-License-Identifier: MIT */
/*
 * dump.c - follows the events with a view. What an event is about to change is
 * written before the view takes it into account.
 *
 * A mapping may be in several parts with different protections; they are one
 * code, and have one file.
 *
 * Where children are followed each process has a view and an index of its own:
 *
 *     DIR/index.txt, DIR/0x7f...-g1.bin              the program
 *     DIR/123/index.txt, DIR/123/0x7f...-g1.bin      process 123
 *
 * A child begins with what its memory began with (trace/lineage.h), without
 * writing that once more; it has no directory until it has code to write.
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
#include "trace/lineage.h"
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

struct dump;

struct process {
    struct dump *dump;
    int pid;
    char *name;       /* of its directory */
    int dir;          /* -1: it is not open, ... */
    FILE *index;      /* NULL: nor is this */
    bool made;        /* both are there */
    struct buf intro; /* that the index goes on with */
    struct view view;
    bool has_past;
    bool does; /* something with code, if it only inherits it */
    struct named *named;
    size_t named_count;
    size_t named_capacity;
};

struct dump {
    struct sink sink;
    char *name;
    int dir;
    bool made;      /* by us, just now */
    bool elf;       /* ELF files, too */
    bool unwatched; /* from somewhere on, nothing was seen */
    struct lineage lineage;
    struct process **list; /* the first one began the trace */
    size_t count;
    size_t capacity;
    uint64_t seq; /* of the latest event */
    uint64_t files;
    uint64_t bytes;
    uint64_t left_out; /* generations, because of DUMP_FILES or DUMP_BYTES */
};

/* --- the index ----------------------------------------------------------- */

static int fail(const struct process *process, const char *file,
                struct err *err)
{
    return err_set(err, ERR_OUTPUT, "cannot write '%s/%s': %s", process->name,
                   file, strerror(errno));
}

/* Writes what the pen has, and releases it. */
static int put(struct process *process, struct pen *pen, struct err *err)
{
    size_t len = pen->out.len;
    bool done = fwrite(pen->out.data, 1, len, process->index) == len &&
                fflush(process->index) == 0;

    process->dump->bytes += len;
    pen_release(pen);
    return done ? 0 : fail(process, INDEX, err);
}

/* Opens the index, and the directory of a child, as long as code is written:
 * there may be more children than descriptors. */
static int open_index(struct process *process, struct err *err)
{
    const struct dump *dump = process->dump;
    struct pen pen = {0};
    char pid[16];
    int fd = -1;

    if (!process->index) {
        snprintf(pid, sizeof pid, "%d", process->pid);
        if (process->dir < 0 &&
            (process->made || mkdirat(dump->dir, pid, 0777) == 0))
            process->dir =
                openat(dump->dir, pid, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (process->dir >= 0)
            fd = openat(process->dir, INDEX,
                        O_WRONLY | O_CLOEXEC | O_APPEND |
                            (process->made ? 0 : O_CREAT | O_EXCL),
                        0666);
        process->index = fd >= 0 ? fdopen(fd, "a") : NULL;
        if (!process->index && fd >= 0)
            close(fd);
        if (!process->index)
            return fail(process, INDEX, err);
        process->made = true;
    }
    pen.out = process->intro;
    process->intro = (struct buf){0};
    return put(process, &pen, err);
}

static void close_index(struct process *process)
{
    if (process->index)
        fclose(process->index);
    if (process->dir >= 0)
        close(process->dir);
    process->index = NULL;
    process->dir = -1;
}

/* What is in the files that come now is code of this program. */
static void introduce(struct process *process, const struct texts *argv)
{
    struct pen pen = {0};

    if (process->made)
        pen_end(&pen);
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
    buf_release(&process->intro);
    process->intro = pen.out;
    pen.out = (struct buf){0};
    pen_release(&pen);
}

static void list_names(const struct process *process, struct pen *pen,
                       uint64_t addr, uint64_t last)
{
    size_t left, count = 0;
    const struct stretch *at =
        ranges_from(&process->view.labels.ranges, addr, &left);

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
static int write_file(struct process *process, const struct region *region,
                      const char *file, uint64_t first, uint64_t last,
                      struct err *err)
{
    const struct regions *regions = &process->view.regions;
    const struct pages *pages = &process->view.pages;
    int fd = openat(process->dir, file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                    0666);
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
            process->dump->bytes += done ? len : 0;
            addr += len;
        }
    }
    if (fd < 0 || close(fd) < 0 || !done)
        return fail(process, file, err);
    process->dump->files++;
    return 0;
}

/* The same as an ELF file, next to it. */
static int write_elf(struct process *process, const char *file, uint64_t first,
                     uint64_t last, struct err *err)
{
    size_t size = last - first + 1;
    uint8_t *code = mem_alloc(size);
    int fd =
        openat(process->dir, file, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    bool done;

    pages_read(&process->view.pages, first, size, code);
    done = fd >= 0 && elf_write(fd, first, (struct bytes){code, size},
                                &process->view.labels) == 0;
    free(code);
    if (fd < 0 || close(fd) < 0 || !done)
        return fail(process, file, err);
    process->dump->bytes += size;
    return 0;
}

/* --- generations --------------------------------------------------------- */

/* The generation that a region shows ends now: its mapping's known bytes go to
 * a file, which the index tells of. */
static int end_generation(struct process *process, const struct region *region,
                          const char *until, struct err *err)
{
    struct generation generation = view_generation(&process->view, region);
    const struct regions *regions = &process->view.regions;
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
            !pages_extent(&process->view.pages, part->addr, part->length, &from,
                          &to))
            continue;
        first = first < from ? first : from;
        last = to;
    }
    if (first > last)
        return 0;
    if (process->dump->files >= DUMP_FILES ||
        process->dump->bytes >= DUMP_BYTES) {
        process->dump->left_out++;
        return 0;
    }

    if (open_index(process, err) < 0)
        return -1;
    /* A start and a number, and how many files of these there are already. */
    while (i < process->named_count &&
           (process->named[i].start != region->start ||
            process->named[i].generation != generation.number))
        i++;
    if (i == process->named_count) {
        process->named =
            mem_grow(process->named, process->named_count,
                     &process->named_capacity, sizeof *process->named);
        process->named[process->named_count++] =
            (struct named){region->start, generation.number, 0};
    }
    named = &process->named[i];
    buf_printf(&file, "0x%" PRIx64 "-g%u", region->start, generation.number);
    if (++named->count > 1)
        buf_printf(&file, "-%u", named->count);
    buf_append_text(&file, ".bin");
    name = buf_text(&file);
    result = write_file(process, region, name, first, last, err);
    if (result == 0) {
        pen_end(&pen);
        pen_line(&pen, ROLE_PLAIN,
                 "%s: %" PRIu64 " byte%s at 0x%" PRIx64
                 ", generation %u, until %s (event %" PRIu64 ")",
                 name, last - first + 1, last == first ? "" : "s", first,
                 generation.number, until, process->dump->seq);
        pen_line(&pen, ROLE_PLAIN,
                 "    objdump -D -b binary " ARCH_OBJDUMP
                 " --adjust-vma=0x%" PRIx64 " %s",
                 first, name);
        if (process->dump->elf && last - first < ELF_BYTES) {
            struct buf elf = {0};

            buf_printf(&elf, "%.*s.elf", (int)strlen(name) - 4, name);
            pen_line(&pen, ROLE_PLAIN, "    objdump -d -M intel %s",
                     buf_text(&elf));
            result = write_elf(process, buf_text(&elf), first, last, err);
            buf_release(&elf);
        } else if (process->dump->elf) {
            pen_line(&pen, ROLE_PLAIN,
                     "    no ELF file: it would be larger than %" PRIu64 " MiB",
                     ELF_BYTES >> 20);
        }
        list_names(process, &pen, first, last);
        result = result < 0 ? (pen_release(&pen), -1) : put(process, &pen, err);
    }
    buf_release(&file);
    return result;
}

/* What lies in the range goes away: of each mapping, what it has there. */
static int end_range(struct process *process, uint64_t addr, uint64_t length,
                     const char *until, struct err *err)
{
    const struct regions *regions = &process->view.regions;
    const struct region *first = regions_from(regions, addr);
    const struct region *end = regions->list + regions->count, *before;

    for (const struct region *at = first;
         at && at < end && at->addr < addr + length; at++) {
        bool whole = at->addr >= addr && at->addr + at->length <= addr + length;

        for (before = first; before->mapping != at->mapping;)
            before++;
        if (before == at &&
            end_generation(process, at,
                           whole ? until : "a part of it was unmapped",
                           err) < 0)
            return -1;
    }
    return 0;
}

/* --- the sink ------------------------------------------------------------ */

static struct process *process_of(struct dump *dump, int pid)
{
    struct process *process;
    struct buf name = {0};

    for (size_t i = 0; i < dump->count; i++)
        if (dump->list[i]->pid == pid)
            return dump->list[i];
    dump->list = mem_grow(dump->list, dump->count, &dump->capacity,
                          sizeof(struct process *));
    process = dump->list[dump->count] = mem_alloc(sizeof *process);
    *process = (struct process){.dump = dump, .pid = pid, .dir = -1};
    buf_append_text(&name, dump->name);
    if (dump->count++ > 0)
        buf_printf(&name, "/%d", pid);
    else
        process->dir = dup(dump->dir);
    process->name = mem_copy_text(buf_text(&name));
    buf_release(&name);
    return process;
}

/* What the memory of a process began with. */
static int take_past(void *context, const struct event *event)
{
    struct process *process = context;

    if (event->kind == EVENT_START)
        introduce(process, &event->start.argv);
    view_apply(&process->view, event);
    return 0;
}

/* All that a process has ends. What it only inherits its parent has, too. */
static int end_all(struct process *process, const char *until, struct err *err)
{
    return process->does || process == process->dump->list[0]
               ? end_range(process, 0, UINT64_MAX, until, err)
               : 0;
}

/* It runs another program, as the view will find. */
static int begin_program(struct process *process, const struct event *event,
                         struct err *err)
{
    int result = end_all(process, "it ran another program", err);

    view_release(&process->view);
    process->view = (struct view){0};
    process->does = false;
    introduce(process, &event->start.argv);
    return result;
}

/* What the event is about to end is written. */
static int end_before(struct process *process, const struct event *event,
                      struct err *err)
{
    const struct region *superseded;

    switch (event->kind) {
    case EVENT_START:
        return begin_program(process, event, err);
    case EVENT_MAP:
        return end_range(process, event->map.addr, event->map.length,
                         "it was unmapped", err);
    case EVENT_UNMAP:
        return end_range(process, event->unmap.addr, event->unmap.length,
                         "it was unmapped", err);
    default:
        superseded = view_superseded(&process->view, event);
        return superseded
                   ? end_generation(process, superseded, "it was changed", err)
                   : 0;
    }
}

static int emit(struct sink *sink, const struct event *event, struct err *err)
{
    struct dump *dump = (struct dump *)sink;
    int pid = lineage_pid(&dump->lineage, event);
    struct process *process = process_of(dump, pid);
    struct event own = lineage_own(event, pid);

    lineage_take(&dump->lineage, event);
    if (event->kind != EVENT_VERDICT) /* these come behind the end */
        dump->seq = event->seq;
    if (event->kind == EVENT_LIMIT)
        dump->unwatched |= event_ends_watching(&event->limit);
    if (own.kind == EVENT_START)
        process->has_past = true;
    if (!process->has_past && lineage_needs_past(event)) {
        process->has_past = true;
        lineage_replay(&dump->lineage, pid, take_past, process);
    }
    if (process->view.applied == 0 && own.kind != EVENT_START)
        return 0; /* of a child that has done nothing */
    if (end_before(process, &own, err) < 0 ||
        (process == dump->list[0] && open_index(process, err) < 0))
        return -1;
    if (process != dump->list[0])
        close_index(process);
    process->does |= event_bytes(event, &(uint64_t){0}).len > 0 ||
                     event->kind == EVENT_MAP || event->kind == EVENT_WRITE;
    view_apply(&process->view, &own);
    return 0;
}

static int finish(struct sink *sink, struct err *err)
{
    struct dump *dump = (struct dump *)sink;
    struct pen pen = {0};

    if (dump->count == 0 || !dump->list[0]->index)
        return 0;
    for (size_t i = dump->count; i-- > 0;) {
        if (end_all(dump->list[i], "the end", err) < 0)
            return -1;
        if (i > 0)
            close_index(dump->list[i]);
    }
    pen_end(&pen);
    if (dump->files == 0)
        pen_line(&pen, ROLE_PLAIN,
                 dump->unwatched
                     ? "The program was not watched to its end, and no "
                       "generated code was seen before."
                     : "No generated code was seen.");
    for (size_t i = 1; i < dump->count; i++)
        if (dump->list[i]->made)
            pen_line(&pen, ROLE_PLAIN, "%d/" INDEX ": the code of process %d",
                     dump->list[i]->pid, dump->list[i]->pid);
    if (dump->left_out > 0)
        pen_line(&pen, ROLE_PLAIN,
                 "%llu generations more were not written: no more than %u "
                 "files or %llu MiB are.",
                 (unsigned long long)dump->left_out, DUMP_FILES,
                 (unsigned long long)(DUMP_BYTES >> 20));
    if (pen.out.len == 1)
        buf_clear(&pen.out); /* there is nothing to say */
    return put(dump->list[0], &pen, err);
}

static void free_process(struct process *process)
{
    close_index(process);
    view_release(&process->view);
    buf_release(&process->intro);
    free(process->name);
    free(process->named);
    free(process);
}

static void dump_sink_free(struct sink *sink)
{
    struct dump *dump = (struct dump *)sink;

    if (dump->made && (dump->count == 0 || !dump->list[0]->made))
        rmdir(dump->name);
    for (size_t i = 0; i < dump->count; i++)
        free_process(dump->list[i]);
    close(dump->dir);
    free(dump->list);
    lineage_release(&dump->lineage);
    free(dump->name);
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
