/* SPDX-License-Identifier: MIT */
/*
 * structure.c - an instruction is looked at when it runs for the first time
 * since it was stored.
 *
 * Which of two overlapping instructions is meant? One that control fell into
 * from the one before it is; of one that was jumped to it is not known before
 * something else says so. So the jump is blamed. What runs behind a wrong
 * arrival is the consequence, and is neither judged nor taken for an example.
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
            layout_stored(&structure->layout, addr + i, 1);
}

static void take_write(struct structure *structure, const struct ledger *ledger,
                       const struct event_write *write)
{
    if (event_is_elsewhere(write))
        make_unsure(structure, view_region_at(&ledger->view, write->addr));
    layout_stored(&structure->layout, write->addr, write->new.len);
    if (write->also.known)
        layout_stored(&structure->layout, write->also.value, write->new.len);
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

/* An instruction that runs, and how control came to it. */
struct run {
    const struct event *event;
    struct place place;
    struct insn insn; /* length 0: the bytes are none */
    enum arrival arrival;
    struct structure_thread *thread;
};

static unsigned run_length(const struct run *run)
{
    return run->insn.length ? run->insn.length : 1;
}

/* --- written-before-run -------------------------------------------------- */

static void name_arrival(struct buf *out, const struct run *run)
{
    if (run->arrival == ARRIVAL_FELL) {
        buf_append_text(out, "; control ran on from ");
        name_place(out, &run->thread->place);
        buf_append_text(out, ", which no ret or jump follows");
    } else if (run->arrival == ARRIVAL_JUMPED) {
        buf_append_text(out, "; control came by ");
        name_place(out, &run->thread->place);
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

/* --- whole-instructions -------------------------------------------------- */

/* Whether an instruction at addr is the outer one without some of its prefixes,
 * as where a jump skips lock. */
static bool is_behind_prefixes(const struct insn *outer, uint64_t addr)
{
    return insn_are_prefixes(outer, addr - outer->addr);
}

/* Whether something says that an instruction begins at addr. */
static bool is_begin(const struct structure *structure,
                     const struct ledger *ledger, uint64_t addr)
{
    const struct spot *spot = layout_at(&structure->layout, addr);
    struct insn other;

    if (!pages_written(&ledger->view.pages, addr))
        return false;
    return spot && spot->ran ? spot->back == 0
                             : layout_around(&structure->layout, &ledger->view,
                                             addr, &other) == 0;
}

/* Control came, by a jump at `from` or from outside (0), to addr, which is in
 * the middle of outer. */
static void tell_middle(const struct structure *structure,
                        struct ledger *ledger, uint64_t seq, uint64_t from,
                        uint64_t addr, const struct insn *outer)
{
    uint64_t culprit = from ? from : addr;
    struct place place = ledger_place_at(ledger, seq, culprit);
    uint64_t offset = place.offset + (outer->addr - culprit);
    const struct insn_field *distance = NULL;
    struct buf text = {0};
    struct insn jump;

    buf_printf(&text,
               "%s byte %" PRIu64 " of %s, which begins at offset %" PRIu64
               " and has %u bytes",
               from ? "it goes to" : "control came from outside to",
               addr - outer->addr + 1, outer->text, offset, outer->length);
    if (from && insn_decode(place.bytes, place.length, place.addr, &jump) > 0)
        distance = insn_distance(&jump);
    if (distance && is_begin(structure, ledger, addr - distance->size))
        buf_printf(&text,
                   "; it is %u too far, the size of its rel%u: that counts "
                   "from its end",
                   distance->size, 8u * distance->size);
    ledger_found(ledger, RULE_WHOLE_INSTRUCTIONS, &place, addr, "%s",
                 buf_text(&text));
    if (!from && layout_at(&structure->layout, addr)->was_entered)
        moment_entered_middle(ledger, &place);
    buf_release(&text);
}

static bool was_led(uint8_t arrival)
{
    return arrival == ARRIVAL_JUMPED || arrival == ARRIVAL_ENTERED;
}

/* An instruction that ran overlaps this one: tells of the one that was led to.
 * Returns whether that is this one. */
static bool judge_overlap(const struct structure *structure,
                          struct ledger *ledger, const struct run *run,
                          const struct spot *spot, uint64_t begin)
{
    const struct insn *insn = &run->insn;
    uint64_t addr = run->place.addr;
    struct insn other;

    if (!view_decode(&ledger->view, begin, &other) ||
        is_behind_prefixes(&other, addr) || is_behind_prefixes(insn, begin))
        return false;
    if (was_led(run->arrival)) {
        if (begin < addr) {
            tell_middle(structure, ledger, run->event->seq,
                        run->arrival == ARRIVAL_JUMPED ? run->thread->place.addr
                                                       : 0,
                        addr, &other);
            return true;
        }
        if (!was_led(spot->arrival))
            return false; /* it goes before what was run: not into anything */
    }
    if (begin > addr && was_led(spot->arrival))
        tell_middle(structure, ledger, spot->ran - 1, spot->from, begin, insn);
    return false;
}

/* A rel8 that is right but for 256. */
static void judge_wrap(const struct structure *structure, struct ledger *ledger,
                       const struct structure_thread *thread)
{
    const struct insn *jump = &thread->last;
    const struct insn_field *distance = insn_distance(jump);
    int64_t meant;

    if (!distance || distance->size != 1)
        return;
    meant = distance->value + (distance->value < 0 ? 256 : -256);
    if (is_begin(structure, ledger,
                 jump->addr + jump->length + (uint64_t)meant))
        ledger_found(ledger, RULE_CUT_ADDRESS, &thread->place, 0,
                     "its rel8 is %" PRId64 ", and only %" PRId64
                     ", which does not fit 8 bits, would lead to where an "
                     "instruction begins",
                     distance->value, meant);
}

/* Returns false if it is broken by this arrival. */
static bool judge_whole(const struct structure *structure,
                        struct ledger *ledger, const struct run *run)
{
    const struct layout *layout = &structure->layout;
    uint64_t addr = run->place.addr;
    const struct spot *spot = layout_first(layout, addr);
    struct insn outer;
    bool right = true;

    if (spot && layout_at(layout, addr)->back > 0)
        right = !judge_overlap(structure, ledger, run, spot,
                               addr - layout_at(layout, addr)->back);
    for (unsigned i = 1; right && i < run_length(run); i++) {
        spot = layout_at(layout, addr + i);
        if (spot && spot->ran && spot->back == 0)
            right = !judge_overlap(structure, ledger, run, spot, addr + i);
    }
    if (right && !spot && was_led((uint8_t)run->arrival) &&
        layout_around(layout, &ledger->view, addr, &outer) == 1 &&
        !is_behind_prefixes(&outer, addr)) {
        tell_middle(structure, ledger, run->event->seq,
                    run->arrival == ARRIVAL_JUMPED ? run->thread->place.addr
                                                   : 0,
                    addr, &outer);
        right = false;
    }
    if (right)
        ledger_held(ledger, RULE_WHOLE_INSTRUCTIONS);
    return right;
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
static bool is_misnamed(const struct ledger *ledger, const struct run *run,
                        const struct insn_operand *operand)
{
    const struct view_thread *thread =
        view_thread(&ledger->view, run->event->tid);
    enum reg beside = reg_beside_high(operand->reg);

    if (operand->kind != OPERAND_REGISTER || !operand->high ||
        operand->hidden || !run->thread->called ||
        has(run->thread->set, operand->reg))
        return false;
    if (operand->reg == REG_RESULT)
        return operand->read;
    if (calling_is_saved(operand->reg) || has(run->thread->set, beside))
        return true;
    return operand->read && !calling_is_saved(beside) && thread &&
           thread->regs_known && thread->regs.value[beside] <= UINT8_MAX;
}

static void judge_prefix(struct ledger *ledger, const struct run *run)
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

        if (!is_misnamed(ledger, run, operand))
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

static void take_run(struct structure *structure, struct ledger *ledger,
                     struct run *run)
{
    struct structure_thread *thread = run->thread;
    uint64_t addr = run->place.addr;
    const struct spot *spot = layout_first(&structure->layout, addr);
    struct spot fresh = {.ran = run->event->seq + 1,
                         .tid = run->event->tid,
                         .sets = written_registers(&run->insn),
                         .length = run->insn.length,
                         .kind = (uint8_t)run->insn.kind};

    run->arrival = arrival_of(thread, addr);
    fresh.arrival = (uint8_t)run->arrival;
    if (run->arrival == ARRIVAL_JUMPED)
        fresh.from = thread->place.addr;
    if (spot && layout_at(&structure->layout, addr)->back == 0 &&
        spot->length == run->insn.length) {
        layout_again(&structure->layout, addr, run->event->seq,
                     run->event->tid);
    } else if (!thread->astray) {
        thread->astray = !judge_written(structure, ledger, run) ||
                         !judge_whole(structure, ledger, run);
        if (thread->astray && run->arrival == ARRIVAL_JUMPED)
            judge_wrap(structure, ledger, thread);
        judge_prefix(ledger, run);
        rewrite_ran(&structure->rewrite, ledger, &run->place, &run->insn);
        emitted_ran(&structure->emitted, ledger, &run->place, &run->insn,
                    run->event->kind == EVENT_SIGNAL);
        if (!thread->astray)
            layout_put(&structure->layout, addr, &fresh);
    }
    if (run->event->kind == EVENT_STEP)
        address_step(&thread->givens, ledger, run->event, &run->insn,
                     &run->place);
    thread->set |= fresh.sets;
    thread->inside = thread->ran = run->insn.length > 0;
    thread->last = run->insn;
    thread->place = run->place;
}

static void take_enter(struct structure *structure, const struct event *event)
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
    thread->astray = thread->ran = false;
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
        take_write(structure, ledger, &event->write);
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
        take_enter(structure, event);
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
        run.thread = thread_of(structure, event->tid);
        take_run(structure, ledger, &run);
    } else if (event->kind == EVENT_LEAVE || event->kind == EVENT_SIGNAL) {
        thread = thread_of(structure, event->tid);
        if (thread->ran && event->kind == EVENT_SIGNAL &&
            word_is(event->signal.access, "execute"))
            judge_wrap(structure, ledger, thread);
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
