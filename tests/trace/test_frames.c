/* SPDX-License-Identifier: MIT */
/*
 * Nested calls, told by hand: what a view makes of them.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#include "trace/view.h"

TestSuite(frames, .timeout = 20);

#define STACK UINT64_C(0x7ffc00001000)
#define CODE  UINT64_C(0x7f1200000000) /* generated */
#define OTHER UINT64_C(0x7f3400000000) /* generated, too */
#define C     UINT64_C(0x555500000000) /* the program's own */

static struct view view;
static uint64_t seq;

static void tell(struct event event, int tid)
{
    event.seq = seq++;
    event.tid = tid;
    view_apply(&view, &event);
}

static void enter(int tid, const char *how, uint64_t addr, uint64_t sp)
{
    struct event event = {.kind = EVENT_ENTER};

    event.enter.addr = addr;
    event.enter.how = how;
    event.enter.regs.value[REG_STACK] = sp;
    event.enter.regs.value[REG_PC] = addr;
    event.enter.regs.value[reg_argument[0]] = addr + sp;
    if (strcmp(how, "call") == 0)
        event.enter.return_to = (struct opt_u64){true, C + 5};
    tell(event, tid);
}

static void leave(int tid, const char *how, uint64_t to)
{
    tell((struct event){.kind = EVENT_LEAVE, .leave = {.how = how, .to = to}},
         tid);
}

/* An instruction of one byte, which is no call. */
static void step(int tid, uint64_t addr, uint64_t next, uint64_t sp)
{
    struct reg_change change = {REG_STACK, sp + 8, sp};
    struct event event = {.kind = EVENT_STEP};
    uint8_t byte = 0x55;

    event.step.addr = addr;
    event.step.bytes = (struct bytes){&byte, 1};
    event.step.next = next;
    event.step.regs = (struct reg_changes){&change, 1};
    tell(event, tid);
}

/* One of five; sp is the stack pointer after it. */
static void call(int tid, uint64_t addr, uint64_t target, uint64_t sp)
{
    struct reg_change change = {REG_STACK, sp + 8, sp};
    struct event event = {.kind = EVENT_STEP};

    event.step.addr = addr;
    event.step.bytes = (struct bytes){(const uint8_t *)"\xe8\0\0\0\0", 5};
    event.step.next = target;
    event.step.regs = (struct reg_changes){&change, 1};
    tell(event, tid);
}

/* Whether the thread is in these calls, the innermost first; 0 ends them. */
static bool is_in(const struct view *in, int tid, const uint64_t *addr)
{
    const struct frame *frame = view_frame(in, tid);

    for (; frame && *addr && frame->addr == *addr; addr++)
        frame = frame->caller;
    return !frame && !*addr;
}

#define IS_IN(tid, ...) \
    cr_assert(eq(int, is_in(&view, tid, (uint64_t[]){__VA_ARGS__, 0}), 1))

static void begin(void)
{
    seq = 100;
}

static void end(void)
{
    view_release(&view);
}

Test(frames, calls_are_nested_and_say_who_called, .init = begin, .fini = end)
{
    const struct frame *frame;

    cr_assert(eq(ptr, (void *)view_frame(&view, 7), NULL));
    enter(7, "call", CODE, STACK);
    IS_IN(7, CODE);
    step(7, CODE, CODE + 1, STACK - 16); /* a push is no call */
    call(7, CODE + 1, CODE + 64, STACK - 24);
    call(7, CODE + 64, CODE + 64, STACK - 32); /* of itself */
    IS_IN(7, CODE + 64, CODE + 64, CODE);
    frame = view_frame(&view, 7);
    cr_assert(eq(u64, frame->depth, 3));
    cr_assert(eq(int, (int)frame->kind, FRAME_CALLED));
    cr_assert(eq(u64, frame->seq, 103));
    cr_assert(eq(u64, frame->from.value, CODE + 64));
    cr_assert(eq(u64, frame->return_to.value, CODE + 69));
    cr_assert(eq(u64, frame->regs.value[REG_STACK], STACK - 32));
    cr_assert(eq(u64, frame->regs.value[reg_argument[0]], CODE + STACK));
    frame = frame->caller->caller;
    cr_assert(eq(int, (int)frame->kind, FRAME_ENTERED));
    cr_assert(eq(u64, frame->seq, 100));
    cr_assert(eq(int, frame->from.known, 0));
    cr_assert(eq(u64, frame->return_to.value, C + 5));
    step(7, CODE + 65, CODE + 69, STACK - 24); /* ret */
    IS_IN(7, CODE + 64, CODE);
    step(7, CODE + 69, CODE + 6, STACK - 16);
    IS_IN(7, CODE);
    step(7, CODE + 6, C + 5, STACK + 8);
    leave(7, "return", C + 5);
    cr_assert(eq(ptr, (void *)view_frame(&view, 7), NULL));
    cr_assert(eq(u64, view_thread(&view, 7)->stepped->addr, CODE));
}

/* Only a return, or a jump, ends a call: until then it may be unbalanced. */
Test(frames, what_is_popped_too_much_is_popped_within_the_call, .init = begin,
     .fini = end)
{
    enter(7, "call", CODE, STACK);
    call(7, CODE, CODE + 64, STACK - 8);
    step(7, CODE + 64, CODE + 65, STACK); /* pop */
    IS_IN(7, CODE + 64, CODE);
    step(7, CODE + 65, C + 5, STACK + 8); /* ret */
    cr_assert(eq(u64, view_thread(&view, 7)->stepped->addr, CODE + 64));
    leave(7, "return", C + 5);
    cr_assert(eq(ptr, (void *)view_frame(&view, 7), NULL));
}

/* Generated code calls a function that calls generated code again. */
Test(frames, a_callback_is_in_what_called_it, .init = begin, .fini = end)
{
    enter(7, "call", CODE, STACK);
    call(7, CODE, C + 100, STACK - 8);
    IS_IN(7, C + 100, CODE);
    leave(7, "call", C + 100);
    IS_IN(7, C + 100, CODE);
    cr_assert(eq(int, view_frame(&view, 7)->outside, 1));
    enter(7, "call", CODE + 32, STACK - 200);
    IS_IN(7, CODE + 32, C + 100, CODE);
    step(7, CODE + 32, C + 105, STACK - 192);
    leave(7, "return", C + 105);
    IS_IN(7, C + 100, CODE);
    enter(7, "return", CODE + 5, STACK);
    IS_IN(7, CODE);
    cr_assert(eq(u64, view_frame(&view, 7)->seq, 100));
}

Test(frames, a_jump_past_calls_ends_them, .init = begin, .fini = end)
{
    enter(7, "call", CODE, STACK);
    call(7, CODE, CODE + 64, STACK - 8);
    call(7, CODE + 64, CODE + 128, STACK - 16);
    call(7, CODE + 128, CODE + 192, STACK - 24);
    step(7, CODE + 192, CODE + 80, STACK - 8); /* within generated code */
    IS_IN(7, CODE + 64, CODE);
    call(7, CODE + 80, C, STACK - 16);
    leave(7, "call", C); /* longjmp, out of all */
    enter(7, "call", CODE + 32, STACK + 64);
    IS_IN(7, CODE + 32);
    call(7, CODE + 32, C, STACK + 56);
    leave(7, "call", C); /* and again, to the same place */
    enter(7, "call", CODE + 32, STACK + 64);
    IS_IN(7, CODE + 32);
}

Test(frames, a_handler_is_a_call_of_what_it_interrupted, .init = begin,
     .fini = end)
{
    enter(7, "call", CODE, STACK);
    step(7, CODE, CODE + 1, STACK - 16);
    leave(7, "signal", C + 300);
    IS_IN(7, C + 300, CODE);
    cr_assert(eq(int, (int)view_frame(&view, 7)->kind, FRAME_SIGNAL));
    cr_assert(eq(u64, view_frame(&view, 7)->from.value, CODE + 1));
    enter(7, "call", CODE + 64, STACK - 4000); /* by the handler */
    IS_IN(7, CODE + 64, C + 300, CODE);
    step(7, CODE + 64, C + 305, STACK - 3992);
    leave(7, "return", C + 305);
    enter(7, "return", CODE + 1, STACK - 16);
    IS_IN(7, CODE);
}

/* On a stack of its own, which may be higher (sigaltstack(2)). */
Test(frames, a_handler_may_be_generated_code, .init = begin, .fini = end)
{
    static const int64_t above[] = {-4000, 65536, INT64_C(1) << 40};

    for (int i = 0; i < 3; i++) {
        uint64_t sp = STACK + (uint64_t)above[i];

        enter(7, "call", CODE, STACK);
        leave(7, "signal", CODE + 64);
        enter(7, "signal", CODE + 64, sp);
        IS_IN(7, CODE + 64, CODE);
        cr_assert(eq(u64, view_frame(&view, 7)->from.value, CODE));
        call(7, CODE + 64, CODE + 96, sp - 8);
        step(7, CODE + 96, CODE + 69, sp);
        IS_IN(7, CODE + 64, CODE);
        step(7, CODE + 69, C + 400, sp + 8);
        leave(7, "return", C + 400);
        IS_IN(7, CODE);
        enter(7, "return", CODE, STACK);
        IS_IN(7, CODE);
        step(7, CODE, C + 5, STACK + 8);
        leave(7, "return", C + 5);
        cr_assert(eq(ptr, (void *)view_frame(&view, 7), NULL), "%d", i);
    }
}

Test(frames, each_thread_has_its_own, .init = begin, .fini = end)
{
    enter(7, "call", CODE, STACK);
    enter(8, "call", CODE + 64, STACK - 0x100000);
    call(8, CODE + 64, CODE + 96, STACK - 0x100008);
    call(7, CODE, CODE + 32, STACK - 8);
    IS_IN(7, CODE + 32, CODE);
    IS_IN(8, CODE + 96, CODE + 64);
    step(7, CODE + 32, CODE + 5, STACK);
    IS_IN(7, CODE);
    IS_IN(8, CODE + 96, CODE + 64);
}

/* Control that goes from one mapping to another leaves and enters. */
Test(frames, a_call_of_another_mapping_is_one_call, .init = begin, .fini = end)
{
    enter(7, "call", CODE, STACK);
    call(7, CODE, OTHER, STACK - 8);
    leave(7, "call", OTHER);
    enter(7, "call", OTHER, STACK - 8);
    IS_IN(7, OTHER, CODE);
    cr_assert(eq(u64, view_frame(&view, 7)->from.value, CODE));
    cr_assert(eq(int, view_frame(&view, 7)->outside, 0));
    step(7, OTHER, CODE + 5, STACK);
    leave(7, "return", CODE + 5);
    enter(7, "return", CODE + 5, STACK);
    IS_IN(7, CODE);
    step(7, CODE + 5, OTHER, STACK);
    leave(7, "jump", OTHER);
    enter(7, "jump", OTHER, STACK);
    IS_IN(7, CODE); /* a jump is no call */
}

Test(frames, a_jump_in_is_over_with_the_jump_out, .init = begin, .fini = end)
{
    enter(7, "jump", CODE, STACK);
    cr_assert(eq(int, (int)view_frame(&view, 7)->kind, FRAME_JUMPED));
    call(7, CODE, C, STACK - 8);
    leave(7, "call", C);
    enter(7, "jump", CODE + 64, STACK - 100); /* from what was called */
    IS_IN(7, CODE + 64, C, CODE);
    leave(7, "jump", C + 8);
    IS_IN(7, C, CODE);
    enter(7, "return", CODE + 5, STACK);
    leave(7, "jump", C + 8);
    cr_assert(eq(ptr, (void *)view_frame(&view, 7), NULL));
}

/* Of what is not stepped, the leave alone says that it has ended. */
Test(frames, a_call_that_is_not_watched_ends_with_its_leave, .init = begin,
     .fini = end)
{
    struct event limit = {.kind = EVENT_LIMIT,
                          .limit = {.budget = "call-steps"}};

    enter(7, "call", CODE, STACK);
    call(7, CODE, CODE + 64, STACK - 8);
    tell(limit, 7);
    leave(7, "return", C + 5);
    cr_assert(eq(ptr, (void *)view_frame(&view, 7), NULL));
    enter(7, "call", CODE, STACK);
    tell(limit, 7); /* and no leave */
    enter(7, "call", CODE + 32, STACK);
    IS_IN(7, CODE + 32);
    tell(limit, 7);
    enter(7, "jump", CODE + 64, STACK - 64); /* from what it has called */
    IS_IN(7, CODE + 64, CODE + 32);
}

Test(frames, a_copy_keeps_its_calls, .init = begin, .fini = end)
{
    struct view copy;

    enter(7, "call", CODE, STACK);
    call(7, CODE, CODE + 64, STACK - 8);
    view_copy(&copy, &view);
    step(7, CODE + 64, CODE + 5, STACK);
    call(7, CODE + 5, CODE + 96, STACK - 8);
    IS_IN(7, CODE + 96, CODE);
    cr_assert(eq(int, is_in(&copy, 7, (uint64_t[]){CODE + 64, CODE, 0}), 1));
    end();
    cr_assert(eq(int, is_in(&copy, 7, (uint64_t[]){CODE + 64, CODE, 0}), 1));
    view_release(&copy);
    begin();
}
