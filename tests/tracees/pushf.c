/* SPDX-License-Identifier: MIT */
/*
 * pushf.c - generated code that looks for the trap flag of a debugger.
 *
 * Three functions return the flags: by pushf; after popf; and as the syscall
 * instruction left them in r11. Prints their trap flags (bit 8) and, of the
 * second, whether popf has set the carry flag as asked:
 *
 *     trap flag 0 0 0, carry 1
 *
 * A tracer must report: the steps of all three, and no trap flag in any
 * register or stored byte.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

static const uint8_t by_pushf[] = {
    0x9c, /* pushf */
    0x58, /* pop rax */
    0xc3, /* ret */
};

static const uint8_t by_popf[] = {
    0x57, /* push rdi */
    0x9d, /* popf */
    0x9c, /* pushf */
    0x58, /* pop rax */
    0xc3, /* ret */
};

static const uint8_t by_syscall[] = {
    0xb8, 39,   0,    0, 0, /* mov eax, 39 (getpid) */
    0x0f, 0x05,             /* syscall */
    0x4c, 0x89, 0xd8,       /* mov rax, r11 */
    0xc3,                   /* ret */
};

int main(void)
{
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint64_t flags[3];

    if (code == MAP_FAILED)
        return 1;
    memcpy(code, by_pushf, sizeof by_pushf);
    memcpy(code + 16, by_popf, sizeof by_popf);
    memcpy(code + 32, by_syscall, sizeof by_syscall);
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    for (int i = 0; i < 3; i++)
        flags[i] = ((uint64_t(*)(uint64_t))(uintptr_t)(code + 16 * i))(0x203);
    printf("trap flag %d %d %d, carry %d\n", (int)(flags[0] >> 8 & 1),
           (int)(flags[1] >> 8 & 1), (int)(flags[2] >> 8 & 1),
           (int)(flags[1] & 1));
    return 0;
}
