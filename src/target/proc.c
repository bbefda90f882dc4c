/* SPDX-License-Identifier: MIT */
#include "target/proc.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

static unsigned parse_prot(const char *perms)
{
    return (perms[0] == 'r' ? PROT_READ : 0u) |
           (perms[1] == 'w' ? PROT_WRITE : 0u) |
           (perms[2] == 'x' ? PROT_EXEC : 0u);
}

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

    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*x %*x:%*x %" SCNu64 "%n",
               &out->start, &out->end, perms, &out->inode, &name_at) != 4)
        return -1;
    if (strlen(perms) != 4 || out->end <= out->start)
        return -1;
    out->prot = parse_prot(perms);
    out->shared = perms[3] == 's';
    copy_line(out->text, sizeof out->text, line);
    copy_line(out->name, sizeof out->name,
              line + name_at + strspn(line + name_at, " "));
    return 0;
}

bool maps_find(const char *text, uint64_t addr, struct maps_line *out)
{
    while (*text) {
        size_t len = strcspn(text, "\n");

        if (maps_parse(text, out) == 0 && out->end > addr)
            return true;
        text += len + (text[len] == '\n');
    }
    return false;
}

/* Reads a whole file of /proc, whose size is not known beforehand. */
static bool read_all(pid_t pid, const char *name, struct buf *out)
{
    char path[64], chunk[4096];
    ssize_t got;
    int fd;

    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    while ((got = read(fd, chunk, sizeof chunk)) > 0)
        buf_append(out, chunk, (size_t)got);
    close(fd);
    return got == 0;
}

bool proc_maps_find(pid_t pid, uint64_t addr, struct maps_line *out)
{
    struct buf text = {0};
    bool found;

    found =
        read_all(pid, "maps", &text) && maps_find(buf_text(&text), addr, out);
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

pid_t proc_parent(pid_t tid)
{
    struct buf text = {0};
    const char *at;
    int parent = 0;

    if (read_all(tid, "status", &text) &&
        (at = strstr(buf_text(&text), "\nPPid:")) != NULL)
        sscanf(at, " PPid: %d", &parent);
    buf_release(&text);
    return parent;
}

bool proc_runs(pid_t tid)
{
    struct buf text = {0};
    const char *name_end; /* a name may hold any character */
    bool runs;

    name_end =
        read_all(tid, "stat", &text) ? strrchr(buf_text(&text), ')') : NULL;
    runs = name_end && !strncmp(name_end, ") R", 3);
    buf_release(&text);
    return runs;
}

bool proc_catches(pid_t tid, int signal)
{
    struct buf text = {0};
    const char *at;
    uint64_t mask = 0;

    if (read_all(tid, "status", &text) &&
        (at = strstr(buf_text(&text), "\nSigCgt:")) != NULL)
        sscanf(at, " SigCgt: %" SCNx64, &mask);
    buf_release(&text);
    return mask >> (signal - 1) & 1;
}

size_t proc_read(pid_t pid, uint64_t addr, void *out, size_t len)
{
    struct iovec local = {out, len};
    struct iovec remote = {(void *)(uintptr_t)addr, len};
    ssize_t got = process_vm_readv(pid, &local, 1, &remote, 1, 0);

    if (got > 0)
        return (size_t)got;
    return 0;
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
