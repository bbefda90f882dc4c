/* SPDX-License-Identifier: MIT */
/*
 * A thread makes its own stack executable and calls code on it.
 *
 * prints:  5
 * ends:    status 0
 * reports: map rw- anonymous
 * reports: protect rw- rwx *
 * reports: enter +* call
 * reports: step * mov eax, 5
 * reports: leave return 5
 */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static void *work(void *result)
{
    static const uint8_t insns[] = {0xb8, 5, 0, 0, 0, 0xc3};
    uint8_t code[4096];

    memcpy(code, insns, sizeof insns);
    mprotect((void *)((uintptr_t)code & ~(uintptr_t)4095), 8192,
             PROT_READ | PROT_WRITE | PROT_EXEC);
    *(int *)result = ((int (*)(void))(uintptr_t)code)();
    return NULL;
}

int main(void)
{
    pthread_t thread;
    int result = 0;

    if (pthread_create(&thread, NULL, work, &result) != 0)
        return 1;
    pthread_join(thread, NULL);
    printf("%d\n", result);
    return 0;
}
