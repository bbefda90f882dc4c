/* SPDX-License-Identifier: MIT */
/*
 * The instruction that an event is about, and the event in words. Traces made
 * by hand say what each sentence is; recordings of real programs say that it
 * fits what happens, and that there is always one that is fit to show.
 */
#include "support/support.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/utf8.h"
#include "tell/pen.h"
#include "tell/focus.h"
#include "tell/tell.h"

TestSuite(story, .timeout = 20);

#define BASE       UINT64_C(0x7f0000001000)
#define HERE       UINT64_C(0x555555555000)
#define RW         (PROT_READ | PROT_WRITE)
#define RX         (PROT_READ | PROT_EXEC)
#define RWX        (PROT_READ | PROT_WRITE | PROT_EXEC)
#define TID        100
#define LIST(...)  ((const uint8_t[]){__VA_ARGS__})
#define BYTES(...) ((struct bytes){LIST(__VA_ARGS__), sizeof LIST(__VA_ARGS__)})

/* --- traces made by hand ------------------------------------------------- */

static void add(struct history *history, struct event event)
{
    event.seq = history_count(history);
    if (event.tid == 0)
        event.tid = TID;
    history_append(history, &event);
}

/* What is not said of the first two events of most traces. */
static struct event start_event(void)
{
    static const char *const argv[] = {"babyjit", "-4"};

    return (struct event){
        .kind = EVENT_START,
        .start = {.format = 1,
                  .arch = "x86_64",
                  .argv = {argv, 2},
                  .pid = TID,
                  .page_size = 4096,
                  .entry = HERE},
    };
}

static struct event map_event(unsigned prot)
{
    return (struct event){
        .kind = EVENT_MAP,
        .map = {.addr = BASE,
                .length = 4096,
                .prot = prot,
                .flags = "MAP_PRIVATE|MAP_ANONYMOUS",
                .backing = "anonymous",
                .call = "mmap(NULL, 4096, PROT_READ|PROT_WRITE, "
                        "MAP_PRIVATE|MAP_ANONYMOUS, -1, 0)"},
    };
}

static struct history *begin(unsigned prot)
{
    struct history *history = history_new();

    add(history, start_event());
    add(history, map_event(prot));
    return history;
}

static struct event store_event_at(uint64_t offset, struct bytes bytes)
{
    static const uint8_t zeros[64];

    return (struct event){
        .kind = EVENT_WRITE,
        .write = {.addr = BASE + offset,
                  .offset = offset,
                  .old = {zeros, bytes.len},
                  .new = bytes,
                  .pc = HERE},
    };
}

static void store(struct history *history, uint64_t offset, struct bytes bytes)
{
    add(history, store_event_at(offset, bytes));
}

static void protect(struct history *history, unsigned old, unsigned new)
{
    add(history, (struct event){
                     .kind = EVENT_PROTECT,
                     .protect = {.addr = BASE,
                                 .length = 4096,
                                 .old_prot = old,
                                 .prot = new,
                                 .call = "mprotect(0x7f0000001000, 4096, 0)"},
                 });
}

static struct event enter_event(const char *how)
{
    struct event event = {
        .kind = EVENT_ENTER,
        .source = {.file = "babyjit.c", .line = 98},
        .enter = {.addr = BASE, .how = how, .return_to = {true, HERE}},
    };

    event.enter.regs.value[REG_PC] = BASE;
    event.enter.regs.value[X86_RDI] = 3;
    event.enter.regs.value[X86_RSP] = 0x7ffe0000;
    return event;
}

static const uint8_t mov_add_ret[] = {0x48, 0xc7, 0xc0, 0xfc, 0xff, 0xff,
                                      0xff, 0x48, 0x01, 0xf8, 0xc3};

/* The code of the baby JIT, executable. */
static struct history *begin_with_code(void)
{
    struct history *history = begin(RW);

    store(history, 0, (struct bytes){mov_add_ret, sizeof mov_add_ret});
    protect(history, RW, RX);
    return history;
}

static struct event step_mov(void)
{
    static const struct reg_change rax = {X86_RAX, 0, (uint64_t)-4};

    return (struct event){
        .kind = EVENT_STEP,
        .step = {.addr = BASE,
                 .bytes = {mov_add_ret, 7},
                 .text = "mov rax, -4",
                 .regs = {&rax, 1},
                 .next = BASE + 7},
    };
}

static uint64_t last(struct history *history)
{
    return history_count(history) - 1;
}

/* --- what is expected ---------------------------------------------------- */

static void expect_story(struct history *history, uint64_t seq,
                         const char *happened)
{
    struct buf out = {0};

    tell_event(history, seq, TELL_SENTENCE, false, &out);
    cr_expect(eq(str, (char *)buf_text(&out), (char *)happened), "event %d",
              (int)seq);
    buf_release(&out);
}

static void expect_next(struct history *history, uint64_t seq, const char *next)
{
    struct buf out = {0};

    tell_event(history, seq, TELL_NEXT, false, &out);
    cr_expect(eq(str, (char *)buf_text(&out), (char *)next), "event %d",
              (int)seq);
    buf_release(&out);
}

static void expect_title(struct history *history, uint64_t seq,
                         const char *title)
{
    struct buf out = {0};

    tell_event(history, seq, TELL_TITLE, false, &out);
    cr_expect(eq(str, (char *)buf_text(&out), (char *)title), "event %d",
              (int)seq);
    buf_release(&out);
}

/* The last event of a trace, in both lengths; then the trace goes. */
static void expect_last(struct history *history, const char *happened,
                        const char *title)
{
    expect_story(history, last(history), happened);
    expect_title(history, last(history), title);
    history_free(history);
}

/* A trace of one more event than begin(RW). */
static void expect_event(struct event event, const char *happened,
                         const char *title)
{
    struct history *history = begin(RW);

    add(history, event);
    expect_last(history, happened, title);
}

/* "stored +0 7 partly 78 mov rax, 0"; what is not known is left out. */
static void describe_focus(struct history *history, uint64_t seq,
                           struct buf *out)
{
    static const char *const kinds_of[] = {"none", "stored", "executed",
                                           "next", "signal", "rest"};
    static const char *const states[] = {"unknown", "partly", "decoded"};
    struct focus focus;

    focus_find(history, seq, &focus);
    buf_append_text(out, kinds_of[focus.kind]);
    if (focus.kind == FOCUS_NONE)
        return;
    buf_printf(out, " +%d %u %s", (int)(focus.addr - focus.base), focus.length,
               states[focus.state]);
    if (focus.unwritten)
        buf_printf(out, " %x", focus.unwritten);
    if (focus.state == INSN_PARTLY && !focus.unwritten)
        buf_printf(out, " fields %d", focus.insn.field_count);
    if (focus.text_known)
        buf_printf(out, " %s", focus.insn.text);
}

static void expect_focus(struct history *history, uint64_t seq,
                         const char *expected)
{
    struct buf out = {0};

    describe_focus(history, seq, &out);
    cr_expect(eq(str, (char *)buf_text(&out), (char *)expected), "event %d",
              (int)seq);
    buf_release(&out);
}

/* --- the focus ----------------------------------------------------------- */

Test(story, an_instruction_grows_byte_by_byte)
{
    static const char *const focus[] = {
        "stored +0 1 partly fields 1",
        "stored +0 2 partly fields 2",
        "stored +0 7 partly 78 mov rax, 0",
        "stored +0 7 partly 70 mov rax, 252",
        "stored +0 7 partly 60 mov rax, 65532",
        "stored +0 7 partly 40 mov rax, 16777212",
        "stored +0 7 decoded mov rax, -4",
        "stored +7 1 partly fields 1",
        "stored +7 2 partly fields 2",
        "stored +7 3 decoded add rax, rdi",
        "stored +10 1 decoded ret",
    };
    struct history *history = begin(RW);

    for (unsigned i = 0; i < sizeof mov_add_ret; i++) {
        store(history, i, (struct bytes){mov_add_ret + i, 1});
        expect_focus(history, last(history), focus[i]);
    }
    expect_focus(history, 2, focus[0]);
    expect_focus(history, 0, "none");
    history_free(history);
}

Test(story, a_digit_is_not_known_before_modrm_is)
{
    struct history *history = begin(RW);
    struct focus focus;

    store(history, 0, BYTES(0x48, 0xc7));
    focus_find(history, 2, &focus);
    cr_assert(eq(int, focus.insn.fields[1].kind, FIELD_OPCODE));
    cr_assert(eq(int, focus.insn.fields[1].digit, -1));
    cr_assert(eq(str, focus.insn.mnemonic, ""));
    cr_assert(eq(int, focus.insn.length, 2));
    store(history, 2, BYTES(0xc0));
    focus_find(history, 3, &focus);
    cr_assert(eq(int, focus.insn.fields[1].digit, 0));
    history_free(history);
}

/* As gcc -O2 does it. */
Test(story, an_immediate_that_comes_before_its_opcode_is_not_read_as_code)
{
    struct history *history = begin(RW);

    store(history, 2, BYTES(0xc0));
    store(history, 3, BYTES(0x01, 0x00, 0x00, 0x00));
    store(history, 7, BYTES(0x48, 0x01, 0xf8, 0xc3));
    store(history, 0, BYTES(0x48, 0xc7));
    expect_focus(history, 2, "stored +2 1 unknown");
    expect_focus(history, 3, "stored +3 4 unknown");
    expect_focus(history, 4, "stored +7 4 unknown");
    expect_focus(history, 5, "stored +0 7 decoded mov rax, 1");
    history_free(history);
}

Test(story, a_gap_within_a_number_is_bridged)
{
    struct history *history = begin(RW);

    store(history, 0, BYTES(0xb8, 0x07));
    store(history, 4, BYTES(0x00));
    store(history, 5, BYTES(0xc3));
    expect_focus(history, 2, "stored +0 5 partly 1c mov eax, 7");
    expect_focus(history, 3, "stored +0 5 partly c mov eax, 7");
    expect_focus(history, 4, "stored +5 1 decoded ret");
    history_free(history);
}

Test(story, code_may_begin_further_on)
{
    struct history *history = begin(RW);

    store(history, 64, BYTES(0xc3));
    store(history, 101, BYTES(0xc3));
    expect_focus(history, 2, "stored +64 1 decoded ret");
    expect_focus(history, 3, "stored +101 1 decoded ret");
    history_free(history);
}

Test(story, incomplete_and_impossible_bytes)
{
    const struct {
        struct bytes bytes;
        const char *focus;
    } table[] = {
        {BYTES(0x0f), "stored +0 1 partly fields 1"},
        {BYTES(0xc5), "stored +0 1 unknown"},
        {BYTES(0xc5, 0xf9), "stored +0 2 unknown"},
        {BYTES(0xc5, 0xf9, 0x6f), "stored +0 3 partly fields 2"},
        {BYTES(0x06), "stored +0 1 unknown"},
        {BYTES(0x66), "stored +0 1 partly fields 1"},
        {BYTES(0x8b, 0x04), "stored +0 2 partly fields 2"},
        {BYTES(0x8b, 0x04, 0x25), "stored +0 7 partly 78 mov eax, [0x0]"},
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct history *history = begin(RW);

        store(history, 0, table[i].bytes);
        expect_focus(history, 2, table[i].focus);
        history_free(history);
    }
}

Test(story, code_that_is_there_is_patched)
{
    struct history *history = begin_with_code();

    protect(history, RX, RW);
    store(history, 3, BYTES(0x05, 0x00, 0x00, 0x00));
    expect_focus(history, last(history), "stored +0 7 decoded mov rax, 5");
    store(history, 10, BYTES(0x90));
    expect_focus(history, last(history), "stored +10 1 decoded nop");
    history_free(history);
}

/* What was there before is not read together with what is stored now. */
Test(story, old_code_is_written_over)
{
    struct history *history = begin_with_code();

    protect(history, RX, RW);
    store(history, 0, BYTES(0x48));
    expect_focus(history, last(history), "stored +0 1 partly fields 1");
    store(history, 1, BYTES(0xb8));
    expect_focus(history, last(history), "stored +0 10 partly 3fc");
    store(history, 2, BYTES(1, 2, 3, 4, 5, 6, 7, 8));
    expect_focus(history, last(history),
                 "stored +0 10 decoded mov rax, 0x807060504030201");
    history_free(history);
}

/* Old bytes in front may read as an instruction that reaches into new code. */
Test(story, new_code_begins_within_an_old_instruction)
{
    struct history *history = begin(RW);

    store(history, 0, BYTES(0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90));
    store(history, 8, BYTES(0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8, 0xc3));
    protect(history, RW, RX);
    protect(history, RX, RW);
    store(history, 16, BYTES(0x31, 0xc0));
    expect_focus(history, last(history), "stored +16 2 decoded xor eax, eax");
    protect(history, RW, RX);
    store(history, 12, BYTES(0xb8, 1, 0, 0, 0, 0xc3, 0x90, 0x90, 0x90));
    expect_focus(history, last(history), "stored +12 5 decoded mov eax, 1");
    history_free(history);
}

Test(story, other_events_leave_the_focus)
{
    struct history *history = begin_with_code();

    expect_focus(history, last(history), "rest +0 7 decoded mov rax, -4");
    add(history, enter_event("call"));
    expect_focus(history, last(history), "next +0 7 decoded mov rax, -4");
    add(history, step_mov());
    expect_focus(history, last(history), "executed +0 7 decoded mov rax, -4");
    add(history, (struct event){.kind = EVENT_OUTPUT, .output = {.fd = 1}});
    expect_focus(history, last(history), "rest +0 7 decoded mov rax, -4");
    add(history, (struct event){.kind = EVENT_SIGNAL,
                                .signal = {.number = SIGSEGV,
                                           .code = 1,
                                           .addr = {true, 0},
                                           .pc = {true, BASE + 7}}});
    expect_focus(history, last(history), "signal +7 3 decoded add rax, rdi");
    add(history,
        (struct event){.kind = EVENT_EXIT, .exit = {.signal = {true, 11}}});
    expect_focus(history, last(history), "rest +7 3 decoded add rax, rdi");
    history_free(history);
}

Test(story, code_that_is_gone_is_no_focus)
{
    struct history *history = begin_with_code();

    add(history, (struct event){.kind = EVENT_UNMAP,
                                .unmap = {.addr = BASE, .length = 4096}});
    expect_focus(history, last(history), "none");
    history_free(history);
}

static void signal_at(struct history *history, uint64_t offset, int code)
{
    add(history, (struct event){.kind = EVENT_SIGNAL,
                                .signal = {.number = SIGSEGV,
                                           .name = "SIGSEGV",
                                           .code = code,
                                           .addr = {code > 0, 0},
                                           .access = code > 0 ? "write" : NULL,
                                           .pc = {true, BASE + offset}}});
}

/* Who falls off the end of the code executes the zeros behind it. */
Test(story, zeros_behind_the_code_are_the_focus_of_their_signal)
{
    struct history *history = begin_with_code();

    signal_at(history, 11, 1);
    expect_focus(history, last(history), "signal +11 2 decoded add [rax], al");
    expect_story(history, last(history),
                 "Signal 11 SIGSEGV at code[11], add [rax], al: it tried to "
                 "write to 0x0: nothing is mapped there.");
    add(history,
        (struct event){.kind = EVENT_EXIT, .exit = {.signal = {true, 11}}});
    expect_focus(history, last(history), "rest +11 2 decoded add [rax], al");
    history_free(history);
}

/* One that somebody sent says nothing of the instruction that it came at. */
Test(story, a_signal_that_was_sent_has_no_instruction)
{
    struct history *history = begin_with_code();

    signal_at(history, 11, 0);
    expect_focus(history, last(history), "rest +0 7 decoded mov rax, -4");
    history_free(history);
}

/* --- what happened ------------------------------------------------------- */

Test(story, a_start)
{
    struct history *history = begin(RW);

    expect_story(history, 0,
                 "babyjit -4 was started as process 100 and is at its entry "
                 "point 0x555555555000. A page has 4096 bytes: AT_PAGESZ, "
                 "which getpagesize() returns.");
    expect_title(history, 0, "start: babyjit -4");
    expect_next(history, 0, "Next: mmap (event 1).");
    history_free(history);
}

Test(story, mappings)
{
    struct event event = map_event(RWX);
    struct history *history = begin(RW);

    expect_last(history,
                "mmap gave one page at 0x7f0000001000: reading and writing "
                "allowed, executing not; every byte is 0.",
                "mmap rw-, one page");
    event.map.backing = "/memfd:code (deleted)";
    event.map.length = 8192;
    expect_event(event,
                 "mmap gave 2 pages at 0x7f0000001000: reading, writing and "
                 "executing allowed; behind it is /memfd:code (deleted).",
                 "mmap rwx, 2 pages");
    event.map.call = NULL;
    event.map.backing = "heap";
    event.map.prot = PROT_READ;
    event.map.length = 100;
    expect_event(event,
                 "No mmap was seen, but the program has 100 bytes at "
                 "0x7f0000001000: reading allowed, writing and executing not; "
                 "it is part of the heap. Its content is from before.",
                 "memory r--, 100 bytes");
    event.map = (struct event_map){.addr = BASE, .length = 4096};
    expect_event(event,
                 "No mmap was seen, but the program has one page at "
                 "0x7f0000001000: nothing allowed. Its content is from before.",
                 "memory ---, one page");
}

Test(story, each_byte_of_an_instruction)
{
    static const char *const stories[] = {
        "code[0] = 0x48 (was 00). The REX prefix: W=1, the operands have 64 "
        "bits.",
        "code[1] = 0xc7 (was 00). The opcode; three bits of ModRM, the next "
        "byte, will say which instruction it is.",
        "code[2] = 0xc0 (was 00). ModRM: mod=11, rm is a register; reg belongs "
        "to the opcode, /0. So far it reads mov rax, 0.",
        "code[3] = 0xfc (was 00). Bits 7..0 of the imm32 of mov: the lowest "
        "byte comes first. So far it reads mov rax, 252.",
        "code[4] = 0xff (was 00). Bits 15..8 of the imm32 of mov. So far it "
        "reads mov rax, 65532.",
        "code[5] = 0xff (was 00). Bits 23..16 of the imm32 of mov. So far it "
        "reads mov rax, 16777212.",
        "code[6] = 0xff (was 00). Bits 31..24 of the imm32 of mov. The imm32 "
        "is complete: 0xfffffffc = -4.",
        "code[7] = 0x48 (was 00). The REX prefix: W=1, the operands have 64 "
        "bits.",
        "code[8] = 0x01 (was 00). The opcode of add.",
        "code[9] = 0xf8 (was 00). ModRM: mod=11, rm is a register. The "
        "instruction is complete: add rax, rdi.",
        "code[10] = 0xc3 (was 00). One byte is the whole instruction: ret.",
    };
    struct history *history = begin(RW);

    for (unsigned i = 0; i < sizeof mov_add_ret; i++) {
        store(history, i, (struct bytes){mov_add_ret + i, 1});
        expect_story(history, last(history), stories[i]);
    }
    expect_title(history, 5, "code[3] = 0xfc");
    expect_next(history, 5, "Next: a store to code[4] (event 6).");
    history_free(history);
}

Test(story, stores_of_several_bytes)
{
    const struct {
        struct bytes bytes;
        const char *story;
    } table[] = {
        {BYTES(0x48, 0xc7),
         "code[0..1] = 48 c7 (was 00 00). The REX and opcode."},
        {BYTES(0x48, 0x01, 0xf8),
         "code[0..2] = 48 01 f8 (was 00 00 00). A whole instruction: add rax, "
         "rdi."},
        {BYTES(0xb8, 0x05, 0x00),
         "code[0..2] = b8 05 00 (was 00 00 00). The opcode and imm32 of mov. "
         "So far it reads mov eax, 5."},
        {BYTES(0x48, 0x01, 0xf8, 0xc3),
         "code[0..3] = 48 01 f8 c3 (was 00 00 00 00). Read as instructions: "
         "add rax, rdi; ret."},
        {BYTES(0x31, 0xc0, 0xc3, 0x0f),
         "code[0..3] = 31 c0 c3 0f (was 00 00 00 00). Read as instructions: "
         "xor eax, eax; ret; and the beginning of one more."},
        {BYTES(0x90, 0x90, 0x90, 0x90, 0x90, 0x90),
         "code[0..5] = 90 90 90 90 90 90. Read as instructions: nop; nop; nop; "
         "nop; and more."},
        {BYTES(0x06), "code[0] = 0x06 (was 00). What it is a part of cannot be "
                      "known yet."},
        {BYTES(0x0f), "code[0] = 0x0f (was 00). The beginning of an opcode "
                      "that has more bytes."},
        {BYTES(0x4c), "code[0] = 0x4c (was 00). The REX prefix: W=1, the "
                      "operands have 64 bits; R=1, a high bit for reg."},
        {BYTES(0x40), "code[0] = 0x40 (was 00). The REX prefix, none of its "
                      "bits W, R, X, B set."},
        {BYTES(0x66), "code[0] = 0x66 (was 00). A prefix of the opcode: "
                      "operand size."},
        {BYTES(0xe9, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
               0x00, 0x00, 0x00, 0x00, 0x00, 0x00),
         "code[0..16] = 17 bytes. Read as instructions: jmp +261; "
         "add [rax], al; add [rax], al; add [rax], al; and more."},
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct history *history = begin(RW);

        store(history, 0, table[i].bytes);
        expect_story(history, 2, table[i].story);
        history_free(history);
    }
}

Test(story, numbers_in_pieces)
{
    struct history *history = begin(RW);

    store(history, 0, BYTES(0xe9));
    store(history, 1, BYTES(0xfb, 0xff, 0xff));
    expect_story(history, last(history),
                 "code[1..3] = fb ff ff (was 00 00 00). Bits 23..0 of the "
                 "rel32 of jmp. So far it reads jmp 0x7f0001001000.");
    store(history, 4, BYTES(0xff));
    expect_story(history, last(history),
                 "code[4] = 0xff (was 00). Bits 31..24 of the rel32 of jmp. "
                 "The rel32 is complete: 0xfffffffb = -5, from the end of the "
                 "instruction to +0.");
    store(history, 5, BYTES(0x83, 0xc0));
    store(history, 7, BYTES(0x05));
    expect_story(history, last(history),
                 "code[7] = 0x05 (was 00). The imm8 of add: 0x05 = 5.");
    history_free(history);
}

Test(story, addresses_of_memory)
{
    struct history *history = begin(RW);

    store(history, 0, BYTES(0x8b));
    store(history, 1, BYTES(0x44));
    expect_story(history, last(history),
                 "code[1] = 0x44 (was 00). ModRM: mod=01, memory, with a "
                 "disp8, and a SIB byte next.");
    store(history, 2, BYTES(0x8f));
    expect_story(history, last(history),
                 "code[2] = 0x8f (was 00). SIB: the base, index and scale of "
                 "the address. So far it reads mov eax, [rdi+rcx*4].");
    store(history, 3, BYTES(0xf8));
    expect_story(history, last(history),
                 "code[3] = 0xf8 (was 00). The disp8 of mov: 0xf8 = -8.");
    store(history, 4, BYTES(0x8b, 0x05));
    store(history, 16, BYTES(0x8b));
    store(history, 17, BYTES(0x05));
    expect_story(history, last(history),
                 "code[17] = 0x05 (was 00). ModRM: mod=00, memory at a disp32 "
                 "from rip. So far it reads mov eax, [rip].");
    history_free(history);
}

Test(story, a_store_that_changes_code)
{
    struct history *history = begin_with_code();
    struct event event = store_event_at(3, BYTES(0x05));

    event.write.old = BYTES(0xfc);
    protect(history, RX, RWX);
    event.write.pc = BASE + 7;
    add(history, event);
    expect_last(history,
                "code[3] = 0x05 (was fc), by generated code at code[7]. Bits "
                "7..0 of the imm32 of mov: the lowest byte comes first. The "
                "imm32 is now 0xffffff05 = -251. Now it reads mov rax, -251.",
                "code[3] = 0x05");
}

Test(story, what_the_kernel_stores)
{
    struct event event = store_event_at(0, BYTES(0xc3));

    event.write.by = "read(3, 0x7f0000001000)";
    expect_event(event,
                 "code[0] = 0xc3, by the kernel: read(3, 0x7f0000001000). One "
                 "byte is the whole instruction: ret.",
                 "code[0] = 0xc3 by read");
    event.write.new.len = 0;
    expect_event(event, "A store of no bytes.", "a store of no bytes");
}

Test(story, a_zero_over_a_zero)
{
    struct event event = store_event_at(0, BYTES(0x00));

    expect_event(event, "code[0] = 0x00 (already 00). The opcode of add.",
                 "code[0] = 0x00");
    event.write.old = (struct bytes){0};
    expect_event(event, "code[0] = 0x00. The opcode of add.", "code[0] = 0x00");
}

Test(story, every_change_of_protection)
{
    static const struct {
        unsigned old;
        unsigned new;
        const char *story;
    } table[] = {
        {RW, RX,
         "mprotect changed rw- to r-x: what is there is code now, and "
         "cannot be changed until mprotect allows it again."},
        {PROT_READ, RX,
         "mprotect changed r-- to r-x: what is there is code now."},
        {RW, RWX,
         "mprotect changed rw- to rwx: writable and executable at the "
         "same time."},
        {RWX, RX,
         "mprotect changed rwx to r-x: still executable, but it "
         "cannot be changed until mprotect allows it again."},
        {RX, RWX,
         "mprotect changed r-x to rwx: writable and executable at the "
         "same time."},
        {RX, RW,
         "mprotect changed r-x to rw-: the code can be changed again, "
         "but not be executed."},
        {RWX, RW,
         "mprotect changed rwx to rw-: the code can still be changed, but "
         "no longer be executed."},
        {RX, PROT_READ,
         "mprotect changed r-x to r--: the code can no longer be executed."},
        {RX, PROT_NONE,
         "mprotect changed r-x to ---: the code can no longer be executed."},
        {RX, PROT_EXEC, "mprotect changed r-x to --x: still executable."},
        {RW, PROT_NONE, "mprotect changed rw- to ---: nothing allowed."},
        {PROT_NONE, RW,
         "mprotect changed --- to rw-: reading and writing "
         "allowed, executing not."},
        {RX, RX, "mprotect changed r-x to r-x: as it was."},
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct history *history = begin(table[i].old);

        protect(history, table[i].old, table[i].new);
        expect_story(history, 2, table[i].story);
        history_free(history);
    }
}

Test(story, code_is_counted_when_it_becomes_executable)
{
    struct event event = {.kind = EVENT_PROTECT,
                          .protect = {.addr = BASE,
                                      .length = 4096,
                                      .old_prot = RW,
                                      .prot = RX,
                                      .code = BYTES(0x31, 0xc0, 0xc3)}};

    expect_event(event,
                 "The protection changed from rw- to r-x: the 3 bytes are code "
                 "now, and cannot be changed until mprotect allows it again.",
                 "protection rw- -> r-x");
    event.protect.code.len = 1;
    event.protect.call = "pkey_mprotect(0x7f0000001000, 4096, 5, 1)";
    expect_event(event,
                 "pkey_mprotect changed rw- to r-x: the byte there is code "
                 "now, and cannot be changed until mprotect allows it again.",
                 "pkey_mprotect rw- -> r-x");
}

Test(story, mappings_that_go)
{
    struct event event = {.kind = EVENT_UNMAP,
                          .unmap = {.addr = BASE, .length = 4096}};

    expect_event(event,
                 "The program no longer has one page at 0x7f0000001000, and "
                 "what was in it.",
                 "unmapped: one page");
    event.unmap.call = "munmap(0x7f0000001000, 4096)";
    expect_event(event,
                 "munmap took away one page at 0x7f0000001000, and what was "
                 "in it.",
                 "munmap one page");
    event.unmap.call = "mremap(0x7f0000001000, 4096, 4096, 3)";
    expect_event(event, "mremap took away one page at 0x7f0000001000.",
                 "mremap takes away one page");
}

Test(story, calls_that_failed)
{
    struct event event = {
        .kind = EVENT_REFUSED,
        .refused = {.addr = {true, BASE + 64},
                    .call = "mprotect(0x7f0000001040, 4096, PROT_READ)",
                    .error = "EINVAL",
                    .why = "its address is not that of a page"}};

    expect_event(event,
                 "mprotect(0x7f0000001040, 4096, PROT_READ) failed with "
                 "EINVAL: its address is not that of a page.",
                 "mprotect failed: EINVAL");
    event.refused.why = NULL;
    expect_event(event,
                 "mprotect(0x7f0000001040, 4096, PROT_READ) failed with "
                 "EINVAL.",
                 "mprotect failed: EINVAL");
    event.refused = (struct event_refused){.error = NULL};
    expect_event(event, "A call about memory failed with an error.",
                 "a call about memory failed: an error");
}

Test(story, entries)
{
    struct history *history = begin_with_code();
    struct event event = enter_event("call");

    add(history, event);
    expect_story(history, last(history),
                 "The program calls code[0] (babyjit.c:98): rdi = 3 is the "
                 "first argument, if it takes one. It will return to "
                 "0x555555555000.");
    expect_title(history, last(history), "call 1 to code[0]");
    expect_next(history, last(history), "Next: mov rax, -4 at code[0].");
    event.enter.how = "jump";
    event.source.file = NULL;
    event.enter.return_to.known = false;
    add(history, event);
    expect_story(history, last(history),
                 "The program jumps to code[0]: rdi = 3 is the first argument, "
                 "if it takes one.");
    expect_title(history, last(history), "jump to code[0]");
    event.enter.how = "signal";
    add(history, event);
    expect_story(history, last(history),
                 "To handle a signal, the kernel starts code[0]: rdi = 3 is "
                 "the first argument, if it takes one.");
    expect_title(history, last(history), "signal to code[0]");
    event.enter.how = NULL;
    event.tid = 7;
    add(history, event);
    expect_last(history,
                "Thread 7: Control enters code[0]: rdi = 3 is the first "
                "argument, if it takes one.",
                "control to code[0]");
}

/* A second mapping makes code[0] ambiguous. */
Test(story, an_entry_says_where_if_there_is_other_code)
{
    struct history *history = begin_with_code();
    struct event event = map_event(RX);

    event.map.addr = BASE + 8192;
    add(history, event);
    add(history, enter_event("call"));
    expect_story(history, last(history),
                 "The program calls code[0] at 0x7f0000001000 (babyjit.c:98): "
                 "rdi = 3 is the first argument, if it takes one. It will "
                 "return to 0x555555555000.");
    history_free(history);
}

Test(story, control_comes_back)
{
    static const struct {
        const char *left;
        const char *story;
    } table[] = {
        {"call", "Control comes back to code[0]. rax = 40 is the result of "
                 "what was called, if there is one."},
        {"signal", "Control comes back to code[0], from which a signal had "
                   "taken it."},
        {NULL, "Control comes back to code[0]."},
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct history *history = begin_with_code();
        struct event event = enter_event("return");

        event.source.file = NULL;
        event.enter.regs.value[X86_RAX] = 40;
        add(history,
            (struct event){.kind = EVENT_LEAVE,
                           .leave = {.how = table[i].left, .to = HERE}});
        add(history, event);
        expect_last(history, table[i].story, "return to code[0]");
    }
}

Test(story, steps)
{
    struct history *history = begin_with_code();
    static const struct reg_change sum[] = {
        {X86_RAX, (uint64_t)-4, (uint64_t)-1}};
    static const struct reg_change rsp[] = {{X86_RSP, 0x7ffe0000, 0x7ffe0008}};

    add(history, enter_event("call"));
    add(history, step_mov());
    expect_story(history, last(history), "mov rax, -4 was executed: rax = -4.");
    expect_title(history, last(history), "mov rax, -4");
    expect_next(history, last(history), "Next: add rax, rdi at code[7].");
    add(history, (struct event){.kind = EVENT_STEP,
                                .step = {.addr = BASE + 7,
                                         .offset = 7,
                                         .bytes = {mov_add_ret + 7, 3},
                                         .text = "add rax, rdi",
                                         .regs = {sum, 1},
                                         .next = BASE + 10}});
    expect_story(history, last(history),
                 "add rax, rdi was executed: rax = -4 + 3 = -1.");
    add(history, (struct event){.kind = EVENT_STEP,
                                .step = {.addr = BASE + 10,
                                         .offset = 10,
                                         .bytes = {mov_add_ret + 10, 1},
                                         .text = "ret",
                                         .regs = {rsp, 1},
                                         .next = HERE}});
    expect_story(history, last(history),
                 "ret was executed: it returns to 0x555555555000; rsp goes up "
                 "by 8.");
    expect_next(history, last(history),
                "Next: control leaves the generated code for 0x555555555000.");
    history_free(history);
}

/* A thread's own registers count, whoever stepped last. */
Test(story, each_thread_has_its_registers)
{
    static const struct reg_change sum[] = {{X86_RAX, 5, 105}};
    struct history *history = begin_with_code();
    struct event event = enter_event("call");

    event.enter.regs.value[X86_RDI] = 100;
    add(history, event);
    event = enter_event("call");
    event.tid = 7;
    add(history, event);
    add(history, (struct event){.kind = EVENT_STEP,
                                .step = {.addr = BASE + 7,
                                         .offset = 7,
                                         .bytes = {mov_add_ret + 7, 3},
                                         .text = "add rax, rdi",
                                         .regs = {sum, 1},
                                         .next = BASE + 10}});
    expect_story(history, last(history),
                 "add rax, rdi was executed: rax = 5 + 100 = 105.");
    history_free(history);
}

Test(story, branches_and_memory)
{
    const struct {
        struct bytes bytes;
        const char *text;
        uint64_t next;
        bool reads;
        const char *story;
    } table[] = {
        {BYTES(0x75, 0x02), "jnz 0x7f0000001004", BASE + 4, false,
         "jnz +4 was executed: taken, because ZF is 0: jumps to "
         "code[4]."},
        {BYTES(0x74, 0x02), "jz 0x7f0000001004", BASE + 2, false,
         "jz +4 was executed: not taken, because ZF is 0."},
        {BYTES(0xeb, 0x02), "jmp 0x7f0000001004", BASE + 4, false,
         "jmp +4 was executed: it jumps to code[4]."},
        {BYTES(0x90), NULL, BASE + 1, false,
         "nop was executed: it does nothing."},
        {BYTES(0x06), NULL, BASE + 1, false, "An instruction was executed."},
        {BYTES(0x8b, 0x07), "mov eax, [rdi]", BASE + 2, true,
         "mov eax, [rdi] was executed: eax = 7, loaded from 0x3 (4 bytes)."},
    };
    static const struct reg_change rax = {X86_RAX, 0, 7};
    const struct mem_access read = {.addr = 3, .old_bytes = BYTES(7, 0, 0, 0)};

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct history *history = begin_with_code();

        add(history, enter_event("call"));
        add(history, (struct event){.kind = EVENT_STEP,
                                    .step = {.addr = BASE,
                                             .bytes = table[i].bytes,
                                             .text = table[i].text,
                                             .regs = {&rax, table[i].reads},
                                             .reads = {&read, table[i].reads},
                                             .next = table[i].next}});
        expect_story(history, last(history), table[i].story);
        history_free(history);
    }
}

Test(story, ways_out)
{
    static const struct {
        const char *how;
        struct opt_u64 value;
        const char *story;
        const char *title;
    } table[] = {
        {"return",
         {true, (uint64_t)-1},
         "The generated code has returned to 0x555555555000 (babyjit.c:98). "
         "rax = 0xffffffffffffffff = -1 is the result, if there is one.",
         "return out of generated code, rax = -1"},
        {"return",
         {true, 0xfffffffd},
         "The generated code has returned to 0x555555555000 (babyjit.c:98). "
         "rax = 0xfffffffd = 4294967293 (as a 32-bit int -3) is the result, if "
         "there is one.",
         "return out of generated code, rax = 4294967293"},
        {"return",
         {false, 0},
         "The generated code has returned to 0x555555555000 (babyjit.c:98).",
         "return out of generated code"},
        {"call",
         {false, 0},
         "The generated code calls what is not generated, at 0x555555555000.",
         "call out of generated code"},
        {"jump",
         {false, 0},
         "Control leaves the generated code by a jump to 0x555555555000.",
         "jump out of generated code"},
        {"signal",
         {false, 0},
         "A signal takes control out of the generated code, to "
         "0x555555555000.",
         "signal out of generated code"},
        {NULL,
         {false, 0},
         "Control leaves the generated code to 0x555555555000.",
         "way out of generated code"},
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        expect_event((struct event){.kind = EVENT_LEAVE,
                                    .source = {.file = "babyjit.c", .line = 98},
                                    .leave = {.how = table[i].how,
                                              .to = HERE,
                                              .value = table[i].value}},
                     table[i].story, table[i].title);
}

Test(story, code_that_does_not_end)
{
    struct history *history = begin(RWX);

    store(history, 4095, BYTES(0x90));
    add(history, (struct event){.kind = EVENT_STEP,
                                .step = {.addr = BASE + 4095,
                                         .offset = 4095,
                                         .bytes = BYTES(0x90),
                                         .text = "nop",
                                         .next = BASE + 4096}});
    add(history, (struct event){.kind = EVENT_LEAVE,
                                .leave = {.how = "jump", .to = BASE + 4096}});
    expect_last(history,
                "The CPU runs past the end of the mapping to 0x7f0000002000.",
                "jump out of generated code");
}

Test(story, decimal_values_on_request)
{
    struct history *history = begin_with_code();
    struct event event = enter_event("call");
    struct buf out = {0};

    event.enter.regs.value[X86_RDI] = HERE;
    add(history, event);
    tell_event(history, last(history), TELL_SENTENCE, true, &out);
    cr_assert(contains(buf_text(&out), "rdi = 93824992235520 is"));
    buf_clear(&out);
    add(history,
        (struct event){
            .kind = EVENT_LEAVE,
            .leave = {.how = "return", .to = HERE, .value = {true, 255}}});
    tell_event(history, last(history), TELL_SENTENCE, true, &out);
    cr_assert(contains(buf_text(&out), "rax = 255 is"));
    buf_release(&out);
    history_free(history);
}

Test(story, output)
{
    struct event event = {
        .kind = EVENT_OUTPUT,
        .output = {1, {(const uint8_t *)"-3 \"\\\n\t\033\303\244\377", 11}}};

    expect_event(event,
                 "The program printed \"-3 \\\"\\\\\\n\\t\\x1b\303\244\\xff\": "
                 "11 bytes to standard output.",
                 "output \"-3 \\\"\\\\\\n\\t\\x1b\303\244\\xff\"");
    event.output.fd = 2;
    event.output.bytes.len = 1;
    expect_event(event, "The program printed \"-\": 1 byte to standard error.",
                 "output \"-\"");
    event.output = (struct event_output){.fd = 5};
    expect_event(event, "The program printed \"\": 0 bytes to descriptor 5.",
                 "output \"\"");
}

Test(story, long_output_is_cut)
{
    static uint8_t many[300];

    memset(many, 'x', sizeof many);
    expect_event((struct event){.kind = EVENT_OUTPUT,
                                .output = {1, {many, sizeof many}}},
                 "The program printed \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...\": 300 bytes to "
                 "standard output.",
                 "output \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...\"");
}

Test(story, signals)
{
    struct event event = {.kind = EVENT_SIGNAL,
                          .signal = {.number = SIGTERM, .name = "SIGTERM"}};

    expect_event(event, "Signal 15 SIGTERM was delivered to the program.",
                 "signal 15 SIGTERM");
    event.signal.name = NULL;
    event.signal.pc = (struct opt_u64){true, HERE};
    expect_event(event,
                 "Signal 15 at 0x555555555000 was delivered to the program.",
                 "signal 15");
    event.signal = (struct event_signal){.number = SIGSEGV,
                                         .name = "SIGSEGV",
                                         .code = SEGV_ACCERR,
                                         .addr = {true, BASE},
                                         .pc = {true, BASE},
                                         .access = "execute"};
    expect_event(event,
                 "Signal 11 SIGSEGV at code[0], add [rax], al: it tried to "
                 "execute 0x7f0000001000, but the page is rw-.",
                 "signal 11 SIGSEGV");
    event.signal.access = NULL;
    event.signal.pc.known = false;
    event.signal.addr.value = 0;
    event.signal.code = SEGV_MAPERR;
    expect_event(event,
                 "Signal 11 SIGSEGV: the access to 0x0 failed: nothing is "
                 "mapped there.",
                 "signal 11 SIGSEGV");
    event.signal.code = SI_KERNEL;
    expect_event(event,
                 "Signal 11 SIGSEGV: the access failed; the CPU does not say "
                 "at which address.",
                 "signal 11 SIGSEGV");
}

Test(story, signals_of_generated_code)
{
    const struct {
        struct bytes code;
        struct event_signal signal;
        const char *story;
    } table[] = {
        {BYTES(0x0f, 0x0b),
         {.number = SIGILL,
          .name = "SIGILL",
          .code = ILL_ILLOPN,
          .addr = {true, BASE},
          .pc = {true, BASE},
          .access = NULL},
         "Signal 4 SIGILL at code[0], ud2: the CPU does not know this "
         "instruction, or may not run it."},
        {BYTES(0x8b, 0x07),
         {.number = SIGSEGV,
          .name = "SIGSEGV",
          .code = SEGV_MAPERR,
          .addr = {true, 0},
          .pc = {true, BASE},
          .access = "read"},
         "Signal 11 SIGSEGV at code[0], mov eax, [rdi]: it tried to read from "
         "0x0: nothing is mapped there."},
        {BYTES(0x89, 0x07),
         {.number = SIGSEGV,
          .name = "SIGSEGV",
          .code = SEGV_ACCERR,
          .addr = {true, BASE},
          .pc = {true, BASE},
          .access = "write"},
         "Signal 11 SIGSEGV at code[0], mov [rdi], eax: it tried to write to "
         "0x7f0000001000, but the page is r-x."},
        {BYTES(0xf7, 0xf1),
         {.number = SIGFPE,
          .name = "SIGFPE",
          .code = FPE_INTDIV,
          .addr = {true, BASE},
          .pc = {true, BASE},
          .access = NULL},
         "Signal 8 SIGFPE at code[0], div ecx: division by zero or a "
         "quotient that is too large."},
        {BYTES(0xcc, 0xc3),
         {.number = SIGTRAP,
          .name = "SIGTRAP",
          .code = SI_KERNEL,
          .addr = {false, 0},
          .pc = {true, BASE + 1},
          .access = NULL},
         "Signal 5 SIGTRAP at code[1], int3: a breakpoint or another trap."},
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct history *history = begin(RW);

        store(history, 0, table[i].code);
        protect(history, RW, RX);
        add(history,
            (struct event){.kind = EVENT_SIGNAL, .signal = table[i].signal});
        expect_story(history, last(history), table[i].story);
        history_free(history);
    }
}

Test(story, limits)
{
    struct event event = {.kind = EVENT_LIMIT, .limit = {.budget = "steps"}};

    expect_event(event, "Not watched: steps.", "not watched: steps");
    event.limit.text = "the program runs on";
    expect_event(event, "Not watched: the program runs on.",
                 "not watched: steps");
    event.limit = (struct event_limit){0};
    expect_event(event, "Not watched: something.", "not watched: something");
}

Test(story, ends)
{
    struct history *history = begin_with_code();

    add(history, enter_event("call"));
    add(history, (struct event){.kind = EVENT_EXIT,
                                .exit = {.signal = {true, SIGSEGV}}});
    expect_next(history, last(history), "The program has ended.");
    expect_last(history,
                "The program was killed by signal 11 SIGSEGV. 1 call into "
                "generated code was seen.",
                "killed by signal 11 SIGSEGV");
    expect_event(
        (struct event){.kind = EVENT_EXIT, .exit = {.status = {true, 3}}},
        "The program ended with status 3.", "ended with status 3");
    expect_event((struct event){.kind = EVENT_EXIT}, "The program ended.",
                 "ended");
}

/* --- what comes next ----------------------------------------------------- */

Test(story, what_is_not_recorded_is_not_claimed)
{
    struct history *history = begin(RW);

    expect_next(history, last(history), "");
    history_free(history);
}

Test(story, what_was_injected)
{
    struct history *history = begin(RW);

    add(history, (struct event){.kind = EVENT_INJECTED,
                                .injected = {.what = "reg=rdi:set=5",
                                             .did = "rdi 3 -> 5"}});
    expect_story(history, last(history),
                 "INJECTED(reg=rdi:set=5): rdi 3 -> 5.");
    history_free(history);
}

Test(story, every_kind_can_be_next)
{
    static const char *const next[EVENT_KINDS] = {
        [EVENT_START] = "Next: the program starts (event 2).",
        [EVENT_MAP] = "Next: a change of its memory (event 2).",
        [EVENT_WRITE] = "Next: a store to code[0] (event 2).",
        [EVENT_PROTECT] = "Next: a change of its memory (event 2).",
        [EVENT_UNMAP] = "Next: a change of its memory (event 2).",
        [EVENT_REFUSED] = "Next: a call about memory, which fails (event 2).",
        [EVENT_INJECTED] = "Next: what --inject asks for (event 2).",
        [EVENT_ENTER] = "Next: a way to code[0] (event 2).",
        [EVENT_STEP] = "Next: a step (event 2).",
        [EVENT_LEAVE] = "Next: control leaves the generated code (event 2).",
        [EVENT_NAME] = "Next: a name for 0x0 (event 2).",
        [EVENT_FORK] = "Next: another process (event 2).",
        [EVENT_EXEC] = "Next: another program in this process (event 2).",
        [EVENT_OUTPUT] = "Next: output of the program (event 2).",
        [EVENT_SIGNAL] = "Next: signal 0 (event 2).",
        [EVENT_LIMIT] = "Next: a note on what is not watched (event 2).",
        [EVENT_EXIT] = "Next: the program ends (event 2).",
        [EVENT_VERDICT] = "Next: the verdict on a rule (event 2).",
    };

    for (int kind = 0; kind < EVENT_KINDS; kind++) {
        struct history *history = begin(RW);

        add(history, (struct event){.kind = (enum event_kind)kind});
        expect_next(history, 1, next[kind]);
        history_free(history);
    }
}

/* --- fit to show --------------------------------------------------------- */

/* Printable UTF-8 of at most so many columns. Returns how many there are. */
static unsigned check_shown(struct buf *out, unsigned limit, const char *what)
{
    unsigned columns = 0;
    size_t used;

    cr_assert(lt(sz, 0, out->len), "%s is empty", what);
    for (size_t i = 0; i < out->len; i += used, columns++) {
        used = utf8_shown(out->data + i, out->len - i);
        cr_assert(lt(sz, 0, used), "%s: byte %zu of %s", what, i,
                  buf_text(out));
    }
    cr_assert(le(uint, columns, limit), "%s: %s", what, buf_text(out));
    return columns;
}

static void check_sentence(struct buf *out, unsigned limit, const char *what)
{
    check_shown(out, limit, what);
    cr_assert(eq(chr, (char)out->data[out->len - 1], '.'), "%s: %s", what,
              buf_text(out));
    cr_assert(lacks(buf_text(out), " ."), "%s", buf_text(out));
    cr_assert(lacks(buf_text(out), "(null)"), "%s", buf_text(out));
}

static void check_event(struct history *history, uint64_t seq)
{
    struct buf out = {0};
    struct focus focus;

    for (int decimal = 0; decimal < 2; decimal++) {
        tell_event(history, seq, TELL_SENTENCE, decimal, &out);
        check_sentence(&out, 220, "what happened");
        buf_clear(&out);
    }
    tell_event(history, seq, TELL_NEXT, false, &out);
    if (out.len > 0) /* it may be unknown */
        check_sentence(&out, 110, "what comes next");
    buf_clear(&out);
    tell_event(history, seq, TELL_TITLE, false, &out);
    check_shown(&out, 60, "the title");
    buf_release(&out);
    focus_find(history, seq, &focus);
    cr_assert(le(uint, focus.length, INSN_MAX_LENGTH));
    cr_assert(eq(int, focus.kind == FOCUS_NONE, focus.length == 0));
}

Test(story, whatever_is_absent_or_too_long_there_is_a_sentence)
{
    static char path[400];
    static uint8_t noise[600];
    static const char *const argv[] = {path, "\033[2J", "", path};

    memset(path, 'p', sizeof path - 1);
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)(i * 37);
    for (int kind = 0; kind < EVENT_KINDS; kind++) {
        struct history *history = begin(RW);

        add(history, (struct event){.kind = (enum event_kind)kind});
        check_event(history, 2);
        check_event(history, 1);
        history_free(history);
    }
    struct event long_ones[] = {
        {.kind = EVENT_START, .start = {.argv = {argv, 4}}},
        {.kind = EVENT_MAP, .map = {.call = path, .backing = path}},
        {.kind = EVENT_WRITE,
         .write = {.addr = BASE, .new = {noise, 600}, .by = path}},
        {.kind = EVENT_PROTECT, .protect = {.call = path}},
        {.kind = EVENT_STEP, .step = {.text = path, .bytes = {noise, 15}}},
        {.kind = EVENT_LEAVE, .leave = {.how = path}},
        {.kind = EVENT_NAME,
         .name = {.addr = BASE, .length = 16, .name = path}},
        {.kind = EVENT_OUTPUT, .output = {1, {noise, 600}}},
        {.kind = EVENT_SIGNAL, .signal = {.name = path}},
        {.kind = EVENT_LIMIT, .limit = {path, {false, 0}, path}},
    };
    for (size_t i = 0; i < sizeof long_ones / sizeof *long_ones; i++) {
        struct history *history = history_new();

        add(history, long_ones[i]);
        add(history, long_ones[i]);
        check_event(history, 0);
        check_event(history, 1);
        history_free(history);
    }
}

/* Whatever bytes come in whatever order, something can be said of each. */
Test(story, stores_of_noise)
{
    uint32_t random = 1;

    for (int round = 0; round < 20; round++) {
        struct history *history = begin(RWX);

        for (int i = 0; i < 100; i++) {
            uint8_t bytes[20];

            for (size_t j = 0; j < sizeof bytes; j++) {
                random = random * 1103515245 + 12345;
                bytes[j] = (uint8_t)(random >> 16);
            }
            store(history, bytes[0] % 64,
                  (struct bytes){bytes + 2, 1 + bytes[1] % 18});
            if (bytes[0] == 7)
                protect(history, RWX, RX);
            check_event(history, last(history));
        }
        history_free(history);
    }
}

/* --- real programs ------------------------------------------------------- */

static struct history *record(const char *const *argv)
{
    struct history *history = history_new();
    struct result result;
    struct store trace_store;

    trace(&(struct job){.argv = argv}, &trace_store, &result);
    for (size_t i = 0; i < trace_store.count; i++)
        history_append(history, store_event(&trace_store, i));
    store_release(&trace_store);
    result_release(&result);
    return history;
}

/* Large traces: all of the beginning, then some. */
static void check_program(const char *const *argv)
{
    struct history *history = record(argv);

    for (uint64_t i = 0; i < history_count(history);
         i += i < 300 || i + 20 > history_count(history) ? 1 : 19)
        check_event(history, i);
    history_free(history);
}

#define PROGRAM(name)                             \
    Test(story, of_##name)                        \
    {                                             \
        check_program(ARGS("--", TRACEE(#name))); \
    }
PROGRAM(altstack)
PROGRAM(calls)
PROGRAM(coroutine)
PROGRAM(crash)
PROGRAM(cut)
PROGRAM(deny)
PROGRAM(fixed_over)
PROGRAM(fork)
PROGRAM(handler)
PROGRAM(longjmp)
PROGRAM(mdwe)
PROGRAM(memfd)
PROGRAM(moved)
PROGRAM(read_into)
PROGRAM(rwx)
PROGRAM(span)
PROGRAM(stores)
PROGRAM(stub)
PROGRAM(threads)
PROGRAM(two_functions)

/* The first and the last of the terms, too. */
Test(story, of_the_baby_jit)
{
    static const char *const terms[] = {"1", "-4", "-2147483648", "2147483647"};

    for (size_t i = 0; i < sizeof terms / sizeof *terms; i++) {
        check_program(ARGS("--", TRACEE("babyjit-O0"), terms[i]));
        check_program(ARGS("--", TRACEE("babyjit-O2"), terms[i]));
    }
}

/* Event i after the one at the start, but for addresses. */
Test(story, the_baby_jit_from_start_to_end)
{
    static const struct {
        int seq;
        const char *happened;
        const char *next;
    } table[] = {
        {8,
         "code[6] = 0xff (was 00). Bits 31..24 of the imm32 of mov. The imm32 "
         "is complete: 0xfffffffc = -4.",
         "Next: a store to code[7] (event 9)."},
        {13,
         "mprotect changed rw- to r-x: the 11 bytes are code now, and cannot "
         "be changed until mprotect allows it again.",
         "Next: a call to code[0] (event 14)."},
        {15, "mov rax, -4 was executed: rax = -4.",
         "Next: add rax, rdi at code[7]."},
        {16, "add rax, rdi was executed: rax = -4 + 3 = -1.",
         "Next: ret at code[10]."},
        {29, "The program printed \"-3 -2 -1\\n\": 9 bytes to standard output.",
         "Next: munmap (event 30)."},
        {31,
         "The program ended with status 0. 3 calls into generated code were "
         "seen.",
         "The program has ended."},
    };
    struct history *history = record(ARGS("--", TRACEE("babyjit-O0"), "-4"));

    cr_assert(eq(u64, history_count(history), 32));
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        expect_story(history, (uint64_t)table[i].seq, table[i].happened);
        expect_next(history, (uint64_t)table[i].seq, table[i].next);
    }
    history_free(history);
}

/* After a crash every event back to the store of the guilty bytes is told. */
Test(story, a_crash_reads_well_backwards)
{
    struct history *history = record(ARGS("--", TRACEE("crash")));
    uint64_t end = last(history);

    expect_story(history, end,
                 "The program was killed by signal 4 SIGILL. 1 call into "
                 "generated code was seen.");
    expect_story(history, end - 1,
                 "Signal 4 SIGILL at code[0], ud2: the CPU does not know this "
                 "instruction, or may not run it.");
    expect_next(history, end - 1, "Next: the program ends (event 7).");
    expect_focus(history, end - 1, "signal +0 2 decoded ud2");
    expect_focus(history, end, "rest +0 2 decoded ud2");
    expect_next(history, end - 2, "Next: ud2 at code[0].");
    history_free(history);
}

/* Where one goes before does not matter. */
Test(story, is_the_same_on_any_path)
{
    struct history *history = record(ARGS("--", TRACEE("two_functions")));
    uint64_t count_of = history_count(history);
    struct buf *straight = calloc(count_of, sizeof *straight);

    for (uint64_t i = 0; i < count_of; i++) {
        tell_event(history, i, TELL_SENTENCE, false, &straight[i]);
        describe_focus(history, i, &straight[i]);
    }
    for (uint64_t i = 0; i < 4 * count_of; i++) {
        uint64_t seq = i * 17 % count_of;
        struct buf again = {0};

        tell_event(history, seq, TELL_SENTENCE, false, &again);
        describe_focus(history, seq, &again);
        cr_assert(eq(str, (char *)buf_text(&again),
                     (char *)buf_text(&straight[seq])));
        buf_release(&again);
    }
    for (uint64_t i = 0; i < count_of; i++)
        buf_release(&straight[i]);
    free(straight);
    history_free(history);
}
