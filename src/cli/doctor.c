/* SPDX-License-Identifier: MIT */
#include "cli/doctor.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/lesson.h"
#include "cli/wiring.h"
#include "record/json.h"
#include "render/pen.h"
#include "step/terminal.h"
#include "target/doctor.h"
#include "target/lines.h"
#include "target/proc.h"
#include "x86/insn.h"

/* Behind the name of a line. */
#define COLUMN 27

static void print_words(struct pen *pen, const char *name, const char *words)
{
    pen_print(pen, ROLE_PLAIN, "%s", name);
    pen_column(pen, COLUMN);
    pen_words(pen, ROLE_PLAIN, COLUMN, words);
}

/* The value of the first line of /proc/cpuinfo with that name, or "". */
static void cpu_value(const char *name, char *out, size_t size)
{
    FILE *file = fopen("/proc/cpuinfo", "re");
    char line[4096];

    *out = 0;
    while (file && !*out && fgets(line, sizeof line, file)) {
        const char *value = strchr(line, ':');

        if (!value || strncmp(line, name, strlen(name)) != 0)
            continue;
        snprintf(out, size, "%.*s", (int)strcspn(value + 2, "\n"), value + 2);
    }
    if (file)
        fclose(file);
}

static void print_machine(struct pen *pen)
{
    char model[128], flags[4096], libc[32], text[256];
    struct utsname name;

    uname(&name);
    cpu_value("model name", model, sizeof model);
    cpu_value("flags", flags, sizeof flags);
    print_words(pen, "jittrace", JITTRACE_VERSION);
    snprintf(text, sizeof text, "%.60s %.60s %.60s", name.sysname, name.release,
             name.machine);
    print_words(pen, "kernel", text);
    snprintf(text, sizeof text, "%s%s", *model ? model : "not known",
             strstr(flags, " hypervisor") ? ", in a virtual machine" : "");
    print_words(pen, "CPU", text);
    if (!confstr(_CS_GNU_LIBC_VERSION, libc, sizeof libc))
        strcpy(libc, "not glibc");
    snprintf(text, sizeof text, "%s, %s, elfutils %s, Jansson %s, %s", libc,
             insn_library(), lines_library(), json_library(),
             terminal_library());
    print_words(pen, "libraries", text);
    if (proc_yama_scope() >= 0) {
        snprintf(text, sizeof text, "%d", proc_yama_scope());
        print_words(pen, "yama.ptrace_scope", text);
    }
}

static void print_mechanism(struct pen *pen, const struct mechanism *what)
{
    char text[512];

    if (what->works)
        snprintf(text, sizeof text, "works");
    else
        snprintf(text, sizeof text, "missing; instead: %s; to have it: %s",
                 what->instead, what->remedy);
    print_words(pen, what->name, text);
}

/* The bundled baby JIT, of which nothing is executed. */
static int examine(struct mechanism mechanisms[MECHANISMS], struct err *err)
{
    const struct lesson *lesson = lesson_find("babyjit");
    char *argv[] = {(char *)lesson_name(lesson), "1", NULL};
    struct launch what = {
        .argv = argv,
        .image = {lesson->program, lesson->program_len},
        .stdin_fd = -1,
        .stdout_fd = -1,
        .stderr_fd = -1,
    };

    return doctor_examine(&what, mechanisms, err);
}

/* Returns the exit status. */
static int print_findings(struct pen *pen)
{
    struct mechanism mechanisms[MECHANISMS];
    bool in_full = true;
    struct err refused;

    if (examine(mechanisms, &refused) < 0) {
        print_words(pen, "tracing", "missing:");
        pen_words(pen, ROLE_PLAIN, 0, refused.text);
        pen_words(pen, ROLE_PLAIN, 0,
                  "Nothing can be traced here; --replay shows recordings.");
        return EX_OSERR;
    }
    print_words(pen, "tracing", "works");
    for (int i = 0; i < MECHANISMS; i++) {
        print_mechanism(pen, &mechanisms[i]);
        in_full &= mechanisms[i].works || !mechanisms[i].needed;
    }
    pen_words(pen, ROLE_PLAIN, 0,
              in_full ? "The baby JIT can be shown in full here, and so can "
                        "programs of yours."
                      : "Stores can be shown here, but not calls.");
    return in_full ? 0 : EX_OSERR;
}

int doctor(const struct options *options, struct err *err)
{
    struct pen pen = {0};
    FILE *out;
    int status;

    print_machine(&pen);
    status = print_findings(&pen);
    out = open_output(options, err);
    if (!out)
        return complain(err);
    fputs(buf_text(&pen.out), out);
    if (out == stdout ? fflush(out) : fclose(out)) {
        err_set(err, ERR_OUTPUT, "cannot write: %s", strerror(errno));
        status = complain(err);
    }
    pen_release(&pen);
    return status;
}
