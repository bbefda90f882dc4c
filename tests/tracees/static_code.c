/* SPDX-License-Identifier: MIT */
/*
 * Static data of the program becomes executable: a page that is zero at the
 * start (.bss) and one that is not (.data, from the program's file).
 *
 * prints:  5 6
 * ends:    status 0
 * reports: map rw- anonymous
 * reports: protect rw- rwx b805000000c3
 * reports: enter +0 call
 * reports: leave return 5
 * reports: map rw- *static_code
 * reports: protect rw- r-x b806*
 * reports: enter +0 call
 * reports: step +0 mov eax, 6
 * reports: leave return 6
 * never:   limit *
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

/* In the middle of what surrounds them, not in a page with other data. */
static struct {
    uint8_t before[4 * 4096];
    uint8_t code[4096];
    uint8_t behind[4096];
} zero __attribute__((aligned(4096))),
    data __attribute__((aligned(4096))) = {{1}, {0xb8, 6, 0, 0, 0, 0xc3}, {1}};

int main(void)
{
    static const uint8_t insns[] = {0xb8, 5, 0, 0, 0, 0xc3};
    int first;

    memcpy(zero.code, insns, sizeof insns);
    mprotect(zero.code, 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
    first = ((int (*)(void))(uintptr_t)zero.code)();
    mprotect(data.code, 4096, PROT_READ | PROT_EXEC);
    printf("%d %d\n", first, ((int (*)(void))(uintptr_t)data.code)());
    return 0;
}
