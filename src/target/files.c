/* SPDX-License-Identifier: MIT */
#include "target/lines.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/utf8.h"

/* Debug information may name anything, so much of a file and of all of them is
 * read: a source has some 100 kB, the largest that are written by machines some
 * MB and 250,000 lines. */
#define FILE_BYTES (4u << 20)
#define FILE_LINES (1u << 18)
#define ALL_BYTES  (64u << 20)

/* Lines on both sides that a reader wants to see, and that are handed out. */
#define EXCERPT_LEAST 16
#define EXCERPT_MOST  64
#define EXCERPT_WIDTH 240 /* bytes */

struct line {
    const char *text; /* it ends with a NUL */
    bool excerpted;   /* it was in an excerpt */
};

struct file {
    char *path;       /* as the debug information has it */
    const char *name; /* its last part */
    char *text;       /* of all lines */
    struct line *line;
    size_t line_count;
    char **excerpt; /* all that were handed out */
    size_t excerpt_count;
    size_t excerpt_capacity;
};

void files_release(struct files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        struct file *file = &files->list[i];

        for (size_t j = 0; j < file->excerpt_count; j++)
            free(file->excerpt[j]);
        free(file->line);
        free(file->excerpt);
        free(file->text);
        free(file->path);
    }
    free(files->list);
}

/* A file with the lines of the text. */
static struct file *add_file(struct files *files, const char *path,
                             struct bytes text)
{
    size_t capacity = 0;
    struct file *file;
    char *at, *end;

    files->list = mem_grow(files->list, files->count, &files->capacity,
                           sizeof *files->list);
    file = &files->list[files->count++];
    *file = (struct file){.path = mem_copy_text(path)};
    file->name = basename(file->path);
    file->text = at = mem_alloc(text.len + 1);
    if (text.len > 0)
        memcpy(at, text.data, text.len);
    for (end = at + text.len; at < end && file->line_count < FILE_LINES; at++) {
        file->line = mem_grow(file->line, file->line_count, &capacity,
                              sizeof *file->line);
        file->line[file->line_count++] = (struct line){.text = at};
        at = memchr(at, '\n', (size_t)(end - at));
        if (!at)
            break;
        *at = 0;
    }
    return file;
}

void files_provide(struct files *files, const char *name, struct bytes text)
{
    add_file(files, name, text);
}

int files_open(const char *path)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat file;

    if (fd >= 0 && (fstat(fd, &file) < 0 || !S_ISREG(file.st_mode))) {
        close(fd);
        return -1;
    }
    return fd;
}

/* A source file that cannot be read has no lines, nor has one that was changed
 * after the program was built, if it is what that was built from. Of one that is
 * longer than may be, its whole lines are taken. */
static void find(struct files *files, const char *path, const char *directory,
                 int line, bool any_age, struct srcline *out)
{
    size_t most = ALL_BYTES - files->bytes;
    struct buf where = {0}, text = {0};
    struct stat source, program;
    struct file *file = NULL;
    char chunk[4096], exe[64];
    ssize_t got;
    int fd;

    for (size_t i = 0; i < files->count && !file; i++)
        if (!strcmp(files->list[i].path, path) ||
            !strcmp(files->list[i].path, basename(path)))
            file = &files->list[i];
    if (!file) {
        if (path[0] != '/')
            buf_printf(&where, "%s/", directory ? directory : ".");
        buf_append_text(&where, path);
        fd = files_open(buf_text(&where));
        most = most < FILE_BYTES ? most : FILE_BYTES;
        snprintf(exe, sizeof exe, "/proc/%d/exe", (int)files->pid);
        if (fd >= 0 &&
            (any_age || fstat(fd, &source) < 0 || stat(exe, &program) < 0 ||
             source.st_mtime <= program.st_mtime))
            while (text.len <= most &&
                   (got = read(fd, chunk, sizeof chunk)) > 0)
                buf_append(&text, chunk, (size_t)got);
        if (fd >= 0)
            close(fd);
        if (text.len > most)
            for (text.len = most;
                 text.len > 0 && text.data[text.len - 1] != '\n';)
                text.len--;
        files->bytes += text.len;
        file = add_file(files, path, (struct bytes){text.data, text.len});
        buf_release(&text);
        buf_release(&where);
    }
    out->file = file->name;
    out->line = line;
    if ((size_t)line > file->line_count)
        return;
    out->text = file->line[line - 1].text;
    out->text += strspn(out->text, " \t");
}

void files_find(struct files *files, const char *path, const char *directory,
                int line, struct srcline *out)
{
    find(files, path, directory, line, false, out);
}

void files_find_made(struct files *files, const char *path, int line,
                     struct srcline *out)
{
    find(files, path, NULL, line, true, out);
}

/* Lines from *first to before *end, so many on both sides of line n. */
static void around(const struct file *file, size_t n, size_t many,
                   size_t *first, size_t *end)
{
    *first = n > many ? n - many : 0;
    *end = n + many < file->line_count ? n + many + 1 : file->line_count;
}

void files_excerpt(struct files *files, struct srcline *place)
{
    const size_t n = (size_t)place->line - 1;
    struct file *file = files->list, *last = file + files->count;
    struct buf text = {0};
    size_t first, end;

    while (file < last && place->file != file->name)
        file++;
    if (file == last || n >= file->line_count)
        return;
    around(file, n, EXCERPT_LEAST, &first, &end);
    while (first < end && file->line[first].excerpted)
        first++;
    if (first == end)
        return;
    around(file, n, EXCERPT_MOST, &first, &end);
    place->excerpt_line = (int)first + 1;
    for (; first < end; first++) {
        const char *line = file->line[first].text;
        struct bytes bytes = {(const uint8_t *)line, strlen(line)};

        buf_append(&text, line, utf8_cut(bytes, EXCERPT_WIDTH));
        buf_append(&text, "\n", 1);
        file->line[first].excerpted = true;
    }
    file->excerpt = mem_grow(file->excerpt, file->excerpt_count,
                             &file->excerpt_capacity, sizeof *file->excerpt);
    place->excerpt = mem_copy_text(buf_text(&text));
    file->excerpt[file->excerpt_count++] = (char *)(uintptr_t)place->excerpt;
    buf_release(&text);
}
