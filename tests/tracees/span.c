/* SPDX-License-Identifier: MIT */
/*
 * span.c - one read(2) fills the end of one mapping and the start of the next.
 *
 * The two lie side by side but were mapped one by one. Of ten bytes, four come
 * into the first and six into the second; those are `mov eax, 7; ret`. Prints
 * "10 bytes: 7".
 *
 * A tracer must report: two writes by "read", of 4 and of 6 bytes.
 */
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096

static void *map(void *place)
{
    return mmap(place, PAGE, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

int main(void)
{
    static const uint8_t bytes[] = {1, 2, 3, 4, 0xb8, 7, 0, 0, 0, 0xc3};
    uint8_t *room =
        mmap(NULL, 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int (*fn)(void) = (int (*)(void))(uintptr_t)(room + PAGE);
    int ends[2];
    ssize_t got;

    if (room == MAP_FAILED || map(room + PAGE) == MAP_FAILED ||
        map(room) == MAP_FAILED || pipe(ends) < 0 ||
        write(ends[1], bytes, sizeof bytes) != (ssize_t)sizeof bytes)
        return 1;
    got = read(ends[0], room + PAGE - 4, sizeof bytes);
    mprotect(room + PAGE, PAGE, PROT_READ | PROT_EXEC);
    printf("%d bytes: %d\n", (int)got, fn());
    return 0;
}
