/* SPDX-License-Identifier: MIT */
#include "target/doctor.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "target/attempt.h"

/* A mechanism that does not answer within that time does not work; one that
 * does takes a thousandth of it. */
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
    int ends[2], result = -1;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -1;
    pid = fork();
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
    if (pid > 0 && poll(&ready, 1, milliseconds) > 0 &&
        read(ends[0], out, size) == (ssize_t)size)
        result = 0;
    close(ends[0]);
    if (pid > 0)
        tracee_kill(&(struct tracee){.pid = pid});
    return result;
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

void doctor_examine(const struct launch *launch, struct finding out[MECHANISMS])
{
    for (int i = 0; i < MECHANISMS; i++) {
        const struct question question = {launch, i};

        if (!can_be_tried(i, out, &out[i]) ||
            doctor_apart(answer, &question, &out[i], sizeof out[i],
                         PATIENCE_MS) == 0)
            continue;
        out[i].state = FINDING_MISSING;
        snprintf(out[i].text, sizeof out[i].text,
                 "it does not answer within %d seconds", PATIENCE_MS / 1000);
    }
}
