/* SPDX-License-Identifier: MIT */
/*
 * Two coroutines, each on a stack of its own, run the same generated code,
 * which calls C to switch to the other one: twice each, in turns.
 *
 * prints:  1 2 1 2 : 42 84
 * ends:    status 0
 * reports: enter +0 call
 * reports: step +8 call rbx
 * reports: leave call
 * reports: enter +0 call
 * reports: step +8 call rbx
 * reports: leave call
 * reports: enter +10 return
 * reports: step +10 call rbx
 * reports: leave call
 * reports: enter +10 return
 * reports: leave call
 * reports: enter +12 return
 * reports: step +12 mov eax, ebp
 * reports: leave return 42
 * reports: enter +12 return
 * reports: leave return 84
 * reports: exit status 0
 * never:   enter * jump
 */
#include <stdio.h>
#include <ucontext.h>

#include "code.h"

#define STACK_SIZE 65536

typedef int function(int value, void *yield);

static ucontext_t outside, each[2];
static int running, results[2];
static function *code;

static void yield(void)
{
    int other = 1 - running, self = running;

    printf("%d ", self + 1);
    running = other;
    swapcontext(&each[self], &each[other]);
}

static void work(int self)
{
    results[self] = code(42 * (self + 1), yield);
    running = 1 - self;
    if (self == 0)
        setcontext(&each[1]);
}

int main(void)
{
    static const uint8_t insns[] = {
        0x53,             /* push rbx */
        0x55,             /* push rbp */
        0x89, 0xfd,       /* mov ebp, edi */
        0x48, 0x89, 0xf3, /* mov rbx, rsi */
        0x50,             /* push rax */
        0xff, 0xd3,       /* call rbx */
        0xff, 0xd3,       /* call rbx */
        0x89, 0xe8,       /* mov eax, ebp */
        0x5a,             /* pop rdx */
        0x5d,             /* pop rbp */
        0x5b,             /* pop rbx */
        0xc3,             /* ret */
    };
    static _Alignas(16) uint8_t stacks[2][STACK_SIZE];

    code = (function *)(uintptr_t)code_new(insns, sizeof insns);
    for (int i = 0; i < 2; i++) {
        getcontext(&each[i]);
        each[i].uc_stack.ss_sp = stacks[i];
        each[i].uc_stack.ss_size = STACK_SIZE;
        each[i].uc_link = &outside;
        makecontext(&each[i], (void (*)(void))(uintptr_t)work, 1, i);
    }
    swapcontext(&outside, &each[0]);
    printf(": %d %d\n", results[0], results[1]);
    return 0;
}
