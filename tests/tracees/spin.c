/* SPDX-License-Identifier: MIT */
/*
 * A thread that waits in generated code for a word that another thread changes
 * in generated code: none may be kept from running while the other is stepped.
 *
 * prints:  both are through
 * ends:    status 0
 * reports: enter +*
 * reports: leave return *
 * reports: output 1 both*
 * never:   signal *
 */
#include <pthread.h>
#include <stdio.h>

#include "code.h"

static volatile int word;

static void *wait_for_it(void *code)
{
    ((void (*)(volatile int *))code)(&word);
    return NULL;
}

int main(void)
{
    static const uint8_t insns[] = {
        0x8b,        0x07, 0x85, 0xc0, 0x74, 0xfa, 0xc3, /* while (!*rdi); */
        [16] = 0xc7, 0x07, 1,    0,    0,    0,    0xc3, /* *rdi = 1 */
    };
    uint8_t *code = code_new(insns, sizeof insns);
    pthread_t thread;

    pthread_create(&thread, NULL, wait_for_it, code);
    for (int i = 0; i < 20; i++)
        sched_yield();
    wait_for_it(code + 16);
    pthread_join(thread, NULL);
    puts("both are through");
    return 0;
}
