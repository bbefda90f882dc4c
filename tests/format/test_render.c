/* SPDX-License-Identifier: MIT */
/*
 * The text that a learner reads, compared with the files in tests/golden.
 *
 * The stories are made by hand, event by event, with addresses as they come:
 * no program runs. JITTRACE_REBASE=1 (make rebase) writes the files anew; the
 * change is then a diff to review.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "tell/code.h"
#include "format/format.h"
#include "support/support.h"
#include "trace/labels.h"

TestSuite(render, .timeout = 20);

#define PAGE   0x7f5f3c1ff000ull
#define CALLER 0x5555555553b2ull
#define STACK  0x7ffd3c2b1a58ull
#define PID    4242

/* --- Stories ------------------------------------------------------------- */

struct story {
    struct sink *sink;
    char *text;
    size_t len;
    FILE *out;
    uint64_t seq;
    uint64_t length; /* of the mapping */
    struct regs regs;
};

static void story_begin(struct story *story, bool color)
{
    *story = (struct story){.length = 4096};
    story->out = open_memstream(&story->text, &story->len);
    cr_assert(ne(ptr, story->out, NULL));
    story->sink = text_sink_new(story->out, color);
}

/* The text, to be freed. */
static char *story_end(struct story *story)
{
    struct err err;

    cr_assert(eq(int, sink_finish(story->sink, &err), 0));
    sink_free(story->sink);
    fclose(story->out);
    return story->text;
}

static void tell(struct story *story, struct event event)
{
    struct err err;

    event.seq = story->seq++;
    if (!event.tid)
        event.tid = PID;
    cr_assert(eq(int, sink_emit(story->sink, &event, &err), 0));
}

/* The line of babyjit.c that did it. */
static struct srcline at(int line, const char *text)
{
    return (struct srcline){.file = "babyjit.c", .line = line, .text = text};
}

static void tell_start(struct story *story, const char *term)
{
    const char *argv[] = {"babyjit", term};

    tell(story, (struct event){.kind = EVENT_START,
                               .start = {.format = TRACE_FORMAT,
                                         .arch = "x86_64",
                                         .argv = {argv, 2},
                                         .exe = "/memfd:babyjit (deleted)",
                                         .pid = PID,
                                         .page_size = 4096,
                                         .entry = 0x555555555100}});
}

static void tell_map(struct story *story)
{
    char call[128], maps[96];

    snprintf(call, sizeof call,
             "mmap(NULL, %u, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, "
             "-1, 0)",
             (unsigned)story->length);
    snprintf(maps, sizeof maps, "%llx-%llx rw-p 00000000 00:00 0 ", PAGE,
             PAGE + (unsigned long long)story->length + 4096);
    tell(story,
         (struct event){.kind = EVENT_MAP,
                        .source = at(62, "uint8_t *code = mmap(NULL, size, "
                                         "PROT_READ | PROT_WRITE,"),
                        .map = {.addr = PAGE,
                                .length = story->length,
                                .prot = PROT_READ | PROT_WRITE,
                                .flags = "MAP_PRIVATE|MAP_ANONYMOUS",
                                .backing = "anonymous",
                                .call = call,
                                .maps = maps}});
}

static void tell_store(struct story *story, struct srcline source,
                       uint64_t offset, const uint8_t *bytes, size_t len)
{
    uint8_t *zeros = mem_alloc(len);

    tell(story, (struct event){.kind = EVENT_WRITE,
                               .source = source,
                               .write = {.addr = PAGE + offset,
                                         .offset = offset,
                                         .old = {zeros, len},
                                         .new = {bytes, len},
                                         .pc = 0x5555555552f0,
                                         .text = "mov byte ptr [rax], 72"}});
    free(zeros);
}

static void tell_flip(struct story *story, unsigned old_prot, unsigned prot,
                      struct bytes code)
{
    char call[96], maps[96];

    snprintf(call, sizeof call, "mprotect(0x%llx, %u, %s)", PAGE,
             (unsigned)story->length,
             prot & PROT_EXEC ? "PROT_READ|PROT_EXEC" : "PROT_READ|PROT_WRITE");
    snprintf(maps, sizeof maps, "%llx-%llx %s 00000000 00:00 0 ", PAGE,
             PAGE + (unsigned long long)story->length,
             prot & PROT_EXEC ? "r-xp" : "rw-p");
    tell(story, (struct event){.kind = EVENT_PROTECT,
                               .source = at(90, "if (mprotect(code, size, "
                                                "PROT_READ | PROT_EXEC) < 0) "
                                                "{"),
                               .protect = {.addr = PAGE,
                                           .length = story->length,
                                           .old_prot = old_prot,
                                           .prot = prot,
                                           .code = code,
                                           .call = call,
                                           .maps = maps}});
}

static void tell_executable(struct story *story, struct bytes code)
{
    tell_flip(story, PROT_READ | PROT_WRITE, PROT_READ | PROT_EXEC, code);
}

static void tell_writable(struct story *story, struct bytes code)
{
    tell_flip(story, PROT_READ | PROT_EXEC, PROT_READ | PROT_WRITE, code);
}

static void tell_enter(struct story *story, const char *how, struct bytes code)
{
    tell(story,
         (struct event){
             .kind = EVENT_ENTER,
             .source = at(94, "if (printf(\"%d %d %d\\n\", fn(1), fn(2), "
                              "fn(3)) < 0 || fflush(stdout) != 0) {"),
             .enter = {.addr = PAGE,
                       .how = how,
                       .return_to = {strcmp(how, "call") == 0, CALLER},
                       .regs = story->regs,
                       .code = code}});
}

/* One step that changes at most two registers. */
static void tell_step(struct story *story, uint64_t offset, struct bytes bytes,
                      const char *words, const struct reg_change *changes,
                      size_t count, uint64_t next)
{
    struct event event = {.kind = EVENT_STEP};
    uint64_t top = CALLER;
    struct mem_access read = {.addr = STACK, .old_bytes = {(void *)&top, 8}};

    event.step = (struct event_step){.addr = PAGE + offset,
                                     .offset = offset,
                                     .bytes = bytes,
                                     .text = words,
                                     .regs = {changes, count},
                                     .next = next};
    if (bytes.data[0] == 0xc3)
        event.step.reads = (struct mem_accesses){&read, 1};
    tell(story, event);
    for (size_t i = 0; i < count; i++)
        story->regs.value[changes[i].reg] = changes[i].new_value;
}

static uint64_t change_of(struct story *story, struct reg_change *change,
                          enum reg reg, uint64_t value)
{
    *change = (struct reg_change){reg, story->regs.value[reg], value};
    return value;
}

/* The status flags that matter here: SF, ZF and PF, and the fixed bits. */
static uint64_t flags_after(uint64_t result)
{
    uint64_t flags = 0x202;

    if (result >> 63)
        flags |= 0x80;
    if (result == 0)
        flags |= 0x40;
    if (__builtin_popcount(result & 0xff) % 2 == 0)
        flags |= 0x4;
    return flags;
}

/* A call of the adder as the CPU runs it. */
static void tell_call(struct story *story, const uint8_t *code, int32_t term,
                      uint64_t argument)
{
    uint64_t wide = (uint64_t)(int64_t)term, sum = wide + argument;
    struct reg_change changes[2];
    char text[32];

    story->regs.value[X86_RDI] = argument;
    story->regs.value[REG_STACK] = STACK;
    tell_enter(story, "call", (struct bytes){code, 11});
    change_of(story, &changes[0], X86_RAX, wide);
    snprintf(text, sizeof text, "mov rax, %d", term);
    tell_step(story, 0, (struct bytes){code, 7}, text, changes,
              changes[0].old_value != wide, PAGE + 7);
    change_of(story, &changes[0], X86_RAX, sum);
    change_of(story, &changes[1], REG_FLAGS, flags_after(sum));
    tell_step(story, 7, (struct bytes){code + 7, 3}, "add rax, rdi", changes,
              changes[1].old_value == changes[1].new_value ? 1 : 2, PAGE + 10);
    change_of(story, &changes[0], REG_STACK, STACK + 8);
    tell_step(story, 10, (struct bytes){code + 10, 1}, "ret", changes, 1,
              CALLER);
    tell(story,
         (struct event){
             .kind = EVENT_LEAVE,
             .leave = {.how = "return", .to = CALLER, .value = {1, sum}}});
}

static void tell_calls(struct story *story, const uint8_t *code, int32_t term)
{
    story->regs = (struct regs){.value = {[X86_RAX] = PAGE,
                                          [X86_RCX] = 0x7f5f3c0f9a37,
                                          [X86_RSI] = 4096,
                                          [X86_RDX] = 5,
                                          [X86_R8] = 0xffffffff,
                                          [X86_RBP] = STACK + 64,
                                          [REG_FLAGS] = 0x202}};
    tell_call(story, code, term, 3);
    story->regs.value[X86_RBX] = story->regs.value[X86_RAX];
    tell_call(story, code, term, 2);
    tell_call(story, code, term, 1);
}

static void tell_end(struct story *story, int32_t term)
{
    char text[64];
    uint32_t bits = (uint32_t)term;
    int len = snprintf(text, sizeof text, "%d %d %d\n", (int32_t)(bits + 1),
                       (int32_t)(bits + 2), (int32_t)(bits + 3));

    tell(story, (struct event){.kind = EVENT_OUTPUT,
                               .output = {1, {(uint8_t *)text, (size_t)len}}});
    tell(story, (struct event){.kind = EVENT_UNMAP,
                               .source = at(98, "munmap(code, size);"),
                               .unmap = {.addr = PAGE,
                                         .length = 4096,
                                         .call = "munmap(0x7f5f3c1ff000, "
                                                 "4096)"}});
    tell(story, (struct event){.kind = EVENT_EXIT, .exit = {.status = {1, 0}}});
}

static void adder(int32_t term, uint8_t code[11])
{
    static const uint8_t shape[11] = {0x48, 0xc7, 0xc0, 0,    0,   0,
                                      0,    0x48, 0x01, 0xf8, 0xc3};

    memcpy(code, shape, 11);
    for (int i = 0; i < 4; i++)
        code[3 + i] = (uint8_t)((uint32_t)term >> 8 * i);
}

static void tell_stores(struct story *story, const uint8_t *code)
{
    static const char *const line[11] = {
        "code[0] = 0x48; /* REX.W: 64 bits */",
        "code[1] = 0xc7; /* mov r/m64, imm32 */",
        "code[2] = 0xc0; /* ModRM: rax */",
        "code[3] = (uint8_t)imm;",
        "code[4] = (uint8_t)(imm >> 8);",
        "code[5] = (uint8_t)(imm >> 16);",
        "code[6] = (uint8_t)(imm >> 24);",
        "code[7] = 0x48; /* REX.W: 64 bits */",
        "code[8] = 0x01; /* add r/m64, r64 */",
        "code[9] = 0xf8; /* ModRM: rax, rdi */",
        "code[10] = 0xc3; /* ret */",
    };

    for (int i = 0; i < 11; i++)
        tell_store(story, at(73 + i, line[i]), (uint64_t)i, code + i, 1);
}

static void tell_merged_stores(struct story *story, const uint8_t *code)
{
    tell_store(story, at(76, "code[3] = (uint8_t)imm;"), 3, code + 3, 4);
    tell_store(story, at(73, "code[0] = 0x48; /* REX.W: 64 bits wide */"), 0,
               code, 2);
    tell_store(story, at(75, "code[2] = 0xc0; /* ModRM */"), 2, code + 2, 1);
    tell_store(story, at(80, "code[7] = 0x48;  /* REX.W again */"), 7, code + 7,
               4);
}

/* The whole run of babyjit; to be freed. */
static char *babyjit_story(int32_t term, bool merged, bool color)
{
    struct story story;
    uint8_t code[11];
    char text[16];

    story_begin(&story, color);
    adder(term, code);
    snprintf(text, sizeof text, "%d", term);
    tell_start(&story, text);
    tell_map(&story);
    if (merged)
        tell_merged_stores(&story, code);
    else
        tell_stores(&story, code);
    tell_executable(&story, (struct bytes){code, 11});
    tell_calls(&story, code, term);
    tell_end(&story, term);
    return story_end(&story);
}

/* Stores that are longer than a row, by the kernel, into code that is RWX. */
static void tell_rwx(struct story *story, const uint8_t *code, size_t len)
{
    tell(story,
         (struct event){
             .kind = EVENT_MAP,
             .map = {.addr = PAGE,
                     .length = 8192,
                     .prot = PROT_READ | PROT_WRITE | PROT_EXEC,
                     .flags = "MAP_PRIVATE|MAP_32BIT",
                     .backing = "/opt/cache/code \033[31m",
                     .call = "mmap(NULL, 5000, PROT_READ|PROT_WRITE|"
                             "PROT_EXEC, MAP_PRIVATE|MAP_32BIT, 3, 0)"}});
    tell(story, (struct event){.kind = EVENT_WRITE,
                               .write = {.addr = PAGE,
                                         .new = {code, len},
                                         .by = "read(3, 0x7f5f3c1ff000)"}});
}

/* Instructions with many fields, one after the other. */
static const uint8_t wide[] = {
    /* lock add dword ptr [rbp+rcx*4+256], 0x01020304 with a REX prefix */
    0xf0, 0x40, 0x81, 0x84, 0x8d, 0x00, 0x01, 0x00, 0x00, 0x04, 0x03, 0x02,
    0x01,
    /* movabs rax, -0x1122334455667788 */
    0x48, 0xb8, 0x78, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee,
    /* jmp to itself; vmovdqa; not an instruction; enter 16, 1; cut short */
    0xe9, 0xfb, 0xff, 0xff, 0xff, 0xc5, 0xf9, 0x6f, 0xc1, 0x06, 0x07, 0xc8,
    0x10, 0x00, 0x01, 0x48, 0xb8, 0x01};

static void tell_visit(struct story *story)
{
    uint64_t slot = 41, after = 42;
    struct mem_access write = {
        PAGE + 4096, {(void *)&slot, 8}, {(void *)&after, 8}};
    struct reg_change flags = {REG_FLAGS, 0x202, 0x246};

    story->regs =
        (struct regs){.value = {[X86_RBX] = PAGE + 4096, [REG_FLAGS] = 0x202}};
    tell_enter(story, "jump", (struct bytes){wide, sizeof wide});
    tell(story,
         (struct event){.kind = EVENT_STEP,
                        .step = {.addr = PAGE,
                                 .bytes = {(const uint8_t *)"\x48\xff\x03", 3},
                                 .text = "inc qword ptr [rbx]",
                                 .regs = {&flags, 1},
                                 .writes = {&write, 1},
                                 .next = PAGE + 3}});
    tell(story, (struct event){.kind = EVENT_WRITE,
                               .write = {.addr = PAGE + 4096,
                                         .offset = 4096,
                                         .old = {(void *)&slot, 8},
                                         .new = {(void *)&after, 8},
                                         .text = "inc qword ptr [rbx]"}});
    tell(story, (struct event){.kind = EVENT_LEAVE,
                               .leave = {.how = "call", .to = CALLER}});
    story->regs.value[X86_RAX] = 0xfffffffd;
    tell_enter(story, "return", (struct bytes){NULL, 0});
    tell(story, (struct event){.kind = EVENT_LEAVE,
                               .leave = {.how = "return",
                                         .to = CALLER,
                                         .value = {1, 0xfffffffd}}});
}

static void tell_trouble(struct story *story)
{
    const char out[] = "plain\ttab \033[2J \xc3\xa4 \xff\0end\n"
                       "a line that is much longer than the eighty columns of "
                       "the screen it is printed on\n1\n2\n3\n4\n5\n6\n7\n8\n";

    tell(story, (struct event){.kind = EVENT_SIGNAL,
                               .tid = 4243,
                               .source = at(12, "*p = 1;"),
                               .signal = {.number = 11,
                                          .name = "SIGSEGV",
                                          .code = 2,
                                          .addr = {1, PAGE + 8},
                                          .pc = {1, CALLER},
                                          .access = "write"}});
    tell(story,
         (struct event){.kind = EVENT_LIMIT,
                        .limit = {.budget = "steps",
                                  .text = "10000 instructions of generated "
                                          "code were shown; the program runs "
                                          "on at full speed"}});
    tell(story,
         (struct event){.kind = EVENT_OUTPUT,
                        .output = {1, {(const uint8_t *)out, sizeof out - 1}}});
    tell(story,
         (struct event){.kind = EVENT_EXIT, .exit = {.signal = {1, 11}}});
}

/* What the baby JIT does not do. */
static char *odd_story(bool color)
{
    struct story story;

    story_begin(&story, color);
    tell_start(&story, "two words");
    tell_rwx(&story, wide, sizeof wide);
    tell_visit(&story);
    tell_trouble(&story);
    return story_end(&story);
}

/* 5000 bytes: a thousand additions, flipped, changed in one place, flipped. */
static char *large_story(bool color)
{
    static const uint8_t add[5] = {0x05, 0x44, 0x33, 0x22, 0x81};
    uint8_t code[5000];
    struct story story;

    for (size_t i = 0; i < sizeof code; i++)
        code[i] = add[i % 5];
    story_begin(&story, color);
    story.length = 8192;
    tell_start(&story, "1");
    tell_map(&story);
    tell_store(&story, (struct srcline){0}, 0, code, sizeof code);
    tell_executable(&story, (struct bytes){code, sizeof code});
    tell_writable(&story, (struct bytes){code, sizeof code});
    code[2001] = 0x45;
    tell_store(&story, (struct srcline){0}, 2001, code + 2001, 1);
    tell_executable(&story, (struct bytes){code, sizeof code});
    tell_writable(&story, (struct bytes){code, sizeof code});
    tell_executable(&story, (struct bytes){code, sizeof code});
    tell(&story,
         (struct event){.kind = EVENT_EXIT, .exit = {.status = {1, 3}}});
    return story_end(&story);
}

/* One immediate after the other, more than are explained. */
static char *many_story(bool color)
{
    struct story story;
    uint8_t code[30];

    story_begin(&story, color);
    tell_start(&story, "1");
    tell_map(&story);
    for (size_t i = 0; i < sizeof code; i++)
        code[i] = i % 5 ? (uint8_t)i : 0xb8;
    for (size_t i = 0; i < sizeof code; i++)
        tell_store(&story, (struct srcline){0}, i, code + i, 1);
    tell_executable(&story, (struct bytes){code, sizeof code});
    return story_end(&story);
}

/* The lines of the source that the program has made its code from. */
static void tell_made_step(struct story *story, int line, const char *text,
                           uint64_t offset, struct bytes bytes,
                           const char *words)
{
    tell(story, (struct event){
                    .kind = EVENT_STEP,
                    .source = {.file = "five.lua", .line = line, .text = text},
                    .step = {.addr = PAGE + offset,
                             .offset = offset,
                             .bytes = bytes,
                             .text = words,
                             .next = PAGE + offset + bytes.len}});
}

/* Code that the program gives names and lines, and takes back one of them. */
static char *named_story(bool color)
{
    static const uint8_t code[] = {0xb8, 5, 0, 0, 0, 0x90, 0xc3, 0xc3};
    static const struct line_row rows[] = {{0, "lib/five.lua", 3},
                                           {6, "lib/five.lua", 4}};
    const struct event_name five = {.addr = PAGE,
                                    .length = 7,
                                    .name = "five",
                                    .by = NAMED_BY_JITDUMP,
                                    .code = {code, 7},
                                    .lines = {rows, 2}};
    const struct event_name none = {
        .addr = PAGE + 7, .length = 1, .name = "none", .by = NAMED_BY_GDB};
    struct story story;

    story_begin(&story, color);
    tell_start(&story, "1");
    tell_map(&story);
    tell_store(&story, at(46, "memcpy(page, code, 8);"), 0, code, sizeof code);
    tell_executable(&story, (struct bytes){code, sizeof code});
    tell(&story, (struct event){.kind = EVENT_NAME, .name = five});
    tell(&story, (struct event){.kind = EVENT_NAME, .name = none});
    story.regs = (struct regs){.value = {[X86_RIP] = PAGE}};
    tell_enter(&story, "call", (struct bytes){NULL, 0});
    tell_made_step(&story, 3, "local five = 5", 0, (struct bytes){code, 5},
                   "mov eax, 5");
    tell_made_step(&story, 3, "local five = 5", 5, (struct bytes){code + 5, 1},
                   "nop");
    tell_made_step(&story, 4, "return five", 6, (struct bytes){code + 6, 1},
                   "ret");
    tell(&story,
         (struct event){
             .kind = EVENT_LEAVE,
             .leave = {.how = "return", .to = CALLER, .value = {1, 5}}});
    tell(&story, (struct event){.kind = EVENT_NAME,
                                .name = {.addr = PAGE + 7, .length = 1}});
    tell(&story,
         (struct event){.kind = EVENT_EXIT, .exit = {.status = {1, 0}}});
    return story_end(&story);
}

/* --- Goldens ------------------------------------------------------------- */

static char *minus_four(bool color)
{
    return babyjit_story(-4, false, color);
}

static char *one(bool color)
{
    return babyjit_story(1, false, color);
}

static char *merged(bool color)
{
    return babyjit_story(-4, true, color);
}

static const struct golden {
    const char *path;
    char *(*story)(bool color);
} goldens[] = {
    {"tests/golden/babyjit-4.txt", minus_four},
    {"tests/golden/babyjit1.txt", one},
    {"tests/golden/babyjit-4-merged.txt", merged},
    {"tests/golden/odd.txt", odd_story},
    {"tests/golden/large.txt", large_story},
    {"tests/golden/many.txt", many_story},
    {"tests/golden/named.txt", named_story},
};

/* The content of a file; an empty text if it cannot be read. To be freed. */
static char *read_whole(const char *path)
{
    struct buf text = {0};
    char chunk[4096];
    size_t len;
    FILE *file = fopen(path, "r");

    while (file && (len = fread(chunk, 1, sizeof chunk, file)) > 0)
        buf_append(&text, chunk, len);
    if (file)
        fclose(file);
    buf_text(&text);
    return (char *)text.data;
}

static void write_whole(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    cr_assert(ne(ptr, file, NULL), "%s cannot be written", path);
    fputs(text, file);
    fclose(file);
}

static void check_golden(const struct golden *golden)
{
    char *got = golden->story(false), *want;

    if (getenv("JITTRACE_REBASE"))
        write_whole(golden->path, got);
    want = read_whole(golden->path);
    cr_assert(eq(str, got, want), "%s differs; is it meant to?", golden->path);
    free(got);
    free(want);
}

#define GOLDEN(name, index)            \
    Test(render, golden_##name)        \
    {                                  \
        check_golden(&goldens[index]); \
    }
GOLDEN(minus_four, 0)
GOLDEN(one, 1)
GOLDEN(merged_stores, 2)
GOLDEN(odd, 3)
GOLDEN(large, 4)
GOLDEN(many_immediates, 5)
GOLDEN(named_code, 6)

/* Columns: bytes that do not go on a UTF-8 character. */
static size_t columns(const char *line, size_t len)
{
    size_t count = 0;

    for (size_t i = 0; i < len; i++)
        count += (line[i] & 0xc0) != 0x80;
    return count;
}

Test(render, no_line_is_wider_than_80_columns_or_ends_in_a_blank)
{
    for (size_t i = 0; i < sizeof goldens / sizeof *goldens; i++) {
        char *text = read_whole(goldens[i].path);

        cr_assert(lt(sz, 500, strlen(text)), "%s", goldens[i].path);
        for (char *line = text; *line; line += strcspn(line, "\n") + 1) {
            size_t len = strcspn(line, "\n");

            cr_assert(le(sz, columns(line, len), 80), "%.*s", (int)len, line);
            cr_assert(true && (len == 0 || line[len - 1] != ' '), "%.*s|",
                      (int)len, line);
        }
        free(text);
    }
}

static void strip_escapes(char *text)
{
    char *to = text;

    for (char *from = text; *from;) {
        if (*from == '\033')
            from += strcspn(from, "m") + 1;
        else
            *to++ = *from++;
    }
    *to = 0;
}

Test(render, colour_adds_nothing_but_colour)
{
    for (size_t i = 0; i < sizeof goldens / sizeof *goldens; i++) {
        char *plain = goldens[i].story(false), *color = goldens[i].story(true);

        cr_assert(eq(ptr, strchr(plain, '\033'), NULL));
        cr_assert(ne(ptr, strchr(color, '\033'), NULL));
        strip_escapes(color);
        cr_assert(eq(str, color, plain));
        free(plain);
        free(color);
    }
}

/* --- What must be said --------------------------------------------------- */

static void must_have(const char *text, const char *part)
{
    cr_expect(ne(ptr, (void *)strstr(text, part), NULL), "missing: %s", part);
}

static void must_not_have(const char *text, const char *part)
{
    cr_expect(eq(ptr, (void *)strstr(text, part), NULL), "there: %s", part);
}

static size_t times(const char *text, const char *part)
{
    size_t count = 0;

    for (; (text = strstr(text, part)); text += strlen(part))
        count++;
    return count;
}

Test(render, all_terms_show_their_bytes_and_values)
{
    static const int32_t terms[] = {
        0,   1,     -1,     127,        128,        -129,
        255, 65536, -65536, 0x12345678, 2147483647, -2147483647 - 1};

    for (size_t i = 0; i < sizeof terms / sizeof *terms; i++) {
        char *text = babyjit_story(terms[i], false, false);
        char part[96];
        uint32_t bits = (uint32_t)terms[i];

        for (int byte = 0; byte < 4; byte++) {
            snprintf(part, sizeof part, "code[%d] = 0x%02x ", 3 + byte,
                     bits >> 8 * byte & 0xff);
            must_have(text, part);
            snprintf(part, sizeof part, "imm bits %d..%d = ", 8 * byte + 7,
                     8 * byte);
            must_have(text, part);
        }
        snprintf(part, sizeof part, "is 0x%08x, lowest byte first", bits);
        must_have(text, part);
        snprintf(part, sizeof part, "bit 31 is %u: ", bits >> 31);
        must_have(text, part);
        snprintf(part, sizeof part, "0x%016llx",
                 (unsigned long long)(int64_t)terms[i]);
        must_have(text, part);
        snprintf(part, sizeof part, "= %d + 3 = %lld\n", terms[i],
                 terms[i] + 3ll);
        must_have(text, part);
        free(text);
    }
}

Test(render, code_that_did_not_change_is_not_shown_again)
{
    char *text = large_story(false);

    must_have(text, "code[2001] has changed; the code is 5000 bytes:");
    must_have(text, "No byte there changed since it was shown.");
    free(text);
}

/* Bytes that are never executed are not called instructions. */
Test(render, data_is_not_taken_for_code)
{
    struct story story;
    uint8_t code[11];
    char *text;

    adder(-4, code);
    story_begin(&story, false);
    tell_start(&story, "1");
    tell_map(&story);
    tell_store(&story, (struct srcline){0}, 0, code, sizeof code);
    tell_flip(&story, PROT_READ | PROT_WRITE, PROT_READ,
              (struct bytes){code, sizeof code});
    tell_end(&story, 1);
    text = story_end(&story);
    must_have(text, "No generated code was seen to run.\n"
                    "1 mapping never held code: 1 store into it is not shown "
                    "here (--format=json has\nit).\n");
    must_not_have(text, "mmap");
    must_not_have(text, "code[");
    must_not_have(text, "mov rax");
    free(text);
}

/* A page that is used again still holds what was there before. */
Test(render, old_bytes_do_not_explain_new_ones)
{
    struct story story;
    uint8_t code[11];
    char *text, *again;

    adder(-4, code);
    story_begin(&story, false);
    tell_start(&story, "1");
    tell_map(&story);
    tell_stores(&story, code);
    tell_executable(&story, (struct bytes){code, sizeof code});
    tell_writable(&story, (struct bytes){code, sizeof code});
    tell_store(&story, (struct srcline){0}, 4, code + 4, 1);
    tell_store(&story, (struct srcline){0}, 0, code, 1);
    tell_store(&story, (struct srcline){0}, 3, code + 3, 1);
    text = story_end(&story);
    again = strstr(text, "4  mprotect");
    cr_assert(ne(ptr, again, NULL));
    must_have(again, "code[3] = 0xfc");
    cr_assert(eq(ptr, (void *)strstr(again, "imm bits"), NULL));
    free(text);
}

/* In the middle of an instruction nothing can be said about a byte. */
Test(render, a_byte_before_its_opcode_is_not_called_an_immediate)
{
    char *text = merged(false);
    char *end = strstr(text, "imm32 of");

    cr_assert(ne(ptr, end, NULL));
    *end = 0;
    cr_assert(eq(ptr, (void *)strstr(text, "imm bits"), NULL));
    free(text);
}

/* --- What is held back --------------------------------------------------- */

#define BUFFER 0x7f5f3b000000ull

/* A mapping that is not that of PAGE, and a store into it. */
static void tell_buffer(struct story *story, uint64_t addr, unsigned prot)
{
    tell(story, (struct event){.kind = EVENT_MAP,
                               .map = {.addr = addr,
                                       .length = 8192,
                                       .prot = prot,
                                       .flags = "MAP_PRIVATE|MAP_ANONYMOUS",
                                       .backing = "anonymous",
                                       .call = "mmap(NULL, 8192, ...)"}});
}

static void tell_byte(struct story *story, uint64_t start, uint64_t offset,
                      uint8_t byte)
{
    tell(story, (struct event){.kind = EVENT_WRITE,
                               .write = {.addr = start + offset,
                                         .offset = offset,
                                         .old = {(const uint8_t *)"", 1},
                                         .new = {&byte, 1},
                                         .text = "mov byte ptr [rax], cl"}});
}

static void tell_exit(struct story *story)
{
    tell(story, (struct event){.kind = EVENT_EXIT, .exit = {.status = {1, 0}}});
}

static void tell_leave(struct story *story)
{
    tell(story, (struct event){.kind = EVENT_LEAVE,
                               .leave = {.how = "return", .to = CALLER}});
}

static void story_of_one(struct story *story)
{
    story_begin(story, false);
    tell_start(story, "1");
}

Test(render, a_buffer_changes_nothing_but_one_line_at_the_end)
{
    struct story story;
    uint8_t code[11];
    char *text, *plain = minus_four(false), *rest;
    size_t same;

    adder(-4, code);
    story_of_one(&story);
    tell_buffer(&story, BUFFER, PROT_READ | PROT_WRITE);
    tell_byte(&story, BUFFER, 3, 7);
    tell_map(&story);
    tell_byte(&story, BUFFER, 4, 7);
    tell_stores(&story, code);
    tell(&story, (struct event){.kind = EVENT_PROTECT,
                                .protect = {.addr = BUFFER + 4096,
                                            .length = 4096,
                                            .old_prot = PROT_READ | PROT_WRITE,
                                            .prot = PROT_READ}});
    tell(&story, (struct event){.kind = EVENT_LIMIT,
                                .limit = {.budget = "stores",
                                          .addr = {1, BUFFER + 4096},
                                          .text = "no matter"}});
    tell_executable(&story, (struct bytes){code, 11});
    tell_calls(&story, code, -4);
    tell(&story, (struct event){.kind = EVENT_UNMAP,
                                .unmap = {.addr = BUFFER, .length = 4096}});
    tell_byte(&story, BUFFER, 4097, 7);
    tell_end(&story, -4);
    text = story_end(&story);
    rest = strstr(text, "1 other mapping never held code: 3 stores into it are "
                        "not shown here\n(--format=json has them).\n");
    cr_assert(ne(ptr, rest, NULL), "%s", text);
    /* All before it, but for the term in the first stage, is as without. */
    same = (size_t)(rest - strstr(text, "2  mmap"));
    cr_assert(eq(
        int, strncmp(strstr(text, "2  mmap"), strstr(plain, "2  mmap"), same),
        0));
    must_not_have(text, "no matter");
    free(text);
    free(plain);
}

Test(render, a_mapping_that_goes_away_is_counted_too)
{
    struct story story;
    char *text;

    story_of_one(&story);
    for (int i = 0; i < 3; i++) {
        tell_buffer(&story, BUFFER, PROT_READ | PROT_WRITE);
        tell(&story, (struct event){.kind = EVENT_UNMAP,
                                    .unmap = {.addr = BUFFER, .length = 8192}});
    }
    tell_exit(&story);
    text = story_end(&story);
    must_have(text, "\n3 mappings never held code and are not shown here "
                    "(--format=json has them).\n");
    must_not_have(text, "unmapped");
    free(text);
}

/* A mapping of a file; the last digit of its inode is given. */
static void tell_file(struct story *story, uint64_t addr, unsigned prot,
                      char inode)
{
    char maps[96], name[4];

    prot_text(prot, name);
    snprintf(maps, sizeof maps, "%llx-%llx %ss 00000000 00:01 471%c /memfd:x",
             (unsigned long long)addr, (unsigned long long)addr + 4096, name,
             inode);
    tell(story, (struct event){.kind = EVENT_MAP,
                               .map = {.addr = addr,
                                       .length = 4096,
                                       .prot = prot,
                                       .flags = "MAP_SHARED",
                                       .backing = "/memfd:x",
                                       .maps = maps}});
}

/* Stored through one mapping, executed through another one. */
Test(render, memory_that_is_mapped_twice_holds_code)
{
    static const uint8_t five = 5, six = 6;
    struct story story;
    char *text;

    story_of_one(&story);
    tell_file(&story, BUFFER, PROT_READ | PROT_WRITE, '1');
    tell_byte(&story, BUFFER, 0, 7);
    tell_file(&story, BUFFER + 8192, PROT_READ | PROT_WRITE, '2');
    tell_byte(&story, BUFFER + 8192, 0, 9);
    tell_file(&story, BUFFER + 16384, PROT_READ | PROT_WRITE, '3');
    tell_byte(&story, BUFFER + 16384, 0, 11);
    tell_file(&story, PAGE, PROT_READ | PROT_EXEC, '1');
    tell_file(&story, PAGE + 8192, PROT_READ | PROT_EXEC, '3');
    tell(&story, (struct event){.kind = EVENT_WRITE,
                                .write = {.addr = BUFFER + 1,
                                          .offset = 1,
                                          .old = {&five, 1},
                                          .new = {&six, 1},
                                          .also = {true, PAGE + 1}}});
    tell_exit(&story);
    text = story_end(&story);
    must_have(text, "code[0] = 0x07");
    must_have(text, "code[1] = 0x06");
    must_have(text,
              "the same memory is mapped for execution at 0x7f5f3c1ff000");
    must_not_have(text, "0x09");
    must_have(text, "1 other mapping never held code: 1 store into it is");
    free(text);
}

Test(render, a_piece_that_becomes_executable_tells_of_the_whole)
{
    struct story story;
    char *text;

    story_of_one(&story);
    tell_buffer(&story, BUFFER, PROT_READ | PROT_WRITE);
    tell_byte(&story, BUFFER, 3, 7);
    tell(&story, (struct event){.kind = EVENT_PROTECT,
                                .protect = {.addr = BUFFER + 4096,
                                            .length = 4096,
                                            .old_prot = PROT_READ | PROT_WRITE,
                                            .prot = PROT_READ | PROT_EXEC}});
    tell_byte(&story, BUFFER, 4, 8);
    tell_exit(&story);
    text = story_end(&story);
    cr_assert(lt(ptr, strstr(text, "2  mmap"), strstr(text, "code[3] = 0x07")));
    cr_assert(
        lt(ptr, strstr(text, "code[3] = 0x07"), strstr(text, "rw- -> r-x")));
    must_have(text, "code[4] = 0x08");
    must_not_have(text, "never held code");
    free(text);
}

/* A read(2) into a large buffer, again and again. */
Test(render, what_the_kernel_writes_is_not_kept_for_ever)
{
    enum { SIZE = 1 << 20 };
    uint8_t *bytes = mem_alloc(SIZE);
    struct story story;
    char *text;

    story_of_one(&story);
    tell_buffer(&story, BUFFER, PROT_READ | PROT_WRITE);
    for (int i = 0; i < 10; i++)
        tell(&story, (struct event){.kind = EVENT_WRITE,
                                    .write = {.addr = BUFFER,
                                              .new = {bytes, SIZE},
                                              .by = "read"}});
    tell_buffer(&story, PAGE, PROT_READ | PROT_EXEC);
    tell(&story, (struct event){.kind = EVENT_ENTER,
                                .enter = {.addr = BUFFER, .how = "call"}});
    text = story_end(&story);
    cr_assert(eq(sz, times(text, "by the kernel: read"), 5));
    must_have(text, "\n... and 5 later stores into it, not kept\n");
    free(bytes);
    free(text);
}

/* --- Memory that no mmap was seen for ------------------------------------ */

Test(render, memory_that_was_there_before_is_not_called_fresh)
{
    static const struct {
        const char *backing;
        const char *words;
    } cases[] = {
        {"heap", "No mmap was seen: this memory is part of the heap, and its"},
        {"stack", "No mmap was seen: this memory is part of the stack, and"},
        {"/tmp/prog", "this memory is part of /tmp/prog, and"},
        {"anonymous", "this memory is the program's already, and"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct story story;
        char *text;

        story_of_one(&story);
        tell(&story,
             (struct event){.kind = EVENT_MAP,
                            .map = {.addr = PAGE,
                                    .length = 4096,
                                    .prot = PROT_READ | PROT_WRITE,
                                    .backing = cases[i].backing,
                                    .maps = "7f5f3c1ff000-7f5f3c200000 rw-p "
                                            "00000000 00:00 0              "
                                            "                            "
                                            "[heap]"}});
        tell_executable(&story, (struct bytes){NULL, 0});
        text = story_end(&story);
        must_have(text, cases[i].words);
        must_have(text, "\n2  memory\n");
        must_have(text, "rw-p 00000000 00:00 0 [heap]\n");
        must_not_have(text, "2  mmap");
        must_not_have(text, "every byte");
        free(text);
    }
}

Test(render, only_anonymous_memory_is_all_zero)
{
    char *text = odd_story(false);
    struct story story;

    must_not_have(text, "every byte");
    free(text);
    story_of_one(&story);
    tell(&story,
         (struct event){.kind = EVENT_MAP,
                        .map = {.addr = PAGE,
                                .length = 4096,
                                .prot = PROT_READ | PROT_EXEC,
                                .flags = "MAP_PRIVATE",
                                .backing = "anonymous",
                                .call = "mmap(NULL, 4096, ..., 3, 0)"}});
    text = story_end(&story);
    must_not_have(text, "every byte");
    free(text);
}

/* --- Where code begins --------------------------------------------------- */

static const uint8_t with_data[] = {
    /* data that looks like add [rdx], eax; add eax, [rax*1+...] */
    1, 2, 3, 4, 5, 6, 7, 0x48, 0xb8, 0x31, 0xc0,
    /* xor eax, eax, begun in the data before; ret */
    0xc3};

/* Stores code at once and calls it somewhere. */
static char *called_at(const uint8_t *code, size_t len, uint64_t offset)
{
    struct story story;

    story_of_one(&story);
    tell_map(&story);
    tell_store(&story, (struct srcline){0}, 0, code, len);
    tell_executable(&story, (struct bytes){code, len});
    tell(&story, (struct event){.kind = EVENT_ENTER,
                                .enter = {.addr = PAGE + offset,
                                          .offset = offset,
                                          .how = "call"}});
    return story_end(&story);
}

Test(render, an_entry_behind_the_first_byte_gets_a_warning_of_data)
{
    char *text = called_at(with_data, sizeof with_data, 9);

    must_have(text, "(Above, it was read as instructions from its first byte");
    must_not_have(text, "Control enters at");
    free(text);
    text = called_at(with_data, sizeof with_data, 0);
    must_not_have(text, "(Above");
    free(text);
}

Test(render, code_that_is_entered_off_the_list_is_explained)
{
    /* add eax, imm32; ret; or from its second byte on xor eax, eax; ret */
    static const uint8_t code[] = {0x05, 0x31, 0xc0, 0xc3, 0x90, 0xc3};
    char *text = called_at(code, sizeof code, 1);

    must_have(text, "Control enters at +1, where no instruction that was "
                    "listed begins:\n\n+1   31        c0\n");
    must_have(text, "     = xor eax, eax\n");
    free(text);
    /* There the bytes end within an instruction. */
    text = called_at(with_data, sizeof with_data, 7);
    must_not_have(text, "Control enters at");
    free(text);
}

Test(render, names_of_fields_are_explained_when_they_come_up)
{
    char *text = many_story(false);

    must_not_have(text, "REX.W");
    must_not_have(text, "mod=11");
    free(text);
    text = called_at((const uint8_t *)"\xf7\xf9\xc3", 3, 0);
    must_not_have(text, "REX.W");
    must_have(text, "\nmod=11: rm is a register. /0 to /7: reg is");
    free(text);
}

Test(render, a_page_that_is_never_flipped_says_so_once)
{
    char *text = odd_story(false), *flipped = minus_four(false);

    cr_assert(eq(sz, times(text, "no mprotect: the page was executable"), 1));
    must_not_have(flipped, "no mprotect");
    free(text);
    free(flipped);
}

/* --- Two mappings -------------------------------------------------------- */

Test(render, one_of_two_mappings_is_named_by_its_address)
{
    struct story story;
    char *text, *first;

    story_of_one(&story);
    tell_buffer(&story, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
    tell_byte(&story, PAGE, 0, 0xc3);
    tell_enter(&story, "call", (struct bytes){(const uint8_t *)"\xc3", 1});
    tell_leave(&story);
    tell_buffer(&story, BUFFER, PROT_READ | PROT_WRITE | PROT_EXEC);
    tell_byte(&story, BUFFER, 0, 0xc3);
    tell(&story, (struct event){.kind = EVENT_ENTER,
                                .enter = {.addr = BUFFER, .how = "call"}});
    tell_leave(&story);
    tell_enter(&story, "call", (struct bytes){NULL, 0});
    text = story_end(&story);
    first = strstr(text, "call 1 to code[0]");
    cr_assert(ne(ptr, first, NULL));
    cr_assert(eq(int, strncmp(first + 17, "  babyjit.c", 11), 0));
    must_have(text, "call 2 to code[0] at 0x7f5f3b000000\n");
    must_have(text, "call 3 to code[0] at 0x7f5f3c1ff000  babyjit.c:94");
    /* Each was named once, with its store beneath. */
    cr_assert(eq(sz, times(text, "code[0] is the byte at"), 2));
    cr_assert(eq(sz, times(text, " mapped rwx:\ncode[0] = 0xc3"), 2));
    free(text);
}

/* A caption with nothing beneath it. */
Test(render, a_mapping_is_not_named_for_nothing)
{
    static const uint8_t ret = 0xc3;
    struct story story;
    char *text;

    story_of_one(&story);
    tell_buffer(&story, BUFFER, PROT_READ | PROT_WRITE | PROT_EXEC);
    tell_buffer(&story, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
    tell_byte(&story, PAGE, 0, ret);
    tell_byte(&story, BUFFER, 0, ret);
    tell_executable(&story, (struct bytes){&ret, 1});
    text = story_end(&story);
    cr_assert(eq(sz, times(text, "code[0] is the byte at"), 3));
    must_not_have(text, "mapped rwx:\n\n");
    must_have(text, "mapped r-x:\nThe code");
    free(text);
}

/* --- Loops --------------------------------------------------------------- */

/* One step that counts rcx down from `left`. */
static void tell_turn(struct story *story, uint64_t offset, uint64_t left,
                      uint64_t next)
{
    struct reg_change change = {X86_RCX, left, left - 1};
    bool dec = offset == 0;

    tell_step(story, offset,
              dec ? (struct bytes){(const uint8_t *)"\xff\xc9", 2}
                  : (struct bytes){(const uint8_t *)"\x75\xfc", 2},
              dec ? "dec ecx" : "jnz -4", &change, dec, PAGE + next);
}

/* A loop of two instructions, then a ret. */
static char *loop_of(uint64_t rounds)
{
    static const uint8_t code[] = {0xff, 0xc9, 0x75, 0xfc, 0xc3};
    struct story story;

    story_of_one(&story);
    tell_buffer(&story, PAGE, PROT_READ | PROT_EXEC);
    story.regs.value[X86_RCX] = rounds;
    tell_enter(&story, "call", (struct bytes){code, sizeof code});
    for (uint64_t left = rounds; left > 0; left--) {
        tell_turn(&story, 0, left, 2);
        tell_turn(&story, 2, left, left > 1 ? 0 : 4);
    }
    tell_step(&story, 4, (struct bytes){code + 4, 1}, "ret", NULL, 0, CALLER);
    tell(&story, (struct event){.kind = EVENT_LEAVE,
                                .leave = {.how = "return", .to = CALLER}});
    return story_end(&story);
}

Test(render, a_loop_is_told_three_times_and_summed_up)
{
    char *text = loop_of(33334);

    must_have(text, "\n... the same 2 instructions 33,330 times more\n"
                    "     rcx 0x8233 -> 0x1\n"
                    "+0   ff c9                 dec ecx           "
                    "ecx = 1 - 1 = 0\n");
    cr_assert(eq(sz, times(text, "\n+0   ff c9                 dec"), 4));
    cr_assert(eq(sz, times(text, "\n+2   75 fc"), 4));
    must_have(text, "\n+4   c3                    ret");
    free(text);
}

Test(render, a_short_loop_is_told_in_full)
{
    for (uint64_t rounds = 1; rounds <= 4; rounds++) {
        char *text = loop_of(rounds);

        must_not_have(text, "the same 2");
        cr_assert(eq(sz, times(text, "dec ecx           ecx ="), rounds));
        free(text);
    }
}

Test(render, a_loop_that_is_cut_short_keeps_its_last_steps)
{
    struct story story;
    char *text;

    story_of_one(&story);
    tell_buffer(&story, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
    tell_enter(&story, "call", (struct bytes){NULL, 0});
    for (uint64_t left = 20; left > 10; left--) {
        tell_turn(&story, 0, left, 2);
        tell_turn(&story, 2, left, 0);
    }
    tell_turn(&story, 0, 10, 2);
    tell(&story,
         (struct event){.kind = EVENT_LIMIT,
                        .tid = PID + 1,
                        .limit = {.budget = "steps", .text = "no more steps"}});
    text = story_end(&story);
    must_have(text, "... the same 2 instructions 7 times more\n"
                    "     rcx 0x11 -> 0xa\n"
                    "+0   ff c9                 dec ecx           "
                    "ecx = 10 - 1 = 9\n"
                    "     rcx 0xa -> 0x9\n"
                    "not watched: no more steps\n");
    free(text);
}

/* What a skipped round stores into the code is new when it is shown again. */
Test(render, stores_of_a_loop_are_skipped_with_it)
{
    static const uint8_t nop = 0x90;
    uint8_t code[125] = {0};
    struct story story;
    char *text;

    story_of_one(&story);
    tell_buffer(&story, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
    tell_enter(&story, "call", (struct bytes){NULL, 0});
    for (uint64_t i = 0; i < 30; i++) {
        uint64_t at = i < 5 || i == 29 ? i : 95 + i; /* the last but one: 123 */

        code[at] = nop;
        tell(&story, (struct event){.kind = EVENT_WRITE,
                                    .write = {.addr = PAGE + 100 + at,
                                              .offset = 100 + at,
                                              .old = {&nop, 1},
                                              .new = {&nop, 1},
                                              .pc = PAGE}});
        tell_step(&story, 0, (struct bytes){(const uint8_t *)"\xf3\xaa", 2},
                  "rep stosb", NULL, 0, i < 29 ? PAGE : PAGE + 2);
    }
    tell_leave(&story);
    tell(&story, (struct event){.kind = EVENT_ENTER,
                                .enter = {.addr = PAGE,
                                          .how = "jump",
                                          .code = {code, 124},
                                          .code_offset = 100}});
    text = story_end(&story);
    must_have(text, "... the same instruction 26 times more\n");
    cr_assert(eq(sz, times(text, "] = 0x90"), 4));
    must_have(text, "The code, 124 bytes (as xxd -g1 shows it):");
    free(text);
}

/* --- Signals ------------------------------------------------------------- */

/* Code that the signal is about, stored and executable. */
static char *signal_story(const char *code, size_t len, unsigned prot,
                          struct event_signal signal)
{
    struct bytes bytes = {(const uint8_t *)code, len};
    struct story story;

    story_of_one(&story);
    tell_map(&story);
    tell_store(&story, (struct srcline){0}, 0, bytes.data, len);
    if (prot & PROT_EXEC)
        tell_executable(&story, bytes);
    tell(&story, (struct event){.kind = EVENT_SIGNAL, .signal = signal});
    return story_end(&story);
}

#define SIGNAL(n, c, where, at, kind)          \
    ((struct event_signal){.number = (n),      \
                           .code = (c),        \
                           .addr = {1, where}, \
                           .pc = {1, at},      \
                           .access = (kind)})

#define NAMED(n, text, c, where, at, kind)                              \
    {                                                                   \
        .number = (n), .name = (text), .code = (c), .addr = {1, where}, \
        .pc = {1, at}, .access = (kind)                                 \
    }

Test(render, a_signal_says_what_failed)
{
    static const struct {
        const char *code;
        size_t len;
        struct event_signal signal;
        const char *words;
    } cases[] = {
        {"\x8b\x00", 2, NAMED(11, "SIGSEGV", 1, 0, PAGE, "read"),
         "\n+0   8b 00                 mov eax, [rax]  does not complete\n"
         "     it tried to read from 0x0: nothing is mapped there\n"},
        {"\x89\x00", 2, NAMED(11, "SIGSEGV", 2, PAGE + 8, PAGE, "write"),
         "     it tried to write to 0x7f5f3c1ff008, but the page is r-x\n"},
        {"\x8b\x00", 2, NAMED(11, "SIGSEGV", 2, 4096, PAGE, "read"),
         "     it tried to read from 0x1000\n"},
        {"\x8b\x00", 2, NAMED(11, "SIGSEGV", 1, 4096, PAGE, NULL),
         "     the access to 0x1000 failed: nothing is mapped there\n"},
        {"\x8b\x00", 2, NAMED(11, "SIGSEGV", 128, 0, PAGE, "read"),
         "     the access failed; the CPU does not say at which address\n"},
        {"\x0f\x0b", 2, NAMED(4, "SIGILL", 2, PAGE, PAGE, NULL),
         "\n+0   0f 0b                 ud2  does not complete\n"
         "     the CPU does not know this instruction, or may not run it\n"},
        {"\x06\x07", 2, NAMED(4, "SIGILL", 2, PAGE, PAGE, NULL),
         "     the CPU does not know this instruction, or may not run it\n"},
        {"\xf7\xf9", 2, NAMED(8, "SIGFPE", 1, PAGE, PAGE, NULL),
         "\n+0   f7 f9                 idiv ecx  does not complete\n"
         "     division by zero or a quotient that is too large\n"},
        {"\xcc\xc3",
         2,
         {.number = 5, .name = "SIGTRAP", .code = 128, .pc = {1, PAGE + 1}},
         "     a breakpoint or another trap\n"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = signal_story(cases[i].code, cases[i].len,
                                  PROT_READ | PROT_EXEC, cases[i].signal);

        must_have(text, cases[i].words);
        must_not_have(text, "access memory");
        free(text);
    }
}

Test(render, a_signal_that_was_sent_has_no_place)
{
    char *text = signal_story(
        "\x8b\x00", 2, PROT_READ | PROT_EXEC,
        (struct event_signal){
            .number = 11, .name = "SIGSEGV", .addr = {1, 0}, .pc = {1, PAGE}});

    must_have(text, "signal 11 SIGSEGV at 0x7f5f3c1ff000\n");
    must_not_have(text, "does not complete");
    must_not_have(text, "failed");
    free(text);
}

Test(render, executing_data_shows_the_stores_that_made_it)
{
    char *text =
        signal_story("\x31\xc0", 2, 0, SIGNAL(11, 2, PAGE, PAGE, "execute"));

    must_have(text, "code[0..1] = 31 c0");
    must_have(text,
              "\n+0   31 c0                 xor eax, eax  is not fetched\n"
              "     it tried to execute 0x7f5f3c1ff000, but the page is "
              "rw-\n");
    free(text);
}

Test(render, falling_off_the_end_is_no_jump)
{
    struct story story;
    uint8_t nop = 0x90;
    char *text;

    story_of_one(&story);
    tell_buffer(&story, PAGE, PROT_READ | PROT_EXEC);
    tell_step(&story, 8191, (struct bytes){&nop, 1}, "nop", NULL, 0,
              PAGE + 8192);
    tell(&story, (struct event){.kind = EVENT_LEAVE,
                                .leave = {.how = "jump", .to = PAGE + 8192}});
    text = story_end(&story);
    must_have(text, "\n     runs past the end of the mapping to "
                    "0x7f5f3c201000\n");
    must_not_have(text, "leaves by");
    free(text);
}

/* --- The program and its arguments --------------------------------------- */

/* The line of the first stage, without what it begins with. */
static char *program_line(const char *arg)
{
    const char *argv[] = {"a=b", arg};
    struct story story;
    char *text, *line;

    story_begin(&story, false);
    tell(&story, (struct event){.kind = EVENT_START,
                                .start = {.argv = {argv, 2}, .page_size = 1}});
    text = story_end(&story);
    line = strstr(text, "program     ");
    cr_assert(ne(ptr, line, NULL));
    line = mem_copy_text(line + 12);
    *strstr(line, "\n  process") = 0;
    free(text);
    return line;
}

Test(render, arguments_are_quoted_as_a_shell_needs_it)
{
    static const char *const cases[][2] = {
        {"plain", "'a=b' plain"},
        {"--x=/a/b.c:1,2", "'a=b' --x=/a/b.c:1,2"},
        {"", "'a=b' ''"},
        {"two words", "'a=b' 'two words'"},
        {"it's", "'a=b' 'it'\\''s'"},
        {"~", "'a=b' '~'"},
        {"\x1b[31m", "'a=b' $'\\x1b[31m'"},
        {"a\n'\\", "'a=b' $'a\\n\\'\\\\'"},
        {"\xc3\xa4", "'a=b' \xc3\xa4"},
        {"\xc3", "'a=b' $'\\xc3'"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *line = program_line(cases[i][0]);

        cr_expect(eq(str, line, (char *)cases[i][1]));
        free(line);
    }
}

Test(render, a_long_argument_is_cut_and_wrapped)
{
    char arg[301], *line;

    memset(arg, 'x', 300);
    arg[300] = 0;
    line = program_line(arg);
    cr_assert(eq(sz, times(line, "x"), 200));
    cr_assert(eq(str, line + strlen(line) - 4, "x..."));
    /* 'a=b' stands alone; 203 characters take lines of 66. */
    cr_assert(eq(sz, times(line, "\n"), 4));
    free(line);
}

/* --- Colours ------------------------------------------------------------- */

Test(render, colours_are_legible_on_black_and_on_white)
{
    static const char *const bad[] = {"30", "33", "34", "36", "37", "2", "8"};

    for (int role = 0; role < ROLES; role++) {
        struct buf start = {0};
        char codes[32] = ";";
        char part[8];

        if (!style_begin((enum role)role, &start))
            continue;
        cr_assert(
            eq(int, sscanf(buf_text(&start), "\033[%29[0-9;]m", codes + 1), 1));
        strcat(codes, ";");
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
            snprintf(part, sizeof part, ";%s;", bad[i]);
            cr_expect(eq(ptr, (void *)strstr(codes, part), NULL), "role %d: %s",
                      role, codes);
        }
        buf_release(&start);
    }
}

/* --- The dump and its oracle --------------------------------------------- */

static char *real_xxd(struct bytes bytes, unsigned offset)
{
    int fd = memfd_create("bytes", 0);
    struct buf text = {0};
    char command[96], chunk[512];
    size_t len;
    FILE *pipe;

    cr_assert(eq(sz, (size_t)write(fd, bytes.data, bytes.len), bytes.len));
    snprintf(command, sizeof command, "xxd -g1 -o %u /proc/%d/fd/%d", offset,
             getpid(), fd);
    pipe = popen(command, "r");
    cr_assert(ne(ptr, pipe, NULL));
    while ((len = fread(chunk, 1, sizeof chunk, pipe)) > 0)
        buf_append(&text, chunk, len);
    cr_assert(eq(int, pclose(pipe), 0), "%s", command);
    close(fd);
    buf_text(&text);
    return (char *)text.data;
}

static void check_dump(struct bytes bytes, unsigned offset)
{
    struct buf got = {0};
    char *want = real_xxd(bytes, offset);

    hexdump_append(bytes, offset, &got);
    cr_assert(eq(str, (char *)buf_text(&got), want));
    buf_release(&got);
    free(want);
}

Test(render, hexdump_is_that_of_xxd)
{
    uint8_t bytes[256];
    uint32_t seed = 1;

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)((seed = seed * 1103515245 + 12345) >> 16);
    for (size_t len = 0; len <= 40; len++)
        check_dump((struct bytes){bytes + len, len}, (unsigned)len * 7);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)i;
    check_dump((struct bytes){bytes, sizeof bytes}, 0);
    check_dump((struct bytes){bytes, sizeof bytes}, 0x12345670);
}

/* --- Fields -------------------------------------------------------------- */

static char *fields_of(const void *bytes, size_t len)
{
    struct pen pen = {0};
    struct insn insn;
    char *text;

    cr_assert(eq(int, insn_decode(bytes, len, PAGE, &insn), 1));
    fields_write(&pen, &insn, 0);
    text = mem_copy_text(buf_text(&pen.out));
    pen_release(&pen);
    return text;
}

Test(render, fields_stand_beneath_their_bytes)
{
    char *text = fields_of("\x48\xc7\xc0\xfc\xff\xff\xff", 7);

    cr_assert(eq(
        str, text,
        "+0   48            c7         c0           fc ff ff ff\n"
        "     REX           opcode /0  ModRM        imm32\n"
        "          W R X B             mod reg rm   0xfffffffc = -4\n"
        "     0100 1 0 0 0  11000111   11  000 000  sign-extended to 64 bits:\n"
        "                                           0xfffffffffffffffc\n"
        "     = mov rax, -4\n"));
    free(text);
}

Test(render, fields_too_wide_stand_on_lines_of_their_own)
{
    char *text = fields_of(wide, 13);

    must_have(text, "+0   f0 40 81 84 8d 00 01 00 00 04 03 02 01\n");
    must_have(text, "     SIB        8d           "
                    "scale=10 index=001 base=101\n");
    must_have(text, "     imm32      04 03 02 01  0x01020304 = 16909060");
    free(text);
}

/* The same instruction while its bytes arrive: bit i of unwritten is byte i. */
static char *fields_partly(const void *bytes, size_t len, unsigned unwritten,
                           unsigned width)
{
    struct pen pen = {.width = width};
    struct insn insn;
    char *text;

    cr_assert(eq(int, insn_decode(bytes, len, PAGE, &insn), 1));
    fields_write_named(&pen, &insn, unwritten, 0);
    text = mem_copy_text(buf_text(&pen.out));
    pen_release(&pen);
    return text;
}

Test(render, fields_of_an_instruction_that_is_being_written)
{
    char *text = fields_partly("\x48\xc7\xc0\xfc\0\0\0", 7, 0x70, 0);

    cr_assert(
        eq(str, text,
           "48            c7         c0                fc ·· ·· ··\n"
           "REX           opcode /0  ModRM             imm32\n"
           "     W R X B             mod      reg rm   0x000000fc = 252\n"
           "0100 1 0 0 0  11000111   11       000 000  sign-extended to 64 "
           "bits:\n"
           "                         register /0  rax  0x00000000000000fc\n"));
    free(text);
    text = fields_partly("\x48\xc7\xc0\0\0\0\0", 7, 0x78, 0);
    cr_assert(eq(str, text,
                 "48            c7         c0                ·· ·· ·· ··\n"
                 "REX           opcode /0  ModRM\n"
                 "     W R X B             mod      reg rm\n"
                 "0100 1 0 0 0  11000111   11       000 000\n"
                 "                         register /0  rax\n"));
    free(text);
    text = fields_partly("\x48\xc7\0\0\0\0\0", 7, 0x7c, 0);
    cr_assert(eq(str, text,
                 "48            c7        ··\n"
                 "REX           opcode\n"
                 "     W R X B\n"
                 "0100 1 0 0 0  11000111\n"));
    free(text);
}

Test(render, fields_in_narrow_lines)
{
    char *text = fields_partly("\x48\xc7\xc0\xfc\xff\0\0", 7, 0x60, 40);

    cr_assert(eq(str, text,
                 "48 c7 c0 fc ff ·· ··\n"
                 "REX        48  0100 W=1 R=0 X=0 B=0\n"
                 "opcode /0  c7  11000111\n"
                 "ModRM      c0  11 reg=000 rm=000 rax\n"
                 "imm32      fc ff ·· ··  = 65532\n"
                 "           sign-extended to 64 bits:\n"
                 "           0x000000000000fffc\n"));
    free(text);
}

/* Bytes, and the text of a line of what is beneath them. */
Test(render, bits_that_name_a_register_say_which)
{
    static const struct {
        const char *bytes;
        size_t len;
        const char *line;
    } cases[] = {
        {"\x4d\x01\xc8", 3, "register r9  r8"},
        {"\x48\x8b\x44\x8d\xf8", 5, "memory+disp8 rax SIB  *4    rcx   rbp"},
        {"\x4e\x8b\x44\xad\xf8", 5, "memory+disp8 r8  SIB  *4    r13   rbp"},
        {"\x8b\x04\x25\x10\0\0\0", 7, "memory eax SIB  *1    none  none"},
        {"\x48\x8b\x05\x10\0\0\0", 7, "rip+disp32 rax rip"},
        {"\x41\x54", 2, "r12"},
        {"\x88\xe1", 2, "register ah  cl"},
        {"\x40\x88\xe1", 3, "register spl cl"},
        {"\xc5\xf1\x58\xc2", 4, "xmm1"},
        {"\xc5\xf1\x58\xc2", 4, "register xmm0 xmm2"},
        {"\x67\x8b\x03", 3, "memory eax ebx"},
        {"\xf7\xd8", 2, "register /3  eax"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = fields_partly(cases[i].bytes, cases[i].len, 0, 200);

        cr_expect(contains(text, cases[i].line), "case %zu, \"%s\":\n%s", i,
                  cases[i].line, text);
        free(text);
    }
}

/* --- Pens ---------------------------------------------------------------- */

Test(render, a_pen_that_keeps_roles_has_one_for_each_byte)
{
    static const uint8_t roles[] = {
        ROLE_CHANGED, ROLE_CHANGED, ROLE_PLAIN, ROLE_NOTE, ROLE_NOTE,
        ROLE_NOTE,    ROLE_PLAIN,   ROLE_PLAIN, ROLE_BYTE,
    };
    struct pen pen = {.keep_roles = true, .color = true};

    pen_text(&pen, ROLE_CHANGED, "ab");
    pen_column(&pen, 3);
    pen_text(&pen, ROLE_NOTE, "→");
    pen_end(&pen);
    pen_blank(&pen);
    pen_text(&pen, ROLE_BYTE, "c");
    cr_assert(eq(str, (char *)buf_text(&pen.out), "ab →\n\nc"));
    cr_assert(eq(mem, ((struct cr_mem){pen.roles.data, pen.roles.len}),
                 ((struct cr_mem){roles, sizeof roles})));
    pen_release(&pen);
}

Test(render, a_pen_has_the_width_that_it_is_given)
{
    struct pen pen = {.width = 10};

    pen_cut(&pen, ROLE_PLAIN, "0123456789");
    pen_end(&pen);
    pen_cut(&pen, ROLE_PLAIN, "0123456789a");
    pen_end(&pen);
    pen_words(&pen, ROLE_PLAIN, 1, "some words, unbreakable-one");
    pen_text(&pen, ROLE_PLAIN, "abcdef");
    pen_item(&pen, 0, 3);
    pen_text(&pen, ROLE_PLAIN, "ghi");
    cr_assert(eq(str, (char *)buf_text(&pen.out),
                 "0123456789\n0123456...\nsome\n words,\n unbreakab\n "
                 "le-one\nabcdef\nghi"));
    pen_release(&pen);
}

/* However narrow, words come to an end. */
Test(render, words_fit_no_width_at_all)
{
    for (unsigned width = 1; width < 6; width++) {
        struct pen pen = {.width = width};

        pen_column(&pen, 7);
        pen_words(&pen, ROLE_PLAIN, 9, "a \x01 word");
        cr_assert(contains(buf_text(&pen.out), "x01"));
        pen_release(&pen);
    }
}

Test(render, a_row_of_a_dump_can_be_shorter)
{
    static const uint8_t bytes[] = {0x48, 0xc7, 0x41};
    struct buf row = {0};

    cr_assert(
        eq(uint, hexdump_row((struct bytes){bytes, 3}, 0x20, 8, &row), 10));
    cr_assert(eq(str, (char *)buf_text(&row),
                 "00000020: 48 c7 41                 H.A"));
    buf_release(&row);
}

/* --- Failure ------------------------------------------------------------- */

Test(render, a_full_disk_is_an_error)
{
    FILE *full = fopen("/dev/full", "w");
    struct sink *sink = text_sink_new(full, false);
    struct event event = {.kind = EVENT_EXIT, .exit = {.status = {1, 0}}};
    struct err err = {0};

    cr_assert(eq(int, sink_emit(sink, &event, &err), 0));
    cr_assert(eq(int, sink_finish(sink, &err), -1));
    cr_assert(eq(int, (int)err.kind, ERR_OUTPUT));
    sink_free(sink);
    fclose(full);
}
