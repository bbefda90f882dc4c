/* SPDX-License-Identifier: MIT */
/*
 * Generated code makes system calls of its own: it writes a line, and turns
 * another page executable, which is then called.
 *
 * prints:  hello
 * prints:  0 42
 * ends:    status 0
 * reports: enter +0 call
 * reports: step +0 mov eax, 1
 * reports: output 1 hello\\n
 * reports: step +5 syscall
 * reports: leave return 6
 * reports: enter +8 call
 * reports: step +8 mov eax, 10
 * reports: protect rw- r-x b82a000000c3
 * reports: step +13 syscall
 * reports: leave return 0
 * reports: enter +0 call
 * reports: leave return 42
 * reports: exit status 0
 * never:   limit *
 */
#include <stdio.h>

#include "code.h"

int main(void)
{
    static const uint8_t insns[] = {
        0xb8, 1,    0, 0, 0, /* mov eax, 1 (write) */
        0x0f, 0x05,          /* syscall */
        0xc3,                /* ret */
        0xb8, 10,   0, 0, 0, /* 8: mov eax, 10 (mprotect) */
        0x0f, 0x05,          /* syscall */
        0xc3,                /* ret */
    };
    static const uint8_t answer[] = {0xb8, 42, 0, 0, 0, 0xc3};
    uint8_t *code = code_new(insns, sizeof insns);
    uint8_t *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    long result;

    if (page == MAP_FAILED)
        return 1;
    ((long (*)(int, const char *, size_t))(uintptr_t)code)(1, "hello\n", 6);
    memcpy(page, answer, sizeof answer);
    result = ((long (*)(void *, size_t, int))(uintptr_t)(code + 8))(
        page, 4096, PROT_READ | PROT_EXEC);
    printf("%ld %d\n", result, ((int (*)(void))(uintptr_t)page)());
    return 0;
}
