/* SPDX-License-Identifier: MIT */
/*
 * Looks at its own memory map while its stores are watched: the page that it
 * has asked for must be there with the protection that it has asked for.
 *
 * prints:  rw-p
 * prints:  42
 * ends:    status 0
 * reports: map rw- anonymous
 * reports: write +0 b8
 * reports: write +1 2a
 * reports: write +5 c3
 * reports: protect rw- r-x b82a000000c3
 * reports: enter +0 call
 * reports: leave return 42
 * never:   limit *
 */
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>

static void print_protection(const volatile uint8_t *page)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    unsigned long start, end;
    char prot[8], line[512];

    while (maps && fgets(line, sizeof line, maps))
        if (sscanf(line, "%lx-%lx %7s", &start, &end, prot) == 3 &&
            start <= (uintptr_t)page && (uintptr_t)page < end)
            puts(prot);
    if (maps)
        fclose(maps);
}

int main(void)
{
    volatile uint8_t *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (page == MAP_FAILED)
        return 1;
    page[0] = 0xb8; /* mov eax, 42 */
    print_protection(page);
    page[1] = 42;
    page[5] = 0xc3; /* ret */
    if (mprotect((void *)(uintptr_t)page, 4096, PROT_READ | PROT_EXEC) < 0)
        return 1;
    printf("%d\n", ((int (*)(void))(uintptr_t)page)());
    return 0;
}
