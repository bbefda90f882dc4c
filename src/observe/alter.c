/* SPDX-License-Identifier: MIT */
#include "observe/alter.h"

#include "cpu/effect.h"
#include "observe/asked.h"
#include "observe/bytes.h"
#include "observe/maps.h"
#include "target/calls.h"
#include "target/inject.h"
#include "target/registers.h"

#define for_each_whatif(one, run)                                        \
    for (struct whatif *one = (run)->choice.whatifs.list;                \
         one < (run)->choice.whatifs.list + (run)->choice.whatifs.count; \
         one++)

/* Bytes are others now, because of what. */
static void tell_bytes(struct thread *thread, struct region *region,
                       uint64_t addr, struct bytes old, struct bytes now,
                       const struct whatif *what)
{
    struct storer storer = {0};
    struct buf by = {0};

    buf_printf(&by, WRITTEN_INJECTED "(%s)", what->text);
    storer.by = buf_text(&by);
    bytes_store(thread, region, addr, old, now, &storer);
    buf_release(&by);
}

static void tell(struct thread *thread, const struct whatif *what,
                 struct opt_u64 addr, struct buf *did)
{
    struct event event = {.kind = EVENT_INJECTED, .tid = thread->tracee.tid};

    event.injected = (struct event_injected){
        .addr = addr, .what = what->text, .did = buf_text(did)};
    thread_source(thread, &event.source);
    run_tell(thread->run, &event);
    buf_release(did);
}

/* --- as code is entered --------------------------------------------------- */

static void change_byte(struct thread *thread, struct region *region,
                        struct whatif *what)
{
    uint64_t addr;
    uint8_t old, now;

    if (what->code && what->code != asked_code(thread->space, region))
        for_each_region (other, thread->space)
            if (asked_code(thread->space, other) == what->code)
                region = other;
    addr = region->start + what->offset;
    if (addr - region->addr >= region->length ||
        proc_read(thread->tracee.tid, addr, &old, 1) != 1)
        return;
    now = (uint8_t)(what->is_xor ? old ^ what->value : what->value);
    if (tracee_write(&thread->tracee, addr, &now, 1) < 0)
        return;
    what->done++;
    tell_bytes(thread, region, addr, (struct bytes){&old, 1},
               (struct bytes){&now, 1}, what);
}

/* A write to the lower 32 bits clears the upper ones, to fewer leaves the rest
 * (Intel SDM vol. 1, 3.4.1.1). */
static void change_register(struct thread *thread, struct whatif *what,
                            struct regs *regs)
{
    const uint64_t part = UINT64_MAX >> (64 - what->bits);
    const uint64_t old = regs->value[what->reg];
    uint64_t now = what->is_xor ? (old ^ what->value) & part : what->value;
    struct buf did = {0};

    if (what->bits < 32)
        now |= old & ~part;
    if (tracee_set_register(&thread->tracee, what->reg, now) < 0)
        return;
    what->done++;
    buf_printf(&did, "%s ", reg_name(what->reg));
    value_describe(old, 64, &did);
    buf_append_text(&did, " -> ");
    value_describe(now, 64, &did);
    tracee_regs(&thread->tracee, regs);
    tell(thread, what, (struct opt_u64){0}, &did);
}

void alter_enter(struct thread *thread, struct region *region, const char *how,
                 struct regs *regs)
{
    if (strcmp(how, "call") != 0)
        return;
    for_each_whatif(what, thread->run)
    {
        if (what->kind > WHATIF_REGISTER || !whatif_is_due(what))
            continue;
        if (what->kind == WHATIF_BYTE)
            change_byte(thread, region, what);
        else
            change_register(thread, what, regs);
    }
}

/* --- stores --------------------------------------------------------------- */

void alter_store(struct thread *thread, struct region *region, uint64_t addr,
                 struct bytes old, struct bytes now)
{
    for_each_whatif(what, thread->run)
    {
        if (what->kind != WHATIF_STORE || !whatif_is_due(what) ||
            tracee_write(&thread->tracee, addr, old.data, old.len) < 0)
            continue;
        what->done++;
        tell_bytes(thread, region, addr, now, old, what);
        return;
    }
}

/* --- system calls --------------------------------------------------------- */

bool alter_before_call(struct thread *thread)
{
    const struct call *call = &thread->call;
    uint64_t addr, length;

    for_each_whatif(what, thread->run)
    {
        if (what->kind != WHATIF_CALL || what->number != call->number)
            continue;
        if (what->of_code &&
            (!call_range(call, &addr, &length) ||
             !regions_from(&thread->space->regions, addr) ||
             regions_from(&thread->space->regions, addr)->addr - addr >=
                 length))
            continue;
        if (!whatif_is_due(what) || tracee_deny(&thread->tracee) < 0)
            continue;
        thread->not_made = what;
        return true;
    }
    return false;
}

bool alter_after_call(struct thread *thread)
{
    struct whatif *what = thread->not_made;
    struct buf did = {0};

    if (!what)
        return false;
    thread->not_made = NULL;
    what->done++;
    thread->call.result = what->error ? -what->error : (int64_t)what->value;
    if (tracee_fetch(&thread->tracee) == 0)
        tracee_set_result(&thread->tracee, thread->call.result);
    if (what->error) {
        buf_printf(&did, WRITTEN_INJECTED "(%s)", what->text);
        maps_refused(thread, buf_text(&did));
        buf_release(&did);
        return true;
    }
    call_describe(&thread->call, &did);
    buf_printf(&did, " was not made, and returned %" PRId64,
               thread->call.result);
    tell(thread, what,
         (struct opt_u64){thread->call.args[0] != 0, thread->call.args[0]},
         &did);
    return true;
}

/* --- the end --------------------------------------------------------------- */

void alter_tell_missing(struct thread *thread)
{
    static const char *const why[] = {
        [WHATIF_BYTE] = "no such call was seen, or it has no such byte",
        [WHATIF_REGISTER] = "no such call was seen",
        [WHATIF_STORE] = "no such store was seen",
        [WHATIF_CALL] = "no such system call was seen",
    };

    for_each_whatif(what, thread->run) if (what->done == 0)
        thread_limit(thread, "unmatched", 0, "--inject=%s was not done: %s",
                     what->text, why[what->kind]);
}
