/* SPDX-License-Identifier: MIT */
/* check.c - checks exercise 01. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

uint8_t *new_pages(size_t wanted, size_t *length);

int main(void)
{
    size_t page = (size_t)getpagesize();
    size_t wishes[] = {1, 11, page - 1, page, page + 1, 3 * page, 100000};

    for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; i++) {
        size_t wanted = wishes[i];
        size_t pages = wanted / page + (wanted % page != 0);
        size_t length = 0;
        uint8_t *memory = new_pages(wanted, &length);

        if (memory == NULL) {
            printf("%zu bytes: new_pages() returns NULL. The length that it "
                   "asked mmap for is %zu.\n",
                   wanted, length);
            return 1;
        }
        if (length != pages * page) {
            printf("%zu bytes: *length is %zu.\n", wanted, length);
            if (length % page != 0)
                printf("That is no whole number of pages: a page has %zu "
                       "bytes.\n",
                       page);
            else
                printf("These are %zu pages of %zu bytes; the kernel gives "
                       "%zu.\n",
                       length / page, page, pages);
            return 1;
        }
        /* All of it must be there, and be fresh. */
        for (size_t k = 0; k < length; k++) {
            if (memory[k] != 0) {
                printf("%zu bytes: byte %zu is 0x%02x, but a fresh page is "
                       "full of zeros.\n",
                       wanted, k, memory[k]);
                return 1;
            }
            memory[k] = 0x2a;
        }
        printf("%zu bytes: %zu, that is %zu page%s\n", wanted, length, pages,
               pages == 1 ? "" : "s");
    }
    return 0;
}
