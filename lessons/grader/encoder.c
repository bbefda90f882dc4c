/* SPDX-License-Identifier: MIT */
/*
 * Judging an encoder.
 *
 * Each check looks at all calls and speaks of the first that is wrong. What is
 * wrong with the bytes is best seen from all terms together: 255 stored as -1
 * may be a sign that is lost or a byte that is missing, and what is wrong only
 * for negative terms has its cause there.
 */
#include "grader/encoder.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "grader/adder.h"
#include "grader/encoding.h"
#include "trace/view.h"

/* Of the bytes from code[0] on, which were stored. */
struct stores {
    bool at[TRIAL_ROOM];
};

/* What the checks work with. */
struct judge {
    const struct encoder_run *run;
    struct view view;      /* the state at the end */
    struct event_exit end; /* all zero if it is not known */
    struct stores *stores; /* of each trial */
    bool lost;             /* not every store was seen */
    struct encoder_verdict *out;
};

static const char *const words[] = {
#define CHECK(name, word, what) word,
#include "grader/checks.def"
};

static const char *const meanings[] = {
#define CHECK(name, word, what) what,
#include "grader/checks.def"
};

const char *encoder_check_word(enum encoder_check check)
{
    return words[check];
}

const char *encoder_check_what(enum encoder_check check)
{
    return meanings[check];
}

enum encoder_check encoder_failed(const struct encoder_verdict *verdict)
{
    unsigned check = 0;

    while (check < ENCODER_CHECKS &&
           verdict->check[check].state != CHECK_FAILED)
        check++;
    return check;
}

void encoder_verdict_release(struct encoder_verdict *verdict)
{
    for (unsigned i = 0; i < ENCODER_CHECKS; i++) {
        buf_release(&verdict->check[i].what);
        buf_release(&verdict->check[i].details);
    }
}

static struct check_verdict *fail(struct judge *judge, enum encoder_check check)
{
    judge->out->check[check].state = CHECK_FAILED;
    return &judge->out->check[check];
}

static void pass(struct judge *judge, enum encoder_check check)
{
    judge->out->check[check].state = CHECK_PASSED;
}

/* "term      19088743 = 0x01234567" */
static void add_term(struct check_verdict *verdict, int32_t term)
{
    buf_printf(&verdict->details, "term      %" PRId32 " = 0x%08" PRIx32 "\n",
               term, (uint32_t)term);
}

/* ", at my.c:7 `code[3] = term;`", if it is known. */
static void append_source(const struct srcline *source, struct buf *out)
{
    if (!source->file)
        return;
    buf_printf(out, ", at %s:%d", source->file, source->line);
    if (source->text)
        buf_printf(out, " `%s`", source->text);
}

/* --- how it ended -------------------------------------------------------- */

static const struct event *last_signal(const struct encoder_run *run)
{
    for (size_t i = run->store->count; i-- > 0;) {
        const struct event *event = store_event(run->store, i);

        if (event->kind == EVENT_SIGNAL)
            return event;
    }
    return NULL;
}

/* who is "encode_adder" or "the code". */
static void tell_end(struct judge *judge, const char *who,
                     struct check_verdict *verdict)
{
    const struct encoder_run *run = judge->run;
    const struct event *signal = last_signal(run);
    struct buf *what = &verdict->what;

    if (run->seconds) {
        buf_printf(what, "%s does not come back: it was ended after %u seconds",
                   who, run->seconds);
    } else if (judge->end.status.known &&
               judge->end.status.value == TRIAL_LOST) {
        buf_printf(what, "%s closed a descriptor that it had not opened", who);
    } else if (judge->end.status.known) {
        buf_printf(what,
                   "%s does not come back: it ended the whole program, with "
                   "status %d",
                   who, (int)judge->end.status.value);
    } else if (signal) {
        buf_printf(what,
                   signal->signal.code > 0 ? "%s crashed: %s"
                                           : "%s ended the program by %s",
                   who, signal->signal.name);
        if (signal->signal.text)
            buf_printf(what, ", %s", signal->signal.text);
        append_source(&signal->source, what);
    } else {
        buf_printf(what, "%s was ended from outside", who);
    }
}

/* The last store that was seen: an endless loop that stores can be told by it. */
static void add_last_store(const struct judge *judge, const struct trial *trial,
                           struct check_verdict *verdict)
{
    const struct store *store = judge->run->store;

    for (size_t i = store->count; i-- > 0;) {
        const struct event *event = store_event(store, i);

        if (event->kind != EVENT_WRITE || event->write.by ||
            event->write.addr - trial->code >= TRIAL_ROOM)
            continue;
        buf_printf(&verdict->details, "seen      it stored code[%" PRIu64 "]",
                   event->write.addr - trial->code);
        append_source(&event->source, &verdict->details);
        buf_append_text(&verdict->details, "\n");
        return;
    }
}

/* Whether it crashed in a page next to that of its code, which nobody may
 * touch. Then that is what is wrong. */
static bool crashed_outside(struct judge *judge, const struct trial *trial)
{
    const struct event *signal = last_signal(judge->run);
    struct check_verdict *verdict;
    int64_t at;

    if (!signal || !signal->signal.addr.known || judge->run->seconds)
        return false;
    at = (int64_t)(signal->signal.addr.value - trial->code);
    if (at < -(int64_t)TRIAL_ROOM || at >= 2 * (int64_t)TRIAL_ROOM ||
        (at >= 0 && at < (int64_t)TRIAL_ROOM))
        return false;
    verdict = fail(judge, CHECK_INSIDE);
    buf_printf(&verdict->what,
               "encode_adder crashed %s of its page, at code[%" PRId64 "]",
               at < 0 ? "before the beginning" : "beyond the end", at);
    append_source(&signal->source, &verdict->what);
    add_term(verdict, trial->term);
    return true;
}

/* Returns whether every call came back. */
static bool check_returns(struct judge *judge)
{
    const struct encoder_run *run = judge->run;
    const struct trial *last =
        run->trial_count ? &run->trials[run->trial_count - 1] : NULL;
    bool in_code =
        run->call_count && !run->calls[run->call_count - 1].came_back;
    struct check_verdict *verdict;

    if (run->finished || in_code) {
        pass(judge, CHECK_RETURNS);
        return true;
    }
    if (last && !last->came_back && crashed_outside(judge, last))
        return false;
    verdict = fail(judge, CHECK_RETURNS);
    if (last && !last->came_back) {
        tell_end(judge, "encode_adder", verdict);
        add_term(verdict, last->term);
        add_last_store(judge, last, verdict);
    } else {
        tell_end(judge,
                 last ? "the program that called encode_adder"
                      : "what the encoder does while it is loaded",
                 verdict);
    }
    return false;
}

/* --- what was stored ----------------------------------------------------- */

static bool is_of_stores(const struct event_limit *limit)
{
    return limit->budget && (strcmp(limit->budget, "stores") == 0 ||
                             strcmp(limit->budget, "all-stores") == 0 ||
                             strcmp(limit->budget, "system-calls") == 0);
}

/* Only what was seen being stored counts, unless there was too much to see: of
 * a page that turns executable, a view takes what lies between the first and
 * the last store for written. */
static void find_stores(struct judge *judge)
{
    const struct encoder_run *run = judge->run;

    judge->stores = mem_alloc(run->trial_count * sizeof *judge->stores);
    for (size_t i = 0; i < run->store->count; i++) {
        const struct event *event = store_event(run->store, i);
        const struct event_write *write = &event->write;

        judge->lost |=
            event->kind == EVENT_LIMIT && is_of_stores(&event->limit);
        if (event->kind != EVENT_WRITE)
            continue;
        for (size_t k = 0; k < run->trial_count; k++) {
            uint64_t at = write->addr - run->trials[k].code;

            for (size_t b = 0; b < write->new.len; b++)
                if (at + b < TRIAL_ROOM)
                    judge->stores[k].at[at + b] = true;
        }
    }
}

static bool is_stored(const struct judge *judge, const struct trial *trial,
                      uint64_t offset)
{
    return judge->stores[trial - judge->run->trials].at[offset] ||
           (judge->lost &&
            pages_written(&judge->view.pages, trial->code + offset));
}

static uint8_t byte_at(const struct judge *judge, const struct trial *trial,
                       uint64_t offset)
{
    uint8_t byte;

    pages_read(&judge->view.pages, trial->code + offset, 1, &byte);
    return byte;
}

/* How many bytes were stored from code[0] on, without a gap. */
static uint64_t stored_length(const struct judge *judge,
                              const struct trial *trial)
{
    uint64_t length = 0;

    while (length < TRIAL_ROOM && is_stored(judge, trial, length))
        length++;
    return length;
}

/* The line that stored a byte; a file of NULL if that is not known. */
static struct srcline source_of(const struct judge *judge,
                                const struct trial *trial, uint64_t offset)
{
    uint64_t addr = trial->code + offset;

    for (size_t i = judge->run->store->count; i-- > 0;) {
        const struct event *event = store_event(judge->run->store, i);

        if (event->kind == EVENT_WRITE && event->write.addr <= addr &&
            addr - event->write.addr < event->write.new.len)
            return event->source;
    }
    return (struct srcline){0};
}

/* Whether what was returned is the length of code, as a claim. */
static bool is_length(const struct trial *trial)
{
    return trial->length > 0 && trial->length <= TRIAL_ROOM;
}

/* Whether the bytes up to the returned length are what the baby JIT makes. */
static bool is_exact(const struct judge *judge, const struct trial *trial)
{
    uint8_t want[ADDER_LENGTH], got[ADDER_LENGTH];

    adder_encode(trial->term, want);
    pages_read(&judge->view.pages, trial->code, ADDER_LENGTH, got);
    return trial->length >= ADDER_LENGTH &&
           memcmp(want, got, ADDER_LENGTH) == 0;
}

/* Where a byte was stored that belongs to nobody, or 0. What comes right behind
 * the code may be a wrong length, unless the code is known to be whole. */
static uint64_t stray(const struct judge *judge, const struct trial *trial)
{
    uint64_t first = stored_length(judge, trial);

    if (!trial->came_back || !is_length(trial))
        return 0;
    if (first < trial->length || is_exact(judge, trial))
        first = trial->length;
    for (uint64_t i = first; i < TRIAL_ROOM; i++)
        if (is_stored(judge, trial, i))
            return i;
    return 0;
}

static void check_inside(struct judge *judge)
{
    const struct encoder_run *run = judge->run;

    pass(judge, CHECK_INSIDE);
    for (size_t i = 0; i < run->trial_count; i++) {
        const struct trial *trial = &run->trials[i];
        uint64_t at = stray(judge, trial);
        struct srcline source = source_of(judge, trial, at);
        struct check_verdict *verdict;

        if (at == 0)
            continue;
        verdict = fail(judge, CHECK_INSIDE);
        buf_printf(&verdict->what,
                   "it stored beyond the end of the code: "
                   "code[%" PRIu64 "] = 0x%02x",
                   at, byte_at(judge, trial, at));
        append_source(&source, &verdict->what);
        add_term(verdict, trial->term);
        buf_printf(&verdict->details,
                   "returned  %" PRIu64 ": the code is code[0] to "
                   "code[%" PRIu64 "]\n",
                   trial->length, trial->length - 1);
        return;
    }
}

static bool is_wrong_length(const struct judge *judge,
                            const struct trial *trial)
{
    return !is_length(trial) ||
           (trial->length != stored_length(judge, trial) &&
            !(trial->length < stored_length(judge, trial) &&
              is_exact(judge, trial)));
}

static void check_length(struct judge *judge)
{
    const struct encoder_run *run = judge->run;

    pass(judge, CHECK_LENGTH);
    for (size_t i = 0; i < run->trial_count; i++) {
        const struct trial *trial = &run->trials[i];
        uint64_t stored = stored_length(judge, trial);
        struct check_verdict *verdict;
        struct buf *what;

        if (!is_wrong_length(judge, trial))
            continue;
        verdict = fail(judge, CHECK_LENGTH);
        what = &verdict->what;
        if ((int64_t)trial->length < 0)
            buf_printf(what,
                       "it returned %" PRId64 ", which is no number of bytes: "
                       "as a size_t that is %" PRIu64,
                       (int64_t)trial->length, trial->length);
        else if (trial->length == 0 && stored == 0)
            buf_append_text(what, "it returned 0 and stored nothing");
        else if (trial->length == 0)
            buf_printf(what, "it returned 0, but stored %" PRIu64 " bytes",
                       stored);
        else if (stored < trial->length)
            buf_printf(what,
                       "it returned %" PRIu64 ", but never stored "
                       "code[%" PRIu64 "]",
                       trial->length, stored);
        else
            buf_printf(what,
                       "it returned %" PRIu64 ", but stored %" PRIu64 " bytes: "
                       "code[%" PRIu64 "] = 0x%02x would be left out",
                       trial->length, stored, trial->length,
                       byte_at(judge, trial, trial->length));
        add_term(verdict, trial->term);
        buf_printf(&verdict->details,
                   "stored    %" PRIu64 " bytes\nreturned  %" PRIu64 "\n",
                   stored, trial->length);
        return;
    }
}

/* --- the bytes ----------------------------------------------------------- */

/* The terms whose encoding differs, each once. */
struct wrong {
    const struct trial *trial; /* of the first of them */
    struct difference first;
    size_t count;          /* of them */
    size_t terms;          /* of all */
    size_t negative;       /* of those that are wrong */
    size_t negative_terms; /* of all */
    bool in_immediate;     /* all differ only in that */
    bool to_all;           /* the same was done to the terms that are right */
};

/* What an encoder did to a term. */
struct mistake {
    const char *what;
    uint32_t (*made)(uint32_t term);
};

static uint32_t reversed(uint32_t term)
{
    return __builtin_bswap32(term);
}

static uint32_t halves_swapped(uint32_t term)
{
    return term << 16 | term >> 16;
}

static uint32_t negated(uint32_t term)
{
    return -term;
}

static uint32_t complemented(uint32_t term)
{
    return ~term;
}

static uint32_t without_sign(uint32_t term)
{
    return term >> 31 ? -term : term;
}

static uint32_t low_31(uint32_t term)
{
    return term & 0x7fffffff;
}

static uint32_t low_16(uint32_t term)
{
    return (uint16_t)term;
}

static uint32_t low_16_signed(uint32_t term)
{
    return (uint32_t)(int16_t)term;
}

static uint32_t low_8(uint32_t term)
{
    return (uint8_t)term;
}

static uint32_t low_8_signed(uint32_t term)
{
    return (uint32_t)(int8_t)term;
}

static uint32_t low_24(uint32_t term)
{
    return term & 0xffffff;
}

static uint32_t one_more(uint32_t term)
{
    return term + 1;
}

static uint32_t one_less(uint32_t term)
{
    return term - 1;
}

static const struct mistake mistakes[] = {
    {"the bytes of the term are in reverse order: the lowest one comes first",
     reversed},
    {"the two halves of the term are swapped: the lowest byte comes first",
     halves_swapped},
    {"the term is negated", negated},
    {"every bit of the term is inverted", complemented},
    {"the sign of the term is lost: its absolute value is stored",
     without_sign},
    {"bit 31 of the term, its sign, is lost", low_31},
    {"only the lower 16 bits of the term are stored, and zeros above", low_16},
    {"only the lower 16 bits of the term are stored, and their sign above",
     low_16_signed},
    {"only the lowest byte of the term is stored, and zeros above", low_8},
    {"only the lowest byte of the term is stored, and its sign above",
     low_8_signed},
    {"only the lower 24 bits of the term are stored, and zeros above", low_24},
    {"the term is stored plus one", one_more},
    {"the term is stored minus one", one_less},
};

static struct bytes code_of(const struct judge *judge,
                            const struct trial *trial, uint8_t *room)
{
    size_t length = is_length(trial) ? (size_t)trial->length : 0;

    pages_read(&judge->view.pages, trial->code, length, room);
    return (struct bytes){room, length};
}

/* Compares one encoding. Returns whether it differs. */
static bool differs(const struct judge *judge, const struct trial *trial,
                    struct difference *out)
{
    uint8_t want[ADDER_LENGTH], got[TRIAL_ROOM];

    adder_encode(trial->term, want);
    return encoding_compare((struct bytes){want, ADDER_LENGTH},
                            code_of(judge, trial, got), out);
}

static bool is_again(const struct encoder_run *run, size_t trial)
{
    for (size_t i = 0; i < trial; i++)
        if (run->trials[i].term == run->trials[trial].term)
            return true;
    return false;
}

/* A term that was tried twice counts when it was wrong the first time. */
static void find_wrong(const struct judge *judge, struct wrong *wrong)
{
    const struct encoder_run *run = judge->run;

    *wrong = (struct wrong){.in_immediate = true};
    for (size_t i = 0; i < run->trial_count; i++) {
        const struct trial *trial = &run->trials[i];
        struct difference difference = {0};
        bool again = is_again(run, i);

        wrong->terms += !again;
        wrong->negative_terms += !again && trial->term < 0;
        if (!differs(judge, trial, &difference))
            continue;
        wrong->in_immediate &= difference.in_immediate;
        wrong->count += !again;
        wrong->negative += !again && trial->term < 0;
        if (wrong->trial) {
            difference_release(&difference);
            continue;
        }
        wrong->trial = trial;
        wrong->first = difference;
    }
}

/* The immediate that an encoding has where the seed's has it. */
static uint32_t immediate_of(const struct judge *judge,
                             const struct trial *trial)
{
    uint32_t value = 0;

    for (int i = 3; i >= 0; i--)
        value = value << 8 | byte_at(judge, trial, 3u + (unsigned)i);
    return value;
}

/* Whether this was done to every term, or to every one that is wrong. */
static bool explains(const struct judge *judge, const struct mistake *mistake,
                     bool to_all)
{
    const struct encoder_run *run = judge->run;

    for (size_t i = 0; i < run->trial_count; i++) {
        const struct trial *trial = &run->trials[i];
        uint32_t got = immediate_of(judge, trial);

        if (got != mistake->made((uint32_t)trial->term) &&
            (to_all || got != (uint32_t)trial->term))
            return false;
    }
    return true;
}

/* Whether the immediate is the same whatever the term is. */
static bool is_constant(const struct judge *judge)
{
    const struct encoder_run *run = judge->run;

    for (size_t i = 1; i < run->trial_count; i++)
        if (immediate_of(judge, &run->trials[i]) !=
            immediate_of(judge, &run->trials[0]))
            return false;
    return run->trial_count > 2;
}

/* "code[3] is 0x01 where 0x67 belongs" */
static void add_first_byte(const struct judge *judge, const struct trial *trial,
                           struct buf *out)
{
    for (int i = 0; i < 4; i++) {
        uint8_t want = (uint8_t)((uint32_t)trial->term >> 8 * i);
        uint8_t got = byte_at(judge, trial, 3u + (unsigned)i);

        if (want == got)
            continue;
        buf_printf(out, "byte      code[%d] is 0x%02x where 0x%02x belongs\n",
                   3 + i, got, want);
        return;
    }
}

/* Appends what was done to the terms; false if nothing fits. One or two wrong
 * values can be explained in many ways, so they are only told. */
static bool tell_mistake(const struct judge *judge, struct wrong *wrong,
                         struct buf *out)
{
    const struct encoder_run *run = judge->run;
    size_t count = sizeof mistakes / sizeof *mistakes;

    wrong->to_all = is_constant(judge);
    if (wrong->to_all) {
        bool kept = immediate_of(judge, &run->trials[0]) ==
                    (uint32_t)run->trials[0].term;

        buf_printf(out,
                   kept ? "every call stores the term of the first call, %d"
                        : "the term is ignored: every call stores %d",
                   (int)immediate_of(judge, &run->trials[0]));
        return true;
    }
    for (size_t i = 0; i < 2 * count; i++) {
        const struct mistake *mistake = &mistakes[i % count];

        wrong->to_all = i < count;
        if (!explains(judge, mistake, wrong->to_all) ||
            (!wrong->to_all && wrong->count < 3))
            continue;
        buf_append_text(out, mistake->what);
        return true;
    }
    return false;
}

/* ", for negative terms only" */
static void tell_set(const struct wrong *wrong, struct buf *out)
{
    size_t positive = wrong->count - wrong->negative;

    if (wrong->to_all || wrong->count == wrong->terms)
        return;
    if (wrong->count == 0) {
        buf_append_text(out, ", when the same term comes a second time");
    } else if (wrong->count == 1) {
        buf_printf(out, ", for the term %d only", wrong->trial->term);
    } else if (wrong->negative == wrong->negative_terms && positive == 0) {
        buf_append_text(out, ", for every negative term and only for these");
    } else if (wrong->negative == 0 &&
               positive == wrong->terms - wrong->negative_terms) {
        buf_append_text(out, ", for every term but the negative ones");
    } else {
        buf_printf(out, ", for %zu of %zu terms", wrong->count, wrong->terms);
    }
}

static void check_bytes(struct judge *judge)
{
    bool asked = judge->out->level == LEVEL_EXACT;
    struct check_verdict *verdict = &judge->out->check[CHECK_BYTES];
    struct wrong wrong;

    if (judge->out->check[CHECK_LENGTH].state == CHECK_FAILED)
        return;
    find_wrong(judge, &wrong);
    verdict->state = !wrong.trial ? CHECK_PASSED
                     : asked      ? CHECK_FAILED
                                  : CHECK_NOT_RUN;
    if (!wrong.trial)
        return;
    add_term(verdict, wrong.trial->term);
    if (!wrong.in_immediate || !tell_mistake(judge, &wrong, &verdict->what))
        buf_append_text(&verdict->what, buf_text(&wrong.first.what));
    tell_set(&wrong, &verdict->what);
    if (wrong.in_immediate)
        add_first_byte(judge, wrong.trial, &verdict->details);
    buf_append_text(&verdict->details, buf_text(&wrong.first.details));
    difference_release(&wrong.first);
}

/* --- what the code does -------------------------------------------------- */

static void add_call(struct judge *judge, const struct trial_call *call,
                     struct check_verdict *verdict)
{
    const struct trial *trial = &judge->run->trials[call->trial];
    uint8_t room[TRIAL_ROOM];
    struct bytes code = code_of(judge, trial, room);

    if (code.len > 32)
        code.len = 32;
    add_term(verdict, trial->term);
    buf_append_text(&verdict->details, "code      ");
    encoding_hex(code, &verdict->details);
    buf_printf(&verdict->details, "\nargument  rdi = %" PRId64 "\n",
               call->argument);
}

/* The last instruction of the code that was seen: part of a loop, if it is in
 * one. */
static void add_last_step(struct judge *judge, const struct trial *trial,
                          struct check_verdict *verdict)
{
    const struct store *store = judge->run->store;

    for (size_t i = store->count; i-- > 0;) {
        const struct event *event = store_event(store, i);

        if (event->kind != EVENT_STEP ||
            event->step.addr - trial->code >= TRIAL_ROOM)
            continue;
        buf_append_text(&verdict->details, "seen      ");
        encoding_hex(event->step.bytes, &verdict->details);
        buf_printf(&verdict->details, " at code[%" PRIu64 "] was executed\n",
                   event->step.addr - trial->code);
        return;
    }
}

static void check_runs(struct judge *judge)
{
    const struct encoder_run *run = judge->run;
    const struct trial_call *last = &run->calls[run->call_count - 1];
    struct check_verdict *verdict;

    if (last->came_back) {
        pass(judge, CHECK_RUNS);
        return;
    }
    verdict = fail(judge, CHECK_RUNS);
    tell_end(judge, "the code", verdict);
    add_call(judge, last, verdict);
    add_last_step(judge, &run->trials[last->trial], verdict);
}

static void check_result(struct judge *judge)
{
    const struct encoder_run *run = judge->run;

    pass(judge, CHECK_RESULT);
    for (size_t i = 0; i < run->call_count && run->calls[i].came_back; i++) {
        const struct trial_call *call = &run->calls[i];
        int32_t term = run->trials[call->trial].term;
        uint64_t want = adder_result(term, call->argument);
        struct check_verdict *verdict;

        if (call->result == want)
            continue;
        verdict = fail(judge, CHECK_RESULT);
        buf_printf(&verdict->what,
                   "term %" PRId32 " and argument %" PRId64 " give %" PRId64
                   ", not %" PRId64 "%s",
                   term, call->argument, (int64_t)call->result, (int64_t)want,
                   (uint32_t)call->result == (uint32_t)want
                       ? ": the lower 32 bits are right, the upper ones not"
                       : "");
        add_call(judge, call, verdict);
        buf_printf(&verdict->details,
                   "expected  rax = 0x%016" PRIx64 "\n"
                   "actual    rax = 0x%016" PRIx64 "\n",
                   want, call->result);
        return;
    }
}

/* The instruction of generated code that was the last to change reg, if its
 * step was seen: ", by mov rbx, rax at code[7]". */
static void append_guilty(const struct judge *judge, const struct trial *trial,
                          enum reg reg, struct buf *out)
{
    const struct store *store = judge->run->store;

    for (size_t i = store->count; i-- > 0;) {
        const struct event *event = store_event(store, i);
        const struct event_step *step = &event->step;

        if (event->kind != EVENT_STEP || step->addr - trial->code >= TRIAL_ROOM)
            continue;
        for (size_t k = 0; k < step->regs.count; k++)
            if (step->regs.list[k].reg == reg) {
                buf_printf(out, ", by %s at code[%" PRIu64 "]", step->text,
                           step->addr - trial->code);
                return;
            }
    }
}

/* Direction flag, Intel SDM vol. 1, 3.4.3.2; clear at entry and return, psABI
 * 3.2.1. */
#define DIRECTION_FLAG 0x400u

/* Returns whether the call left all as it was. */
static bool keeps(struct judge *judge, const struct trial_call *call)
{
    static const enum reg kept[TRIAL_KEPT] = {X86_RBX, X86_RBP, X86_R12,
                                              X86_R13, X86_R14, X86_R15};
    const struct trial *trial = &judge->run->trials[call->trial];
    struct buf *what = &judge->out->check[CHECK_REGISTERS].what;

    if (call->stack != 0) {
        buf_printf(what,
                   "the stack pointer, rsp, is %" PRId64 " bytes too %s "
                   "after the call",
                   call->stack < 0 ? -call->stack : call->stack,
                   call->stack < 0 ? "low" : "high");
        append_guilty(judge, trial, X86_RSP, what);
        return false;
    }
    for (unsigned i = 0; i < TRIAL_KEPT; i++)
        if (call->kept[i] != call->kept_before[i]) {
            buf_printf(what, "%s, which belongs to the caller, is changed",
                       reg_name(kept[i]));
            append_guilty(judge, trial, kept[i], what);
            return false;
        }
    if (call->flags & DIRECTION_FLAG)
        buf_append_text(what, "the direction flag is set after the call");
    return !(call->flags & DIRECTION_FLAG);
}

static void check_registers(struct judge *judge)
{
    const struct encoder_run *run = judge->run;

    pass(judge, CHECK_REGISTERS);
    for (size_t i = 0; i < run->call_count && run->calls[i].came_back; i++)
        if (!keeps(judge, &run->calls[i])) {
            add_call(judge, &run->calls[i], fail(judge, CHECK_REGISTERS));
            return;
        }
}

static void check_silent(struct judge *judge)
{
    const struct store *store = judge->run->store;

    pass(judge, CHECK_SILENT);
    for (size_t i = 0; i < store->count; i++) {
        const struct event *event = store_event(store, i);
        struct bytes text = event->output.bytes;
        struct buf *what;

        if (event->kind != EVENT_OUTPUT)
            continue;
        what = &fail(judge, CHECK_SILENT)->what;
        buf_append_text(what, "it printed \"");
        for (size_t k = 0; k < text.len && k < 200; k++)
            if (text.data[k] >= ' ' && text.data[k] < 0x7f)
                buf_append(what, &text.data[k], 1);
            else if (text.data[k] == '\n')
                buf_append_text(what, "\\n");
            else
                buf_printf(what, "\\x%02x", text.data[k]);
        buf_printf(what, "\"%s", text.len > 200 ? "..." : "");
        return;
    }
}

/* --- all together -------------------------------------------------------- */

/* Of code that did not come back, what has not failed yet may still do so. */
static void doubt_passed(struct encoder_verdict *verdict)
{
    if (verdict->check[CHECK_RUNS].state == CHECK_FAILED)
        for (unsigned i = CHECK_RESULT; i <= CHECK_REGISTERS; i++)
            if (verdict->check[i].state == CHECK_PASSED)
                verdict->check[i].state = CHECK_NOT_RUN;
}

/* Nothing but its bytes is wrong with it. */
static void note_behaviour(struct encoder_verdict *verdict)
{
    for (unsigned i = 0; i < ENCODER_CHECKS; i++)
        if (verdict->check[i].state != CHECK_PASSED && i != CHECK_BYTES &&
            i != CHECK_TERMS)
            return;
    if (verdict->check[CHECK_BYTES].state == CHECK_FAILED)
        buf_append_text(&verdict->check[CHECK_BYTES].details,
                        "It behaves the same: LEVEL=behaviour accepts it.\n");
}

void encoder_judge(const struct encoder_run *run, enum encoder_level level,
                   struct encoder_verdict *out)
{
    struct judge judge = {.run = run, .out = out};
    const struct store *store = run->store;
    const struct event *last;

    out->level = level;
    if (store->count > 0) {
        view_advance(&judge.view, store, store->count);
        last = store_event(store, store->count - 1);
        if (last->kind == EVENT_EXIT)
            judge.end = last->exit;
    }
    find_stores(&judge);
    if (check_returns(&judge)) {
        check_inside(&judge);
        check_length(&judge);
        check_bytes(&judge);
        if (run->call_count > 0) {
            check_runs(&judge);
            check_result(&judge);
            check_registers(&judge);
            doubt_passed(out);
        }
    }
    check_silent(&judge);
    note_behaviour(out);
    free(judge.stores);
    view_release(&judge.view);
}
