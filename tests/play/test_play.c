/* SPDX-License-Identifier: MIT */
/*
 * `jittrace --play`: lines go in; fields, steps and states come out.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sysexits.h>
#include <unistd.h>

#include "play/assemble.h"
#include "play/prompt.h"
#include "support/refuse.h"
#include "support/support.h"
#include "support/terminal.h"

TestSuite(play, .timeout = 120);

/* --- line by line -------------------------------------------------------- */

/* Runs a script; env as in struct job. */
static void play_with(const char *script, const char *const *env,
                      struct result *result)
{
    run_typing(&(struct job){.argv = ARGS(JITTRACE, "--play"),
                             .env = env,
                             .seconds = 60},
               script, result);
}

/* A script, and what its transcript must have, in this order. */
struct expected {
    const char *script;
    const char *parts[6]; /* ended by NULL */
};

static void expect(const struct expected *expected)
{
    struct result result;

    play_with(expected->script, NULL, &result);
    cr_assert(eq(int, result.status, 0), "%s%s", expected->script,
              buf_text(&result.out));
    expect_in_order(&result.out, expected->parts);
    result_release(&result);
}

static void expect_all(const struct expected *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        expect(&list[i]);
}

#define EXPECT(...)                                             \
    expect_all((const struct expected[]){__VA_ARGS__},          \
               sizeof((const struct expected[]){__VA_ARGS__}) / \
                   sizeof(struct expected))

Test(play, shows_fields_and_registers)
{
    EXPECT({"mov rax, -4\nadd rax, 10\n",
            {"+0   48            c7         c0           fc ff ff ff\n",
             "     = mov rax, -4\n", "rax 0x0 -> 0xfffffffffffffffc\n",
             "rax = -4 + 10 = 6\n",
             "rax 0xfffffffffffffffc -> 0x6  flags none -> CF PF AF\n"}},
           {"48 c7 c0 05 00 00 00\n48C7C3FFFFFFFF\n0x48, 0x01, 0xd8\n",
            {"= mov rax, 5\n", "rax 0x0 -> 0x5", "= mov rbx, -1\n",
             "rax = 5 + -1 = 4"}},
           {"cpuid\nmov ss, ax\n; a comment\nmov eax, ss\nnop\n",
            {"rbx 0x0 -> ", "mov eax, ss"}},
           {"mov rax, 5\n", {"mov eax, 5 is the shorter form"}},
           {"push 7\npop rbx\n", {"pushes 7", "rbx 0x0 -> 0x7"}},
           {"mov qword [data], 0x1234\n:mem\nmov rdx, [data]\n",
            {"stores 4660 at 0x20000000 (8 bytes)\n", "20000000: 34 12 00 00",
             "rdx 0x0 -> 0x1234"}},
           {"mov rax, 0x4004000000000000\nmovq xmm1, rax\nmulsd xmm1, xmm1\n",
            {"xmm1 = 2.5 * 2.5 = 6.25"}});
}

Test(play, runs_jumps_and_labels)
{
    EXPECT({"mov ecx, 3; L: dec ecx; jnz L\n:regs\n",
            {"taken, because ZF is 0", "not taken, because ZF is 1", "rcx = 0",
             "flags PF ZF"}},
           {"xor eax, eax; jz skip; mov eax, 1; mov ebx, 2; skip: inc eax\n",
            {"taken, because ZF is 1", "rax 0x0 -> 0x1"}},
           {"jmp short $+4; ud2; mov al, 1\n", {"rax 0x0 -> 0x1"}},
           {"call f; jmp e; f: mov eax, 7; ret; e:\n:regs\n",
            {"rax 0x0 -> 0x7", "rsp = 0x30001ef8"}},
           {"mov ecx, 100; L: loop L\n", {"...  69 more instructions"}},
           {"jmp e; db 'a;b'; e: inc eax\n", {"rax 0x0 -> 0x1"}});
}

Test(play, keeps_and_takes_back)
{
    EXPECT(
        {":regs rax=5 rdi=-4 r9=0x10 ZF=1\nadd rax, rdi\n:regs\n",
         {"rax = 5", "r9 = 16", "flags ZF\n", "rax = 5 + -4 = 1", "rax = 1  "}},
        {"mov al, 1\nmov al, 2\nundo\n:undo\n:regs\n",
         {"rax = 1 ", "rax = 0 ", "rax = 0 "}},
        {":regs rax=5\nundo\n", {"rax = 5 ", "rax = 0 "}},
        {"mov al, 1\nud2\n:regs\n", {"rax = 1 "}},
        {"mov byte [data], 9\nmov byte [data], 8; ud2\n:mem\n",
         {"20000000: 09 00"}},
        {"mov al, 1\n:reset\n:list\n:regs\n", {"no code yet", "rax = 0 "}});
}

/* A line that crashes is explained, and what comes after it runs as before. */
Test(play, survives_what_crashes)
{
#define STILL  "\nmov ebx, 9\n"
#define BEFORE "All is as it was before this line.", "rbx 0x0 -> 0x9"
    EXPECT({"mov rax, [0]" STILL, {"a null pointer", "SIGSEGV", BEFORE}},
           {"movaps xmm0, [data+1]" STILL, {"is 1 byte above a multiple"}},
           {"ud2" STILL, {"SIGILL", "ud2 is there to be undefined", BEFORE}},
           {"06" STILL, {"begins no instruction", "SIGILL", BEFORE}},
           {"hlt" STILL, {"hlt is for the kernel only", BEFORE}},
           {"int3" STILL, {"A breakpoint instruction", BEFORE}},
           {"jmp $" STILL,
            {"stopped after 10000 instructions", "may be a loop without an end",
             BEFORE}},
           {"int1" STILL, {"A trap that nobody handles", BEFORE}},
           {"div ecx" STILL, {"Division by zero", BEFORE}},
           {"push 5; ret" STILL, {"A ret went to", BEFORE}},
           {"mov byte [rel $], 0x90" STILL,
            {"wrote to a page that is not writable", BEFORE}},
           {"mov rsp, 8; push rax" STILL, {"SIGSEGV", "push rax", BEFORE}},
           {"jmp 0x8000100" STILL, {"code that is not its own", BEFORE}},
           {"jmp rsp" STILL, {"may not be executed", BEFORE}});
}

Test(play, lets_system_calls_change_nothing_else)
{
    EXPECT({"mov eax, 60; mov edi, 3; syscall" STILL,
            {"The process has ended with status 3.", BEFORE}},
           {"mov eax, 57; syscall" STILL,
            {"stopped before the system call fork (rax = 57)", BEFORE}},
           {"mov eax, 62; mov edi, -1; mov esi, 9; syscall" STILL,
            {"stopped before the system call kill (rax = 62)", BEFORE}},
           {"int 0x80" STILL, {"stopped before the system call", BEFORE}},
           {"mov eax, 34; syscall" STILL, {"stopped after 3 seconds", BEFORE}},
           {"mov dword [data], 0x0a6968\nmov eax, 1; mov edi, eax; "
            "mov esi, data; mov edx, 3; syscall\n",
            {"rax 0x1 -> 0x3", "printed\n", "hi\n"}});
}

Test(play, tells_of_the_trap_flag)
{
    EXPECT({"pushfq; or qword [rsp], 0x100; popfq" STILL,
            {"The trap flag (TF) is set", BEFORE}},
           {"pushfq; or qword [rsp], 0x100; popfq; nop; nop" STILL,
            {"stopped: the program has set the trap flag", BEFORE}});
}

Test(play, returns_to_a_caller)
{
    EXPECT({"mov eax, 42; ret\nret\n:regs\n",
            {"returned to its caller with rax = 42", "with rax = 42",
             "rsp = 0x30001ef8"}});
}

Test(play, says_what_is_wrong)
{
    static const struct {
        const char *script;
        const char *reply;
    } cases[] = {
        {"mov rax", "invalid combination of opcode and operands"},
        {"foo", "'foo' is no instruction"},
        {"48 c7", "more bytes belong to the last instruction"},
        {"c3 48 c7", "more bytes belong to the last instruction"},
        {"jmp L", "symbol `L' not defined"},
        {"times 5000 nop", "5000 bytes, more than a page"},
        {"times 1000000000 nop", "play> "},
        {":foo", "there is no command ':foo'"},
        {"undo", "there is nothing to undo"},
        {":undo 3", "nothing can stand behind :undo"},
        {":regs rax", ":regs takes NAME=NUMBER"},
        {":regs rax=5x", ":regs takes NAME=NUMBER"},
        {":regs rax=1 xyz=3", "there is no register 'xyz'"},
        {":regs rip=3", "there is no register 'rip'"},
        {":regs zf=2", "the flag zf can be 0 or 1"},
        {":mem 5", ":mem takes an address"},
        {":save", ":save takes the name of a file"},
        {":save /nowhere/x", "cannot write to '/nowhere/x'"},
        {"\x1b[31m", "play> \\x1b[31m"},
    };
    struct result result;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        play_with(cases[i].script, NULL, &result);
        cr_assert(contains(buf_text(&result.out), cases[i].reply), "%s: %s",
                  cases[i].script, buf_text(&result.out));
        cr_assert(eq(int, result.status, EX_DATAERR), "%s", cases[i].script);
        cr_assert(
            contains(buf_text(&result.err), "1 line could not be understood"));
        result_release(&result);
    }
}

Test(play, saves_what_ran)
{
    const char *file = scratch(".bin");
    struct buf script = {0}, saved = {0};
    struct result result;
    static const uint8_t code[] = {0x48, 0xc7, 0xc0, 0xfc,
                                   0xff, 0xff, 0xff, 0xc3};

    buf_printf(&script, "mov rax, -4\nud2\nnop\nundo\nret\n:save %s\n", file);
    play_with(buf_text(&script), NULL, &result);
    cr_assert(eq(int, result.status, 0), "%s", buf_text(&result.err));
    read_file(file, &saved);
    cr_assert(eq(sz, saved.len, sizeof code));
    cr_assert(eq(int, memcmp(saved.data, code, sizeof code), 0));
    cr_assert(contains(buf_text(&result.out), "8 bytes are in "));
    unlink(file);
    buf_release(&script);
    buf_release(&saved);
    result_release(&result);
}

static int no_memfd(void)
{
    return refuse(SYS_memfd_create, EPERM);
}

/* What it gives to the process and the process itself are files then. */
Test(play, needs_no_file_in_memory)
{
    struct result result;

    run_typing(
        &(struct job){.argv = ARGS(JITTRACE, "--play"), .prepare = no_memfd},
        "mov rax, 5\n", &result);
    cr_assert(eq(int, result.status, 0), "%s", buf_text(&result.err));
    cr_assert(contains(buf_text(&result.out), "rax 0x0 -> 0x5"));
    result_release(&result);
}

/* --- assemblers ---------------------------------------------------------- */

static int allow_small_files(void)
{
    return setrlimit(RLIMIT_FSIZE, &(struct rlimit){1000, 1000});
}

static int allow_few_files(void)
{
    return setrlimit(RLIMIT_NOFILE, &(struct rlimit){8, 8});
}

/* What is missing is said in one line, and by nobody else. */
Test(play, says_which_limit_it_meets)
{
    static const struct {
        int (*prepare)(void);
        const char *words;
    } limits[] = {
        {allow_small_files, "File too large; raise that limit: ulimit -f"},
        {allow_few_files, "raise that limit: ulimit -n"},
    };
    struct result result;

    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        run_typing(&(struct job){.argv = ARGS(JITTRACE, "--play"),
                                 .prepare = limits[i].prepare},
                   "48 01 f8\n", &result);
        cr_assert(eq(int, result.status, EX_OSERR));
        cr_assert(contains(buf_text(&result.err), limits[i].words), "%s",
                  buf_text(&result.err));
        cr_assert(eq(sz, count_lines(buf_text(&result.err)), 1), "%s",
                  buf_text(&result.err));
        result_release(&result);
    }
}

/* The assembler works elsewhere then. */
Test(play, needs_no_directory_of_its_user)
{
    struct result result;

    play_with("mov rax, -4\n", ARGS("TMPDIR=/nowhere"), &result);
    cr_assert(eq(int, result.status, 0), "%s", buf_text(&result.out));
    cr_assert(contains(buf_text(&result.out), "rax 0x0 -> "));
    result_release(&result);
}

/* Where nasm is not there as stands in, and bytes can always be typed. */
Test(play, says_which_assembler_it_has)
{
    struct buf path = {0}, tool = {0}, to = {0};
    struct result result;
    const char *directory = scratch(".bin");
    static const char *const tools[] = {"as", "objcopy"};
    const char *env[] = {NULL, NULL};
    char absolute[PATH_MAX];

    cr_assert(eq(int, mkdir(directory, 0700), 0));
    buf_printf(&path, "PATH=%s", realpath(directory, absolute));
    env[0] = buf_text(&path);
    play_with("mov rax, 5\n", env, &result);
    cr_assert(eq(int, result.status, EX_DATAERR));
    cr_assert(contains(buf_text(&result.out), "nor as; install nasm (Debian:"));
    result_release(&result);
    play_with("48 c7 c0 05 00 00 00\n", env, &result);
    cr_assert(eq(int, result.status, 0));
    cr_assert(contains(buf_text(&result.out), "rax 0x0 -> 0x5"));
    result_release(&result);

    for (size_t i = 0; i < 2; i++) {
        buf_clear(&tool);
        buf_clear(&to);
        buf_printf(&tool, "%s/%s", directory, tools[i]);
        buf_printf(&to, "/usr/bin/%s", tools[i]);
        cr_assert(eq(int, symlink(buf_text(&to), buf_text(&tool)), 0));
    }
    play_with("mov rax, 5; L: dec rax; jnz L\nmov qword [data], 3\n"
              "lea rbx, [rel $]\njmp short $+2\n:list\n",
              env, &result);
    cr_assert(eq(int, result.status, 0), "%s", buf_text(&result.out));
    cr_assert(contains(buf_text(&result.out), "as, of the GNU binutils"));
    cr_assert(contains(buf_text(&result.out), "rbx 0x0 -> 0x10000000"));
    result_release(&result);
    for (size_t i = 0; i < 2; i++) {
        buf_clear(&tool);
        buf_printf(&tool, "%s/%s", directory, tools[i]);
        unlink(buf_text(&tool));
    }
    rmdir(directory);
    buf_release(&path);
    buf_release(&tool);
    buf_release(&to);
}

Test(play, takes_bytes)
{
    static const struct {
        const char *text;
        int result; /* of assemble without an assembler */
        size_t len;
    } cases[] = {{"c3", 1, 1},        {"48c7c0", 1, 3}, {"0x48 0x01, f8", 1, 3},
                 {"48\tC3", 1, 2},    {"4", -1, 0},     {"48 c", -1, 0},
                 {"fadd", -1, 0},     {"c3;c3", -1, 0}, {"add", -1, 0},
                 {"48 c3 ret", -1, 0}};

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf code = {0}, message = {0};

        cr_assert(
            eq(int,
               assemble(ASSEMBLER_NONE, cases[i].text, 0, 0, &code, &message),
               cases[i].result),
            "%s", cases[i].text);
        cr_assert(eq(sz, code.len, cases[i].len), "%s", cases[i].text);
        buf_release(&code);
        buf_release(&message);
    }
}

/* --- the prompt ---------------------------------------------------------- */

Test(play, edits_a_line)
{
    static const struct {
        const char *keys;
        const char *line;
    } cases[] = {
        {"ret\r", "ret"},
        {"rxt\x7f\x7f"
         "et\r",
         "ret"},
        {"et\x01r\r", "ret"},
        {"rt\033[De\r", "ret"},
        {"rt\033ODe\033[Cx\x08\r", "ret"},
        {"xret\033[H\033[3~\r", "ret"},
        {"xret\033[1~\x04\r", "ret"},
        {"xx\x15ret\r", "ret"},
        {"retxx\x02\x02\x0b\r", "ret"},
        {"ret foo\x17\r", "ret "},
        {"\033[5~ret\033[1;5D\r", "ret"},
        {"\xc3\xa9\x7fret\r", "ret"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct driver driver = {.input = -1};
        struct prompt prompt;
        bool complete = false;

        prompt_init(&prompt, "play>", &driver, stdout, false);
        /* As they may come: one by one. */
        for (const char *key = cases[i].keys; *key; key++) {
            cr_assert(eq(int, complete, 0), "%zu", i);
            complete =
                prompt_keys(&prompt, (struct bytes){(const uint8_t *)key, 1});
        }
        cr_assert(eq(int, complete, 1), "%zu", i);
        cr_assert(
            eq(str, (char *)buf_text(&prompt.line), (char *)cases[i].line));
        prompt_release(&prompt);
    }
}

Test(play, works_at_a_terminal)
{
    struct tty tty;

    tty_start(&tty, &(struct job){.argv = ARGS(JITTRACE, "--play")}, 24, 80);
    tty_wait_text(&tty, "play>");
    tty_type(&tty, "mov eax, 6\033[D5\r");
    tty_wait_text(&tty, "rax 0x0 -> 0x38");
    tty_type(&tty, "foo bar");
    tty_wait_text(&tty, "foo bar");
    tty_type(&tty, "\003");
    tty_wait_gone(&tty, "nothing");
    tty_type(&tty, "\033[A\x7f\x7f"
                   "7\r");
    tty_wait_text(&tty, "rax 0x38 -> 0x7");
    tty_type(&tty, "mov eax, 34; syscall\r");
    tty_wait_output(&tty, "= syscall");
    tty_type(&tty, "\003");
    tty_wait_text(&tty, "All is as it was before this line.");
    tty_type(&tty, "\004");
    cr_assert(eq(int, tty_wait_end(&tty), 0));
    tty_release(&tty);
}
