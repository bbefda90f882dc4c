/* SPDX-License-Identifier: MIT */
/*
 * The CPU was sent to where there is no code: into a page that may not be
 * executed, to where nothing is mapped, or on behind the last instruction.
 */
#include "tell/explain_parts.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "cpu/effect.h"

/* The page there, or that there is none. */
static void note_page(const struct crash *crash, enum explain_line line,
                      uint64_t addr)
{
    if (view_region_at(crash->view, addr) || crash->signal->maps)
        note_protection(crash, line, addr);
    else
        note_unmapped(crash, line, addr);
}

/* --- a return to nowhere ------------------------------------------------- */

/* Where the return found its address. */
static uint64_t returned_from(const struct crash *crash)
{
    const struct event *event =
        crash->past->event(crash->past->from, crash->way.step.index);

    return event && event->step.reads.count ? event->step.reads.list[0].addr
                                            : 0;
}

/* Whether the return took what is not its return address; says so. */
static bool note_imbalance(const struct crash *crash, uint64_t from)
{
    uint64_t expected = 0, seq = 0;

    if (!past_find_frame(crash, crash->way.step.index, &expected, &seq) ||
        !expected || expected == from)
        return false;
    note(crash, EXPLAIN_WHY,
         "The return address is at 0x%" PRIx64 " (event %" PRIu64
         "), but %s was 0x%" PRIx64 " at the ret, %" PRIu64 " bytes %s: ",
         expected, seq, reg_name(REG_STACK), from,
         from < expected ? expected - from : from - expected,
         from < expected ? "lower" : "higher");
    note(crash, EXPLAIN_WHY,
         from < expected ? "not all that was pushed was popped."
                         : "more was popped than pushed.");
    return true;
}

static void explain_return(struct crash *crash)
{
    const struct seen *ret = &crash->way.step;
    uint64_t from = returned_from(crash);
    bool unbalanced;
    struct seen writer = {0};

    note(crash, EXPLAIN_WHAT,
         "A ret went to an address where there is no "
         "code");
    note_signal(crash);
    note_seen(crash, EXPLAIN_WHERE, ret);
    note(crash, EXPLAIN_WHERE, ", bytes %02x, popped 0x%" PRIx64,
         ret->insn.bytes[0], crash->pc);
    note(crash, EXPLAIN_WHERE, from ? " from 0x%" PRIx64 "." : ".", from);
    unbalanced = note_imbalance(crash, from);
    if (past_find_writer(crash, from, ret->index, &writer)) {
        note(crash, EXPLAIN_WHY,
             unbalanced ? " What it popped is from "
                        : "What it popped was put there "
                          "by ");
        note_seen(crash, EXPLAIN_WHY, &writer);
        note(crash, EXPLAIN_WHY, ".");
    } else if (!unbalanced) {
        note(crash, EXPLAIN_WHY,
             "No instruction of generated code was seen "
             "to write what it popped.");
    }
    note(crash, EXPLAIN_WHY, " At 0x%" PRIx64 ": ", crash->pc);
    note_page(crash, EXPLAIN_WHY, crash->pc);
    note(crash, EXPLAIN_WHY, ".");
    if (unbalanced)
        note(crash, EXPLAIN_NEXT,
             "At a ret %s must be what it was at the entry: one pop for each "
             "push on every way to it. ",
             reg_name(REG_STACK));
    else
        note(crash, EXPLAIN_NEXT,
             "Something has overwritten the return "
             "address. ");
    note_command(crash, EXPLAIN_NEXT, writer.known ? writer.seq : ret->seq);
    note(crash, EXPLAIN_NEXT,
         writer.known ? " that instruction." : " the ret.");
}

/* --- a call or jump to nowhere ------------------------------------------- */

/* The register that a call or jump took its target from, or the memory. */
static const struct insn_operand *target_of(const struct insn *insn)
{
    if ((insn->kind != INSN_CALL && insn->kind != INSN_JUMP) ||
        insn->operand_count == 0 || insn->operands[0].kind == OPERAND_IMMEDIATE)
        return NULL;
    return &insn->operands[0];
}

/* The memory that the target was read from. */
static void note_source_of_target(const struct crash *crash,
                                  const struct seen *jump)
{
    const struct event *event =
        crash->past->event(crash->past->from, jump->index);

    if (event && event->step.reads.count)
        note(crash, EXPLAIN_WHY, "The target was read from 0x%" PRIx64 ". ",
             event->step.reads.list[0].addr);
}

static void note_target(const struct crash *crash, const struct seen *jump)
{
    const struct insn_operand *target = target_of(&jump->insn);

    if (target && target->kind == OPERAND_REGISTER && target->reg < REG_COUNT &&
        crash->regs_known) {
        note_reg(crash, EXPLAIN_WHY, target->reg);
        note_reg_origin(crash, EXPLAIN_WHY, target->reg, jump->index);
        note(crash, EXPLAIN_WHY, ". ");
    } else if (target) {
        note_source_of_target(crash, jump);
    } else {
        note(crash, EXPLAIN_WHY,
             "The distance is in the instruction itself: "
             "0x%" PRIx64 " is %" PRId64 " bytes from its end. ",
             crash->pc,
             (int64_t)(crash->pc - jump->insn.addr - jump->insn.length));
    }
}

static void explain_jump(struct crash *crash)
{
    const struct seen *jump = &crash->way.step;

    note(crash, EXPLAIN_WHAT,
         crash->pc < 4096 ? "Generated code called or jumped to a null pointer"
                          : "Generated code called or jumped to where there "
                            "is no code");
    note_signal(crash);
    note_seen(crash, EXPLAIN_WHERE, jump);
    note(crash, EXPLAIN_WHERE, ", bytes ");
    note_bytes(crash, EXPLAIN_WHERE,
               (struct bytes){jump->insn.bytes, jump->insn.length});
    note(crash, EXPLAIN_WHERE, ", went to 0x%" PRIx64 ".", crash->pc);
    note_target(crash, jump);
    note(crash, EXPLAIN_WHY, "At 0x%" PRIx64 ": ", crash->pc);
    note_page(crash, EXPLAIN_WHY, crash->pc);
    note(crash, EXPLAIN_WHY, ".");
    note(crash, EXPLAIN_NEXT, "See where the target is computed. ");
    note_command(crash, EXPLAIN_NEXT, jump->seq);
    note(crash, EXPLAIN_NEXT, " the jump and the registers.");
}

/* --- a page that may not be executed ------------------------------------- */

static void note_remedy(const struct crash *crash, const struct region *region)
{
    if (!region) {
        note(crash, EXPLAIN_NEXT,
             "Code needs memory of its own: mmap some, store the code there, "
             "make it executable with mprotect, and call that address.");
        return;
    }
    note(crash, EXPLAIN_NEXT,
         "Call mprotect(0x%" PRIx64 ", %" PRIu64
         ", PROT_READ | PROT_EXEC) after the last store and before the call. ",
         region->addr, region->length);
    note_command(crash, EXPLAIN_NEXT,
                 region->origin.call ? region->origin.seq : crash->event->seq);
    note(crash, EXPLAIN_NEXT,
         region->origin.call ? " the call that made it so." : " the page.");
}

static void explain_protected(struct crash *crash)
{
    const struct region *region = crash->code;
    bool is_null = !region && crash->pc < 4096;
    bool is_mapped = region || crash->signal->maps;

    note(crash, EXPLAIN_WHAT,
         is_null     ? "The program called or jumped to a null pointer"
         : is_mapped ? "The program executed a page that may not be executed"
                     : "The program called or jumped to where nothing is "
                       "mapped");
    note_signal(crash);
    note_place(crash);
    if (crash->signal->return_to.known && crash->event->source.file) {
        note(crash, EXPLAIN_WHERE, ", called from ");
        note_source(crash, EXPLAIN_WHERE);
    }
    note(crash, EXPLAIN_WHERE,
         is_mapped ? "; its first byte was not fetched." : ".");
    note(crash, EXPLAIN_WHY, "There: ");
    note_page(crash, EXPLAIN_WHY, crash->pc);
    note(crash, EXPLAIN_WHY, ".");
    if (is_mapped) {
        note_remedy(crash, region);
        return;
    }
    note(crash, EXPLAIN_NEXT,
         "See which pointer to code this was, and where "
         "it is set. ");
    note_command(crash, EXPLAIN_NEXT, crash->event->seq);
    note(crash, EXPLAIN_NEXT, " the moment.");
}

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

    if (!access_is(crash->signal, "execute") ||
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

/* What the access or the fetch met. */
static void note_met(const struct crash *crash, bool at_page_end)
{
    uint64_t addr = crash->signal->addr.value;

    if (!crash->signal->addr.known)
        return;
    note(crash, EXPLAIN_WHY, "%s 0x%" PRIx64 ": ",
         at_page_end ? "At" : "That stores to", addr);
    note_page(crash, EXPLAIN_WHY, addr);
    note(crash, EXPLAIN_WHY, ".");
}

static void note_end(const struct crash *crash, const struct end *end,
                     bool at_page_end)
{
    enum explain_line line = EXPLAIN_WHY;

    if (end->last.known) {
        note_seen(crash, line, &end->last);
        note(crash, line,
             " is no ret and no jump, so the CPU goes on behind it. ");
    }
    if (!at_page_end || end->zeros) {
        note(crash, line, "Nobody wrote what begins at ");
        note_code(crash, line, end->addr);
        note(crash, line,
             ": zeros of a fresh page, and 00 00 is add [rax], al. ");
    }
    if (end->zeros)
        note(crash, line, "%" PRIu64 " of them were executed. ", end->zeros);
    note_met(crash, at_page_end);
}

/* Whether pc lies behind all that was written of its page, on zeros. */
static bool is_unwritten(const struct crash *crash)
{
    return crash->code && is_zeros(crash->bytes.data, crash->bytes.len) &&
           !pages_written(&crash->view->pages, crash->pc) &&
           !pages_written(&crash->view->pages, crash->pc + 1);
}

/* Control did not run there, it was sent. */
static void explain_unwritten(struct crash *crash, const struct end *end)
{
    note(crash, EXPLAIN_WHAT, "The CPU was sent to bytes that nobody wrote");
    note_signal(crash);
    note_place(crash);
    note(crash, EXPLAIN_WHERE, ".");
    note_end(crash, end, false);
    note(crash, EXPLAIN_NEXT,
         "Compare where it was sent with where the code was stored. ");
    note_command(crash, EXPLAIN_NEXT,
                 crash->way.kind == WAY_ENTERED ? crash->way.seq
                                                : crash->event->seq);
    note(crash, EXPLAIN_NEXT, " how it came there.");
}

bool explain_end(struct crash *crash)
{
    bool at_page_end = access_is(crash->signal, "execute");
    struct end end;

    find_end(crash, &end);
    if (!(at_page_end && fell(&crash->way.step, crash->pc)) &&
        !is_unwritten(crash) &&
        !(end.zeros && is_zeros(crash->bytes.data, crash->bytes.len)))
        return false;
    if (!end.last.known && !at_page_end) {
        explain_unwritten(crash, &end);
        return true;
    }
    note(crash, EXPLAIN_WHAT,
         at_page_end && !end.zeros
             ? "The CPU ran off the end of the page that holds the code"
             : "The CPU ran off the end of the code");
    note_signal(crash);
    if (end.last.known && end.addr == crash->pc && !crash->code) {
        note(crash, EXPLAIN_WHERE, "Behind ");
        note_seen(crash, EXPLAIN_WHERE, &end.last);
        note(crash, EXPLAIN_WHERE, ", at ");
        note_place(crash);
    } else {
        note_place(crash);
        note(crash, EXPLAIN_WHERE, "; the code ends before ");
        note_code(crash, EXPLAIN_WHERE, end.addr);
    }
    note(crash, EXPLAIN_WHERE, ".");
    note_end(crash, &end, at_page_end);
    note(crash, EXPLAIN_NEXT,
         "End the code with ret (c3) or a jump, no later than at ");
    note_code(crash, EXPLAIN_NEXT, end.addr - at_page_end * !end.zeros);
    note(crash, EXPLAIN_NEXT, ". ");
    if (!end.last.known)
        return true;
    note_command(crash, EXPLAIN_NEXT, end.last.seq);
    note(crash, EXPLAIN_NEXT, " the last instruction.");
    return true;
}
