/* SPDX-License-Identifier: MIT */
/*
 * busy.c - system calls that a tracer looks at and that change nothing, until
 * somebody ends it.
 *
 * A tracer must stay able to answer its user.
 */
#include <stdint.h>
#include <sys/mman.h>

int main(void)
{
    const uintptr_t nothing = 4096; /* is mapped there */

    while (munmap((void *)nothing, 4096) == 0)
        continue;
    return 1;
}
