/* SPDX-License-Identifier: MIT */
/*
 * The CPU was sent to where it should not be: into a page that may not be
 * executed, to where nothing is mapped, or on behind the last instruction.
 */
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "tell/explain_parts.h"

#define MOVERS 4u /* instructions that move the stack pointer, at most */

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

/* What it is that control went to. */
static const char *words_target(const struct crash *crash)
{
    return crash->code || crash->signal->maps
               ? "a page that may not be executed"
           : crash->pc == 0 ? "address 0: a null pointer"
                            : "an address where nothing is mapped";
}

/* The latest step before `index` that stored what is in the 8 bytes at addr. */
static void find_writer(const struct crash *crash, uint64_t addr,
                        uint64_t value, uint64_t index, struct seen *writer)
{
    const struct event *event;

    while ((event = past_find(crash, PAST(STEP), &index)))
        for (size_t i = 0; i < event->step.writes.count; i++) {
            const struct mem_access *write = &event->step.writes.list[i];
            const struct bytes *bytes = &write->new_bytes;

            if (write->addr >= addr + sizeof value ||
                write->addr + bytes->len <= addr)
                continue;
            if (write->addr == addr && bytes->len == sizeof value &&
                memcmp(bytes->data, &value, sizeof value) != 0)
                return; /* it was changed unseen */
            seen_from(event, index, writer);
            return;
        }
}

/* An instruction that moved the stack pointer, and how often. */
struct mover {
    struct insn insn;
    unsigned times;
};

/* What has moved the stack pointer between the first instruction of the frame
 * and the return, but for calls that it made and that returned. */
static void note_movers(struct crash *crash, const struct frame *frame)
{
    struct mover movers[MOVERS];
    uint64_t index = crash->way.step.index;
    const struct event *event;
    unsigned count = 0, inner = 0;

    while ((event = past_find(crash, PAST(STEP) | PAST(ENTER), &index)) &&
           event->seq > frame->seq) {
        const struct reg_changes *changes = &event->step.regs;
        struct seen step;
        unsigned at = 0;
        bool moves = false;

        for (size_t i = 0; event->kind == EVENT_STEP && i < changes->count; i++)
            moves |= changes->list[i].reg == REG_STACK;
        if (!moves)
            continue;
        seen_from(event, index, &step);
        if (step.insn.kind == INSN_RETURN)
            inner++;
        if (step.insn.kind == INSN_RETURN ||
            (step.insn.kind == INSN_CALL ? inner && inner-- : inner > 0))
            continue;
        while (at < count && movers[at].insn.addr != step.insn.addr)
            at++;
        if (at == MOVERS)
            return;
        if (at == count)
            movers[count++] = (struct mover){.insn = step.insn};
        movers[at].times++;
    }
    if (!event || count == 0 || (count == 1 && movers[0].times == 1))
        return;
    note(crash, WHY, " Until then");
    while (count-- > 0)
        note(crash, WHY, " %s at %s ran %u time%s%s",
             words_insn(crash, &movers[count].insn),
             words_code(crash, movers[count].insn.addr), movers[count].times,
             movers[count].times == 1 ? "" : "s", count ? "," : ".");
}

static void explain_return(struct crash *crash)
{
    const struct view_thread *thread =
        view_thread(crash->view, crash->event->tid);
    const struct frame *frame = thread ? thread->stepped : NULL;
    uint64_t expected = frame ? frame->regs.value[REG_STACK] : 0, from = 0;
    const struct seen *ret = &crash->way.step;
    struct seen writer = {0};
    bool unbalanced;

    note_what(crash,
              phrase(&crash->phrases, "A ret went to %s", words_target(crash)));
    note(crash, WHERE, "%s, bytes %02x", words_seen(crash, ret),
         ret->insn.bytes[0]);
    note_storer(crash, ret->insn.addr);
    note(crash, WHERE, "; it popped 0x%" PRIx64, crash->pc);
    if (read_from(crash, ret, &from))
        note(crash, WHERE, " from 0x%" PRIx64, from);
    note(crash, WHERE, ".");
    unbalanced = expected && expected != from;
    if (unbalanced) {
        note(crash, WHY,
             "The return address is at 0x%" PRIx64 " (event %" PRIu64
             "), but %s was 0x%" PRIx64 " at the ret, %" PRIu64 " bytes %s.",
             expected, frame->seq, reg_name(REG_STACK), from,
             from < expected ? expected - from : from - expected,
             from < expected ? "lower: not all that was pushed was popped"
                             : "higher: more was popped than pushed");
        note_movers(crash, frame);
    }
    find_writer(crash, from, crash->pc, ret->index, &writer);
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
    else if (writer.known)
        note(crash, NEXT, "That has overwritten the return address. ");
    else
        note(crash, NEXT, "See what may have overwritten the return address. ");
    note_command(crash, writer.known ? writer.seq : ret->seq);
}

/* A call or jump to nowhere. */
static void explain_jump(struct crash *crash)
{
    const struct seen *jump = &crash->way.step;
    const struct insn *insn = &jump->insn;
    const struct insn_operand *target = &insn->operands[0];
    uint64_t addr, seq = jump->seq;

    note_what(crash, phrase(&crash->phrases, "Generated code %s %s",
                            insn->kind == INSN_CALL ? "called" : "jumped to",
                            words_target(crash)));
    note(crash, WHERE, "%s, bytes %s", words_seen(crash, jump),
         phrase_bytes(&crash->phrases,
                      (struct bytes){insn->bytes, insn->length}));
    note_storer(crash, insn->addr);
    note(crash, WHERE, "; it went to 0x%" PRIx64 ".", crash->pc);
    /* Where its target is from. */
    if (insn->operand_count == 0 || target->kind == OPERAND_IMMEDIATE)
        note(crash, WHY,
             "The distance is in the instruction itself: 0x%" PRIx64
             " is %" PRId64 " bytes from its end. ",
             crash->pc, (int64_t)(crash->pc - insn->addr - insn->length));
    else if (target->kind == OPERAND_REGISTER && target->reg < REG_COUNT &&
             crash->regs_known)
        note(crash, WHY, "%s. ",
             words_reg(crash, target->reg, jump->index, &seq));
    else if (read_from(crash, jump, &addr))
        note(crash, WHY, "The target was read from 0x%" PRIx64 ". ", addr);
    note_twin(crash);
    note(crash, WHY, "At 0x%" PRIx64 ": %s.", crash->pc,
         words_page(crash, crash->pc));
    note(crash, NEXT,
         crash->signal->twin.known && target->kind == OPERAND_IMMEDIATE
             ? "A distance of 32 bits reaches 2 GiB: load the address into a "
               "register for what is further away. "
             : "See where the target is computed. ");
    note_command(crash, seq);
}

void note_fetched(struct crash *crash)
{
    bool is_mapped = crash->code || crash->signal->maps;

    note_place(crash, "");
    if (crash->signal->return_to.known && crash->event->source.file)
        note(crash, WHERE, ", called from %s", words_source(crash));
    note(crash, WHERE, is_mapped ? "; its first byte was not fetched." : ".");
}

/* The call that generated code made and that was to return there, or NULL. */
static const struct frame *find_return(const struct crash *crash)
{
    const struct view_thread *thread =
        view_thread(crash->view, crash->event->tid);
    const struct frame *frame = !thread                       ? NULL
                                : crash->way.kind == WAY_AWAY ? thread->frame
                                                              : thread->stepped;

    while (frame && !(frame->kind == FRAME_CALLED && frame->return_to.known &&
                      frame->return_to.value == crash->pc))
        frame = frame->caller;
    return frame;
}

/* A function that generated code called returned to where that code was. */
static void explain_gone(struct crash *crash, const struct frame *frame)
{
    const struct event *gone;
    uint64_t seq = frame->seq;

    note_what(crash, crash->code || crash->signal->maps
                         ? "A function that generated code had called returned "
                           "to code that may not be executed any more"
                         : "A function that generated code had called returned "
                           "to code that is gone");
    note_place(crash, ".");
    note(crash, WHY, "%s was still to return there. At 0x%" PRIx64 ": %s.",
         words_call(crash, frame), crash->pc, words_page(crash, crash->pc));
    gone = crash->code ? NULL : past_find_at(crash, EVENT_UNMAP, crash->pc);
    if (gone)
        seq = gone->seq;
    else if (view_protection(crash->view, crash->pc))
        seq = view_protection(crash->view, crash->pc)->seq;
    note(crash, NEXT,
         "Code must stay where it is, and executable, until all calls that it "
         "makes have returned. ");
    note_command(crash, seq);
}

/* What to do about a page that is not executable. */
static void note_remedy(struct crash *crash)
{
    const struct region *region = crash->code;
    const struct protection *origin =
        region ? view_protection(crash->view, region->addr) : NULL;
    const char *maps = crash->signal->maps;

    if (note_other(crash, crash->pc, PROT_EXEC))
        ; /* mprotect would be no remedy */
    else if (crash->in_child && maps && !strchr(maps, '['))
        note(crash, NEXT,
             "Make it executable with mprotect after the last store and before "
             "the call. ");
    else if (!region || (maps && strchr(maps, '[')))
        note(crash, NEXT,
             "Code needs memory of its own: mmap some, store the code there, "
             "make it executable with mprotect, and call that address. ");
    else if (region->prot & PROT_EXEC)
        note(crash, NEXT, "See who changes its protection, and when. ");
    else
        note(crash, NEXT,
             "Call mprotect(0x%" PRIx64 ", %" PRIu64
             ", PROT_READ | PROT_EXEC) after the last store and before the "
             "call. ",
             region->addr, region->length);
    note_command(crash,
                 origin && origin->call ? origin->seq : crash->event->seq);
}

/* A page that may not be executed, or none. */
static void explain_protected(struct crash *crash)
{
    const struct region *region = crash->code;
    const char *went = crash->signal->return_to.known ? "called" : "went to";
    bool is_mapped = region || crash->signal->maps;

    note_what(crash,
              is_mapped ? "The program executed a page that may not be executed"
                        : phrase(&crash->phrases, "The program %s %s", went,
                                 crash->pc == 0 ? "address 0: a null pointer"
                                                : "an address where nothing is "
                                                  "mapped"));
    note_fetched(crash);
    note(crash, WHY, "There: %s.", words_page(crash, crash->pc));
    if (region && region->prot & PROT_EXEC)
        note(crash, WHY, " Another thread may have changed it meanwhile.");
    if (is_mapped) {
        note_remedy(crash);
        return;
    }
    note(crash, NEXT,
         "See which pointer to code this was, and where it is set. ");
    note_command(crash, crash->event->seq);
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
    if (is_led && kind == INSN_RETURN && find_return(crash))
        explain_gone(crash, find_return(crash));
    else if (is_led && kind == INSN_RETURN)
        explain_return(crash);
    else if (is_led)
        explain_jump(crash);
    else if (way->kind == WAY_AWAY && find_return(crash))
        explain_gone(crash, find_return(crash));
    else
        explain_protected(crash);
    return true;
}

/* --- off the end --------------------------------------------------------- */

/* Out of a page that was executed until another thread changed it. */
bool explain_taken(struct crash *crash)
{
    const struct way *way = &crash->way;
    const struct protection *origin = view_protection(crash->view, crash->pc);
    const uint64_t page = crash->pc - crash->pc % ARCH_PAGE_SIZE;

    if (!word_is(crash->signal->access, "execute") || !crash->was_watched ||
        crash->signal->addr.value - page >= ARCH_PAGE_SIZE ||
        way->kind == WAY_ENTERED || way->step.insn.addr < page ||
        way->step.insn.addr - page >= ARCH_PAGE_SIZE)
        return false;
    note_what(crash, "Code was executed while its page lost the permission for "
                     "that");
    note_place(crash, "; it was not fetched.");
    note(crash, WHY, "%s was executed in the same page. Now %s.",
         words_seen(crash, &way->step), words_page(crash, crash->pc));
    note(crash, NEXT,
         "Take no page away, and make none writable, that a thread may be "
         "in. ");
    note_command(crash,
                 origin && origin->call ? origin->seq : crash->event->seq);
    return true;
}

/* On to a page that holds more of the code, and may not be executed. */
bool explain_crossing(struct crash *crash)
{
    const struct view *view = crash->view;
    uint64_t edge = crash->signal->addr.value, first, last, seq, from;
    const struct region *next = view_region_at(view, edge);
    const struct region *before = view_region_at(view, edge - 1);
    const struct protection *origin = view_protection(view, edge);
    const struct protection *old = view_protection(view, edge - 1);
    bool crosses = edge > crash->pc && edge - crash->pc < INSN_MAX_LENGTH;

    if (!word_is(crash->signal->access, "execute") || edge % ARCH_PAGE_SIZE ||
        !next || !before || next->mapping != before->mapping ||
        !pages_written(&view->pages, edge) ||
        !(crosses || (edge == crash->pc && fell(&crash->way.step, edge))) ||
        !pages_extent(&view->pages, edge, next->addr + next->length - edge,
                      &first, &last))
        return false;
    note_what(crash, "The code goes on in a page that may not be executed");
    note_place(crash, crosses ? "; its byte " : "; the byte ");
    note(crash, WHERE, "%s was not fetched.", words_code(crash, edge));
    note(crash, WHY,
         "The code was stored up to %s. Up to %s %s. From %s on %s.",
         words_code(crash, last), words_code(crash, edge - 1),
         words_page(crash, edge - 1), words_code(crash, edge),
         words_page(crash, edge));
    seq = old && old->call ? old->seq : crash->event->seq;
    from = before->addr;
    if (origin && origin->call && origin->seq > seq) {
        seq = origin->seq;
        note(crash, NEXT, "See why that took the permission away. ");
    } else {
        note(crash, NEXT,
             "One call must cover all of it: mprotect(0x%" PRIx64 ", %" PRIu64
             ", PROT_READ | PROT_EXEC). ",
             from, last - last % ARCH_PAGE_SIZE + ARCH_PAGE_SIZE - from);
    }
    note_command(crash, seq);
    return true;
}

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
    if (bare) {
        note(crash, WHERE, "Behind %s", words_seen(crash, &last));
        note_storer(crash, last.insn.addr);
        note(crash, WHERE, "; at %s", phrase_hex(&crash->phrases, crash->pc));
    } else {
        note_place(crash, "");
    }
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
        note_command(crash, crash->way.kind == WAY_ENTERED ? crash->way.seq
                                                           : crash->event->seq);
        return true;
    }
    note(crash, NEXT,
         "End the code with ret (c3) or a jump, no later than at %s. ",
         words_code(crash, end - at_page_end * !zeros));
    if (last.known)
        note_command(crash, last.seq);
    return true;
}
