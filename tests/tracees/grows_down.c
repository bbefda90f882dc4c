/* SPDX-License-Identifier: MIT */
/*
 * A stack is made executable, from a page near its top down to its end, with
 * PROT_GROWSDOWN (mprotect(2)). Code lies at the end.
 *
 * prints:  5
 * ends:    status 0
 * reports: map rw- *
 * reports: protect rw- rwx*
 * reports: enter +0 call
 * reports: leave return 5
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE 4096

int main(void)
{
    static const uint8_t insns[] = {0xb8, 5, 0, 0, 0, 0xc3};
    uint8_t *stack = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, 0);

    if (stack == MAP_FAILED)
        return 1;
    memcpy(stack, insns, sizeof insns);
    if (mprotect(stack + 2 * PAGE, PAGE,
                 PROT_READ | PROT_WRITE | PROT_EXEC | PROT_GROWSDOWN) < 0) {
        perror("mprotect");
        return 1;
    }
    printf("%d\n", ((int (*)(void))(uintptr_t)stack)());
    return 0;
}
