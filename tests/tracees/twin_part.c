/* SPDX-License-Identifier: MIT */
/*
 * Three pages of a file with a name are mapped, and the last one is turned
 * executable. Only that page is of interest, and lies inside of a mapping. It
 * is mapped once more, for writing; what is stored there is executed here, as
 * far from its beginning.
 *
 * prints:  5 6
 * ends:    status 0
 * reports: map rw- ?tmp?twin_part-*
 * reports: protect rw- r-x b805000000c3
 * reports: enter +16 call
 * reports: leave return 5
 * reports: map rw- ?tmp?twin_part-*
 * reports: write +17 06 also
 * reports: enter +16 call
 * reports: step +16 mov eax, 6
 * reports: leave return 6
 * never:   limit *
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096

int main(void)
{
    static const uint8_t insns[] = {0xb8, 5, 0, 0, 0, 0xc3};
    uint8_t *all, *last;
    int (*fn)(void);
    char name[64];
    int file, first;

    snprintf(name, sizeof name, "/tmp/twin_part-%d", (int)getpid());
    file = open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
    if (file < 0 || ftruncate(file, 3 * PAGE) < 0)
        return 1;
    all = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (all == MAP_FAILED)
        return 1;
    memcpy(all + 2 * PAGE + 16, insns, sizeof insns);
    if (mprotect(all + 2 * PAGE, PAGE, PROT_READ | PROT_EXEC) < 0)
        return 1;
    fn = (int (*)(void))(uintptr_t)(all + 2 * PAGE + 16);
    first = fn();
    last = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 2 * PAGE);
    if (last == MAP_FAILED)
        return 1;
    last[17] = 6;
    printf("%d %d\n", first, fn());
    unlink(name);
    return 0;
}
