/* SPDX-License-Identifier: MIT */
#include "../check.h"

uint8_t *compile(int64_t (*f)(int64_t));

/* The callee-saved registers. */
static const char *const name[] = {"rbx", "rbp", "r12", "r13", "r14", "r15"};
enum { REGISTERS = sizeof name / sizeof *name };

/* What is in them at the call, and after it. */
uint64_t before[REGISTERS] = {0x1bb, 0x2bb, 0x12, 0x13, 0x14, 0x15};
uint64_t after[REGISTERS];
uint64_t rsp_at_call, rsp_at_return;
/* rsp at the first instruction of f, ored together for all calls, and how many
 * there were. */
uint64_t rsp_in_f, calls_of_f;

/* Calls code(n) with the registers set, and notes what it finds then. */
int64_t call_code(int64_t (*code)(int64_t), int64_t n);

/* f(n) = 10 * n. It changes all registers that it may change. */
int64_t f(int64_t n);

/* A section without line numbers: jittrace is not to take them for others. */
asm(".pushsection .text.check, \"ax\"\n"
    ".globl call_code, f\n"
    "call_code:\n"
    "    push %rbx\n"
    "    push %rbp\n"
    "    push %r12\n"
    "    push %r13\n"
    "    push %r14\n"
    "    push %r15\n"
    "    sub $8, %rsp\n"
    "    mov %rdi, %rax\n"
    "    mov %rsi, %rdi\n"
    "    mov before(%rip), %rbx\n"
    "    mov before+8(%rip), %rbp\n"
    "    mov before+16(%rip), %r12\n"
    "    mov before+24(%rip), %r13\n"
    "    mov before+32(%rip), %r14\n"
    "    mov before+40(%rip), %r15\n"
    "    mov %rsp, rsp_at_call(%rip)\n"
    "    call *%rax\n"
    "    mov %rsp, rsp_at_return(%rip)\n"
    "    mov rsp_at_call(%rip), %rsp\n"
    "    mov %rbx, after(%rip)\n"
    "    mov %rbp, after+8(%rip)\n"
    "    mov %r12, after+16(%rip)\n"
    "    mov %r13, after+24(%rip)\n"
    "    mov %r14, after+32(%rip)\n"
    "    mov %r15, after+40(%rip)\n"
    "    add $8, %rsp\n"
    "    pop %r15\n"
    "    pop %r14\n"
    "    pop %r13\n"
    "    pop %r12\n"
    "    pop %rbp\n"
    "    pop %rbx\n"
    "    ret\n"
    "f:\n"
    "    or %rsp, rsp_in_f(%rip)\n"
    "    incq calls_of_f(%rip)\n"
    "    imul $10, %rdi, %rax\n"
    "    mov $-1, %rcx\n"
    "    mov %rcx, %rdx\n"
    "    mov %rcx, %rsi\n"
    "    mov %rcx, %rdi\n"
    "    mov %rcx, %r8\n"
    "    mov %rcx, %r9\n"
    "    mov %rcx, %r10\n"
    "    mov %rcx, %r11\n"
    "    ret\n"
    ".popsection\n");

static bool check_register(size_t i)
{
    if (after[i] == before[i])
        return true;
    say("%s is callee-saved: it was 0x%llx at the call, and is 0x%llx now",
        name[i], (unsigned long long)before[i], (unsigned long long)after[i]);
    for (size_t other = 0; other < REGISTERS; other++)
        if (after[i] == before[other])
            say("that is what %s was; what is pushed last must be popped first",
                name[other]);
    return false;
}

/* 54 without a prefix is push rsp, and often meant to be push r12. */
static void say_push(const uint8_t *code)
{
    size_t i = 0;

    while ((code[i] >= 0x50 && code[i] <= 0x57 && code[i] != 0x54) ||
           code[i] == 0x41)
        i += 1 + (code[i] == 0x41);
    if (code[i] == 0x54)
        say("code[%zu] is 54, push rsp; r8 to r15 need a prefix in front: push "
            "r12 is 41 54",
            i);
}

int main(void)
{
    uint8_t *code = compile(f);
    int64_t value;

    if (!code)
        return failed();
    value = call_code((int64_t(*)(int64_t))code, 3);
    if (calls_of_f != 2) {
        say("f was called %d times, not twice; is a ret too early?",
            (int)calls_of_f);
        return failed();
    }
    /* At its first instruction the return address has been pushed. */
    if (rsp_in_f % 16 != 8) {
        say("at the calls of f, rsp was %d bytes above a multiple of 16; f may "
            "crash then.\nThe call of the function has pushed 8 bytes, and "
            "each "
            "push is 8 more: with these\nan even number of eights has to be on "
            "the stack",
            (int)((rsp_in_f + 8) % 16));
        say_push(code);
        return failed();
    }
    if (!check_int("f(3) + f(4), where f(n) is 10 * n,", value, 70)) {
        say("the result comes back in rax: what is in `last` must not change "
            "it");
        return failed();
    }
    for (size_t i = 0; i < REGISTERS; i++)
        if (!check_register(i))
            return failed();
    if (rsp_at_return != rsp_at_call) {
        say("rsp came back changed");
        return failed();
    }
    say("f(n) + f(n + 1) is right, and the caller finds all as it left it");
    return passed();
}
