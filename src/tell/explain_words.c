/* SPDX-License-Identifier: MIT */
/*
 * The words that explanations are made of.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tell/explain_parts.h"

#define NAMES_WIDTH   7u  /* "where" and two blanks */
#define COMMAND_SHOWN 50u /* bytes of a command line, at most */

void explanation_release(struct explanation *explanation)
{
    for (int i = 0; i < EXPLAIN_LINES; i++)
        buf_release(&explanation->line[i]);
}

void explanation_write(struct explanation *explanation, struct pen *pen,
                       unsigned indent)
{
    static const char *const names[EXPLAIN_LINES] = {"what", "where", "why",
                                                     "next"};

    for (int i = 0; i < EXPLAIN_LINES; i++) {
        if (explanation->line[i].len == 0)
            continue;
        pen_column(pen, indent);
        pen_text(pen, ROLE_HEADING, names[i]);
        pen_column(pen, indent + NAMES_WIDTH);
        pen_words(pen, i == WHAT ? ROLE_WARNING : ROLE_PLAIN,
                  indent + NAMES_WIDTH, buf_text(&explanation->line[i]));
    }
}

void note(struct crash *crash, enum explain_line line, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    buf_vprintf(&crash->out->line[line], format, args);
    va_end(args);
}

const char *words_code(struct crash *crash, uint64_t addr)
{
    const struct region *region = view_region_at(crash->view, addr);

    return region && region->start == crash->base
               ? phrase_place(&crash->phrases, addr - crash->base, 1)
               : phrase_hex(&crash->phrases, addr);
}

const char *words_insn(struct crash *crash, const struct insn *insn)
{
    const struct insn_operand *target = &insn->operands[0];

    if (insn->length == 0)
        return "an instruction";
    if (insn->kind >= INSN_CALL && insn->kind <= INSN_BRANCH &&
        insn->kind != INSN_RETURN && insn->operand_count &&
        target->kind == OPERAND_IMMEDIATE)
        return phrase(&crash->phrases, "%s %s", insn->mnemonic,
                      words_code(crash, (uint64_t)target->immediate));
    return phrase(&crash->phrases, "%s", insn->text);
}

const char *words_seen(struct crash *crash, const struct seen *seen)
{
    return phrase(&crash->phrases, "%s at %s (event %" PRIu64 ")",
                  words_insn(crash, &seen->insn),
                  words_code(crash, seen->insn.addr), seen->seq);
}

const char *words_storer(struct crash *crash, uint64_t addr)
{
    const struct event *store = past_find_at(crash, EVENT_WRITE, addr);
    struct chain chain;

    if (!store || store->write.by ||
        view_region_at(crash->view, store->write.pc))
        return "";
    chain_of(store, &chain);
    if (crash->past->emissions)
        emissions_name(crash->past->emissions, &chain);
    return phrase_chain(&crash->phrases, &chain);
}

void note_storer(struct crash *crash, uint64_t addr)
{
    const char *storer = words_storer(crash, addr);

    if (*storer)
        note(crash, WHERE, ", stored at %s", storer);
}

const char *words_callee(struct crash *crash)
{
    const struct event *leave = past_find_seq(crash, crash->way.seq);
    const struct callee *callee = &leave->leave.callee;

    if (!leave || leave->kind != EVENT_LEAVE || !callee->symbol)
        return NULL;
    return callee->module ? phrase(&crash->phrases, "%s (%s)", callee->symbol,
                                   callee->module)
                          : phrase(&crash->phrases, "%s", callee->symbol);
}

const char *words_call(struct crash *crash, const struct frame *frame)
{
    const struct event *event = past_find_seq(crash, frame->seq);
    struct seen call = {.seq = frame->seq, .insn = {.addr = frame->from.value}};

    if (event && event->kind == EVENT_STEP)
        seen_from(event, 0, &call);
    else
        view_decode(crash->view, frame->from.value, &call.insn);
    return words_seen(crash, &call);
}

const char *words_value(struct crash *crash, enum reg reg, uint64_t value,
                        uint64_t index, bool was_watched, uint64_t *seq)
{
    struct phrases *phrases = &crash->phrases;
    const char *is =
        phrase(phrases, "%s = %s", reg_name(reg), phrase_value(phrases, value));
    const char *place, *step, *limit, *which = "", *read = "";
    struct insn change;
    struct value_from from = {0};

    if (was_watched)
        past_find_value(crash, reg, value, index, &from);
    if (seq && from.kind != FROM_UNKNOWN)
        *seq = from.seq;
    step = words_seen(crash, &from.step);
    place = phrase_source(phrases, &from.place);
    for (int i = 0; i < REG_ARGUMENTS; i++)
        if (reg_argument[i] == reg)
            which =
                phrase(phrases, ": argument %d, if there are so many", i + 1);
    switch (from.kind) {
    case FROM_STEP:
        return phrase(phrases, "%s, set by %s", is, step);
    case FROM_ENTRY:
        return phrase(phrases,
                      "%s, as it was when control came in (event %" PRIu64
                      "%s%s)%s",
                      is, from.seq, *place ? ", " : "", place, which);
    case FROM_CALL:
        return phrase(phrases, "%s, as the function left it that %s called", is,
                      from.step.known ? step : "generated code");
    case FROM_HANDLER:
        return phrase(phrases,
                      "%s, as a signal handler left it (event %" PRIu64 ")", is,
                      from.seq);
    case FROM_UNKNOWN:
        break;
    }
    if (!was_watched && index == crash->index && crash->regs_known &&
        crash->regs.value[reg] == value &&
        past_read_change(crash, reg, &change))
        read =
            phrase(phrases,
                   "; in memory %s at %s comes before, which changes it, if "
                   "control came that way",
                   words_insn(crash, &change), words_code(crash, change.addr));
    if (crash->in_child)
        return phrase(phrases,
                      "%s; what set it was not seen, for children are "
                      "not watched%s",
                      is, read);
    limit = was_watched ? NULL : past_find_budget(crash);
    return phrase(phrases, "%s; what set it was not seen%s%s%s", is,
                  limit ? ", for more was executed than --max-" : "",
                  limit ? limit : "", read);
}

const char *words_reg(struct crash *crash, enum reg reg, uint64_t index,
                      uint64_t *seq)
{
    uint64_t value = crash->regs.value[reg];

    if (crash->code || crash->was_watched)
        return words_value(crash, reg, value, index, crash->was_watched, seq);
    return phrase(&crash->phrases, "%s = %s", reg_name(reg),
                  phrase_value(&crash->phrases, value));
}

const char *words_source(struct crash *crash)
{
    const struct srcline *source = &crash->event->source;
    const char *place = phrase_source(&crash->phrases, source);

    return source->text
               ? phrase(&crash->phrases, "%s `%s`", place, source->text)
               : place;
}

void note_what(struct crash *crash, const char *what)
{
    note(crash, WHAT, "%s (signal %s", what,
         phrase_signal(&crash->phrases, crash->signal->number,
                       crash->signal->name));
    if (crash->signal->process.known)
        note(crash, WHAT, ", in the child process %" PRIu64,
             crash->signal->process.value);
    else if (crash->first_tid && crash->first_tid != crash->event->tid)
        note(crash, WHAT, ", in thread %d", crash->event->tid);
    note(crash, WHAT, "%s).", crash->handled ? ", handled by the program" : "");
}

/* The same of an access outside generated code. One that stores may be made by
 * a helper: then it is named as other stores are. */
static const char *words_access(struct crash *crash)
{
    const struct event_signal *signal = crash->signal;
    struct event store = {.kind = EVENT_WRITE, .source = crash->event->source};
    struct chain chain;

    if (crash->code || !word_is(signal->access, "write") || !signal->via.count)
        return words_source(crash);
    store.write.symbol = signal->symbol;
    store.write.via = signal->via;
    chain_of(&store, &chain);
    if (crash->past->emissions)
        emissions_name(crash->past->emissions, &chain);
    return phrase(&crash->phrases, "%s: `%s`",
                  phrase_chain(&crash->phrases, &chain),
                  store.source.text ? store.source.text : "");
}

void note_place(struct crash *crash, const char *tail)
{
    const struct insn *insn = &crash->insn;
    struct bytes bytes = crash->bytes;
    const struct callers *via = &crash->signal->via;
    const struct srcline *source = &crash->event->source;
    const char *symbol = crash->signal->symbol;
    const char *outer = via->count ? via->list[via->count - 1].symbol : NULL;
    uint64_t start, offset;
    size_t i = 0;

    if (insn->length) {
        bytes = (struct bytes){insn->bytes, insn->length};
        note(crash, WHERE, "%s at ", words_insn(crash, insn));
    }
    note(crash, WHERE, "%s", words_code(crash, crash->pc));
    if (crash->code && crash->code->start == crash->base)
        note(crash, WHERE, " (0x%" PRIx64 ")", crash->pc);
    /* A line is enough, if it is not a caller's. */
    while (i < via->count && via->list[i].source.line != source->line)
        i++;
    if (symbol && (!source->file || i < via->count))
        note(crash, WHERE, ", in %s", symbol);
    if (bytes.len)
        note(crash, WHERE, ", bytes %s", phrase_bytes(&crash->phrases, bytes));
    if (!word_is(crash->signal->access, "execute"))
        note_storer(crash, crash->pc);
    if (source->file && !crash->signal->return_to.known)
        note(crash, WHERE, ", %s", words_access(crash));
    if (outer &&
        sscanf(outer, "0x%" SCNx64 "+0x%" SCNx64, &start, &offset) == 2)
        note(crash, WHERE, "; called from generated code, to return to %s",
             words_code(crash, start + offset));
    note(crash, WHERE, "%s", tail);
}

const char *words_page(struct crash *crash, uint64_t addr)
{
    const struct region *region = view_region_at(crash->view, addr);
    const char *maps = crash->signal->maps, *prot, *name, *what, *at = "";
    const char *nearest = crash->signal->nearest;
    struct phrases *phrases = &crash->phrases;
    const struct protection *origin;
    const struct event *event;

    /* A child may have changed its copy. */
    if (region && crash->in_child && maps && strchr(maps, ' ') &&
        strncmp(strchr(maps, ' ') + 1, phrase_prot(region->prot), 3) != 0)
        region = NULL;
    if (region) {
        origin = view_protection(crash->view, region->addr);
        prot = phrase_prot(region->prot);
        if (!origin || !origin->call)
            return phrase(phrases, "the page is %s", prot);
        if (origin->file)
            at = phrase(phrases, " at %s:%d", origin->file, origin->line);
        event = past_find_seq(crash, origin->seq);
        if (event && event->tid != crash->event->tid)
            at = phrase(phrases, "%s in thread %d", at, event->tid);
        return phrase(phrases,
                      "the page is %s, made so by %s%s (event %" PRIu64 ")",
                      prot, origin->call, at, origin->seq);
    }
    if (maps) {
        prot = strchr(maps, ' ');
        if (!prot)
            return "the page does not allow it";
        /* Behind the addresses and the protection, what it is. */
        name = strchr(maps, '[') ? strchr(maps, '[') : strchr(maps, '/');
        return phrase(phrases, "the page is %.3s%s%s", prot + 1,
                      name ? " and belongs to " : "", name ? name : "");
    }
    what = addr < 4096 ? "the first page of memory is never mapped"
                       : "nothing is mapped";
    event = past_find_at(crash, EVENT_UNMAP, addr);
    if (event)
        return phrase(phrases,
                      "%s, since %s%s%s took it away (event %" PRIu64 ")", what,
                      event->unmap.call ? event->unmap.call : "the program",
                      event->source.file ? " at " : "",
                      phrase_source(phrases, &event->source), event->seq);
    return nearest && addr >= LOWEST
               ? phrase(phrases, "%s; the nearest is %s", what,
                        phrase_maps(phrases, nearest))
               : what;
}

/* What makes `jittrace --step` start that program: "--" before a command, or
 * "--lesson" before a lesson of jittrace's own, which is a file in memory of
 * its name, or a temporary one (see target/launch.c). NULL for another file in
 * memory: nothing can start it. */
static const char *way_to_start(const struct event_start *start)
{
    const char *exe = start->exe, *name = start->argv.list[0];
    const char *temporary = exe ? strstr(exe, "/jittrace-") : NULL;
    bool in_memory = exe && strncmp(exe, "/memfd:", 7) == 0;
    size_t len = strlen(name);

    if (!in_memory && !temporary)
        return "--";
    exe = in_memory ? exe + 7 : strrchr(exe, '/') + 1;
    if (strncmp(exe, name, len) == 0 && strcmp(exe + len, " (deleted)") == 0)
        return "--lesson";
    return in_memory ? NULL : "--";
}

/* Whether the address that failed was counted from an instruction. */
static bool is_relative(const struct crash *crash)
{
    const struct insn *jump = &crash->way.step.insn;
    const struct insn *insn =
        word_is(crash->signal->access, "execute") ? jump : &crash->insn;

    if (insn_distance(insn))
        return true;
    for (unsigned i = 0; i < insn->operand_count; i++)
        if (insn->operands[i].kind == OPERAND_MEMORY &&
            insn->operands[i].base == REG_PC)
            return true;
    return false;
}

void note_twin(struct crash *crash)
{
    const struct event_signal *signal = crash->signal;
    uint64_t upper = signal->addr.value >> 32;

    /* The upper half of what was cut is 0, or copies of the sign; else a
     * distance was. */
    if (signal->twin.known &&
        (upper == 0 || upper == UINT32_MAX || is_relative(crash)))
        note(crash, WHY,
             "0x%" PRIx64 "%s%s%s has the same low 32 bits, and is mapped: the "
             "upper ones may have been cut off. ",
             signal->twin.value, signal->twin_symbol ? " <" : "",
             signal->twin_symbol ? signal->twin_symbol : "",
             signal->twin_symbol ? ">" : "");
}

/* What a reader sees who goes to that event. */
static const char *shown(struct crash *crash, uint64_t seq)
{
    static const char *const words[EVENT_KINDS] = {
        [EVENT_WRITE] = "that store",
        [EVENT_REFUSED] = "the call that failed",
        [EVENT_ENTER] = "how control came in, and the registers",
        [EVENT_LEAVE] = "how control left",
        [EVENT_SIGNAL] = "the registers at that moment",
    };
    static const char *const flow[] = {
        [INSN_CALL] = "the call and its arguments",
        [INSN_RETURN] = "the ret",
        [INSN_JUMP] = "the jump and the registers",
        [INSN_BRANCH] = "the jump and the registers",
    };
    const struct event *event =
        seq == crash->event->seq ? crash->event : past_find_seq(crash, seq);
    const char *what = event ? words[event->kind] : NULL, *call = NULL;
    struct seen step;

    if (event)
        call = event->kind == EVENT_MAP       ? event->map.call
               : event->kind == EVENT_PROTECT ? event->protect.call
               : event->kind == EVENT_UNMAP   ? event->unmap.call
                                              : NULL;
    if (call)
        return phrase(&crash->phrases, "that %s",
                      phrase_call(&crash->phrases, call, "call"));

    if (event && event->kind == EVENT_STEP) {
        seen_from(event, 0, &step);
        what = step.insn.kind < sizeof flow / sizeof *flow
                   ? flow[step.insn.kind]
                   : NULL;
        return what ? what : "that instruction and the registers";
    }
    return what ? what : "that moment";
}

/* If a budget was spent before the code ran that failed, in a call that is not
 * known (see note_unseen_call): which. */
static void note_budget(struct crash *crash)
{
    static const struct {
        const char *budget;
        const char *options;
    } budgets[] = {
        {"calls", "--max-calls=1000000 --max-steps=1000000"},
        {"call-steps", "--max-call-steps=1000000 --max-steps=1000000"},
        {"steps", "--max-steps=1000000"},
    };
    const char *spent = NULL;

    if (crash->code && !crash->was_watched && !crash->in_child &&
        explain_is_fault(crash->signal) && !crash->signal->call.known)
        spent = past_find_budget(crash);
    for (size_t i = 0; spent && i < sizeof budgets / sizeof *budgets; i++)
        if (word_is(spent, budgets[i].budget))
            note(crash, NEXT,
                 "With %s more is watched, as far as here perhaps. ",
                 budgets[i].options);
}

/* Appends what makes jittrace start that program again, as "-- ./jit 4"; where
 * that is short and a shell takes the words as they are. */
static bool program_words(const struct crash *crash, struct buf *out)
{
    const struct past *past = crash->past;
    const struct event *event = past->count ? past->event(past->from, 0) : NULL;
    const struct texts *argv = event ? &event->start.argv : NULL;
    const char *way = NULL;

    if (event && event->kind == EVENT_START && argv->count)
        way = way_to_start(&event->start);
    if (way)
        buf_append_text(out, way);
    for (size_t i = 0; way && i < argv->count; i++) {
        const char *word = argv->list[i];

        if (!*word || word[strspn(word, "abcdefghijklmnopqrstuvwxyz"
                                        "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                        "0123456789-_./=+:,@%")])
            return false;
        buf_printf(out, " %s", word);
    }
    return way && out->len <= COMMAND_SHOWN;
}

void note_command(struct crash *crash, uint64_t seq)
{
    const char *what = shown(crash, seq);
    struct buf program = {0};

    if (crash->past->stays)
        return;
    note_budget(crash);
    if (crash->past->can_go) {
        note(crash, NEXT, "`g %" PRIu64 "` shows %s.", seq, what);
        return;
    }
    if (program_words(crash, &program))
        note(crash, NEXT,
             "`jittrace --step %s`, then `g %" PRIu64 "`, shows %s.",
             buf_text(&program), seq, what);
    else
        note(crash, NEXT, "jittrace --step, then `g %" PRIu64 "`, shows %s.",
             seq, what);
    buf_release(&program);
}

#define LAST_SHOWN 1000 /* events */

void note_unseen_call(struct crash *crash)
{
    const struct opt_u64 *call = &crash->signal->call;
    struct buf *next = &crash->out->line[NEXT];
    struct buf program = {0};
    const char *words;

    if (crash->was_watched || crash->in_child || !past_find_budget(crash) ||
        !(call->known || crash->code))
        return;
    words = program_words(crash, &program) ? buf_text(&program)
                                           : "-- PROGRAM ARG...";
    if (next->len > 0 && next->data[next->len - 1] != ' ')
        note(crash, NEXT, " ");
    if (call->known)
        note(crash, NEXT,
             "`jittrace --from-call=%" PRIu64 " %s` shows that call.",
             call->value, words);
    else
        note(crash, NEXT, "`jittrace --last=%d %s` shows what ran before it.",
             LAST_SHOWN, words);
    buf_release(&program);
}
