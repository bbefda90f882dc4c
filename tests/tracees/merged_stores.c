/* SPDX-License-Identifier: MIT */
/*
 * Emits through helpers that are inlined, and stores as compilers do then: the
 * last bytes of one instruction together with the first ones of the next. What
 * lies between two stores is no end of an instruction. By hand here, so that it
 * is so with each compiler.
 *
 * prints:  7
 * ends:    status 0
 * reports: step +3 mov rbx, 1
 * reports: exit status 0
 */
#include <stdio.h>

#include "code.h"

static uint8_t *out;

/* All that a store has is one access of the CPU. */
#define STORE(name, type)                                              \
    __attribute__((always_inline)) static inline void name(type value) \
    {                                                                  \
        *(volatile type *)out = value;                                 \
        out += sizeof(type);                                           \
    }
STORE(store2, uint16_t)
STORE(store4, uint32_t)
STORE(store8, uint64_t)

__attribute__((always_inline)) static inline void move(uint16_t opcode,
                                                       uint64_t rest)
{
    store2(opcode);
    store8(rest);
}

int main(void)
{
    uint8_t *code = out = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (code == MAP_FAILED)
        return 99;
    store4(0x48544153);               /* push rbx; push r12; REX.W */
    move(0xc3c7, 0x9090909000000001); /* mov rbx, 1; four nops */
    store4(0x9058076a);               /* push 7; pop rax; nop */
    store4(0xc35b5c41);               /* pop r12; pop rbx; ret */
    if (mprotect(code, 4096, PROT_READ | PROT_EXEC) < 0)
        return 99;
    printf("%d\n", ((int (*)(void))(uintptr_t)code)());
    return 0;
}
