/* SPDX-License-Identifier: MIT */
/*
 * Code that is made writable again after it ran, and gets another number.
 *
 * prints:  1
 * prints:  2
 * ends:    status 0
 * reports: write +0 b801000000c30000
 * reports: protect rw- r-x b801000000c30000
 * reports: step +0 mov eax, 1
 * reports: protect r-x rw- *
 * reports: write +1 02
 * reports: protect rw- r-x b802000000c30000
 * reports: step +0 mov eax, 2
 * never:   limit *
 */
#include <stdio.h>
#include <sys/mman.h>

static long run(void *code)
{
    return ((long (*)(void))code)();
}

int main(void)
{
    unsigned char *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    /* mov eax, 1; ret */
    *(unsigned long *)code = 0xc300000001b8;
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    printf("%ld\n", run(code));
    mprotect(code, 4096, PROT_READ | PROT_WRITE);
    code[1] = 2;
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    printf("%ld\n", run(code));
    return 0;
}
