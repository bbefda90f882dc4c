/* SPDX-License-Identifier: MIT */
/*
 * With READ_IMPLIES_EXEC (personality(2)) what is mapped readable is executable
 * as well: code is called in a page that was never asked to be.
 *
 * prints:  5
 * ends:    status 0
 * reports: limit personality
 * reports: map rwx anonymous
 * reports: write +0 b8050000
 * reports: enter +0 call
 * reports: leave return 5
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>

int main(void)
{
    static const uint8_t insns[] = {0xb8, 5, 0, 0, 0, 0xc3};
    uint8_t *code;

    if (personality(READ_IMPLIES_EXEC) < 0)
        return 1;
    code = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                -1, 0);
    if (code == MAP_FAILED)
        return 1;
    memcpy(code, insns, sizeof insns);
    printf("%d\n", ((int (*)(void))(uintptr_t)code)());
    return 0;
}
