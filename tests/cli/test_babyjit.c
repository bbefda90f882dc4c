/* SPDX-License-Identifier: MIT */
/*
 * jittrace and real programs, from end to end: the baby JIT with the terms
 * whose bytes and results are written down here, its other builds, what other
 * tools say of the same bytes, and programs that put the engine on the rack
 * (tests/tracees). Each must do traced what it does untraced.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/support.h"

TestSuite(babyjit, .timeout = 120);

/*
 * X(NAME, term, the four bytes of its immediate, fn(1), fn(2), fn(3)). The
 * results are those of 32-bit arithmetic, which wraps. The function is
 * 48 c7 c0 imm32, 48 01 f8, c3.
 */
/* clang-format off */
#define VECTORS(X)                                                             \
    X(zero, "0", 0x00, 0x00, 0x00, 0x00, "1", "2", "3")                        \
    X(one, "1", 0x01, 0x00, 0x00, 0x00, "2", "3", "4")                         \
    X(two, "2", 0x02, 0x00, 0x00, 0x00, "3", "4", "5")                         \
    X(three, "3", 0x03, 0x00, 0x00, 0x00, "4", "5", "6")                       \
    X(minus_one, "-1", 0xff, 0xff, 0xff, 0xff, "0", "1", "2")                  \
    X(minus_four, "-4", 0xfc, 0xff, 0xff, 0xff, "-3", "-2", "-1")              \
    X(ten, "10", 0x0a, 0x00, 0x00, 0x00, "11", "12", "13")                     \
    X(max_int8, "127", 0x7f, 0x00, 0x00, 0x00, "128", "129", "130")            \
    X(above_int8, "128", 0x80, 0x00, 0x00, 0x00, "129", "130", "131")          \
    X(min_int8, "-128", 0x80, 0xff, 0xff, 0xff, "-127", "-126", "-125")        \
    X(below_int8, "-129", 0x7f, 0xff, 0xff, 0xff, "-128", "-127", "-126")      \
    X(max_uint8, "255", 0xff, 0x00, 0x00, 0x00, "256", "257", "258")           \
    X(above_uint8, "256", 0x00, 0x01, 0x00, 0x00, "257", "258", "259")         \
    X(max_int16, "32767", 0xff, 0x7f, 0x00, 0x00, "32768", "32769", "32770")   \
    X(min_int16, "-32768", 0x00, 0x80, 0xff, 0xff,                             \
      "-32767", "-32766", "-32765")                                            \
    X(max_uint16, "65535", 0xff, 0xff, 0x00, 0x00, "65536", "65537", "65538")  \
    X(above_uint16, "65536", 0x00, 0x00, 0x01, 0x00,                           \
      "65537", "65538", "65539")                                               \
    X(minus_65536, "-65536", 0x00, 0x00, 0xff, 0xff,                           \
      "-65535", "-65534", "-65533")                                            \
    X(four_digits, "305419896", 0x78, 0x56, 0x34, 0x12,                        \
      "305419897", "305419898", "305419899")                                   \
    X(max_int32, "2147483647", 0xff, 0xff, 0xff, 0x7f,                         \
      "-2147483648", "-2147483647", "-2147483646")                             \
    X(min_int32, "-2147483648", 0x00, 0x00, 0x00, 0x80,                        \
      "-2147483647", "-2147483646", "-2147483645")
/* clang-format on */

#define CODE_LENGTH 11

struct vector {
    const char *term;
    uint8_t code[CODE_LENGTH];
    const char *results[3]; /* of fn(1), fn(2), fn(3) */
    const char *output;
};

#define VECTOR(name, term, b0, b1, b2, b3, r1, r2, r3)           \
    {term,                                                       \
     {0x48, 0xc7, 0xc0, b0, b1, b2, b3, 0x48, 0x01, 0xf8, 0xc3}, \
     {r1, r2, r3},                                               \
     r1 " " r2 " " r3 "\n"},

static const struct vector vectors[] = {VECTORS(VECTOR)};

#define VECTOR_COUNT (sizeof vectors / sizeof *vectors)

/* The stages of a whole run of the baby JIT at -O0. */
static const char whole_run[] =
    "start map 11*write protect enter 3*step leave enter 3*step leave "
    "enter 3*step leave output unmap exit";

/* Each line of babyjit.c that stores a byte. */
static const struct {
    int line;
    const char *text;
} stores[CODE_LENGTH] = {
    {74, "code[0] = 0x48;"},
    {75, "code[1] = 0xc7;"},
    {76, "code[2] = 0xc0;"},
    {77, "code[3] = (uint8_t)imm;"},
    {78, "code[4] = (uint8_t)(imm >> 8);"},
    {79, "code[5] = (uint8_t)(imm >> 16);"},
    {80, "code[6] = (uint8_t)(imm >> 24);"},
    {82, "code[7] = 0x48;"},
    {83, "code[8] = 0x01;"},
    {84, "code[9] = 0xf8;"},
    {86, "code[10] = 0xc3;"},
};

static void expect_text(struct buf *got, const char *expected, const char *what)
{
    cr_assert(eq(str, (char *)buf_text(got), (char *)expected), "%s", what);
}

/* --- exact bytes and results --------------------------------------------- */

/* The bytes as they were stored, one after the other. */
static void check_stores(const struct store *store, const struct vector *vector)
{
    const struct event *map = nth(store, EVENT_MAP, 0);

    cr_assert(eq(sz, count(store, EVENT_WRITE), CODE_LENGTH));
    for (size_t i = 0; i < CODE_LENGTH; i++) {
        const struct event *event = nth(store, EVENT_WRITE, i);

        cr_assert(eq(u64, event->write.offset, i));
        cr_assert(eq(u64, event->write.addr, map->map.addr + i));
        cr_assert(eq(mem, mem_of(event->write.old), mem("", 1)));
        cr_assert(eq(sz, event->write.new.len, 1), "code[%zu]", i);
        cr_assert(eq(u8, event->write.new.data[0], vector->code[i]),
                  "term %s, code[%zu]", vector->term, i);
    }
}

/* The three results, that of fn(3) first. */
static void check_results(const struct store *store,
                          const struct vector *vector)
{
    cr_assert(eq(sz, count(store, EVENT_ENTER), 3));
    cr_assert(eq(sz, count(store, EVENT_LEAVE), 3));
    for (unsigned i = 0; i < 3; i++) {
        const struct event *enter = nth(store, EVENT_ENTER, i);
        const struct event *leave = nth(store, EVENT_LEAVE, i);

        cr_assert(eq(str, (char *)enter->enter.how, "call"));
        cr_assert(eq(str, (char *)leave->leave.how, "return"));
        cr_assert(eq(u64, enter->enter.regs.value[X86_RDI], 3 - i));
        cr_assert(eq(int, leave->leave.value.known, 1));
        cr_assert(eq(i32, (int32_t)leave->leave.value.value,
                     (int32_t)atol(vector->results[2 - i])),
                  "fn(%u)", 3 - i);
    }
}

static void check_code(const struct store *store, const struct vector *vector)
{
    const struct event *protect = nth(store, EVENT_PROTECT, 0);

    cr_assert(ne(ptr, (void *)protect, NULL));
    cr_assert(
        eq(mem, mem_of(protect->protect.code), mem(vector->code, CODE_LENGTH)));
    cr_assert(eq(u64, protect->protect.code_offset, 0));
    for (size_t i = 0; i < count(store, EVENT_ENTER); i++)
        cr_assert(eq(mem, mem_of(nth(store, EVENT_ENTER, i)->enter.code),
                     mem(vector->code, CODE_LENGTH)));
}

/* One run with one term of a program that stores byte by byte. */
static void check_run(const char *const *argv, const struct vector *vector)
{
    struct store store;
    struct result result;
    const struct event *output;

    trace(&(struct job){.argv = argv}, &store, &result);
    cr_assert(eq(int, result.status, 0));
    expect_kinds(&store, whole_run);
    check_stores(&store, vector);
    check_code(&store, vector);
    check_results(&store, vector);
    check_registers(&store);
    expect_text(&result.out, vector->output, "what the program printed");
    expect_text(&result.err, "", "standard error");
    output = nth(&store, EVENT_OUTPUT, 0);
    cr_assert(eq(mem, mem_of(output->output.bytes),
                 mem(vector->output, strlen(vector->output))));
    result_release(&result);
    store_release(&store);
}

/* A named test for each vector. */
#define NUMBER(name, ...) VECTOR_##name,
enum { VECTORS(NUMBER) };

#define TEST_VECTOR(name, ...)                                 \
    Test(babyjit, term_##name)                                 \
    {                                                          \
        const struct vector *vector = &vectors[VECTOR_##name]; \
                                                               \
        check_run(ARGS(vector->term), vector);                 \
    }
VECTORS(TEST_VECTOR)

/* --- what other tools say ------------------------------------------------ */

/* Runs a command that must succeed and keeps what it printed. */
static void ask(const char *const *argv, const char *in, struct buf *out)
{
    struct result result;

    run(&(struct job){.argv = argv, .in = in}, &result);
    cr_assert(eq(int, result.status, 0), "%s: %s", argv[0],
              buf_text(&result.err));
    buf_append(out, result.out.data, result.out.len);
    result_release(&result);
}

/* The generated bytes by --format=raw. */
static void raw_code(const char *term, struct buf *out)
{
    ask(ARGS(JITTRACE, "--format=raw", term), NULL, out);
}

Test(babyjit, nasm_assembles_the_same_bytes)
{
    const char *file = scratch(".bin");
    char define[32];

    for (size_t i = 0; i < VECTOR_COUNT; i++) {
        struct buf assembled = {0}, raw = {0}, ignored = {0};

        snprintf(define, sizeof define, "-DTERM=%s", vectors[i].term);
        ask(ARGS("nasm", "-f", "bin", define, "-o", file,
                 "lessons/06-babyjit/adder.asm"),
            NULL, &ignored);
        read_file(file, &assembled);
        raw_code(vectors[i].term, &raw);
        cr_assert(
            eq(mem, mem(raw.data, raw.len), mem(assembled.data, assembled.len)),
            "term %s", vectors[i].term);
        buf_release(&assembled);
        buf_release(&raw);
        buf_release(&ignored);
    }
    unlink(file);
}

/* The text trace shows the line that xxd -g1 makes of the same bytes. */
Test(babyjit, xxd_dumps_the_same_line)
{
    const char *file = scratch(".raw");

    for (size_t i = 0; i < VECTOR_COUNT; i++) {
        struct buf raw = {0}, dump = {0}, text = {0}, line = {0};

        raw_code(vectors[i].term, &raw);
        write_file(file, raw.data, raw.len, 0600);
        ask(ARGS("xxd", "-g1"), file, &dump);
        ask(ARGS(JITTRACE, vectors[i].term), NULL, &text);
        buf_printf(&line, "\n%s", buf_text(&dump));
        cr_assert(eq(sz, count_lines(buf_text(&dump)), 1));
        cr_assert(contains(buf_text(&text), buf_text(&line)),
                  "term %s: no line %s in %s", vectors[i].term, buf_text(&dump),
                  buf_text(&text));
        buf_release(&raw);
        buf_release(&dump);
        buf_release(&text);
        buf_release(&line);
    }
    unlink(file);
}

/* The steps as objdump writes instructions: "48 01 f8 add". */
static void list_steps(const struct store *store, struct buf *list,
                       struct buf *code)
{
    for (size_t i = 0; i < count(store, EVENT_STEP); i++) {
        const struct event *event = nth(store, EVENT_STEP, i);

        hex(event->step.bytes, list);
        buf_printf(list, " %.*s\n", (int)strcspn(event->step.text, " "),
                   event->step.text);
        buf_append(code, event->step.bytes.data, event->step.bytes.len);
    }
}

/* The same of what objdump prints: "   7:\t48 01 f8  \tadd    rax,rdi". */
static void list_disassembly(char *text, struct buf *list)
{
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        char *bytes = strchr(line, '\t');
        char *name = bytes ? strchr(bytes + 1, '\t') : NULL;
        char *end = name;

        if (!name)
            continue;
        while (end[-1] == ' ')
            end--;
        buf_printf(list, "%.*s %.*s\n", (int)(end - bytes - 1), bytes + 1,
                   (int)strcspn(name + 1, " "), name + 1);
    }
}

/* All steps in a row, disassembled by objdump: the same lengths and names. */
Test(babyjit, objdump_agrees_on_every_step)
{
    const char *file = scratch(".steps");

    for (size_t i = 0; i < VECTOR_COUNT; i++) {
        struct buf steps = {0}, code = {0}, text = {0}, theirs = {0};
        struct store store;
        struct result result;

        trace(&(struct job){.argv = ARGS(vectors[i].term)}, &store, &result);
        list_steps(&store, &steps, &code);
        cr_assert(eq(sz, count_lines(buf_text(&steps)), 9));
        write_file(file, code.data, code.len, 0600);
        ask(ARGS("objdump", "-D", "-b", "binary", "-m", "i386:x86-64", "-M",
                 "intel", "--insn-width=16", file),
            NULL, &text);
        list_disassembly((char *)buf_text(&text), &theirs);
        expect_text(&steps, buf_text(&theirs), vectors[i].term);
        buf_release(&steps);
        buf_release(&code);
        buf_release(&text);
        buf_release(&theirs);
        result_release(&result);
        store_release(&store);
    }
    unlink(file);
}

/* --- the stages, one by one ---------------------------------------------- */

static const struct vector *const minus_four = &vectors[VECTOR_minus_four];

Test(babyjit, start_tells_of_the_process)
{
    struct store store;
    struct result result;
    const struct event *start;

    trace(&(struct job){.argv = ARGS("-4")}, &store, &result);
    start = nth(&store, EVENT_START, 0);
    cr_assert(eq(u64, start->start.page_size, (uint64_t)getpagesize()));
    cr_assert(eq(str, (char *)start->start.arch, "x86_64"));
    cr_assert(eq(sz, start->start.argv.count, 2));
    cr_assert(eq(str, (char *)start->start.argv.list[0], "babyjit"));
    cr_assert(eq(str, (char *)start->start.argv.list[1], "-4"));
    cr_assert(lt(i64, 1, start->start.pid));
    result_release(&result);
    store_release(&store);
}

/* "START-END PROT ...": the range holds addr and the rest begins with prot. */
static void check_maps_line(const char *line, uint64_t addr, const char *prot)
{
    uint64_t start, end;
    char found[5] = "";

    cr_assert(
        eq(int,
           sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &start, &end, found), 3),
        "%s", line);
    cr_assert(le(u64, start, addr), "%s", line);
    cr_assert(lt(u64, addr, end), "%s", line);
    cr_assert(eq(str, found, (char *)prot));
}

Test(babyjit, the_page_is_mapped_then_turned_executable)
{
    struct store store;
    struct result result;
    const struct event *map, *protect;
    uint64_t size = (uint64_t)getpagesize();

    trace(&(struct job){.argv = ARGS("-4")}, &store, &result);
    map = nth(&store, EVENT_MAP, 0);
    cr_assert(eq(u64, map->map.length, size));
    cr_assert(eq(u64, map->map.addr % size, 0));
    cr_assert(eq(u32, map->map.prot, PROT_READ | PROT_WRITE));
    cr_assert(eq(str, (char *)map->map.flags, "MAP_PRIVATE|MAP_ANONYMOUS"));
    cr_assert(eq(str, (char *)map->map.backing, "anonymous"));
    check_maps_line(map->map.maps, map->map.addr, "rw-p");
    protect = nth(&store, EVENT_PROTECT, 0);
    cr_assert(eq(u64, protect->protect.addr, map->map.addr));
    cr_assert(eq(u64, protect->protect.length, size));
    cr_assert(eq(u32, protect->protect.old_prot, PROT_READ | PROT_WRITE));
    cr_assert(eq(u32, protect->protect.prot, PROT_READ | PROT_EXEC));
    check_maps_line(protect->protect.maps, map->map.addr, "r-xp");
    result_release(&result);
    store_release(&store);
}

/* Each store has the line of the source that made it, and no other has. */
static void check_store_lines(const struct store *store)
{
    for (size_t i = 0; i < CODE_LENGTH; i++) {
        const struct event *event = nth(store, EVENT_WRITE, i);
        const char *text = event->source.text;

        cr_assert(eq(str, (char *)event->source.file, "babyjit.c"));
        cr_assert(eq(int, event->source.line, stores[i].line));
        cr_assert(ne(ptr, (void *)text, NULL), "code[%zu]", i);
        cr_assert(
            eq(int, strncmp(text, stores[i].text, strlen(stores[i].text)), 0),
            "'%s', not '%s'", text, stores[i].text);
        cr_assert(eq(ptr, (void *)event->write.by, NULL));
    }
}

Test(babyjit, every_store_has_its_line_of_source)
{
    struct store store;
    struct result result;

    trace(&(struct job){.argv = ARGS("0")}, &store, &result);
    check_store_lines(&store);
    result_release(&result);
    store_release(&store);
    trace(&(struct job){.argv = ARGS("--", TRACEE("babyjit-O0"), "0")}, &store,
          &result);
    check_store_lines(&store);
    result_release(&result);
    store_release(&store);
}

/* What the enter event says, against the instructions that follow. */
Test(babyjit, a_call_tells_all_registers)
{
    struct store store;
    struct result result;
    const struct event *enter, *ret, *map;
    uint64_t top = 0;

    trace(&(struct job){.argv = ARGS("-4")}, &store, &result);
    map = nth(&store, EVENT_MAP, 0);
    for (size_t i = 0; i < 3; i++) {
        enter = nth(&store, EVENT_ENTER, i);
        ret = nth(&store, EVENT_STEP, 3 * i + 2);
        cr_assert(eq(u64, enter->enter.regs.value[X86_RIP], map->map.addr));
        cr_assert(eq(u64, enter->enter.addr, map->map.addr));
        cr_assert(eq(u64, enter->enter.offset, 0));
        cr_assert(eq(int, enter->enter.return_to.known, 1));
        /* psABI 3.2.2: at entry rsp + 8 is a multiple of 16. */
        cr_assert(eq(u64, (enter->enter.regs.value[X86_RSP] + 8) % 16, 0));
        cr_assert(ne(u64, enter->enter.regs.value[X86_FS_BASE], 0));
        /* ret reads the return address where rsp pointed at the entry. */
        cr_assert(eq(sz, ret->step.reads.count, 1));
        cr_assert(eq(u64, ret->step.reads.list[0].addr,
                     enter->enter.regs.value[X86_RSP]));
        cr_assert(eq(sz, ret->step.reads.list[0].old_bytes.len, 8));
        memcpy(&top, ret->step.reads.list[0].old_bytes.data, 8);
        cr_assert(eq(u64, top, enter->enter.return_to.value));
        cr_assert(eq(u64, ret->step.next, top));
    }
    result_release(&result);
    store_release(&store);
}

/* --- other builds -------------------------------------------------------- */

#define TEST_BUILD(name, file)                                 \
    Test(babyjit, build_##name)                                \
    {                                                          \
        check_run(ARGS("--", TRACEE(file), "-4"), minus_four); \
        check_run(ARGS("--", TRACEE(file), "2147483647"),      \
                  &vectors[VECTOR_max_int32]);                 \
    }
TEST_BUILD(O0, "babyjit-O0")
TEST_BUILD(static, "babyjit-static")
TEST_BUILD(no_pie, "babyjit-no-pie")

/* Puts the stores together; each byte must be stored once. */
static void unite_stores(const struct store *store, uint8_t *code)
{
    bool stored[CODE_LENGTH] = {false};

    for (size_t i = 0; i < count(store, EVENT_WRITE); i++) {
        const struct event_write *write = &nth(store, EVENT_WRITE, i)->write;

        for (size_t k = 0; k < write->new.len; k++) {
            uint64_t at = write->offset + k;

            cr_assert(lt(u64, at, CODE_LENGTH));
            cr_assert(eq(int, stored[at], 0), "byte %d twice", (int)at);
            cr_assert(eq(u8, write->old.data[k], 0));
            stored[at] = true;
            code[at] = write->new.data[k];
        }
    }
    for (size_t i = 0; i < CODE_LENGTH; i++)
        cr_assert(eq(int, stored[i], 1), "byte %zu never", i);
}

#define TEST_O2(name, ...)                                                    \
    Test(babyjit, merged_stores_##name)                                       \
    {                                                                         \
        const struct vector *vector = &vectors[VECTOR_##name];                \
        uint8_t code[CODE_LENGTH] = {0};                                      \
        struct store store;                                                   \
        struct result result;                                                 \
                                                                              \
        trace(&(struct job){.argv = ARGS("--", TRACEE("babyjit-O2"),          \
                                         vector->term)},                      \
              &store, &result);                                               \
        cr_assert(eq(int, result.status, 0));                                 \
        cr_assert(eq(sz, count(&store, EVENT_WRITE), 4));                     \
        unite_stores(&store, code);                                           \
        cr_assert(                                                            \
            eq(mem, mem(code, CODE_LENGTH), mem(vector->code, CODE_LENGTH))); \
        check_code(&store, vector);                                           \
        check_results(&store, vector);                                        \
        check_registers(&store);                                              \
        expect_text(&result.out, vector->output, "standard output");          \
        result_release(&result);                                              \
        store_release(&store);                                                \
    }
TEST_O2(zero)
TEST_O2(minus_four)
TEST_O2(four_digits)
TEST_O2(min_int32)

/* The width that "mov WORD PTR [rbx],ax" stores to memory, or 0. */
static size_t stored_width(const char *insn)
{
    static const struct {
        const char *name;
        size_t bytes;
    } widths[] = {{"BYTE", 1}, {"WORD", 2}, {"DWORD", 4}, {"QWORD", 8}};
    char width[8] = "", base[8] = "";

    if (sscanf(insn, "mov %7s PTR [%3s", width, base) != 2 ||
        !strcmp(base, "rsp") || !strcmp(base, "rip"))
        return 0;
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
        if (!strcmp(width, widths[i].name))
            return widths[i].bytes;
    return 0;
}

/*
 * All stores that objdump finds between the first and the last that were seen,
 * in the order of their addresses: "11ac 1".
 */
static void list_store_insns(char *text, uint64_t from, uint64_t to,
                             struct buf *list)
{
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        char *insn = strchr(line, '\t');
        uint64_t addr;

        if (!insn || sscanf(line, " %" SCNx64 ":", &addr) != 1 || addr < from ||
            addr > to || !stored_width(insn + 1))
            continue;
        buf_printf(list, "%" PRIx64 " %zu\n", addr, stored_width(insn + 1));
    }
}

/* The ELF entry point of a file: the 8 bytes at offset 24 (elf(5)). */
static uint64_t entry_of(const char *file)
{
    struct buf elf = {0};
    uint64_t entry;

    read_file(file, &elf);
    memcpy(&entry, elf.data + 24, sizeof entry);
    buf_release(&elf);
    return entry;
}

Test(babyjit, merged_stores_come_in_the_order_of_the_program)
{
    struct buf seen = {0}, text = {0}, theirs = {0};
    struct store store;
    struct result result;
    uint64_t base, first = 0, last = 0;

    trace(&(struct job){.argv = ARGS("--", TRACEE("babyjit-O2"), "-4")}, &store,
          &result);
    base = nth(&store, EVENT_START, 0)->start.entry -
           entry_of(TRACEE("babyjit-O2"));
    for (size_t i = 0; i < count(&store, EVENT_WRITE); i++) {
        const struct event_write *write = &nth(&store, EVENT_WRITE, i)->write;

        last = write->pc - base;
        first = i ? first : last;
        buf_printf(&seen, "%" PRIx64 " %zu\n", last, write->new.len);
    }
    ask(ARGS("objdump", "-d", "-M", "intel", "--no-show-raw-insn",
             TRACEE("babyjit-O2")),
        NULL, &text);
    list_store_insns((char *)buf_text(&text), first, last, &theirs);
    cr_assert(eq(sz, count_lines(buf_text(&seen)), 4));
    expect_text(&seen, buf_text(&theirs), "stores");
    buf_release(&seen);
    buf_release(&text);
    buf_release(&theirs);
    result_release(&result);
    store_release(&store);
}

/* --- every trace is valid ------------------------------------------------ */

Test(babyjit, traces_keep_the_schema)
{
    static const char *const runs[][4] = {
        {"0"},
        {"-2147483648"},
        {"--", TRACEE("babyjit-O2"), "1"},
        {"--", TRACEE("babyjit-O0"), "abc"},
        {"--", TRACEE("rwx")},
        {"--", TRACEE("two_functions")},
        {"--", TRACEE("handler")},
        {"--", TRACEE("read_into")},
        {"--", TRACEE("fork")},
        {"--", TRACEE("crash")},
        {"--", "/bin/sh", "-c", "echo no code at all"},
    };
    enum { RUNS = sizeof runs / sizeof *runs };
    const char *argv[3 + RUNS + 1] = {"/usr/bin/python3",
                                      "tests/validate_trace.py",
                                      "docs/trace.schema.json"};
    char names[RUNS][256];
    struct buf ignored = {0};

    for (size_t i = 0; i < RUNS; i++) {
        const char *arguments[5] = {runs[i][0], runs[i][1], runs[i][2],
                                    runs[i][3], NULL};
        struct store store;
        struct result result;
        char suffix[32];

        snprintf(suffix, sizeof suffix, "-%zu.jsonl", i);
        snprintf(names[i], sizeof names[i], "%s", scratch(suffix));
        trace_to(names[i], &(struct job){.argv = arguments}, &store, &result);
        result_release(&result);
        store_release(&store);
        argv[3 + i] = names[i];
    }
    ask(argv, NULL, &ignored);
    buf_release(&ignored);
    for (size_t i = 0; i < RUNS; i++)
        unlink(names[i]);
}

/* --- the same as without a tracer ---------------------------------------- */

Test(babyjit, the_program_does_not_notice)
{
    static const char *const terms[] = {"1", "-4", "abc", "", NULL};
    static const char *const outputs[] = {NULL, CLOSED, "/dev/full"};

    for (size_t t = 0; t < 5; t++) {
        for (size_t o = 0; o < 3; o++) {
            struct store store;

            compare(&(struct job){.argv = ARGS(TRACEE("babyjit-O0"), terms[t]),
                                  .out = outputs[o]},
                    &store);
            store_release(&store);
        }
    }
}

Test(babyjit, the_program_does_not_notice_on_a_terminal)
{
    struct store store;

    compare(
        &(struct job){.argv = ARGS(TRACEE("babyjit-O0"), "-4"), .tty = true},
        &store);
    store_release(&store);
}

/* What a shell could have set up before it starts jittrace. */
static int surroundings(void)
{
    cpu_set_t one;
    sigset_t blocked;

    signal(SIGINT, SIG_IGN);
    signal(SIGTERM, SIG_IGN);
    signal(SIGUSR1, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_IGN);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGHUP);
    sigaddset(&blocked, SIGUSR2);
    sigaddset(&blocked, SIGCHLD);
    sigaddset(&blocked, SIGRTMIN + 3);
    if (sigprocmask(SIG_SETMASK, &blocked, NULL) < 0)
        return -1;
    if (open("/dev/null", O_RDONLY) < 0 || dup2(0, 17) < 0)
        return -1;
    umask(027);
    if (sched_getaffinity(0, sizeof one, &one) < 0)
        return -1;
    for (int i = CPU_SETSIZE - 1; i >= 0 && CPU_COUNT(&one) > 2; i--)
        CPU_CLR((unsigned)i, &one);
    return sched_setaffinity(0, sizeof one, &one);
}

Test(babyjit, nothing_inherited_is_changed)
{
    static const char *const env[] = {"JITTRACE_TEST=1 2 3",
                                      "DEBUGINFOD_URLS=http://127.0.0.1:1",
                                      "NO_COLOR=", "PATH", NULL};
    const char *const *argv =
        ARGS(TRACEE("inherit"), "", "-4", "--help", "a b", "\xff");
    struct store store;

    compare(&(struct job){.argv = argv}, &store);
    store_release(&store);
    compare(&(struct job){.argv = argv, .prepare = surroundings}, &store);
    store_release(&store);
    compare(&(struct job){.argv = argv, .in = CLOSED, .err = CLOSED}, &store);
    store_release(&store);
    compare(&(struct job){.argv = argv, .env = env}, &store);
    cr_assert(eq(sz, count(&store, EVENT_ENTER), 1));
    store_release(&store);
}

/* --- programs on the rack ------------------------------------------------ */

/* The same for a tracee without arguments that keeps to all budgets. */
static void compare_unlimited(const char *file, struct store *store)
{
    compare(&(struct job){.argv = ARGS(file)}, store);
    cr_assert(eq(sz, count(store, EVENT_LIMIT), 0), "%s",
              count(store, EVENT_LIMIT) ? nth(store, EVENT_LIMIT, 0)->limit.text
                                        : "");
}

Test(babyjit, writable_and_executable_at_once)
{
    struct store store;
    const struct event *rewrite;

    compare_unlimited(TRACEE("rwx"), &store);
    expect_kinds(&store, "start map 6*write enter 2*step leave write "
                         "enter 2*step leave output exit");
    cr_assert(eq(u32, nth(&store, EVENT_MAP, 0)->map.prot,
                 PROT_READ | PROT_WRITE | PROT_EXEC));
    check_maps_line(nth(&store, EVENT_MAP, 0)->map.maps,
                    nth(&store, EVENT_MAP, 0)->map.addr, "rwxp");
    rewrite = nth(&store, EVENT_WRITE, 6);
    cr_assert(eq(u64, rewrite->write.offset, 1));
    cr_assert(eq(mem, mem_of(rewrite->write.old), mem("\1", 1)));
    cr_assert(eq(mem, mem_of(rewrite->write.new), mem("\2", 1)));
    cr_assert(eq(u64, nth(&store, EVENT_LEAVE, 0)->leave.value.value, 1));
    cr_assert(eq(u64, nth(&store, EVENT_LEAVE, 1)->leave.value.value, 2));
    cr_assert(eq(mem, mem_of(nth(&store, EVENT_ENTER, 1)->enter.code),
                 mem("\xb8\2\0\0\0\xc3", 6)));
    store_release(&store);
}

static void expect_how(const struct store *store, enum event_kind kind,
                       size_t n, const char *how, uint64_t offset)
{
    const struct event *event = nth(store, kind, n);

    cr_assert(ne(ptr, (void *)event, NULL));
    if (kind == EVENT_ENTER) {
        cr_assert(eq(str, (char *)event->enter.how, (char *)how));
        cr_assert(eq(u64, event->enter.offset, offset));
    } else {
        cr_assert(eq(str, (char *)event->leave.how, (char *)how));
    }
}

Test(babyjit, two_functions_and_a_call_back_into_c)
{
    struct store store;

    compare_unlimited(TRACEE("two_functions"), &store);
    cr_assert(eq(sz, count(&store, EVENT_ENTER), 4));
    cr_assert(eq(sz, count(&store, EVENT_LEAVE), 4));
    /* outer: 4 steps, the C function, 3 steps; inner: 2; both: 4 + 2 + 3 */
    cr_assert(eq(sz, count(&store, EVENT_STEP), 4 + 3 + 2 + 9));
    expect_how(&store, EVENT_ENTER, 0, "call", 0);
    expect_how(&store, EVENT_LEAVE, 0, "call", 0);
    expect_how(&store, EVENT_ENTER, 1, "return", 14);
    expect_how(&store, EVENT_LEAVE, 1, "return", 0);
    expect_how(&store, EVENT_ENTER, 2, "call", 32);
    expect_how(&store, EVENT_LEAVE, 2, "return", 0);
    expect_how(&store, EVENT_ENTER, 3, "call", 0);
    expect_how(&store, EVENT_LEAVE, 3, "return", 0);
    cr_assert(eq(u64, nth(&store, EVENT_LEAVE, 1)->leave.value.value, 41));
    cr_assert(eq(u64, nth(&store, EVENT_LEAVE, 2)->leave.value.value, 10));
    cr_assert(eq(u64, nth(&store, EVENT_LEAVE, 3)->leave.value.value, 41));
    store_release(&store);
}

Test(babyjit, a_program_that_handles_its_own_faults)
{
    struct store store;
    const struct event *signals[2];

    compare_unlimited(TRACEE("handler"), &store);
    cr_assert(eq(sz, count(&store, EVENT_SIGNAL), 2));
    for (size_t i = 0; i < 2; i++) {
        signals[i] = nth(&store, EVENT_SIGNAL, i);
        cr_assert(eq(str, (char *)signals[i]->signal.name, "SIGSEGV"));
        cr_assert(eq(i64, signals[i]->signal.code, SEGV_ACCERR));
        cr_assert(eq(u64, signals[i]->signal.addr.value % 4096, 24));
        cr_assert(eq(str, (char *)signals[i]->signal.access, "write"));
    }
    cr_assert(
        eq(u64, signals[0]->signal.addr.value, signals[1]->signal.addr.value));
    expect_how(&store, EVENT_ENTER, 0, "call", 0);
    expect_how(&store, EVENT_LEAVE, 0, "signal", 0);
    expect_how(&store, EVENT_ENTER, 1, "return", 0);
    expect_how(&store, EVENT_LEAVE, 1, "return", 0);
    store_release(&store);
}

Test(babyjit, the_kernel_stores_code_too)
{
    struct store store;
    const struct event *write;

    compare_unlimited(TRACEE("read_into"), &store);
    cr_assert(eq(sz, count(&store, EVENT_WRITE), 2));
    write = nth(&store, EVENT_WRITE, 0);
    cr_assert(eq(str, (char *)write->write.by, "read"));
    cr_assert(eq(u64, write->write.offset, 0));
    cr_assert(eq(mem, mem_of(write->write.new), mem("\xb8\7\0\0\0", 5)));
    write = nth(&store, EVENT_WRITE, 1);
    cr_assert(eq(str, (char *)write->write.by, "readv"));
    cr_assert(eq(u64, write->write.offset, 5));
    cr_assert(eq(mem, mem_of(write->write.new), mem("\xc3", 1)));
    store_release(&store);
}

/* Races show now and then only, so it runs a few times. */
Test(babyjit, threads_share_the_code)
{
    for (int i = 0; i < 10; i++) {
        struct store store;

        compare(&(struct job){.argv = ARGS(TRACEE("threads"))}, &store);
        cr_assert(eq(sz, count(&store, EVENT_LIMIT), 0));
        cr_assert(ge(sz, count(&store, EVENT_ENTER), 1));
        cr_assert(eq(sz, count(&store, EVENT_SIGNAL), 0));
        store_release(&store);
    }
}

Test(babyjit, a_forked_child_is_free_of_guards)
{
    struct store store;

    compare(&(struct job){.argv = ARGS(TRACEE("fork"))}, &store);
    cr_assert(eq(sz, count(&store, EVENT_LIMIT), 1));
    cr_assert(
        eq(str, (char *)nth(&store, EVENT_LIMIT, 0)->limit.budget, "fork"));
    cr_assert(eq(sz, count(&store, EVENT_LEAVE), 1));
    cr_assert(eq(u64, nth(&store, EVENT_LEAVE, 0)->leave.value.value, 5));
    for (size_t i = 0; i < count(&store, EVENT_SIGNAL); i++)
        cr_assert(eq(str, (char *)nth(&store, EVENT_SIGNAL, i)->signal.name,
                     "SIGCHLD"));
    store_release(&store);
}

Test(babyjit, signals_arrive_while_code_runs)
{
    struct store store;
    size_t interrupted = 0;

    compare_unlimited(TRACEE("alarm"), &store);
    cr_assert(ge(sz, count(&store, EVENT_SIGNAL), 3));
    for (size_t i = 0; i < count(&store, EVENT_LEAVE); i++) {
        const struct event *leave = nth(&store, EVENT_LEAVE, i);
        const struct event *back = nth(&store, EVENT_ENTER, i + 1);

        if (strcmp(leave->leave.how, "signal") != 0)
            continue;
        interrupted++;
        cr_assert(ne(ptr, (void *)back, NULL));
        cr_assert(eq(str, (char *)back->enter.how, "return"));
    }
    cr_assert(ge(sz, interrupted, 1), "no signal came while code ran");
    store_release(&store);
}

/* Nothing that the program can read says that it is being stepped. */
Test(babyjit, the_trap_flag_does_not_show)
{
    struct store store;

    compare_unlimited(TRACEE("pushf"), &store);
    cr_assert(eq(sz, count(&store, EVENT_STEP), 3 + 5 + 4));
    for (size_t i = 0; i < 3; i++)
        cr_assert(
            eq(u64, nth(&store, EVENT_LEAVE, i)->leave.value.value & 0x100, 0));
    for (size_t i = 0; i < count(&store, EVENT_STEP); i++) {
        const struct event_step *step = &nth(&store, EVENT_STEP, i)->step;

        if (strncmp(step->text, "pushf", 5) != 0)
            continue;
        cr_assert(eq(sz, step->writes.count, 1));
        cr_assert(eq(u8, step->writes.list[0].new_bytes.data[1] & 1, 0));
    }
    store_release(&store);
}

Test(babyjit, code_that_crashes)
{
    struct store store;
    const struct event *signal, *exit;

    compare_unlimited(TRACEE("crash"), &store);
    signal = nth(&store, EVENT_SIGNAL, 0);
    cr_assert(eq(str, (char *)signal->signal.name, "SIGILL"));
    cr_assert(
        eq(u64, signal->signal.pc.value, nth(&store, EVENT_MAP, 0)->map.addr));
    exit = nth(&store, EVENT_EXIT, 0);
    cr_assert(eq(int, exit->exit.status.known, 0));
    cr_assert(eq(u64, exit->exit.signal.value, SIGILL));
    store_release(&store);
}
