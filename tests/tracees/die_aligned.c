/* SPDX-License-Identifier: MIT */
/*
 * movaps wants an address that is a multiple of 16; this one is not.
 *
 * ends:    signal SIGSEGV
 * reports: enter +0 call
 * reports: signal SIGSEGV*
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

int main(void)
{
    static const uint8_t insns[] = {
        0x0f, 0x28, 0x07, /* movaps xmm0, [rdi] */
        0xc3,             /* ret */
    };
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (code == MAP_FAILED)
        return 1;
    for (size_t i = 0; i < sizeof insns; i++)
        code[i] = insns[i];
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    ((void (*)(void *))(uintptr_t)code)(code + 8);
    return 0;
}
