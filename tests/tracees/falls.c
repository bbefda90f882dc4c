/* SPDX-License-Identifier: MIT */
/*
 * falls.c - generated code without a ret: the CPU runs off its end.
 *
 * Two nops are called. Behind them are the zeros of a fresh page, which read
 * as `add [rax], al`; rax is the address of the page, which is not writable by
 * then.
 *
 * ends:    signal SIGSEGV
 * reports: enter +0 call
 * reports: step +0 nop
 * reports: step +1 nop
 * reports: signal SIGSEGV write
 * reports: exit signal 11
 * reports: verdict written-before-run broken +2
 * never:   step +2 *
 */
#include <stdint.h>
#include <sys/mman.h>

int main(void)
{
    uint8_t *code = mmap(0, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (code == MAP_FAILED)
        return 1;
    code[0] = 0x90;
    code[1] = 0x90;
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    __asm__ volatile("call *%0" : : "a"(code) : "memory");
    return 0;
}
