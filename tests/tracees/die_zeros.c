/* SPDX-License-Identifier: MIT */
/*
 * Code without a ret, and rax an address that can be written to: the zeros
 * behind it are executed to the end of the page.
 *
 * ends:    signal SIGSEGV
 * reports: enter +4080 call
 * reports: step +4080 nop
 * reports: step +4081 add [[]rax], al
 * reports: step +4093 add [[]rax], al
 * reports: signal SIGSEGV execute
 * reports: verdict written-before-run broken +4081
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

int main(void)
{
    static const uint8_t insns[] = {
        0x90, /* nop */
    };
    uint64_t room;
    uint8_t *code = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (code == MAP_FAILED)
        return 1;

    for (size_t i = 0; i < sizeof insns; i++)
        code[4080 + i] = insns[i];
    munmap(code + 4096, 4096);
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    __asm__ volatile("call *%0" : : "r"(code + 4080), "a"(&room) : "memory");
    return 0;
}
