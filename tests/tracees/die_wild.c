/* SPDX-License-Identifier: MIT */
/*
 * A load from a number that is no address.
 *
 * ends:    signal SIGSEGV
 * reports: enter +0 call
 * reports: step +0 mov rax, *
 * reports: signal SIGSEGV*
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

int main(void)
{
    static const uint8_t insns[] = {
        0x48, 0xb8, 0xef, 0xbe, 0xad, 0xde, 0xef, 0xbe, 0xad, 0xde,
        /* mov rax, 0xdeadbeefdeadbeef */
        0x48, 0x8b, 0x00, /* mov rax, [rax] */
        0xc3,             /* ret */
    };
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (code == MAP_FAILED)
        return 1;
    for (size_t i = 0; i < sizeof insns; i++)
        code[i] = insns[i];
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    ((void (*)(void))(uintptr_t)code)();
    return 0;
}
