/* SPDX-License-Identifier: MIT */
/*
 * Generated code that starts another program from a second thread, while two
 * more are in generated code for ever. The new program takes the place of all.
 *
 * prints:  started
 * ends:    status 0
 * reports: enter +0 call
 * reports: unmap 4096
 * reports: output 1 started\\n
 * reports: exit status 0
 */
#include <pthread.h>

#include "code.h"

static void *loop(void *code)
{
    ((void (*)(void))code)();
    return NULL;
}

static void *start(void *code)
{
    char *const argv[] = {"echo", "started", NULL}, *const none[] = {NULL};

    ((void (*)(const char *, char *const *, char *const *))code)("/bin/echo",
                                                                 argv, none);
    return NULL;
}

int main(void)
{
    static const uint8_t insns[] = {
        0xeb,        0xfe,                                  /* jmp to itself */
        [16] = 0xb8, 59,   0, 0, 0, 0x0f, 0x05, 0x0f, 0x0b, /* execve */
    };
    uint8_t *code = code_new(insns, sizeof insns);
    pthread_t thread;

    pthread_create(&thread, NULL, loop, code);
    pthread_create(&thread, NULL, start, code + 16);
    loop(code);
    return 1;
}
