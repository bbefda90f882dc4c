/* SPDX-License-Identifier: MIT */
/*
 * Exercise 11: patching, wherever it is.
 *
 * patch() stores without asking. That works in a page that is rw-. Code is r-x.
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
    /* Your turn: there and back. mprotect wants the address of a page. */
    memcpy(at, &value, sizeof value);
    return true;
}
