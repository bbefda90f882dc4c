/* SPDX-License-Identifier: MIT */
/*
 * Code that is called in a page that was never made executable.
 *
 * ends:    signal SIGSEGV
 * reports: map rw- anonymous
 * reports: write +0 *
 * reports: signal SIGSEGV execute
 * reports: verdict executable broken +0
 * never:   enter *
 * never:   protect *
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
    ((long (*)(void))(uintptr_t)code)();
    return 0;
}
