/* SPDX-License-Identifier: MIT */
/*
 * A mapping with code in it grows where it is, then is moved over another one
 * that holds code (mremap(2)).
 *
 * prints:  5 5 5
 * ends:    status 0
 * reports: map rwx anonymous
 * reports: write +0 b8050000
 * reports: leave return 5
 * reports: unmap 4096
 * reports: map rwx anonymous
 * reports: write +0 b805000000c3 by mremap
 * reports: write +4096 01
 * reports: leave return 5
 * reports: map rwx anonymous
 * reports: write +0 07
 * reports: unmap 8192
 * reports: unmap 8192
 * reports: map rwx anonymous
 * reports: write +0 b805000000c3 by mremap
 * reports: write +4096 01 by mremap
 * reports: leave return 5
 * never:   limit *
 * never:   write * by elsewhere
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE 4096
#define RWX  (PROT_READ | PROT_WRITE | PROT_EXEC)

int main(void)
{
    static const uint8_t insns[] = {0xb8, 5, 0, 0, 0, 0xc3};
    uint8_t *room =
        mmap(NULL, 4 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint8_t *code, *other;
    int first, second;

    if (room == MAP_FAILED)
        return 1;
    munmap(room, 2 * PAGE);
    code =
        mmap(room, PAGE, RWX, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (code == MAP_FAILED)
        return 1;
    memcpy(code, insns, sizeof insns);
    first = ((int (*)(void))(uintptr_t)code)();
    if (mremap(code, PAGE, 2 * PAGE, 0) != code)
        return 1;
    code[PAGE] = 1;
    second = ((int (*)(void))(uintptr_t)code)();
    other = mmap(room + 2 * PAGE, 2 * PAGE, RWX,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (other == MAP_FAILED)
        return 1;
    other[0] = 7;
    if (mremap(code, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
               other) != other)
        return 1;
    printf("%d %d %d\n", first, second, ((int (*)(void))(uintptr_t)other)());
    return 0;
}
