/* SPDX-License-Identifier: MIT */
/*
 * All ways in which an instruction can show that it is stepped, or keep the
 * flag that steps it: what pushf stores, what popf and iret load, what syscall
 * leaves in r11, and what the frames of signal handlers say. Each is executed
 * as part of the program and as code made at run time, on the usual stack and
 * on one whose stores are watched.
 *
 * alike:   flags of each
 * ends:    status 0
 * reports: enter +0 call
 * reports: limit nt-flag*
 * reports: exit status 0
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <ucontext.h>
#include <unistd.h>

#include "code.h"

#define TRAP 0x100
#define NT   0x4000

#define WAYS(way)                                                              \
    way("pushfq", 0, 0x9c, 0x58, 0xc3) way("pushfw", 0, 0x66, 0x9c, 0x31,      \
                                           0xc0, 0x66, 0x58, 0xc3)             \
        way("popfq", 0, 0x68, 3, 2, 0, 0, 0x9d, 0x9c, 0x58, 0xc3) way(         \
            "rep popfq", 0, 0x68, 3, 2, 0, 0, 0xf3, 0x9d, 0x9c, 0x58,          \
            0xc3) way("popfw", 0, 0x66, 0x6a, 3, 0x66, 0x9d, 0x9c, 0x58, 0xc3) \
            way("iretq", 0, 0x8c, 0xd1, 0x48, 0x89, 0xe0, 0x51, 0x50, 0x68, 3, \
                2, 0, 0, 0x8c, 0xc9, 0x51, 0x48, 0x8d, 0x05, 3, 0, 0, 0, 0x50, \
                0x48, 0xcf, 0x9c, 0x58, 0xc3)                                  \
                way("popfq with NT", 0, 0x68, 3, 0x42, 0, 0, 0x9d, 0x9c, 0x58, \
                    0x6a, 2, 0x9d, 0xc3) way("mov ss, pushfq", 0, 0x8c, 0xd0,  \
                                             0x8e, 0xd0, 0x9c, 0x58, 0xc3)     \
                    way("mov ss, popfq", 0, 0x68, 3, 2, 0, 0, 0x8c, 0xd0,      \
                        0x8e, 0xd0, 0x9d, 0x9c, 0x58, 0xc3)                    \
                        way("mov ss, call", 0, 0x8c, 0xd0, 0x8e, 0xd0, 0xe8,   \
                            1, 0, 0, 0, 0xc3, 0x9c,                            \
                            0x58, 0xc3) way("syscall", 0, 0xb8, 39, 0, 0, 0,   \
                                            0x0f, 5, 0x4c, 0x89, 0xd8, 0xc3)   \
                            way("mov ss, syscall", 0, 0x8c, 0xd1, 0xb8, 39, 0, \
                                0, 0, 0x8e, 0xd1, 0x0f, 5, 0x4c, 0x89, 0xd8,   \
                                0xc3) way("lock popf", 2, 0xf0, 0x9d, 0x9c,    \
                                          0x58, 0xc3)                          \
                                way("lock rex popf", 3, 0xf0, 0x48, 0x9d,      \
                                    0x9c, 0x58,                                \
                                    0xc3) way("lock iret",                     \
                                              2, 0xf0, 0xcf, 0x9c, 0x58, 0xc3) \
                                    way("lock pushf", 2, 0xf0, 0x9c, 0x9c,     \
                                        0x58, 0xc3) way("ud2", 2, 0x0f, 0x0b,  \
                                                        0x9c, 0x58, 0xc3)      \
                                        way("popfq, ud2", 2, 0x68, 3, 2, 0, 0, \
                                            0x9d, 0x0f, 0x0b, 0x9c, 0x58,      \
                                            0xc3) way("mov ss, ud2", 2, 0x8c,  \
                                                      0xd0, 0x8e, 0xd0, 0x0f,  \
                                                      0x0b, 0x9c, 0x58, 0xc3)  \
                                            way("int3", 0, 0xcc, 0x9c, 0x58,   \
                                                0xc3)                          \
                                                way("popfq, int3", 0, 0x68, 3, \
                                                    2, 0, 0, 0x9d, 0xcc, 0x9c, \
                                                    0x58, 0xc3)                \
                                                    way("int 3", 0, 0xcd, 3,   \
                                                        0x9c, 0x58, 0xc3)      \
                                                        way("int1", 0, 0xf1,   \
                                                            0x9c, 0x58, 0xc3)  \
                                                            way("raise", 0,    \
                                                                0x57, 0xb8,    \
                                                                39, 0, 0, 0,   \
                                                                0x0f, 5, 0x89, \
                                                                0xc7, 0xb8,    \
                                                                186, 0, 0, 0,  \
                                                                0x0f, 5, 0x89, \
                                                                0xc6, 0xba,    \
                                                                10, 0, 0, 0,   \
                                                                0xb8, 234, 0,  \
                                                                0, 0, 0x0f, 5, \
                                                                0x9c, 0x58,    \
                                                                0x5f, 0xc3)

static const struct way {
    char name[20];
    unsigned skip; /* what a handler skips of SIGILL: a bad instruction */
    uint8_t code[48];
} ways[] __attribute__((section(".text.ways,\"ax\",@progbits#"))) = {
#define WAY(name, skip, ...) {name, skip, {__VA_ARGS__}},
    WAYS(WAY)};

static const struct way *present;
static volatile uint64_t frame_flags;

static void on_signal(int signal, siginfo_t *info, void *context)
{
    greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;

    (void)info;
    frame_flags = (uint64_t)regs[REG_EFL] | 1u << 31;
    if (signal == SIGILL)
        regs[REG_RIP] += present->skip;
}

/* Calls it on that stack. */
uint64_t call_on(const void *code, void *stack);
__asm__(".globl call_on\n"
        "call_on:\n"
        "   push %rbx\n"
        "   mov %rsp, %rbx\n"
        "   mov %rsi, %rsp\n"
        "   call *%rdi\n"
        "   mov %rbx, %rsp\n"
        "   pop %rbx\n"
        "   ret\n");

static void show(const char *where, const void *code, char *stack)
{
    uint64_t flags;

    frame_flags = 0;
    flags = call_on(code, stack);
    printf("  %s: %s%s%d, frame %#x\n", where, flags & TRAP ? "TRAP " : "",
           flags & NT ? "NT " : "", (int)(flags & 1),
           (unsigned)(frame_flags & (1u << 31 | TRAP | NT)));
}

int main(void)
{
    struct sigaction action = {.sa_sigaction = on_signal,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK};
    static char handlers[65536], usual[65536];
    stack_t stack = {.ss_sp = handlers, .ss_size = sizeof handlers};
    char *watched = mmap(NULL, 65536, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    sigaltstack(&stack, NULL);
    sigaction(SIGILL, &action, NULL);
    sigaction(SIGTRAP, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        const uint8_t *made = code_new(ways[i].code, sizeof ways[i].code);

        present = &ways[i];
        printf("%s\n", present->name);
        show("program", present->code, usual + sizeof usual);
        show("made", made, usual + sizeof usual);
        if (strstr(present->name, "NT"))
            continue; /* which no fault at a guard may outlast */
        show("program, watched", present->code, watched + 65536);
        show("made, watched", made, watched + 65536);
    }
    return 0;
}
