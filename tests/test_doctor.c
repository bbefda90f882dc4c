/* SPDX-License-Identifier: MIT */
/*
 * jittrace --doctor: a line for each mechanism that tells the truth, also where
 * one is taken away for real (refuse.h).
 */
#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#include "refuse.h"
#include "support.h"
#include "target/filter.h"

TestSuite(doctor, .timeout = 60);

static const char *const lines[] = {
    "jittrace",
    "kernel",
    "CPU",
    "libraries",
    "tracing",
    "execution given back",
    "debug registers",
    "userfaultfd write-protect",
    "process_vm_readv",
    "memfd_create",
    "sched_setaffinity",
};

/* The line that begins with that name, or NULL. */
static const char *line_of(const char *text, const char *name)
{
    for (; text; text = strchr(text, '\n'), text += text != NULL)
        if (strncmp(text, name, strlen(name)) == 0)
            return text;
    return NULL;
}

/* Runs it; the line of that name must say `word`, and the text `remedy`. */
static void examine(int (*absence)(void), int status, const char *name,
                    const char *word, const char *remedy)
{
    struct result result;
    const char *line;

    run(&(struct job){.argv = ARGS(JITTRACE, "--doctor"), .prepare = absence},
        &result);
    line = line_of(buf_text(&result.out), name);
    cr_assert(eq(int, result.status, status), "%s", buf_text(&result.out));
    cr_assert(ne(ptr, (void *)(uintptr_t)line, NULL), "%s",
              buf_text(&result.out));
    line += strlen(name);
    line += strspn(line, " ");
    cr_assert(eq(int, strncmp(line, word, strlen(word)), 0), "%s",
              buf_text(&result.out));
    cr_assert(contains(buf_text(&result.out), remedy), "%s",
              buf_text(&result.out));
    cr_assert(eq(sz, result.err.len, 0));
    result_release(&result);
}

Test(doctor, all_that_there_is_has_a_line)
{
    struct result result;

    run(&(struct job){.argv = ARGS(JITTRACE, "--doctor")}, &result);
    cr_assert(eq(int, result.status, 0), "%s", buf_text(&result.out));
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        cr_assert(
            ne(ptr, (void *)(uintptr_t)line_of(buf_text(&result.out), lines[i]),
               NULL),
            "%s", lines[i]);
    cr_assert(contains(buf_text(&result.out), "in full"));
    cr_assert(lacks(buf_text(&result.out), "2 3 4"));
    for (const char *at = buf_text(&result.out); *at; at += *at == '\n') {
        size_t len = strcspn(at, "\n");

        cr_assert(le(sz, len, 80));
        at += len;
    }
    result_release(&result);
}

static int no_vm_readv(void)
{
    return refuse(SYS_process_vm_readv, EPERM);
}

static int no_affinity(void)
{
    return refuse(SYS_sched_setaffinity, EPERM);
}

static int no_memfd(void)
{
    return refuse(SYS_memfd_create, ENOSYS);
}

static int silent_debug_registers(void)
{
    return refuse_if(SYS_ptrace, 0, PTRACE_POKEUSER, true, 0);
}

static int no_execution(void)
{
    return refuse_if(SYS_mprotect, 5, (uint32_t)FILTER_PASS, true, EACCES);
}

static int no_seize(void)
{
    return refuse_if(SYS_ptrace, 0, PTRACE_SEIZE, true, EPERM);
}

static int no_syscall_info(void)
{
    return refuse_if(SYS_ptrace, 0, PTRACE_GET_SYSCALL_INFO, true, EIO);
}

Test(doctor, what_is_missing_is_named_with_what_is_used_instead)
{
    examine(no_vm_readv, 0, "process_vm_readv", "missing", "/proc/PID/mem");
    examine(no_affinity, 0, "sched_setaffinity", "missing", "SYS_NICE");
    examine(no_memfd, 0, "memfd_create", "missing", "vm.memfd_noexec=0");
    examine(silent_debug_registers, 0, "debug registers", "missing", "int3");
    examine(no_affinity, 0, "userfaultfd write-protect", "missing", "mprotect");
}

Test(doctor, without_calls_the_baby_jit_is_not_shown_in_full)
{
    examine(no_execution, 71, "execution given back", "missing",
            "but not calls");
}

Test(doctor, nothing_can_be_traced)
{
    examine(no_seize, 71, "tracing", "missing", "--cap-add=SYS_PTRACE");
    examine(no_syscall_info, 71, "tracing", "missing", "Linux 5.3");
}

Test(doctor, there_is_nothing_to_trace_with_it)
{
    struct result result;

    run(&(struct job){.argv = ARGS(JITTRACE, "--doctor", "1")}, &result);
    cr_assert(eq(int, result.status, 64));
    cr_assert(eq(sz, result.out.len, 0));
    result_release(&result);
}
