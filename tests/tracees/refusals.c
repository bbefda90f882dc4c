/* SPDX-License-Identifier: MIT */
/*
 * refusals.c - mistakes of a beginner: calls for memory that fail, each with
 * what is wrong in the words of jittrace. The code is called in between.
 *
 * prints:  42
 * ends:    status 0
 * reports: refused mmap EBADF *no MAP_ANONYMOUS*
 * reports: map *
 * reports: refused mprotect EINVAL *not that of a page
 * reports: refused mprotect EINVAL *swapped*
 * reports: protect rw- r-x*
 * reports: enter +0 call
 * reports: refused munmap EINVAL the length is 0
 * reports: refused mremap EINVAL the new length is 0
 * reports: exit status 0
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE ((size_t)4096)

static void fails(int failed)
{
    if (!failed)
        exit(1);
}

int main(void)
{
    static const unsigned char insns[] = {0xb8, 42, 0, 0, 0, 0xc3};
    int (*answer)(void);
    unsigned char *code;

    fails(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1, 0) ==
          MAP_FAILED);
    code = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                -1, 0);
    memcpy(code, insns, sizeof insns);
    fails(mprotect(code + 64, PAGE, PROT_READ | PROT_EXEC) < 0);
    fails(mprotect(code, PROT_READ | PROT_EXEC, PAGE) < 0);
    fails(mprotect(code, PAGE, PROT_READ | PROT_EXEC) == 0);
    memcpy(&answer, &code, sizeof answer);
    printf("%d\n", answer());
    fails(munmap(code, 0) < 0);
    fails(mremap(code, PAGE, 0, 0) == MAP_FAILED);
    return 0;
}
