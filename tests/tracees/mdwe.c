/* SPDX-License-Identifier: MIT */
/*
 * mdwe.c - a program after which no memory becomes executable any more.
 *
 * PR_SET_MDWE (prctl(2), Linux 6.3) lets mprotect fail when it is to give the
 * execute permission. The code that was made before is still called. Prints
 * "5".
 *
 * A tracer must report: that it stops watching (limit "frozen"), for it could
 * not give that page its permission any more.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#ifndef PR_SET_MDWE
#define PR_SET_MDWE              65
#define PR_MDWE_REFUSE_EXEC_GAIN 1
#endif

int main(void)
{
    static const uint8_t insns[] = {0xb8, 5, 0, 0, 0, 0xc3};
    uint8_t *code = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int (*fn)(void) = (int (*)(void))(uintptr_t)code;

    if (code == MAP_FAILED)
        return 1;
    memcpy(code, insns, sizeof insns);
    mprotect(code, 4096, PROT_READ | PROT_EXEC);
    if (prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) < 0) {
        perror("mdwe");
        return 1;
    }
    printf("%d\n", fn());
    return 0;
}
