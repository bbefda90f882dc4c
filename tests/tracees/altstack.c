/* SPDX-License-Identifier: MIT */
/*
 * altstack.c - a signal stack that looks like memory for code.
 *
 * It is an ordinary writable mapping, without MAP_STACK, and sigaltstack(2)
 * makes it the stack of a handler. The kernel stores the signal's frame there
 * and kills a program with SIGSEGV when it cannot. Prints "on the other stack".
 *
 * A tracer must report: that it does not watch stores there (limit "stack").
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>

#define STACK_SIZE 65536

static uint8_t *stack;
static volatile sig_atomic_t on_it;

static void on_signal(int signal)
{
    uint8_t local = (uint8_t)signal;

    on_it = &local >= stack && &local < stack + STACK_SIZE;
}

int main(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
    stack_t other = {.ss_size = STACK_SIZE};

    stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack == MAP_FAILED)
        return 1;
    other.ss_sp = stack;
    sigaltstack(&other, NULL);
    sigaction(SIGUSR1, &action, NULL);
    raise(SIGUSR1);
    puts(on_it ? "on the other stack" : "on the same stack");
    return 0;
}
