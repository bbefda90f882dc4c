/* SPDX-License-Identifier: MIT */
/*
 * A function that crosses the end of a page, of which only the first is made
 * executable.
 *
 * ends:    signal SIGSEGV
 * reports: map rw- anonymous
 * reports: protect rw- r-x*
 * reports: enter +4093 call
 * reports: step +4093 xor eax, eax
 * reports: signal SIGSEGV execute
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

int main(void)
{
    static const uint8_t insns[] = {
        0x31, 0xc0,       /* xor eax, eax */
        0x83, 0xc0, 0x02, /* add eax, 2 */
        0xc3,             /* ret */
    };
    uint8_t *code = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (code == MAP_FAILED)
        return 1;
    memcpy(code + 4093, insns, sizeof insns);
    if (mprotect(code, 4096, PROT_READ | PROT_EXEC) < 0)
        return 1;
    ((long (*)(void))(uintptr_t)(code + 4093))();
    return 0;
}
