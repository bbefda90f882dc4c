/* SPDX-License-Identifier: MIT */
/*
 * A function made at run time, of two arguments of different widths:
 *
 *     int64_t distance(int64_t from, int32_t to)    returns to - from
 */
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

/* Returns the code of the function, or NULL. */
uint8_t *compile(void)
{
    size_t size = (size_t)getpagesize();
    uint8_t *code = mmap(NULL, size, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (code == MAP_FAILED) {
        perror("mmap");
        return NULL;
    }

    code[0] = 0x48; /* REX.W: 64 bits */
    code[1] = 0x63; /* movsxd r64, r/m32 */
    code[2] = 0xc6; /* ModRM: rax, esi */

    code[3] = 0x48; /* REX.W: 64 bits */
    code[4] = 0x29; /* sub r/m64, r64 */
    code[5] = 0xf8; /* ModRM: rax, rdi */

    code[6] = 0xc3; /* ret */

    if (mprotect(code, size, PROT_READ | PROT_EXEC) < 0) {
        perror("mprotect");
        return NULL;
    }
    return code;
}
