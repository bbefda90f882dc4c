/* SPDX-License-Identifier: MIT */
/*
 * A store through a null pointer that the caller has passed.
 *
 * ends:    signal SIGSEGV
 * reports: enter +0 call
 * reports: signal SIGSEGV write
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

int main(void)
{
    static const uint8_t insns[] = {
        0xc7, 0x07, 1, 0, 0, 0, /* mov dword [rdi], 1 */
        0xc3,                   /* ret */
    };
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (code == MAP_FAILED)
        return 1;
    for (size_t i = 0; i < sizeof insns; i++)
        code[i] = insns[i];
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    ((void (*)(int *))(uintptr_t)code)(NULL);
    return 0;
}
