/* SPDX-License-Identifier: MIT */
/*
 * Generated code passes a null pointer to strlen, which crashes.
 *
 * ends:    signal SIGSEGV
 * reports: enter +0 call
 * reports: step +0 xor edi, edi
 * reports: step +2 call rsi
 * reports: leave call
 * reports: signal SIGSEGV read
 * reports: verdict stack-aligned broken +2
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

int main(void)
{
    static const uint8_t insns[] = {
        0x31, 0xff, /* xor edi, edi */
        0xff, 0xd6, /* call rsi */
        0xc3,       /* ret */
    };
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (code == MAP_FAILED)
        return 1;
    for (size_t i = 0; i < sizeof insns; i++)
        code[i] = insns[i];
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    ((void (*)(void *, size_t (*)(const char *)))(uintptr_t)code)(code, strlen);
    return 0;
}
