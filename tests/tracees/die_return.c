/* SPDX-License-Identifier: MIT */
/*
 * A push without its pop: the ret takes 5 for the return address.
 *
 * ends:    signal SIGSEGV
 * reports: enter +0 call
 * reports: step +0 push 5
 * reports: step +2 ret
 * reports: leave return *
 * reports: signal SIGSEGV execute
 * reports: verdict stack-balanced broken +2
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

int main(void)
{
    static const uint8_t insns[] = {
        0x6a, 5, /* push 5 */
        0xc3,    /* ret */
    };
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (code == MAP_FAILED)
        return 1;
    for (size_t i = 0; i < sizeof insns; i++)
        code[i] = insns[i];
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    ((void (*)(void))(uintptr_t)code)();
    return 0;
}
