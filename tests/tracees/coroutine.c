/* SPDX-License-Identifier: MIT */
/*
 * coroutine.c - a signal arrives while the program runs on a stack of its own.
 *
 * The stack is an ordinary writable mapping, as libraries for coroutines make
 * it; no system call tells of it. The kernel stores the signal's frame there
 * and kills a program with SIGSEGV when it cannot. Prints "1 signal".
 *
 * A tracer must report: from the signal on, that it does not watch stores
 * there (limit "stack").
 */
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <ucontext.h>

#define STACK_SIZE 65536

static volatile sig_atomic_t signals;
static ucontext_t outside, inside;

static void on_signal(int signal)
{
    (void)signal;
    signals++;
}

static void work(void)
{
    raise(SIGUSR1);
}

int main(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    void *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (stack == MAP_FAILED)
        return 1;
    sigaction(SIGUSR1, &action, NULL);
    getcontext(&inside);
    inside.uc_stack.ss_sp = stack;
    inside.uc_stack.ss_size = STACK_SIZE;
    inside.uc_link = &outside;
    makecontext(&inside, work, 0);
    swapcontext(&outside, &inside);
    printf("%d signal\n", (int)signals);
    return 0;
}
