/* SPDX-License-Identifier: MIT */
/*
 * The CPU was sent to where it should not be: into a page that may not be
 * executed, to where nothing is mapped, on behind the last instruction, or into
 * the middle of one.
 *
 * From any byte on the CPU reads something, so the last shows only in what it
 * does. It looks like it when the place that control was last sent to lies
 * within an instruction that
 *
 *   - was executed before, or
 *   - follows from one that was, read one after the other up to there, or
 *   - was stored as a whole, or
 *   - is found by reading the code from its first byte to its last, all of
 *     which are instructions. Data among the code could mislead that, so it
 *     counts only if the crash came within a few instructions.
 */
#include <inttypes.h>
#include <signal.h>

#include "tell/explain_parts.h"

#define SOON   4u   /* instructions */
#define SWEPT  4096 /* bytes, at most */
#define FOLLOW 512u /* steps, at most, that are gone back to the last jump */

/* --- to where there is no code ------------------------------------------- */

/* Where a step found its target in memory: a return address, a pointer. */
static bool read_from(const struct crash *crash, const struct seen *step,
                      uint64_t *addr)
{
    const struct event *event =
        crash->past->event(crash->past->from, step->index);

    if (!event || event->step.reads.count == 0)
        return false;
    *addr = event->step.reads.list[0].addr;
    return true;
}

static void explain_return(struct crash *crash)
{
    const struct view_thread *thread =
        view_thread(crash->view, crash->event->tid);
    const struct frame *frame = thread ? thread->stepped : NULL;
    uint64_t expected = frame ? frame->regs.value[REG_STACK] : 0, from = 0;
    const struct seen *ret = &crash->way.step;
    uint64_t index = ret->index;
    const struct event *event;
    struct seen writer = {0};
    bool unbalanced;

    note_what(crash, "A ret went to an address where there is no code");
    note(crash, WHERE, "%s, bytes %02x, popped 0x%" PRIx64,
         words_seen(crash, ret), ret->insn.bytes[0], crash->pc);
    if (read_from(crash, ret, &from))
        note(crash, WHERE, " from 0x%" PRIx64, from);
    note(crash, WHERE, ".");
    unbalanced = expected && expected != from;
    if (unbalanced)
        note(crash, WHY,
             "The return address is at 0x%" PRIx64 " (event %" PRIu64
             "), but %s was 0x%" PRIx64 " at the ret, %" PRIu64 " bytes %s.",
             expected, frame->seq, reg_name(REG_STACK), from,
             from < expected ? expected - from : from - expected,
             from < expected ? "lower: not all that was pushed was popped"
                             : "higher: more was popped than pushed");
    /* The latest step before that wrote to the 8 bytes there. */
    while (!writer.known && (event = past_find(crash, PAST(STEP), &index)))
        for (size_t i = 0; i < event->step.writes.count; i++) {
            const struct mem_access *write = &event->step.writes.list[i];

            if (write->addr < from + 8 &&
                write->addr + write->new_bytes.len > from)
                seen_from(event, index, &writer);
        }
    if (writer.known)
        note(crash, WHY, "%s %s.",
             unbalanced ? " What it popped is from"
                        : "What it popped was put there by",
             words_seen(crash, &writer));
    else if (!unbalanced)
        note(crash, WHY,
             "No instruction of generated code was seen to write "
             "what it popped.");
    note(crash, WHY, " At 0x%" PRIx64 ": %s.", crash->pc,
         words_page(crash, crash->pc));
    if (unbalanced)
        note(crash, NEXT,
             "At a ret %s must be what it was at the entry: one pop for each "
             "push on every way to it. ",
             reg_name(REG_STACK));
    else
        note(crash, NEXT, "Something has overwritten the return address. ");
    if (writer.known)
        note_command(crash, writer.seq, "that instruction.");
    else
        note_command(crash, ret->seq, "the ret.");
}

/* A call or jump to nowhere. */
static void explain_jump(struct crash *crash)
{
    const struct seen *jump = &crash->way.step;
    const struct insn *insn = &jump->insn;
    const struct insn_operand *target = &insn->operands[0];
    uint64_t addr;

    note_what(crash, crash->pc < 4096
                         ? "Generated code called or jumped to a null pointer"
                         : "Generated code called or jumped to where there is "
                           "no code");
    note(crash, WHERE, "%s, bytes %s, went to 0x%" PRIx64 ".",
         words_seen(crash, jump),
         phrase_bytes(&crash->phrases,
                      (struct bytes){insn->bytes, insn->length}),
         crash->pc);
    /* Where its target is from. */
    if (insn->operand_count == 0 || target->kind == OPERAND_IMMEDIATE)
        note(crash, WHY,
             "The distance is in the instruction itself: 0x%" PRIx64
             " is %" PRId64 " bytes from its end. ",
             crash->pc, (int64_t)(crash->pc - insn->addr - insn->length));
    else if (target->kind == OPERAND_REGISTER && target->reg < REG_COUNT &&
             crash->regs_known)
        note(crash, WHY, "%s. ",
             words_reg(crash, target->reg, jump->index, NULL));
    else if (read_from(crash, jump, &addr))
        note(crash, WHY, "The target was read from 0x%" PRIx64 ". ", addr);
    note(crash, WHY, "At 0x%" PRIx64 ": %s.", crash->pc,
         words_page(crash, crash->pc));
    note(crash, NEXT, "See where the target is computed. ");
    note_command(crash, jump->seq, "the jump and the registers.");
}

/* A page that may not be executed, or none. */
static void explain_protected(struct crash *crash)
{
    const struct region *region = crash->code;
    const struct protection *origin =
        region ? view_protection(crash->view, region->addr) : NULL;
    bool is_mapped = region || crash->signal->maps;

    note_what(crash, !region && crash->pc < 4096
                         ? "The program called or jumped to a null pointer"
                     : is_mapped
                         ? "The program executed a page that may not be "
                           "executed"
                         : "The program called or jumped to where nothing is "
                           "mapped");
    note_place(crash, "");
    if (crash->signal->return_to.known && crash->event->source.file)
        note(crash, WHERE, ", called from %s", words_source(crash));
    note(crash, WHERE, is_mapped ? "; its first byte was not fetched." : ".");
    note(crash, WHY, "There: %s.", words_page(crash, crash->pc));
    if (!is_mapped) {
        note(crash, NEXT,
             "See which pointer to code this was, and where it is set. ");
        note_command(crash, crash->event->seq, "the moment.");
        return;
    }
    if (!region) {
        note(crash, NEXT,
             "Code needs memory of its own: mmap some, store the code there, "
             "make it executable with mprotect, and call that address.");
        return;
    }
    note(crash, NEXT,
         "Call mprotect(0x%" PRIx64 ", %" PRIu64
         ", PROT_READ | PROT_EXEC) after the last store and before the call. ",
         region->addr, region->length);
    if (origin && origin->call)
        note_command(crash, origin->seq, "the call that made it so.");
    else
        note_command(crash, crash->event->seq, "the page.");
}

/* Whether the CPU came from a step to what is behind it, of itself. */
static bool fell(const struct seen *step, uint64_t to)
{
    return step->known && step->insn.length &&
           step->insn.addr + step->insn.length == to &&
           step->insn.kind != INSN_CALL && step->insn.kind != INSN_RETURN &&
           step->insn.kind != INSN_JUMP;
}

bool explain_fetch(struct crash *crash)
{
    const struct way *way = &crash->way;
    enum insn_kind kind = way->step.insn.kind;
    bool is_led = (way->kind == WAY_LEFT || way->kind == WAY_STEPPED) &&
                  way->step.known && way->step.next == crash->pc;

    if (!word_is(crash->signal->access, "execute") ||
        (is_led && fell(&way->step, crash->pc)))
        return false;
    if (is_led && kind == INSN_RETURN)
        explain_return(crash);
    else if (is_led && (kind == INSN_CALL || kind == INSN_JUMP))
        explain_jump(crash);
    else
        explain_protected(crash);
    return true;
}

/* --- off the end --------------------------------------------------------- */

static bool is_zeros(const uint8_t *bytes, size_t len)
{
    return len >= 2 && bytes[0] == 0 && bytes[1] == 0;
}

bool explain_end(struct crash *crash)
{
    bool at_page_end = word_is(crash->signal->access, "execute");
    bool on_zeros = is_zeros(crash->bytes.data, crash->bytes.len), ran, bare;
    const struct pages *pages = &crash->view->pages;
    uint64_t addr = crash->signal->addr.value, index = crash->index;
    uint64_t end = crash->pc; /* the first byte behind the code */
    uint64_t zeros = 0;       /* instructions of zeros that were executed */
    struct seen last = {0};   /* before them */
    const struct event *event;

    while (!last.known &&
           (event = past_earlier(crash, crash->event->tid, &index))) {
        struct seen step;

        if (event->kind == EVENT_LEAVE || event->kind == EVENT_WRITE)
            continue;
        if (event->kind != EVENT_STEP)
            break;
        seen_from(event, index, &step);
        if (!fell(&step, end))
            break;
        if (is_zeros(step.insn.bytes, step.insn.length)) {
            end = step.insn.addr;
            zeros++;
        } else {
            last = step;
        }
    }
    if (!(at_page_end && fell(&crash->way.step, crash->pc)) &&
        !(on_zeros &&
          (zeros || (crash->code && !pages_written(pages, crash->pc) &&
                     !pages_written(pages, crash->pc + 1)))))
        return false;
    ran = last.known || at_page_end;
    bare = last.known && end == crash->pc && !crash->code;
    note_what(crash,
              !ran ? "The CPU was sent to bytes that nobody wrote"
              : at_page_end && !zeros
                  ? "The CPU ran off the end of the page that holds the code"
                  : "The CPU ran off the end of the code");
    if (bare)
        note(crash, WHERE, "Behind %s, at ", words_seen(crash, &last));
    note_place(crash, "");
    if (ran && !bare)
        note(crash, WHERE, "; the code ends before %s", words_code(crash, end));
    note(crash, WHERE, ".");
    if (last.known)
        note(crash, WHY,
             "%s is no ret and no jump, so the CPU goes on behind it. ",
             words_seen(crash, &last));
    if (!at_page_end || zeros)
        note(crash, WHY,
             "Nobody wrote what begins at %s: zeros of a fresh page, and 00 00 "
             "is add [rax], al. ",
             words_code(crash, end));
    if (zeros)
        note(crash, WHY, "%" PRIu64 " of them were executed. ", zeros);
    if (crash->signal->addr.known)
        note(crash, WHY, "%s 0x%" PRIx64 ": %s.",
             at_page_end ? "At" : "That stores to", addr,
             words_page(crash, addr));
    if (!ran) {
        note(crash, NEXT,
             "Compare where it was sent with where the code was stored. ");
        note_command(crash,
                     crash->way.kind == WAY_ENTERED ? crash->way.seq
                                                    : crash->event->seq,
                     "how it came there.");
        return true;
    }
    note(crash, NEXT,
         "End the code with ret (c3) or a jump, no later than at %s. ",
         words_code(crash, end - at_page_end * !zeros));
    if (last.known)
        note_command(crash, last.seq, "the last instruction.");
    return true;
}

/* --- into the middle ----------------------------------------------------- */

/* How control was sent to where it last was. */
struct sent {
    uint64_t to;
    uint64_t seq;
    uint64_t index;
    struct seen by;    /* an instruction; or, if not known, */
    const char *place; /* the caller's line, or "" */
    unsigned executed; /* instructions since */
};

static bool find_sent(struct crash *crash, struct sent *sent)
{
    uint64_t index = crash->index;
    const struct event *event;

    *sent = (struct sent){.to = crash->pc};
    while (sent->executed < FOLLOW &&
           (event = past_find(crash, PAST_MOVES, &index))) {
        struct seen step;

        sent->index = index;
        sent->seq = event->seq;
        if (event->kind == EVENT_ENTER) {
            sent->place = phrase_source(&crash->phrases, &event->source);
            return event->enter.addr == sent->to &&
                   !word_is(event->enter.how, "return");
        }
        if (event->kind == EVENT_LEAVE)
            return false;
        seen_from(event, index, &step);
        if (step.next != sent->to)
            return false;
        if (step.insn.addr + step.insn.length != sent->to) {
            sent->by = step;
            return true;
        }
        sent->to = step.insn.addr;
        sent->executed++;
    }
    return false;
}

static bool is_inside(const struct insn *insn, uint64_t addr)
{
    return addr > insn->addr && addr - insn->addr < insn->length;
}

static bool decode(const struct crash *crash, uint64_t addr, struct insn *insn)
{
    return pages_written(&crash->view->pages, addr) &&
           view_decode(crash->view, addr, insn);
}

/*
 * What earlier events tell of the instruction that the target is in the middle
 * of. Returns how it is known, "as event 7 stored it"; NULL: nothing tells; or
 * "": one was executed just there.
 */
static const char *find_in_past(struct crash *crash, const struct sent *sent,
                                struct insn *insn)
{
    uint64_t index = sent->index, to = sent->to;
    const struct event *event;

    while ((event = past_earlier(crash, 0, &index))) {
        uint64_t addr = event->step.addr, stored = event->write.addr;
        bool first = true;

        if (event->kind == EVENT_WRITE &&
            to - stored < event->write.new.len &&decode(crash, stored, insn) &&
            insn->length == event->write.new.len &&is_inside(insn, to))
            return phrase(&crash->phrases, "as event %" PRIu64 " stored it",
                          event->seq);
        if (event->kind != EVENT_STEP)
            continue;
        if (addr == to)
            return "";
        /* Reads on to the instruction that holds or begins at `to`. What
         * follows a ret or a jump may be anything. */
        for (; to - addr < SWEPT && addr < to && decode(crash, addr, insn);
             addr += insn->length, first = false) {
            if (is_inside(insn, to))
                return phrase(&crash->phrases,
                              first ? "as event %" PRIu64 " executed it"
                                    : "read on from event %" PRIu64,
                              event->seq);
            if (insn->kind == INSN_RETURN || insn->kind == INSN_JUMP)
                break;
        }
    }
    return NULL;
}

/* By reading all of the code; all of it must be instructions. */
static const char *find_by_sweep(const struct crash *crash,
                                 const struct sent *sent, struct insn *out)
{
    const struct region *region = view_region_at(crash->view, sent->to);
    uint64_t first, last, at;
    const char *found = NULL;
    struct insn insn;

    if (sent->executed > SOON || !region ||
        !pages_extent(&crash->view->pages, region->addr, region->length, &first,
                      &last) ||
        last - first > SWEPT)
        return NULL;
    for (at = first; at <= last; at = insn.addr + insn.length) {
        if (!decode(crash, at, &insn))
            return NULL;
        if (is_inside(&insn, sent->to)) {
            *out = insn;
            found = "read from the first byte of the code on";
        }
    }
    return found;
}

bool explain_middle(struct crash *crash)
{
    struct insn insn;
    struct sent sent;
    const char *known;

    if (!crash->code || !find_sent(crash, &sent))
        return false;
    known = find_in_past(crash, &sent, &insn);
    if (!known)
        known = find_by_sweep(crash, &sent, &insn);
    if (!known || !*known)
        return false;
    note_what(crash, "It looks like the CPU was sent into the middle of an "
                     "instruction");
    note_place(crash, "; it came to ");
    note(crash, WHERE, "%s, byte %" PRIu64 " of %s at %s (%s).",
         words_code(crash, sent.to), sent.to - insn.addr, insn.text,
         words_code(crash, insn.addr), known);
    if (sent.by.known)
        note(crash, WHY, "%s", words_seen(crash, &sent.by));
    else
        note(crash, WHY, "A call%s%s (event %" PRIu64 ")",
             *sent.place ? " at " : "", sent.place, sent.seq);
    note(crash, WHY,
         " went to %s. Read from there the bytes are other instructions than "
         "those that were meant.",
         words_code(crash, sent.to));
    note(crash, NEXT, "Instructions begin at %s and %s",
         words_code(crash, insn.addr),
         words_code(crash, insn.addr + insn.length));
    if (sent.by.known)
        note(crash, NEXT, "; a distance counts from the end of the jump, %s",
             words_code(crash, sent.by.insn.addr + sent.by.insn.length));
    note(crash, NEXT, ". ");
    note_command(crash, sent.seq, "how it went there.");
    return true;
}
