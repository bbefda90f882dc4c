/* SPDX-License-Identifier: MIT */
/*
 * Exercise 04: never both at once.
 *
 * make_function() works. But its page can be written and executed, for ever.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Makes a function of at most a page of machine code. Returns NULL if the
 * kernel refuses. */
void *make_function(const uint8_t *bytes, size_t length)
{
    size_t size = (size_t)getpagesize();

    /* Your turn: the page is to be writable first and executable then. */
    uint8_t *code = mmap(NULL, size, PROT_READ | PROT_WRITE | PROT_EXEC,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (code == MAP_FAILED)
        return NULL;
    memcpy(code, bytes, length);

    return code;
}
