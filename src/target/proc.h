/* SPDX-License-Identifier: MIT */
/*
 * target/proc.h - what /proc/PID says of a process (proc(5)).
 */
#ifndef JITTRACE_TARGET_PROC_H
#define JITTRACE_TARGET_PROC_H

#include <sys/types.h>

#include "base/buf.h"

/* A line of /proc/PID/maps. */
struct maps_line {
    uint64_t start;
    uint64_t end;
    unsigned prot; /* PROT_* */
    bool shared;
    uint64_t offset; /* in the file, of start */
    uint64_t device; /* together with inode: which file; 0 and 0: none */
    uint64_t inode;
    char text[256]; /* the line without padding and newline, perhaps cut */
    char name[192]; /* "[heap]", a path, or "" */
};

/* Parses one line (up to '\n' or NUL). Returns 0, or -1 if it is none. */
int maps_parse(const char *line, struct maps_line *out);

/* Parses the next line and moves behind it. Returns false at the end. */
bool maps_next(const char **text, struct maps_line *out);

/* Finds the first line that ends above addr in the text of a maps file (its
 * start may lie above addr); or the one that holds addr or, if none does, is
 * the nearest to it. Returns false when there is none. */
bool maps_find(const char *text, uint64_t addr, struct maps_line *out);
bool maps_nearest(const char *text, uint64_t addr, struct maps_line *out);

/* Finds the line that has an address with the low 32 bits of value, but is not
 * value, and that address: where value was cut off, or never fitted. A line
 * that says less by that (of no protection, of more than MAPS_TWIN_MOST bytes,
 * or an address that is low by itself) does not count. Returns false when there
 * is none, or more than one. */
#define MAPS_TWIN_MOST (UINT64_C(64) << 20)
bool maps_twin(const char *text, uint64_t value, uint64_t *twin,
               struct maps_line *out);

/* The same in the process's own maps, as they are now. Linux 6.11 and newer can
 * be asked for one line (PROCMAP_QUERY, proc_pid_maps(5)), and whether it can
 * is told; where there are thousands, reading the file takes a millisecond. */
bool proc_maps_find(pid_t pid, uint64_t addr, struct maps_line *out);
bool proc_maps_nearest(pid_t pid, uint64_t addr, struct maps_line *out);
bool proc_maps_twin(pid_t pid, uint64_t value, uint64_t *twin,
                    struct maps_line *out);
bool proc_can_query_maps(pid_t pid);

/* Appends all lines of the process. */
void proc_maps_text(pid_t pid, struct buf *out);

/* A value of the auxiliary vector that the kernel gave the program
 * (getauxval(3)); the execution domain (personality(2)). 0 if not known. */
uint64_t proc_auxv(pid_t pid, uint64_t type);
uint64_t proc_personality(pid_t pid);

/* Whether what a mapping is made from is an ELF file: its first bytes say so.
 * fd is an open descriptor of the process, or -1: then the file is looked for
 * by the name of its line. False also when it cannot be read. */
bool proc_is_elf(pid_t pid, int fd, const struct maps_line *line);

/* Whether a descriptor of the process is open on the memory of one. */
bool proc_fd_is_memory(pid_t pid, int fd);

/* A descriptor of ours for the open file that is the process's own fd
 * (pidfd_getfd(2), Linux 5.6), or -1. The caller closes it. */
int proc_take_fd(pid_t pid, int fd);

/* SOCK_STREAM, SOCK_DGRAM and so on (socket(2)), or -1: it is no socket. */
int proc_socket_type(pid_t pid, int fd);

/* What /proc/PID/exe points to. Returns false if it cannot be read. */
bool proc_exe(pid_t pid, char *out, size_t size);

/* Of its status: the user as whom it makes files (Uid; false: not known), its
 * ID in its own PID namespace (NSpid, or pid), the process that waits for it
 * (PPid) and the one that traces it (TracerPid), or 0. */
bool proc_user(pid_t pid, uid_t *out);
pid_t proc_own_id(pid_t pid);
pid_t proc_parent(pid_t tid);
pid_t proc_tracer(pid_t tid);

/* The number that a file in /proc/sys holds; `otherwise` if it has none. */
int proc_setting(const char *path, int otherwise);

/* What the security module Yama allows to a tracer, 0 to 3 (ptrace(2)); -1
 * where there is none. */
int proc_yama_scope(void);

/* Whether the thread uses a CPU or waits for one (State R of its status), or
 * for the kernel to look at a page (D, outside of a call); and whether it
 * sleeps for as long as it may take, until a signal comes (S). */
bool proc_runs(pid_t tid);
bool proc_sleeps(pid_t tid);

/* What a thread does with signals: bit N - 1 stands for signal N. */
struct proc_signals {
    uint64_t caught;  /* it has a handler (SigCgt of its status) */
    uint64_t ignored; /* it is set to be ignored (SigIgn) */
};
bool proc_signals(pid_t tid, struct proc_signals *out);
bool proc_catches(pid_t tid, int signal); /* it has a handler for it */

/* Reads len bytes of the process's memory. Returns how many could be read from
 * the start on. Or appends the text at addr with its NUL; less if it cannot be
 * read to the end. */
size_t proc_read(pid_t pid, uint64_t addr, void *out, size_t len);
void proc_read_text(pid_t pid, uint64_t addr, struct buf *out);

#endif
