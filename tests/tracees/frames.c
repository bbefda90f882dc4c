/* SPDX-License-Identifier: MIT */
/*
 * What handlers are told of faults: siginfo, and in the signal frame the number
 * of the exception, its error code, and for a page fault the address. Each
 * fault is raised by the program itself, by generated code that is stepped, and
 * by a function that code has called whose steps are spent.
 *
 * alike:   siginfo and frame of each
 * ends:    status 0
 * options: --max-call-steps=20
 * reports: enter +0 call
 * reports: enter +0 jump
 * reports: limit call-steps
 * reports: signal SIGSEGV*
 * reports: exit status 0
 * reports: verdict executable broken *
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <ucontext.h>
#include <unistd.h>

#include "code.h"

#define PAGE 4096

/* What rdi is for a fault: the address in question. */
enum target { NOWHERE, UNMAPPED, TOUCHED, UNTOUCHED, NONE, BEHIND, ODD, FAR };

/* Each is called with such an address in rdi, and does not return. */
#define FAULTS(fault)                                                          \
    fault("read unmapped", UNMAPPED, 0x8b, 0x07) fault(                        \
        "write unmapped", UNMAPPED, 0x89,                                      \
        0x07) fault("write constant", TOUCHED, 0x89,                           \
                    0x07) fault("write untouched", UNTOUCHED, 0x89,            \
                                0x07) fault("read nothing", NONE, 0x8b, 0x07)  \
        fault("write nothing", NONE, 0x89,                                     \
              0x07) fault("read null", NOWHERE, 0x8b,                          \
                          0x07) fault("jump to data", TOUCHED, 0xff, 0xe7)     \
            fault("jump to untouched", UNTOUCHED, 0xff,                        \
                  0xe7) fault("jump to unmapped", UNMAPPED, 0xff,              \
                              0xe7) fault("jump to null", NOWHERE, 0xff, 0xe7) \
                fault("behind a file", BEHIND, 0x8b, 0x07) fault(              \
                    "not canonical", FAR, 0x8b,                                \
                    0x07) fault("jump, not canonical", FAR, 0xff, 0xe7)        \
                    fault("misaligned", ODD, 0x0f, 0x28, 0x07) fault(          \
                        "rep movsb", UNMAPPED, 0xb9, 9, 0, 0, 0, 0x48, 0x89,   \
                        0xfe, 0xf3, 0xa4) fault("hlt", NOWHERE, 0xf4)          \
                        fault("int 13", NOWHERE, 0xcd, 13) fault(              \
                            "bad selector", NOWHERE, 0xb8, 0x77, 0, 0,         \
                            0, 0x8e, 0xd8) fault("ud2", NOWHERE, 0x0f, 0x0b)   \
                            fault("no opcode", NOWHERE, 0x06) fault(           \
                                "division by 0",                               \
                                NOWHERE, 0x31, 0xc9, 0x31, 0xd2, 0xf7, 0xf1)   \
                                fault("quotient", NOWHERE, 0x31, 0xc9, 0xff,   \
                                      0xc1, 0x89,                              \
                                      0xca, 0xf7,                              \
                                      0xf1) fault("int3", NOWHERE, 0xcc)       \
                                    fault("int 3", NOWHERE, 0xcd,              \
                                          3) fault("int1", NOWHERE, 0xf1)      \
                                        fault("float", NOWHERE, 0x68, 0, 0, 0, \
                                              0, 0x0f, 0xae, 0x14, 0x24, 0x0f, \
                                              0x57, 0xc0, 0xf3, 0x0f, 0x5e,    \
                                              0xc0) fault("alignment check",   \
                                                          ODD, 0x9c, 0x81,     \
                                                          0x0c, 0x24, 0, 0, 4, \
                                                          0, 0x9d, 0x8b, 0x07) \
                                            fault("bad sigreturn", NOWHERE,    \
                                                  0x31, 0xe4, 0xb8, 15, 0, 0,  \
                                                  0, 0x0f, 0x05)

static const struct fault {
    char name[20];
    enum target target;
    uint8_t code[32];
} faults[] __attribute__((section(".text.faults,\"ax\",@progbits#"))) = {
#define FAULT(name, target, ...) {name, target, {__VA_ARGS__}},
    FAULTS(FAULT)};

static sigjmp_buf back;
static uint64_t target;
static const char *present;

static void on_signal(int signal, siginfo_t *info, void *context)
{
    greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
    uint64_t addr = (uintptr_t)info->si_addr;
    uint64_t pc = (uint64_t)regs[REG_RIP];
    bool is_exception;

    /* What follows is not aligned everywhere. */
    __asm__ volatile("pushf\n"
                     "andl $0xfffbffff, (%%rsp)\n"
                     "popf" ::
                         : "cc", "memory");
    /* A call that fails says of the exception before it. */
    is_exception = strcmp(present, "bad sigreturn") != 0;
    printf(" %d code %d", signal, info->si_code);
    if (is_exception)
        printf(" trap %lld err %llx", regs[REG_TRAPNO], regs[REG_ERR]);
    printf(addr == target ? " at it" : addr == pc ? " at pc" : " at %lx", addr);
    if (is_exception && regs[REG_TRAPNO] == 14)
        printf(", cr2 %s",
               (uint64_t)regs[REG_CR2] == addr ? "the same" : "another");
    printf(", flags %llx", regs[REG_EFL] & 0x4d00);
    siglongjmp(back, 1);
}

/* dec ecx; jnz; then jump on to rsi: steps that are soon spent */
static const uint8_t loop[] = {
    0xb9, 40, 0, 0, 0, 0xff, 0xc9, 0x75, 0xfc, 0xff, 0xe6,
};

static uint64_t make_target(enum target what)
{
    static int file = -1;
    uint8_t *pages = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (file < 0)
        file = memfd_create("short", 0);
    switch (what) {
    case UNMAPPED:
        munmap(pages, 3 * PAGE);
        break;
    case TOUCHED:
        pages[0] = 1;
        mprotect(pages, PAGE, PROT_READ);
        break;
    case UNTOUCHED:
        mprotect(pages, PAGE, PROT_READ);
        break;
    case NONE:
        mprotect(pages, PAGE, PROT_NONE);
        break;
    case BEHIND:
        mmap(pages, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, file, 0);
        break;
    case ODD:
        return (uintptr_t)pages + 1;
    case FAR:
        return (uintptr_t)pages | UINT64_C(0x1234) << 48;
    case NOWHERE:
        return 0;
    }
    return (uintptr_t)pages;
}

static void raise_fault(const struct fault *fault, const char *where,
                        const void *code)
{
    target = make_target(fault->target);
    present = fault->name;
    printf("%s, %s:", fault->name, where);
    if (sigsetjmp(back, 1) == 0)
        ((void (*)(uint64_t, const void *))(uintptr_t)code)(target,
                                                            fault->code);
    __asm__ volatile("fninit");
    __asm__ volatile("ldmxcsr %0" ::"m"((const unsigned){0x1f80}));
    puts("");
}

/* Enters code by a jump: where that returns to is not known. */
static void by_jump(uint64_t addr, const void *to)
{
    static const uint8_t *code;

    if (!code)
        code = code_new(loop, sizeof loop);
    __asm__ volatile("lea 1f(%%rip), %%rax\n"
                     "push %%rax\n"
                     "jmp *%2\n"
                     "1:"
                     :
                     : "D"(addr), "S"(to), "r"(code)
                     : "rax", "rcx", "memory");
}

int main(void)
{
    static char handlers[65536];
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP};
    struct sigaction action = {.sa_sigaction = on_signal,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK};
    stack_t stack = {.ss_sp = handlers, .ss_size = sizeof handlers};

    setvbuf(stdout, NULL, _IOFBF, 65536);
    sigaltstack(&stack, NULL);
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &action, NULL);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        bool looked_at = faults[i].target == UNTOUCHED;
        const uint8_t *made = code_new(faults[i].code, sizeof faults[i].code);

        raise_fault(&faults[i], "program", faults[i].code);
        if (!looked_at) /* whoever steps it has, and err says so */
            raise_fault(&faults[i], "made", made);
        raise_fault(&faults[i], "behind made", (const void *)by_jump);
    }
    return 0;
}
