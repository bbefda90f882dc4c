/* SPDX-License-Identifier: MIT */
#include "cli/show.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/lesson.h"
#include "observe/observe.h"
#include "format/format.h"
#include "tell/pen.h"
#include "step/terminal.h"
#include "target/doctor.h"
#include "target/lines.h"
#include "trace/source.h"
#include "cpu/insn.h"

/* Behind the name of a line. */
#define COLUMN 27

/* A line, or more, that has a name. */
static void print(struct pen *pen, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void print(struct pen *pen, const char *name, const char *format, ...)
{
    struct buf words = {0};
    va_list args;

    va_start(args, format);
    buf_vprintf(&words, format, args);
    va_end(args);
    pen_print(pen, ROLE_PLAIN, "%s", name);
    pen_column(pen, COLUMN);
    pen_words(pen, ROLE_PLAIN, COLUMN, buf_text(&words));
    buf_release(&words);
}

static void print_machine(struct pen *pen)
{
    FILE *file = fopen("/proc/cpuinfo", "re");
    char line[4096], model[128] = "not known", libc[32];
    bool is_virtual = false;
    struct utsname name;

    /* Of the first CPU, whose flags are behind its name (proc_cpuinfo(5)). */
    while (file && fgets(line, sizeof line, file)) {
        const char *value = strchr(line, ':');

        if (!value)
            continue;
        if (!strncmp(line, "model name", 10))
            snprintf(model, sizeof model, "%.*s", (int)strcspn(value + 2, "\n"),
                     value + 2);
        if (!strncmp(line, "flags", 5)) {
            is_virtual = strstr(value, " hypervisor");
            break;
        }
    }
    if (file)
        fclose(file);
    uname(&name);
    if (!confstr(_CS_GNU_LIBC_VERSION, libc, sizeof libc))
        strcpy(libc, "not glibc");
    print(pen, "jittrace", "%s", JITTRACE_VERSION);
    print(pen, "kernel", "%s %s %s", name.sysname, name.release, name.machine);
    print(pen, "CPU", "%s%s", model,
          is_virtual ? ", in a virtual machine" : "");
    print(pen, "libraries", "%s, %s, elfutils %s, Jansson %s, %s", libc,
          insn_library(), lines_library(), json_library(), terminal_library());
}

/* What was seen of the baby JIT. */
struct seen {
    bool started;
    unsigned events[EVENT_KINDS];
    char lacks[512]; /* the first reason why something is not seen, or "" */
};

/* The bundled baby JIT, which writes to nobody. */
static void watch_babyjit(const void *argument, void *out)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    struct launch launch = {
        .stdin_fd = null, .stdout_fd = null, .stderr_fd = null};
    struct options options = *(const struct options *)argument;
    struct seen *seen = out;
    struct source *source;
    struct event event;
    struct err err;
    bool ended = false; /* by itself, with status 0 */

    *seen = (struct seen){0};
    options.budget = observe_default_budget;
    source = start_program(&options, &launch, &err);
    seen->started = source != NULL;
    while (source && source_next(source, &event, &err) > 0) {
        seen->events[event.kind]++;
        if (event.kind == EVENT_LIMIT && !*seen->lacks)
            snprintf(seen->lacks, sizeof seen->lacks, "%s", event.limit.text);
        if (event.kind == EVENT_EXIT)
            ended = event.exit.status.known && event.exit.status.value == 0;
    }
    if (!ended && !*seen->lacks)
        snprintf(seen->lacks, sizeof seen->lacks, "%s",
                 source ? "it did not end by itself" : err.text);
    source_free(source);
}

/* Milliseconds for the baby JIT to be traced, at most; some 20 is usual. */
#define PATIENCE_MS 5000

/* Returns whether all is there that any trace needs. */
static bool print_findings(struct pen *pen)
{
    struct finding findings[MECHANISMS];
    const struct lesson *lesson = lesson_find("babyjit");
    char *argv[] = {(char *)lesson->name, "1", NULL};
    const struct launch what = {
        .argv = argv,
        .image = {lesson->program, lesson->program_len},
        .stdin_fd = -1,
        .stdout_fd = -1,
        .stderr_fd = -1,
    };
    bool traces = true;

    doctor_examine(&what, findings);
    for (int i = 0; i < MECHANISMS; i++) {
        const struct mechanism *mechanism = &doctor_mechanisms[i];
        const char *found = findings[i].text, *name = mechanism->name;

        if (findings[i].state == FINDING_WORKS)
            print(pen, name, "works%s%s", *found ? "; " : "", found);
        else if (findings[i].state == FINDING_NOT_TRIED)
            print(pen, name, "not tried, for it takes: %s", found);
        else if (!mechanism->remedy)
            print(pen, name, "missing: %s", found);
        else
            print(pen, name, "missing (%s); instead: %s; to have it: %s", found,
                  mechanism->instead ? mechanism->instead : "nothing",
                  mechanism->remedy);
        traces &= findings[i].state == FINDING_WORKS || mechanism->instead;
    }
    return traces;
}

int doctor(const struct options *options, struct err *err)
{
    struct seen seen = {.lacks = "its trace does not come to an end"};
    const unsigned *events = seen.events;
    struct pen pen = {0};
    const char *less;
    FILE *out;

    print_machine(&pen);
    if (print_findings(&pen))
        doctor_apart(watch_babyjit, options, &seen, sizeof seen, PATIENCE_MS);
    else
        snprintf(seen.lacks, sizeof seen.lacks, "not traced");
    if (seen.started)
        print(&pen, "baby JIT",
              "%u stores, %u calls, %u instructions were seen%s%s",
              events[EVENT_WRITE], events[EVENT_ENTER], events[EVENT_STEP],
              *seen.lacks ? "; " : "", seen.lacks);
    else
        print(&pen, "baby JIT", "%s", seen.lacks);

    if (!seen.started)
        less = "Nothing can be traced here; --replay shows recordings.";
    else if (!events[EVENT_WRITE])
        less = "Only a part can be shown here, and no stores.";
    else if (!events[EVENT_ENTER])
        less = "Stores can be shown here, but not calls.";
    else if (*seen.lacks || !events[EVENT_STEP] || !events[EVENT_PROTECT] ||
             events[EVENT_LEAVE] != events[EVENT_ENTER])
        less = "Only a part can be shown here.";
    else
        less = NULL;
    pen_words(&pen, ROLE_PLAIN, 0,
              less ? less
                   : "The baby JIT can be shown in full here, and so can "
                     "programs of yours.");

    out = open_output(options, err);
    if (!out)
        return complain(err);
    fputs(buf_text(&pen.out), out);
    pen_release(&pen);
    if (out == stdout ? fflush(out) : fclose(out)) {
        err_set(err, ERR_OUTPUT, "cannot write: %s", strerror(errno));
        return complain(err);
    }
    return less ? EX_OSERR : 0;
}
