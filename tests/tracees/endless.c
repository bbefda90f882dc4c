/* SPDX-License-Identifier: MIT */
/*
 * endless.c - a program that never ends by itself.
 *
 *     endless inside    its generated code is a loop: `jmp` to itself
 *     endless outside   its generated code returns, then it waits for a signal
 *     endless stubborn  the same, and SIGTERM is ignored
 *
 * Other arguments are not looked at: a test can mark its process with one.
 * Prints nothing. SIGTERM and SIGINT kill it, but for the stubborn one.
 *
 * A tracer must report the call, and must leave no process behind whatever
 * happens to it.
 */
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    static const uint8_t insns[] = {0xeb, 0xfe, 0xc3}; /* jmp; ret */
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int first = 2;

    if (code == MAP_FAILED || argc < 2)
        return 1;
    if (strcmp(argv[1], "inside") == 0)
        first = 0;
    if (strcmp(argv[1], "stubborn") == 0)
        signal(SIGTERM, SIG_IGN);
    memcpy(code, insns, sizeof insns);
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    ((void (*)(void))(uintptr_t)(code + first))();
    for (;;)
        pause();
}
