/* SPDX-License-Identifier: MIT */
/*
 * Each run is made by a child of ours, so that one that hangs can be killed with
 * all that it has started.
 */
#include "cli/sweep.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "cli/compared.h"
#include "cli/show.h"
#include "format/flips.h"
#include "observe/whatif.h"
#include "target/doctor.h"

#define LEAST_TIME 2000 /* milliseconds */
#define TIMES      10   /* as long as the first run */

/* What a run tells. */
struct report {
    bool done;       /* it came to its end */
    bool changed;    /* the bit was turned over */
    uint64_t output; /* a hash of what it printed */
    int64_t status;  /* -1: it was ended by: */
    int64_t signal;
};

struct sweep {
    const struct options *options;
    FILE *out;
    struct report first; /* of the program as it is */
    int milliseconds;    /* for a run */
    uint8_t code[SWEEP_BYTES];
    size_t length, left_out;
    struct insn insns[SWEEP_BYTES];
    size_t insn_count;
    struct flip *flips;
    size_t flip_count, tried;
};

static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
    interrupted = signal;
}

static int64_t milliseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

/* --- one run -------------------------------------------------------------- */

static struct report report_of(struct history *history)
{
    struct report report = {.output = HASH_OF_NOTHING, .status = -1};

    for (uint64_t i = 0; i < history_count(history); i++) {
        const struct event *event = history_event(history, i);
        struct buf ignored = {0};

        report.changed |= event_injected_by(event, &ignored);
        buf_release(&ignored);
        if (event->kind == EVENT_OUTPUT)
            report.output = hash_bytes(report.output, event->output.bytes.data,
                                       event->output.bytes.len);
        if (event->kind != EVENT_EXIT)
            continue;
        report.done = true;
        if (event->exit.status.known)
            report.status = event->exit.status.value;
        report.signal = event->exit.signal.known ? event->exit.signal.value : 0;
    }
    return report;
}

/* A run that is to be made. */
struct trial {
    const struct sweep *sweep;
    char what[64];
};

/* In a child: runs the program with that bit turned over. */
static void run_trial(const void *argument, void *out)
{
    const struct trial *trial = argument;
    struct options options = *trial->sweep->options;
    struct history *history = history_new();
    struct err err;

    options.choice.whatifs.count = 0;
    if (whatif_add(&options.choice.whatifs, trial->what, &err) == 0 &&
        run_quietly(&options, history, &err) == 0)
        *(struct report *)out = report_of(history);
    history_free(history);
}

static enum flip_outcome judge(const struct sweep *sweep,
                               const struct report *report)
{
    if (!report->done || !report->changed)
        return FLIP_NOT_KNOWN;
    if (report->signal != sweep->first.signal && report->signal)
        return FLIP_CRASHES;
    if (report->status != sweep->first.status)
        return FLIP_STATUS;
    return report->output == sweep->first.output ? FLIP_HARMLESS : FLIP_RESULT;
}

static void try_flip(struct sweep *sweep, struct flip *flip)
{
    struct trial trial = {.sweep = sweep};
    struct report report = {.status = -1};

    snprintf(trial.what, sizeof trial.what, "code[%" PRIu64 "]:xor=0x%02x",
             flip->insn->addr + flip->part.byte, 1u << flip->bit);
    if (doctor_apart(run_trial, &trial, &report, sizeof report,
                     sweep->milliseconds) == 0)
        flip->outcome = judge(sweep, &report);
    else
        flip->outcome = errno == ETIMEDOUT ? FLIP_HANGS : FLIP_NOT_KNOWN;
    flip->signal = report.signal;
    flip->status = flip->outcome == FLIP_HANGS ? -1 : report.status;
}

/* --- the code ------------------------------------------------------------- */

/* Takes the instructions of the code that is called first. */
static bool take_code(struct sweep *sweep, struct history *history)
{
    struct insn_bits parts[INSN_MAX_BITS];
    const struct event_enter *enter = NULL;
    const struct view *view;
    uint64_t seq = 0, start;

    while (seq < history_count(history) &&
           (history_event(history, seq)->kind != EVENT_ENTER ||
            history_event(history, seq)->enter.code.len == 0))
        seq++;
    if (seq == history_count(history))
        return false;
    view = history_view(history, seq);
    enter = &history_event(history, seq)->enter;
    start = enter->addr - enter->offset + enter->code_offset;
    sweep->length =
        enter->code.len < SWEEP_BYTES ? enter->code.len : SWEEP_BYTES;
    sweep->left_out = enter->code.len - sweep->length;
    memcpy(sweep->code, enter->code.data, sweep->length);
    sweep->flips = mem_alloc(8 * sweep->length * sizeof *sweep->flips);
    for (size_t at = 0, count; at < sweep->length;
         at += sweep->insns[sweep->insn_count++].length) {
        struct insn *insn = &sweep->insns[sweep->insn_count];

        if (insn_decode(sweep->code + at, sweep->length - at, start + at,
                        insn) <= 0) {
            sweep->left_out += sweep->length - at;
            break;
        }
        view_name_target(view, insn);
        insn->addr = enter->code_offset + at; /* from here on */
        count = insn_split(insn, parts);
        for (size_t i = 0; i < count; i++)
            for (unsigned k = 0; k < parts[i].width; k++)
                sweep->flips[sweep->flip_count++] = (struct flip){
                    .insn = insn,
                    .part = parts[i],
                    .bit = parts[i].high - k,
                };
    }
    return sweep->flip_count > 0;
}

/* --- all of it ------------------------------------------------------------ */

static int run_first(struct sweep *sweep, struct err *err)
{
    struct history *history = history_new();
    const int64_t begin = milliseconds();
    int result = run_quietly(sweep->options, history, err);
    int64_t limit = TIMES * (milliseconds() - begin);

    sweep->milliseconds = limit < LEAST_TIME ? LEAST_TIME
                          : limit < INT_MAX  ? (int)limit
                                             : INT_MAX;
    sweep->first = report_of(history);
    if (result == 0 && !take_code(sweep, history))
        result = err_set(err, ERR_DATA,
                         "--sweep needs a call of generated code, and none was "
                         "seen");
    history_free(history);
    return result;
}

/* Tries bit after bit. Returns 0, or -1 with err filled. */
static int try_all(struct sweep *sweep, struct err *err)
{
    const bool is_json = sweep->options->format == FORMAT_JSON;
    const bool shows = isatty(STDERR_FILENO);
    int result = 0;

    while (result == 0 && !interrupted && sweep->tried < sweep->flip_count) {
        struct flip *flip = &sweep->flips[sweep->tried];

        try_flip(sweep, flip);
        if (interrupted)
            break;
        sweep->tried++;
        if (is_json)
            result = flip_write_json(sweep->out, flip, err);
        if (shows)
            fprintf(stderr, "\r%zu of %zu bits", sweep->tried,
                    sweep->flip_count);
    }
    if (shows)
        fprintf(stderr, "\r%24s\r", "");
    if (is_json || result < 0)
        return result;
    return flips_write(sweep->out, wants_color(sweep->options, sweep->out),
                       &(struct flips){.list = sweep->flips,
                                       .count = sweep->tried,
                                       .left_out = sweep->left_out,
                                       .milliseconds = sweep->milliseconds,
                                       .cut = sweep->tried < sweep->flip_count},
                       err);
}

int sweep(const struct options *options, struct err *err)
{
    struct sweep sweep = {.options = options};
    int result = run_first(&sweep, err);

    if (result == 0) {
        sweep.out = open_output(options, err);
        result = sweep.out ? 0 : -1;
    }
    signal(SIGPIPE, SIG_IGN);
    signal(SIGINT, interrupt);
    signal(SIGTERM, interrupt);
    if (result == 0)
        result = try_all(&sweep, err);
    if (sweep.out && sweep.out != stdout)
        fclose(sweep.out);
    free(sweep.flips);
    if (result < 0 && err->kind != ERR_PIPE)
        return complain(err);
    return interrupted ? 128 + interrupted : 0;
}
