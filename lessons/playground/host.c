/* SPDX-License-Identifier: MIT */
/*
 * host.c - the process in which `jittrace --play` runs what was typed.
 *
 * It reads a struct play_request from its standard input, puts its pages where
 * they belong, makes the code executable as a JIT does, loads all registers and
 * jumps there. For the code it looks as if it had been called: a return address
 * is on the stack, and behind that address the process ends.
 *
 * No library is linked with it, so that nothing else runs and its addresses are
 * the same on every machine. jittrace carries it and starts it from memory.
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "play/request.h"

/* The first two fields of the request. */
struct registers {
    uint64_t regs[PLAY_REGS];
    uint8_t fxsave[512] __attribute__((aligned(16)));
} registers;
uint64_t entry = PLAY_CODE;

_Noreturn void start(void);
_Noreturn void enter(void);

/* popfq takes the flags from where they stand among the registers; nothing
 * behind it changes them. AT&T syntax, as the compiler's own. */
__asm__(".text\n"
        "enter:\n"
        "    fxrstor64 registers+144\n"
        "    lea registers+136, %rsp\n"
        "    popfq\n"
        "    mov registers+0, %rax\n"
        "    mov registers+8, %rbx\n"
        "    mov registers+16, %rcx\n"
        "    mov registers+24, %rdx\n"
        "    mov registers+32, %rsi\n"
        "    mov registers+40, %rdi\n"
        "    mov registers+48, %rbp\n"
        "    mov registers+56, %rsp\n"
        "    mov registers+64, %r8\n"
        "    mov registers+72, %r9\n"
        "    mov registers+80, %r10\n"
        "    mov registers+88, %r11\n"
        "    mov registers+96, %r12\n"
        "    mov registers+104, %r13\n"
        "    mov registers+112, %r14\n"
        "    mov registers+120, %r15\n"
        "    jmp *entry\n"
        /* PLAY_CALLER; PLAY_BACK is behind the call, which is never made. */
        ".section .caller, \"ax\"\n"
        "    .fill 9, 1, 0x90\n"
        "    call *entry\n"
        "    mov $60, %eax\n"
        "    xor %edi, %edi\n"
        "    syscall\n"
        ".text\n");

/* A system call; what it returns. */
static long call(long number, long a, long b, long c, long d, long e)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = 0;
    long result;

    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8),
                       "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

/* 125: what jittrace promises does not hold. */
static void insist(int condition)
{
    if (!condition)
        call(SYS_exit_group, 125, 0, 0, 0, 0);
}

static void take(void *to, size_t size)
{
    for (size_t got = 0; got < size;) {
        long more =
            call(SYS_read, 0, (long)to + (long)got, (long)(size - got), 0, 0);

        insist(more > 0);
        got += (size_t)more;
    }
}

static void make(long addr, size_t size)
{
    insist(call(SYS_mmap, addr, (long)size, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1) == addr);
    take((void *)addr, size);
}

void start(void)
{
    take(&registers, sizeof registers);
    make(PLAY_CODE, PLAY_PAGE);
    make(PLAY_DATA, PLAY_PAGE);
    make(PLAY_STACK, PLAY_STACK_SIZE);
    insist(call(SYS_mprotect, PLAY_CODE, PLAY_PAGE, PROT_READ | PROT_EXEC, 0,
                0) == 0);
    enter();
}
