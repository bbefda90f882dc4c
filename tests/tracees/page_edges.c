/* SPDX-License-Identifier: MIT */
/*
 * page_edges.c - code that fills a page to its last byte, and then one more.
 *
 * Two pages that may be written and executed: read(2) fills the first with
 * `nop`, and `ret` at its end, which is called twice. Then the `ret` moves on
 * to the beginning of the second page, and both is done again. Last, a byte in
 * the middle is changed.
 *
 * What an entry brings is looked at by a test: of the code of one page all of
 * it each time, of more than a page what is new.
 *
 * prints:  0 0 0 0 0
 * ends:    status 0
 * reports: map rwx anonymous
 * reports: write +0 * by read
 * reports: enter +4093 call
 * reports: leave return 0
 * reports: enter +4093 call
 * reports: step +4095 ret
 * reports: leave return 0
 * reports: write +4096 c3
 * reports: write +4095 90
 * reports: enter +4093 call
 * reports: leave return 0
 * reports: enter +4093 call
 * reports: step +4096 ret
 * reports: leave return 0
 * reports: write +10 91
 * reports: enter +4093 call
 * reports: leave return 0
 * never:   limit *
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096

/* The result is what eax was before: that of code that has none. */
static long call(const uint8_t *code)
{
    long result = 0;

    __asm__ volatile("call *%1" : "+a"(result) : "r"(code) : "memory");
    return result;
}

int main(void)
{
    static uint8_t insns[PAGE];
    uint8_t *code = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int ends[2];
    long sums[5];

    memset(insns, 0x90, sizeof insns);
    insns[PAGE - 1] = 0xc3;
    if (code == MAP_FAILED || pipe(ends) < 0 ||
        write(ends[1], insns, PAGE) != PAGE ||
        read(ends[0], code, PAGE) != PAGE)
        return 1;
    sums[0] = call(code + PAGE - 3);
    sums[1] = call(code + PAGE - 3);
    ((volatile uint8_t *)code)[PAGE] = 0xc3;
    ((volatile uint8_t *)code)[PAGE - 1] = 0x90;
    sums[2] = call(code + PAGE - 3);
    sums[3] = call(code + PAGE - 3);
    ((volatile uint8_t *)code)[10] = 0x91;
    sums[4] = call(code + PAGE - 3);
    printf("%ld %ld %ld %ld %ld\n", sums[0], sums[1], sums[2], sums[3],
           sums[4]);
    return 0;
}
