/* SPDX-License-Identifier: MIT */
/*
 * Recursion without an end.
 *
 * ends:    signal SIGSEGV
 * reports: enter +0 call
 * reports: step +0 push rbp
 * reports: step +1 call *
 * reports: step +0 push rbp
 * reports: signal SIGSEGV write
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>

int main(void)
{
    static const uint8_t insns[] = {
        0x55,                         /* push rbp */
        0xe8, 0xfa, 0xff, 0xff, 0xff, /* call code */
        0x5d,                         /* pop rbp */
        0xc3,                         /* ret */
    };
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (code == MAP_FAILED)
        return 1;
    for (size_t i = 0; i < sizeof insns; i++)
        code[i] = insns[i];
    struct rlimit small = {64 << 10, 64 << 10};

    setrlimit(RLIMIT_STACK, &small);
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    ((void (*)(void))(uintptr_t)code)();
    return 0;
}
