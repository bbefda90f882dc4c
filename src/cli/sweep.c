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

#include "base/mem.h"
#include "cli/compared.h"
#include "cli/show.h"
#include "cpu/split.h"
#include "format/format.h"
#include "observe/whatif.h"
#include "target/doctor.h"

#define LEAST_TIME 2000 /* milliseconds */
#define TIMES      10   /* as long as the first run */

/* What became of a run, in the order of the columns. */
enum outcome {
    HARMLESS, /* it printed and ended as without */
    RESULT,   /* it printed something else */
    STATUS,   /* it ended with another status */
    HANGS,
    CRASHES,
    NOT_KNOWN, /* it could not be run, or not be changed */
    OUTCOMES,
};

static const char *const outcome_words[] = {
    [HARMLESS] = "harmless", [RESULT] = "result",   [STATUS] = "status",
    [HANGS] = "hangs",       [CRASHES] = "crashes", [NOT_KNOWN] = "not known",
};

/* What a run tells. */
struct report {
    bool done;       /* it came to its end */
    bool changed;    /* the bit was turned over */
    uint64_t output; /* a hash of what it printed */
    int64_t status;  /* -1: it was ended by: */
    int64_t signal;
};

struct bit {
    unsigned insn; /* index of its instruction */
    struct insn_bits part;
    unsigned bit; /* in its byte */
    enum outcome outcome;
    struct report report;
};

struct sweep {
    const struct options *options;
    FILE *out;
    struct report first; /* of the program as it is */
    int milliseconds;    /* for a run */
    uint8_t code[SWEEP_BYTES];
    uint64_t offset; /* of that in its mapping */
    size_t length, left_out;
    struct insn insns[SWEEP_BYTES];
    size_t insn_count;
    struct bit *bits;
    size_t bit_count, tried;
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

/* FNV-1a */
static uint64_t hash(uint64_t value, struct bytes bytes)
{
    for (size_t i = 0; i < bytes.len; i++)
        value = (value ^ bytes.data[i]) * 0x100000001b3;
    return value;
}

static struct report report_of(struct history *history)
{
    struct report report = {.output = 0xcbf29ce484222325, .status = -1};

    for (uint64_t i = 0; i < history_count(history); i++) {
        const struct event *event = history_event(history, i);
        const char *by = event->write.by;

        if (event->kind == EVENT_OUTPUT)
            report.output = hash(report.output, event->output.bytes);
        if (event->kind == EVENT_WRITE)
            report.changed |= by && !strncmp(by, WRITTEN_INJECTED,
                                             sizeof WRITTEN_INJECTED - 1);
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

static enum outcome judge(const struct sweep *sweep,
                          const struct report *report)
{
    if (!report->done || !report->changed)
        return NOT_KNOWN;
    if (report->signal != sweep->first.signal && report->signal)
        return CRASHES;
    if (report->status != sweep->first.status)
        return STATUS;
    return report->output == sweep->first.output ? HARMLESS : RESULT;
}

static void try_bit(struct sweep *sweep, struct bit *bit)
{
    const struct insn *insn = &sweep->insns[bit->insn];
    struct trial trial = {.sweep = sweep};

    snprintf(trial.what, sizeof trial.what, "code[%" PRIu64 "]:xor=0x%02x",
             sweep->offset + insn->addr + bit->part.byte, 1u << bit->bit);
    if (doctor_apart(run_trial, &trial, &bit->report, sizeof bit->report,
                     sweep->milliseconds) == 0)
        bit->outcome = judge(sweep, &bit->report);
    else
        bit->outcome = errno == ETIMEDOUT ? HANGS : NOT_KNOWN;
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
    sweep->offset = enter->code_offset;
    sweep->length =
        enter->code.len < SWEEP_BYTES ? enter->code.len : SWEEP_BYTES;
    sweep->left_out = enter->code.len - sweep->length;
    memcpy(sweep->code, enter->code.data, sweep->length);
    sweep->bits = mem_alloc(8 * sweep->length * sizeof *sweep->bits);
    for (size_t at = 0, count; at < sweep->length;
         at += sweep->insns[sweep->insn_count++].length) {
        struct insn *insn = &sweep->insns[sweep->insn_count];

        if (insn_decode(sweep->code + at, sweep->length - at, start + at,
                        insn) <= 0) {
            sweep->left_out += sweep->length - at;
            break;
        }
        view_name_target(view, insn);
        insn->addr = at; /* from here on */
        count = insn_split(insn, parts);
        for (size_t i = 0; i < count; i++)
            for (unsigned k = 0; k < parts[i].width; k++)
                sweep->bits[sweep->bit_count++] = (struct bit){
                    .insn = (unsigned)sweep->insn_count,
                    .part = parts[i],
                    .bit = parts[i].high - k,
                };
    }
    return sweep->bit_count > 0;
}

/* --- the table ------------------------------------------------------------ */

/* "REX.W", "ModRM.rm", "imm 7..0": what a row is called. */
static void name_part(const struct insn *insn, const struct insn_bits *part,
                      struct buf *out)
{
    const struct insn_field *field = &insn->fields[part->field];
    const bool is_plain =
        !strcmp(part->label, "opcode") || field->kind == FIELD_IMMEDIATE ||
        field->kind == FIELD_DISPLACEMENT || field->kind == FIELD_PREFIX;

    if (!is_plain) {
        field_name(field, out);
        buf_append_text(out, " ");
    }
    buf_append_text(out, part->label);
}

/* Bits of a row: those of one part, or of all bytes of a number. */
static bool same_row(const struct bit *a, const struct bit *b)
{
    return a->insn == b->insn && a->part.byte == b->part.byte &&
           a->part.high == b->part.high;
}

/* "3 SIGSEGV, 1 SIGILL" */
static void count_signals(const struct bit *from, const struct bit *to,
                          struct buf *out)
{
    unsigned counts[65] = {0};

    for (; from < to; from++)
        if (from->outcome == CRASHES && from->report.signal < 65)
            counts[from->report.signal]++;
    for (int i = 1; i < 65; i++)
        if (counts[i])
            buf_printf(out, "%s%u %s", out->len ? ", " : "", counts[i],
                       signal_name(i) ? signal_name(i) : "signals");
}

static void write_row(const struct sweep *sweep, const char *name,
                      const struct bit *from, const struct bit *to)
{
    unsigned counts[OUTCOMES] = {0};
    struct buf signals = {0};
    char cells[CRASHES][8];

    for (const struct bit *bit = from; bit < to; bit++)
        counts[bit->outcome]++;
    for (int i = 0; i < CRASHES; i++)
        snprintf(cells[i], sizeof cells[i], counts[i] ? "%u" : ".", counts[i]);
    count_signals(from, to, &signals);
    if (counts[NOT_KNOWN])
        buf_printf(&signals, "%s%u not known", signals.len ? ", " : "",
                   counts[NOT_KNOWN]);
    fprintf(sweep->out, "  %-18s %4td %8s %7s %7s %6s   %s\n", name, to - from,
            cells[HARMLESS], cells[RESULT], cells[STATUS], cells[HANGS],
            signals.len ? buf_text(&signals) : ".");
    buf_release(&signals);
}

static void write_table(const struct sweep *sweep)
{
    const struct bit *end = sweep->bits + sweep->tried, *next;

    fprintf(
        sweep->out,
        "What became of %zu runs, each with one bit of the code turned over "
        "before its\nfirst call:\n\n",
        sweep->tried);
    fprintf(sweep->out, "%-20s %4s %8s %7s %7s %6s   %s\n", "field", "bits",
            "harmless", "result", "status", "hangs", "crashes");
    for (const struct bit *bit = sweep->bits; bit < end; bit = next) {
        const struct insn *insn = &sweep->insns[bit->insn];
        struct buf name = {0};

        for (next = bit; next < end && same_row(bit, next); next++)
            continue;
        if (bit->part.byte == 0 && bit->part.high == 7)
            fprintf(sweep->out, "+%" PRIu64 "  %s\n",
                    sweep->offset + insn->addr, insn->text);
        name_part(insn, &bit->part, &name);
        write_row(sweep, buf_text(&name), bit, next);
        buf_release(&name);
    }
    write_row(sweep, "all", sweep->bits, end);
    fprintf(sweep->out,
            "\nharmless: it printed and ended as without; result: it printed "
            "something else;\nstatus: it ended with another status; hangs: not "
            "within %.1f seconds.\n",
            sweep->milliseconds / 1000.0);
    if (sweep->left_out)
        fprintf(sweep->out, "%zu more bytes of this code were not tried.\n",
                sweep->left_out);
}

static void write_line(const struct sweep *sweep, const struct bit *bit)
{
    const struct insn *insn = &sweep->insns[bit->insn];
    const uint64_t offset = sweep->offset + insn->addr + bit->part.byte;
    struct buf name = {0};

    name_part(insn, &bit->part, &name);
    fprintf(sweep->out,
            "{\"offset\":%" PRIu64
            ",\"bit\":%u,\"text\":\"%s\",\"field\":\"%s\","
            "\"outcome\":\"%s\"",
            offset, bit->bit, insn->text, buf_text(&name),
            outcome_words[bit->outcome]);
    if (bit->outcome == CRASHES)
        fprintf(sweep->out, ",\"signal\":\"%s\"",
                signal_name((int)bit->report.signal)
                    ? signal_name((int)bit->report.signal)
                    : "a signal");
    else if (bit->report.done && bit->report.status >= 0)
        fprintf(sweep->out, ",\"status\":%" PRId64, bit->report.status);
    fprintf(sweep->out, "}\n");
    fflush(sweep->out);
    buf_release(&name);
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

int sweep(const struct options *options, struct err *err)
{
    const bool is_json = options->format == FORMAT_JSON;
    const bool shows = isatty(STDERR_FILENO);
    struct sweep sweep = {.options = options};
    int result = run_first(&sweep, err);

    if (result == 0) {
        sweep.out = open_output(options, err);
        result = sweep.out ? 0 : -1;
    }
    signal(SIGINT, interrupt);
    signal(SIGTERM, interrupt);
    while (result == 0 && !interrupted && sweep.tried < sweep.bit_count) {
        try_bit(&sweep, &sweep.bits[sweep.tried]);
        if (interrupted)
            break;
        if (is_json)
            write_line(&sweep, &sweep.bits[sweep.tried]);
        sweep.tried++;
        if (shows)
            fprintf(stderr, "\r%zu of %zu bits", sweep.tried, sweep.bit_count);
    }
    if (shows && sweep.tried)
        fprintf(stderr, "\r%24s\r", "");
    if (result == 0 && !is_json)
        write_table(&sweep);
    if (result == 0 && interrupted && !is_json)
        fprintf(sweep.out, "Interrupted after %zu of %zu bits.\n", sweep.tried,
                sweep.bit_count);
    if (sweep.out && (fflush(sweep.out) != 0 || ferror(sweep.out)) &&
        result == 0 && errno != EPIPE)
        result = err_set(err, ERR_OUTPUT, "cannot write the table: %s",
                         strerror(errno));
    if (sweep.out && sweep.out != stdout)
        fclose(sweep.out);
    free(sweep.bits);
    if (result < 0)
        return complain(err);
    return interrupted ? 128 + interrupted : 0;
}
