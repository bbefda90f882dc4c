/* SPDX-License-Identifier: MIT */
/*
 * The CPU was sent to where there is no code: into a page that may not be
 * executed, to where nothing is mapped, or on behind the last instruction.
 */
#include <inttypes.h>
#include <signal.h>

#include "tell/explain_parts.h"

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

/* Whether the return took what is not its return address; says so. */
static bool note_imbalance(struct crash *crash, uint64_t from)
{
    const struct view_thread *thread =
        view_thread(crash->view, crash->event->tid);
    const struct frame *frame = thread ? thread->stepped : NULL;
    uint64_t expected = frame ? frame->regs.value[REG_STACK] : 0;
    bool lower;

    if (!expected || expected == from)
        return false;
    lower = from < expected;
    note(crash, WHY,
         "The return address is at 0x%" PRIx64 " (event %" PRIu64
         "), but %s was 0x%" PRIx64 " at the ret, %" PRIu64 " bytes %s.",
         expected, frame->seq, reg_name(REG_STACK), from,
         lower ? expected - from : from - expected,
         lower ? "lower: not all that was pushed was popped"
               : "higher: more was popped than pushed");
    return true;
}

static void explain_return(struct crash *crash)
{
    const struct seen *ret = &crash->way.step;
    struct seen writer = {0};
    uint64_t from = 0;
    bool unbalanced;

    note_what(crash, "A ret went to an address where there is no code");
    note(crash, WHERE, "%s, bytes %02x, popped 0x%" PRIx64,
         words_seen(crash, ret), ret->insn.bytes[0], crash->pc);
    if (read_from(crash, ret, &from))
        note(crash, WHERE, " from 0x%" PRIx64, from);
    note(crash, WHERE, ".");
    unbalanced = note_imbalance(crash, from);
    if (past_find_writer(crash, from, ret->index, &writer))
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
    note(crash, NEXT, "%s %s",
         words_command(crash, writer.known ? writer.seq : ret->seq),
         writer.known ? "that instruction." : "the ret.");
}

/* A call or jump to nowhere: where its target is from. */
static void note_target(struct crash *crash, const struct seen *jump)
{
    const struct insn_operand *target = &jump->insn.operands[0];
    uint64_t addr;

    if (jump->insn.operand_count == 0 || target->kind == OPERAND_IMMEDIATE)
        note(crash, WHY,
             "The distance is in the instruction itself: 0x%" PRIx64
             " is %" PRId64 " bytes from its end. ",
             crash->pc,
             (int64_t)(crash->pc - jump->insn.addr - jump->insn.length));
    else if (target->kind == OPERAND_REGISTER && target->reg < REG_COUNT &&
             crash->regs_known)
        note(crash, WHY, "%s%s. ", words_reg(crash, target->reg),
             words_origin(crash, target->reg, jump->index, NULL));
    else if (read_from(crash, jump, &addr))
        note(crash, WHY, "The target was read from 0x%" PRIx64 ". ", addr);
}

static void explain_jump(struct crash *crash)
{
    const struct seen *jump = &crash->way.step;

    note_what(crash, crash->pc < 4096
                         ? "Generated code called or jumped to a null pointer"
                         : "Generated code called or jumped to where there is "
                           "no code");
    note(crash, WHERE, "%s, bytes %s, went to 0x%" PRIx64 ".",
         words_seen(crash, jump),
         phrase_bytes(&crash->phrases,
                      (struct bytes){jump->insn.bytes, jump->insn.length}),
         crash->pc);
    note_target(crash, jump);
    note(crash, WHY, "At 0x%" PRIx64 ": %s.", crash->pc,
         words_page(crash, crash->pc));
    note(crash, NEXT,
         "See where the target is computed. %s the jump and the registers.",
         words_command(crash, jump->seq));
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
    note_place(crash);
    if (crash->signal->return_to.known && crash->event->source.file)
        note(crash, WHERE, ", called from %s", words_source(crash));
    note(crash, WHERE, is_mapped ? "; its first byte was not fetched." : ".");
    note(crash, WHY, "There: %s.", words_page(crash, crash->pc));
    if (region)
        note(crash, NEXT,
             "Call mprotect(0x%" PRIx64 ", %" PRIu64
             ", PROT_READ | PROT_EXEC) after the last store and before the "
             "call. %s %s",
             region->addr, region->length,
             words_command(crash, origin && origin->call ? origin->seq
                                                         : crash->event->seq),
             origin && origin->call ? "the call that made it so."
                                    : "the page.");
    else if (is_mapped)
        note(crash, NEXT,
             "Code needs memory of its own: mmap some, store the code there, "
             "make it executable with mprotect, and call that address.");
    else
        note(crash, NEXT,
             "See which pointer to code this was, and where it is set. %s the "
             "moment.",
             words_command(crash, crash->event->seq));
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
    bool is_led = (way->kind == WAY_LEFT || way->kind == WAY_STEPPED) &&
                  way->step.known && way->step.next == crash->pc;

    if (!word_is(crash->signal->access, "execute") ||
        (is_led && fell(&way->step, crash->pc)))
        return false;
    if (is_led && way->step.insn.kind == INSN_RETURN)
        explain_return(crash);
    else if (is_led && (way->step.insn.kind == INSN_CALL ||
                        way->step.insn.kind == INSN_JUMP))
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

/* What was executed last before the zeros, and where they begin. */
struct end {
    uint64_t addr; /* the first byte behind the code */
    struct seen last;
    uint64_t zeros; /* instructions of zeros that were executed */
};

static void find_end(const struct crash *crash, struct end *end)
{
    uint64_t index = crash->index;
    const struct event *event;

    *end = (struct end){.addr = crash->pc};
    while ((event = past_earlier(crash, crash->event->tid, &index))) {
        struct seen step;

        if (event->kind == EVENT_LEAVE || event->kind == EVENT_WRITE)
            continue;
        if (event->kind != EVENT_STEP)
            return;
        seen_from(event, index, &step);
        if (!fell(&step, end->addr))
            return;
        if (!is_zeros(step.insn.bytes, step.insn.length)) {
            end->last = step;
            return;
        }
        end->addr = step.insn.addr;
        end->zeros++;
    }
}

static void note_end(struct crash *crash, const struct end *end,
                     bool at_page_end)
{
    uint64_t addr = crash->signal->addr.value;

    if (end->last.known)
        note(crash, WHY,
             "%s is no ret and no jump, so the CPU goes on behind it. ",
             words_seen(crash, &end->last));
    if (!at_page_end || end->zeros)
        note(crash, WHY,
             "Nobody wrote what begins at %s: zeros of a fresh page, and 00 00 "
             "is add [rax], al. ",
             words_code(crash, end->addr));
    if (end->zeros)
        note(crash, WHY, "%" PRIu64 " of them were executed. ", end->zeros);
    if (crash->signal->addr.known)
        note(crash, WHY, "%s 0x%" PRIx64 ": %s.",
             at_page_end ? "At" : "That stores to", addr,
             words_page(crash, addr));
}

bool explain_end(struct crash *crash)
{
    bool at_page_end = word_is(crash->signal->access, "execute");
    bool on_zeros = is_zeros(crash->bytes.data, crash->bytes.len);
    const struct pages *pages = &crash->view->pages;
    struct end end;

    find_end(crash, &end);
    if (!(at_page_end && fell(&crash->way.step, crash->pc)) &&
        !(on_zeros &&
          (end.zeros || (crash->code && !pages_written(pages, crash->pc) &&
                         !pages_written(pages, crash->pc + 1)))))
        return false;
    if (!end.last.known && !at_page_end) { /* it did not run there */
        note_what(crash, "The CPU was sent to bytes that nobody wrote");
        note_place(crash);
        note(crash, WHERE, ".");
        note_end(crash, &end, false);
        note(crash, NEXT,
             "Compare where it was sent with where the code was stored. %s how "
             "it came there.",
             words_command(crash, crash->way.kind == WAY_ENTERED
                                      ? crash->way.seq
                                      : crash->event->seq));
        return true;
    }
    note_what(crash,
              at_page_end && !end.zeros
                  ? "The CPU ran off the end of the page that holds the code"
                  : "The CPU ran off the end of the code");
    if (end.last.known && end.addr == crash->pc && !crash->code) {
        note(crash, WHERE, "Behind %s, at ", words_seen(crash, &end.last));
        note_place(crash);
    } else {
        note_place(crash);
        note(crash, WHERE, "; the code ends before %s",
             words_code(crash, end.addr));
    }
    note(crash, WHERE, ".");
    note_end(crash, &end, at_page_end);
    note(crash, NEXT,
         "End the code with ret (c3) or a jump, no later than at %s. ",
         words_code(crash, end.addr - at_page_end * !end.zeros));
    if (end.last.known)
        note(crash, NEXT, "%s the last instruction.",
             words_command(crash, end.last.seq));
    return true;
}
