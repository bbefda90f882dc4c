/* SPDX-License-Identifier: MIT */
/*
 * Code that is called after it was unmapped.
 *
 * ends:    signal SIGSEGV
 * reports: enter +0 call
 * reports: leave return 42
 * reports: unmap 4096
 * reports: signal SIGSEGV execute
 * reports: verdict stale broken +0
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

int main(void)
{
    static const uint8_t insns[] = {
        0xb8, 0x2a, 0, 0, 0, /* mov eax, 42 */
        0xc3,                /* ret */
    };
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (code == MAP_FAILED)
        return 1;
    for (size_t i = 0; i < sizeof insns; i++)
        code[i] = insns[i];
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    ((void (*)(void))(uintptr_t)code)();
    munmap(code, 4096);
    ((void (*)(void))(uintptr_t)code)();
    return 0;
}
