/* SPDX-License-Identifier: MIT */
/*
 * crash.c - generated code that is no code: `ud2` raises SIGILL, which nobody
 * handles.
 *
 * prints:  before
 * ends:    signal SIGILL
 * reports: map rw- anonymous
 * reports: write +0 0f0b
 * reports: protect rw- r-x 0f0b
 * reports: enter +0 call
 * reports: signal SIGILL*
 * reports: exit signal 4
 * never:   step *
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

int main(void)
{
    static const uint8_t insns[] = {0x0f, 0x0b};
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (code == MAP_FAILED)
        return 1;
    memcpy(code, insns, sizeof insns);
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    puts("before");
    fflush(stdout);
    ((void (*)(void))(uintptr_t)code)();
    return 0;
}
