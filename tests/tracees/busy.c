/* SPDX-License-Identifier: MIT */
/*
 * busy.c - system calls that a tracer looks at and that change nothing, until
 * somebody ends it.
 *
 * A tracer must stay able to answer its user.
 */
#include <errno.h>
#include <sys/mman.h>

int main(void)
{
    static char here[2];

    while (munmap(here + 1, 4096) < 0 && errno == EINVAL)
        continue;
    return 1;
}
