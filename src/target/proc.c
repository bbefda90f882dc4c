/* SPDX-License-Identifier: MIT */
#include "target/proc.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <unistd.h>

/* What Linux 6.11 has in include/uapi/linux/fs.h, for older headers. Sizes are
 * in bytes; name_addr is the address of a buffer for the name. */
struct map_query {
    uint64_t size;        /* of this struct */
    uint64_t query_flags; /* MAP_QUERY_... */
    uint64_t query_addr;
    uint64_t start;
    uint64_t end;
    uint64_t flags; /* MAP_IS_... */
    uint64_t page_size;
    uint64_t offset;
    uint64_t inode;
    uint32_t major;
    uint32_t minor;
    uint32_t name_size; /* of the buffer; then of the name with its NUL, or 0 */
    uint32_t build_id_size;
    uint64_t name_addr;
    uint64_t build_id_addr;
};
#define MAP_QUERY         _IOWR('f', 17, struct map_query)
#define MAP_QUERY_OR_NEXT 0x10u
#define MAP_IS_READABLE   0x01u
#define MAP_IS_WRITABLE   0x02u
#define MAP_IS_EXECUTABLE 0x04u
#define MAP_IS_SHARED     0x08u

/* In a line of maps the name begins in this column (fs/proc/task_mmu.c). */
#define NAME_COLUMN 73

/* Copies up to the end of the line, at most size - 1 bytes. */
static void copy_line(char *out, size_t size, const char *line)
{
    size_t len = strcspn(line, "\n");

    if (len >= size)
        len = size - 1;
    while (len > 0 && line[len - 1] == ' ')
        len--;
    memcpy(out, line, len);
    out[len] = 0;
}

int maps_parse(const char *line, struct maps_line *out)
{
    char perms[5];
    int name_at = 0;
    unsigned major, minor;

    if (sscanf(line,
               "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 "%n",
               &out->start, &out->end, perms, &out->offset, &major, &minor,
               &out->inode, &name_at) != 7)
        return -1;
    if (strlen(perms) != 4 || out->end <= out->start)
        return -1;
    out->prot = (perms[0] == 'r' ? PROT_READ : 0u) |
                (perms[1] == 'w' ? PROT_WRITE : 0u) |
                (perms[2] == 'x' ? PROT_EXEC : 0u);
    out->shared = perms[3] == 's';
    out->device = makedev(major, minor);
    copy_line(out->text, sizeof out->text, line);
    copy_line(out->name, sizeof out->name,
              line + name_at + strspn(line + name_at, " "));
    return 0;
}

bool maps_next(const char **text, struct maps_line *out)
{
    int result = -1;

    while (**text && result < 0) {
        result = maps_parse(*text, out);
        *text += strcspn(*text, "\n");
        *text += **text == '\n';
    }
    return result == 0;
}

bool maps_find(const char *text, uint64_t addr, struct maps_line *out)
{
    while (maps_next(&text, out))
        if (out->end > addr)
            return true;
    return false;
}

bool maps_nearest(const char *text, uint64_t addr, struct maps_line *out)
{
    struct maps_line line = {0};
    bool found = false;

    while (line.end <= addr && maps_next(&text, &line)) {
        if (!found || line.start <= addr ||
            line.start - addr < addr - (out->end - 1))
            *out = line;
        found = true;
    }
    return found;
}

/* Of no use to tell addresses apart: page numbers, sizes, characters. */
#define LOW_BY_ITSELF 0x10000u

bool maps_twin(const char *text, uint64_t value, uint64_t *twin,
               struct maps_line *out)
{
    struct maps_line line;
    bool found = false;

    if ((uint32_t)value < LOW_BY_ITSELF)
        return false;
    while (maps_next(&text, &line)) {
        uint64_t at = line.start + (uint32_t)(value - line.start);

        if (at < line.start || at >= line.end || at == value || !line.prot ||
            line.end - line.start > MAPS_TWIN_MOST)
            continue;
        if (found)
            return false;
        found = true;
        *twin = at;
        *out = line;
    }
    return found;
}

static int open_file(pid_t pid, const char *name)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    return open(path, O_RDONLY | O_CLOEXEC);
}

/* Reads a whole file of /proc, whose size is not known beforehand. */
static bool read_all(pid_t pid, const char *name, struct buf *out)
{
    int fd = open_file(pid, name);
    char chunk[4096];
    ssize_t got;

    if (fd < 0)
        return false;
    while ((got = read(fd, chunk, sizeof chunk)) > 0)
        buf_append(out, chunk, (size_t)got);
    close(fd);
    return got == 0;
}

/* Asks for one line; it is written as one of maps, and read as such. Returns 1,
 * 0 when there is none, or -1 to read them all. */
static int query_maps(pid_t pid, uint64_t addr, struct maps_line *out)
{
    char head[128], name[sizeof out->text], line[sizeof head + sizeof name];
    struct map_query query = {
        .size = sizeof query,
        .query_flags = MAP_QUERY_OR_NEXT,
        .query_addr = addr,
        .name_size = sizeof name,
        .name_addr = (uintptr_t)name,
    };
    int fd = open_file(pid, "maps"), result, error;

    if (fd < 0)
        return -1;
    result = ioctl(fd, MAP_QUERY, &query);
    error = errno;
    close(fd);
    if (result < 0)
        return error == ENOENT ? 0 : -1;
    snprintf(head, sizeof head,
             "%08" PRIx64 "-%08" PRIx64 " %c%c%c%c %08" PRIx64
             " %02x:%02x %" PRIu64 " ",
             query.start, query.end, query.flags & MAP_IS_READABLE ? 'r' : '-',
             query.flags & MAP_IS_WRITABLE ? 'w' : '-',
             query.flags & MAP_IS_EXECUTABLE ? 'x' : '-',
             query.flags & MAP_IS_SHARED ? 's' : 'p', query.offset, query.major,
             query.minor, query.inode);
    snprintf(line, sizeof line, "%-*s%s", NAME_COLUMN, head,
             query.name_size > 0 ? name : "");
    return maps_parse(line, out) == 0 ? 1 : -1;
}

bool proc_can_query_maps(pid_t pid)
{
    struct maps_line line;

    return query_maps(pid, 0, &line) > 0;
}

void proc_maps_text(pid_t pid, struct buf *out)
{
    read_all(pid, "maps", out);
}

bool proc_maps_find(pid_t pid, uint64_t addr, struct maps_line *out)
{
    struct buf text = {0};
    int found = query_maps(pid, addr, out);

    if (found < 0) {
        found = read_all(pid, "maps", &text) &&
                maps_find(buf_text(&text), addr, out);
        buf_release(&text);
    }
    return found;
}

bool proc_maps_nearest(pid_t pid, uint64_t addr, struct maps_line *out)
{
    struct buf text = {0};
    bool found;

    found = read_all(pid, "maps", &text) &&
            maps_nearest(buf_text(&text), addr, out);
    buf_release(&text);
    return found;
}

bool proc_maps_twin(pid_t pid, uint64_t value, uint64_t *twin,
                    struct maps_line *out)
{
    struct buf text = {0};
    bool found;

    found = read_all(pid, "maps", &text) &&
            maps_twin(buf_text(&text), value, twin, out);
    buf_release(&text);
    return found;
}

uint64_t proc_auxv(pid_t pid, uint64_t type)
{
    struct buf data = {0};
    uint64_t pair[2], value = 0;

    if (read_all(pid, "auxv", &data)) {
        for (size_t at = 0; at + sizeof pair <= data.len; at += sizeof pair) {
            memcpy(pair, data.data + at, sizeof pair);
            if (pair[0] == type)
                value = pair[1];
        }
    }
    buf_release(&data);
    return value;
}

uint64_t proc_personality(pid_t pid)
{
    struct buf text = {0};
    uint64_t value = 0;

    if (read_all(pid, "personality", &text))
        value = strtoull(buf_text(&text), NULL, 16);
    buf_release(&text);
    return value;
}

bool proc_is_elf(pid_t pid, int fd, const struct maps_line *line)
{
    char path[64 + sizeof line->name], magic[SELFMAG];
    struct stat info;
    bool is_elf;

    if (fd >= 0)
        snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)pid, fd);
    else
        snprintf(path, sizeof path, "/proc/%d/root%s", (int)pid, line->name);
    /* Opening a device could have an effect. */
    if (stat(path, &info) < 0 || !S_ISREG(info.st_mode) ||
        (line->inode && info.st_ino != line->inode))
        return false;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return false;
    is_elf = pread(fd, magic, sizeof magic, 0) == sizeof magic &&
             memcmp(magic, ELFMAG, SELFMAG) == 0;
    close(fd);
    return is_elf;
}

bool proc_fd_is_memory(pid_t pid, int fd)
{
    char path[64], name[64];
    ssize_t len;

    snprintf(path, sizeof path, "/proc/%d/fd/%d", (int)pid, fd);
    len = readlink(path, name, sizeof name);
    return len > 10 && memcmp(name, "/proc/", 6) == 0 &&
           memcmp(name + len - 4, "/mem", 4) == 0;
}

int proc_take_fd(pid_t pid, int fd)
{
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    int taken;

    if (pidfd < 0)
        return -1;
    taken = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
    close(pidfd);
    return taken;
}

int proc_socket_type(pid_t pid, int fd)
{
    int taken = proc_take_fd(pid, fd), type;
    socklen_t size = sizeof type;

    if (taken < 0)
        return -1;
    if (getsockopt(taken, SOL_SOCKET, SO_TYPE, &type, &size) < 0)
        type = -1;
    close(taken);
    return type;
}

bool proc_exe(pid_t pid, char *out, size_t size)
{
    char path[64];
    ssize_t len;

    snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
    len = readlink(path, out, size - 1);
    if (len < 0)
        return false;
    out[len] = 0;
    return true;
}

/* As sscanf(3), behind "NAME:" in /proc/PID/status. */
__attribute__((format(scanf, 3, 4))) static int
scan_status(pid_t pid, const char *name, const char *format, ...)
{
    struct buf text = {0};
    const char *at =
        read_all(pid, "status", &text) ? strstr(buf_text(&text), name) : NULL;
    va_list args;
    int count = 0;

    va_start(args, format);
    if (at)
        count = vsscanf(at + strlen(name), format, args);
    va_end(args);
    buf_release(&text);
    return count;
}

bool proc_user(pid_t pid, uid_t *out)
{
    /* The last of real, effective, saved, that of files. */
    return scan_status(pid, "\nUid:", "%*u %*u %*u %u", out) == 1;
}

pid_t proc_own_id(pid_t pid)
{
    char ids[512], *last; /* the last one is the innermost */

    if (scan_status(pid, "\nNSpid:", " %511[0-9\t]", ids) != 1)
        return pid;
    last = strrchr(ids, '\t');
    return atoi(last ? last + 1 : ids);
}

pid_t proc_parent(pid_t tid)
{
    pid_t parent = 0;

    scan_status(tid, "\nPPid:", "%d", &parent);
    return parent;
}

pid_t proc_tracer(pid_t tid)
{
    pid_t tracer = 0;

    scan_status(tid, "\nTracerPid:", "%d", &tracer);
    return tracer;
}

int proc_setting(const char *path, int otherwise)
{
    FILE *file = fopen(path, "re");
    int value = otherwise;

    if (file && fscanf(file, "%d", &value) != 1)
        value = otherwise;
    if (file)
        fclose(file);
    return value;
}

int proc_yama_scope(void)
{
    return proc_setting("/proc/sys/kernel/yama/ptrace_scope", -1);
}

static char state_of(pid_t tid)
{
    char state = 0;

    scan_status(tid, "\nState:", " %c", &state);
    return state;
}

/* Whether a thread that is blocked is so outside of any call: in a fault of a
 * page that another thread maps just now (the file "syscall" of proc(5)). */
static bool waits_for_page(pid_t tid)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/%d/syscall", tid);
    return proc_setting(path, 0) == -1;
}

bool proc_runs(pid_t tid)
{
    char state = state_of(tid);

    return state == 'R' || (state == 'D' && waits_for_page(tid));
}

bool proc_sleeps(pid_t tid)
{
    return state_of(tid) == 'S';
}

bool proc_signals(pid_t tid, struct proc_signals *out)
{
    *out = (struct proc_signals){0};
    return scan_status(tid, "\nSigIgn:", "%" SCNx64 " SigCgt: %" SCNx64,
                       &out->ignored, &out->caught) == 2;
}

bool proc_catches(pid_t tid, int signal)
{
    struct proc_signals signals;

    return proc_signals(tid, &signals) && signals.caught >> (signal - 1) & 1;
}

/* Else by the file: where a sandbox forbids the call (Docker, before Linux
 * 4.8), and what may be written but not read, which only the call minds. Only
 * what is mapped: below a stack the file would make that grow, beyond the
 * program's own limit (__access_remote_vm in the kernel). */
size_t proc_read(pid_t pid, uint64_t addr, void *out, size_t len)
{
    struct iovec local = {out, len};
    struct iovec remote = {(void *)(uintptr_t)addr, len};
    ssize_t got = process_vm_readv(pid, &local, 1, &remote, 1, 0);
    struct maps_line line;
    size_t done = 0, part;
    int fd;

    if (got >= 0 || errno == ESRCH)
        return got >= 0 ? (size_t)got : 0;
    fd = open_file(pid, "mem");
    for (; fd >= 0 && done < len; done += (size_t)got) {
        if (!proc_maps_find(pid, addr + done, &line) ||
            line.start > addr + done)
            break;
        part = len - done;
        if (part > line.end - addr - done)
            part = line.end - addr - done;
        got = pread(fd, (char *)out + done, part, (off_t)(addr + done));
        if (got <= 0)
            break;
    }
    if (fd >= 0)
        close(fd);
    return done;
}

void proc_read_text(pid_t pid, uint64_t addr, struct buf *out)
{
    char chunk[256];
    size_t got, len;

    do {
        got = proc_read(pid, addr, chunk, sizeof chunk);
        len = strnlen(chunk, got);
        buf_append(out, chunk, len);
        addr += len;
    } while (got == sizeof chunk && len == got);
    buf_append(out, "", 1);
}
