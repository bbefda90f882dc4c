/* SPDX-License-Identifier: MIT */
/*
 * Threads that end in generated code, and in the end the whole process does.
 *
 * prints:  3 threads ended
 * ends:    status 5
 * reports: enter +0 call
 * reports: enter +0 call
 * reports: enter +0 call
 * reports: enter +16 call
 * reports: exit status 5
 * never:   leave *
 * never:   limit *
 */
#include <pthread.h>
#include <stdio.h>

#include "code.h"

static void *end(void *code)
{
    ((void (*)(void))code)();
    return NULL;
}

int main(void)
{
    static const uint8_t insns[] = {
        0x31,        0xff, 0xb8, 60, 0, 0,    0,    0x0f, 0x05, /* exit(0) */
        [16] = 0xbf, 5,    0,    0,  0, /* exit_group(5) */
        0xb8,        231,  0,    0,  0, 0x0f, 0x05,
    };
    uint8_t *code = code_new(insns, sizeof insns);
    pthread_t thread;

    for (int i = 0; i < 3; i++) {
        pthread_create(&thread, NULL, end, code);
        pthread_join(thread, NULL);
    }
    puts("3 threads ended");
    fflush(stdout);
    end(code + 16);
    return 1;
}
