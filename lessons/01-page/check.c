/* SPDX-License-Identifier: MIT */
#include "../check.h"

#include <unistd.h>

uint8_t *new_pages(size_t wanted, size_t *length);

static bool check_pages(size_t wanted, size_t page)
{
    size_t pages = wanted / page + (wanted % page != 0);
    const size_t unset = 0x5e7;
    size_t length = unset;
    uint8_t *memory = new_pages(wanted, &length);

    if (length == unset) {
        say("wanted is %zu: *length was not set", wanted);
        return false;
    }
    say("wanted is %zu: *length is %zu", wanted, length);
    if (length % page != 0) {
        say("that is no whole number of pages of %zu bytes; *length counts "
            "bytes",
            page);
        return false;
    }
    if (length != pages * page) {
        say("that is %zu * %zu bytes; what is wanted fits into %zu * %zu",
            length / page, page, pages, page);
        return false;
    }
    if (!memory) {
        say("but there is no memory: new_pages() returns NULL");
        return false;
    }
    /* All of it must be there, and be fresh. */
    for (size_t i = 0; i < length; i++) {
        if (memory[i] != 0) {
            say("byte %zu is 0x%02x; a fresh page is full of zeros", i,
                memory[i]);
            return false;
        }
        memory[i] = 0x2a;
    }
    return true;
}

int main(void)
{
    size_t page = (size_t)getpagesize();
    size_t wishes[] = {1, 11, page - 1, page, page + 1, 3 * page, 100000};

    for (size_t i = 0; i < sizeof wishes / sizeof *wishes; i++)
        if (!check_pages(wishes[i], page))
            return failed();
    say("each time whole pages, and not one too many");
    return passed();
}
