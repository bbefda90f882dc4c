/* SPDX-License-Identifier: MIT */
/*
 * More code than its page can hold; behind it lies another mapping.
 *
 * ends:    signal SIGSEGV
 * reports: map rw- anonymous
 * reports: signal SIGSEGV write
 * never:   enter *
 */
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

int main(void)
{
    uint8_t *room =
        mmap(NULL, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    volatile uint8_t *code;

    if (room == MAP_FAILED)
        return 1;
    code = mmap(room, 4096, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1, 0);
    if (mmap(room + 4096, 4096, PROT_READ | PROT_EXEC,
             MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
        return 1;
    for (int i = 4080; i < 5000; i++)
        code[i] = 0x90;
    return 0;
}
