/* SPDX-License-Identifier: MIT */
/*
 * The pure parts of the target room: wait statuses, maps lines, system calls
 * in words, and which files can be started.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <elf.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "target/calls.h"
#include "target/launch.h"
#include "target/proc.h"
#include "target/tracee.h"

TestSuite(target, .timeout = 20);

/* --- wait statuses ------------------------------------------------------- */

#define STOPPED(signal)      ((signal) << 8 | 0x7f)
#define EVENT(event, signal) ((event) << 16 | STOPPED(signal))

Test(target, wait_statuses_become_stops)
{
    static const struct {
        int status;
        enum stop_kind kind;
        int exit_status;
        int signal;
    } cases[] = {
        {0, STOP_EXITED, 0, 0},
        {64 << 8, STOP_EXITED, 64, 0},
        {SIGSEGV, STOP_KILLED, 0, SIGSEGV},
        {SIGSEGV | 0x80, STOP_KILLED, 0, SIGSEGV}, /* with a core dump */
        {STOPPED(SIGSEGV), STOP_SIGNAL, 0, SIGSEGV},
        {STOPPED(SIGTRAP), STOP_SIGNAL, 0, SIGTRAP},
        {STOPPED(SIGSTOP), STOP_SIGNAL, 0, SIGSTOP},
        {STOPPED(SIGTRAP | 0x80), STOP_CALL, 0, 0},
        {EVENT(PTRACE_EVENT_SECCOMP, SIGTRAP), STOP_FILTER, 0, SIGTRAP},
        {EVENT(PTRACE_EVENT_EXEC, SIGTRAP), STOP_EXEC, 0, SIGTRAP},
        {EVENT(PTRACE_EVENT_CLONE, SIGTRAP), STOP_CLONE, 0, SIGTRAP},
        {EVENT(PTRACE_EVENT_VFORK, SIGTRAP), STOP_VFORK, 0, SIGTRAP},
        {EVENT(PTRACE_EVENT_FORK, SIGTRAP), STOP_FORK, 0, SIGTRAP},
        {EVENT(PTRACE_EVENT_STOP, SIGTRAP), STOP_STARTED, 0, SIGTRAP},
        {EVENT(PTRACE_EVENT_STOP, SIGSTOP), STOP_GROUP, 0, SIGSTOP},
        {EVENT(PTRACE_EVENT_STOP, SIGTSTP), STOP_GROUP, 0, SIGTSTP},
        {EVENT(PTRACE_EVENT_VFORK_DONE, SIGTRAP), STOP_OTHER, 0, SIGTRAP},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct stop stop;

        stop_classify(42, cases[i].status, &stop);
        cr_assert(eq(int, stop.tid, 42));
        cr_assert(eq(int, (int)stop.kind, (int)cases[i].kind), "case %zu", i);
        cr_assert(eq(int, stop.status, cases[i].exit_status), "case %zu", i);
        cr_assert(eq(int, stop.signal, cases[i].signal), "case %zu", i);
    }
}

/* --- /proc/PID/maps ------------------------------------------------------ */

Test(target, a_maps_line_is_parsed)
{
    struct maps_line line;

    cr_assert(eq(int,
                 maps_parse("7ffff7fbd000-7ffff7fbf000 r-xp 00001000 08:01 "
                            "1234                       /usr/lib/x y.so\nnext",
                            &line),
                 0));
    cr_assert(eq(u64, line.start, 0x7ffff7fbd000));
    cr_assert(eq(u64, line.end, 0x7ffff7fbf000));
    cr_assert(eq(uint, line.prot, PROT_READ | PROT_EXEC));
    cr_assert(eq(int, line.shared, 0));
    cr_assert(eq(u64, line.offset, 0x1000));
    cr_assert(eq(u64, line.device, makedev(8, 1)));
    cr_assert(eq(u64, line.inode, 1234));
    cr_assert(eq(str, line.name, "/usr/lib/x y.so"));
}

Test(target, an_anonymous_maps_line_ends_without_padding)
{
    struct maps_line line;

    cr_assert(
        eq(int, maps_parse("1000-2000 rw-s 00000000 00:00 0 \n", &line), 0));
    cr_assert(eq(str, line.text, "1000-2000 rw-s 00000000 00:00 0"));
    cr_assert(eq(str, line.name, ""));
    cr_assert(eq(uint, line.prot, PROT_READ | PROT_WRITE));
    cr_assert(eq(int, line.shared, 1));
}

Test(target, what_is_no_maps_line_is_refused)
{
    static const char *const bad[] = {
        "",
        "hello",
        "1000-2000",
        "2000-1000 rw-p 00000000 00:00 0",
        "1000-2000 rw 00000000 00:00 0",
        "1000-2000 rw-p 00000000 00:00",
    };
    struct maps_line line;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_assert(eq(int, maps_parse(bad[i], &line), -1), "%s", bad[i]);
}

Test(target, the_line_that_holds_an_address_or_comes_next_is_found)
{
    static const char text[] = "1000-2000 r--p 00000000 00:00 0\n"
                               "2000-3000 rw-p 00000000 00:00 0 [heap]\n"
                               "8000-9000 r-xp 00000000 00:00 0\n";
    struct maps_line line;

    cr_assert(eq(int, maps_find(text, 0x1fff, &line), 1));
    cr_assert(eq(u64, line.start, 0x1000));
    cr_assert(eq(int, maps_find(text, 0x2000, &line), 1));
    cr_assert(eq(str, line.name, "[heap]"));
    cr_assert(eq(int, maps_find(text, 0x3000, &line), 1));
    cr_assert(eq(u64, line.start, 0x8000));
    cr_assert(eq(int, maps_find(text, 0x9000, &line), 0));
}

Test(target, the_line_that_is_the_nearest_to_an_address_is_found)
{
    static const char text[] = "1000-2000 r--p 00000000 00:00 0\n"
                               "2000-3000 rw-p 00000000 00:00 0 [heap]\n"
                               "8000-9000 r-xp 00000000 00:00 0\n";
    static const struct {
        uint64_t addr;
        uint64_t start;
    } cases[] = {
        {0, 0x1000},      {0x1fff, 0x1000}, {0x2000, 0x2000}, {0x57ff, 0x2000},
        {0x5801, 0x8000}, {0x8000, 0x8000}, {0xa000, 0x8000},
    };
    struct maps_line line;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cr_assert(eq(int, maps_nearest(text, cases[i].addr, &line), 1));
        cr_assert(eq(u64, line.start, cases[i].start), "case %zu", i);
    }
    cr_assert(eq(int, maps_nearest("", 0, &line), 0));
}

Test(target, where_an_address_was_cut_off_is_found)
{
    static const char text[] =
        "7f0012340000-7f0012350000 r--p 00000000 00:00 0\n"
        "7f0023450000-7f0023460000 ---p 00000000 00:00 0\n"
        "7f0033450000-7f0093460000 rw-p 00000000 00:00 0\n"
        "7f0100000000-7f0100020000 rw-p 00000000 00:00 0\n"
        "7f02a0000000-7f02a0001000 rw-p 00000000 00:00 0\n"
        "7f03a0000000-7f03a0001000 rw-p 00000000 00:00 0\n"
        "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0\n";
    static const struct {
        uint64_t value;
        uint64_t twin; /* 0: none */
    } cases[] = {
        {0x12345678, 0x7f0012345678},
        {0xffffffff12345678, 0x7f0012345678},
        {0x7f0112345678, 0x7f0012345678},
        {0x7f0012345678, 0}, /* it is mapped itself */
        {0x12350000, 0},
        {0x23450010, 0}, /* no access */
        {0x40000000, 0}, /* too large to tell */
        {0x5, 0},
        {0x7f06ff5fff00, 0}, /* it would be behind the last address */
        {0x10005, 0x7f0100010005},
        {0xa0000010, 0}, /* two have it */
    };
    struct maps_line line;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t twin = 0;
        bool found = maps_twin(text, cases[i].value, &twin, &line);

        cr_assert(eq(int, found, cases[i].twin != 0), "case %zu", i);
        cr_assert(eq(u64, found ? twin : 0, cases[i].twin), "case %zu", i);
        if (found)
            cr_assert(true && line.start <= twin && twin < line.end);
    }
}

/* The kernel is asked for one line, if it knows how; its file has them all. */
Test(target, a_line_is_the_same_whether_asked_for_or_read)
{
    const size_t page = (size_t)getpagesize();
    FILE *file = fopen("/proc/self/maps", "r");
    char text[512], *end;
    struct maps_line read, found;
    size_t lines = 0;

    /* What has a name of two words, and what lies in the middle of a file. */
    cr_assert(ne(ptr,
                 mmap(NULL, page, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0),
                 MAP_FAILED));
    cr_assert(ne(ptr, (void *)file, NULL));
    while (fgets(text, sizeof text, file)) {
        if ((end = strchr(text, '\n')))
            *end = 0;
        cr_assert(eq(int, maps_parse(text, &read), 0), "%s", text);
        if (!strcmp(read.name, "[heap]") || !strcmp(read.name, "[vsyscall]"))
            continue; /* grows meanwhile; is in no list of the kernel */
        cr_assert(eq(int, proc_maps_find(getpid(), read.start, &found), 1));
        cr_assert(eq(str, found.text, read.text));
        cr_assert(eq(str, found.name, read.name));
        cr_assert(eq(u64, found.offset, read.offset));
        cr_assert(eq(u64, found.device, read.device));
        cr_assert(eq(u64, found.inode, read.inode));
        cr_assert(eq(uint, found.prot, read.prot));
        cr_assert(eq(int, found.shared, read.shared));
        lines++;
    }
    fclose(file);
    cr_assert(ge(sz, lines, 10));
    cr_assert(eq(int, proc_maps_find(getpid(), (uint64_t)-1, &found), 0));
}

Test(target, our_own_maps_and_auxiliary_vector_can_be_read)
{
    struct maps_line line;
    int here = 0;

    cr_assert(eq(int, proc_maps_find(getpid(), (uintptr_t)&here, &line), 1));
    cr_assert(eq(str, line.name, "[stack]"));
    cr_assert(eq(u64, proc_auxv(getpid(), AT_PAGESZ), (uint64_t)getpagesize()));
    cr_assert(eq(u64, proc_auxv(getpid(), 0xffff), 0));
}

/* --- system calls -------------------------------------------------------- */

Test(target, system_calls_are_written_as_in_c)
{
    static const struct {
        struct call call;
        const char *text;
    } cases[] = {
        {{.number = SYS_mmap,
          .args = {0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                   (uint64_t)-1, 0}},
         "mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, "
         "-1, 0)"},
        {{.number = SYS_mmap,
          .args = {0x10000, 1, 0, MAP_SHARED | MAP_FIXED | 0x40000000, 7, 64}},
         "mmap(0x10000, 1, PROT_NONE, MAP_SHARED|MAP_FIXED|0x40000000, 7, 64)"},
        {{.number = SYS_mmap,
          .args = {0, 1, PROT_READ | 0x10,
                   MAP_TYPE | MAP_ANONYMOUS | MAP_STACK | 0x200, 7, 0}},
         "mmap(NULL, 1, PROT_READ|0x10, 0xf|MAP_ANONYMOUS|MAP_STACK|0x200, "
         "7, 0)"},
        {{.number = SYS_mmap, .args = {0, 1, 0x10, 0x200, 7, 0}},
         "mmap(NULL, 1, 0x10, 0x0|0x200, 7, 0)"},
        {{.number = SYS_mprotect,
          .args = {0x7f0000000000, 8192, PROT_READ | PROT_EXEC}},
         "mprotect(0x7f0000000000, 8192, PROT_READ|PROT_EXEC)"},
        {{.number = SYS_pkey_mprotect, .args = {0x1000, 1, PROT_EXEC, 3}},
         "pkey_mprotect(0x1000, 1, PROT_EXEC, 3)"},
        {{.number = SYS_munmap, .args = {0x1000, 4096}},
         "munmap(0x1000, 4096)"},
        {{.number = SYS_mremap, .args = {0x1000, 4096, 8192, 1}},
         "mremap(0x1000, 4096, 8192, 0x1)"},
        {{.number = SYS_shmat, .args = {3, 0, SHM_EXEC | 0x200}},
         "shmat(3, NULL, SHM_EXEC|0x200)"},
        {{.number = SYS_shmat, .args = {3, 0x1000, 0}}, "shmat(3, 0x1000, 0)"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf out = {0};

        call_describe(&cases[i].call, &out);
        cr_assert(eq(str, (char *)buf_text(&out), (char *)cases[i].text));
        buf_release(&out);
    }
}

Test(target, calls_that_may_write_to_a_range_are_known)
{
    const uint64_t at = 0x7f0000000000;
    static const struct {
        uint64_t number;
        uint64_t args[6];
        bool may;
    } cases[] = {
        {SYS_read, {0, 0x7f0000000010, 8}, true},
        {SYS_read, {0, 0x7f0000001000, 8}, false},
        {SYS_read, {0, 0x7effffffffff, 2}, true}, /* reaches into it */
        {SYS_read, {0, 0x7effffffffff, 1}, false},
        {SYS_fstat, {1, 0x7f0000000fff}, true},
        {SYS_readv, {0, 0x1000, 1}, true},          /* who knows */
        {SYS_write, {1, 0x7f0000000010, 8}, false}, /* only reads it */
        {SYS_mprotect, {0x7f0000000000, 4096, 5}, false},
        {SYS_close, {3}, false},
        {SYS_close, {3, 0x7f0000000010}, false}, /* takes one argument */
        {SYS_futex, {0x1000, 0, 1, 0, 0, 0x7f0000000010}, false},
        {SYS_futex, {0x7f0000000010, 0, 1}, true},
        /* without a length: what it takes may lie across the boundary */
        {SYS_uname, {0x7effffffffff, 0}, true},
        {SYS_poll, {0x7effffffff00, 64, 0}, true}, /* 64 entries */
        {SYS_poll, {0x7effffffff00, 8, 0}, false},
        /* a pointer that is left over from what came before */
        {SYS_clone3, {0x1000, 88, 0, 0, 0x7f0000000010, 1}, false},
        {SYS_clone3, {0x1000, 88, 0, 0, 0x2000, 0x7f0000000010}, false},
        {SYS_set_robust_list, {0x1000, 24, 0x7f0000000010}, false},
        {SYS_rseq, {0x1000, 32, 0, 0, 0x7f0000000010}, false},
        {SYS_getppid, {0x7f0000000010}, false},
        {SYS_restart_syscall, {1, 0, 0x1000, 0, 0, 0x7f0000000010}, false},
        {SYS_restart_syscall, {1, 0, 0x1000, 0x7f0000000010}, true},
        {SYS_newfstatat, {3, 0x7f0000000010, 0x1000, 0}, false}, /* a path */
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct call call = {.number = cases[i].number};

        memcpy(call.args, cases[i].args, sizeof call.args);
        cr_assert(eq(int, call_may_write(&call, at, 4096), cases[i].may),
                  "case %zu", i);
    }
}

/* --- what can be started ------------------------------------------------- */

static int check_header(unsigned char class, unsigned machine, unsigned type,
                        uint64_t entry, struct err *err)
{
    Elf64_Ehdr header = {0};

    memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = class;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_machine = (Elf64_Half)machine;
    header.e_type = (Elf64_Half)type;
    header.e_entry = entry;
    return program_check_image(
        "prog", (struct bytes){(const uint8_t *)&header, sizeof header}, err);
}

Test(target, only_programs_for_this_cpu_are_started)
{
    struct err err;

    cr_assert(eq(int, check_header(ELFCLASS64, EM_X86_64, ET_DYN, 1, &err), 0));
    cr_assert(
        eq(int, check_header(ELFCLASS64, EM_X86_64, ET_EXEC, 1, &err), 0));
    /* A shared library has no entry point. */
    cr_assert(
        eq(int, check_header(ELFCLASS64, EM_X86_64, ET_DYN, 0, &err), -1));
    cr_assert(
        eq(int, check_header(ELFCLASS64, EM_AARCH64, ET_DYN, 1, &err), -1));
    cr_assert(eq(str, err.text,
                 "'prog' is a program for AArch64; jittrace traces programs "
                 "for x86-64"));
    cr_assert(eq(int, (int)err.kind, ERR_NOT_EXECUTABLE));
    cr_assert(eq(int, check_header(ELFCLASS32, EM_386, ET_DYN, 1, &err), -1));
    cr_assert(
        eq(int, check_header(ELFCLASS32, EM_X86_64, ET_DYN, 1, &err), -1));
    cr_assert(
        eq(int, check_header(ELFCLASS64, EM_X86_64, ET_REL, 1, &err), -1));
}

Test(target, scripts_need_their_interpreter)
{
    struct err err;

    cr_assert(
        eq(int,
           program_check_image(
               "s", (struct bytes){(const uint8_t *)"#!/bin/sh\n", 10}, &err),
           0));
    cr_assert(
        eq(int,
           program_check_image(
               "s", (struct bytes){(const uint8_t *)"echo hello\n", 11}, &err),
           -1));
    cr_assert(eq(int, (int)err.kind, ERR_NOT_EXECUTABLE));
    cr_assert(
        eq(int, program_check_image("s", (struct bytes){NULL, 0}, &err), -1));
}
