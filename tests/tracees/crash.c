/* SPDX-License-Identifier: MIT */
/*
 * crash.c - generated code that is no code: `ud2` raises SIGILL, which nobody
 * handles. Prints "before" and is killed by signal 4.
 *
 * A tracer must report: the call, the signal SIGILL at offset 0 of the page,
 * and an exit by signal 4; its own status is 132.
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
