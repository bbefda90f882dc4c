/* SPDX-License-Identifier: MIT */
/*
 * A just-in-time compiler for TERM - x: babyjit.c adds, this one subtracts.
 *
 *     48 c7 c0 imm32    mov rax, TERM    rax = TERM, widened to 64 bits
 *                       sub rax, rdi     rax = rax - the argument
 *                       ret              back to the caller with rax
 */
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

/* Returns the code of the function, or NULL. */
uint8_t *compile(int32_t term)
{
    size_t size = (size_t)getpagesize();
    uint32_t imm = (uint32_t)term;
    uint8_t *code = mmap(NULL, size, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (code == MAP_FAILED) {
        perror("mmap");
        return NULL;
    }
    code[0] = 0x48; /* REX.W: 64 bits */
    code[1] = 0xc7; /* mov r/m64, imm32 */
    code[2] = 0xc0; /* ModRM: rax */
    code[3] = (uint8_t)imm;
    code[4] = (uint8_t)(imm >> 8);
    code[5] = (uint8_t)(imm >> 16);
    code[6] = (uint8_t)(imm >> 24);

    /* Your turn: sub rax, rdi and ret, in code[7] to code[10]. */

    if (mprotect(code, size, PROT_READ | PROT_EXEC) < 0) {
        perror("mprotect");
        return NULL;
    }
    return code;
}
