/* SPDX-License-Identifier: MIT */
/*
 * Exercise 11: patching, wherever it is.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/*
 * Stores the four bytes of value at `at`, which is in memory that is r-x, and
 * r-x it is again afterwards. Pages in which none of the four bytes is are left
 * alone. Returns false if the kernel refuses.
 */
bool patch(uint8_t *at, int32_t value)
{
    uint8_t *start = at - (uintptr_t)at % (uintptr_t)getpagesize();
    /* mprotect rounds it up to whole pages. */
    size_t length = (size_t)(at - start) + sizeof value;

    if (mprotect(start, length, PROT_READ | PROT_WRITE) < 0)
        return false;
    memcpy(at, &value, sizeof value);
    return mprotect(start, length, PROT_READ | PROT_EXEC) == 0;
}
