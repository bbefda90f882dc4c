/* SPDX-License-Identifier: MIT */
/*
 * A store into code that is already executable, and so not writable.
 *
 * ends:    signal SIGSEGV
 * reports: protect rw- r-x *
 * reports: enter +0 call
 * reports: leave return 42
 * reports: signal SIGSEGV write
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
    ((long (*)(void))(uintptr_t)code)();
    code[1] = 43;
    return 0;
}
