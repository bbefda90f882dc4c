/* SPDX-License-Identifier: MIT */
/*
 * libdw finds the modules of a process in /proc/PID/maps and opens their files
 * when first asked about an address in them. Three things it does not do:
 *
 * - A program started from a memfd has no path to open; /proc/PID/exe has it.
 * - clang writes no .debug_aranges, without which dwfl_module_getsrc finds no
 *   unit; dwarf_haspc on each unit does.
 * - Modules that were loaded later are unknown; when an address is in none,
 *   the maps are read again, but not twice for the same address in a row.
 */
#include "target/lines.h"

#include <dwarf.h>
#include <elfutils/libdwelf.h>
#include <elfutils/libdwfl.h>
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/utf8.h"
#include "target/proc.h"
#include "target/symbols.h"

struct line {
    const char *start; /* in the text of the file */
    size_t len;        /* without its newline */
    char *trimmed;     /* a copy without indentation */
    bool excerpted;    /* it was in an excerpt */
};

struct file {
    char *path;        /* as the debug information has it */
    const char *name;  /* its last part */
    struct bytes text; /* borrowed or owned */
    char *owned;       /* what to free, or NULL */
    struct line *line;
    size_t line_count;
    char **excerpt; /* all that were handed out */
    size_t excerpt_count;
    size_t excerpt_capacity;
};

/* A place in source as libdw has it. */
struct found {
    const char *path; /* NULL: it is not known */
    const char *directory;
    int line;
};

/*
 * Debug information may name anything, so much of a file and of all of them is
 * read: a source has some 100 kB, the largest that are written by machines some
 * MB and 250,000 lines.
 */
#define FILE_BYTES (4u << 20)
#define FILE_LINES (1u << 18)
#define ALL_BYTES  (64u << 20)

/* No source has more lines; a recording takes no more. */
#define LINE_NUMBER_MOST 1000000000

/* Control goes to and fro between the same few places, and a program without
 * debug information has each of its units searched for each of them. */
#define ANSWERS 256

struct answer {
    uint64_t pc;
    const Dwfl_Module *module; /* NULL: none is kept here */
    struct found found;
};

struct lines {
    pid_t pid;
    Dwfl *dwfl;
    bool failed;             /* libdw knows nothing of this process */
    size_t bytes;            /* of all sources that were read */
    bool attached;           /* frames can be asked for */
    bool asked;              /* has_lines holds */
    bool has_lines;          /* the program itself has debug information */
    Dwfl_Module *program;    /* that of the program itself, once asked for */
    uint64_t reported;       /* the address for which maps were read last */
    const struct regs *regs; /* of the thread being unwound */
    struct symbols *symbols;
    struct answer answers[ANSWERS]; /* by address */
    struct file *files;
    size_t file_count;
    size_t file_capacity;
};

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

struct lines *lines_new(pid_t pid)
{
    struct lines *lines = mem_alloc(sizeof *lines);

    lines->pid = pid;
    lines->symbols = symbols_new(pid);
    return lines;
}

static void file_release(struct file *file)
{
    for (size_t i = 0; i < file->line_count; i++)
        free(file->line[i].trimmed);
    for (size_t i = 0; i < file->excerpt_count; i++)
        free(file->excerpt[i]);
    free(file->line);
    free(file->excerpt);
    free(file->owned);
    free(file->path);
}

void lines_free(struct lines *lines)
{
    if (!lines)
        return;
    if (lines->dwfl)
        dwfl_end(lines->dwfl);
    for (size_t i = 0; i < lines->file_count; i++)
        file_release(&lines->files[i]);
    free(lines->files);
    symbols_free(lines->symbols);
    free(lines);
}

static struct file *add_file(struct lines *lines, const char *path)
{
    struct file *file;

    lines->files = mem_grow(lines->files, lines->file_count,
                            &lines->file_capacity, sizeof *lines->files);
    file = &lines->files[lines->file_count++];
    *file = (struct file){.path = mem_copy_text(path)};
    file->name = base_name(file->path);
    return file;
}

static void add_line(struct file *file, const char *start, size_t len,
                     size_t *capacity)
{
    struct line *line;
    size_t skip = 0;

    while (skip < len && (start[skip] == ' ' || start[skip] == '\t'))
        skip++;
    file->line =
        mem_grow(file->line, file->line_count, capacity, sizeof *file->line);
    line = &file->line[file->line_count++];
    *line = (struct line){.start = start, .len = strnlen(start, len)};
    line->trimmed = mem_alloc(len - skip + 1);
    memcpy(line->trimmed, start + skip, len - skip);
}

static void split_lines(struct file *file)
{
    const char *at = (const char *)file->text.data;
    const char *end = at + file->text.len;
    size_t capacity = 0;

    while (at < end && file->line_count < FILE_LINES) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        size_t len = (size_t)((stop ? stop : end) - at);

        add_line(file, at, len, &capacity);
        at += len + 1;
    }
}

void lines_provide(struct lines *lines, const char *name, struct bytes text)
{
    struct file *file = add_file(lines, name);

    file->text = text;
    split_lines(file);
}

/* A source that was changed after the program was built tells wrong lines. */
static bool is_newer_than_program(int source, pid_t pid)
{
    struct stat text, program;
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
    return fstat(source, &text) == 0 && stat(path, &program) == 0 &&
           text.st_mtime > program.st_mtime;
}

/*
 * Opens what somebody else has named, if it is a regular file: a pipe would
 * have nobody to write to it, a terminal would become ours, a device may have
 * no end. Returns a descriptor or -1.
 */
static int open_regular(const char *path)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat file;

    if (fd >= 0 && (fstat(fd, &file) < 0 || !S_ISREG(file.st_mode))) {
        close(fd);
        return -1;
    }
    return fd;
}

/* Reads a text; of one that is longer than may be, its whole lines. */
static void read_text(int fd, size_t most, struct buf *text)
{
    char chunk[4096];
    ssize_t got;

    while (text->len <= most && (got = read(fd, chunk, sizeof chunk)) > 0)
        buf_append(text, chunk, (size_t)got);
    if (text->len <= most)
        return;
    text->len = most;
    while (text->len > 0 && text->data[text->len - 1] != '\n')
        text->len--;
}

/* Reads a source file; one that cannot be read, or is too new, has no lines. */
static void load_file(struct lines *lines, struct file *file,
                      const char *directory)
{
    size_t most = ALL_BYTES - lines->bytes;
    char *path = NULL;
    struct buf text = {0};
    int fd;

    if (asprintf(&path, "%s%s%s", file->path[0] == '/' ? "" : directory,
                 file->path[0] == '/' ? "" : "/", file->path) < 0)
        return;
    fd = open_regular(path);
    free(path);
    if (fd < 0)
        return;
    if (!is_newer_than_program(fd, lines->pid))
        read_text(fd, most < FILE_BYTES ? most : FILE_BYTES, &text);
    close(fd);
    lines->bytes += text.len;
    file->owned = (char *)text.data;
    file->text = (struct bytes){text.data, text.len};
    split_lines(file);
}

/* A provided file has no directories in its path and wins. */
static struct file *find_file(struct lines *lines, const char *path,
                              const char *directory)
{
    struct file *file;

    for (size_t i = 0; i < lines->file_count; i++) {
        file = &lines->files[i];
        if (!strcmp(file->path, path) || !strcmp(file->path, base_name(path)))
            return file;
    }
    file = add_file(lines, path);
    load_file(lines, file, directory ? directory : ".");
    return file;
}

static bool ends_with(const char *text, const char *end)
{
    size_t a = strlen(text), b = strlen(end);

    return a >= b && !strcmp(text + a - b, end);
}

static int find_elf(Dwfl_Module *module, void **data, const char *name,
                    Dwarf_Addr base, char **file_name, Elf **elf)
{
    char path[64], exe[512];
    int pid, fd;

    if (ends_with(name, " (deleted)")) {
        pid = (int)(intptr_t)*data;
        snprintf(path, sizeof path, "/proc/%d/exe", pid);
        if (!proc_exe(pid, exe, sizeof exe) || strcmp(exe, name))
            return -1;
        *file_name = strdup(path);
        return open_regular(path);
    }
    if (name[0] != '/') /* the vdso, from memory */
        return dwfl_linux_proc_find_elf(module, data, name, base, file_name,
                                        elf);
    /* What the program has mapped may be another kind of file by now. */
    fd = open_regular(name);
    if (fd >= 0)
        *file_name = strdup(name);
    return fd;
}

/*
 * Debug information in files of its own, as Debian's -dbg packages have it, is
 * not looked for: a C library's takes 40 ms to read and tells of source that
 * is not there, and the search may ask a debuginfod server.
 */
static int find_no_debuginfo(Dwfl_Module *module, void **data, const char *name,
                             Dwarf_Addr base, const char *file_name,
                             const char *link, GElf_Word crc, char **out)
{
    (void)module;
    (void)data;
    (void)name;
    (void)base;
    (void)file_name;
    (void)link;
    (void)crc;
    (void)out;
    return -1;
}

static const Dwfl_Callbacks callbacks = {
    .find_elf = find_elf,
    .find_debuginfo = find_no_debuginfo,
};

/* Gives each new module the pid that find_elf needs. */
static int mark_module(Dwfl_Module *module, void **data, const char *name,
                       Dwarf_Addr base, void *argument)
{
    (void)module;
    (void)name;
    (void)base;
    *data = argument;
    return DWARF_CB_OK;
}

static bool report(struct lines *lines)
{
    if (!lines->dwfl)
        lines->dwfl = dwfl_begin(&callbacks);
    if (!lines->dwfl)
        return false;
    dwfl_report_begin_add(lines->dwfl);
    if (dwfl_linux_proc_report(lines->dwfl, lines->pid) != 0)
        return false;
    if (dwfl_report_end(lines->dwfl, NULL, NULL) != 0)
        return false;
    return dwfl_getmodules(lines->dwfl, mark_module,
                           (void *)(intptr_t)lines->pid, 0) >= 0;
}

static Dwfl_Module *find_module(struct lines *lines, uint64_t pc)
{
    Dwfl_Module *module = NULL;

    if (lines->failed)
        return NULL;
    if (lines->dwfl)
        module = dwfl_addrmodule(lines->dwfl, pc);
    if (module || lines->reported == pc)
        return module;
    lines->reported = pc;
    lines->failed = !report(lines);
    return lines->failed ? NULL : dwfl_addrmodule(lines->dwfl, pc);
}

static bool find_in_units(Dwfl_Module *module, uint64_t pc, struct found *out)
{
    Dwarf_Die *unit = NULL;
    Dwarf_Addr bias;

    while ((unit = dwfl_module_nextcu(module, unit, &bias)) != NULL) {
        Dwarf_Attribute attribute;
        Dwarf_Line *line;

        if (dwarf_haspc(unit, pc - bias) != 1)
            continue;
        line = dwarf_getsrc_die(unit, pc - bias);
        if (!line || dwarf_lineno(line, &out->line) != 0)
            return false;
        out->path = dwarf_linesrc(line, NULL, NULL);
        out->directory =
            dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &attribute));
        return out->path != NULL;
    }
    return false;
}

/*
 * Whether a module has debug information that stands on its own. libdw opens
 * whatever file a .gnu_debugaltlink section names, and nothing can stop it
 * (dwarf_getalt): what has one is not asked.
 */
static bool has_own_lines(Dwfl_Module *module)
{
    Dwarf_Addr bias;
    Dwarf *dwarf = dwfl_module_getdwarf(module, &bias);
    const char *name;
    const void *id;

    return dwarf && dwelf_dwarf_gnu_debugaltlink(dwarf, &name, &id) <= 0;
}

static bool find_in_module(Dwfl_Module *module, uint64_t pc, struct found *out)
{
    Dwfl_Line *line;

    if (!has_own_lines(module))
        return false;
    line = dwfl_module_getsrc(module, pc);
    if (!line)
        return find_in_units(module, pc, out);
    out->path = dwfl_lineinfo(line, NULL, &out->line, NULL, NULL, NULL);
    out->directory = dwfl_line_comp_dir(line);
    return out->path != NULL;
}

/* The same from what was found before, if it was asked for. */
static const struct found *find_again(struct lines *lines, Dwfl_Module *module,
                                      uint64_t pc)
{
    struct answer *answer = &lines->answers[pc % ANSWERS];

    if (answer->module != module || answer->pc != pc) {
        *answer = (struct answer){.pc = pc, .module = module};
        if (!find_in_module(module, pc, &answer->found))
            answer->found.path = NULL;
    }
    return &answer->found;
}

bool lines_find(struct lines *lines, uint64_t pc, struct srcline *out)
{
    Dwfl_Module *module = find_module(lines, pc);
    const struct found *found;
    struct file *file;

    *out = (struct srcline){0};
    if (!module)
        return false;
    found = find_again(lines, module, pc);
    if (!found->path || found->line <= 0 || found->line > LINE_NUMBER_MOST)
        return false;
    file = find_file(lines, found->path, found->directory);
    out->file = file->name;
    out->line = found->line;
    if ((size_t)found->line <= file->line_count)
        out->text = file->line[found->line - 1].trimmed;
    return true;
}

/* The module of the program itself. */
static Dwfl_Module *program_module(struct lines *lines)
{
    if (!lines->program)
        lines->program = find_module(lines, proc_auxv(lines->pid, AT_ENTRY));
    return lines->program;
}

const char *lines_symbol(struct lines *lines, uint64_t pc)
{
    const char *known = symbols_known(lines->symbols, pc);
    Dwfl_Module *module;

    if (known)
        return known;
    module = find_module(lines, pc);
    if (!module)
        return NULL;
    return symbols_find(lines->symbols, lines->dwfl, module,
                        program_module(lines), pc);
}

/* --- excerpts ------------------------------------------------------------ */

/* Lines on both sides that a reader wants to see, and that are handed out. */
#define EXCERPT_LEAST 16
#define EXCERPT_MOST  64
#define EXCERPT_WIDTH 240 /* bytes */

/* Lines from *first to before *end, so many on both sides of line n. */
static void around(const struct file *file, size_t n, size_t many,
                   size_t *first, size_t *end)
{
    *first = n > many ? n - many : 0;
    *end = n + many < file->line_count ? n + many + 1 : file->line_count;
}

static bool is_excerpted(const struct file *file, size_t n)
{
    size_t first, end;

    around(file, n, EXCERPT_LEAST, &first, &end);
    while (first < end && file->line[first].excerpted)
        first++;
    return first == end;
}

/* The bytes of a line that are shown: a cut is never within a character. */
static size_t shown_length(const struct line *line)
{
    return utf8_cut((struct bytes){(const uint8_t *)line->start, line->len},
                    EXCERPT_WIDTH);
}

/* Returns the number of its first line, from 0. */
static size_t make_excerpt(struct file *file, size_t n)
{
    struct buf text = {0};
    size_t first, end;

    around(file, n, EXCERPT_MOST, &first, &end);
    for (size_t i = first; i < end; i++) {
        buf_append(&text, file->line[i].start, shown_length(&file->line[i]));
        buf_append(&text, "\n", 1);
        file->line[i].excerpted = true;
    }
    file->excerpt = mem_grow(file->excerpt, file->excerpt_count,
                             &file->excerpt_capacity, sizeof *file->excerpt);
    file->excerpt[file->excerpt_count++] = mem_copy_text(buf_text(&text));
    buf_release(&text);
    return first;
}

void lines_excerpt(struct lines *lines, struct srcline *place)
{
    for (size_t i = 0; i < lines->file_count; i++) {
        struct file *file = &lines->files[i];
        size_t n = (size_t)place->line - 1;

        if (place->file != file->name || n >= file->line_count ||
            is_excerpted(file, n))
            continue;
        place->excerpt_line = (int)make_excerpt(file, n) + 1;
        place->excerpt = file->excerpt[file->excerpt_count - 1];
    }
}

/* --- unwinding: libdw asks, the stopped tracee answers ------------------- */

static pid_t next_thread(Dwfl *dwfl, void *argument, void **thread)
{
    struct lines *lines = argument;

    (void)dwfl;
    if (*thread)
        return 0;
    *thread = lines;
    return lines->pid;
}

static bool read_word(Dwfl *dwfl, Dwarf_Addr addr, Dwarf_Word *out,
                      void *argument)
{
    const struct lines *lines = argument;

    (void)dwfl;
    return proc_read(lines->pid, addr, out, sizeof *out) == sizeof *out;
}

/* The order is that of the psABI's DWARF register numbers (figure 3.36). */
static bool initial_registers(Dwfl_Thread *thread, void *argument)
{
    static const enum reg order[] = {
        X86_RAX, X86_RDX, X86_RCX, X86_RBX, X86_RSI, X86_RDI,
        X86_RBP, X86_RSP, X86_R8,  X86_R9,  X86_R10, X86_R11,
        X86_R12, X86_R13, X86_R14, X86_R15, X86_RIP,
    };
    const struct lines *lines = argument;
    Dwarf_Word value[sizeof order / sizeof *order];

    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        value[i] = lines->regs->value[order[i]];
    return dwfl_thread_state_registers(thread, 0, sizeof value / sizeof *value,
                                       value);
}

static const Dwfl_Thread_Callbacks thread_callbacks = {
    .next_thread = next_thread,
    .memory_read = read_word,
    .set_initial_registers = initial_registers,
};

struct caller {
    struct lines *lines;
    struct srcline *out;
    int depth;
};

/* How many callers are asked; a C library's wrapper has one or two. */
#define CALLER_DEPTH 16

static int look_at_frame(Dwfl_Frame *frame, void *argument)
{
    struct caller *caller = argument;
    bool activation;
    Dwarf_Addr pc;

    if (!dwfl_frame_pc(frame, &pc, &activation))
        return DWARF_CB_ABORT;
    /* A return address may already be on the next line. */
    if (lines_find(caller->lines, activation ? pc : pc - 1, caller->out) ||
        ++caller->depth == CALLER_DEPTH)
        return DWARF_CB_ABORT;
    return DWARF_CB_OK;
}

/* Without, no caller will be found: unwinding costs 100 us each time. */
static bool program_has_lines(struct lines *lines)
{
    Dwfl_Module *module;
    Dwarf_Addr bias;

    if (lines->asked)
        return lines->has_lines;
    lines->asked = true;
    module = program_module(lines);
    lines->has_lines = module && has_own_lines(module) &&
                       dwfl_module_nextcu(module, NULL, &bias);
    return lines->has_lines;
}

bool lines_find_caller(struct lines *lines, const struct regs *regs,
                       struct srcline *out)
{
    struct caller caller = {.lines = lines, .out = out};

    if (lines_find(lines, regs->value[REG_PC], out))
        return true;
    if (!lines->dwfl || lines->failed || !program_has_lines(lines))
        return false;
    if (!lines->attached)
        lines->attached = dwfl_attach_state(lines->dwfl, NULL, lines->pid,
                                            &thread_callbacks, lines);
    lines->regs = regs;
    if (lines->attached)
        dwfl_getthread_frames(lines->dwfl, lines->pid, look_at_frame, &caller);
    return out->file != NULL;
}

const char *lines_library(void)
{
    return dwfl_version(NULL);
}
