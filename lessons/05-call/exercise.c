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

    /* Your turn: the bytes of the function, in code[0], code[1] and so on. */

    if (mprotect(code, size, PROT_READ | PROT_EXEC) < 0) {
        perror("mprotect");
        return NULL;
    }
    return code;
}
