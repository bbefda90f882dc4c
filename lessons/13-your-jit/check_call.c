/* SPDX-License-Identifier: MIT */
/*
 * Memory for code, and calling it so that what it breaks is noticed.
 *
 * Behind the memory is a page that may not be accessed: a store behind the room
 * is a crash with a place. The memory is 0 beforehand. Code without a ret runs
 * on into the zeros, which are `add [rax], al`, and crashes there too.
 *
 * enter_code() calls the code. It has put 8 copies of the return address above
 * the one that the code gets: code that pops more than it pushed still comes
 * back, and can be told so. The registers that a function may not change
 * (psABI, section 3.2.1) have values to know again, those that it may not rely
 * on have junk.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* for REG_RIP */
#endif
#include "ladder.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { PAGE = 4096, SHOWN = 96 };

/* The offsets are known to enter_code(). */
struct entry {
    const void *code, *a, *b, *c; /* 0, 8, 16, 24 */
    int64_t value;                /* 32 */
    uint64_t before, after;       /* 40, 48: rsp */
    uint64_t saved[6];            /* 56: rbx, rbp, r12 to r15 */
    uint64_t count;               /* 104: whether to trap */
};

void enter_code(struct entry *entry);

__asm__(".local entered, home\n"
        ".comm entered, 8\n"
        ".comm home, 8\n"
        ".section .text.enter, \"ax\"\n"
        "enter_code:\n"
        "push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
        "mov %rdi, entered(%rip)\n"
        "mov %rsp, home(%rip)\n"
        "sub $8, %rsp\n"
        "lea back(%rip), %rax\n"
        "push %rax; push %rax; push %rax; push %rax\n"
        "push %rax; push %rax; push %rax; push %rax\n"
        "mov %rsp, 40(%rdi)\n"
        "mov 0(%rdi), %rax; mov 16(%rdi), %rsi; mov 24(%rdi), %rdx\n"
        "mov 104(%rdi), %rcx; mov 8(%rdi), %rdi\n"
        "mov $0x5bb, %rbx; mov $0x5bbb, %rbp; mov $0x512, %r12\n"
        "mov $0x513, %r13; mov $0x514, %r14; mov $0x515, %r15\n"
        "mov $-0x999, %r8; mov %r8, %r9; mov %r8, %r10; mov %r8, %r11\n"
        "test %rcx, %rcx\n"
        "mov %r8, %rcx\n"
        "jz 1f\n"
        "pushf; orq $0x100, (%rsp); popf\n"
        "1: call *%rax\n"
        "back:\n"
        "mov entered(%rip), %r11\n"
        "mov %rax, 32(%r11); mov %rsp, 48(%r11)\n"
        "mov %rbx, 56(%r11); mov %rbp, 64(%r11); mov %r12, 72(%r11)\n"
        "mov %r13, 80(%r11); mov %r14, 88(%r11); mov %r15, 96(%r11)\n"
        "mov home(%rip), %rsp\n"
        "pushf; andq $~0x100, (%rsp); popf\n"
        "cld\n"
        "pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
        "ret\n"
        ".text\n");

/* The code that is being called or was called last; NULL for none. */
static const struct code *running;

const char *code_running(void)
{
    return running ? "The code" : "The compiler";
}

/* --- memory --------------------------------------------------------------- */

static size_t pages(const struct code *code)
{
    return (code->room + PAGE - 1) / PAGE * PAGE;
}

static uint8_t *start(const struct code *code)
{
    return code->bytes + code->room - pages(code);
}

bool code_open(struct code *code, size_t room)
{
    uint8_t *memory;

    *code = (struct code){.room = room};
    running = NULL;
    memory = mmap(NULL, pages(code) + PAGE, PROT_NONE,
                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED ||
        mmap(memory, pages(code), PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) {
        perror("memory for code");
        return false;
    }
    code->bytes = memory + pages(code) - room;
    return true;
}

void code_close(struct code *code)
{
    running = NULL;
    munmap(start(code), pages(code) + PAGE);
}

bool code_take(struct code *code, size_t returned, const char *compiler)
{
    code->len = returned;
    if (returned > code->room) {
        code->len = 0;
        return case_failed("%s returned %zu, and there is room for %zu bytes",
                           compiler, returned, code->room);
    }
    for (size_t i = returned; i < code->room; i++)
        if (code->bytes[i])
            return case_failed("%s returned %zu, but stored byte %zu too, "
                               "0x%02x: the length is what comes of it all",
                               compiler, returned, i, code->bytes[i]);
    for (const uint8_t *at = start(code); at < code->bytes; at++)
        if (*at)
            return case_failed("%s stored in front of its memory", compiler);
    if (mprotect(start(code), pages(code), PROT_READ | PROT_EXEC) < 0) {
        perror("mprotect");
        return false;
    }
    return true;
}

void code_print(const struct code *code)
{
    if (!code)
        code = running;
    if (!code || code->len == 0)
        return;
    say_part("The code, %zu byte%s:", code->len, code->len == 1 ? "" : "s");
    for (size_t i = 0; i < code->len && i < SHOWN; i++)
        say_part("%s%02x", i % 24 ? " " : "\n    ", code->bytes[i]);
    say("%s", code->len > SHOWN ? " ..." : "");
}

/* --- calls ---------------------------------------------------------------- */

static bool keeps_the_rules(const struct entry *entry)
{
    static const struct {
        const char *name;
        uint64_t value;
    } saved[] = {{"rbx", 0x5bb}, {"rbp", 0x5bbb}, {"r12", 0x512},
                 {"r13", 0x513}, {"r14", 0x514},  {"r15", 0x515}};
    int64_t higher = (int64_t)(entry->after - entry->before);

    if (higher)
        return case_failed("rsp was %lld bytes %s at the ret than at the "
                           "entry: more was %s",
                           (long long)(higher > 0 ? higher : -higher),
                           higher > 0 ? "higher" : "lower",
                           higher > 0 ? "popped than pushed"
                                      : "pushed than popped");
    for (size_t i = 0; i < sizeof saved / sizeof *saved; i++)
        if (entry->saved[i] != saved[i].value)
            return case_failed("%s was 0x%llx at the entry and is 0x%llx "
                               "afterwards; it is "
                               "callee-saved: push it "
                               "first and pop it last, or take another",
                               saved[i].name,
                               (unsigned long long)saved[i].value,
                               (unsigned long long)entry->saved[i]);
    return true;
}

bool code_call(const struct code *code, const void *a, const void *b,
               const void *c, int64_t *value)
{
    struct entry entry = {.code = code->bytes, .a = a, .b = b, .c = c};

    running = code;
    enter_code(&entry);
    *value = entry.value;
    return keeps_the_rules(&entry);
}

/* What the handler of the traps knows: only one piece of code is counted. */
static struct {
    uintptr_t start, len;
    volatile uint64_t count;
} counted;

static void count(int number, siginfo_t *info, void *context)
{
    const ucontext_t *state = context;
    uintptr_t at = (uintptr_t)state->uc_mcontext.gregs[REG_RIP];

    (void)number;
    (void)info;
    if (at - counted.start < counted.len)
        counted.count++;
}

uint64_t code_count(const struct code *code, const void *a, const void *b,
                    const void *c)
{
    struct entry entry = {
        .code = code->bytes, .a = a, .b = b, .c = c, .count = 1};
    struct sigaction action = {.sa_sigaction = count, .sa_flags = SA_SIGINFO},
                     old;

    running = code;
    counted.start = (uintptr_t)code->bytes;
    counted.len = code->len;
    counted.count = 0;
    sigaction(SIGTRAP, &action, &old);
    enter_code(&entry);
    sigaction(SIGTRAP, &old, NULL);
    return counted.count;
}
