/* SPDX-License-Identifier: MIT */
/*
 * A mapping that failed, for MAP_ANONYMOUS was forgotten, and a test for NULL.
 *
 * ends:    signal SIGSEGV
 * reports: refused mmap EBADF *no MAP_ANONYMOUS*
 * reports: signal SIGSEGV write
 * never:   enter *
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

int main(void)
{
    volatile uint8_t *code =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, -1, 0);

    if (code == NULL)
        return 1;
    code[3] = 0xc3;
    return 0;
}
