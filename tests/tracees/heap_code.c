/* SPDX-License-Identifier: MIT */
/*
 * A page of the heap (brk(2)) is made writable and executable; then the heap
 * shrinks and grows over it, and the page is an ordinary one again.
 *
 * prints:  5, then 0 and 7
 * ends:    status 0
 * reports: map rw- heap
 * reports: protect rw- rwx b805000000c3
 * reports: enter +0 call
 * reports: leave return 5
 * reports: unmap 4096
 * never:   limit *
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int main(void)
{
    static const uint8_t insns[] = {0xb8, 5, 0, 0, 0, 0xc3};
    uint8_t *code, before;
    int (*fn)(void), first;

    sbrk(4096 - (long)((uintptr_t)sbrk(0) % 4096));
    code = sbrk(4096);
    if (code == (void *)-1)
        return 1;
    fn = (int (*)(void))(uintptr_t)code;
    memcpy(code, insns, sizeof insns);
    mprotect(code, 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
    first = fn();
    if (sbrk(-4096) == (void *)-1 || sbrk(4096) != code)
        return 1;
    before = code[0];
    code[0] = 7;
    printf("%d, then %d and %d\n", first, before, code[0]);
    return 0;
}
