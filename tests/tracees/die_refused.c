/* SPDX-License-Identifier: MIT */
/*
 * An mprotect of the function's address, not of its page: it fails, and nobody
 * looks at what it returns.
 *
 * ends:    signal SIGSEGV
 * reports: map rw- anonymous
 * reports: refused mprotect EINVAL *not that of a page
 * reports: signal SIGSEGV execute
 * reports: verdict executable broken +32
 * never:   enter *
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
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
    memcpy(code + 32, insns, sizeof insns);
    mprotect(code + 32, sizeof insns, PROT_READ | PROT_EXEC);
    ((long (*)(void))(uintptr_t)(code + 32))();
    return 0;
}
