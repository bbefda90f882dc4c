/* SPDX-License-Identifier: MIT */
#include "target/doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "target/attempt.h"

/* A mechanism that does not answer within that time, twice, does not work; one
 * that does takes a thousandth of it. */
#define PATIENCE_MS 2000

const struct mechanism doctor_mechanisms[MECHANISMS] = {
#define MECHANISM(id, name, needs, all_need, instead, remedy) \
    {name, all_need, instead, remedy},
#include "target/doctor.def"
};

int doctor_apart(void (*try)(const void *argument, void *out),
                 const void *argument, void *out, size_t size, int milliseconds)
{
    struct pollfd ready = {.fd = -1, .events = POLLIN};
    int ends[2], error = 0;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    pid = fork();
    if (pid < 0)
        error = errno;
    if (pid == 0) {
        ssize_t ignored;

        prctl(PR_SET_PDEATHSIG, SIGTERM); /* launch may have it wait */
        close(ends[0]);
        try(argument, out);
        ignored = write(ends[1], out, size);
        (void)ignored;
        _exit(0);
    }
    close(ends[1]);
    ready.fd = ends[0];
    if (pid > 0) {
        int readable = TEMP_FAILURE_RETRY(poll(&ready, 1, milliseconds));

        if (readable <= 0)
            error = readable ? errno : ETIMEDOUT;
        else if (read(ends[0], out, size) != (ssize_t)size)
            error = EPIPE;
        tracee_kill(&(struct tracee){.pid = pid});
    }
    close(ends[0]);
    errno = error;
    return error ? -1 : 0;
}

struct question {
    const struct launch *what;
    int which;
};

static void answer(const void *argument, void *out)
{
    const struct question *question = argument;
    const struct attempt_kind *kind = &attempt_kinds[question->which];
    struct attempt attempt = {.what = question->what, .finding = out};
    uint64_t needs = kind->needs | UINT64_C(1) << question->which;
    bool works = true;
    struct err err;

    /* Directly or by what it takes. */
    for (int i = question->which - 1; i >= 0; i--)
        if (needs >> i & 1)
            needs |= attempt_kinds[i].needs;
    *attempt.finding = (struct finding){0};
    if (needs & NEEDS(START))
        works = attempt_is_told(
            &attempt, launch(question->what, &attempt.tracee, &err), &err);
    if (works) {
        works = kind->works(&attempt);
        if (needs & NEEDS(START))
            tracee_kill(&attempt.tracee);
    }
    attempt.finding->state = works ? FINDING_WORKS : FINDING_MISSING;
}

/* Whether what the mechanism takes is there. */
static bool can_be_tried(int which, const struct finding *findings,
                         struct finding *finding)
{
    for (int i = 0; i < which; i++) {
        if (!(attempt_kinds[which].needs >> i & 1) ||
            findings[i].state == FINDING_WORKS)
            continue;
        *finding = findings[i];
        finding->state = FINDING_NOT_TRIED;
        if (findings[i].state == FINDING_MISSING)
            snprintf(finding->text, sizeof finding->text, "%s",
                     doctor_mechanisms[i].name);
        return false;
    }
    return true;
}

/* On a busy machine one that works may be late once. */
static void examine(const struct launch *launch, int which, struct finding *out)
{
    const struct question question = {launch, which};
    int result = -1;

    for (int i = 0; i < 2 && (i == 0 || errno == ETIMEDOUT) && result < 0; i++)
        result = doctor_apart(answer, &question, out, sizeof *out, PATIENCE_MS);
    if (result == 0)
        return;
    out->state = FINDING_MISSING;
    if (errno == ETIMEDOUT)
        snprintf(out->text, sizeof out->text,
                 "it does not answer within %d seconds", PATIENCE_MS / 1000);
    else if (errno == EPIPE)
        snprintf(out->text, sizeof out->text,
                 "the process that tried it has ended without an answer");
    else
        snprintf(out->text, sizeof out->text, "it could not be tried: %s",
                 strerror(errno));
}

void doctor_examine(const struct launch *launch, struct finding out[MECHANISMS])
{
    for (int i = 0; i < MECHANISMS; i++)
        if (can_be_tried(i, out, &out[i]))
            examine(launch, i, &out[i]);
}
