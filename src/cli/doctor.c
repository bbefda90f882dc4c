/* SPDX-License-Identifier: MIT */
#include "cli/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <sysexits.h>
#include <unistd.h>

#include "cli/lesson.h"
#include "cli/wiring.h"
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
}

/* What was seen of the baby JIT. */
struct seen {
    bool started;
    bool ended; /* by itself, with status 0 */
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

    *seen = (struct seen){0};
    options.budget = observe_default_budget;
    source = start_program(&options, &launch, &err);
    seen->started = source != NULL;
    while (source && source_next(source, &event, &err) > 0) {
        seen->events[event.kind]++;
        if (event.kind == EVENT_LIMIT && !*seen->lacks)
            snprintf(seen->lacks, sizeof seen->lacks, "%s", event.limit.text);
        if (event.kind == EVENT_EXIT)
            seen->ended =
                event.exit.status.known && event.exit.status.value == 0;
    }
    if (!seen->ended && !*seen->lacks)
        snprintf(seen->lacks, sizeof seen->lacks, "%s",
                 source ? "it did not end by itself" : err.text);
    source_free(source);
}

/* Prints how far the baby JIT is seen. Returns the last line. */
static const char *print_babyjit(struct pen *pen, const struct seen *seen)
{
    const unsigned *events = seen->events;
    char text[1024];

    snprintf(text, sizeof text,
             "%u stores, %u calls, %u instructions were seen%s%s",
             events[EVENT_WRITE], events[EVENT_ENTER], events[EVENT_STEP],
             *seen->lacks ? "; " : "", seen->lacks);
    print_words(pen, "baby JIT", seen->started ? text : seen->lacks);
    if (!seen->started)
        return "Nothing can be traced here; --replay shows recordings.";
    if (!events[EVENT_WRITE])
        return "Only a part can be shown here, and no stores.";
    if (!events[EVENT_ENTER])
        return "Stores can be shown here, but not calls.";
    if (*seen->lacks || !events[EVENT_STEP] || !events[EVENT_PROTECT] ||
        events[EVENT_LEAVE] != events[EVENT_ENTER])
        return "Only a part can be shown here.";
    return NULL;
}

/* Milliseconds for the baby JIT to be traced, at most; some 20 is usual. */
#define PATIENCE_MS 5000

/* Returns whether all is there that any trace needs. */
static bool print_findings(struct pen *pen)
{
    struct finding findings[MECHANISMS];
    const struct lesson *lesson = lesson_find("babyjit");
    char *argv[] = {(char *)lesson_name(lesson), "1", NULL};
    const struct launch what = {
        .argv = argv,
        .image = {lesson->program, lesson->program_len},
        .stdin_fd = -1,
        .stdout_fd = -1,
        .stderr_fd = -1,
    };
    bool traces = true;
    char text[2048];

    doctor_examine(&what, findings);
    for (int i = 0; i < MECHANISMS; i++) {
        const struct mechanism *mechanism = &doctor_mechanisms[i];
        const char *found = findings[i].text;

        if (findings[i].state == FINDING_WORKS)
            snprintf(text, sizeof text, "works%s%s", *found ? "; " : "", found);
        else if (findings[i].state == FINDING_NOT_TRIED)
            snprintf(text, sizeof text, "not tried, for it takes: %s", found);
        else if (!mechanism->remedy)
            snprintf(text, sizeof text, "missing: %s", found);
        else
            snprintf(text, sizeof text,
                     "missing (%s); instead: %s; to have it: %s", found,
                     mechanism->instead, mechanism->remedy);
        print_words(pen, mechanism->name, text);
        traces &= findings[i].state == FINDING_WORKS || !mechanism->all_need;
    }
    return traces;
}

int doctor(const struct options *options, struct err *err)
{
    struct seen seen = {.lacks = "its trace does not come to an end"};
    const char *less;
    struct pen pen = {0};
    FILE *out;
    int status;

    print_machine(&pen);
    if (print_findings(&pen))
        doctor_apart(watch_babyjit, options, &seen, sizeof seen, PATIENCE_MS);
    else
        snprintf(seen.lacks, sizeof seen.lacks, "not traced");
    less = print_babyjit(&pen, &seen);
    pen_words(&pen, ROLE_PLAIN, 0,
              less ? less
                   : "The baby JIT can be shown in full here, and so can "
                     "programs of yours.");
    status = less ? EX_OSERR : 0;

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
