/* SPDX-License-Identifier: MIT */
/*
 * A thread runs a loop of generated code, and another one changes the branch
 * that closes it.
 *
 * prints:  done
 * ends:    status 0
 * reports: step +9 jz *
 * reports: write +9 75
 * reports: exit status 0
 * reports: verdict races broken +9
 */
#include <pthread.h>
#include <stdio.h>

#include "code.h"

static uint8_t *code;
static volatile int cells[2];

static void *run(void *argument)
{
    void (*f)(volatile int *);

    memcpy(&f, &code, sizeof f);
    f(cells);
    return argument;
}

int main(void)
{
    static const uint8_t insns[] = {
        0xff, 0x47, 0x04, /* inc dword ptr [rdi+4] */
        0x83, 0x3f, 0x00, /* cmp dword ptr [rdi], 0 */
        0x0f, 0x1f, 0x00, /* nop */
        0x74, 0xf5,       /* jz to the inc */
        0xc3,             /* ret */
    };
    pthread_t thread;

    code = code_new(insns, sizeof insns);
    if (mprotect(code, 4096, PROT_READ | PROT_WRITE | PROT_EXEC) < 0 ||
        pthread_create(&thread, NULL, run, NULL) != 0)
        return 99;
    while (cells[1] < 2) /* then the jz was executed */
        ;
    code[9] = 0x75; /* jnz */
    pthread_join(thread, NULL);
    puts("done");
    return 0;
}
