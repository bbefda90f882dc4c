/* SPDX-License-Identifier: MIT */
/*
 * far.c - stores into a page from lines of source that are far from each other:
 * so the compiler is told (#line) of a file of 450 lines.
 *
 * A tracer must show each with the source around it.
 */
#include <stdint.h>
#include <sys/mman.h>

enum {
    PROT = PROT_READ | PROT_WRITE,
    FLAGS = MAP_PRIVATE | MAP_ANONYMOUS,
};

int main(void)
{
    volatile uint8_t *code;

/* clang-format off */
#line 100 "far.c"
    code = mmap(0, 4096, PROT, FLAGS, -1, 0);
#line 148 "far.c"
    code[0] = 148;
#line 149 "far.c"
    code[1] = 149;
#line 3 "far.c"
    code[2] = 3;
#line 450 "far.c"
    code[3] = 194;
#line 451 "far.c"
    code[4] = 195;
    return 0;
}
