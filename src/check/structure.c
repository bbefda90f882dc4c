/* SPDX-License-Identifier: MIT */
/*
 * structure.c - an instruction is looked at when it runs for the first time
 * since it was stored.
 * What runs behind a wrong arrival is the consequence, and is neither judged nor
 * taken for an example.
 */
#include "check/structure.h"

#include <signal.h>

#include "base/mem.h"
#include "cpu/calling.h"

void structure_release(struct structure *structure)
{
    layout_release(&structure->layout);
    moment_release(&structure->moment);
    rewrite_release(&structure->rewrite);
    emitted_release(&structure->emitted);
    ranges_release(&structure->unsure);
    free(structure->threads);
}

static struct structure_thread *thread_of(struct structure *structure, int tid)
{
    struct structure_thread *thread;

    for (size_t i = 0; i < structure->count; i++)
        if (structure->threads[i].tid == tid)
            return &structure->threads[i];
    structure->threads = mem_grow(structure->threads, structure->count,
                                  &structure->capacity, sizeof *thread);
    thread = &structure->threads[structure->count++];
    *thread = (struct structure_thread){.tid = tid};
    return thread;
}

bool structure_is_astray(struct structure *structure, int tid)
{
    return thread_of(structure, tid)->astray;
}

/* --- what is known of the bytes ------------------------------------------ */

static void make_unsure(struct structure *structure,
                        const struct region *region)
{
    struct range_value *value;

    if (!region)
        return;
    value = range_value_new(sizeof *value);
    ranges_set(&structure->unsure, region->mapping, region->mapping + 1, value);
    range_value_drop(value);
}

/* Whether bytes may have been stored there that no event told of. */
static bool is_unsure(const struct structure *structure,
                      const struct ledger *ledger, uint64_t addr)
{
    const struct region *region = view_region_at(&ledger->view, addr);

    return structure->all_unsure || !region ||
           ranges_at(&structure->unsure, region->mapping);
}

/* Bytes that an event shows and that nobody was seen storing. */
static void take_found(struct structure *structure, const struct ledger *ledger,
                       const struct event *event)
{
    uint64_t addr;
    struct bytes code = event_bytes(event, &addr);

    if (!code.data || pages_hold(&ledger->view.pages, addr, code))
        return;
    make_unsure(structure, view_region_at(&ledger->view, addr));
    for (size_t i = 0; i < code.len; i++)
        if (!pages_hold(&ledger->view.pages, addr + i,
                        (struct bytes){code.data + i, 1}))
            layout_stored(&structure->layout, addr + i, 1, event->seq);
}

static void take_write(struct structure *structure, const struct ledger *ledger,
                       const struct event *event)
{
    const struct event_write *write = &event->write;

    if (event_is_elsewhere(write))
        make_unsure(structure, view_region_at(&ledger->view, write->addr));
    layout_stored(&structure->layout, write->addr, write->new.len, event->seq);
    if (write->also.known)
        layout_stored(&structure->layout, write->also.value, write->new.len,
                      event->seq);
}

/* The ledger has the mapping already. Fresh memory is zero; what other memory
 * holds was never stored, as far as anybody saw. */
static void take_map(struct structure *structure, const struct ledger *ledger,
                     const struct event_map *map)
{
    layout_forget(&structure->layout, map->addr, map->length);
    if (!map->call || !word_is(map->backing, "anonymous") ||
        strncmp(map->call, "mmap(", 5) != 0)
        make_unsure(structure, view_region_at(&ledger->view, map->addr));
}

/* --- what is said -------------------------------------------------------- */

/* Appends "je at offset 3". */
static void name_place(struct buf *out, const struct place *place)
{
    struct insn insn;

    if (insn_decode(place->bytes, place->length, place->addr, &insn) > 0)
        buf_printf(out, "%s at offset %" PRIu64, insn.mnemonic, place->offset);
    else
        buf_printf(out, "offset %" PRIu64, place->offset);
}

/* --- written-before-run -------------------------------------------------- */

static void name_arrival(struct buf *out, const struct run *run)
{
    if (run->arrival == ARRIVAL_FELL) {
        buf_append_text(out, "; control ran on from ");
        name_place(out, run->from);
        buf_append_text(out, ", which no ret or jump follows");
    } else if (run->arrival == ARRIVAL_JUMPED) {
        buf_append_text(out, "; control came by ");
        name_place(out, run->from);
    } else if (run->arrival == ARRIVAL_ENTERED) {
        buf_append_text(out, "; control came from outside");
    }
}

/* Bytes up to the end of the opcode. Those behind it may be left as the zeros
 * that fresh memory has: for mov eax, 5 two bytes can do. */
static unsigned opcode_end(const struct insn *insn)
{
    for (uint8_t i = 0; i < insn->field_count; i++)
        if (insn->fields[i].kind == FIELD_OPCODE)
            return insn->fields[i].offset + insn->fields[i].size;
    return 1;
}

/* Returns false if it is broken. */
static bool judge_written(const struct structure *structure,
                          struct ledger *ledger, const struct run *run)
{
    const struct pages *pages = &ledger->view.pages;
    uint64_t addr = run->place.addr;
    unsigned end = opcode_end(&run->insn), written = 0, zeros = 0;
    struct buf text = {0};

    while (written < end && pages_written(pages, addr + written))
        written++;
    while (zeros < end && run->insn.bytes[zeros] == 0)
        zeros++;
    if (written == end) {
        ledger_held(ledger, RULE_WRITTEN_BEFORE_RUN);
        return true;
    }
    if (is_unsure(structure, ledger, addr) && (written > 0 || zeros < end))
        return true;
    buf_append_text(&text, written ? "its opcode was never written"
                                   : "it was never written: its bytes are what "
                                     "fresh memory has");
    name_arrival(&text, run);
    ledger_found(ledger, RULE_WRITTEN_BEFORE_RUN, &run->place, 0, "%s",
                 buf_text(&text));
    buf_release(&text);
    return false;
}

/* --- prefix -------------------------------------------------------------- */

static bool has(unsigned set, enum reg reg)
{
    return set >> reg & 1;
}

/*
 * Whether the operand is ah, bh, ch or dh by mistake: nothing in this call has
 * set the register that it is a part of, and that is no argument; or it may be
 * one, and the register that was meant was set, or is an argument of one byte.
 */
static bool is_misnamed(const struct ledger *ledger,
                        const struct structure_thread *where,
                        const struct run *run,
                        const struct insn_operand *operand)
{
    const struct view_thread *thread =
        view_thread(&ledger->view, run->event->tid);
    enum reg beside = reg_beside_high(operand->reg);

    if (operand->kind != OPERAND_REGISTER || !operand->high ||
        operand->hidden || !where->called || has(where->set, operand->reg))
        return false;
    if (operand->reg == REG_RESULT)
        return operand->read;
    if (calling_is_saved(operand->reg) || has(where->set, beside))
        return true;
    return operand->read && !calling_is_saved(beside) && thread &&
           thread->regs_known && thread->regs.value[beside] <= UINT8_MAX;
}

static void judge_prefix(struct ledger *ledger,
                         const struct structure_thread *thread,
                         const struct run *run)
{
    const struct insn *insn = &run->insn;
    struct buf high = {0}, low = {0};
    bool held = true;

    if (insn->void_prefix) {
        held = false;
        ledger_found(ledger, RULE_PREFIX, &run->place, 0,
                     "the prefix %02x has no effect, as another one stands "
                     "between it and the opcode",
                     insn->void_prefix);
    }
    for (uint8_t i = 0; i < insn->operand_count && held; i++) {
        const struct insn_operand *operand = &insn->operands[i];

        if (!is_misnamed(ledger, thread, run, operand))
            continue;
        held = false;
        reg_part_name(operand->reg, 8, true, &high);
        reg_part_name(reg_beside_high(operand->reg), 8, false, &low);
        ledger_found(ledger, RULE_PREFIX, &run->place, 1,
                     "it uses %s, bits 15 to 8 of %s, which nothing has set in "
                     "this call; %s takes a REX prefix (40)",
                     buf_text(&high), reg_name(operand->reg), buf_text(&low));
    }
    buf_release(&high);
    buf_release(&low);
    if (held)
        ledger_held(ledger, RULE_PREFIX);
}

/* --- what happens -------------------------------------------------------- */

static bool is_fault(const struct event_signal *signal)
{
    return signal->code > 0 && signal->pc.known && signal->bytes.data &&
           !word_is(signal->access, "execute") &&
           (signal->number == SIGSEGV || signal->number == SIGBUS ||
            signal->number == SIGILL || signal->number == SIGFPE);
}

/* What an event says of an instruction that runs, or was to. */
static bool find_run(const struct ledger *ledger, const struct event *event,
                     struct run *run)
{
    struct bytes bytes = event->step.bytes;

    run->event = event;
    if (event->kind == EVENT_STEP) {
        run->place = ledger_place(event);
    } else if (event->kind == EVENT_SIGNAL && is_fault(&event->signal) &&
               view_region_at(&ledger->view, event->signal.pc.value)) {
        bytes = event->signal.bytes;
        run->place =
            ledger_place_at(ledger, event->seq, event->signal.pc.value);
    } else {
        return false;
    }
    insn_decode_any(bytes.data, bytes.len, run->place.addr, &run->insn);
    if (!run->insn.length && bytes.len > 0)
        run->insn.bytes[0] = bytes.data[0];
    return true;
}

static enum arrival arrival_of(const struct structure_thread *thread,
                               uint64_t addr)
{
    const struct insn *last = &thread->last;

    if (!thread->inside)
        return ARRIVAL_UNKNOWN;
    if (!thread->ran)
        return ARRIVAL_ENTERED;
    if (last->addr + last->length == addr && insn_goes_on(last))
        return ARRIVAL_FELL;
    return last->kind == INSN_PLAIN ? ARRIVAL_UNKNOWN : ARRIVAL_JUMPED;
}

static uint16_t written_registers(const struct insn *insn)
{
    uint16_t set = 0;

    for (uint8_t i = 0; i < insn->operand_count; i++)
        if (insn->operands[i].kind == OPERAND_REGISTER &&
            insn->operands[i].written && insn->operands[i].reg < REG_GENERAL)
            set |= (uint16_t)(1u << insn->operands[i].reg);
    return set;
}

/* It was not run since it was stored. */
static void judge_first(struct structure *structure, struct ledger *ledger,
                        struct structure_thread *thread, const struct run *run)
{
    struct spot spot = {.ran = run->event->seq + 1,
                        .tid = run->event->tid,
                        .length = run->insn.length,
                        .arrival = (uint8_t)run->arrival};
    const struct bytes bytes = {run->insn.bytes, run->insn.length};

    /* Behind a wrong arrival, what an instruction is tells nothing. One that
     * has stored to itself is not what is there any more. */
    if (thread->astray ||
        !pages_hold(&ledger->view.pages, run->place.addr, bytes))
        return;
    thread->astray = !judge_written(structure, ledger, run) ||
                     !whole_judge(&structure->layout, ledger, run);
    rewrite_ran(&structure->rewrite, ledger, &run->place, &run->insn);
    if (thread->astray) {
        if (run->arrival == ARRIVAL_JUMPED)
            whole_wrapped(&structure->layout, ledger, &thread->last,
                          &thread->place);
        return;
    }
    judge_prefix(ledger, thread, run);
    emitted_ran(&structure->emitted, ledger, &run->place, &run->insn,
                run->event->kind == EVENT_SIGNAL);
    if (run->arrival == ARRIVAL_JUMPED)
        spot.from = thread->place.addr;
    layout_put(&structure->layout, run->place.addr, &spot);
}

static void take_run(struct structure *structure, struct ledger *ledger,
                     struct structure_thread *thread, struct run *run)
{
    const struct spot *spot = layout_at(&structure->layout, run->place.addr);

    run->arrival = arrival_of(thread, run->place.addr);
    run->last = &thread->last;
    run->from = &thread->place;
    if (spot && spot->ran && spot->back == 0 &&
        spot->length == run->insn.length)
        layout_again(&structure->layout, run->place.addr, run->event->seq,
                     run->event->tid);
    else
        judge_first(structure, ledger, thread, run);
    if (run->event->kind == EVENT_STEP)
        address_step(&thread->givens, ledger, run->event, &run->insn,
                     &run->place);
    thread->set |= written_registers(&run->insn);
    thread->inside = thread->ran = run->insn.length > 0;
    thread->last = run->insn;
    thread->place = run->place;
}

/* A return to code that was stored after the call was made, and to where no
 * instruction begins in it. (To store another call, or code that goes on as the
 * old one did, is how calls are linked.) */
static bool judge_return(struct structure *structure, struct ledger *ledger,
                         const struct event *event)
{
    uint64_t addr = event->enter.addr;
    const struct ledger_store *store = ledger_emission(ledger, addr);
    const struct frame *frame = view_frame(&ledger->view, event->tid);
    struct place place;
    struct insn insn;

    if (!store || !frame || frame->kind != FRAME_CALLED ||
        !frame->return_to.known || frame->return_to.value != addr ||
        store->seq <= frame->seq ||
        !emitted_middle(&structure->emitted, ledger, addr, &insn))
        return false;
    place = ledger_place_at(ledger, event->seq, addr);
    ledger_found(ledger, RULE_STALE, &place, 2,
                 "a call returned here, and what is here was stored after that "
                 "call was made (event %" PRIu64 "): it is byte %" PRIu64
                 " of %s now",
                 store->seq, addr - insn.addr + 1, insn.text);
    return true;
}

static void take_enter(struct structure *structure, struct ledger *ledger,
                       const struct event *event)
{
    struct structure_thread *thread = thread_of(structure, event->tid);
    const char *how = event->enter.how;

    if (word_is(how, "return")) { /* what was called may have set these */
        for (unsigned reg = 0; reg < REG_GENERAL; reg++)
            if (!calling_is_saved((enum reg)reg))
                thread->set |= (uint16_t)(1u << reg);
        address_returned(&thread->givens);
    } else {
        thread->called = word_is(how, "call");
        thread->set = 0;
        thread->givens = (struct givens){0};
    }
    thread->ran = false;
    thread->astray =
        word_is(how, "return") && judge_return(structure, ledger, event);
    /* A return comes to where the call was made, a handler to anywhere. */
    thread->inside = word_is(how, "call") || word_is(how, "jump");
    if (thread->inside)
        layout_entered(&structure->layout, event->enter.addr);
}

void structure_before(struct structure *structure, struct ledger *ledger,
                      const struct event *event)
{
    struct structure_thread *thread;
    struct run run;

    moment_before(&structure->moment, ledger, &structure->layout, event);
    rewrite_before(&structure->rewrite, ledger, &structure->layout, event);
    emitted_before(&structure->emitted, event);
    switch (event->kind) {
    case EVENT_WRITE:
        take_write(structure, ledger, event);
        return;
    case EVENT_PROTECT:
        take_found(structure, ledger, event);
        return;
    case EVENT_UNMAP:
        layout_forget(&structure->layout, event->unmap.addr,
                      event->unmap.length);
        return;
    case EVENT_LIMIT:
        structure->all_unsure |= !word_is(event->limit.budget, "names") &&
                                 !word_is(event->limit.budget, "output");
        return;
    case EVENT_ENTER:
        take_found(structure, ledger, event);
        take_enter(structure, ledger, event);
        return;
    default:
        break;
    }
    if (event->kind == EVENT_SIGNAL) {
        thread = thread_of(structure, event->tid);
        address_fault(&thread->givens, ledger, event, &thread->last,
                      &thread->place);
    }
    if (find_run(ledger, event, &run)) {
        take_run(structure, ledger, thread_of(structure, event->tid), &run);
    } else if (event->kind == EVENT_LEAVE || event->kind == EVENT_SIGNAL) {
        thread = thread_of(structure, event->tid);
        if (event->kind == EVENT_LEAVE && thread->ran)
            whole_left(ledger, &thread->last, &thread->place, &event->leave);
        if (thread->ran && event->kind == EVENT_SIGNAL &&
            word_is(event->signal.access, "execute"))
            whole_wrapped(&structure->layout, ledger, &thread->last,
                          &thread->place);
        thread->inside = false;
    }
}

void structure_after(struct structure *structure, struct ledger *ledger,
                     const struct event *event)
{
    if (event->kind == EVENT_MAP) {
        take_map(structure, ledger, &event->map);
        rewrite_mapped(&structure->rewrite, ledger, &event->map);
    }
}
